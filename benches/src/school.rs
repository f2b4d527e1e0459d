//! A city's schools of any size: what they are founded with, their students' plans, and work on
//! the plans that never runs out. Everything follows from a seed: the same seed, the same commands.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use planledger_core::domain::institution::{InstitutionCommand, InstitutionDetails};
use planledger_core::domain::person::{Affiliation, PersonCommand, Role};
use planledger_core::domain::plan::{
    Assessment, Audience, PlanCommand, TalkDetails, TalkKind, UnitRef,
};
use planledger_core::domain::school_year::{SchoolYear, SchoolYearCommand};
use planledger_core::domain::team::{StaffRole, TeamCommand, TeamDetails};
use planledger_core::domain::year_plan::{
    GoalArea, GoalDetails, GoalKind, Scale, UnitDetails, WordingChoice, YearPlanCommand,
    YearPlanDetails, YearPlanKind,
};
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{
    CommandId, EvaluationId, GoalId, InstitutionId, PersonId, PlanId, SchoolYearId, SystemId,
    TalkId, TeamId, UnitId, YearPlanId,
};
use planledger_core::ledger::Envelope;
use planledger_core::text::TextError;

/// Students in a class: a team with a teacher, a year plan, a unit and a goal.
pub const CLASS: u64 = 25;
/// Classes of a school.
const CLASSES: u64 = 20;
/// Teachers who work at the same time, each on the plans of a class.
const AT_ONCE: u64 = 40;
/// What a teacher does on each plan before the class is done for the day.
const A_DAY: u64 = 8;
/// What is done on a plan in a school year. In the next one the student gets another plan.
const A_YEAR: u64 = 14 * A_DAY;

/// Schools with classes, students and a plan for each student.
#[derive(Clone, Copy, Debug)]
pub struct School {
    seed: u64,
    students: u64,
}

impl School {
    /// As many schools as it takes for this many students, at least one.
    pub fn new(seed: u64, students: u64) -> Self {
        Self {
            seed,
            students: students.max(1),
        }
    }

    /// How many students there are, and plans.
    pub fn students(&self) -> u64 {
        self.students
    }

    /// Who acts: a teacher, who may evaluate and hold talks.
    pub fn actor(&self) -> Actor {
        Actor::Person(self.teacher(0))
    }

    /// Who imports rosters: a system, whose word is the roster's and not a person's.
    pub fn importer(&self) -> Actor {
        Actor::System(SystemId::from_bytes(self.id("importer", 0)))
    }

    /// The plan of the nth student, from 0.
    pub fn plan(&self, student: u64) -> PlanId {
        PlanId::from_bytes(self.id("plan", student))
    }

    /// The command under an id that no other has, for each `number` another.
    pub fn envelope(&self, number: u64, command: Command) -> Envelope {
        Envelope::new(CommandId::from_bytes(self.id("command", number)), command)
    }

    /// What makes the schools: institutions, teachers, teams, year plans, students and their
    /// plans, in an order in which none is refused.
    ///
    /// # Errors
    /// Never: the texts are short. They are checked like any other.
    pub fn foundation(&self) -> Result<Vec<Command>, TextError> {
        self.founding().collect()
    }

    /// The same, each command when it is asked for: of a large city they take much memory together.
    pub fn founding(&self) -> impl Iterator<Item = Result<Command, TextError>> + use<> {
        let school = *self;
        let each = |commands: Result<Vec<Command>, TextError>| match commands {
            Ok(commands) => commands.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        let classes = (0..school.classes()).flat_map(move |class| each(school.class(class)));
        each(school.schools()).into_iter().chain(classes)
    }

    /// What the school years after the first one need before [`Self::work`] comes to them, if there is so much work:
    /// the years themselves, and a year plan for each class and year.
    ///
    /// # Errors
    /// Never: the texts are short.
    pub fn later_years(
        &self,
        work: u64,
    ) -> impl Iterator<Item = Result<Command, TextError>> + use<> {
        let school = *self;
        let years = work / (self.at_work() * A_YEAR);
        (1..=years).flat_map(move |year| {
            let classes = (0..school.classes()).flat_map(move |class| {
                let mut commands = Vec::new();
                match school.year_plan(class, year, &mut commands) {
                    Ok(()) => commands.into_iter().map(Ok).collect(),
                    Err(error) => vec![Err(error)],
                }
            });
            std::iter::once(school.school_year(year)).chain(classes)
        })
    }

    /// A class with everything: its roster, its year plan and the plans.
    fn class(&self, class: u64) -> Result<Vec<Command>, TextError> {
        let mut commands = self.roster(class)?;
        self.plans(class, &mut commands)?;
        Ok(commands)
    }

    /// How many classes there are.
    pub fn classes(&self) -> u64 {
        self.students.div_ceil(CLASS)
    }

    /// What comes before all classes: the school year and the institutions.
    ///
    /// # Errors
    /// Never: the texts are short.
    pub fn schools(&self) -> Result<Vec<Command>, TextError> {
        let mut commands = vec![self.school_year(0)?];
        for school in 0..self.classes().div_ceil(CLASSES) {
            let details = InstitutionDetails {
                name: format!("Skole {school}").parse()?,
                code: None,
            };
            let register = InstitutionCommand::Register(details);
            commands.push(Command::Institution(self.institution(school), register));
        }
        Ok(commands)
    }

    /// The nth school year, from 0.
    fn school_year(&self, nth: u64) -> Result<Command, TextError> {
        let first = 2026 + i16::try_from(nth).unwrap_or_default();
        let year = SchoolYear {
            title: format!("{first}/{:02}", (first + 1) % 100).parse()?,
            first_day: jiff::civil::date(first, 8, 1),
            last_day: jiff::civil::date(first + 1, 7, 31),
        };
        let id = SchoolYearId::from_bytes(self.id("school year", nth));
        Ok(Command::SchoolYear(id, SchoolYearCommand::Define(year)))
    }

    /// A class as a roster has it: its teacher, its students and the team, 27 commands and 79
    /// events if it is full.
    ///
    /// # Errors
    /// Never: the texts are short.
    pub fn roster(&self, class: u64) -> Result<Vec<Command>, TextError> {
        let school = class / CLASSES;
        let teacher = self.teacher(class);
        let mut commands = vec![self.person(teacher, school, Role::Teacher, "Lærer", class)?];
        for student in self.in_class(class) {
            let id = self.student(student);
            commands.push(self.person(id, school, Role::Student, "Elev", student)?);
        }
        let put = TeamCommand::Put {
            details: TeamDetails {
                institution: self.institution(school),
                school_year: Some(SchoolYearId::from_bytes(self.id("school year", 0))),
                title: format!("Hold {class}").parse()?,
                subject: Some("Dansk".parse()?),
                code: None,
            },
            members: self.in_class(class).map(|n| self.student(n)).collect(),
            staff: BTreeMap::from([(teacher, StaffRole::Teacher)]),
            owner: Some(teacher),
            closed: false,
            source: None,
        };
        commands.push(Command::Team(self.team(class), put));
        Ok(commands)
    }

    /// The roster of a class once more, of which only the team's title differs from edition to edition: 27
    /// commands, of which one changes something.
    ///
    /// # Errors
    /// Never: the texts are short.
    pub fn roster_again(&self, class: u64, edition: u64) -> Result<Vec<Command>, TextError> {
        let mut commands = self.roster(class)?;
        if let Some(Command::Team(_, TeamCommand::Put { details, .. })) = commands.last_mut() {
            details.title = format!("Hold {class}, {edition}. udgave").parse()?;
        }
        Ok(commands)
    }

    fn in_class(&self, class: u64) -> Range<u64> {
        class * CLASS..self.students.min((class + 1) * CLASS)
    }

    /// Another plan for each student, with the ids that the plans of later years have, shared and visible to
    /// guardians for two of three: the nth besides the one of the foundation, from 1.
    ///
    /// # Errors
    /// Never: the texts are short.
    pub fn another_plan(&self, nth: u64) -> Result<Vec<Command>, TextError> {
        let mut commands = Vec::new();
        for class in 0..self.classes() {
            let year_plan = self.course(class + nth * self.classes());
            let create = YearPlanCommand::Create {
                details: self.year_plan_details(class, 0, &format!("Fag {nth}"))?,
                owner: self.teacher(class),
            };
            commands.push(Command::YearPlan(year_plan, create));
            for student in self.in_class(class) {
                let open = PlanCommand::Open {
                    student: self.student(student),
                    year_plan,
                    owner: None,
                };
                let plan = student + nth * self.students;
                commands.push(self.on_plan(plan, open));
                if student % 3 > 0 {
                    commands.push(self.on_plan(plan, PlanCommand::Share));
                    let visible = PlanCommand::SetVisibility {
                        audience: Audience::Guardians,
                        visible: true,
                    };
                    commands.push(self.on_plan(plan, visible));
                }
            }
        }
        Ok(commands)
    }

    /// The school year, and every institution.
    pub fn places(&self) -> (SchoolYearId, Vec<InstitutionId>) {
        let schools = 0..self.classes().div_ceil(CLASSES);
        let year = SchoolYearId::from_bytes(self.id("school year", 0));
        (
            year,
            schools.map(|school| self.institution(school)).collect(),
        )
    }

    /// A class's year plan, and a plan for each student, as commands; its roster has to be there.
    ///
    /// # Errors
    /// Never: the texts are short.
    pub fn course_of(&self, class: u64) -> Result<Vec<Command>, TextError> {
        let mut commands = Vec::new();
        self.plans(class, &mut commands)?;
        Ok(commands)
    }

    /// A class's year plan, and a plan for each student.
    fn plans(&self, class: u64, commands: &mut Vec<Command>) -> Result<(), TextError> {
        self.year_plan(class, 0, commands)?;
        for student in self.in_class(class) {
            let open = PlanCommand::Open {
                student: self.student(student),
                year_plan: self.course(class),
                owner: None,
            };
            let include = PlanCommand::IncludeUnit(self.unit(class));
            commands.extend([open, include].map(|command| self.on_plan(student, command)));
        }
        Ok(())
    }

    fn person(
        &self,
        id: PersonId,
        school: u64,
        role: Role,
        title: &str,
        number: u64,
    ) -> Result<Command, TextError> {
        let put = PersonCommand::Put {
            name: format!("{title} {number}").parse()?,
            affiliations: BTreeSet::from([Affiliation {
                institution: self.institution(school),
                role,
                grade: match role {
                    Role::Student => Some((number / CLASS % 10).to_string().parse()?),
                    _ => None,
                },
            }]),
            departed: false,
            record: None,
        };
        Ok(Command::Person(id, put))
    }

    fn year_plan_details(
        &self,
        class: u64,
        year: u64,
        subject: &str,
    ) -> Result<YearPlanDetails, TextError> {
        Ok(YearPlanDetails {
            kind: YearPlanKind::Subject,
            institution: self.institution(class / CLASSES),
            team: self.team(class),
            school_year: SchoolYearId::from_bytes(self.id("school year", year)),
            title: format!("{subject}, hold {class}").parse()?,
            subjects: BTreeSet::from([subject.parse()?]),
        })
    }

    fn year_plan(
        &self,
        class: u64,
        year: u64,
        commands: &mut Vec<Command>,
    ) -> Result<(), TextError> {
        let create = YearPlanCommand::Create {
            details: self.year_plan_details(class, year, "Dansk")?,
            owner: self.teacher(class),
        };
        let course = class + year * self.classes();
        let UnitRef { unit, .. } = self.unit(course);
        let add_unit = YearPlanCommand::AddUnit {
            unit,
            details: UnitDetails {
                title: "Noveller: læs, fortolk, fortæl".parse()?,
                subject: Some("Dansk".parse()?),
                description: None,
            },
        };
        let add_goal = YearPlanCommand::AddGoal {
            unit,
            goal: self.goal(course),
            details: GoalDetails {
                kind: GoalKind::Reflection,
                area: GoalArea::Academic,
                wording: WordingChoice::Own {
                    text: "Jeg kan fortælle, hvad jeg synes, teksten handler om".parse()?,
                },
                scale: Scale {
                    title: "Tre trin".parse()?,
                    levels: vec!["På vej".parse()?, "Næsten i mål".parse()?, "I mål".parse()?],
                }
                .into(),
            },
        };
        let id = self.course(course);
        commands.extend([create, add_unit, add_goal].map(|command| Command::YearPlan(id, command)));
        Ok(())
    }

    /// Work number `number`: one event, on the students' plans in turn. The plans stay small: each
    /// time the status is written anew.
    ///
    /// # Errors
    /// Never: the texts are short.
    pub fn status(&self, number: u64) -> Result<Command, TextError> {
        let text = text(number)?;
        Ok(self.on_plan(number % self.students, PlanCommand::WriteStatus { text }))
    }

    /// Work number `number` as teachers do it, one event: 40 of them at the same time, each on the
    /// plans of a class, eight times on each plan before another class has its turn. Of eight on
    /// one plan three are statuses, two follow-ups, two evaluations and one a talk. After 112 a student
    /// gets the plan of the next school year; see [`Self::later_years`].
    ///
    /// # Errors
    /// Never: the texts are short.
    pub fn work(&self, number: u64) -> Result<Command, TextError> {
        let together = self.together();
        let shifts = self.at_work() / together;
        let (shift, within) = (number / (together * A_DAY), number % (together * A_DAY));
        let student = shift % shifts * together + within % together;
        let nth = shift / shifts * A_DAY + within / together;
        self.work_in(nth / A_YEAR, student, nth % A_YEAR)
    }

    /// How many students' plans are worked on at the same time.
    fn together(&self) -> u64 {
        (AT_ONCE * CLASS).min(self.students)
    }

    /// How many students' plans are worked on at all: those of whole shifts.
    fn at_work(&self) -> u64 {
        self.students / self.together() * self.together()
    }

    /// The nth work on a student's plan of a school year. The plan of the first year is there already.
    fn work_in(&self, year: u64, student: u64, nth: u64) -> Result<Command, TextError> {
        let course = student / CLASS + year * self.classes();
        let plan = student + year * self.students;
        match (year, nth) {
            (1.., 0) => {
                let open = PlanCommand::Open {
                    student: self.student(student),
                    year_plan: self.course(course),
                    owner: None,
                };
                Ok(self.on_plan(plan, open))
            }
            (1.., 1) => Ok(self.on_plan(plan, PlanCommand::IncludeUnit(self.unit(course)))),
            _ => {
                let number = (year * A_YEAR + nth) * self.students + student;
                self.work_of(plan, course, nth, number)
            }
        }
    }

    /// The nth work on one plan.
    ///
    /// # Errors
    /// Never: the texts are short.
    pub fn work_on(&self, student: u64, nth: u64) -> Result<Command, TextError> {
        let number = nth * self.students + student;
        self.work_of(student, student / CLASS, nth, number)
    }

    /// `number` is another one for each work.
    fn work_of(&self, plan: u64, course: u64, nth: u64, number: u64) -> Result<Command, TextError> {
        let command = match nth % 8 {
            0 | 4 => PlanCommand::RecordEvaluation {
                evaluation: EvaluationId::from_bytes(self.id("evaluation", number)),
                unit: self.unit(course),
                goal: self.goal(course),
                assessment: Assessment {
                    level: Some((number % 3) as u8),
                    comment: Some(text(number)?),
                },
            },
            1 | 3 | 6 => PlanCommand::WriteStatus {
                text: text(number)?,
            },
            2 | 5 => PlanCommand::WriteFollowUp {
                text: text(number)?,
                follow_up_on: Some(jiff::civil::date(2027, 1, 8)),
            },
            _ => PlanCommand::RecordTalk {
                talk: TalkId::from_bytes(self.id("talk", number)),
                details: TalkDetails {
                    kind: TalkKind::SchoolHomeTalk,
                    held_on: jiff::civil::date(2026, 11, 20),
                    notes: text(number)?,
                    held_by: Default::default(),
                },
            },
        };
        Ok(self.on_plan(plan, command))
    }

    fn on_plan(&self, student: u64, command: PlanCommand) -> Command {
        Command::Plan(self.plan(student), command)
    }

    fn institution(&self, school: u64) -> InstitutionId {
        InstitutionId::from_bytes(self.id("institution", school))
    }

    fn teacher(&self, class: u64) -> PersonId {
        PersonId::from_bytes(self.id("teacher", class))
    }

    fn student(&self, student: u64) -> PersonId {
        PersonId::from_bytes(self.id("student", student))
    }

    fn team(&self, class: u64) -> TeamId {
        TeamId::from_bytes(self.id("team", class))
    }

    fn course(&self, class: u64) -> YearPlanId {
        YearPlanId::from_bytes(self.id("year plan", class))
    }

    fn unit(&self, class: u64) -> UnitRef {
        UnitRef {
            year_plan: self.course(class),
            unit: UnitId::from_bytes(self.id("unit", class)),
        }
    }

    fn goal(&self, class: u64) -> GoalId {
        GoalId::from_bytes(self.id("goal", class))
    }

    /// Ids as random ones are: spread evenly, so that keys land all over an index.
    fn id(&self, of: &str, number: u64) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_be_bytes());
        hasher.update(&number.to_be_bytes());
        hasher.update(of.as_bytes());
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        random_like(id)
    }
}

/// The same bytes with the bits that mark a UUID as one of RFC 9562. Other ids whose last ten digits
/// look like a CPR number are refused.
pub fn random_like(bytes: [u8; 16]) -> [u8; 16] {
    *uuid::Builder::from_custom_bytes(bytes).as_uuid().as_bytes()
}

/// About as long as a remark in a plan, and another one for each number.
///
/// # Errors
/// Never: the text is short.
pub fn text(number: u64) -> Result<planledger_core::text::Text, TextError> {
    format!(
        "Læser flydende og med glæde, fortæller sammenhængende om det læste og lytter til andre. \
         Næste skridt er nr. {number}."
    )
    .parse()
}
