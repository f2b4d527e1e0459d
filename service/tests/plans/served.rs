//! A served ledger with one plan.

use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::date;
use planledger::client::Client;
use planledger::server::Server;
use planledger::server::auth::Development;
use planledger::system::SystemEntropy;
use planledger_core::domain::institution::{InstitutionCommand, InstitutionDetails};
use planledger_core::domain::person::{Affiliation, PersonCommand, Role};
use planledger_core::domain::plan::{Assessment, PlanCommand, TalkDetails, TalkKind, UnitRef};
use planledger_core::domain::school_year::{SchoolYear, SchoolYearCommand};
use planledger_core::domain::team::{TeamCommand, TeamDetails};
use planledger_core::domain::year_plan::{
    GoalArea, GoalDetails, GoalKind, Scale, UnitDetails, WordingChoice, YearPlanCommand,
    YearPlanDetails, YearPlanKind,
};
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{
    CommandId, EvaluationId, GoalId, InstitutionId, PersonId, PlanId, SchoolYearId, SystemId,
    TalkId, TeamId, UnitId, YearPlanId,
};
use planledger_core::ledger::{Envelope, Ledger, Options, Receipt};
use planledger_core::seal::MasterKey;
use planledger_core::time::{Clock, Timestamp};
use tokio::runtime::Runtime;

pub(crate) const SYSTEM: Actor = Actor::System(SystemId::from_bytes([0xAA; 16]));
pub(crate) const STUDENT_ID: PersonId = PersonId::from_bytes([0x31; 16]);
pub(crate) const TEACHER_ID: PersonId = PersonId::from_bytes([0x32; 16]);
pub(crate) const COLLEAGUE_ID: PersonId = PersonId::from_bytes([0x33; 16]);
pub(crate) const STUDENT: Actor = Actor::Person(STUDENT_ID);
pub(crate) const TEACHER: Actor = Actor::Person(TEACHER_ID);
pub(crate) const PLAN: PlanId = PlanId::from_bytes([0x81; 16]);
pub(crate) const EVALUATION: EvaluationId = EvaluationId::from_bytes([0x91; 16]);
pub(crate) const TALK: TalkId = TalkId::from_bytes([0xA1; 16]);
pub(crate) const TEAM: TeamId = TeamId::from_bytes([0x41; 16]);
pub(crate) const YEAR_PLAN: YearPlanId = YearPlanId::from_bytes([0x51; 16]);
const SCHOOL: InstitutionId = InstitutionId::from_bytes([0x11; 16]);
const YEAR: SchoolYearId = SchoolYearId::from_bytes([0x21; 16]);
pub(crate) const UNIT: UnitRef = UnitRef {
    year_plan: YEAR_PLAN,
    unit: UnitId::from_bytes([0x61; 16]),
};
const GOAL: GoalId = GoalId::from_bytes([0x71; 16]);

struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// A server, and the ledger behind it.
pub(crate) struct Served {
    pub(crate) ledger: Ledger,
    pub(crate) url: String,
    clock: Arc<SetClock>,
    commands: AtomicU64,
    runtime: Option<Runtime>,
    _dir: tempfile::TempDir,
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
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock(AtomicU64::new(nanos("2021-01-04T08:00:00Z"))));
        let options = Options {
            dir: dir.path().to_owned(),
            master: MasterKey::from_bytes([7; 32]),
            recovery: None,
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            progress: None,
        };
        let ledger = Ledger::open(options).unwrap();
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
            _dir: dir,
        };
        served.found();
        served
    }

    /// Sets the clock.
    pub(crate) fn at(&self, instant: &str) -> &Self {
        self.clock.0.store(nanos(instant), Ordering::Relaxed);
        self
    }

    pub(crate) fn act(&self, actor: Actor, command: Command) -> Receipt {
        let envelope = Envelope::new(self.command_id(), command);
        self.ledger.execute(actor, envelope).unwrap()
    }

    pub(crate) fn command_id(&self) -> CommandId {
        let mut id = [0x11; 16];
        let number = self.commands.fetch_add(1, Ordering::Relaxed) + 1;
        id[..8].copy_from_slice(&number.to_be_bytes());
        CommandId::from_bytes(id)
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
        let details = InstitutionDetails {
            name: "Åskolen".parse().unwrap(),
            code: None,
        };
        let register = InstitutionCommand::Register(details);
        self.act(SYSTEM, Command::Institution(SCHOOL, register));
        let year = SchoolYear {
            title: "2020/21".parse().unwrap(),
            first_day: date(2020, 8, 1),
            last_day: date(2021, 7, 31),
        };
        self.act(
            SYSTEM,
            Command::SchoolYear(YEAR, SchoolYearCommand::Define(year)),
        );
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
                affiliations: [affiliation].into(),
                departed: false,
            };
            self.act(SYSTEM, Command::Person(id, put));
        }
        let create = TeamCommand::Create {
            details: TeamDetails {
                institution: SCHOOL,
                school_year: Some(YEAR),
                title: "7.b dansk".parse().unwrap(),
                subject: None,
                code: None,
            },
            owner: Some(TEACHER_ID),
        };
        self.act(SYSTEM, Command::Team(TEAM, create));
        let create = YearPlanCommand::Create {
            details: YearPlanDetails {
                kind: YearPlanKind::Subject,
                institution: SCHOOL,
                team: TEAM,
                school_year: YEAR,
                title: "Dansk i 7.b".parse().unwrap(),
                subjects: ["Dansk".parse().unwrap()].into(),
            },
            owner: TEACHER_ID,
        };
        let add_unit = YearPlanCommand::AddUnit {
            unit: UNIT.unit,
            details: UnitDetails {
                title: "Noveller".parse().unwrap(),
                subject: None,
                description: None,
            },
        };
        let levels = ["På vej", "Næsten", "I mål"];
        let add_goal = YearPlanCommand::AddGoal {
            unit: UNIT.unit,
            goal: GOAL,
            details: GoalDetails {
                kind: GoalKind::Reflection,
                area: GoalArea::Academic,
                wording: WordingChoice::Own {
                    text: "Jeg læser med lyst".parse().unwrap(),
                },
                scale: Scale {
                    title: "Tre trin".parse().unwrap(),
                    levels: levels.map(|level| level.parse().unwrap()).to_vec(),
                },
            },
        };
        for command in [create, add_unit, add_goal] {
            self.act(TEACHER, Command::YearPlan(YEAR_PLAN, command));
        }
        let open = PlanCommand::Open {
            student: STUDENT_ID,
            year_plan: YEAR_PLAN,
            owner: None,
        };
        self.on_plan(open);
        self.on_plan(PlanCommand::IncludeUnit(UNIT));
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
    PlanCommand::RecordEvaluation {
        evaluation: EVALUATION,
        unit: UNIT,
        goal: GOAL,
        assessment: assessment(level, comment),
    }
}

pub(crate) fn record_talk(notes: &str) -> PlanCommand {
    PlanCommand::RecordTalk {
        talk: TALK,
        details: TalkDetails {
            kind: TalkKind::SchoolHomeTalk,
            held_on: date(2021, 3, 1),
            notes: notes.parse().unwrap(),
        },
    }
}
