//! Which days a command may name.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use planledger_core::domain::institution::{InstitutionCommand, InstitutionEvent};
use planledger_core::domain::person::{Evidence, Guardianship, PersonCommand, PersonEvent};
use planledger_core::domain::plan::{PlanCommand, PlanEvent, TalkDetails};
use planledger_core::domain::school_year::{SchoolYear, SchoolYearCommand};
use planledger_core::domain::team::{TeamDetails, TeamEvent};
use planledger_core::domain::{Command, Field, Reason};
use planledger_core::ids::{SurveyDiscussionId, TalkId, TeamId};
use planledger_core::time::Timestamp;
use planledger_fixtures::{Fact, IntoCommand, Memory};

use crate::domain::harness::{given, plan};
use planledger_fixtures::school::*;

/// Makes a command with a day, the first and last day it may name, and the field of the day.
type Case = (fn(Date) -> Command, Date, Date, Field);

fn held_on(day: Date) -> TalkDetails {
    let held_on = day;
    TalkDetails {
        held_on,
        ..talk("Aftalt")
    }
}

fn of_child(command: PersonCommand) -> Command {
    (STUDENT, command).into_command()
}

fn guardianship(last_day: Date) -> Guardianship {
    let (guardian, last_day) = (GUARDIAN, Some(last_day));
    Guardianship { guardian, last_day }
}

fn year(first_day: Date, last_day: Date) -> Command {
    let year = SchoolYear {
        first_day,
        last_day,
        ..school_year()
    };
    (YEAR, SchoolYearCommand::Define(year)).into_command()
}

/// Every day of every command, with the bounds that `core/DESIGN.md` lists.
fn cases() -> Vec<Case> {
    let first = date(1990, 1, 1);
    let today = Memory::NOW.day_in_denmark();
    let (school, custody) = (today + 12.years(), today + 18.years());
    let last_of_years = date(2100, 12, 31);
    vec![
        (
            |day| {
                let (talk, details) = (TalkId::from_bytes([0xA2; 16]), held_on(day));
                plan(PlanCommand::RecordTalk { talk, details })
            },
            first,
            today,
            Field::DetailsHeldOn,
        ),
        (
            |day| {
                let (talk, details, reason) = (TALK, held_on(day), None);
                plan(PlanCommand::CorrectTalk {
                    talk,
                    details,
                    reason,
                })
            },
            first,
            today,
            Field::DetailsHeldOn,
        ),
        (
            |day| {
                let mut details = survey_details("Aftalt");
                details.held_on = day;
                let discussion = SurveyDiscussionId::from_bytes([0xD2; 16]);
                let record = InstitutionCommand::RecordSurveyDiscussion {
                    discussion,
                    details,
                };
                (SCHOOL, record).into_command()
            },
            first,
            today,
            Field::DetailsHeldOn,
        ),
        (
            |day| {
                let mut details = survey_details("Aftalt");
                details.follow_up_on = Some(day);
                let correct = InstitutionCommand::CorrectSurveyDiscussion {
                    discussion: DISCUSSION,
                    details,
                    reason: None,
                };
                (SCHOOL, correct).into_command()
            },
            first,
            school,
            Field::DetailsFollowUpOn,
        ),
        (
            |day| {
                let (text, follow_up_on) = (text("Øve brøker"), Some(day));
                plan(PlanCommand::WriteFollowUp { text, follow_up_on })
            },
            first,
            school,
            Field::FollowUpOn,
        ),
        (
            |day| {
                let (on, reason) = (Some(day), None);
                of_child(PersonCommand::Depart { on, reason })
            },
            first,
            school,
            Field::LastDay,
        ),
        (
            |day| {
                let institution = OTHER_SCHOOL;
                let decide = PersonCommand::DecideSuggestion {
                    evidence: Evidence::OwnerElsewhere { institution },
                    confirmed: true,
                    last_day: Some(day),
                    reason: None,
                };
                Command::Person(TEACHER, decide)
            },
            first,
            school,
            Field::LastDay,
        ),
        (
            |day| of_child(PersonCommand::SetGuardianship(guardianship(day))),
            first,
            custody,
            Field::GuardianshipLastDay,
        ),
        (
            |day| {
                let (guardian, last_day) = (GUARDIAN, day);
                of_child(PersonCommand::EndGuardianship { guardian, last_day })
            },
            first,
            custody,
            Field::LastDay,
        ),
        (
            |day| {
                let guardians = [guardianship(day)].into();
                let last_day_of_others = Memory::NOW.day_in_denmark();
                of_child(PersonCommand::PutGuardians {
                    guardians,
                    last_day_of_others,
                })
            },
            first,
            custody,
            Field::GuardiansLastDay,
        ),
        (
            |day| {
                of_child(PersonCommand::PutGuardians {
                    guardians: [].into(),
                    last_day_of_others: day,
                })
            },
            first,
            custody,
            Field::LastDayOfOthers,
        ),
        (
            |day| year(day, date(2100, 12, 31)),
            first,
            last_of_years,
            Field::DetailsFirstDay,
        ),
        (
            |day| year(date(1990, 1, 1), day),
            first,
            last_of_years,
            Field::DetailsLastDay,
        ),
    ]
}

/// A plan with a talk, whose student has a guardian.
fn facts() -> Vec<Fact> {
    let details = talk("Aftalt");
    let recorded = PlanEvent::TalkRecorded {
        talk: TALK,
        details,
    };
    let set = PersonEvent::GuardianshipSet(guardianship(date(2027, 6, 25)));
    let discussed = InstitutionEvent::SurveyDiscussed {
        discussion: DISCUSSION,
        details: survey_details("Aftalt"),
    };
    let created = TeamEvent::Created {
        details: TeamDetails {
            institution: OTHER_SCHOOL,
            ..team_details()
        },
        owner: Some(TEACHER),
    };
    let mut facts = a_plan();
    facts.push((TeamId::from_bytes([0x42; 16]), created).into());
    facts.push((SCHOOL, discussed).into());
    facts.push(Fact::from((PLAN, recorded)).by(TEACHER));
    facts.push((STUDENT, set).into());
    facts
}

#[test]
fn the_first_and_the_last_day_that_can_be_meant_are_taken() {
    for (command, first, last, _) in cases() {
        for day in [first, last] {
            let mut memory = Memory::of(facts());
            memory.does(TEACHER, command(day));
        }
    }
}

#[test]
fn a_day_before_the_first_or_after_the_last_is_refused() {
    assert!(refusals().len() >= 40);
}

pub(crate) fn refusals() -> Vec<Reason> {
    let mut refused = Vec::new();
    for (command, first, last, field) in cases() {
        let (day_before, day_after) = (first - 1.day(), last + 1.day());
        for day in [day_before, day_after, date(1200, 5, 1), date(9999, 12, 31)] {
            refused.push(
                given(facts())
                    .when(TEACHER, command(day))
                    .then_refused(Reason::DateOutOfRange, Some(field)),
            );
        }
    }
    refused
}

#[test]
fn a_refused_day_is_not_repeated_and_the_bound_is_named() {
    let memory = Memory::of(facts());
    let talk = |day| {
        let (talk, details) = (TALK, held_on(day));
        plan(PlanCommand::RecordTalk { talk, details })
    };
    for (day, bound) in [
        (date(2099, 5, 17), "2027-01-15"),
        (date(1200, 5, 17), "1990-01-01"),
    ] {
        let refusal = memory.decide(TEACHER, &talk(day)).unwrap_err();
        assert!(refusal.message.contains(bound), "{refusal}");
        assert!(!refusal.message.contains("05-17"), "{refusal}");
        let (first, last) = ("1990-01-01".to_owned(), "2027-01-15".to_owned());
        let bounds = vec![("first_day", first), ("last_day", last)];
        assert_eq!(refusal.details, bounds);
    }
}

#[test]
fn today_is_the_day_in_copenhagen() {
    let at = |text: &str| {
        let instant: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_nanos(u64::try_from(instant.as_nanosecond()).unwrap())
    };
    let day = |text| at(text).day_in_denmark();
    assert_eq!(day("2026-12-31T22:59:59Z"), date(2026, 12, 31));
    assert_eq!(day("2026-12-31T23:00:00Z"), date(2027, 1, 1));
}

#[test]
fn what_was_recorded_before_the_bounds_stays_and_can_be_brought_back() {
    let text = text("Øve brøker");
    let event = PlanEvent::FollowUpWritten {
        text: text.clone(),
        follow_up_on: Some(date(1200, 5, 1)),
    };
    let mut memory = Memory::of(a_plan());
    memory.record(Fact::from((PLAN, event)).by(TEACHER));
    let cleared = PlanCommand::WriteFollowUp {
        text,
        follow_up_on: None,
    };
    memory.does(TEACHER, plan(cleared));
}
