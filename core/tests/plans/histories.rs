//! Random histories of a plan and of everything that it hangs on.

use jiff::civil::date;
use planledger_core::domain::person::PersonCommand;
use planledger_core::domain::plan::{Audience, Item, PlanCommand, Section};
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::view::{PlanView, Viewer};
use planledger_core::domain::year_plan::{WordingChoice, YearPlanCommand};
use planledger_core::domain::{Actor, Command};
use planledger_fixtures::commands;
use proptest::prelude::*;

use crate::plans::school::{
    COLLEAGUE, COLLEAGUE_ID, GOALS, PLAN, STUDENT, STUDENT_ID, SYSTEM, SchoolInMemory, TEACHER,
    TEACHER_ID, TEAM, UNITS, YEAR_PLANS, assessment, evaluation_id, scale, status, talk, talk_id,
    team_details, text,
};

/// Somebody asks for something. It may well be refused.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    actor: Actor,
    command: Command,
}

impl Step {
    pub(crate) fn take(&self, school: &mut SchoolInMemory) {
        // What the rules refuse did not happen; that is part of any history.
        let _ = school.act(self.actor, &self.command);
    }
}

/// What all four viewers see.
pub(crate) fn views(school: &SchoolInMemory) -> [Option<PlanView>; 4] {
    VIEWERS.map(|viewer| school.view(viewer))
}

pub(crate) const VIEWERS: [Viewer; 4] = [
    Viewer::Staff,
    Viewer::Audience(Audience::Student),
    Viewer::Audience(Audience::Guardians),
    Viewer::Audience(Audience::Others),
];

/// Fewer steps than `most`.
pub(crate) fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 0..most)
}

fn step() -> impl Strategy<Value = Step> {
    let actor = prop::sample::select(vec![TEACHER, TEACHER, COLLEAGUE, STUDENT]);
    prop_oneof![
        8 => (actor, on_plan()).prop_map(|(actor, command)| Step {
            actor,
            command: Command::Plan(PLAN, command),
        }),
        3 => around().prop_map(|command| Step { actor: SYSTEM, command }),
    ]
}

fn words() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["læser", "skriver", "fortæller"])
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        prop::sample::select(GOALS.to_vec()).prop_map(|(goal, _, _)| Item::Goal(goal)),
        (0..4u8).prop_map(|n| Item::Evaluation(evaluation_id(n))),
        (0..3u8).prop_map(|n| Item::Talk(talk_id(n))),
    ]
}

/// What can be asked of a plan, but for a revert.
fn on_plan() -> impl Strategy<Value = PlanCommand> {
    use PlanCommand as P;
    let unit = || prop::sample::select(UNITS.to_vec());
    let section = || prop::sample::select(vec![Section::Status, Section::Goals, Section::FollowUp]);
    let day = || prop::option::of((1..3i8).prop_map(|day| date(2026, 12, day)));
    let rating = || (0..3u8, words()).prop_map(|(level, words)| assessment(level, words));
    let held = || (1..4i8, words()).prop_map(|(day, words)| talk(day, words));
    prop_oneof![
        unit().prop_map(P::IncludeUnit),
        unit().prop_map(P::ExcludeUnit),
        section().prop_map(|section| P::ShowSection { section }),
        section().prop_map(|section| P::HideSection { section }),
        item().prop_map(|item| P::ShowItem { item }),
        item().prop_map(|item| P::HideItem { item }),
        words().prop_map(status),
        (words(), day()).prop_map(|(words, follow_up_on)| P::WriteFollowUp {
            text: text(words),
            follow_up_on,
        }),
        Just(P::ClearStatus),
        Just(P::ClearFollowUp),
        (0..4u8, prop::sample::select(GOALS.to_vec()), rating()).prop_map(
            |(n, (goal, unit, _), assessment)| P::RecordEvaluation {
                evaluation: evaluation_id(n),
                unit: UNITS[unit],
                goal,
                assessment,
            }
        ),
        (0..4u8, rating()).prop_map(|(n, assessment)| P::CorrectEvaluation {
            evaluation: evaluation_id(n),
            assessment,
            reason: None,
        }),
        (0..3u8, held()).prop_map(|(n, details)| P::RecordTalk {
            talk: talk_id(n),
            details,
        }),
        (0..3u8, held()).prop_map(|(n, details)| P::CorrectTalk {
            talk: talk_id(n),
            details,
            reason: None,
        }),
        Just(P::Share),
        Just(P::Unshare),
        (prop::sample::select(Audience::ALL.to_vec()), any::<bool>())
            .prop_map(|(audience, visible)| P::SetVisibility { audience, visible }),
        Just(P::Withdraw { reason: None }),
        Just(P::Restore),
        prop::sample::select(vec![TEACHER_ID, COLLEAGUE_ID])
            .prop_map(|to| P::TransferOwnership { to, reason: None }),
        prop::sample::select(YEAR_PLANS.to_vec())
            .prop_map(|to| P::MoveToYearPlan { to, reason: None }),
    ]
}

/// What happens around a plan.
fn around() -> impl Strategy<Value = Command> {
    let year_plan = || prop::sample::select(YEAR_PLANS.to_vec());
    let on_unit = |to: fn(planledger_core::ids::UnitId) -> YearPlanCommand| {
        let unit = prop::sample::select(UNITS.to_vec());
        unit.prop_map(move |unit| Command::YearPlan(unit.year_plan, to(unit.unit)))
    };
    let goal = || prop::sample::select(GOALS.to_vec());
    prop_oneof![
        words().prop_map(|words| Command::Team(TEAM, TeamCommand::Revise(team_details(words)))),
        Just(Command::Team(TEAM, TeamCommand::Delete { reason: None })),
        Just(Command::Team(TEAM, TeamCommand::Undelete)),
        (year_plan(), words()).prop_map(|(id, words)| {
            let title = words.parse().unwrap();
            Command::YearPlan(id, YearPlanCommand::Retitle { title })
        }),
        year_plan().prop_map(|id| Command::YearPlan(id, YearPlanCommand::Delete { reason: None })),
        year_plan().prop_map(|id| Command::YearPlan(id, YearPlanCommand::Undelete)),
        on_unit(|unit| YearPlanCommand::DeleteUnit { unit, reason: None }),
        on_unit(|unit| YearPlanCommand::UndeleteUnit { unit }),
        (goal(), words()).prop_map(|((goal, unit, _), words)| {
            let revise =
                commands::revise_goal(goal, WordingChoice::Own { text: text(words) }, scale());
            Command::YearPlan(UNITS[unit].year_plan, revise)
        }),
        goal().prop_map(|(goal, unit, _)| {
            let retire = YearPlanCommand::RetireGoal { goal, reason: None };
            Command::YearPlan(UNITS[unit].year_plan, retire)
        }),
        words().prop_map(|words| {
            let name = words.parse().unwrap();
            Command::Person(STUDENT_ID, PersonCommand::Rename { name })
        }),
        Just(Command::Person(TEACHER_ID, commands::depart())),
        Just(Command::Person(TEACHER_ID, PersonCommand::Return)),
    ]
}
