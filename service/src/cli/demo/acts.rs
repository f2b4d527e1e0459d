//! What the people of the story do: the commands that they send.

use planledger_core::domain::Command;
use planledger_core::domain::institution::{
    InstitutionCommand, StudentsThrough, SurveyDetails, SurveyForum,
};
use planledger_core::domain::person::PersonCommand;
use planledger_core::domain::plan::{
    Assessment, Audience, Item, PlanCommand, Section, TalkDetails, TalkKind, UnitRef,
};
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::year_plan::{
    GoalArea, GoalDetails, GoalKind, Scale, UnitDetails, WordingChoice, YearPlanCommand,
    YearPlanDetails, YearPlanKind,
};
use planledger_core::ids::{
    CatalogueId, CatalogueItemId, EvaluationId, GoalId, InstitutionId, PersonId, PlanId,
    SchoolYearId, SurveyDiscussionId, TalkId, TeamId, UnitId, YearPlanId,
};
use uuid::Uuid;

use super::super::error::CliError;
use super::actor::{Accepted, Acting, on};
use crate::system::today;

/// A team, as far as its year plans name it.
#[derive(Clone, Copy)]
pub(super) struct Group {
    pub(super) id: TeamId,
    pub(super) institution: InstitutionId,
    pub(super) school_year: SchoolYearId,
}

/// A year plan of the story, with one unit and two goals.
pub(super) struct Course {
    pub(super) id: YearPlanId,
    pub(super) unit: UnitRef,
    pub(super) subject_goal: GoalId,
    pub(super) reflection_goal: GoalId,
}

/// Creates a year plan with one unit. The unit has a goal from the catalogue and a goal in the
/// teacher's own words. A year plan with one subject is a subject year plan; one with more is
/// combined.
pub(super) async fn course(
    teacher: &Acting,
    group: Group,
    title: &str,
    subjects: &[&str],
    (catalogue, item): (CatalogueId, CatalogueItemId),
) -> Result<Course, CliError> {
    let id = YearPlanId::from_uuid(Uuid::new_v4());
    let unit = UnitId::from_uuid(Uuid::new_v4());
    let course = Course {
        id,
        unit: UnitRef {
            year_plan: id,
            unit,
        },
        subject_goal: GoalId::from_uuid(Uuid::new_v4()),
        reflection_goal: GoalId::from_uuid(Uuid::new_v4()),
    };
    let kind = match subjects.len() {
        1 => YearPlanKind::Subject,
        _ => YearPlanKind::Combined,
    };
    let subjects = subjects.iter().map(|subject| subject.parse());
    let create = YearPlanCommand::Create {
        details: YearPlanDetails {
            kind,
            institution: group.institution,
            team: group.id,
            school_year: group.school_year,
            title: title.parse()?,
            subjects: subjects.collect::<Result<_, _>>()?,
        },
        owner: teacher.id,
    };
    let add_unit = YearPlanCommand::AddUnit {
        unit,
        details: UnitDetails {
            title: "Noveller: læs, fortolk, fortæl".parse()?,
            subject: Some("Dansk".parse()?),
            description: Some("Tre noveller, en læselog og en fremlæggelse.".parse()?),
        },
    };
    let scale = Scale {
        title: "Tre trin".parse()?,
        levels: vec!["På vej".parse()?, "Næsten i mål".parse()?, "I mål".parse()?],
    };
    let goal = |goal, kind, wording| YearPlanCommand::AddGoal {
        unit,
        goal,
        details: GoalDetails {
            kind,
            area: GoalArea::Academic,
            wording,
            scale: scale.clone().into(),
        },
    };
    let chosen = WordingChoice::Catalogue { catalogue, item };
    let own = WordingChoice::Own {
        text: "Jeg kan fortælle, hvad jeg selv synes, teksten handler om".parse()?,
    };
    let commands = [
        create,
        add_unit,
        goal(course.subject_goal, GoalKind::Subject, chosen),
        goal(course.reflection_goal, GoalKind::Reflection, own),
    ];
    let commands = commands.map(|command| Command::YearPlan(id, command));
    teacher.all(commands).await?;
    Ok(course)
}

/// The owner deletes year plans and their teams.
pub(super) async fn delete(owner: &Acting, all: &[(Group, &Course)]) -> Result<(), CliError> {
    for (group, course) in all {
        let reason = Some("oprydning ved skoleårets slutning".parse()?);
        let delete = YearPlanCommand::Delete {
            reason: reason.clone(),
        };
        owner.execute(Command::YearPlan(course.id, delete)).await?;
        let delete = TeamCommand::Delete { reason };
        owner.execute(Command::Team(group.id, delete)).await?;
    }
    Ok(())
}

/// A leader records that a person has left. No day is given, so the departure counts at once.
pub(super) async fn depart(leader: &Acting, person: PersonId) -> Result<(), CliError> {
    let depart = PersonCommand::Depart {
        on: None,
        reason: None,
    };
    leader.execute(Command::Person(person, depart)).await?;
    Ok(())
}

/// Opens a plan for a student and writes its first text.
pub(super) async fn open(
    teacher: &Acting,
    course: &Course,
    student: PersonId,
    text: &str,
) -> Result<PlanId, CliError> {
    let id = PlanId::from_uuid(Uuid::new_v4());
    let commands = [
        opening(course, student),
        PlanCommand::IncludeUnit(course.unit),
        PlanCommand::WriteStatus {
            text: text.parse()?,
        },
    ];
    teacher.all(commands.map(|command| on(id, command))).await?;
    Ok(id)
}

/// Opens a plan that is there already, under a new id.
pub(super) async fn open_again(
    teacher: &Acting,
    course: &Course,
    student: PersonId,
) -> Result<Accepted, CliError> {
    let id = PlanId::from_uuid(Uuid::new_v4());
    teacher.execute(on(id, opening(course, student))).await
}

fn opening(course: &Course, student: PersonId) -> PlanCommand {
    PlanCommand::Open {
        student,
        year_plan: course.id,
        owner: None,
    }
}

/// The command that records an evaluation of a goal.
fn evaluation(
    plan: PlanId,
    course: &Course,
    goal: GoalId,
    level: u8,
    comment: &str,
) -> Result<Command, CliError> {
    let record = PlanCommand::RecordEvaluation {
        evaluation: EvaluationId::from_uuid(Uuid::new_v4()),
        unit: course.unit,
        goal,
        assessment: Assessment {
            level: Some(level),
            comment: Some(comment.parse()?),
        },
    };
    Ok(on(plan, record))
}

/// The student and the teacher evaluate the goals. The teacher's last evaluation is lower than the
/// earlier one.
pub(super) async fn evaluate(
    teacher: &Acting,
    student: &Acting,
    plan: PlanId,
    course: &Course,
) -> Result<(), CliError> {
    let (subject, reflection) = (course.subject_goal, course.reflection_goal);
    let record = |goal, level, comment| evaluation(plan, course, goal, level, comment);
    let by_student = record(reflection, 2, "Jeg turde sige min mening højt")?;
    student.execute(by_student).await?;
    let by_teacher = [
        record(subject, 1, "Fortolker sikkert, begrunder endnu for lidt")?,
        record(reflection, 1, "Godt på vej, støt dig mere til teksten")?,
        record(subject, 0, "Efter ferien: svært at komme i gang igen")?,
    ];
    teacher.all(by_teacher).await?;
    Ok(())
}

/// The student evaluates a subject goal. Returns the reason why the server refuses that.
pub(super) async fn evaluate_subject_goal(
    student: &Acting,
    plan: PlanId,
    course: &Course,
) -> Result<Option<String>, CliError> {
    let goal = course.subject_goal;
    let not_allowed = evaluation(plan, course, goal, 2, "Jeg er i mål")?;
    student.refused(not_allowed).await
}

/// Writes in a plan, makes parts of it visible, and shares it. The teacher has held the student talk
/// together with a colleague.
pub(super) async fn share(
    teacher: &Acting,
    colleague: PersonId,
    plan: PlanId,
    course: &Course,
) -> Result<(), CliError> {
    let commands = [
        PlanCommand::WriteFollowUp {
            text: "Læs 20 minutter hver aften, og find ét sted at undre dig over.".parse()?,
            follow_up_on: today().checked_add(jiff::Span::new().days(28)).ok(),
        },
        PlanCommand::RecordTalk {
            talk: TalkId::from_uuid(Uuid::new_v4()),
            details: TalkDetails {
                kind: TalkKind::StudentTalk,
                held_on: today(),
                notes: "Aftalt: en læselog med tre linjer om ugen.".parse()?,
                held_by: [teacher.id, colleague].into(),
            },
        },
        PlanCommand::ShowSection {
            section: Section::Status,
        },
        PlanCommand::ShowSection {
            section: Section::Goals,
        },
        PlanCommand::HideItem {
            item: Item::Goal(course.subject_goal),
        },
        PlanCommand::Share,
        PlanCommand::SetVisibility {
            audience: Audience::Student,
            visible: true,
        },
        PlanCommand::SetVisibility {
            audience: Audience::Guardians,
            visible: true,
        },
    ];
    teacher
        .all(commands.map(|command| on(plan, command)))
        .await?;
    Ok(())
}

/// A leader gives plans to another owner.
pub(super) async fn give(
    leader: &Acting,
    plans: impl IntoIterator<Item = PlanId>,
    to: PersonId,
) -> Result<(), CliError> {
    let reason = Some("overtager efter fratrådt kollega".parse()?);
    for plan in plans {
        let transfer = PlanCommand::TransferOwnership {
            to,
            reason: reason.clone(),
        };
        leader.execute(on(plan, transfer)).await?;
    }
    Ok(())
}

/// Goes on writing in a plan.
pub(super) async fn write(author: &Acting, plan: PlanId) -> Result<(), CliError> {
    let text = "Fortsætter hos ny vejleder.".parse()?;
    let write = PlanCommand::WriteStatus { text };
    author.execute(on(plan, write)).await?;
    Ok(())
}

/// A leader gives deleted teams and year plans to another owner, and undeletes them.
pub(super) async fn undelete(
    leader: &Acting,
    all: &[(Group, &Course)],
    to: PersonId,
) -> Result<(), CliError> {
    for (group, course) in all {
        let transfer = TeamCommand::TransferOwnership { to, reason: None };
        let commands = [transfer, TeamCommand::Undelete];
        leader
            .all(commands.map(|command| Command::Team(group.id, command)))
            .await?;
        let transfer = YearPlanCommand::TransferOwnership { to, reason: None };
        let commands = [transfer, YearPlanCommand::Undelete];
        leader
            .all(commands.map(|command| Command::YearPlan(course.id, command)))
            .await?;
    }
    Ok(())
}

/// The teacher discusses the results of the wellbeing survey with the class and its parents, the leader
/// with the school board.
pub(super) async fn discuss_survey(
    teacher: &Acting,
    leader: &Acting,
    group: Group,
) -> Result<(), CliError> {
    let class = Some(StudentsThrough::Class);
    for (who, forum, students_through, agreed) in [
        (teacher, SurveyForum::Class, class, "Mere ro i timerne"),
        (
            teacher,
            SurveyForum::ParentsMeeting,
            None,
            "Faste legegrupper",
        ),
        (
            leader,
            SurveyForum::SchoolBoard,
            None,
            "Bedre plads til pauser",
        ),
    ] {
        let details = SurveyDetails {
            school_year: group.school_year,
            forum,
            held_on: today(),
            students_through,
            agreed: agreed.parse()?,
            follow_up_on: None,
            goals: Default::default(),
        };
        record_discussion(who, group, details).await?;
    }
    Ok(())
}

async fn record_discussion(
    who: &Acting,
    group: Group,
    details: SurveyDetails,
) -> Result<(), CliError> {
    let record = InstitutionCommand::RecordSurveyDiscussion {
        discussion: SurveyDiscussionId::from_uuid(Uuid::new_v4()),
        details,
    };
    who.execute(Command::Institution(group.institution, record))
        .await?;
    Ok(())
}
