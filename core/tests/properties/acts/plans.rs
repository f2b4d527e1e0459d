//! What is asked of plans.

use planledger_core::domain::plan::{
    Assessment, Audience, Item, PlanCommand, Section, TalkDetails, TalkKind, UnitRef,
};

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
        _ => UnitRef {
            year_plan: dice.of(&YEAR_PLANS),
            unit: dice.of(&UNITS),
        },
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
    }
}

/// Most are possible, or nothing would ever be evaluated.
fn evaluation(dice: &mut Dice) -> PlanCommand {
    let evaluation = dice.of(&EVALUATIONS);
    match dice.below(4) {
        0 => PlanCommand::RecordEvaluation {
            evaluation,
            unit: unit_ref(dice),
            goal: dice.of(&GOALS),
            assessment: assessment(dice),
        },
        _ => PlanCommand::RecordEvaluation {
            evaluation,
            unit: THE_UNIT,
            goal: dice.of(&[REFLECTION_GOAL, SUBJECT_GOAL]),
            assessment: level(dice.below(2) as u8),
        },
    }
}

fn plan_command(dice: &mut Dice) -> PlanCommand {
    match dice.below(32) {
        0 => PlanCommand::WriteStatus {
            text: text(dice.words()),
        },
        1 => PlanCommand::WriteFollowUp {
            text: text(dice.words()),
            follow_up_on: dice.some(|dice| day(12, 1 + dice.below(2) as i8)),
        },
        2..=5 => evaluation(dice),
        6 | 28 | 29 => PlanCommand::CorrectEvaluation {
            evaluation: dice.of(&EVALUATIONS),
            assessment: assessment(dice),
            reason: dice.some(|_| "Tastefejl".parse().unwrap()),
        },
        7 => PlanCommand::RecordTalk {
            talk: dice.of(&TALKS),
            details: talk_details(dice),
        },
        8 | 31 => PlanCommand::CorrectTalk {
            talk: dice.of(&TALKS),
            details: talk_details(dice),
            reason: None,
        },
        9 => PlanCommand::Share,
        10 => PlanCommand::Unshare,
        11 | 12 => PlanCommand::SetVisibility {
            audience: dice.of(&Audience::ALL),
            visible: !dice.once_in(3),
        },
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
        23 => PlanCommand::Open {
            student: dice.of(&PERSONS),
            year_plan: dice.of(&YEAR_PLANS),
            owner: dice.some(|dice| dice.of(&PERSONS)),
        },
        _ => PlanCommand::Open {
            student: dice.of(&STUDENTS),
            year_plan: dice.of(&YEAR_PLANS),
            owner: None,
        },
    }
}

/// Every gate opened, so that everybody sees what becomes of a plan.
pub(super) fn opening_gates() -> Vec<Act> {
    let sections = [Section::Status, Section::Goals, Section::FollowUp];
    let shown = sections.map(|section| PlanCommand::ShowSection { section });
    let visible = Audience::ALL.map(|audience| PlanCommand::SetVisibility {
        audience,
        visible: true,
    });
    let commands = shown.into_iter().chain(visible).chain([PlanCommand::Share]);
    commands
        .map(|command| act(TEACHER, (PLAN, command)))
        .collect()
}
