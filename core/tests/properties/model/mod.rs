//! The same rules, written a second time as simply as can be: a flat list of what was granted,
//! read from the beginning whenever something is asked. Nothing is ever updated. It is compared
//! with what the library does, command by command and view by view.

mod containers;
mod plan_rules;
mod plans;
mod rules;
mod view;

use planledger_core::domain::plan::{Assessment, Audience, Evaluator, TalkDetails, UnitRef};
use planledger_core::domain::view::Viewer;
use planledger_core::domain::year_plan::{
    GoalArea, GoalKind, Scale, ScaleChoice, Wording, WordingChoice,
};
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{EvaluationId, GoalId, TalkId, UnitId};
use planledger_core::time::Timestamp;
use proptest::prelude::*;

use crate::properties::acts::{PLANS, foundings, modelled_acts};
use crate::properties::check::check;
use planledger_fixtures::Memory;

/// A command that was granted and changed something.
struct Fact {
    at: Timestamp,
    by: Actor,
    command: Command,
}

#[derive(Default)]
struct Model {
    facts: Vec<Fact>,
}

/// A goal as the facts tell it, with its words and scales from first to present.
struct Goal {
    unit: UnitId,
    kind: GoalKind,
    area: GoalArea,
    revisions: Vec<(Wording, Scale)>,
    retired: bool,
}

/// An evaluation as the facts tell it.
struct Evaluation {
    id: EvaluationId,
    unit: UnitRef,
    goal: GoalId,
    goal_revision: usize,
    by: Evaluator,
    actor: Actor,
    at: Timestamp,
    assessment: Assessment,
    corrected_at: Option<Timestamp>,
}

/// A talk as the facts tell it.
struct Talk {
    id: TalkId,
    details: TalkDetails,
    by: Actor,
    at: Timestamp,
    corrected_at: Option<Timestamp>,
}

fn worded(choice: &WordingChoice) -> Wording {
    match choice {
        WordingChoice::Own { text } => Wording::Own { text: text.clone() },
        WordingChoice::Catalogue { .. } => panic!("the model knows no catalogues"),
    }
}

fn scaled(choice: &ScaleChoice) -> Scale {
    match choice {
        ScaleChoice::Own(scale) => scale.clone(),
        ScaleChoice::Catalogue { .. } => panic!("the model knows no catalogues"),
    }
}

impl Fact {
    fn again(&self) -> Self {
        Self {
            at: self.at,
            by: self.by,
            command: self.command.clone(),
        }
    }
}

#[test]
fn the_library_grants_refuses_and_shows_what_the_naive_model_does() {
    let acts = prop::collection::vec(modelled_acts(), 1..120);
    check(200, &(foundings(), acts), |(founding, acts)| {
        let (mut memory, mut model) = (Memory::default(), Model::default());
        let mut shown = 0;
        for (number, act) in founding.into_iter().chain(acts).enumerate() {
            let objections = model.objections(act.actor, &act.command);
            let changes = objections.is_empty() && model.changes(&act.command);
            match memory.execute(act.actor, &act.command) {
                Ok(decision) => {
                    prop_assert_eq!(objections, vec![], "{:?}", act);
                    prop_assert_eq!(!decision.events.is_empty(), changes, "{:?}", act);
                    prop_assert_eq!(decision.stream, model.answers(&act.command));
                }
                Err(refusal) => {
                    prop_assert!(
                        objections.contains(&refusal.reason),
                        "{:?}: {}, not {:?}",
                        act,
                        refusal,
                        objections
                    );
                }
            }
            if changes {
                let at = memory.recorded().last().unwrap().meta.recorded_at;
                model.facts.push(Fact {
                    at,
                    by: act.actor,
                    command: act.command,
                });
            }
            if number % 5 == 0 {
                shown += compare(&memory, &model)?;
            }
        }
        shown += compare(&memory, &model)?;
        prop_assert!(shown > 0);
        Ok(())
    });
}

/// Every plan through everybody's eyes; how many views there were.
fn compare(memory: &Memory, model: &Model) -> Result<usize, TestCaseError> {
    let audiences = Audience::ALL.map(Viewer::Audience);
    let mut shown = 0;
    for id in PLANS {
        for viewer in audiences.into_iter().chain([Viewer::Staff]) {
            let expected = model.view(id, viewer);
            shown += usize::from(expected.is_some());
            prop_assert_eq!(memory.view(id, viewer), expected);
        }
    }
    Ok(shown)
}
