//! A school in memory: the rules and nothing else. Commands are decided and their events folded in,
//! each an instant later than the one before.

use jiff::civil::date;
use planledger_core::domain::person::Role;
use planledger_core::domain::plan::{
    Assessment, Plan, PlanCommand, PlanEvent, Revert, Reverting, TalkDetails, TalkKind, UnitRef,
    WrittenContent,
};
use planledger_core::domain::view::{PlanView, Viewer};
use planledger_core::domain::world::Context;
use planledger_core::domain::year_plan::GoalKind;
use planledger_core::domain::{Actor, Aggregate, Command, Event, Refusal};
use planledger_core::ids::{EvaluationId, GoalId, Position, TalkId, UnitId, YearPlanId};
use planledger_fixtures::{Memory, founding};

use planledger_fixtures::school::{OTHER_YEAR_PLAN, YEAR_PLAN};
pub(crate) use planledger_fixtures::school::{
    PEDAGOGUE as COLLEAGUE_ID, PLAN, STUDENT as STUDENT_ID, SYSTEM, TEACHER as TEACHER_ID, TEAM,
    text,
};

pub(crate) const STUDENT: Actor = Actor::Person(STUDENT_ID);
pub(crate) const TEACHER: Actor = Actor::Person(TEACHER_ID);
pub(crate) const COLLEAGUE: Actor = Actor::Person(COLLEAGUE_ID);
pub(crate) const YEAR_PLANS: [YearPlanId; 2] = [YEAR_PLAN, OTHER_YEAR_PLAN];
/// Two units of the first year plan, one of the second.
pub(crate) const UNITS: [UnitRef; 3] = [unit(0, 0x61), unit(0, 0x62), unit(1, 0x63)];
/// A subject goal and a reflection goal in the first unit, a reflection goal in each other.
pub(crate) const GOALS: [(GoalId, usize, GoalKind); 4] = [
    (GoalId::from_bytes([0x71; 16]), 0, GoalKind::Subject),
    (GoalId::from_bytes([0x72; 16]), 0, GoalKind::Reflection),
    (GoalId::from_bytes([0x73; 16]), 1, GoalKind::Reflection),
    (GoalId::from_bytes([0x74; 16]), 2, GoalKind::Reflection),
];

const fn unit(year_plan: usize, id: u8) -> UnitRef {
    UnitRef {
        year_plan: YEAR_PLANS[year_plan],
        unit: UnitId::from_bytes([id; 16]),
    }
}

pub(crate) fn evaluation_id(n: u8) -> EvaluationId {
    EvaluationId::from_bytes([0x90 + n; 16])
}

pub(crate) fn talk_id(n: u8) -> TalkId {
    TalkId::from_bytes([0xC0 + n; 16])
}

pub(crate) fn assessment(level: u8, comment: &str) -> Assessment {
    Assessment {
        level: Some(level),
        comment: Some(text(comment)),
    }
}

pub(crate) fn talk(day: i8, notes: &str) -> TalkDetails {
    TalkDetails {
        kind: TalkKind::StudentTalk,
        held_on: date(2026, 11, day),
        notes: text(notes),
        held_by: Default::default(),
    }
}

pub(crate) fn status(words: &str) -> PlanCommand {
    PlanCommand::WriteStatus { text: text(words) }
}

pub(crate) use founding::{scale, team_details};

/// Everything up to a plan with two units of its year plan in it.
pub(crate) fn founding() -> Vec<(Actor, Command)> {
    let people = [
        (STUDENT_ID, "Ida Kjær", Role::Student),
        (TEACHER_ID, "Åse Bach", Role::Teacher),
        (COLLEAGUE_ID, "Bo Dam", Role::Pedagogue),
    ];
    let mut commands = founding::school("Åskolen");
    commands.extend(founding::people(&people));
    commands.push(founding::team("7.b dansk", TEACHER_ID));
    commands.extend(YEAR_PLANS.map(|id| founding::year_plan(id, "Dansk", TEACHER_ID)));
    for (index, unit) in UNITS.into_iter().enumerate() {
        commands.push(founding::unit(unit, &format!("Forløb {index}"), TEACHER_ID));
    }
    let goals = GOALS.map(|(id, unit, kind)| founding::goal(UNITS[unit], id, kind, TEACHER_ID));
    commands.extend(goals);
    let units = &UNITS[..2];
    commands.extend(founding::plan(
        PLAN,
        STUDENT_ID,
        YEAR_PLANS[0],
        TEACHER_ID,
        units,
    ));
    commands
}

/// What a school has recorded. A clone is a moment of it.
#[derive(Clone, Default)]
pub(crate) struct SchoolInMemory {
    memory: Memory,
}

impl SchoolInMemory {
    /// With everything of [`founding`].
    pub(crate) fn new() -> Self {
        let mut school = Self::default();
        for (actor, command) in founding() {
            school.act(actor, &command).unwrap();
        }
        school
    }

    /// Has a command decided and its events folded in.
    pub(crate) fn act(&mut self, actor: Actor, command: &Command) -> Result<Vec<Event>, Refusal> {
        Ok(self.memory.execute(actor, command)?.events)
    }

    /// Has a command on the plan decided, which must be allowed.
    pub(crate) fn on_plan(&mut self, actor: Actor, command: PlanCommand) -> Vec<PlanEvent> {
        plan_events(self.act(actor, &Command::Plan(PLAN, command)).unwrap())
    }

    /// How many events there are: the position of the last.
    pub(crate) fn position(&self) -> Position {
        Position::new(self.memory.recorded().len() as u64)
    }

    pub(crate) fn plan(&self) -> &Plan {
        match self.memory.state(PLAN) {
            Some(Aggregate::Plan(plan)) => plan,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn view(&self, viewer: Viewer) -> Option<PlanView> {
        self.memory.view(PLAN, viewer)
    }

    /// Asks for what is written now to be brought back.
    pub(crate) fn revert_to_here(&self) -> Revert {
        Revert {
            to: self.position(),
            then: WrittenContent::of(self.plan()),
            reason: "skrevet i den forkerte elevs plan".parse().unwrap(),
        }
    }

    pub(crate) fn revert(&mut self, actor: Actor, revert: &Revert) -> Vec<PlanEvent> {
        self.on_plan(actor, PlanCommand::Revert(Box::new(revert.clone())))
    }

    /// What a revert would do.
    pub(crate) fn weigh(&self, actor: Actor, revert: &Revert) -> Reverting {
        let context = Context::new(actor, Memory::NOW);
        revert.weigh(&self.memory, &context, PLAN).unwrap()
    }
}

pub(crate) fn plan_events(events: Vec<Event>) -> Vec<PlanEvent> {
    let events = events.into_iter();
    events
        .map(|event| match event {
            Event::Plan(event) => event,
            other => panic!("{other:?}"),
        })
        .collect()
}
