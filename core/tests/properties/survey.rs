//! Discussions of the wellbeing survey, against a naive replay of the commands that were carried out:
//! as of the end of every day that has passed, and the same after a rebuild.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::Date;
use planledger_core::domain::institution::{
    InstitutionCommand, SurveyCount, SurveyDetails, SurveyForum,
};
use planledger_core::domain::{Aggregate, Command};
use planledger_core::ids::SurveyDiscussionId;
use planledger_core::ledger::{Ledger, Options, ReadError, rebuild};
use planledger_core::time::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::properties::acts::{Act, founding, institution_acts};
use crate::properties::check::check;
use crate::properties::place::{CREATED, JournalledLedger, run};
use planledger_fixtures::school::*;

/// The clock goes on so far each time it is asked: days pass within a few commands.
const STEP: u64 = 5 * 3_600_000_000_000 + 11;

type Counts = BTreeMap<SurveyForum, SurveyCount>;

/// What was carried out at the school, each with its day.
type History = Vec<(Date, InstitutionCommand)>;

fn options(place: &JournalledLedger) -> Options {
    let asked = AtomicU64::new(1);
    Options {
        clock: Arc::new(move || CREATED.plus(STEP * asked.fetch_add(1, Ordering::Relaxed))),
        ..place.options()
    }
}

fn replayed(history: &History, day: Date) -> Counts {
    let mut standing: BTreeMap<SurveyDiscussionId, SurveyDetails> = BTreeMap::new();
    for (_, command) in history.iter().filter(|(on, _)| *on <= day) {
        match command {
            InstitutionCommand::RecordSurveyDiscussion {
                discussion,
                details,
            }
            | InstitutionCommand::CorrectSurveyDiscussion {
                discussion,
                details,
                ..
            } => drop(standing.insert(*discussion, details.clone())),
            InstitutionCommand::WithdrawSurveyDiscussion { discussion, .. } => {
                standing.remove(discussion);
            }
            // Imports, mergers, closing and opening again change nothing.
            InstitutionCommand::Register(_)
            | InstitutionCommand::Revise(_)
            | InstitutionCommand::Close { .. }
            | InstitutionCommand::Reopen
            | InstitutionCommand::Succeed { .. }
            | InstitutionCommand::SucceedBack { .. }
            | InstitutionCommand::Put { .. } => {}
        }
    }
    let mut counts = Counts::new();
    for details in standing.values() {
        let count = counts.entry(details.forum).or_default();
        count.discussions += 1;
        count.with_students += u64::from(details.students_through.is_some());
        count.with_goals += u64::from(!details.goals.is_empty());
    }
    counts
}

fn read(ledger: &Ledger, day: Date) -> Counts {
    let end = Timestamp::last_of_day_in_denmark(day);
    let position = ledger.position_at(end).unwrap();
    let (counts, _) = ledger
        .read_at(position, |reading| {
            let found = reading.stream(SCHOOL)?;
            Ok::<_, ReadError>(match found.as_ref().map(|(state, _)| &**state) {
                Some(Aggregate::Institution(found)) => found.survey_counts(&[YEAR].into()),
                _ => Counts::new(),
            })
        })
        .unwrap();
    counts
}

fn every_day_counts_what_was_carried_out(ledger: &Ledger, history: &History) -> TestCaseResult {
    let days: BTreeSet<Date> = history.iter().map(|(day, _)| *day).collect();
    let now = ledger.now().day_in_denmark();
    for day in days {
        for day in [day.yesterday().unwrap(), day] {
            if day < now {
                prop_assert_eq!(read(ledger, day), replayed(history, day), "{}", day);
            }
        }
    }
    Ok(())
}

#[test]
fn discussions_count_on_every_day_as_a_naive_replay_says_and_after_a_rebuild() {
    let stories = prop::collection::vec(institution_acts(), 1..60);
    check(24, &stories, |story| {
        let place = JournalledLedger::new();
        let ledger = Ledger::open(options(&place)).unwrap();
        run(&ledger, founding());
        let mut history = History::new();
        for Act { actor, command } in story {
            let act = Act {
                actor,
                command: command.clone(),
            };
            // Refusals are seen elsewhere.
            if let (Ok(receipt), Command::Institution(SCHOOL, command)) =
                (&run(&ledger, vec![act])[0], command)
            {
                history.push((receipt.recorded_at.day_in_denmark(), command));
            }
        }
        every_day_counts_what_was_carried_out(&ledger, &history)?;
        drop(ledger);
        rebuild(options(&place)).unwrap();
        let ledger = Ledger::open(options(&place)).unwrap();
        every_day_counts_what_was_carried_out(&ledger, &history)
    });
}
