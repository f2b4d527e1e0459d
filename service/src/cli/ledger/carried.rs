//! Says what was carried over into a new ledger, and what is lost.

use std::path::Path;

use planledger_core::carry::Carried;

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
    for missing in &carried.missing {
        let of = missing
            .person
            .map_or(String::new(), |person| format!(" of person {person}"));
        output::line(format!(
            "lost: revisions {} to {} of {}{of}",
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
