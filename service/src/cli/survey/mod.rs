//! `planledger survey`: follows up the national wellbeing survey.

pub(super) mod read;
mod record;

use clap::{Subcommand, ValueEnum};
use planledger_proto::v1::{StudentsThrough, SurveyForum};

use super::error::CliError;
use super::remote::block_on;
use crate::settings::File;

#[derive(Debug, Subcommand)]
pub(super) enum Survey {
    /// Record that the results were discussed, and what was agreed
    Record(record::Record),
    /// Correct the record of a discussion; both stay in the history
    Correct(record::Correct),
    /// Withdraw a record that was made by mistake; it stays in the history
    Withdraw(record::Withdraw),
    /// List discussions
    List(read::List),
    /// Show one discussion
    Show(read::Show),
    /// Count discussions by institution and forum, and name institutions without any
    Overview(read::Overview),
}

impl Survey {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        block_on(async {
            match self {
                Self::Record(record) => record.run(file).await,
                Self::Correct(correct) => correct.run(file).await,
                Self::Withdraw(withdraw) => withdraw.run(file).await,
                Self::List(list) => list.run(file).await,
                Self::Show(show) => show.run(file).await,
                Self::Overview(overview) => overview.run(file).await,
            }
        })
    }
}

/// Where the results were discussed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Forum {
    SchoolBoard,
    ParentsMeeting,
    StudentCouncil,
    Class,
    Staff,
}

impl From<Forum> for SurveyForum {
    fn from(forum: Forum) -> Self {
        match forum {
            Forum::SchoolBoard => Self::SchoolBoard,
            Forum::ParentsMeeting => Self::ParentsMeeting,
            Forum::StudentCouncil => Self::StudentCouncil,
            Forum::Class => Self::Class,
            Forum::Staff => Self::Staff,
        }
    }
}

/// Through whom students took part.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Through {
    StudentCouncil,
    Class,
    ChosenStudents,
}

impl From<Through> for StudentsThrough {
    fn from(through: Through) -> Self {
        match through {
            Through::StudentCouncil => Self::StudentCouncil,
            Through::Class => Self::Class,
            Through::ChosenStudents => Self::ChosenStudents,
        }
    }
}

/// The name of a forum.
const fn forum(forum: SurveyForum) -> &'static str {
    match forum {
        SurveyForum::Unspecified => "-",
        SurveyForum::SchoolBoard => "school board",
        SurveyForum::ParentsMeeting => "parents' meeting",
        SurveyForum::StudentCouncil => "student council",
        SurveyForum::Class => "class",
        SurveyForum::Staff => "staff",
    }
}

/// How students took part.
const fn through(through: StudentsThrough) -> &'static str {
    match through {
        StudentsThrough::Unspecified => "no",
        StudentsThrough::StudentCouncil => "student council",
        StudentsThrough::Class => "class",
        StudentsThrough::ChosenStudents => "students whom the class chose",
    }
}
