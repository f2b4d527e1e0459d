//! `ledger forks`: describes the streams that an earlier version of the program forked. The
//! description holds ids, times and event types, and no texts.

use planledger_core::ids::{Position, StreamKind};
use planledger_core::ledger;
use planledger_core::verify::{
    self, BranchEvent, Branches, Depth, Fork, ForkedStream, Forks, PlanNow, Repeated, Told,
    Verification,
};

use super::super::error::CliError;
use super::super::output;
use super::branches::{in_both, name, of, type_name};
use super::json::json_all;
use super::offline::Offline;
use super::rates::Rates;
use crate::settings::File;
use crate::wire;

/// The most forks that `ledger verify` lists.
const LISTED: usize = 20;

/// Reads the journal and describes its forks.
pub(super) fn run(offline: &Offline, file: &File) -> Result<(), CliError> {
    let found = read(&offline.options(file)?, Depth::Forks)?;
    let forks = &found.forks;
    let none = Told::default();
    let told = forks.told.as_ref().unwrap_or(&none);
    match offline.json {
        true => output::value(&json_all(&found, told)),
        false => show(forks, told),
    }
    whole(&found)
}

/// Reads the journal of a directory.
pub(super) fn read(options: &ledger::Options, depth: Depth) -> Result<Verification, CliError> {
    let rates = Rates::new();
    let watch = |pass, done, all| rates.tell(pass, done, all);
    let found = verify::verify_dir(options, depth, &watch).map_err(CliError::refused);
    rates.finish();
    found
}

/// Fails if the journal could not be read to its end.
pub(super) fn whole(found: &Verification) -> Result<(), CliError> {
    let faults = found.faults().filter(|(part, _)| !part.is_derived());
    match (found.whole, faults.map(|(_, fault)| fault).next()) {
        (true, _) => Ok(()),
        (false, fault) => Err(CliError::Refused(format!(
            "the journal cannot be read to its end, so there may be more forks: {}",
            fault.map(ToString::to_string).unwrap_or_default()
        ))),
    }
}

/// Prints on standard error what to do about unsettled forks.
pub(super) fn warn(forks: &Forks) {
    match forks.unsettled().count() {
        0 => {}
        _ => output::note(
            "an earlier version forked streams: `planledger ledger forks` shows what happened, and \
            `planledger ledger settle` records that somebody has looked at it",
        ),
    }
}

/// Lists forks, one line for each.
pub(super) fn list(forks: &Forks) {
    let lines = forks.forks.iter();
    let lines = lines.map(|fork| format!("{fork} ({})", settled(fork.settled)));
    let stale = forks.stale.iter();
    let stale = stale.map(|stale| format!("{stale} ({})", settled(stale.settled)));
    lines.chain(stale).take(LISTED).for_each(output::line);
    let more = (forks.forks.len() + forks.stale.len()).saturating_sub(LISTED);
    if more > 0 {
        output::line(format!("and {more} more"));
    }
}

fn settled(by: Option<Position>) -> String {
    match by {
        Some(position) => format!("settled at position {position}"),
        None => "not settled".to_owned(),
    }
}

fn show(forks: &Forks, told: &Told) {
    if forks.is_empty() && told.repeated.is_empty() {
        output::line("no stream has a fork, and no command was carried out twice");
        return;
    }
    for (fork, branches) in forks.forks.iter().zip(&told.branches) {
        let (stream, plan) = of(forks, told, fork);
        show_fork(fork, branches, stream, plan);
    }
    if !forks.stale.is_empty() {
        output::heading("Answered from an older state");
        let stale = forks.stale.iter();
        stale.for_each(|stale| output::line(format!("{stale} ({})", settled(stale.settled))));
    }
    if !told.repeated.is_empty() {
        output::heading("Carried out more than once");
        told.repeated.iter().for_each(show_repeated);
    }
    if forks.unsettled().next().is_some() {
        show_choices(forks);
    }
}

fn show_fork(
    fork: &Fork,
    branches: &Branches,
    stream: Option<&ForkedStream>,
    plan: Option<PlanNow>,
) {
    output::heading(&format!("{} at position {}", fork.stream, fork.position()));
    output::line(format!("{fork} ({})", settled(fork.settled)));
    if let Some(PlanNow {
        student,
        year_plan,
        owner,
    }) = plan
    {
        output::line(format!(
            "plan of student {student} for year plan {year_plan}, owned by {owner}"
        ));
    }
    let heading = [
        "BRANCH", "REVISION", "POSITION", "RECORDED", "TYPE", "ACTOR", "FOR", "COMMAND",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(branches.first.iter().map(|event| row("first", event)));
    rows.extend(branches.second.iter().map(|event| row("second", event)));
    output::table(&rows);
    let both = in_both(branches);
    if !both.is_empty() {
        output::line(format!(
            "event types in both branches: {}; where two events change the same thing, the later \
            one counts",
            both.join(", ")
        ));
    }
    if let Some(stream) = stream {
        output::line(format!(
            "what counts now: every event of both branches, in the order of their positions, up to \
            revision {} at position {}; the next event gets revision {}",
            stream.last.revision,
            stream.last.position,
            stream.greatest.next()
        ));
    }
}

fn row(branch: &str, event: &BranchEvent) -> Vec<String> {
    vec![
        branch.to_owned(),
        event.at.revision.to_string(),
        event.at.position.to_string(),
        output::instant(Some(&wire::timestamp(event.recorded_at))),
        type_name(event).to_owned(),
        event.actor.to_string(),
        name(event.on_behalf_of).unwrap_or_else(|| "-".to_owned()),
        event.command.to_string(),
    ]
}

fn show_repeated(repeated: &Repeated) {
    let asked = match repeated.is_same_command() {
        true => "the command asked for the same each time",
        false => "the command did not ask for the same each time",
    };
    output::line(format!("command {}: {asked}", repeated.command));
    for outcome in &repeated.outcomes {
        output::line(format!(
            "  {}: {}, {} at revision {}, journal at position {}",
            output::instant(Some(&wire::timestamp(outcome.recorded_at))),
            match outcome.events {
                0 => "nothing changed".to_owned(),
                1 => "1 event".to_owned(),
                events => format!("{events} events"),
            },
            outcome.stream,
            outcome.revision,
            outcome.position
        ));
    }
}

fn show_choices(forks: &Forks) {
    output::heading("What can be done");
    output::line(
        "You can leave it as it is: both branches count, in the order of the journal. Or you can \
        revert the text of a plan, on the running server, to how it was before its second branch. \
        That also takes back what was written in the plan later. Look with --dry-run first:",
    );
    let plans = forks.forks.iter().filter(|fork| fork.settled.is_none());
    for fork in plans.filter(|fork| fork.stream.kind == StreamKind::Plan) {
        let before = fork.position().get() - 1;
        let plan = fork.stream.id;
        output::line(format!(
            "  planledger plan revert {plan} --to {before} --reason TEXT"
        ));
    }
    output::line("In both cases, stop the server and record that somebody has looked at it:");
    output::line("  planledger ledger settle --all --reason TEXT --actor person/UUID --dir DIR");
}
