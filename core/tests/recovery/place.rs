//! A school in a ledger on a disk that can be cut off.

use planledger_fixtures::commands;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use planledger_core::domain::institution::InstitutionCommand;
use planledger_core::domain::person::{PersonCommand, Role};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::recovery::Recovery;
use planledger_core::domain::school_year::SchoolYearCommand;
use planledger_core::domain::team::{StaffRole, TeamCommand};
use planledger_core::domain::year_plan::{GoalKind, YearPlanCommand};
use planledger_core::domain::{Actor, Aggregate, Command, Refusal, Stop};
use planledger_core::ids::{
    CommandId, EvaluationId, GoalId, InstitutionId, LedgerId, PersonId, PlanId, RecoveryId,
    StreamId, TeamId, YearPlanId,
};
use planledger_core::journal::FaultyDisk;
use planledger_core::ledger::{Envelope, ExecuteError, Ledger, Receipt};
use planledger_core::recovery::{
    self, Fallback, Proposal, RecoveryRequest, Restore, RestoreItem, Rule, Transfer, What, run,
};
pub(crate) use planledger_fixtures::place::events;
use planledger_fixtures::place::{self, numbered};
use planledger_fixtures::school::*;
use planledger_fixtures::{ActsAs, IntoCommand, founding as founded};

const LEDGER: LedgerId = LedgerId::from_bytes([0x77; 16]);
pub(crate) const RECOVERY: RecoveryId = RecoveryId::from_bytes([0xE1; 16]);

/// Works at the school; on no team's staff unless a test says so.
pub(crate) const STEADY: PersonId = PersonId::from_bytes([0x38; 16]);
/// Works at the other school.
pub(crate) const ELSEWHERE: PersonId = PersonId::from_bytes([0x39; 16]);
/// A leader with a higher id.
pub(crate) const DEPUTY: PersonId = PersonId::from_bytes([0x3A; 16]);

pub(crate) const TEAMS: [TeamId; 2] = [TEAM, TeamId::from_bytes([0x42; 16])];
pub(crate) const YEAR_PLANS: [YearPlanId; 2] = [YEAR_PLAN, OTHER_YEAR_PLAN];
/// Two on the first year plan, one on the second.
pub(crate) const PLANS: [PlanId; 3] = [PLAN, OTHER_PLAN, PlanId::from_bytes([0x83; 16])];

pub(crate) struct FaultyLedger {
    place: place::TempLedger,
    pub(crate) disk: FaultyDisk,
    commands: AtomicU64,
}

impl FaultyLedger {
    pub(crate) fn new() -> Self {
        Self {
            place: place::TempLedger::repeatable(),
            disk: FaultyDisk::new(),
            commands: AtomicU64::new(1),
        }
    }

    /// With the [`school`](Self::school) in it.
    pub(crate) fn with_school() -> (Self, Ledger) {
        let place = Self::new();
        let ledger = place.school();
        (place, ledger)
    }

    pub(crate) fn open(&self) -> Ledger {
        let log = place::open_journal(self.disk.clone(), LEDGER);
        Ledger::open_on(self.place.options(), Arc::new(log)).unwrap()
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.place.path()
    }

    /// What a kill in the middle leaves: what was derived is gone too.
    pub(crate) fn forget_derived(&self) {
        std::fs::remove_dir_all(self.place.derived()).unwrap();
    }

    pub(crate) fn tries(
        &self,
        ledger: &Ledger,
        actor: impl ActsAs,
        command: impl IntoCommand,
    ) -> Result<Receipt, Refusal> {
        let number = self.commands.fetch_add(1, Ordering::Relaxed);
        let id = CommandId::from_bytes(numbered(0x55, number));
        let envelope = Envelope::new(id, command.into_command());
        match ledger.execute(actor.actor(), envelope) {
            Ok(receipt) => Ok(receipt),
            Err(ExecuteError::Refused { refusal, .. }) => Err(refusal),
            Err(error) => panic!("{error}"),
        }
    }

    #[track_caller]
    pub(crate) fn does(&self, ledger: &Ledger, actor: impl ActsAs, command: impl IntoCommand) {
        self.tries(ledger, actor, command).unwrap();
    }

    /// A school with two teams, a year plan each, and three plans; the teacher owns all of it.
    pub(crate) fn school(&self) -> Ledger {
        let ledger = self.open();
        for (actor, command) in founding() {
            self.does(&ledger, actor, command);
        }
        ledger
    }

    pub(crate) fn departs(&self, ledger: &Ledger, person: PersonId) {
        let (on, reason) = (None, None);
        self.does(
            ledger,
            SYSTEM,
            (person, PersonCommand::Depart { on, reason }),
        );
    }

    pub(crate) fn deletes_everything(&self, ledger: &Ledger) {
        let reason = why("Rydder op");
        for year_plan in YEAR_PLANS {
            let (unit, reason) = (UNIT, reason.clone());
            let delete = YearPlanCommand::DeleteUnit { unit, reason };
            self.does(ledger, TEACHER, (year_plan, delete));
        }
        for id in YEAR_PLANS {
            let reason = reason.clone();
            self.does(ledger, TEACHER, (id, YearPlanCommand::Delete { reason }));
        }
        for id in TEAMS {
            let reason = reason.clone();
            self.does(ledger, TEACHER, (id, TeamCommand::Delete { reason }));
        }
    }

    /// An evaluation in a plan, by somebody.
    pub(crate) fn evaluates(&self, ledger: &Ledger, actor: PersonId, plan: PlanId, times: u8) {
        let year_plan = match plan == PLANS[2] {
            true => YEAR_PLANS[1],
            false => YEAR_PLANS[0],
        };
        for _ in 0..times {
            let number = self.commands.load(Ordering::Relaxed);
            let record = commands::record_evaluation(
                EvaluationId::from_bytes(numbered(0x91, number)),
                unit_in(year_plan, UNIT),
                SUBJECT_GOAL,
                level(2),
            );
            self.does(ledger, actor, (plan, record));
        }
    }
}

pub(crate) fn people() -> Vec<(Actor, Command)> {
    let mut commands = Vec::new();
    let mut add = |command| commands.push((SYSTEM, command));
    for id in [SCHOOL, OTHER_SCHOOL] {
        let details = institution_details("Skolen");
        add(Command::Institution(
            id,
            InstitutionCommand::Register(details),
        ));
    }
    let define = SchoolYearCommand::Define(school_year());
    add(Command::SchoolYear(YEAR, define));
    for (id, institution, role) in [
        (STUDENT, SCHOOL, Role::Student),
        (CLASSMATE, SCHOOL, Role::Student),
        (TEACHER, SCHOOL, Role::Teacher),
        (PEDAGOGUE, SCHOOL, Role::Pedagogue),
        (LEADER, SCHOOL, Role::Leader),
        (DEPUTY, SCHOOL, Role::Leader),
        (CLERK, SCHOOL, Role::Other),
        (STEADY, SCHOOL, Role::Teacher),
        (ELSEWHERE, OTHER_SCHOOL, Role::Teacher),
    ] {
        add(Command::Person(id, put_person(institution, role)));
    }
    commands
}

pub(crate) fn put_person(institution: InstitutionId, role: Role) -> PersonCommand {
    founded::put_person("Nogen", institution, role)
}

pub(crate) fn put_team(
    title_: &str,
    subject: &str,
    staff: &[PersonId],
    owner: PersonId,
) -> TeamCommand {
    let staff = staff.iter().map(|id| (*id, StaffRole::Teacher));
    TeamCommand::Put {
        details: planledger_core::domain::team::TeamDetails {
            title: title(title_),
            subject: Some(name(subject)),
            ..team_details()
        },
        members: BTreeSet::from([STUDENT, CLASSMATE]),
        staff: staff.collect::<BTreeMap<_, _>>(),
        owner: Some(owner),
        closed: false,
        source: None,
    }
}

/// A year plan of a team with one unit and one goal in it.
pub(crate) fn year_plan(
    id: YearPlanId,
    team: TeamId,
    subject: &str,
    goal: GoalId,
    owner: PersonId,
) -> Vec<(Actor, Command)> {
    let details = planledger_core::domain::year_plan::YearPlanDetails {
        team,
        title: title(subject),
        subjects: BTreeSet::from([name(subject)]),
        ..subject_year_plan()
    };
    let unit = planledger_core::domain::year_plan::UnitDetails {
        subject: None,
        ..unit_details("Forløb")
    };
    [
        YearPlanCommand::Create { details, owner },
        commands::add_unit(UNIT, unit),
        commands::add_goal(
            UNIT,
            goal,
            chosen_goal(GoalKind::Subject, "Kan finde temaet"),
        ),
    ]
    .map(|command| (owner.actor(), Command::YearPlan(id, command)))
    .into()
}

/// A plan that everybody may see, with the unit of its year plan.
pub(crate) fn plan(
    id: PlanId,
    student: PersonId,
    year_plan: YearPlanId,
    owner: PersonId,
) -> Vec<(Actor, Command)> {
    use planledger_core::domain::plan::{Audience, Section, UnitRef};
    let open = commands::open_plan(student, year_plan, None);
    let (unit, audience) = (UNIT, Audience::Guardians);
    [
        open,
        PlanCommand::IncludeUnit(UnitRef { year_plan, unit }),
        PlanCommand::WriteStatus {
            text: text("Læser gerne"),
        },
        PlanCommand::ShowSection {
            section: Section::Status,
        },
        PlanCommand::Share,
        commands::set_visibility(audience, true),
    ]
    .map(|command| (owner.actor(), Command::Plan(id, command)))
    .into()
}

fn founding() -> Vec<(Actor, Command)> {
    let mut commands = people();
    for (team, subject, staff) in [
        (TEAMS[0], "Dansk", vec![TEACHER, PEDAGOGUE, STEADY]),
        (TEAMS[1], "Matematik", vec![TEACHER]),
    ] {
        let put = put_team(subject, subject, &staff, TEACHER);
        commands.push((SYSTEM, Command::Team(team, put)));
    }
    commands.extend(year_plan(
        YEAR_PLANS[0],
        TEAMS[0],
        "Dansk",
        SUBJECT_GOAL,
        TEACHER,
    ));
    commands.extend(year_plan(
        YEAR_PLANS[1],
        TEAMS[1],
        "Matematik",
        SUBJECT_GOAL,
        TEACHER,
    ));
    commands.extend(plan(PLANS[0], STUDENT, YEAR_PLANS[0], TEACHER));
    commands.extend(plan(PLANS[1], CLASSMATE, YEAR_PLANS[0], TEACHER));
    commands.extend(plan(PLANS[2], STUDENT, YEAR_PLANS[1], TEACHER));
    commands
}

/// Everything that the teacher owns, in the order of proposals.
pub(crate) fn everything() -> Vec<StreamId> {
    let teams = TEAMS.map(StreamId::from).into_iter();
    let year_plans = YEAR_PLANS.map(StreamId::from);
    teams
        .chain(year_plans)
        .chain(PLANS.map(StreamId::from))
        .collect()
}

pub(crate) fn all_to(of: PersonId, to: PersonId) -> RecoveryRequest {
    by_rule(of, Rule::To(to), Fallback::Nobody)
}

pub(crate) fn by_rule(of: PersonId, rule: Rule, fallback: Fallback) -> RecoveryRequest {
    let institution = None;
    RecoveryRequest::Transfer(Transfer {
        what: What::Everything { of, institution },
        rule,
        fallback,
        reason: why("Fratrådt"),
    })
}

pub(crate) fn restore(what: Vec<RestoreItem>, give_to: Option<PersonId>) -> RecoveryRequest {
    RecoveryRequest::Restore(Restore {
        what,
        give_to,
        reason: why("Slettet ved en fejl"),
    })
}

pub(crate) fn dry_run(ledger: &Ledger, wish: &RecoveryRequest) -> Result<Proposal, Refusal> {
    match ledger.read(|reading| recovery::propose(reading, wish, &BTreeSet::new())) {
        Ok((proposal, _)) => Ok(proposal),
        Err(Stop::Refused(refusal)) => Err(refusal),
        Err(Stop::Unread(error)) => panic!("{error}"),
    }
}

/// Begins what a wish comes to at this moment.
#[track_caller]
pub(crate) fn begin(
    ledger: &Ledger,
    actor: impl ActsAs,
    id: RecoveryId,
    wish: &RecoveryRequest,
) -> u32 {
    let digest = dry_run(ledger, wish).unwrap().digest;
    let who = (actor.actor(), None);
    let begun = recovery::start(ledger, who, id, wish, &BTreeSet::new(), digest).unwrap();
    begun.steps
}

/// Begins what a leader wishes, and does it.
#[track_caller]
pub(crate) fn carry_out(ledger: &Ledger, wish: &RecoveryRequest) -> Recovery {
    begin(ledger, LEADER, RECOVERY, wish);
    run(ledger, RECOVERY, &mut |_| {}).unwrap()
}

/// Both teams, with what hangs on them.
pub(crate) fn teams_with_contents() -> Vec<RestoreItem> {
    TEAMS.map(|team| team_back(team, true)).into()
}

pub(crate) fn team_back(team: TeamId, with_contents: bool) -> RestoreItem {
    RestoreItem::Team {
        team,
        with_contents,
    }
}

pub(crate) fn state(ledger: &Ledger, stream: impl Into<StreamId>) -> Aggregate {
    let stream = stream.into();
    let (found, _) = ledger.read(|reading| reading.stream(stream)).unwrap();
    (*found.unwrap().0).clone()
}

pub(crate) fn owner(ledger: &Ledger, stream: StreamId) -> Option<PersonId> {
    match state(ledger, stream) {
        Aggregate::Team(team) => team.owner,
        Aggregate::YearPlan(plan) => Some(plan.owner),
        Aggregate::Plan(plan) => Some(plan.owner),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn owners(ledger: &Ledger) -> Vec<Option<PersonId>> {
    let streams = everything().into_iter();
    streams.map(|stream| owner(ledger, stream)).collect()
}

/// What the events say, without when they were recorded.
pub(crate) fn said(ledger: &Ledger) -> Vec<(StreamId, CommandId, Actor, String)> {
    let events = events(ledger).into_iter();
    events
        .map(|event| {
            let payload = format!("{:?}", event.payload);
            (event.stream, event.command, event.actor, payload)
        })
        .collect()
}
