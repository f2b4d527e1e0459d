//! A small school, with whoever the tests need.

use planledger_proto::v1::*;

use super::commands::*;
use super::voice::Voice;

/// Ids of a school's people and groups.
#[derive(Clone, Debug)]
pub(crate) struct School {
    pub(crate) institution: String,
    pub(crate) school_year: String,
    pub(crate) teacher: String,
    pub(crate) pedagogue: String,
    pub(crate) leader: String,
    pub(crate) student: String,
    pub(crate) classmate: String,
    pub(crate) guardian: String,
    pub(crate) team: String,
}

pub(crate) const STUDENT: &str = "Åse Bjørk Ødegård";
pub(crate) const TEACHER: &str = "Søren Ærø-Åkjær";

impl School {
    /// Makes it known.
    pub(crate) async fn found(voice: &Voice) -> Self {
        let school = Self::nobody();
        voice.all(school.commands()).await;
        school
    }

    /// Makes it known, with a course in one subject.
    pub(crate) async fn with_course(voice: &Voice) -> (Self, Course) {
        let school = Self::found(voice).await;
        let course = school.course(voice, YearPlanKind::Subject).await;
        (school, course)
    }

    /// The same, and a plan of the student's in the course.
    pub(crate) async fn with_plan(voice: &Voice) -> (Self, Course, String) {
        let (school, course) = Self::with_course(voice).await;
        let plan_id = school.plan(voice, &course).await;
        (school, course, plan_id)
    }

    /// A school of which nothing is known.
    pub(crate) fn nobody() -> Self {
        Self {
            institution: new_id(),
            school_year: new_id(),
            teacher: new_id(),
            pedagogue: new_id(),
            leader: new_id(),
            student: new_id(),
            classmate: new_id(),
            guardian: new_id(),
            team: new_id(),
        }
    }

    fn commands(&self) -> Vec<Command> {
        let people = [
            (&self.teacher, TEACHER, Role::Teacher),
            (&self.pedagogue, "Kåre Sømand", Role::Pedagogue),
            (&self.leader, "Bodil Næsby", Role::Leader),
            (&self.student, STUDENT, Role::Student),
            (&self.classmate, "Ib Låsby", Role::Student),
            (&self.guardian, "Asger Ødegård", Role::Guardian),
        ];
        let put = people.map(|(id, name, role)| put_person(id, name, &self.institution, role));
        let year = SchoolYearDetails {
            title: "2026/27".to_owned(),
            first_day: "2026-08-10".to_owned(),
            last_day: "2027-06-25".to_owned(),
        };
        let define = DefineSchoolYear {
            details: Some(year),
        };
        let guardianship = Some(Guardianship {
            guardian_id: self.guardian.clone(),
            last_day: None,
        });
        let create = CreateTeam {
            details: Some(self.team_details("7.b dansk")),
            owner_id: Some(self.teacher.clone()),
        };
        let member = |student: &String| {
            let student_id = student.clone();
            team(
                &self.team,
                OnTeam::AddTeamMember(AddTeamMember { student_id }),
            )
        };
        let staff = Some(TeamStaff {
            person_id: self.pedagogue.clone(),
            role: StaffRole::Pedagogue.into(),
        });
        let mut commands = vec![
            register_institution(&self.institution, "Ådalens Skole"),
            school_year(&self.school_year, OnSchoolYear::DefineSchoolYear(define)),
        ];
        commands.extend(put);
        commands.extend([
            person(
                &self.student,
                OnPerson::SetGuardianship(SetGuardianship { guardianship }),
            ),
            team(&self.team, OnTeam::CreateTeam(create)),
            member(&self.student),
            member(&self.classmate),
            team(&self.team, OnTeam::AddTeamStaff(AddTeamStaff { staff })),
        ]);
        commands
    }

    /// What a team of the school is.
    pub(crate) fn team_details(&self, title: &str) -> TeamDetails {
        TeamDetails {
            institution_id: self.institution.clone(),
            school_year_id: Some(self.school_year.clone()),
            title: title.to_owned(),
            subject: Some("Dansk".to_owned()),
            code: None,
        }
    }

    /// What a year plan of the team is.
    pub(crate) fn year_plan_details(&self, kind: YearPlanKind, title: &str) -> YearPlanDetails {
        let subjects: &[&str] = match kind {
            YearPlanKind::Combined => &["Dansk", "Historie"],
            YearPlanKind::Subject | YearPlanKind::Unspecified => &["Dansk"],
        };
        YearPlanDetails {
            kind: kind.into(),
            institution_id: self.institution.clone(),
            team_id: self.team.clone(),
            school_year_id: self.school_year.clone(),
            title: title.to_owned(),
            subjects: subjects.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// A year plan of the teacher's, with two units and two goals in the first.
    pub(crate) async fn course(&self, voice: &Voice, kind: YearPlanKind) -> Course {
        let course = Course {
            year_plan: new_id(),
            unit: new_id(),
            second_unit: new_id(),
            subject_goal: new_id(),
            reflection_goal: new_id(),
        };
        let create = CreateYearPlan {
            details: Some(self.year_plan_details(kind, "Dansk i 7.b")),
            owner_id: self.teacher.clone(),
        };
        let create = year_plan(&course.year_plan, OnYearPlan::CreateYearPlan(create));
        voice.all([vec![create], course.contents()].concat()).await;
        course
    }

    /// A plan of the student's, with the first unit taken in.
    pub(crate) async fn plan(&self, voice: &Voice, course: &Course) -> String {
        self.plan_of(voice, &self.student, course).await
    }

    /// Somebody's plan, with the first unit taken in.
    pub(crate) async fn plan_of(&self, voice: &Voice, student: &str, course: &Course) -> String {
        let id = new_id();
        let open = open_plan(&id, student, &course.year_plan);
        voice.all([open, course.include(&id)]).await;
        id
    }
}

/// Ids of a year plan and what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    pub(crate) year_plan: String,
    pub(crate) unit: String,
    pub(crate) second_unit: String,
    pub(crate) subject_goal: String,
    pub(crate) reflection_goal: String,
}

pub(crate) const SUBJECT_GOAL: &str = "Eleven kan fortolke æstetiske tekster";
pub(crate) const REFLECTION_GOAL: &str = "Jeg tør læse højt for de små";

impl Course {
    fn contents(&self) -> Vec<Command> {
        vec![
            self.add_unit(&self.unit, "Noveller på åbent hav"),
            self.add_unit(&self.second_unit, "Ældre dansk lyrik"),
            self.add_goal(&self.subject_goal, GoalKind::Subject, SUBJECT_GOAL),
            self.add_goal(&self.reflection_goal, GoalKind::Reflection, REFLECTION_GOAL),
        ]
    }

    /// Adds a unit.
    pub(crate) fn add_unit(&self, id: &str, title: &str) -> Command {
        let details = UnitDetails {
            title: title.to_owned(),
            subject: Some("Dansk".to_owned()),
            description: Some("Tre tekster.\nÉn fremlæggelse.".to_owned()),
        };
        let add = AddUnit {
            unit_id: id.to_owned(),
            details: Some(details),
        };
        year_plan(&self.year_plan, OnYearPlan::AddUnit(add))
    }

    /// Sets a goal in the first unit.
    pub(crate) fn add_goal(&self, id: &str, kind: GoalKind, text: &str) -> Command {
        let details = NewGoal {
            catalogue_scale: None,
            kind: kind.into(),
            area: GoalArea::Academic.into(),
            wording: Some(own_words(text)),
            scale: Some(scale()),
        };
        let add = AddGoal {
            unit_id: self.unit.clone(),
            goal_id: id.to_owned(),
            details: Some(details),
        };
        year_plan(&self.year_plan, OnYearPlan::AddGoal(add))
    }

    /// The first unit, as plans name it.
    pub(crate) fn unit(&self) -> UnitRef {
        self.unit_called(&self.unit)
    }

    pub(crate) fn unit_called(&self, unit: &str) -> UnitRef {
        UnitRef {
            year_plan_id: self.year_plan.clone(),
            unit_id: unit.to_owned(),
        }
    }

    /// Takes the first unit into a plan.
    pub(crate) fn include(&self, plan_id: &str) -> Command {
        let unit = Some(self.unit());
        plan(plan_id, OnPlan::IncludeUnit(IncludeUnit { unit }))
    }

    /// Evaluates a goal of the first unit.
    pub(crate) fn evaluate(
        &self,
        plan_id: &str,
        evaluation: &str,
        goal: &str,
        assessment: Assessment,
    ) -> Command {
        let record = RecordEvaluation {
            evaluation_id: evaluation.to_owned(),
            unit: Some(self.unit()),
            goal_id: goal.to_owned(),
            assessment: Some(assessment),
        };
        plan(plan_id, OnPlan::RecordEvaluation(record))
    }

    /// Deletes it.
    pub(crate) fn delete(&self) -> Command {
        let reason = Some("oprydning på årsplanerne".to_owned());
        let delete = DeleteYearPlan { reason };
        year_plan(&self.year_plan, OnYearPlan::DeleteYearPlan(delete))
    }
}
