//! `owner merge`: carries everything of a closed institution to its successor.

use clap::Args;
use planledger_core::ids::{InstitutionId, TeamId};
use planledger_core::text::ReasonText;
use planledger_proto::v1::merge::Fallback;
use planledger_proto::v1::recovery_wish::Wish;
use planledger_proto::v1::{self as proto, RecoveryWish};

use super::super::error::CliError;
use super::super::id::id;
use super::recovery::Do;
use super::request::{Successor, pair, successor};
use crate::settings::File;

/// Carry teams, year plans and plans of a closed institution to its successor; shows first what
/// would be done.
#[derive(Debug, Args)]
pub(in crate::cli) struct Merge {
    /// The closed institution
    #[arg(long, value_name = "INSTITUTION", value_parser = id::<InstitutionId>())]
    from: InstitutionId,
    /// The institution that carries on
    #[arg(long, value_name = "INSTITUTION", value_parser = id::<InstitutionId>())]
    to: InstitutionId,
    /// A team of the closed institution and the team that carries on for it; may be given more than
    /// once. A team that the roster has made for the same students is found without it
    #[arg(long, value_name = "TEAM=TEAM", value_parser = pair::<TeamId, TeamId>)]
    team: Vec<(TeamId, TeamId)>,
    /// Who gets what has no present owner and nobody else on its team's staff: a person, or "leader"
    /// for a leader of the institution that carries on
    #[arg(long, value_name = "PERSON|leader", value_parser = successor)]
    fallback: Option<Successor>,
    /// The reason; it is recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<ReasonText>,
    #[command(flatten)]
    go: Do,
}

impl Merge {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let teams = self.team.iter().map(|(from, to)| proto::MergeTeam {
            from_team_id: from.to_string(),
            to_team_id: to.to_string(),
        });
        let fallback = self.fallback.map(|successor| match successor {
            Successor::Leader => Fallback::FallbackLeader(proto::TransferToLeader {}),
            Successor::Person(person) => Fallback::FallbackPersonId(person.to_string()),
        });
        let wish = Wish::Merge(proto::Merge {
            from_institution_id: self.from.to_string(),
            to_institution_id: self.to.to_string(),
            teams: teams.collect(),
            fallback,
            reason: self.reason.map(|reason| reason.to_string()),
        });
        self.go.run(file, RecoveryWish { wish: Some(wish) }).await
    }
}
