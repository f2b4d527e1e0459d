//! The national wellbeing survey is followed up: where its results were discussed.

use planledger_proto::v1::{GetSurveyOverviewRequest, SurveyForum as Shown, SurveyRow};

use super::super::error::CliError;
use super::super::output;
use super::super::survey::read::show_overview;
use super::acts::{Group, discuss_survey};
use super::checks::Checks;
use super::scene::{CLASS, Cast};

/// The teacher discusses the results with the class and its parents, the leader with the school board.
/// Then they look at the overview.
pub(super) async fn follow_up(
    cast: &Cast,
    group: Group,
    checks: &mut Checks,
) -> Result<(), CliError> {
    let (teacher, leader) = (&cast.teacher, &cast.leader);
    discuss_survey(teacher, leader, group).await?;
    output::line(format!(
        "{} has discussed the results with {CLASS} and its parents, {} with the school board.",
        cast.name(teacher.id),
        cast.name(leader.id)
    ));
    let request = GetSurveyOverviewRequest {
        institution_ids: vec![group.institution.to_string()],
        school_year_id: Some(group.school_year.to_string()),
        ..GetSurveyOverviewRequest::default()
    };
    let mut overview = leader.client.overview();
    let found = overview.get_survey_overview(request).await?.into_inner();
    show_overview(&found);
    let counted = |of: Shown| count(found.total.as_ref(), of);
    checks.check(
        "the overview counts discussions of the wellbeing survey by forum",
        [
            Shown::SchoolBoard,
            Shown::ParentsMeeting,
            Shown::StudentCouncil,
            Shown::Class,
            Shown::Staff,
        ]
        .map(counted)
            == [(1, 0), (1, 0), (0, 0), (1, 1), (0, 0)],
    );
    Ok(())
}

/// How many discussions there were in a forum, and in how many of them students took part.
fn count(row: Option<&SurveyRow>, forum: Shown) -> (u64, u64) {
    let mut forums = row.iter().flat_map(|row| &row.forums);
    let found = forums.find(|count| count.forum() == forum);
    found.map_or((0, 0), |found| (found.discussions, found.with_students))
}
