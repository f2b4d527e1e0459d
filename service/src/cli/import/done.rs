//! Prints what an import did.

use super::fact;
use super::missing::Missing;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::upload::{StatedFact, Uploaded};

/// Prints the result of an import. The import fails if the server refused any command.
pub(super) fn report(
    uploaded: &Uploaded,
    missing: Option<&Missing>,
    what: &str,
    json: bool,
) -> Result<(), CliError> {
    if json {
        let stated = |facts: &[StatedFact]| -> Vec<_> {
            let facts = facts.iter();
            facts.map(as_json).collect()
        };
        output::line(serde_json::json!({
            "commands": uploaded.answered(),
            "recorded": uploaded.recorded,
            "unchanged": uploaded.unchanged,
            "refused": uploaded.refused,
            "kept": uploaded.kept,
            "kept_facts": stated(&uploaded.kept_facts),
            "dropped": uploaded.dropped,
            "dropped_links": stated(&uploaded.dropped_facts),
            "suggested": missing.map(Missing::json),
            "events": uploaded.events,
            "position": uploaded.position,
        }));
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
    if let Some(missing) = missing {
        missing.note();
    }
    if uploaded.dropped > 0 {
        let dropped = uploaded.dropped;
        output::note(format!(
            "{dropped} links ended, because the {what} no longer names them:"
        ));
        list(&uploaded.dropped_facts, dropped, |link| {
            fact::ends(&link.fact, &fact::person(&link.fact))
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
    for (source, error) in &uploaded.refusals {
        output::note(format!("{source}: {}: {}", error.reason, error.message));
        for violation in &error.field_violations {
            output::note(format!("  {}: {}", violation.field, violation.description));
        }
    }
    match uploaded.refused {
        0 => Ok(()),
        refused => Err(CliError::Refused(format!(
            "{refused} commands were refused"
        ))),
    }
}

fn list(facts: &[StatedFact], all: u64, words: impl Fn(&StatedFact) -> String) {
    for fact in facts {
        let (source, stream) = (&fact.source, &fact.stream);
        output::note(format!("  {source}: {stream}: {}", words(fact)));
    }
    let more = all - facts.len() as u64;
    if more > 0 {
        output::note(format!("  and {more} more"));
    }
}

fn as_json(stated: &StatedFact) -> serde_json::Value {
    serde_json::json!({
        "source": stated.source,
        "stream": stated.stream,
        "fact": fact::code(&stated.fact),
        "person_id": stated.fact.person_id,
        "institution_id": stated.fact.institution_id,
    })
}
