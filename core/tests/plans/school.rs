//! A school in memory: the rules and nothing else. Commands are decided and their events folded in,
//! each an instant later than the one before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::date;
use planledger_core::domain::institution::{InstitutionCommand, InstitutionDetails};
use planledger_core::domain::person::{Affiliation, PersonCommand, Role};
use planledger_core::domain::plan::{
    Assessment, Plan, PlanCommand, PlanEvent, Revert, Reverting, TalkDetails, TalkKind, UnitRef,
    WrittenContent,
};
use planledger_core::domain::school_year::{SchoolYear, SchoolYearCommand};
use planledger_core::domain::team::{TeamCommand, TeamDetails};
use planledger_core::domain::view::{PlanView, Viewer, plan_view};
use planledger_core::domain::year_plan::{
    GoalArea, GoalDetails, GoalKind, Scale, UnitDetails, WordingChoice, YearPlanCommand,
    YearPlanDetails, YearPlanKind,
};
use planledger_core::domain::{
    Actor, Aggregate, Command, Event, EventMeta, Lookup, Refusal, Stop, World, decide,
};
use planledger_core::ids::{
    EvaluationId, GoalId, InstitutionId, PersonId, PlanId, Position, Revision, SchoolYearId,
    StreamId, SystemId, TalkId, TeamId, UnitId, YearPlanId,
};
use planledger_core::text::Text;
use planledger_core::time::Timestamp;

pub(crate) const SYSTEM: Actor = Actor::System(SystemId::from_bytes([0xAA; 16]));
pub(crate) const STUDENT_ID: PersonId = PersonId::from_bytes([0x31; 16]);
pub(crate) const TEACHER_ID: PersonId = PersonId::from_bytes([0x32; 16]);
pub(crate) const COLLEAGUE_ID: PersonId = PersonId::from_bytes([0x33; 16]);
pub(crate) const STUDENT: Actor = Actor::Person(STUDENT_ID);
pub(crate) const TEACHER: Actor = Actor::Person(TEACHER_ID);
pub(crate) const COLLEAGUE: Actor = Actor::Person(COLLEAGUE_ID);
pub(crate) const PLAN: PlanId = PlanId::from_bytes([0x81; 16]);
pub(crate) const TEAM: TeamId = TeamId::from_bytes([0x41; 16]);
pub(crate) const YEAR_PLANS: [YearPlanId; 2] = [
    YearPlanId::from_bytes([0x51; 16]),
    YearPlanId::from_bytes([0x52; 16]),
];
/// Two units of the first year plan, one of the second.
pub(crate) const UNITS: [UnitRef; 3] = [unit(0, 0x61), unit(0, 0x62), unit(1, 0x63)];
/// A subject goal and a reflection goal in the first unit, a reflection goal in each other.
pub(crate) const GOALS: [(GoalId, usize, GoalKind); 4] = [
    (GoalId::from_bytes([0x71; 16]), 0, GoalKind::Subject),
    (GoalId::from_bytes([0x72; 16]), 0, GoalKind::Reflection),
    (GoalId::from_bytes([0x73; 16]), 1, GoalKind::Reflection),
    (GoalId::from_bytes([0x74; 16]), 2, GoalKind::Reflection),
];
const SCHOOL: InstitutionId = InstitutionId::from_bytes([0x11; 16]);
const YEAR: SchoolYearId = SchoolYearId::from_bytes([0x21; 16]);

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

pub(crate) fn text(text: &str) -> Text {
    text.parse().unwrap()
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
    }
}

pub(crate) fn status(words: &str) -> PlanCommand {
    PlanCommand::WriteStatus { text: text(words) }
}

pub(crate) fn scale() -> Scale {
    Scale {
        title: "Tre trin".parse().unwrap(),
        levels: ["På vej", "Næsten", "I mål"]
            .map(|level| level.parse().unwrap())
            .to_vec(),
    }
}

pub(crate) fn team_details(title: &str) -> TeamDetails {
    TeamDetails {
        institution: SCHOOL,
        school_year: Some(YEAR),
        title: title.parse().unwrap(),
        subject: None,
        code: None,
    }
}

/// Everything up to a plan with two units of its year plan in it.
pub(crate) fn founding() -> Vec<(Actor, Command)> {
    let mut commands = Vec::new();
    let details = InstitutionDetails {
        name: "Åskolen".parse().unwrap(),
        code: None,
    };
    let register = InstitutionCommand::Register(details);
    commands.push((SYSTEM, Command::Institution(SCHOOL, register)));
    let year = SchoolYear {
        title: "2026/27".parse().unwrap(),
        first_day: date(2026, 8, 1),
        last_day: date(2027, 7, 31),
    };
    commands.push((
        SYSTEM,
        Command::SchoolYear(YEAR, SchoolYearCommand::Define(year)),
    ));
    for (id, name, role) in [
        (STUDENT_ID, "Ida Kjær", Role::Student),
        (TEACHER_ID, "Åse Bach", Role::Teacher),
        (COLLEAGUE_ID, "Bo Dam", Role::Pedagogue),
    ] {
        let affiliation = Affiliation {
            institution: SCHOOL,
            role,
            grade: None,
        };
        let put = PersonCommand::Put {
            name: name.parse().unwrap(),
            affiliations: BTreeSet::from([affiliation]),
            departed: false,
        };
        commands.push((SYSTEM, Command::Person(id, put)));
    }
    let create = TeamCommand::Create {
        details: team_details("7.b dansk"),
        owner: Some(TEACHER_ID),
    };
    commands.push((SYSTEM, Command::Team(TEAM, create)));
    for id in YEAR_PLANS {
        commands.push((TEACHER, Command::YearPlan(id, create_year_plan())));
    }
    for (index, unit) in UNITS.iter().enumerate() {
        let add = YearPlanCommand::AddUnit {
            unit: unit.unit,
            details: UnitDetails {
                title: format!("Forløb {index}").parse().unwrap(),
                subject: None,
                description: None,
            },
        };
        commands.push((TEACHER, Command::YearPlan(unit.year_plan, add)));
    }
    for (goal, unit, kind) in GOALS {
        let add = YearPlanCommand::AddGoal {
            unit: UNITS[unit].unit,
            goal,
            details: GoalDetails {
                kind,
                area: GoalArea::Academic,
                wording: WordingChoice::Own {
                    text: text("Jeg læser med lyst"),
                },
                scale: scale(),
            },
        };
        commands.push((TEACHER, Command::YearPlan(UNITS[unit].year_plan, add)));
    }
    let open = PlanCommand::Open {
        student: STUDENT_ID,
        year_plan: YEAR_PLANS[0],
        owner: None,
    };
    for command in [
        open,
        PlanCommand::IncludeUnit(UNITS[0]),
        PlanCommand::IncludeUnit(UNITS[1]),
    ] {
        commands.push((TEACHER, Command::Plan(PLAN, command)));
    }
    commands
}

fn create_year_plan() -> YearPlanCommand {
    YearPlanCommand::Create {
        details: YearPlanDetails {
            kind: YearPlanKind::Subject,
            institution: SCHOOL,
            team: TEAM,
            school_year: YEAR,
            title: "Dansk".parse().unwrap(),
            subjects: BTreeSet::from(["Dansk".parse().unwrap()]),
        },
        owner: TEACHER_ID,
    }
}

/// What a school has recorded. A clone is a moment of it.
#[derive(Clone, Default)]
pub(crate) struct School {
    streams: BTreeMap<StreamId, (Arc<Aggregate>, Revision)>,
    events: u64,
}

impl World for School {
    fn aggregate(&self, stream: StreamId) -> Lookup<Arc<Aggregate>> {
        match self.streams.get(&stream) {
            Some((state, _)) => Lookup::Found(state.clone()),
            None => Lookup::Absent,
        }
    }

    fn plan_of(&self, student: PersonId, year_plan: YearPlanId) -> Lookup<PlanId> {
        let found = self.streams.iter().find(|(_, (state, _))| {
            matches!(&**state, Aggregate::Plan(plan)
                if plan.student == student && plan.year_plan == year_plan)
        });
        match found {
            Some((stream, _)) => Lookup::Found(PlanId::from_uuid(stream.id)),
            None => Lookup::Absent,
        }
    }
}

impl School {
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
        let decision = match decide(self, &actor.into(), command) {
            Ok(decision) => decision,
            Err(Stop::Refused(refusal)) => return Err(refusal),
            Err(Stop::Needs(missing)) => panic!("everything is in memory, but not {missing:?}"),
        };
        let stream = decision.stream;
        for event in &decision.events {
            self.events += 1;
            let (state, revision) = match self.streams.remove(&stream) {
                Some((state, revision)) => (Some(Arc::unwrap_or_clone(state)), revision.next()),
                None => (None, Revision::new(1)),
            };
            let meta = EventMeta {
                stream,
                revision,
                recorded_at: Timestamp::from_nanos(1_800_000_000_000_000_000 + self.events),
                actor,
            };
            let mut state = state;
            Aggregate::apply(&mut state, &meta, event);
            self.streams
                .insert(stream, (Arc::new(state.unwrap()), revision));
        }
        Ok(decision.events)
    }

    /// Has a command on the plan decided, which must be allowed.
    pub(crate) fn on_plan(&mut self, actor: Actor, command: PlanCommand) -> Vec<PlanEvent> {
        plan_events(self.act(actor, &Command::Plan(PLAN, command)).unwrap())
    }

    /// How many events there are: the position of the last.
    pub(crate) fn position(&self) -> Position {
        Position::new(self.events)
    }

    pub(crate) fn plan(&self) -> &Plan {
        match &*self.streams[&StreamId::from(PLAN)].0 {
            Aggregate::Plan(plan) => plan,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn view(&self, viewer: Viewer) -> Option<PlanView> {
        plan_view(self, PLAN, viewer).unwrap()
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
        revert.weigh(self, &actor.into(), PLAN).unwrap()
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
