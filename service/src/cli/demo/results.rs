//! Discussions of the results of the wellbeing survey are recorded.

use planledger_core::domain::Command;
use planledger_core::domain::institution::{
    InstitutionCommand, StudentsThrough, SurveyDetails, SurveyForum,
};
use planledger_core::ids::SurveyDiscussionId;
use uuid::Uuid;

use super::super::error::CliError;
use super::actor::Acting;
use super::acts::Group;
use crate::system::today;

/// The teacher discusses them with the class and its parents, the leader with the school board.
pub(super) async fn discuss(
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
        record(who, group, details).await?;
    }
    Ok(())
}

async fn record(who: &Acting, group: Group, details: SurveyDetails) -> Result<(), CliError> {
    let record = InstitutionCommand::RecordSurveyDiscussion {
        discussion: SurveyDiscussionId::from_uuid(Uuid::new_v4()),
        details,
    };
    who.execute(Command::Institution(group.institution, record))
        .await?;
    Ok(())
}
