//! Prints what an import would do.

use serde_json::{Map, Value, json};

use super::fact;
use super::missing::Missing;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::upload::{Foresight, Halt, Kind, LISTED, Line, Listing, Share};

/// What an import would do, and why it would stop.
pub(super) struct Seen {
    pub(super) foresight: Foresight,
    /// Who and what is not in the export, although an earlier one had it.
    pub(super) missing: Option<Missing>,
    /// What the import does not use of the files.
    pub(super) passed_over: u64,
    pub(super) halts: Vec<Halt>,
}

impl Seen {
    /// Prints it. Names are those of the operator's own files.
    pub(super) fn show(&self, json: bool) {
        match json {
            true => output::value(&self.json()),
            false => self.tables(),
        }
    }

    /// Prints it, in JSON together with what else is known.
    pub(super) fn show_with<const N: usize>(
        &self,
        json: bool,
        more: impl FnOnce() -> [(&'static str, Value); N],
    ) {
        match json {
            true => {
                let mut shown = self.json();
                if let Some(shown) = shown.as_object_mut() {
                    let more = more().into_iter();
                    shown.extend(more.map(|(name, value)| (name.to_owned(), value)));
                }
                output::value(&shown);
            }
            false => self.tables(),
        }
    }

    /// Fails if the import stops, or would.
    pub(super) fn verdict(&self) -> Result<(), CliError> {
        let mut reasons: Vec<_> = self
            .halts
            .iter()
            .map(|halt| format!("{}: {halt}", halt.code.code()))
            .collect();
        if self.foresight.refused.count > 0 && self.halts.is_empty() {
            let refused = self.foresight.refused.count;
            reasons.push(format!("{refused} commands would be refused"));
        }
        match reasons.is_empty() {
            true => Ok(()),
            false => {
                reasons.push("nothing was written".to_owned());
                Err(CliError::Refused(reasons.join("\n")))
            }
        }
    }

    fn listings(&self) -> [(&'static str, &'static str, &Listing); 6] {
        let foresight = &self.foresight;
        [
            ("added", "would be added", &foresight.added),
            ("changed", "would change", &foresight.changed),
            (
                "left",
                "would have left or be back, be closed or open again",
                &foresight.turned,
            ),
            ("dropped", "links would end", &foresight.dropped),
            ("kept", "would stay as a person decided", &foresight.kept),
            ("refused", "would be refused", &foresight.refused),
        ]
    }

    fn tables(&self) {
        let mut rows = vec![
            ["", "added", "changed", "unchanged"]
                .map(str::to_owned)
                .to_vec(),
        ];
        for kind in Kind::ALL {
            if let Some(counts) = self.foresight.counts.get(&kind) {
                let mut row = vec![kind.shown()];
                let numbers = [counts.added, counts.changed, counts.unchanged];
                row.extend(numbers.map(|number| number.to_string()));
                rows.push(row);
            }
        }
        output::line("");
        output::table(&rows);
        for (_, title, listing) in self.listings() {
            if listing.count == 0 {
                continue;
            }
            output::heading(&format!("{}: {title}", listing.count));
            let lines = listing.lines.iter().take(LISTED);
            output::table(&lines.map(row).collect::<Vec<_>>());
            if let Some(more) = listing
                .count
                .checked_sub(LISTED as u64)
                .filter(|more| *more > 0)
            {
                output::line(format!("and {more} more"));
            }
        }
        if let Some(missing) = &self.missing {
            missing.show(output::line);
        }
    }

    fn json(&self) -> Value {
        let foresight = &self.foresight;
        let mut shown = Map::new();
        shown.insert("written".to_owned(), false.into());
        let counts = foresight.counts.iter().map(|(kind, counts)| {
            let counts = json!({
                "added": counts.added,
                "changed": counts.changed,
                "unchanged": counts.unchanged,
            });
            (kind.word().to_owned(), counts)
        });
        shown.insert("counts".to_owned(), Value::Object(counts.collect()));
        for (name, _, listing) in self.listings() {
            let first: Vec<_> = listing.lines.iter().map(as_json).collect();
            let listing = json!({ "count": listing.count, "first": first });
            shown.insert(name.to_owned(), listing);
        }
        let suggested = self.missing.as_ref().map(Missing::json);
        shown.insert("suggested".to_owned(), suggested.unwrap_or_default());
        let passed_over = json!({ "count": self.passed_over });
        shown.insert("passed_over".to_owned(), passed_over);
        let share = |share: Share| json!({ "ending": share.ending, "of": share.of });
        let ending = json!({
            "persons": share(foresight.persons),
            "classes": share(foresight.classes),
            "enrolments": share(foresight.enrolments),
            "guardianships": share(foresight.guardianships),
            "roles": share(foresight.roles),
        });
        shown.insert("ending".to_owned(), ending);
        let names = json!({ "changing": foresight.names.ending, "of": foresight.names.of });
        shown.insert("names".to_owned(), names);
        let stops = self.halts.iter().map(|halt| {
            json!({
                "code": halt.code.code(),
                "kind": halt.kind,
                "ending": halt.share.ending,
                "of": halt.share.of,
                "text": halt.to_string(),
            })
        });
        shown.insert("stops".to_owned(), stops.collect());
        Value::Object(shown)
    }
}

/// The place in the files, the thing, and what would happen.
fn row(line: &Line) -> Vec<String> {
    let subject = &line.subject;
    let called = subject.name.clone().unwrap_or_else(|| subject.id.clone());
    vec![
        subject.source.clone(),
        subject.kind.shown(),
        called,
        what(line),
    ]
}

fn what(line: &Line) -> String {
    match &line.fact {
        Some(stated) if line.stays => fact::stays(stated),
        Some(stated) => {
            let person = line.of.clone().unwrap_or_else(|| fact::person(stated));
            fact::ends(stated, &person)
        }
        None => line.what.clone(),
    }
}

fn as_json(line: &Line) -> Value {
    let subject = &line.subject;
    let stated = line.fact.as_ref();
    json!({
        "source": subject.source,
        "kind": subject.kind.word(),
        "id": subject.id,
        "name": subject.name,
        "fact": stated.map(fact::code),
        "person_id": stated.and_then(|stated| stated.person_id.as_deref()),
        "person_name": line.of,
        "institution_id": stated.and_then(|stated| stated.institution_id.as_deref()),
        "what": what(line),
    })
}
