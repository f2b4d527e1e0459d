//! `survey list`, `survey show` and `survey overview`.

use clap::Args;
use jiff::civil::Date;
use planledger_core::ids::{InstitutionId, SchoolYearId, SurveyDiscussionId};
use planledger_proto::v1::{
    GetSurveyOverviewRequest, GetSurveyOverviewResponse, ListSurveyDiscussionsRequest,
    ListSurveyDiscussionsResponse, SurveyDiscussion, SurveyForum, SurveyRow,
};

use super::super::error::CliError;
use super::super::id::id;
use super::super::output;
use super::super::remote::Remote;
use super::super::shown::Lines;
use super::{forum, through};
use crate::client::Client;
use crate::settings::File;

const PAGE: i32 = 1_000;

const FORUMS: [SurveyForum; 5] = [
    SurveyForum::SchoolBoard,
    SurveyForum::ParentsMeeting,
    SurveyForum::StudentCouncil,
    SurveyForum::Class,
    SurveyForum::Staff,
];

/// What to look at.
#[derive(Debug, Args)]
struct Which {
    /// Only this institution; may be given more than once [default: all]
    #[arg(long, value_name = "INSTITUTION", value_parser = id::<InstitutionId>())]
    institution: Vec<InstitutionId>,
    /// What was recorded by the end of this day (2026-02-22) [default: today]
    #[arg(long, value_name = "DAY")]
    as_of: Option<Date>,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Only the survey of this school year
    #[arg(long, value_name = "SCHOOL_YEAR", value_parser = id::<SchoolYearId>())]
    school_year: Option<SchoolYearId>,
    /// Also discussions whose record is withdrawn
    #[arg(long)]
    withdrawn: bool,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// The record of the discussion
    #[arg(value_parser = id::<SurveyDiscussionId>())]
    discussion: SurveyDiscussionId,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Overview {
    /// School year of the survey [default: the school year of the day]
    #[arg(long, value_name = "SCHOOL_YEAR", value_parser = id::<SchoolYearId>())]
    school_year: Option<SchoolYearId>,
    #[command(flatten)]
    which: Which,
}

impl Which {
    fn institutions(&self) -> Vec<String> {
        self.institution.iter().map(ToString::to_string).collect()
    }

    fn day(&self) -> Option<String> {
        self.as_of.map(|day| day.to_string())
    }

    async fn connect(&self, file: &File) -> Result<Client, CliError> {
        self.remote.connect(file).await
    }

    /// Every page of a list of discussions.
    async fn discussions(
        &self,
        file: &File,
        request: ListSurveyDiscussionsRequest,
    ) -> Result<ListSurveyDiscussionsResponse, CliError> {
        let mut request = ListSurveyDiscussionsRequest {
            institution_ids: self.institutions(),
            as_of: self.day(),
            page_size: PAGE,
            ..request
        };
        let mut service = self.connect(file).await?.overview();
        let first = service.list_survey_discussions(request.clone()).await?;
        let mut found = first.into_inner();
        while !found.next_page_token.is_empty() {
            request.page_token = std::mem::take(&mut found.next_page_token);
            let next = service.list_survey_discussions(request.clone()).await?;
            let next = next.into_inner();
            found.discussions.extend(next.discussions);
            found.next_page_token = next.next_page_token;
        }
        Ok(found)
    }
}

impl List {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let request = ListSurveyDiscussionsRequest {
            school_year_id: self.school_year.map(|id| id.to_string()),
            include_withdrawn: self.withdrawn,
            ..ListSurveyDiscussionsRequest::default()
        };
        let found = self.which.discussions(file, request).await?;
        if self.which.json {
            return output::json(&found);
        }
        let heading = [
            "day",
            "institution",
            "forum",
            "students",
            "follow-up",
            "goals",
            "discussion",
        ];
        let mut table = vec![heading.map(str::to_owned).to_vec()];
        for discussion in &found.discussions {
            let details = discussion.details.clone().unwrap_or_default();
            table.push(vec![
                details.held_on.clone(),
                discussion.institution_name.clone(),
                forum(details.forum()).to_owned(),
                through(details.students_through()).to_owned(),
                details.follow_up_on.clone().unwrap_or_default(),
                details.goals.len().to_string(),
                discussion.survey_discussion_id.clone(),
            ]);
        }
        output::table(&table);
        output::note(format!(
            "{} discussions; as of position {}",
            found.discussions.len(),
            found.position
        ));
        Ok(())
    }
}

impl Show {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let request = ListSurveyDiscussionsRequest {
            survey_discussion_id: Some(self.discussion.to_string()),
            include_withdrawn: true,
            ..ListSurveyDiscussionsRequest::default()
        };
        let found = self.which.discussions(file, request).await?;
        let Some(discussion) = found.discussions.first() else {
            let message = format!("there is no discussion {}", self.discussion);
            return Err(CliError::Refused(message));
        };
        if self.which.json {
            return output::json(discussion);
        }
        show(discussion);
        Ok(())
    }
}

fn show(discussion: &SurveyDiscussion) {
    let details = discussion.details.clone().unwrap_or_default();
    output::line(format!(
        "{}, {}, {}",
        discussion.institution_name,
        forum(details.forum()),
        details.held_on
    ));
    output::line(format!(
        "students took part: {}",
        through(details.students_through())
    ));
    if let Some(day) = &details.follow_up_on {
        output::line(format!("follow-up on {day}"));
    }
    for goal in &details.goals {
        output::line(format!(
            "goal {} of year plan {}",
            goal.goal_id, goal.year_plan_id
        ));
    }
    for (what, at) in [
        ("recorded", &discussion.recorded_at),
        ("corrected", &discussion.corrected_at),
        ("withdrawn", &discussion.withdrawn_at),
    ] {
        if at.is_some() {
            output::line(format!("{what} {}", output::instant(at.as_ref())));
        }
    }
    output::line("");
    let mut agreed = Lines::default();
    agreed.quote("  ", &details.agreed);
    output::lines(&agreed);
}

impl Overview {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let mut request = GetSurveyOverviewRequest {
            institution_ids: self.which.institutions(),
            school_year_id: self.school_year.map(|id| id.to_string()),
            as_of: self.which.day(),
            page_size: PAGE,
            ..GetSurveyOverviewRequest::default()
        };
        let mut service = self.which.connect(file).await?.overview();
        let first = service.get_survey_overview(request.clone()).await?;
        let mut found = first.into_inner();
        while !found.next_page_token.is_empty() {
            request.page_token = std::mem::take(&mut found.next_page_token);
            let next = service.get_survey_overview(request.clone()).await?;
            let next = next.into_inner();
            found.rows.extend(next.rows);
            found.next_page_token = next.next_page_token;
        }
        if self.which.json {
            return output::json(&found);
        }
        show_overview(&found);
        Ok(())
    }
}

/// Prints the overview as a table.
pub(in crate::cli) fn show_overview(found: &GetSurveyOverviewResponse) {
    let mut heading = vec![String::new(), "discussions".to_owned()];
    heading.extend(FORUMS.map(|of| forum(of).to_owned()));
    heading.extend(["with students", "with goals"].map(str::to_owned));
    let mut table = vec![heading];
    table.extend(found.rows.iter().chain(&found.total).map(cells));
    output::table(&table);
    for row in &found.without {
        output::line(format!("without any discussion: {}", name(row)));
    }
    output::note(format!(
        "school year {}, at the end of {}; as of position {}",
        found.school_year_title, found.as_of, found.position
    ));
}

fn cells(row: &SurveyRow) -> Vec<String> {
    let mut cells = vec![name(row).to_owned(), row.discussions.to_string()];
    for of in FORUMS {
        let count = row.forums.iter().find(|count| count.forum() == of);
        cells.push(count.map_or(0, |count| count.discussions).to_string());
    }
    let students: u64 = row.forums.iter().map(|count| count.with_students).sum();
    let goals: u64 = row.forums.iter().map(|count| count.with_goals).sum();
    cells.extend([students.to_string(), goals.to_string()]);
    cells
}

fn name(row: &SurveyRow) -> &str {
    let name = row
        .institution_name
        .as_ref()
        .or(row.institution_id.as_ref());
    name.map_or("total", |name| name)
}
