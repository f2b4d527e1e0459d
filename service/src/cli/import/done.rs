//! Prints what an import did.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::fact;
use super::missing::Missing;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::upload::{LISTED, Line, Listing, Source, StatedFact, Uploaded};
use crate::wire::proto::{CommandError, RosterFact};

/// What an import knows from before it wrote anything.
#[derive(Default)]
pub(super) struct Before<'a> {
    /// Who and what is not in the export; `None` for what is no roster.
    missing: Option<&'a Missing>,
    /// The links that would end, with the names that the files give.
    ending: HashMap<Key<'a>, &'a Line>,
    /// Who would leave or be back, and what would close or open again.
    turning: Option<&'a Listing>,
    /// What of the files the import does not use, as JSON.
    passed_over: Value,
}

/// A link: the id of the team or person that has it, and what it says.
type Key<'a> = (&'a str, i32, Option<&'a str>, Option<&'a str>, Option<i32>);

fn key<'a>(id: &'a str, fact: &'a RosterFact) -> Key<'a> {
    let person = fact.person_id.as_deref();
    (
        id,
        fact.kind,
        person,
        fact.institution_id.as_deref(),
        fact.role,
    )
}

impl<'a> Before<'a> {
    pub(super) fn new(missing: &'a Missing, ending: &'a Listing, turning: &'a Listing) -> Self {
        let lines = ending.lines.iter();
        let ending = lines.filter_map(|line| {
            let fact = line.fact.as_ref()?;
            Some((key(&line.subject.id, fact), line))
        });
        Self {
            missing: Some(missing),
            ending: ending.collect(),
            turning: Some(turning),
            passed_over: Value::Null,
        }
    }

    /// Adds what of the files the import does not use, as JSON.
    pub(super) fn passing_over(self, passed_over: Value) -> Self {
        Self {
            passed_over,
            ..self
        }
    }

    /// What the files call the team or child of a link that has ended, and the person whom it names.
    fn names(&self, link: &StatedFact) -> (Option<&'a str>, Option<&'a str>) {
        let id = link.stream.split_once('/').map_or("", |(_, id)| id);
        let line = self.ending.get(&key(id, &link.fact)).copied();
        line.map_or((None, None), |line| {
            (line.subject.name.as_deref(), line.of.as_deref())
        })
    }

    /// Who has left or is back, and what is closed or open again, because the files say so.
    fn turned_json(&self) -> Option<Value> {
        let turning = self.turning?;
        let first = turning.lines.iter().map(|line| {
            let (subject, what) = (&line.subject, &line.what);
            json!({
                "source": subject.source,
                "kind": subject.kind.word(),
                "id": subject.id,
                "name": subject.name,
                "what": what,
            })
        });
        Some(json!({ "count": turning.count, "first": first.collect::<Value>() }))
    }

    /// The same in words.
    fn note_turned(&self, what: &str) {
        let Some(turning) = self.turning.filter(|turning| turning.count > 0) else {
            return;
        };
        let count = turning.count;
        output::note(format!(
            "{count} persons, classes or institutions have left or are back, are closed or open \
             again, because the {what} says so:"
        ));
        for Line { subject, what, .. } in turning.lines.iter().take(LISTED) {
            let (source, id) = (&subject.source, &subject.id);
            let called = subject.name.as_deref().unwrap_or("-");
            output::note(format!("  {source}: {id}  {called} {what}"));
        }
        note_more(count);
    }

    /// The names in words: " (4.y dansk, Esther Bøg)". Empty if the files give none.
    fn called(&self, link: &StatedFact) -> String {
        let (name, person_name) = self.names(link);
        let names: Vec<_> = [name, person_name].into_iter().flatten().collect();
        match names.is_empty() {
            true => String::new(),
            false => format!(" ({})", names.join(", ")),
        }
    }
}

/// Prints the result of an import. The import fails if the server refused any command.
pub(super) fn report(
    uploaded: &Uploaded,
    before: &Before<'_>,
    what: &str,
    json: bool,
) -> Result<(), CliError> {
    if json {
        let kept = uploaded.kept_facts.iter().map(as_json);
        let dropped = uploaded.dropped_facts.iter();
        let dropped = dropped.map(|link| {
            let (name, person_name) = before.names(link);
            let mut shown = as_json(link);
            if let Some(shown) = shown.as_object_mut() {
                shown.insert("name".to_owned(), name.into());
                shown.insert("person_name".to_owned(), person_name.into());
            }
            shown
        });
        let shown = json!({
            "commands": uploaded.answered(),
            "recorded": uploaded.recorded,
            "unchanged": uploaded.unchanged,
            "refused": uploaded.refused,
            "refused_commands": uploaded.refusals.iter().map(refusal).collect::<Value>(),
            "whole": before.missing.map(|_| uploaded.refused == 0),
            "kept": uploaded.kept,
            "kept_facts": kept.collect::<Value>(),
            "dropped": uploaded.dropped,
            "dropped_links": dropped.collect::<Value>(),
            "left": before.turned_json(),
            "passed_over": before.passed_over,
            "suggested": before.missing.map(Missing::json),
            "events": uploaded.events,
            "position": uploaded.position,
        });
        output::value(&shown);
    } else if uploaded.recorded == 0 && uploaded.refused == 0 {
        output::line(format!(
            "nothing changed: the ledger holds this {what} already, at position {}",
            uploaded.position
        ));
    } else {
        output::line(format!(
            "{} of {} changed something: {} events, up to position {}",
            uploaded.recorded,
            uploaded.answered(),
            uploaded.events,
            uploaded.position
        ));
    }
    if let Some(missing) = before.missing {
        missing.note();
    }
    before.note_turned(what);
    if uploaded.dropped > 0 {
        let dropped = uploaded.dropped;
        output::note(format!(
            "{dropped} links ended, because the {what} no longer names them:"
        ));
        list(&uploaded.dropped_facts, dropped, |link| {
            let ends = fact::ends(&link.fact, &fact::person(&link.fact));
            format!("{ends}{}", before.called(link))
        });
    }
    if uploaded.kept > 0 {
        output::note(format!(
            "{} things stay as a person decided them, although the {what} says otherwise:",
            uploaded.kept
        ));
        list(&uploaded.kept_facts, uploaded.kept, |kept| {
            fact::stays(&kept.fact)
        });
    }
    for (source, error) in uploaded.refusals.iter().take(LISTED) {
        output::note(format!("{source}: {}: {}", error.reason, error.message));
        for violation in &error.field_violations {
            output::note(format!("  {}: {}", violation.field, violation.description));
        }
    }
    note_more(uploaded.refused);
    match (uploaded.refused, before.missing) {
        (0, _) => Ok(()),
        (refused, None) => Err(CliError::Refused(format!(
            "{refused} commands were refused"
        ))),
        (refused, Some(_)) => Err(CliError::Refused(format!(
            "{refused} commands were refused; everything else is written, but the {what} does not count \
             as imported: until an import of it counts, nobody is noted as missing from a first one, \
             and days on which somebody was last seen are those of the import before; correct what was \
             refused, and import again"
        ))),
    }
}

fn list(facts: &[StatedFact], all: u64, words: impl Fn(&StatedFact) -> String) {
    for fact in facts.iter().take(LISTED) {
        let (source, stream) = (&fact.source, &fact.stream);
        output::note(format!("  {source}: {stream}: {}", words(fact)));
    }
    note_more(all);
}

fn note_more(all: u64) {
    if let Some(more) = all.checked_sub(LISTED as u64).filter(|more| *more > 0) {
        output::note(format!("  and {more} more"));
    }
}

fn refusal((source, error): &(Source, CommandError)) -> Value {
    let violations = error.field_violations.iter();
    let violations = violations
        .map(|violation| json!({ "field": violation.field, "description": violation.description }));
    json!({
        "source": source,
        "reason": error.reason,
        "message": error.message,
        "violations": violations.collect::<Value>(),
    })
}

fn as_json(stated: &StatedFact) -> Value {
    json!({
        "source": stated.source,
        "stream": stated.stream,
        "fact": fact::code(&stated.fact),
        "person_id": stated.fact.person_id,
        "institution_id": stated.fact.institution_id,
    })
}
