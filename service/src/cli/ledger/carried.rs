//! Says what was carried over into a new ledger, and what is lost.

use std::path::Path;

use planledger_core::carry::{Carried, LostRevisions};

use super::super::output;

/// Prints what came of it: ids and numbers only.
pub(super) fn show(carried: &Carried, dir: &Path, json: bool) {
    if json {
        output::value(&carried.to_json());
        return;
    }
    output::line(format!(
        "{} events of ledger {} stand in {} at their positions, up to {}; the new ledger is {}",
        carried.events,
        carried.from,
        dir.display(),
        carried.position,
        carried.ledger
    ));
    output::line(format!(
        "where it came from is on record at position {}, and what is kept of it is in origin/",
        carried.recorded
    ));
    match &carried.checkpoint {
        Some(checkpoint) => output::line(format!(
            "the checkpoint of {} events is kept with its signatures",
            checkpoint.size
        )),
        None => output::line("there is no checkpoint that could be kept"),
    }
    for lost in &carried.lost {
        output::line(format!("lost: positions {} to {}", lost.first, lost.last));
    }
    if carried.reached > carried.position {
        output::line(format!(
            "lost: positions {} to {}, which are known to have been there",
            carried.position.next(),
            carried.reached
        ));
    }
    if carried.open_end {
        output::line(format!(
            "lost: what follows position {} cannot be read, and nothing tells how much it is",
            carried.position
        ));
    }
    for gap in &carried.key_damage.gaps {
        output::line(format!(
            "keys/keys.log: bytes {} to {} hold no key that opens",
            gap.from,
            gap.to.saturating_sub(1)
        ));
    }
    if carried.key_damage.header {
        output::line(
            "keys/keys.log: its header is damaged, so nobody knows whether there was a rescue recipient; name \
             yours for the new ledger with `planledger keys add-rescue-recipient`",
        );
    }
    for missing in together(&carried.missing) {
        let of = missing
            .person
            .map_or(String::new(), |person| format!(" of person {person}"));
        let what = match missing.unreadable {
            true => "unreadable",
            false => "lost",
        };
        output::line(format!(
            "{what}: revisions {} to {} of {}{of}",
            missing.first, missing.last, missing.stream
        ));
    }
    for stream in &carried.renumbered {
        output::line(format!("counted anew: the revisions of {stream}"));
    }
    output::note(match carried.is_whole() {
        true => "nothing is lost",
        false => "the same is in origin/report.json",
    });
}

/// Revisions that follow each other, as one.
fn together(missing: &[LostRevisions]) -> Vec<LostRevisions> {
    let mut all: Vec<LostRevisions> = Vec::new();
    for next in missing {
        match all.last_mut() {
            Some(before)
                if (before.stream, before.unreadable, before.last + 1)
                    == (next.stream, next.unreadable, next.first) =>
            {
                before.last = next.last;
            }
            Some(_) | None => all.push(*next),
        }
    }
    all
}
