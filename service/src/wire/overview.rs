//! Requests for overviews, and their answers.

use std::collections::BTreeSet;

use jiff::civil::Date;
use planledger_core::ids::{InstitutionId, SchoolYearId};
use planledger_core::overview::{By, Column, DueRule, DueRules, Row, RuleFault, Shown, Subjects};

use super::choice::Choice;
use super::errors::Failure;
use super::fields::{Fields, ViolationReason};
use super::page::{Page, Scope, read_size};
use super::proto;

/// Most months that a request may count back for untouched plans.
const MOST_MONTHS: u32 = 120;
/// The allowed thresholds for masking. Below 3, a masked count could only be 1, so masking would
/// hide nothing.
const THRESHOLDS: std::ops::RangeInclusive<u32> = 3..=100;

/// A request for an overview, before anything is looked up.
#[derive(Clone, Debug)]
pub struct OverviewAsk {
    /// The institutions to count; all institutions if the list is empty.
    pub institutions: Vec<InstitutionId>,
    /// The school year of the plans; the school year of the day if `None`.
    pub school_year: Option<SchoolYearId>,
    /// What each row stands for.
    pub by: By,
    /// The plans are counted as they were at the end of this day. `None` if the request names no
    /// day.
    pub as_of: Option<Date>,
    /// Also count plans that nobody has worked on for this many months. `None` does not count them.
    pub untouched_months: Option<u32>,
    /// The rules that say what is due. `None` counts nothing that is missing.
    pub rules: Option<DueRules>,
    /// Mask counts below this number; 0 masks nothing.
    pub mask_below: u32,
    /// The requested page. The cursor is the number of rows before it.
    pub page: Page<u64>,
}

/// Reads the request of `GetOverview`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn get_overview(request: proto::GetOverviewRequest) -> Result<OverviewAsk, Failure> {
    let scope = scope(&request);
    let token = request.page_token.clone();
    let (ask, size) = Fields::read(|fields| {
        let institutions = fields.ids("institution_ids", &request.institution_ids);
        let school_year = fields.optional_id("school_year_id", request.school_year_id.as_deref());
        let by = match request.by {
            0 => Some(By::Institution),
            by => fields.choice("by", by),
        };
        let as_of = fields.optional_date("as_of", request.as_of.as_deref());
        let untouched = request.untouched_months;
        if untouched > MOST_MONTHS {
            let reason = ViolationReason::OutOfRange;
            fields.violate("untouched_months", reason, "must be from 0 to 120");
        }
        let mask_below = request.mask_below;
        if mask_below != 0 && !THRESHOLDS.contains(&mask_below) {
            let reason = ViolationReason::OutOfRange;
            fields.violate("mask_below", reason, "must be 0, or from 3 to 100");
        }
        let rules = fields.optional(request.due_rules, |fields, rules| {
            fields.within("due_rules", |fields| read_rules(fields, rules))
        });
        let size = read_size(fields, request.page_size);
        let _: BTreeSet<InstitutionId> = institutions?;
        // Keep the order of the request, because errors name institutions by their place in it.
        // Every id was just read without an error.
        let named = request.institution_ids.iter();
        let institutions: Vec<InstitutionId> = named.filter_map(|id| id.parse().ok()).collect();
        let ask = (
            institutions,
            school_year?,
            by?,
            as_of?,
            untouched,
            rules?,
            mask_below,
        );
        Some((ask, size?))
    })?;
    let (institutions, school_year, by, as_of, untouched, rules, mask_below) = ask;
    Ok(OverviewAsk {
        institutions,
        school_year,
        by,
        as_of,
        untouched_months: Some(untouched).filter(|months| *months > 0),
        rules,
        mask_below,
        page: Page::new(scope, size, &token)?,
    })
}

/// The scope of a page token: the whole request except the minimum position and the page size.
fn scope(request: &proto::GetOverviewRequest) -> Scope {
    use prost::Message as _;
    let question = proto::GetOverviewRequest {
        min_position: 0,
        page_size: 0,
        page_token: String::new(),
        ..request.clone()
    };
    Scope::new("GetOverview", &[&question.encode_to_vec()])
}

/// Reads due rules from the JSON text of a file.
///
/// # Errors
/// A text for people that says what is wrong with the rules.
pub fn due_rules_of_json(text: &str) -> Result<proto::DueRules, String> {
    let rules: DueRules = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let faults: Vec<_> = rules.faults().iter().map(ToString::to_string).collect();
    match faults.is_empty() {
        true => Ok(write_rules(&rules)),
        false => Err(faults.join("; ")),
    }
}

fn write_rules(rules: &DueRules) -> proto::DueRules {
    let each = rules.rules.iter().map(|rule| proto::DueRule {
        title: rule.title.to_string(),
        grades: rule.grades.iter().flatten().cloned().collect(),
        subjects: match &rule.subjects {
            Subjects::Any => Vec::new(),
            Subjects::Each(subjects) => subjects.iter().map(ToString::to_string).collect(),
        },
        requires: rule.requires.number(),
        due_from_day: rule.due_from_day.into(),
    });
    proto::DueRules {
        title: rules.title.to_string(),
        source: rules.source.to_string(),
        description: rules.description.as_ref().map(ToString::to_string),
        rules: each.collect(),
    }
}

fn read_rules(fields: &mut Fields, rules: proto::DueRules) -> Option<DueRules> {
    let title = fields.text("title", &rules.title);
    let source = fields.text("source", &rules.source);
    let description = fields.optional_text("description", rules.description.as_deref());
    let rules = fields.list("rules", rules.rules, read_rule);
    let rules = DueRules {
        title: title?,
        source: source?,
        description: description?,
        rules: rules?,
    };
    for fault in rules.faults() {
        let reason = match fault.fault {
            RuleFault::Empty => ViolationReason::Empty,
            RuleFault::OutOfRange => ViolationReason::OutOfRange,
            RuleFault::Duplicate => ViolationReason::Duplicate,
        };
        fields.violate(&fault.field, reason, fault.description);
    }
    Some(rules)
}

fn read_rule(fields: &mut Fields, rule: proto::DueRule) -> Option<DueRule> {
    let title = fields.text("title", &rule.title);
    let grades = fields.set("grades", rule.grades, |fields, grade: String| {
        fields
            .text("", &grade)
            .map(|grade: planledger_core::text::Code| grade.to_string())
    });
    let subjects = fields.set("subjects", rule.subjects, |fields, subject: String| {
        fields.text("", &subject)
    });
    let requires = fields.choice("requires", rule.requires);
    let day = rule.due_from_day.max(1);
    let due_from_day = u16::try_from(day).unwrap_or(u16::MAX);
    let subjects = match subjects? {
        none if none.is_empty() => Subjects::Any,
        subjects => Subjects::Each(subjects),
    };
    Some(DueRule {
        title: title?,
        grades: grades.map(|grades| Some(grades).filter(|grades| !grades.is_empty()))?,
        subjects,
        requires: requires?,
        due_from_day,
    })
}

/// Writes the message of a row, without names.
pub fn overview_row(
    row: &Row,
    columns: &[Column],
    shown: &[Shown],
    mask_below: u32,
) -> proto::OverviewRow {
    let mut message = proto::OverviewRow {
        institution_id: row.key.institution.map(|id| id.to_string()),
        grade: row.key.grade.clone(),
        team_id: row.key.team.map(|id| id.to_string()),
        ..proto::OverviewRow::default()
    };
    for (column, shown) in columns.iter().zip(shown) {
        let count = Some(count(*shown, mask_below));
        match column {
            Column::Students => message.students = count,
            Column::WithPlan => message.with_plan = count,
            Column::Visible => message.visible_to_guardians = count,
            Column::Evaluated => message.evaluated = count,
            Column::WithTalk => message.with_talk = count,
            Column::Plans => message.plans = count,
            Column::Ownerless => message.ownerless = count,
            Column::Untouched => message.untouched = count,
            Column::Talks(kind) => message.talks.push(proto::OverviewTalks {
                kind: kind.number(),
                count,
            }),
            Column::Due(due) => message.due.push(proto::OverviewDue {
                rule: super::scalar::count(due.rule),
                subject: super::scalar::string(due.subject.as_ref()),
                due: count,
                missing: None,
            }),
            Column::Met(_) => {}
            // This column follows the column with the number of students whom the rule is about.
            Column::Missing(_) => {
                if let Some(due) = message.due.last_mut() {
                    due.missing = count;
                }
            }
        }
    }
    message
}

fn count(shown: Shown, mask_below: u32) -> proto::OverviewCount {
    use proto::overview_count::Count;
    let count = match shown {
        Shown::Exact(count) => Count::Exact(count),
        Shown::Small => Count::Below(mask_below),
        Shown::Withheld => Count::Withheld(true),
    };
    proto::OverviewCount { count: Some(count) }
}
