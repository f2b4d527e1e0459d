//! What is sent: a school that grows class by class, and work on its plans, people and courses.
//! Everything follows from the seed and the number of the round.

use planledger::wire;
use planledger_benches::school::{CLASS, School, random_like};
use planledger_core::domain::Command;
use planledger_core::domain::person::PersonCommand;
use planledger_core::domain::plan::{Audience, PlanCommand};
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::year_plan::{UnitDetails, YearPlanCommand};
use planledger_core::ids::UnitId;
use planledger_core::text::TextError;
use planledger_proto::v1 as proto;

use crate::dice::Dice;

/// Classes that there are at most.
pub(crate) const CLASSES: u64 = 200;
/// Numbers of commands that a client may use in a round.
const EACH: u64 = 1 << 24;
/// Clients that may take part in a round.
const CLIENTS: u64 = 1 << 8;

/// The school of a seed.
pub(crate) fn school(seed: u64) -> School {
    School::new(seed, CLASSES * CLASS)
}

/// What one client sends in one round.
#[derive(Debug)]
pub(crate) struct Work {
    school: School,
    round: u64,
    number: u64,
    done: u64,
    pub(crate) dice: Dice,
}

impl Work {
    pub(crate) fn new(seed: u64, round: u64, client: u64) -> Self {
        let number = (round * CLIENTS + client) * EACH;
        Self {
            school: school(seed),
            round,
            number,
            done: 0,
            dice: Dice::new(seed ^ number.rotate_left(32)),
        }
    }

    fn command(&mut self, command: Command) -> proto::Command {
        self.number += 1;
        wire::message(&self.school.envelope(self.number, command))
    }

    fn commands(&mut self, commands: Vec<Command>) -> Vec<proto::Command> {
        commands.into_iter().map(|it| self.command(it)).collect()
    }

    /// What comes before the first class.
    pub(crate) fn schools(&mut self) -> Result<Vec<proto::Command>, TextError> {
        let schools = self.school.schools()?;
        Ok(self.commands(schools))
    }

    /// A class's people and team.
    pub(crate) fn roster(&mut self, class: u64) -> Result<Vec<proto::Command>, TextError> {
        let roster = self.school.roster(class)?;
        Ok(self.commands(roster))
    }

    /// A class's year plan, and a plan for each student.
    pub(crate) fn course(&mut self, class: u64) -> Result<Vec<proto::Command>, TextError> {
        let course = self.school.course_of(class)?;
        Ok(self.commands(course))
    }

    /// What no other name or title has in it. Not one long number: that could look like a CPR number,
    /// which is refused.
    fn version(&self) -> String {
        let client = self.number / EACH % CLIENTS;
        format!("r{}c{client}n{}", self.round, self.number % EACH)
    }

    /// The class's people and team once more, each under another name.
    pub(crate) fn renamed(&mut self, class: u64) -> Result<Vec<proto::Command>, TextError> {
        let version = self.version();
        let mut roster = self.school.roster(class)?;
        for command in &mut roster {
            if let Command::Person(_, PersonCommand::Put { name, .. }) = command {
                *name = format!("{name} ({version})").parse()?;
            }
            if let Command::Team(_, TeamCommand::Put { details, .. }) = command {
                details.title = format!("{} ({version})", details.title).parse()?;
            }
        }
        Ok(self.commands(roster))
    }

    /// Another unit for the class's year plan.
    pub(crate) fn unit(&mut self, class: u64) -> Result<Vec<proto::Command>, TextError> {
        let mut id = [0; 16];
        let halves = [self.dice.roll(), self.dice.roll()].map(u64::to_be_bytes);
        id.copy_from_slice(halves.as_flattened());
        let add = YearPlanCommand::AddUnit {
            unit: UnitId::from_bytes(random_like(id)),
            details: UnitDetails {
                title: format!("Forløb {}", self.version()).parse()?,
                subject: Some("Dansk".parse()?),
                description: None,
            },
        };
        let course = self.school.course_of(class)?;
        let added = course.first().and_then(|command| {
            let Command::YearPlan(id, _) = command else {
                return None;
            };
            Some(Command::YearPlan(*id, add))
        });
        Ok(self.commands(added.into_iter().collect()))
    }

    /// Something on the plan of a student whom no other client works with: an evaluation, a status,
    /// a follow-up, a talk, or a gate.
    pub(crate) fn on_plan(&mut self, student: u64) -> Result<proto::Command, TextError> {
        self.done += 1;
        let command = match self.dice.below(5) {
            0 => {
                let set = PlanCommand::SetVisibility {
                    audience: Audience::Guardians,
                    visible: self.dice.below(2) == 0,
                };
                Command::Plan(self.school.plan(student), set)
            }
            1 => Command::Plan(self.school.plan(student), PlanCommand::Share),
            _ => {
                let nth = self.round * EACH + self.done;
                self.school.work_on(student, nth)?
            }
        };
        Ok(self.command(command))
    }

    /// A student's status, whoever else works with the plan.
    pub(crate) fn status(&mut self, students: u64) -> Result<proto::Command, TextError> {
        let student = self.dice.below(students);
        let all = CLASSES * CLASS;
        // The text names the number, so that no two are alike; it has more digits than a CPR number.
        let status = self.school.status(self.number * all + student)?;
        Ok(self.command(status))
    }
}
