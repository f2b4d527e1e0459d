//! The sentences that say what a sound file of evidence proves, on whose word that rests, and what it does
//! not prove. Names that stand in the file or in a policy are shown as foreign text.

use planledger_core::audit::{
    Disclosure, Gone, HeadsChecked, ProvedAct, Report, Scope, VerifyOptions,
};
use planledger_core::time::Timestamp;
use serde_json::{Value, json as value};

use super::super::{output, shown};

/// The most characters of a name or key.
const MOST_NAME: usize = 200;

/// The report as JSON.
pub(super) fn json(report: &Report, options: &VerifyOptions) -> Value {
    let streams = report.streams.iter().map(|found| {
        value!({
            "stream": found.stream.to_string(),
            "events": found.events,
            "revision": found.revision.get(),
            "completeThrough": found.complete_through.map(|through| through.get()),
        })
    });
    let acts = report.acts.iter().map(|act| {
        value!({
            "act": act.act.to_string(),
            "kind": kind(act.gone),
            "requestedBy": act.requested.by.to_string(),
            "approvedBy": act.approved.by.to_string(),
            "carriedOut": act.carried_out.get(),
            "texts": act.texts,
        })
    });
    let names = |of: &[(String, u64)]| of.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    value!({
        "sound": true,
        "ledger": report.ledger.to_string(),
        "origin": report.checkpoint.origin,
        "size": report.checkpoint.size,
        "key": report.witnessed.log.to_string(),
        "witnesses": names(&report.witnessed.witnesses),
        "monitors": names(&report.witnessed.monitors),
        "asOf": report.as_of.to_string(),
        "since": report.since,
        "events": report.events,
        "opened": report.opened,
        "redacted": report.redacted,
        "erased": report.erased,
        "acts": acts.collect::<Vec<_>>(),
        "streams": streams.collect::<Vec<_>>(),
        "heads": heads(report),
        "notProved": limits(report, options),
    })
}

fn heads(report: &Report) -> Value {
    let (checked, records, unread) = match report.heads {
        HeadsChecked::Believed => ("believed", 1, 0),
        HeadsChecked::Recomputed { records, unread } => ("recomputed", records, unread),
        HeadsChecked::InOrder { records, unread } => ("inOrder", records, unread),
    };
    value!({
        "through": report.heads_through.get(),
        "checked": checked,
        "records": records,
        "unread": unread,
    })
}

fn kind(gone: Gone) -> &'static str {
    match gone {
        Gone::Redacted => "redaction",
        Gone::Erased => "erasure",
    }
}

fn instant(at: Timestamp) -> String {
    output::instant(Some(&crate::wire::timestamp(at)))
}

fn instant_of(seconds: u64) -> String {
    instant(Timestamp::from_nanos(seconds.saturating_mul(1_000_000_000)))
}

fn name(text: &str) -> String {
    shown::foreign(text, MOST_NAME)
}

/// The sentences that say what a report proves.
pub(super) fn proofs(report: &Report, options: &VerifyOptions) -> Vec<String> {
    let checkpoint = &report.checkpoint;
    let mut proved = vec![format!(
        "{} signed a checkpoint of {} events of ledger {}",
        name(&report.witnessed.log.to_string()),
        checkpoint.size,
        report.ledger
    )];
    if !options.policy.logs().contains(&report.witnessed.log) {
        proved.push(
            "the key that you gave handed over to this key: compare it with the key that is \
            published now"
                .to_owned(),
        );
    }
    if let Some(since) = report.since {
        proved.push(format!(
            "the log grew from your checkpoint of {since} events: no event up to it was changed, \
            removed, added or moved since"
        ));
    }
    for (witness, time) in &report.witnessed.witnesses {
        proved.push(format!(
            "witness {} saw the same log, {}",
            name(witness),
            instant_of(*time)
        ));
    }
    for (monitor, time) in &report.witnessed.monitors {
        proved.push(format!(
            "monitor {} followed the same log from its first event on and recomputed where every \
            stream ended, {}",
            name(monitor),
            instant_of(*time)
        ));
    }
    let what = match report.scope {
        Scope::Plan(plan) => format!("of plan {plan}"),
        Scope::Student(student) => format!("of student {student}"),
        Scope::Range { from, to } => format!("at positions {from} to {to}"),
    };
    proved.push(format!(
        "that checkpoint covers {} events {what}: unchanged, in order, and each linked to the \
        event before it",
        report.events
    ));
    proved.push(format!(
        "the last event of the checkpoint was recorded {}, by the server's clock",
        instant(report.as_of)
    ));
    if let Some((first, last)) = report.recorded {
        let (first, last) = (instant(first), instant(last));
        proved.push(format!(
            "they were recorded from {first} to {last}, by the server's clock"
        ));
    }
    proved.extend(complete(report));
    if report.disclosure == Disclosure::Events {
        proved.push(format!(
            "{} texts are the original ones, and nobody can show other texts in their place",
            report.opened
        ));
    }
    proved.extend(report.acts.iter().map(act));
    proved
}

/// What is complete, and on whose word.
fn complete(report: &Report) -> Vec<String> {
    let mut proved = Vec::new();
    let word = on_whose_word(report);
    for stream in &report.streams {
        if let Some(through) = stream.complete_through {
            proved.push(format!(
                "{} is complete up to position {through}: {} events, and none is missing, {word}",
                stream.stream, stream.events
            ));
        }
    }
    if matches!(report.scope, Scope::Student(_)) {
        proved.push(format!(
            "up to that position, there is no other plan under the student's key, {word}"
        ));
    }
    match (report.heads, report.scope) {
        (HeadsChecked::Recomputed { records, .. }, Scope::Range { to, .. }) => {
            proved.push(format!(
                "every stream is complete up to position {to}, and none has two events at one \
                revision: this check recomputed it from all events of the log"
            ));
            proved.push(format!(
                "{records} records of where all streams ended agree with that"
            ));
        }
        (HeadsChecked::InOrder { records, .. }, _) if records > 0 => proved.push(format!(
            "{records} records of where all streams ended stand in order"
        )),
        _ => {}
    }
    proved
}

/// Who says that nothing was left off.
fn on_whose_word(report: &Report) -> String {
    let monitors = report.witnessed.monitors.iter();
    let monitors: Vec<_> = monitors
        .map(|(monitor, time)| format!("monitor {} on {}", name(monitor), instant_of(*time)))
        .collect();
    match monitors.is_empty() {
        true => "as the server recorded it; nobody independent has recomputed it".to_owned(),
        false => format!("as recomputed by {}", monitors.join(" and ")),
    }
}

/// An act that took texts, and who decided it.
fn act(act: &ProvedAct) -> String {
    let (asked, approved) = (instant(act.requested.at), instant(act.approved.at));
    let done = |done: &planledger_core::domain::erasure::Done| match done.on_behalf_of {
        Some(principal) => format!("{} for {principal}", done.by),
        None => done.by.to_string(),
    };
    format!(
        "{} texts were taken by the {} {}: {} asked for it {asked}, {} approved it {approved}, and it was \
        carried out by position {}",
        act.texts,
        kind(act.gone),
        act.act,
        done(&act.requested),
        done(&act.approved),
        act.carried_out
    )
}

/// The sentences that say what a report does not prove.
pub(super) fn limits(report: &Report, options: &VerifyOptions) -> Vec<String> {
    let mut limits = Vec::new();
    if report.witnessed.witnesses.is_empty() {
        limits.push(
            "that everybody was shown the same log: without a witness, the server may have shown a \
            different log to others"
                .to_owned(),
        );
    }
    if options.since.is_none() {
        limits.push(
            "that the log was not rewritten before you first looked: keep this checkpoint, and \
            give it with --since next time"
                .to_owned(),
        );
    }
    limits.extend(limits_of_heads(report));
    limits.push(match report.witnessed.witnesses.is_empty() {
        true => {
            "that the times of the events are right: they come from the server's clock".to_owned()
        }
        false => "that the times of the events are right: they come from the server's clock; the \
                  witnesses only show that the events existed when they cosigned"
            .to_owned(),
    });
    if report.erased + report.redacted > 0 {
        limits.push(format!(
            "what {} events without a text said, and that nobody kept a copy",
            report.erased + report.redacted
        ));
    }
    if report.disclosure == Disclosure::Integrity {
        limits.push("what the texts say: this file has no keys of them".to_owned());
    }
    if matches!(report.scope, Scope::Range { .. }) {
        limits.push("that the streams ended with the range: they may have later events".to_owned());
    }
    if matches!(report.scope, Scope::Student(_)) {
        limits.push(
            "that nothing about the student was recorded under another key, or as another person: \
            only a check of the whole ledger shows that"
                .to_owned(),
        );
    }
    limits.push("that what people wrote is true".to_owned());
    limits
}

/// What is not known of where streams ended.
fn limits_of_heads(report: &Report) -> Vec<String> {
    let mut limits = Vec::new();
    let unread = match report.heads {
        HeadsChecked::Believed => {
            if report.witnessed.monitors.is_empty() {
                limits.push(
                    "that the server recorded the newest events of it, and recorded no other branch of \
                    it for somebody else: a monitor finds that, or a file of the whole log \
                    (audit export --from 1)"
                        .to_owned(),
                );
            }
            let (first, size) = (report.heads_through.next(), report.checkpoint.size);
            if first.get() < size {
                limits.push(format!(
                    "that positions {first} to {} hold no more events of it: they were recorded \
                    while the server made the checkpoint, and the next checkpoint covers them",
                    size - 1
                ));
            }
            0
        }
        HeadsChecked::InOrder { records, unread } => {
            if records > 0 {
                limits.push(format!(
                    "that {records} records of where all streams ended are right: they can be \
                    recomputed only from position 1 on"
                ));
            }
            unread
        }
        HeadsChecked::Recomputed { unread, .. } => unread,
    };
    if unread > 0 {
        limits.push(format!(
            "that {unread} records of where all streams ended are right: an older version made \
            this file without what is needed to read them"
        ));
    }
    limits
}
