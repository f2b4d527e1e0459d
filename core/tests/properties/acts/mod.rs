//! Commands at random, on so few ids that they meet.

mod containers;
mod plans;

use planledger_fixtures::commands;
use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::person::{PersonCommand, Role};
use planledger_core::domain::plan::{PlanCommand, UnitRef};
use planledger_core::domain::school_year::SchoolYearCommand;
use planledger_core::domain::team::{StaffRole, TeamCommand};
use planledger_core::domain::year_plan::{GoalKind, YearPlanCommand, YearPlanDetails};
use planledger_core::domain::{Actor, Command, EventType};
use planledger_core::ids::{
    EvaluationId, GoalId, InstitutionId, PersonId, PlanId, SurveyDiscussionId, TalkId, TeamId,
    UnitId, YearPlanId,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use planledger_fixtures::school::*;
use planledger_fixtures::{ActsAs, IntoCommand, Memory};

const STUDENTS: [PersonId; 2] = [STUDENT, CLASSMATE];
/// Staff whom no act is about, so that there is always somebody who can act.
pub(crate) const STEADY: PersonId = PersonId::from_bytes([0x38; 16]);
const STAFF: [PersonId; 3] = [TEACHER, PEDAGOGUE, LEADER];
const YEAR_PLANS: [YearPlanId; 4] = [YEAR_PLAN, OTHER_YEAR_PLAN, COMBINED, FOURTH];
const FOURTH: YearPlanId = YearPlanId::from_bytes([0x54; 16]);
pub(crate) const PLANS: [PlanId; 3] = [PLAN, OTHER_PLAN, THIRD_PLAN];
const THIRD_PLAN: PlanId = PlanId::from_bytes([0x83; 16]);
const OTHER_TEAM: TeamId = TeamId::from_bytes([0x42; 16]);
const TEAMS: [TeamId; 2] = [TEAM, OTHER_TEAM];
const INSTITUTIONS: [InstitutionId; 2] = [SCHOOL, OTHER_SCHOOL];
const PERSONS: [PersonId; 7] = [
    STUDENT, CLASSMATE, TEACHER, PEDAGOGUE, LEADER, GUARDIAN, CLERK,
];
const UNITS: [UnitId; 2] = [UNIT, OTHER_UNIT];
const GOALS: [GoalId; 3] = [REFLECTION_GOAL, SUBJECT_GOAL, OTHER_GOAL];
const EVALUATIONS: [EvaluationId; 4] = [
    EVALUATION,
    LATER,
    EvaluationId::from_bytes([0x93; 16]),
    EvaluationId::from_bytes([0x94; 16]),
];
const TALKS: [TalkId; 2] = [TALK, TalkId::from_bytes([0xA2; 16])];
const DISCUSSIONS: [SurveyDiscussionId; 2] =
    [DISCUSSION, SurveyDiscussionId::from_bytes([0xD2; 16])];
const WORDS: [&str; 4] = ["Et", "To", "Tre", "Fire\nlinjer\n\n…"];

/// Somebody who asks for something.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) actor: Actor,
    pub(crate) command: Command,
}

fn act(actor: impl ActsAs, command: impl IntoCommand) -> Act {
    Act {
        actor: actor.actor(),
        command: command.into_command(),
    }
}

/// A few throws that decide about one command. The first of everything is the simplest.
#[derive(Clone, Debug)]
struct Dice(std::vec::IntoIter<u8>);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        usize::from(self.0.next().unwrap_or_default()) % sides
    }

    fn of<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// True once in `sides` throws.
    fn once_in(&mut self, sides: usize) -> bool {
        self.below(sides) == sides - 1
    }

    fn words(&mut self) -> &'static str {
        self.of(&WORDS)
    }

    fn some<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.once_in(2).then(|| make(self))
    }

    fn subset<T: Clone + Ord>(&mut self, from: &[T]) -> BTreeSet<T> {
        let bits = self.below(256);
        let chosen = from.iter().enumerate();
        let chosen = chosen.filter(|(index, _)| bits & (1 << index) != 0);
        chosen.map(|(_, item)| item.clone()).collect()
    }
}

fn with_dice(make: fn(&mut Dice) -> Act) -> impl Strategy<Value = Act> + Clone {
    prop::collection::vec(any::<u8>(), 16)
        .prop_map(move |throws| make(&mut Dice(throws.into_iter())))
}

/// What is asked of containers, of people, and by imports: whatever P1 has to withstand.
pub(crate) fn container_acts() -> impl Strategy<Value = Act> + Clone {
    with_dice(|dice| match dice.below(10) {
        0 | 9 => containers::team(dice),
        1 => containers::imported_team(dice),
        2 | 3 => containers::person(dice),
        4 => containers::institution(dice),
        8 => containers::moved(dice),
        _ => containers::year_plan(dice),
    })
}

/// What is asked of plans, by all sorts of people.
pub(crate) fn plan_acts() -> impl Strategy<Value = Act> + Clone {
    with_dice(plans::plan)
}

/// What is asked of institutions: following up the survey, closing, and imports.
pub(crate) fn institution_acts() -> impl Strategy<Value = Act> + Clone {
    with_dice(containers::institution)
}

/// Everything there is, plans more often.
pub(crate) fn acts() -> impl Strategy<Value = Act> + Clone {
    prop_oneof![3 => plan_acts(), 2 => container_acts()]
}

/// What the naive model understands: plans, year plans, teams being there, and people leaving.
pub(crate) fn modelled_acts() -> impl Strategy<Value = Act> + Clone {
    let containers = with_dice(|dice| match dice.below(8) {
        0 => {
            let command = match dice.below(2) {
                0 => TeamCommand::Delete { reason: None },
                _ => TeamCommand::Undelete,
            };
            act(TEACHER, (TEAM, command))
        }
        1 => {
            let command = match dice.below(2) {
                0 => commands::depart(),
                _ => PersonCommand::Return,
            };
            act(SYSTEM, (dice.of(&PERSONS), command))
        }
        _ => containers::year_plan(dice),
    });
    prop_oneof![3 => plan_acts(), 2 => containers]
}

/// Everybody and everything that the acts above are about: a school with year plans of both
/// kinds, and a plan. None of it is refused.
pub(crate) fn founding() -> Vec<Act> {
    let mut acts = Vec::new();
    for institution in INSTITUTIONS {
        let put = commands::put_institution(institution_details("Skolen"), false);
        acts.push(act(SYSTEM, (institution, put)));
    }
    acts.push(act(
        SYSTEM,
        (YEAR, SchoolYearCommand::Define(school_year())),
    ));
    for (person, called, role) in [
        (STUDENT, "Eleven", Role::Student),
        (CLASSMATE, "Kammeraten", Role::Student),
        (TEACHER, "Læreren", Role::Teacher),
        (PEDAGOGUE, "Pædagogen", Role::Pedagogue),
        (LEADER, "Lederen", Role::Leader),
        (GUARDIAN, "Forælderen", Role::Guardian),
        (CLERK, "Sekretæren", Role::Other),
        (STEADY, "Vikaren", Role::Teacher),
    ] {
        let mut places = BTreeSet::from([affiliation(SCHOOL, role)]);
        if person == STEADY {
            // Year plans move, and there is always somebody to take them over.
            places.insert(affiliation(OTHER_SCHOOL, role));
        }
        let put = commands::put_person(name(called), places, false);
        acts.push(act(SYSTEM, (person, put)));
    }
    let put = TeamCommand::Put {
        details: team_details(),
        members: STUDENTS.into(),
        staff: BTreeMap::from([(TEACHER, StaffRole::Teacher)]),
        owner: Some(TEACHER),
        closed: false,
        source: None,
    };
    acts.push(act(SYSTEM, (TEAM, put)));
    for (year_plan, details) in [
        (YEAR_PLAN, subject_year_plan()),
        (OTHER_YEAR_PLAN, subject_year_plan()),
        (COMBINED, combined_year_plan()),
    ] {
        found_year_plan(year_plan, details, &mut acts);
    }
    for (plan, student, year_plan) in [
        (PLAN, STUDENT, YEAR_PLAN),
        (OTHER_PLAN, CLASSMATE, COMBINED),
    ] {
        let owner = None;
        let open = commands::open_plan(student, year_plan, owner);
        acts.push(act(TEACHER, (plan, open)));
        let unit = UNIT;
        let include = PlanCommand::IncludeUnit(UnitRef { year_plan, unit });
        acts.push(act(TEACHER, (plan, include)));
    }
    acts
}

fn found_year_plan(id: YearPlanId, details: YearPlanDetails, acts: &mut Vec<Act>) {
    let owner = TEACHER;
    let create = YearPlanCommand::Create { details, owner };
    acts.push(act(TEACHER, (id, create)));
    let add = commands::add_unit(UNIT, unit_details("Noveller"));
    acts.push(act(TEACHER, (id, add)));
    for (goal, kind) in [
        (REFLECTION_GOAL, GoalKind::Reflection),
        (SUBJECT_GOAL, GoalKind::Subject),
    ] {
        let add = commands::add_goal(UNIT, goal, chosen_goal(kind, "Kan finde temaet"));
        acts.push(act(TEACHER, (id, add)));
    }
}

/// The founding, and half of the time every gate of the plan opened.
pub(crate) fn foundings() -> impl Strategy<Value = Vec<Act>> + Clone {
    any::<bool>().prop_map(|open| {
        let mut acts = founding();
        if open {
            acts.extend(plans::opening_gates());
        }
        acts
    })
}

/// What the founding leads to.
pub(crate) fn founded() -> Memory {
    let mut memory = Memory::default();
    for act in founding() {
        memory.does(act.actor, act.command);
    }
    memory
}

/// Properties that hold because nothing happens prove nothing.
#[test]
fn acts_at_random_lead_to_events_of_every_type_they_are_meant_to() {
    let stories = prop::collection::vec(acts(), 60);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = BTreeMap::new();
    for _ in 0..1_000 {
        let mut memory = founded();
        let founding = memory.recorded().len();
        for act in stories.new_tree(&mut runner).unwrap().current() {
            // Refusals are seen elsewhere.
            let _ = memory.execute(act.actor, &act.command);
        }
        for recorded in &memory.recorded()[founding..] {
            *seen.entry(recorded.event.event_type().name).or_insert(0) += 1;
        }
    }
    // What the founding alone leads to, what only the server asks for, and what reverting,
    // recoveries and erasures ask for, which have random histories of their own.
    let left_out = [
        "catalogue.",
        "erasure.",
        "grants.",
        "institution.registered",
        "ledger.",
        "person.registered",
        "plan.follow_up_cleared",
        "plan.reverted",
        "plan.status_cleared",
        "recovery.",
        "roster_source.",
        "system.",
    ];
    for expected in EventType::ALL {
        let is_left_out = left_out.iter().any(|name| expected.name.starts_with(name));
        let count = seen.get(expected.name).copied().unwrap_or_default();
        assert!(is_left_out || count >= 10, "{}: {count}", expected.name);
    }
}
