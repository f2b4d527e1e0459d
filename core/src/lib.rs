//! The planledger library: student plans recorded in an append-only journal.
//!
//! A [`Ledger`](ledger::Ledger) lives in a directory. It takes commands, records what comes of them
//! as events, gives a receipt once they are on stable storage, and shows plans as they are or as
//! they were at any earlier position. It needs no service and no async runtime, and reads neither
//! clock nor randomness of its own.
//!
//! ```
//! use planledger_core::domain::plan::PlanCommand::{Open, Share, WriteStatus};
//! use planledger_core::domain::view::{PlanView, Viewer, plan_view};
//! use planledger_core::domain::{Actor, Command};
//! use planledger_core::ids::{CommandId, PlanId, Position};
//! use planledger_core::ledger::{Envelope, EventFilter, Ledger, Options, Passed};
//! use planledger_core::seal::MasterKey;
//! # use planledger_core::ids::{InstitutionId, PersonId, SchoolYearId, TeamId, YearPlanId};
//! # use planledger_core::time::Timestamp;
//! # use std::time::SystemTime;
//! # const STUDENT: PersonId = PersonId::from_bytes([1; 16]);
//! # const OWNER: PersonId = PersonId::from_bytes([2; 16]);
//! # const TEACHER: Actor = Actor::Person(OWNER);
//! # const YEAR_PLAN: YearPlanId = YearPlanId::from_bytes([3; 16]);
//! # const PLAN: PlanId = PlanId::from_bytes([4; 16]);
//! # fn now() -> Timestamp {
//! #     let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
//! #     Timestamp::from_nanos(since.unwrap_or_default().as_nanos() as u64)
//! # }
//! # fn random(bytes: &mut [u8]) -> std::io::Result<()> {
//! #     Ok(getrandom::fill(bytes)?)
//! # }
//! # fn a_school_with_a_year_plan() -> Result<Vec<Command>, Box<dyn std::error::Error>> {
//! #     use planledger_core::domain::institution::{InstitutionCommand, InstitutionDetails};
//! #     use planledger_core::domain::person::{Affiliation, PersonCommand, Role};
//! #     use planledger_core::domain::school_year::{SchoolYear, SchoolYearCommand};
//! #     use planledger_core::domain::team::{TeamCommand, TeamDetails};
//! #     use planledger_core::domain::year_plan::{YearPlanCommand, YearPlanDetails, YearPlanKind};
//! #     let institution = InstitutionId::from_bytes([5; 16]);
//! #     let school_year = SchoolYearId::from_bytes([6; 16]);
//! #     let team = TeamId::from_bytes([7; 16]);
//! #     let details = InstitutionDetails { name: "Nordvestskolen".parse()?, code: None };
//! #     let year = SchoolYear {
//! #         title: "2026/27".parse()?,
//! #         first_day: "2026-08-01".parse()?,
//! #         last_day: "2027-07-31".parse()?,
//! #     };
//! #     let person = |id, name: &str, role| -> Result<_, planledger_core::text::TextError> {
//! #         let affiliations = [Affiliation { institution, role, grade: None }].into();
//! #         let put = PersonCommand::Put { name: name.parse()?, affiliations, departed: false, record: None };
//! #         Ok(Command::Person(id, put))
//! #     };
//! #     let team_details = TeamDetails {
//! #         institution,
//! #         school_year: Some(school_year),
//! #         title: "7.b".parse()?,
//! #         subject: None,
//! #         code: None,
//! #     };
//! #     let year_plan_details = YearPlanDetails {
//! #         kind: YearPlanKind::Subject,
//! #         institution,
//! #         team,
//! #         school_year,
//! #         title: "Dansk i 7.b".parse()?,
//! #         subjects: ["Dansk".parse()?].into(),
//! #     };
//! #     let create = YearPlanCommand::Create { details: year_plan_details, owner: OWNER };
//! #     Ok(vec![
//! #         Command::Institution(institution, InstitutionCommand::Register(details)),
//! #         Command::SchoolYear(school_year, SchoolYearCommand::Define(year)),
//! #         person(STUDENT, "En elev", Role::Student)?,
//! #         person(OWNER, "En lærer", Role::Teacher)?,
//! #         Command::Team(team, TeamCommand::Create { details: team_details, owner: None }),
//! #         Command::YearPlan(YEAR_PLAN, create),
//! #     ])
//! # }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let (dir, master) = (dir.path(), MasterKey::from_bytes([7; 32]));
//! // `now` and `random` are functions of yours, over the system's clock and randomness.
//! let ledger = Ledger::open(Options::new(dir, master, now, random))?;
//! let ask = |command| {
//!     let mut id = [0; 16];
//!     random(&mut id).expect("the system has randomness");
//!     ledger.execute(TEACHER, Envelope::new(CommandId::from_bytes(id), command))
//! };
//! for command in a_school_with_a_year_plan()? {
//!     ask(command)?;
//! }
//! let (student, year_plan, owner) = (STUDENT, YEAR_PLAN, None);
//! ask(Command::Plan(PLAN, Open { student, year_plan, owner }))?;
//! let text = "Læser flydende".parse()?;
//! let receipt = ask(Command::Plan(PLAN, WriteStatus { text }))?;
//! let text = "Læser flydende og gerne".parse()?;
//! ask(Command::Plan(PLAN, WriteStatus { text }))?;
//!
//! // The plan as it is, and as it was when the first status was written.
//! let status = |plan: Option<PlanView>| Some(plan?.status?.text.to_string());
//! let (now, _) = ledger.read(|at| plan_view(at, PLAN, Viewer::Staff))?;
//! assert_eq!(status(now).as_deref(), Some("Læser flydende og gerne"));
//! let (then, _) = ledger.read_at(receipt.position, |at| plan_view(at, PLAN, Viewer::Staff))?;
//! assert_eq!(status(then).as_deref(), Some("Læser flydende"));
//!
//! // Its events: those that are there, then those that come.
//! let filter = EventFilter { streams: vec![PLAN.into()], ..EventFilter::default() };
//! let passed = ledger.events(Position::ZERO, filter);
//! let mut events = passed.filter(|passed| matches!(passed, Ok(Passed::Event(_))));
//! assert_eq!(events.by_ref().count(), 3);
//! ask(Command::Plan(PLAN, Share))?;
//! assert_eq!(events.count(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! Where to read on: [`domain`] for the rules, [`ledger`] for the engine, [`journal`] for what is on
//! disk, [`seal`] for how it is encrypted. `core/DESIGN.md` has every byte of it.

pub mod access;
pub mod access_log;
pub mod audit;
pub mod backup;
pub mod carry;
pub mod derived;
pub mod doctor;
pub mod domain;
pub mod entry;
pub mod few;
pub mod heads;
pub mod hex;
pub mod ids;
pub mod journal;
pub mod ledger;
pub mod merkle;
pub mod monitor;
pub mod notary;
pub mod note;
pub mod overview;
pub mod recovery;
pub mod retention;
pub mod seal;
pub mod tally;
pub mod text;
pub mod time;
pub mod tlog;
#[cfg(feature = "turns")]
pub mod turns;
pub mod verify;

mod actor;
#[cfg(test)]
mod counting;
mod disk;
mod fields;
mod guarded;
mod hash;
mod origin;
mod read_error;
#[cfg(not(feature = "turns"))]
#[allow(unreachable_pub, reason = "simulations see it, with the feature")]
mod turns;
