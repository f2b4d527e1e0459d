//! `owner suggestions`: shows who looks as if they had left an institution, and records what somebody
//! decided about it.

use clap::{Args, Subcommand};
use jiff::civil::Date;
use planledger_core::ids::{InstitutionId, PersonId};
use planledger_core::text::{ReasonText, SourceName};
use planledger_proto::v1::departure_evidence::Evidence;
use planledger_proto::v1::person_command::Operation;
use planledger_proto::v1::{
    AbsenceEvidence, DecideSuggestion, DepartureEvidence, DepartureSuggestion,
    ListSuggestionsRequest, ListSuggestionsResponse, NoEnrolmentLeftEvidence, NoPlaceLeftEvidence,
    OwnerElsewhereEvidence,
};

use super::super::error::CliError;
use super::super::id::id;
use super::super::output;
use super::super::remote::Remote;
use super::depart::{Send, of};
use crate::client::Client;
use crate::settings::File;

/// Number of persons asked for on each page.
const PAGE: i32 = 1_000;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Suggestions {
    /// List who looks as if they had left an institution, with the evidence
    List(List),
    /// Confirm that it is so; a person who is absent from the roster or has no place or no class left
    /// is then recorded as departed
    Confirm(Confirm),
    /// Say that it is not so; it is not suggested again for the same evidence
    Dismiss(Dismiss),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// The institution
    #[arg(value_parser = id::<InstitutionId>())]
    institution: InstitutionId,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Confirm {
    #[command(flatten)]
    about: About,
    /// The last day of a person who is absent from the roster or has no place or no class left
    /// [default: none]
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "elsewhere")]
    on: Option<Date>,
    #[command(flatten)]
    send: Send,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Dismiss {
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    send: Send,
}

/// Which suggestion.
#[derive(Debug, Args)]
struct About {
    /// The person
    #[arg(value_parser = id::<PersonId>())]
    person: PersonId,
    /// The source in whose roster the person no longer is
    #[arg(long, value_name = "SOURCE", requires = "last_seen")]
    #[arg(required_unless_present_any = ["elsewhere", "no_place", "no_enrolment"])]
    absent: Option<SourceName>,
    /// The day of the last roster of the source that had the person
    #[arg(long, value_name = "YYYY-MM-DD", requires = "absent")]
    last_seen: Option<Date>,
    /// The institution where the person owns something and no longer works
    #[arg(long, value_name = "INSTITUTION", conflicts_with_all = ["absent", "last_seen"])]
    #[arg(value_parser = id::<InstitutionId>())]
    elsewhere: Option<InstitutionId>,
    /// The institution where the person had the last place
    #[arg(long, value_name = "INSTITUTION", requires = "since")]
    #[arg(conflicts_with_all = ["absent", "last_seen", "elsewhere"])]
    #[arg(value_parser = id::<InstitutionId>())]
    no_place: Option<InstitutionId>,
    /// That the person is in no class any more, although a roster had them in one
    #[arg(long, requires = "since")]
    #[arg(conflicts_with_all = ["absent", "last_seen", "elsewhere", "no_place"])]
    no_enrolment: bool,
    /// The day on which the last place ended, or since which the person is in no class
    #[arg(long, value_name = "YYYY-MM-DD")]
    #[arg(conflicts_with_all = ["absent", "last_seen", "elsewhere"])]
    since: Option<Date>,
    /// The reason; it is recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<ReasonText>,
}

impl Suggestions {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::List(list) => list.run(file).await,
            Self::Confirm(Confirm { about, on, send }) => about.decide(file, &send, true, on).await,
            Self::Dismiss(Dismiss { about, send }) => about.decide(file, &send, false, None).await,
        }
    }
}

impl List {
    async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let found = suggestions(&client, self.institution).await?;
        if self.json {
            return output::json(&found);
        }
        if found.suggestions.is_empty() {
            output::line("nobody");
            return Ok(());
        }
        let heading = ["person", "why", "owns", "to decide"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        for found in &found.suggestions {
            rows.extend(found.evidence.iter().map(|evidence| row(found, evidence)));
        }
        output::table(&rows);
        output::line("decide with owner suggestions confirm|dismiss, followed by the last column");
        Ok(())
    }
}

async fn suggestions(
    client: &Client,
    institution: InstitutionId,
) -> Result<ListSuggestionsResponse, CliError> {
    let mut all = ListSuggestionsResponse::default();
    loop {
        let request = ListSuggestionsRequest {
            institution_id: institution.to_string(),
            page_size: PAGE,
            page_token: std::mem::take(&mut all.next_page_token),
            ..ListSuggestionsRequest::default()
        };
        let page = client.ownership().list_suggestions(request).await?;
        let before = std::mem::take(&mut all.suggestions);
        all = page.into_inner();
        all.suggestions.splice(..0, before);
        if all.next_page_token.is_empty() {
            return Ok(all);
        }
    }
}

fn row(found: &DepartureSuggestion, evidence: &DepartureEvidence) -> Vec<String> {
    let (why, flags) = match &evidence.evidence {
        Some(Evidence::AbsentFromRoster(absent)) => (
            format!(
                "not in the roster of {} since {}",
                absent.source, absent.last_seen
            ),
            format!(
                "--absent '{}' --last-seen {}",
                absent.source, absent.last_seen
            ),
        ),
        Some(Evidence::OwnerElsewhere(at)) => (
            "owns something here and works elsewhere".to_owned(),
            format!("--elsewhere {}", at.institution_id),
        ),
        Some(Evidence::NoPlaceLeft(at)) => (
            format!("has no place left since {}", at.since),
            format!("--no-place {} --since {}", at.institution_id, at.since),
        ),
        Some(Evidence::NoEnrolmentLeft(left)) => (
            format!("is in no class any more since {}", left.since),
            format!("--no-enrolment --since {}", left.since),
        ),
        None => ("-".to_owned(), String::new()),
    };
    let owned = found.owned.unwrap_or_default();
    let owns = format!(
        "{} teams, {} year plans, {} plans",
        owned.teams, owned.year_plans, owned.plans
    );
    let decide = format!("{} {flags}", found.person_id);
    vec![found.name.clone(), why, owns, decide]
}

impl About {
    async fn decide(
        self,
        file: &File,
        send: &Send,
        confirmed: bool,
        last_day: Option<Date>,
    ) -> Result<(), CliError> {
        let leaves = confirmed && self.elsewhere.is_none();
        let command = Operation::DecideSuggestion(DecideSuggestion {
            evidence: Some(DepartureEvidence {
                evidence: self.evidence(),
            }),
            confirmed,
            last_day: last_day.map(|day| day.to_string()),
            reason: self.reason.map(|reason| reason.to_string()),
        });
        let (_, response) = send.send(file, of(self.person, command)).await?;
        if send.json {
            return output::json(&response);
        }
        output::line(match (leaves, confirmed) {
            (true, _) => format!("confirmed: person {} has left", self.person),
            (false, true) => format!("confirmed for person {}", self.person),
            (false, false) => format!("dismissed for person {}", self.person),
        });
        Ok(())
    }

    fn evidence(&self) -> Option<Evidence> {
        if let Some(institution) = self.elsewhere {
            return Some(Evidence::OwnerElsewhere(OwnerElsewhereEvidence {
                institution_id: institution.to_string(),
            }));
        }
        if let (true, Some(since)) = (self.no_enrolment, self.since) {
            return Some(Evidence::NoEnrolmentLeft(NoEnrolmentLeftEvidence {
                since: since.to_string(),
            }));
        }
        if let (Some(institution), Some(since)) = (self.no_place, self.since) {
            return Some(Evidence::NoPlaceLeft(NoPlaceLeftEvidence {
                institution_id: institution.to_string(),
                since: since.to_string(),
            }));
        }
        let (source, last_seen) = (self.absent.as_ref()?, self.last_seen?);
        Some(Evidence::AbsentFromRoster(AbsenceEvidence {
            source: source.to_string(),
            last_seen: last_seen.to_string(),
        }))
    }
}
