//! The history: what is asked, by whom and when. The same in every run.

use planledger_fixtures::commands;
use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::institution::InstitutionCommand;
use planledger_core::domain::person::{Affiliation, Guardianship, PersonCommand, Role};
use planledger_core::domain::plan::{
    Assessment, Audience, Item, PlanCommand, Section, TalkDetails, TalkKind, UnitRef,
};
use planledger_core::domain::school_year::SchoolYearCommand;
use planledger_core::domain::team::{StaffRole, TeamCommand, TeamDetails};
use planledger_core::domain::year_plan::{
    GoalKind, WordingChoice, YearPlanCommand, YearPlanDetails,
};
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{
    CommandId, EvaluationId, PersonId, PlanId, StreamId, TalkId, TeamId, YearPlanId,
};
use planledger_core::ledger::Envelope;
use planledger_core::time::Timestamp;

use planledger_fixtures::dice::Dice;
use planledger_fixtures::school::*;
use planledger_fixtures::{ActsAs, IntoCommand};

/// 2026-11-30, eight o'clock in the morning, UTC.
const BEGIN: u64 = 1_796_025_600_000_000_000;
const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;
const STAFF: [PersonId; 4] = [TEACHER, PEDAGOGUE, LEADER, CLERK];

/// Which revision a command says that it expects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expects {
    Nothing,
    /// That which is there.
    Right,
    Wrong,
}

/// What is sent in one request. Steps at the same instant may be sent without waiting.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) at: Timestamp,
    pub(crate) actor: Actor,
    pub(crate) envelopes: Vec<Envelope>,
    pub(crate) expects: Expects,
}

/// How long a history is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) students: usize,
    pub(crate) classes: usize,
    pub(crate) days: u64,
    /// Edits of a day, of all plans.
    pub(crate) edits: usize,
    /// And of one plan.
    pub(crate) of_one_plan: usize,
    /// How long the longest texts are, in sentences.
    pub(crate) longest: usize,
}

pub(crate) struct History {
    pub(crate) steps: Vec<Step>,
    pub(crate) cast: Cast,
}

/// Who and what it is about.
#[derive(Clone)]
pub(crate) struct Cast {
    pub(crate) students: Vec<PersonId>,
    pub(crate) teams: Vec<TeamId>,
    pub(crate) year_plans: Vec<YearPlanId>,
    pub(crate) plans: Vec<PlanId>,
    pub(crate) days: Vec<Timestamp>,
}

impl Cast {
    pub(crate) fn persons(&self) -> Vec<PersonId> {
        [STAFF.as_slice(), &[GUARDIAN], &self.students].concat()
    }

    pub(crate) fn streams(&self) -> Vec<StreamId> {
        let mut streams: Vec<StreamId> = vec![SCHOOL.into(), OTHER_SCHOOL.into(), YEAR.into()];
        streams.extend(self.persons().into_iter().map(StreamId::from));
        streams.extend(self.teams.iter().map(|id| StreamId::from(*id)));
        streams.extend(self.year_plans.iter().map(|id| StreamId::from(*id)));
        streams.extend(self.plans.iter().map(|id| StreamId::from(*id)));
        streams
    }
}

/// Ids that begin with different bytes, as real ones do.
fn id(kind: u8, number: usize) -> [u8; 16] {
    let mut id = [kind; 16];
    id[0] = (number as u8).wrapping_mul(67) ^ kind;
    id[15] = number as u8;
    id[14] = (number >> 8) as u8;
    id
}

struct Teller {
    steps: Vec<Step>,
    now: Timestamp,
    commands: usize,
    made: usize,
    longest: usize,
    dice: Dice,
    cast: Cast,
}

pub(crate) fn tell(size: Size) -> History {
    let mut teller = Teller {
        steps: Vec::new(),
        now: Timestamp::from_nanos(BEGIN),
        commands: 0,
        made: 0,
        longest: size.longest,
        dice: Dice::new(9),
        cast: Cast {
            students: (0..size.students)
                .map(|n| PersonId::from_bytes(id(0x30, n)))
                .collect(),
            teams: (0..size.classes)
                .map(|n| TeamId::from_bytes(id(0x40, n)))
                .collect(),
            year_plans: (0..size.classes + 1)
                .map(|n| YearPlanId::from_bytes(id(0x50, n)))
                .collect(),
            plans: Vec::new(),
            days: Vec::new(),
        },
    };
    teller.found();
    teller.open_plans();
    for day in 0..size.days {
        teller.work(size);
        teller.change_containers(day);
        teller.cast.days.push(teller.now);
        teller.now = teller.now.plus(DAY);
    }
    teller.work(size);
    teller.cast.days.push(teller.now);
    History {
        steps: teller.steps,
        cast: teller.cast,
    }
}

impl Teller {
    fn envelope(&mut self, command: impl IntoCommand) -> Envelope {
        self.commands += 1;
        Envelope::new(
            CommandId::from_bytes(id(0x99, self.commands)),
            command.into_command(),
        )
    }

    fn say(&mut self, actor: impl ActsAs, command: impl IntoCommand) {
        let envelope = self.envelope(command);
        let expects = match self.dice.below(12) {
            0 | 1 => Expects::Right,
            2 => Expects::Wrong,
            _ => Expects::Nothing,
        };
        let expects = match self.cast.days.is_empty() && expects == Expects::Wrong {
            true => Expects::Right,
            false => expects,
        };
        self.push(actor.actor(), vec![envelope], expects);
    }

    fn together(&mut self, actor: impl ActsAs, commands: Vec<Command>) {
        let envelopes = commands.into_iter().map(|command| self.envelope(command));
        let envelopes = envelopes.collect();
        self.push(actor.actor(), envelopes, Expects::Nothing);
    }

    fn push(&mut self, actor: Actor, envelopes: Vec<Envelope>, expects: Expects) {
        self.steps.push(Step {
            at: self.now,
            actor,
            envelopes,
            expects,
        });
        if self.dice.once_in(3) {
            self.now = self.now.plus(SECOND);
        }
    }

    fn words(&mut self) -> String {
        self.made += 1;
        let long = "Læser flydende, gerne og meget. ".repeat(self.dice.below(self.longest));
        format!("Tekst {}: {long}", self.made)
    }

    fn found(&mut self) {
        for institution in [SCHOOL, OTHER_SCHOOL] {
            let details = institution_details("Skolen");
            self.say(SYSTEM, (institution, InstitutionCommand::Register(details)));
        }
        self.say(SYSTEM, (YEAR, SchoolYearCommand::Define(school_year())));
        let roles = [Role::Teacher, Role::Pedagogue, Role::Leader, Role::Other];
        for (person, role) in STAFF.into_iter().zip(roles) {
            self.say(SYSTEM, (person, put(role, None)));
        }
        self.say(SYSTEM, (GUARDIAN, put(Role::Guardian, None)));
        let students = self.cast.students.clone().into_iter().enumerate();
        let grade = |n: usize| Some(["7", "8"][n % 2]);
        let commands = students.map(|(n, id)| Command::Person(id, put(Role::Student, grade(n))));
        let commands: Vec<_> = commands.collect();
        self.together(SYSTEM, commands);
        for (n, team) in self.cast.teams.clone().into_iter().enumerate() {
            self.found_team(n, team);
        }
        for (n, year_plan) in self.cast.year_plans.clone().into_iter().enumerate() {
            self.found_year_plan(n, year_plan);
        }
    }

    fn found_team(&mut self, n: usize, team: TeamId) {
        let all = self.cast.students.iter().copied().enumerate();
        let classes = self.cast.teams.len();
        let members = all.filter(|(at, _)| at % classes == n).map(|(_, id)| id);
        let command = TeamCommand::Put {
            details: TeamDetails {
                title: title(&format!("Hold {n}")),
                ..team_details()
            },
            members: members.collect(),
            staff: BTreeMap::from([(TEACHER, StaffRole::Teacher)]),
            owner: Some(TEACHER),
            closed: false,
            source: None,
        };
        self.say(SYSTEM, (team, command));
    }

    fn found_year_plan(&mut self, n: usize, year_plan: YearPlanId) {
        let team = self.cast.teams[n % self.cast.teams.len()];
        let details = match n % 2 {
            0 => subject_year_plan(),
            _ => combined_year_plan(),
        };
        let owner = [TEACHER, PEDAGOGUE][n % 2];
        let details = YearPlanDetails { team, ..details };
        let mut commands = vec![YearPlanCommand::Create { details, owner }];
        for unit in [UNIT, OTHER_UNIT] {
            let details = unit_details("Noveller");
            commands.push(YearPlanCommand::AddUnit { unit, details });
        }
        for (goal, kind) in [
            (SUBJECT_GOAL, GoalKind::Subject),
            (REFLECTION_GOAL, GoalKind::Reflection),
        ] {
            let details = chosen_goal(kind, "Kan finde temaet");
            let unit = UNIT;
            commands.push(commands::add_goal(unit, goal, details));
        }
        let commands = commands.into_iter();
        let commands = commands.map(|command| Command::YearPlan(year_plan, command));
        self.together(owner, commands.collect());
    }

    fn open_plans(&mut self) {
        for (n, student) in self.cast.students.clone().into_iter().enumerate() {
            for (m, year_plan) in self.cast.year_plans.clone().into_iter().enumerate() {
                if m == n % self.cast.teams.len() || (m + 1 == self.cast.year_plans.len() && n < 2)
                {
                    self.open_plan(student, year_plan);
                }
            }
        }
    }

    fn open_plan(&mut self, student: PersonId, year_plan: YearPlanId) {
        let plan = PlanId::from_bytes(id(0x80, self.cast.plans.len()));
        self.cast.plans.push(plan);
        let (owner, unit) = (None, UNIT);
        let open = commands::open_plan(student, year_plan, owner);
        let include = PlanCommand::IncludeUnit(UnitRef { year_plan, unit });
        self.together(
            TEACHER,
            vec![Command::Plan(plan, open), Command::Plan(plan, include)],
        );
        self.evaluate(plan, year_plan, SUBJECT_GOAL, TEACHER);
        self.evaluate(plan, year_plan, REFLECTION_GOAL, student);
    }

    fn evaluate(
        &mut self,
        plan: PlanId,
        year_plan: YearPlanId,
        goal: planledger_core::ids::GoalId,
        by: PersonId,
    ) {
        self.made += 1;
        let (unit, made) = (UNIT, self.made);
        let record = commands::record_evaluation(
            EvaluationId::from_bytes(id(0x90, made)),
            UnitRef { year_plan, unit },
            goal,
            Assessment {
                level: Some((made % 4) as u8),
                comment: Some(text(&self.words())),
            },
        );
        self.say(by, (plan, record));
    }

    /// A day's work: one plan is written in all the time, others now and then.
    fn work(&mut self, size: Size) {
        let (mut edits, mut of_one) = (size.edits, size.of_one_plan);
        while edits + of_one > 0 {
            if self.dice.below(edits + of_one) < edits {
                edits -= 1;
                let plan = *self.dice.clone().of(&self.cast.plans);
                self.dice.throw();
                self.edit(plan);
            } else {
                of_one -= 1;
                let words = text(&self.words());
                let plan = self.cast.plans[0];
                self.say(TEACHER, (plan, PlanCommand::WriteStatus { text: words }));
            }
        }
    }

    fn edit(&mut self, plan: PlanId) {
        let words = text(&self.words());
        self.made += 1;
        let made = self.made;
        let command = match self.dice.below(16) {
            0 | 1 => PlanCommand::WriteStatus { text: words },
            2 => commands::write_follow_up(words, Some(day(12, 5))),
            3 | 4 => commands::record_talk(
                TalkId::from_bytes(id(0xA0, made)),
                TalkDetails {
                    kind: [TalkKind::StudentTalk, TalkKind::SchoolHomeTalk][made % 2],
                    held_on: day(11, 20),
                    notes: words,
                    held_by: Default::default(),
                },
            ),
            5 => PlanCommand::Share,
            6 => PlanCommand::Unshare,
            7 | 8 => commands::set_visibility(Audience::ALL[made % 3], !made.is_multiple_of(5)),
            9 => PlanCommand::ShowSection {
                section: [Section::Status, Section::Goals][made % 2],
            },
            10 => PlanCommand::ShowItem {
                item: Item::Goal(SUBJECT_GOAL),
            },
            11 => PlanCommand::TransferOwnership {
                to: STAFF[made % 3],
                reason: None,
            },
            12 => match made % 2 {
                0 => PlanCommand::Withdraw { reason: None },
                _ => PlanCommand::Restore,
            },
            13 => PlanCommand::MoveToYearPlan {
                to: self.cast.year_plans[made % self.cast.year_plans.len()],
                reason: None,
            },
            // Opened already: the rules may say no, or name the plan that there is.
            14 => commands::open_plan(
                self.cast.students[made % self.cast.students.len()],
                self.cast.year_plans[made % self.cast.year_plans.len()],
                None,
            ),
            _ => PlanCommand::IncludeUnit(unit_in(
                self.cast.year_plans[made % self.cast.year_plans.len()],
                [UNIT, OTHER_UNIT][made % 2],
            )),
        };
        let staff = STAFF[self.dice.below(3)];
        self.say(staff, (plan, command));
    }

    fn change_containers(&mut self, day_number: u64) {
        let n = day_number as usize;
        let team = self.cast.teams[n % self.cast.teams.len()];
        let year_plan = self.cast.year_plans[n % self.cast.year_plans.len()];
        let student = self.cast.students[n % self.cast.students.len()];
        let (to, reason) = (STAFF[1 + n % 2], None);
        self.say(
            LEADER,
            (team, TeamCommand::TransferOwnership { to, reason }),
        );
        self.say(SYSTEM, (team, TeamCommand::RemoveMember { student }));
        let wording = WordingChoice::Own {
            text: text(&self.words()),
        };
        let (goal, scale) = (SUBJECT_GOAL, scale());
        let revise = commands::revise_goal(goal, wording, scale);
        self.say(TEACHER, (year_plan, revise));
        let (to, reason) = (LEADER, why("Overtager"));
        let transfer = YearPlanCommand::TransferOwnership { to, reason };
        self.say(LEADER, (year_plan, transfer));
        let guardian = Guardianship {
            guardian: GUARDIAN,
            last_day: None,
        };
        self.say(SYSTEM, (student, PersonCommand::SetGuardianship(guardian)));
        let leaves = match n % 3 {
            0 => commands::depart(),
            _ => PersonCommand::Return,
        };
        self.say(SYSTEM, (PEDAGOGUE, leaves));
        let deletes = match n % 2 {
            0 => YearPlanCommand::Delete { reason: None },
            _ => YearPlanCommand::Undelete,
        };
        self.say(LEADER, (self.cast.year_plans[0], deletes));
    }
}

fn put(role: Role, grade: Option<&str>) -> PersonCommand {
    commands::put_person(
        name("Nogen"),
        BTreeSet::from([Affiliation {
            grade: grade.map(code),
            ..affiliation(SCHOOL, role)
        }]),
        false,
    )
}
