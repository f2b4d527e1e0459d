//! A served ledger with one plan.

use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::date;
use planledger::client::Client;
use planledger::server::Server;
use planledger::server::auth::Development;
use planledger_core::domain::person::Role;
use planledger_core::domain::plan::{Assessment, PlanCommand, TalkDetails, TalkKind, UnitRef};
use planledger_core::domain::school_year::SchoolYear;
use planledger_core::domain::year_plan::GoalKind;
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{CommandId, GoalId};
use planledger_core::ledger::{Envelope, Ledger, Receipt};
use planledger_core::time::Timestamp;
use planledger_fixtures::place::{StandingClock, TempLedger, command_id};
use planledger_fixtures::school::{SUBJECT_GOAL, THE_UNIT};
use planledger_fixtures::{commands, founding};
use tokio::runtime::Runtime;

pub(crate) use planledger_fixtures::school::{
    EVALUATION, PEDAGOGUE as COLLEAGUE_ID, PLAN, STUDENT as STUDENT_ID, TALK,
    TEACHER as TEACHER_ID, TEAM, YEAR_PLAN,
};

pub(crate) const STUDENT: Actor = Actor::Person(STUDENT_ID);
pub(crate) const TEACHER: Actor = Actor::Person(TEACHER_ID);
pub(crate) const UNIT: UnitRef = THE_UNIT;
const GOAL: GoalId = SUBJECT_GOAL;

/// A server, and the ledger behind it.
pub(crate) struct Served {
    pub(crate) ledger: Ledger,
    pub(crate) url: String,
    clock: Arc<StandingClock>,
    commands: AtomicU64,
    runtime: Option<Runtime>,
    _place: TempLedger,
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub(crate) fn nanos(instant: &str) -> u64 {
    let instant: jiff::Timestamp = instant.parse().unwrap();
    instant.as_nanosecond().try_into().unwrap()
}

impl Served {
    /// A plan with a unit and a goal, opened in January 2021.
    pub(crate) fn new() -> Self {
        let clock = StandingClock::at(Timestamp::from_nanos(nanos("2021-01-04T08:00:00Z")));
        let place = TempLedger::with_clock(clock.clone());
        let ledger = place.open();
        let runtime = Runtime::new().unwrap();
        let server = runtime
            .block_on(Server::bind(([127, 0, 0, 1], 0).into()))
            .unwrap();
        let url = format!("http://{}", server.local_addr());
        let development = Arc::new(Development);
        let never = std::future::pending();
        runtime.spawn(server.serve(ledger.clone(), development.clone(), development, never));
        let served = Self {
            ledger,
            url,
            clock,
            commands: AtomicU64::new(0),
            runtime: Some(runtime),
            _place: place,
        };
        served.found();
        served
    }

    /// Sets the clock.
    pub(crate) fn at(&self, instant: &str) -> &Self {
        self.clock.set(Timestamp::from_nanos(nanos(instant)));
        self
    }

    pub(crate) fn act(&self, actor: Actor, command: Command) -> Receipt {
        let envelope = Envelope::new(self.command_id(), command);
        self.ledger.execute(actor, envelope).unwrap()
    }

    pub(crate) fn command_id(&self) -> CommandId {
        command_id(self.commands.fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(crate) fn on_plan(&self, command: PlanCommand) -> Receipt {
        self.act(TEACHER, Command::Plan(PLAN, command))
    }

    pub(crate) fn write(&self, words: &str) -> Receipt {
        let text = words.parse().unwrap();
        self.on_plan(PlanCommand::WriteStatus { text })
    }

    /// Calls the server as somebody.
    pub(crate) fn call<T, F: Future<Output = T>>(
        &self,
        actor: Actor,
        call: impl FnOnce(Client) -> F,
    ) -> T {
        self.runtime.as_ref().unwrap().block_on(async {
            let client = Client::connect(&self.url, &actor.to_string()).await;
            call(client.unwrap()).await
        })
    }

    /// Runs the command line as the teacher, with nobody at the terminal.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut process = Process::new(env!("CARGO_BIN_EXE_planledger"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PLANLEDGER_")) {
            process.env_remove(name);
        }
        let actor = TEACHER.to_string();
        let output = process
            .args(arguments)
            .args(["--server", &self.url, "--as", &actor, "--log", "error"])
            // The machine's own time zone is not to matter.
            .env("TZ", "America/New_York")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ran {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            error: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn found(&self) {
        let year = SchoolYear {
            title: "2020/21".parse().unwrap(),
            first_day: date(2020, 8, 1),
            last_day: date(2021, 7, 31),
        };
        let people = [
            (STUDENT_ID, "Ida Kjær", Role::Student),
            (TEACHER_ID, "Åse Bach", Role::Teacher),
            (COLLEAGUE_ID, "Bo Dam", Role::Pedagogue),
        ];
        let mut commands = founding::school_in("Åskolen", year);
        commands.extend(founding::people(&people));
        commands.extend([
            founding::team("7.b dansk", TEACHER_ID),
            founding::year_plan(YEAR_PLAN, "Dansk i 7.b", TEACHER_ID),
            founding::unit(UNIT, "Noveller", TEACHER_ID),
            founding::goal(UNIT, GOAL, GoalKind::Reflection, TEACHER_ID),
        ]);
        commands.extend(founding::plan(
            PLAN,
            STUDENT_ID,
            YEAR_PLAN,
            TEACHER_ID,
            &[UNIT],
        ));
        for (actor, command) in commands {
            self.act(actor, command);
        }
    }
}

/// What a run of the command line gave.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) error: String,
}

impl Ran {
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.code, Some(0), "{}", self.error);
        serde_json::from_str(&self.out).unwrap()
    }
}

pub(crate) fn assessment(level: u8, comment: &str) -> Assessment {
    Assessment {
        level: Some(level),
        comment: Some(comment.parse().unwrap()),
    }
}

pub(crate) fn evaluate(level: u8, comment: &str) -> PlanCommand {
    commands::record_evaluation(EVALUATION, UNIT, GOAL, assessment(level, comment))
}

pub(crate) fn record_talk(notes: &str) -> PlanCommand {
    let details = TalkDetails {
        kind: TalkKind::SchoolHomeTalk,
        held_on: date(2021, 1, 4),
        notes: notes.parse().unwrap(),
        held_by: Default::default(),
    };
    commands::record_talk(TALK, details)
}
