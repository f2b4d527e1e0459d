//! What is asked of plans.

use planledger_core::domain::plan::{
    Assessment, Audience, Item, PlanCommand, Section, TalkDetails, TalkKind, UnitRef,
};
use planledger_fixtures::commands;

use super::{
    Act, Dice, EVALUATIONS, GOALS, PERSONS, PLANS, STAFF, STUDENTS, TALKS, UNITS, YEAR_PLANS, act,
};
use planledger_fixtures::ActsAs;
use planledger_fixtures::school::*;

pub(super) fn plan(dice: &mut Dice) -> Act {
    let actor = match dice.below(8) {
        0 => STUDENT.actor(),
        1 => CLASSMATE.actor(),
        2 => GUARDIAN.actor(),
        3 => SYSTEM,
        _ => dice.of(&STAFF).actor(),
    };
    let id = match dice.below(2) {
        0 => dice.of(&PLANS),
        _ => PLAN,
    };
    act(actor, (id, plan_command(dice)))
}

fn unit_ref(dice: &mut Dice) -> UnitRef {
    match dice.below(2) {
        0 => THE_UNIT,
        _ => unit_in(dice.of(&YEAR_PLANS), dice.of(&UNITS)),
    }
}

fn item(dice: &mut Dice) -> Item {
    match dice.below(3) {
        0 => Item::Goal(dice.of(&GOALS)),
        1 => Item::Evaluation(dice.of(&EVALUATIONS)),
        _ => Item::Talk(dice.of(&TALKS)),
    }
}

fn section(dice: &mut Dice) -> Section {
    dice.of(&[Section::Goals, Section::Status, Section::FollowUp])
}

fn assessment(dice: &mut Dice) -> Assessment {
    Assessment {
        level: (!dice.once_in(3)).then(|| dice.below(5) as u8),
        comment: dice.some(|dice| text(dice.words())),
    }
}

fn talk_details(dice: &mut Dice) -> TalkDetails {
    TalkDetails {
        kind: TalkKind::LearningTalk,
        held_on: day(11, 1 + dice.below(3) as i8),
        notes: text(dice.words()),
        held_by: match dice.below(3) {
            0 => [TEACHER, PEDAGOGUE].into(),
            1 => [dice.of(&PERSONS)].into(),
            _ => Default::default(),
        },
    }
}

/// Most are possible, or nothing would ever be evaluated.
fn evaluation(dice: &mut Dice) -> PlanCommand {
    let evaluation = dice.of(&EVALUATIONS);
    match dice.below(4) {
        0 => commands::record_evaluation(
            evaluation,
            unit_ref(dice),
            dice.of(&GOALS),
            assessment(dice),
        ),
        _ => commands::record_evaluation(
            evaluation,
            THE_UNIT,
            dice.of(&[REFLECTION_GOAL, SUBJECT_GOAL]),
            level(dice.below(2) as u8),
        ),
    }
}

fn plan_command(dice: &mut Dice) -> PlanCommand {
    match dice.below(32) {
        0 => PlanCommand::WriteStatus {
            text: text(dice.words()),
        },
        1 => commands::write_follow_up(
            text(dice.words()),
            dice.some(|dice| day(12, 1 + dice.below(2) as i8)),
        ),
        2..=5 => evaluation(dice),
        6 | 28 | 29 => PlanCommand::CorrectEvaluation {
            evaluation: dice.of(&EVALUATIONS),
            assessment: assessment(dice),
            reason: dice.some(|_| "Tastefejl".parse().unwrap()),
        },
        7 => commands::record_talk(dice.of(&TALKS), talk_details(dice)),
        8 | 31 => commands::correct_talk(dice.of(&TALKS), talk_details(dice)),
        9 => PlanCommand::Share,
        10 => PlanCommand::Unshare,
        11 | 12 => commands::set_visibility(dice.of(&Audience::ALL), !dice.once_in(3)),
        13 | 14 => PlanCommand::ShowSection {
            section: section(dice),
        },
        15 => PlanCommand::HideSection {
            section: section(dice),
        },
        16 => PlanCommand::ShowItem { item: item(dice) },
        17 => PlanCommand::HideItem { item: item(dice) },
        18 | 30 => PlanCommand::IncludeUnit(unit_ref(dice)),
        19 => PlanCommand::ExcludeUnit(unit_ref(dice)),
        20 => match dice.below(4) {
            0 => PlanCommand::Withdraw { reason: None },
            _ => PlanCommand::Restore,
        },
        21 => PlanCommand::TransferOwnership {
            to: dice.of(&PERSONS),
            reason: None,
        },
        22 => PlanCommand::MoveToYearPlan {
            to: dice.of(&YEAR_PLANS),
            reason: None,
        },
        23 => commands::open_plan(
            dice.of(&PERSONS),
            dice.of(&YEAR_PLANS),
            dice.some(|dice| dice.of(&PERSONS)),
        ),
        _ => commands::open_plan(dice.of(&STUDENTS), dice.of(&YEAR_PLANS), None),
    }
}

/// Every gate opened, so that everybody sees what becomes of a plan.
pub(super) fn opening_gates() -> Vec<Act> {
    let sections = [Section::Status, Section::Goals, Section::FollowUp];
    let shown = sections.map(|section| PlanCommand::ShowSection { section });
    let visible = Audience::ALL.map(|audience| commands::set_visibility(audience, true));
    let commands = shown.into_iter().chain(visible).chain([PlanCommand::Share]);
    commands
        .map(|command| act(TEACHER, (PLAN, command)))
        .collect()
}
