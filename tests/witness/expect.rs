//! What follows from the receipts: the commands in the order in which they were carried out,
//! folded by the few rules that the witness needs. None of it comes from the server's answers.

use std::collections::{BTreeMap, BTreeSet};

use planledger_proto::v1::command::Command as Aggregate;
use planledger_proto::v1::{
    Audience, Command, PersonCommand, PlanCommand, PutPerson, PutTeam, Receipt, TeamCommand,
    YearPlanCommand, person_command, plan_command, team_command, year_plan_command,
};

use crate::kept::Kept;

/// A person as it has to be.
#[derive(Debug, Default)]
pub(crate) struct Person {
    pub(crate) revision: u64,
    pub(crate) put: PutPerson,
}

/// A team as it has to be.
#[derive(Debug, Default)]
pub(crate) struct Team {
    pub(crate) revision: u64,
    pub(crate) put: PutTeam,
}

/// A year plan as it has to be.
#[derive(Debug, Default)]
pub(crate) struct YearPlan {
    pub(crate) revision: u64,
    pub(crate) team: String,
    pub(crate) units: BTreeSet<String>,
}

/// A plan as it has to be.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) revision: u64,
    pub(crate) student: String,
    pub(crate) year_plan: String,
    pub(crate) shared: bool,
    pub(crate) visible_to: BTreeSet<i32>,
    pub(crate) status: Option<String>,
    pub(crate) follow_up: Option<String>,
    pub(crate) evaluations: BTreeMap<String, Option<u32>>,
    pub(crate) talks: BTreeSet<String>,
    /// Statuses with the positions at which they were written, oldest first.
    pub(crate) statuses: Vec<(u64, String)>,
}

/// Everything as it has to be, by ids.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    pub(crate) institutions: BTreeSet<String>,
    pub(crate) persons: BTreeMap<String, Person>,
    pub(crate) teams: BTreeMap<String, Team>,
    pub(crate) year_plans: BTreeMap<String, YearPlan>,
    pub(crate) plans: BTreeMap<String, Plan>,
    /// The last position that a receipt names.
    pub(crate) position: u64,
}

impl Expected {
    /// Folds what has receipts.
    pub(crate) fn new(kept: &Kept) -> Self {
        let receipted = kept.sent().iter();
        let receipted = receipted.filter_map(|it| Some((it.receipt.as_ref()?, &it.command)));
        let mut receipted: Vec<_> = receipted.collect();
        // One without events changed nothing, wherever it is put.
        receipted.sort_by_key(|(receipt, _)| receipt.position);
        let mut expected = Self::default();
        for (receipt, command) in receipted {
            expected.position = expected.position.max(receipt.position);
            expected.fold(receipt, command);
        }
        expected
    }

    fn fold(&mut self, receipt: &Receipt, command: &Command) {
        if receipt.event_count == 0 {
            return;
        }
        if let Some(Aggregate::Institution(institution)) = &command.command {
            self.institutions.insert(institution.institution_id.clone());
        }
        if let Some(Aggregate::Person(person)) = &command.command {
            self.fold_person(receipt, person);
        }
        if let Some(Aggregate::Team(team)) = &command.command {
            self.fold_team(receipt, team);
        }
        if let Some(Aggregate::YearPlan(year_plan)) = &command.command {
            self.fold_year_plan(receipt, year_plan);
        }
        if let Some(Aggregate::Plan(plan)) = &command.command {
            let entry = self.plans.entry(plan.plan_id.clone()).or_default();
            entry.fold(receipt, plan);
        }
    }

    fn fold_person(&mut self, receipt: &Receipt, command: &PersonCommand) {
        let person = self.persons.entry(command.person_id.clone()).or_default();
        person.revision = receipt.revision;
        if let Some(person_command::Operation::PutPerson(put)) = &command.operation {
            person.put = put.clone();
        }
    }

    fn fold_team(&mut self, receipt: &Receipt, command: &TeamCommand) {
        let team = self.teams.entry(command.team_id.clone()).or_default();
        team.revision = receipt.revision;
        if let Some(team_command::Operation::PutTeam(put)) = &command.operation {
            team.put = put.clone();
        }
    }

    fn fold_year_plan(&mut self, receipt: &Receipt, command: &YearPlanCommand) {
        let id = command.year_plan_id.clone();
        let year_plan = self.year_plans.entry(id).or_default();
        year_plan.revision = receipt.revision;
        if let Some(year_plan_command::Operation::CreateYearPlan(create)) = &command.operation {
            let details = create.details.clone().unwrap_or_default();
            year_plan.team = details.team_id;
        }
        if let Some(year_plan_command::Operation::AddUnit(add)) = &command.operation {
            year_plan.units.insert(add.unit_id.clone());
        }
    }

    /// Plans that guardians see something of.
    pub(crate) fn visible_to_guardians(&self) -> impl Iterator<Item = &Plan> {
        let guardians = i32::from(Audience::Guardians);
        let plans = self.plans.values();
        plans.filter(move |plan| plan.shared && plan.visible_to.contains(&guardians))
    }
}

impl Plan {
    fn fold(&mut self, receipt: &Receipt, command: &PlanCommand) {
        use plan_command::Operation;
        self.revision = receipt.revision;
        if let Some(Operation::OpenPlan(open)) = &command.operation {
            self.student = open.student_id.clone();
            self.year_plan = open.year_plan_id.clone();
        }
        if let Some(Operation::SharePlan(_)) = &command.operation {
            self.shared = true;
        }
        if let Some(Operation::SetVisibility(set)) = &command.operation {
            match set.visible {
                true => self.visible_to.insert(set.audience),
                false => self.visible_to.remove(&set.audience),
            };
        }
        if let Some(Operation::WriteStatus(write)) = &command.operation {
            self.status = Some(write.text.clone());
            self.statuses.push((receipt.position, write.text.clone()));
        }
        if let Some(Operation::WriteFollowUp(write)) = &command.operation {
            self.follow_up = Some(write.text.clone());
        }
        if let Some(Operation::RecordEvaluation(record)) = &command.operation {
            let level = record.assessment.as_ref().and_then(|it| it.level);
            self.evaluations.insert(record.evaluation_id.clone(), level);
        }
        if let Some(Operation::RecordTalk(record)) = &command.operation {
            self.talks.insert(record.talk_id.clone());
        }
    }
}
