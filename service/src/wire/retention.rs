//! Retention classes, and who is due for erasure by them.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use jiff::civil::Date;
use planledger_core::ids::{IdError, PersonId};
use planledger_core::ledger::Affected;
use planledger_core::retention::{Due, Hold, Keep, NotDue, RetentionClass, Standing};
use serde::Deserialize;
use uuid::Uuid;

use super::choice::Choice;
use super::errors::Failure;
use super::fields::{Fields, ViolationReason};
use super::page::{Page, Scope, read_size};
use super::proto;

/// How the reason of every request begins that follows from a retention class.
pub const RETENTION_REASON: &str = RetentionClass::REASON;

/// A question about who is due for erasure.
#[derive(Clone, Debug)]
pub struct DueAsk {
    /// The classes, at least one.
    pub classes: Vec<RetentionClass>,
    /// The day for which it is asked; today if `None`.
    pub as_of: Option<Date>,
    /// The page.
    pub page: Page<Uuid>,
}

/// Reads `ListDueErasures`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_due_erasures(request: proto::ListDueErasuresRequest) -> Result<DueAsk, Failure> {
    let scope = scope(&request);
    let (classes, as_of, size) = Fields::read(|fields| {
        let classes = read_classes(fields, request.classes);
        let as_of = fields.optional_date("as_of", request.as_of.as_deref());
        let size = read_size(fields, request.page_size);
        Some((classes?, as_of?, size?))
    })?;
    Ok(DueAsk {
        classes,
        as_of,
        page: Page::new(scope, size, &request.page_token)?,
    })
}

/// The scope of a page token: the whole request except the minimum position and the page size.
fn scope(request: &proto::ListDueErasuresRequest) -> Scope {
    use prost::Message as _;
    let question = proto::ListDueErasuresRequest {
        min_position: 0,
        page_size: 0,
        page_token: String::new(),
        ..request.clone()
    };
    Scope::new("ListDueErasures", &[&question.encode_to_vec()])
}

fn read_classes(
    fields: &mut Fields,
    classes: Vec<proto::RetentionClass>,
) -> Option<Vec<RetentionClass>> {
    if classes.is_empty() {
        return fields.missing("classes");
    }
    fields.at_most("classes", classes.len(), RetentionClass::MOST)?;
    let mut names = BTreeSet::new();
    fields.list("classes", classes, |fields, class| {
        let class = read_class(fields, class)?;
        if !names.insert(class.name.clone()) {
            let description = "is the name of an earlier class";
            fields.violate("name", ViolationReason::Duplicate, description);
            return None;
        }
        Some(class)
    })
}

fn read_class(fields: &mut Fields, class: proto::RetentionClass) -> Option<RetentionClass> {
    let name = fields.text("name", &class.name);
    let start = fields.choice("start", class.start);
    let keep = read_keep(fields, &class.keep);
    let basis = fields.text("basis", &class.basis);
    let institutions = read_ids(fields, "institution_ids", &class.institution_ids);
    let most = RetentionClass::MOST_HOLDS;
    let holds = fields
        .at_most("holds", class.holds.len(), most)
        .and_then(|()| fields.list("holds", class.holds, read_hold));
    Some(RetentionClass {
        name: name?,
        start: start?,
        keep: keep?,
        basis: basis?,
        institutions: institutions?,
        holds: holds?,
    })
}

/// Reads how long something is kept.
pub(super) fn read_keep(fields: &mut Fields, keep: &str) -> Option<Keep> {
    if keep.is_empty() {
        return fields.missing("keep");
    }
    let read = keep.parse();
    read.map_err(|error: planledger_core::retention::KeepError| {
        fields.violate("keep", ViolationReason::OutOfRange, error.to_string());
    })
    .ok()
}

fn read_hold(fields: &mut Fields, hold: proto::RetentionHold) -> Option<Hold> {
    let why = fields.text("why", &hold.why);
    let students = read_ids(fields, "student_ids", &hold.student_ids);
    let institutions = read_ids(fields, "institution_ids", &hold.institution_ids);
    let school_years = read_ids(fields, "school_year_ids", &hold.school_year_ids);
    let until = fields.optional_date("until", hold.until.as_deref());
    Some(Hold {
        why: why?,
        students: students?,
        institutions: institutions?,
        school_years: school_years?,
        until: until?,
    })
}

fn read_ids<T: FromStr<Err = IdError> + Ord>(
    fields: &mut Fields,
    name: &str,
    ids: &[String],
) -> Option<BTreeSet<T>> {
    fields.at_most(name, ids.len(), RetentionClass::MOST_ITEMS)?;
    fields.ids(name, ids)
}

/// Writes somebody who is due.
pub fn due_erasure(
    person: PersonId,
    class: &RetentionClass,
    due: &Due,
    standing: Standing,
    affected: Affected,
) -> proto::DueErasure {
    proto::DueErasure {
        person_id: person.to_string(),
        class_name: class.name.to_string(),
        counted_from: due.from.to_string(),
        kept_until: due.until.to_string(),
        due_since: due.since.to_string(),
        basis: class.basis.to_string(),
        reason: class.reason(due),
        standing: standing.number(),
        event_count: affected.events,
        plan_count: affected.plans,
    }
}

/// Writes how many are not due, by reason.
pub fn not_due(counts: &BTreeMap<NotDue, u64>) -> Vec<proto::NotDueCount> {
    let counts = counts.iter().map(|(reason, count)| proto::NotDueCount {
        reason: reason.number(),
        count: *count,
    });
    counts.collect()
}

/// Reads retention classes from the TOML text of a file.
///
/// # Errors
/// A text for people that says what is wrong with the classes.
pub fn retention_classes_of_toml(text: &str) -> Result<Vec<proto::RetentionClass>, String> {
    let file: ClassesFile = toml::from_str(text).map_err(|error| error.to_string())?;
    let classes: Vec<_> = file.class.into_iter().map(ClassOfFile::message).collect();
    let request = proto::ListDueErasuresRequest {
        classes: classes.clone(),
        ..proto::ListDueErasuresRequest::default()
    };
    match list_due_erasures(request) {
        Ok(_) => Ok(classes),
        Err(failure) => {
            let wrong = failure.violations.iter();
            let wrong = wrong.map(|wrong| format!("{} {}", wrong.field, wrong.description));
            Err(wrong.collect::<Vec<_>>().join("; "))
        }
    }
}

/// A file of classes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassesFile {
    #[serde(default)]
    class: Vec<ClassOfFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ClassOfFile {
    name: String,
    from: StartOfFile,
    keep: String,
    basis: String,
    #[serde(default)]
    institutions: Vec<String>,
    #[serde(default)]
    hold: Vec<HoldOfFile>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StartOfFile {
    Departure,
    LastSchoolYear,
    Later,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct HoldOfFile {
    why: String,
    #[serde(default)]
    students: Vec<String>,
    #[serde(default)]
    institutions: Vec<String>,
    #[serde(default)]
    school_years: Vec<String>,
    until: Option<String>,
}

impl ClassOfFile {
    fn message(self) -> proto::RetentionClass {
        let start = match self.from {
            StartOfFile::Departure => proto::RetentionStart::Departure,
            StartOfFile::LastSchoolYear => proto::RetentionStart::LastSchoolYear,
            StartOfFile::Later => proto::RetentionStart::Later,
        };
        let holds = self.hold.into_iter().map(|hold| proto::RetentionHold {
            why: hold.why,
            student_ids: hold.students,
            institution_ids: hold.institutions,
            school_year_ids: hold.school_years,
            until: hold.until,
        });
        proto::RetentionClass {
            name: self.name,
            start: start.into(),
            keep: self.keep,
            basis: self.basis,
            institution_ids: self.institutions,
            holds: holds.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../samples/retention-example.toml");

    /// Every line of the example that is commented out is TOML, too.
    #[test]
    fn the_example_is_inactive_and_becomes_classes_when_its_marks_are_removed() {
        assert!(retention_classes_of_toml(EXAMPLE).is_err());
        let lines = EXAMPLE
            .lines()
            .map(|line| line.strip_prefix("#| ").unwrap_or(line));
        let active: Vec<_> = lines.collect();
        let classes = retention_classes_of_toml(&active.join("\n")).unwrap();
        assert_eq!(classes.len(), 1);
        assert!(!classes[0].holds.is_empty());
    }

    #[test]
    fn a_file_says_what_is_wrong_with_it() {
        let class = "[[class]]\nname = \"Planer\"\nfrom = \"later\"\nbasis = \"Afgørelse\"\n";
        for (text, said) in [
            ("", "classes"),
            ("klasse = 1", "klasse"),
            (class, "keep"),
            (&format!("{class}keep = \"for ever\"\n"), "classes[0].keep"),
            (&format!("{class}keep = \"5y\"\nholds = []\n"), "holds"),
            (
                &format!("{class}keep = \"5y\"\n{class}keep = \"6y\"\n"),
                "classes[1].name",
            ),
            (
                &format!("{class}keep = \"5y\"\ninstitutions = [\"skolen\"]\n"),
                "classes[0].institution_ids[0]",
            ),
            (
                &format!(
                    "{class}keep = \"5y\"\n[[class.hold]]\nwhy = \"Arkiv\"\nuntil = \"2031\"\n"
                ),
                "classes[0].holds[0].until",
            ),
        ] {
            let error = retention_classes_of_toml(text).unwrap_err();
            assert!(error.contains(said), "{said} in {error}");
        }
    }
}
