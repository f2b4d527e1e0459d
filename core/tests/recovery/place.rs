//! A ledger with a school in which things can change hands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use planledger_core::domain::institution::InstitutionCommand;
use planledger_core::domain::person::{PersonCommand, Role};
use planledger_core::domain::plan::{PlanCommand, PlanEvent};
use planledger_core::domain::school_year::SchoolYearCommand;
use planledger_core::domain::team::{StaffRole, TeamCommand, TeamEvent};
use planledger_core::domain::year_plan::{YearPlanCommand, YearPlanDetails, YearPlanEvent};
use planledger_core::domain::{Actor, Aggregate, Command, Event, Refusal};
use planledger_core::ids::{
    CommandId, InstitutionId, LedgerId, PersonId, PlanId, Position, RecoveryId, StreamId, TeamId,
    YearPlanId,
};
use planledger_core::journal::{FaultyDisk, OpenError, PowerCut, SegmentLog, SegmentOptions};
use planledger_core::ledger::{
    Envelope, EventFilter, ExecuteError, Ledger, Options, Passed, Payload, Reading, RecordedEvent,
};
use planledger_core::recovery::{self, Proposal, Rule, Transfer, What, Wish};
use planledger_core::seal::MasterKey;
use planledger_core::time::{Clock, Entropy, Timestamp};

use crate::common::repeatable;
use crate::common::school::*;

const LEDGER: LedgerId = LedgerId::from_bytes([0x77; 16]);
const CREATED: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);
pub(crate) const TEAMS: u8 = 3;
pub(crate) const SUCCESSOR: PersonId = PersonId::from_bytes([0x3A; 16]);
/// Works at another institution.
pub(crate) const STRANGER: PersonId = PersonId::from_bytes([0x3B; 16]);

pub(crate) fn team(n: u8) -> TeamId {
    TeamId::from_bytes([0x40 + n; 16])
}

pub(crate) fn year_plan(n: u8) -> YearPlanId {
    YearPlanId::from_bytes([0x50 + n; 16])
}

pub(crate) fn student(n: u8) -> PersonId {
    PersonId::from_bytes([0x20 + n; 16])
}

/// The plan of the nth student on the nth team's year plan.
pub(crate) fn plan_of(of_team: u8, of_student: u8) -> PlanId {
    PlanId::from_bytes([0x80 + of_team * 2 + of_student; 16])
}

pub(crate) fn recovery_id(n: u8) -> RecoveryId {
    RecoveryId::from_bytes([0xE0 + n; 16])
}

fn fresh_id() -> CommandId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0x99; 16];
    bytes[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    CommandId::from_bytes(bytes)
}

/// Where a ledger is: its journal on a disk that a machine can take along, what is derived in a
/// directory.
pub(crate) struct Place {
    dir: tempfile::TempDir,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    disk: FaultyDisk,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: Arc::new(repeatable::clock(CREATED)),
            entropy: Arc::new(repeatable::entropy()),
            disk: FaultyDisk::new(),
        }
    }

    pub(crate) fn open(&self) -> Ledger {
        let how = SegmentOptions::default();
        let disk = || Arc::new(self.disk.clone());
        let log = match SegmentLog::open(disk(), how) {
            Err(OpenError::Empty) => SegmentLog::create(disk(), LEDGER, CREATED, how),
            opened => opened,
        };
        let options = Options {
            dir: self.dir.path().to_owned(),
            master: MasterKey::from_bytes([7; 32]),
            recovery: None,
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            progress: None,
        };
        Ledger::open_on(options, Arc::new(log.unwrap())).unwrap()
    }

    /// The machine loses its power and starts again: what was not synced is gone.
    pub(crate) fn reboot(&mut self) {
        self.disk = self.disk.reboot(PowerCut::LosesAll);
    }

    /// What is derived is gone when the ledger is opened next.
    pub(crate) fn forget(&self) {
        std::fs::remove_dir_all(self.dir.path().join("derived")).unwrap();
    }
}

pub(crate) fn does(ledger: &Ledger, command: Command) {
    ledger
        .execute(SYSTEM, Envelope::new(fresh_id(), command))
        .unwrap();
}

/// Asks for something that may be refused.
pub(crate) fn tries(ledger: &Ledger, command: Command) -> Result<(), Refusal> {
    match ledger.execute(SYSTEM, Envelope::new(fresh_id(), command)) {
        Ok(_) => Ok(()),
        Err(ExecuteError::Refused { refusal, .. }) => Err(refusal),
        Err(error) => panic!("{error}"),
    }
}

/// Everybody who could own something.
const STAFF: [PersonId; 5] = [TEACHER, PEDAGOGUE, SUCCESSOR, LEADER, STRANGER];

fn put(id: PersonId, at: InstitutionId, role: Role) -> Command {
    let put = PersonCommand::Put {
        name: name("Nogen"),
        affiliations: [affiliation(at, role)].into(),
        departed: false,
    };
    Command::Person(id, put)
}

/// Three teams of the teacher's, each with a year plan and the plans of two students.
pub(crate) fn found(ledger: &Ledger) {
    for school in [SCHOOL, OTHER_SCHOOL] {
        let details = institution_details("Skolen");
        does(
            ledger,
            Command::Institution(school, InstitutionCommand::Register(details)),
        );
    }
    let year = SchoolYearCommand::Define(school_year());
    does(ledger, Command::SchoolYear(YEAR, year));
    for (id, at, role) in [
        (TEACHER, SCHOOL, Role::Teacher),
        (PEDAGOGUE, SCHOOL, Role::Pedagogue),
        (SUCCESSOR, SCHOOL, Role::Teacher),
        (LEADER, SCHOOL, Role::Leader),
        (STRANGER, OTHER_SCHOOL, Role::Teacher),
        (student(0), SCHOOL, Role::Student),
        (student(1), SCHOOL, Role::Student),
    ] {
        does(ledger, put(id, at, role));
    }
    for n in 0..TEAMS {
        let create = TeamCommand::Create {
            details: team_details(),
            owner: Some(TEACHER),
        };
        let staff = TeamCommand::AddStaff {
            person: PEDAGOGUE,
            role: StaffRole::Pedagogue,
        };
        let course = YearPlanCommand::Create {
            details: YearPlanDetails {
                team: team(n),
                ..subject_year_plan()
            },
            owner: TEACHER,
        };
        let unit = YearPlanCommand::AddUnit {
            unit: UNIT,
            details: unit_details("Noveller"),
        };
        does(ledger, Command::Team(team(n), create));
        does(ledger, Command::Team(team(n), staff));
        does(ledger, Command::YearPlan(year_plan(n), course));
        does(ledger, Command::YearPlan(year_plan(n), unit));
        for of in 0..2 {
            let open = PlanCommand::Open {
                student: student(of),
                year_plan: year_plan(n),
                owner: None,
            };
            let write = PlanCommand::WriteStatus {
                text: text("Læser"),
            };
            does(ledger, Command::Plan(plan_of(n, of), open));
            does(ledger, Command::Plan(plan_of(n, of), write));
        }
    }
}

/// Everything that can be owned there.
pub(crate) fn things() -> Vec<StreamId> {
    let mut things = Vec::new();
    for n in 0..TEAMS {
        let plans: [StreamId; 2] = [plan_of(n, 0).into(), plan_of(n, 1).into()];
        things.push(team(n).into());
        things.push(year_plan(n).into());
        things.extend(plans);
    }
    things
}

/// Everything of the teacher's goes to somebody.
pub(crate) fn everything_to(rule: Rule) -> Wish {
    Wish::Transfer(Transfer {
        what: What::Everything {
            of: TEACHER,
            institution: None,
        },
        rule,
        fallback: recovery::Fallback::Nobody,
        reason: why("Fratrådt"),
    })
}

pub(crate) fn propose(ledger: &Ledger, wish: &Wish) -> Result<Proposal, Refusal> {
    ledger
        .read(|reading| recovery::propose(reading, wish))
        .unwrap()
        .0
}

/// Who owns each thing.
pub(crate) fn owners(ledger: &Ledger) -> BTreeMap<StreamId, Option<PersonId>> {
    let all = |reading: &Reading<'_>| {
        let mut owners = BTreeMap::new();
        for stream in things() {
            let owned = recovery::describe(reading, stream)?.unwrap();
            owners.insert(stream, owned.owner);
        }
        Ok(owners)
    };
    ledger.read(all).unwrap().0
}

pub(crate) fn events(ledger: &Ledger) -> Vec<RecordedEvent> {
    let mut events = Vec::new();
    for passed in ledger.events(Position::ZERO, EventFilter::default()) {
        if let Passed::Event(event) = passed.unwrap() {
            events.push(event);
        }
    }
    events
}

/// Asserts what holds however things change hands: each step took from whom it said; nothing is in two
/// hands; what nobody owns is listed, and nothing else.
pub(crate) fn check(ledger: &Ledger) {
    let mut then: BTreeMap<StreamId, Option<PersonId>> = BTreeMap::new();
    for recorded in events(ledger) {
        let stream = recorded.stream;
        let mut changes = |from: Option<PersonId>, to: Option<PersonId>| {
            assert_eq!(then.insert(stream, to), Some(from), "{stream}");
        };
        let Payload::Json(json) = &recorded.payload else {
            panic!("{recorded:?}");
        };
        let code = recorded.event_type.unwrap().code;
        match &Event::from_json(code, recorded.schema, json).unwrap() {
            Event::Team(TeamEvent::OwnershipTransferred { from, to, .. }) => {
                changes(*from, Some(*to))
            }
            Event::Team(TeamEvent::OwnershipGivenUp { from, .. }) => changes(Some(*from), None),
            Event::YearPlan(YearPlanEvent::OwnershipTransferred { from, to, .. })
            | Event::Plan(PlanEvent::OwnershipTransferred { from, to, .. }) => {
                changes(Some(*from), Some(*to));
            }
            Event::Team(TeamEvent::Created { owner, .. }) => drop(then.insert(stream, *owner)),
            Event::YearPlan(YearPlanEvent::Created { owner, .. })
            | Event::Plan(PlanEvent::Opened { owner, .. }) => {
                then.insert(stream, Some(*owner));
            }
            _ => {}
        }
    }
    assert_eq!(owners(ledger), then);
    let lists = |reading: &Reading<'_>| {
        let mut listed = BTreeMap::new();
        let mut gone = BTreeSet::new();
        for id in STAFF {
            for stream in recovery::owned(reading, id)? {
                assert_eq!(
                    listed.insert(stream, Some(id)),
                    None,
                    "{stream} in two hands"
                );
            }
            let found = reading.stream(id)?.unwrap().0;
            if let Aggregate::Person(person) = &*found
                && person.departed.is_some()
            {
                gone.insert(id);
            }
        }
        let ownerless = recovery::ownerless(reading, SCHOOL)?;
        Ok((listed, gone, ownerless))
    };
    let ((listed, gone, ownerless), _) = ledger.read(lists).unwrap();
    let owned = then.iter().filter(|(_, owner)| owner.is_some());
    assert!(listed.iter().eq(owned));
    let without = then
        .iter()
        .filter(|(_, owner)| owner.is_none_or(|it| gone.contains(&it)));
    assert!(ownerless.iter().eq(without.map(|(stream, _)| stream)));
}

/// Has somebody act.
pub(crate) fn does_as(ledger: &Ledger, actor: Actor, command: Command) {
    ledger
        .execute(actor, Envelope::new(fresh_id(), command))
        .unwrap();
}

/// Notes that somebody has left.
pub(crate) fn depart(ledger: &Ledger, who: PersonId) {
    let depart = PersonCommand::Depart {
        on: None,
        reason: None,
    };
    does(ledger, Command::Person(who, depart));
}
