//! `access list` and `access review`.

use clap::Args;
use planledger_proto::v1::{
    Actor, Grant, Grants, ListGrantsRequest, ListGrantsResponse, ReviewAccessRequest,
    ReviewAccessResponse, ReviewFindingKind, ReviewedGrants,
};

use super::super::error::CliError;
use super::super::id::id;
use super::super::output;
use super::super::remote::Remote;
use super::names::{actor_name, heads, purpose_name, role_name, scope_name};
use crate::client::Client;
use crate::settings::File;
use crate::wire::NamedActor;

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Only the grants of this person or system: person/UUID or system/UUID
    #[arg(value_name = "GRANTEE", value_parser = id::<NamedActor>())]
    grantee: Option<NamedActor>,
    /// Also those that have ended
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let mut grants = all_grants(&client, self.grantee.map(|named| named.0)).await?;
        if !self.all {
            for one in &mut grants {
                one.grants.retain(is_open);
            }
            grants.retain(|one| !one.grants.is_empty());
        }
        if self.json {
            return output::json(&ListGrantsResponse {
                grants,
                ..Default::default()
            });
        }
        let mut rows = vec![heads(&[
            "grantee", "grant", "role", "scope", "from", "until", "purpose", "state",
        ])];
        for one in &grants {
            for grant in &one.grants {
                rows.push(row(one, grant));
            }
        }
        output::table(&rows);
        Ok(())
    }
}

/// Every grant, or every grant of one person or system: all pages.
pub(super) async fn all_grants(
    client: &Client,
    grantee: Option<Actor>,
) -> Result<Vec<Grants>, CliError> {
    let mut request = ListGrantsRequest {
        grantee,
        ..Default::default()
    };
    let mut all = Vec::new();
    loop {
        let page = client.access().list_grants(request.clone()).await?;
        let page = page.into_inner();
        all.extend(page.grants);
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        request.page_token = page.next_page_token;
    }
}

/// Whether a grant holds, or is still to begin.
fn is_open(grant: &Grant) -> bool {
    let today = crate::system::today().to_string();
    let details = grant.details.as_ref();
    let last = details.and_then(|details| details.last_day.as_ref());
    // Days as text are in the order of days.
    grant.revocation.is_none() && last.is_none_or(|last| *last >= today)
}

fn row(one: &Grants, grant: &Grant) -> Vec<String> {
    let details = grant.details.clone().unwrap_or_default();
    let dash = || "-".to_owned();
    let state = match (grant.holds, &grant.revocation) {
        (_, Some(_)) => "revoked",
        (true, None) => "holds",
        (false, None) if is_open(grant) => "to begin",
        (false, None) => "ended",
    };
    vec![
        actor_name(one.grantee.as_ref()),
        grant.grant_id.clone(),
        role_name(details.role()),
        scope_name(details.scope.as_ref()),
        details.first_day.clone().unwrap_or_else(dash),
        details.last_day.clone().unwrap_or_else(dash),
        details
            .purpose
            .map_or_else(dash, |_| purpose_name(details.purpose())),
        state.to_owned(),
    ]
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Review {
    /// Mark grants that end within so many days
    #[arg(long, value_name = "DAYS", default_value_t = 60)]
    soon: i32,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Review {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let report = self.report(&client).await?;
        if self.json {
            return output::json(&report);
        }
        output::line(format!(
            "Who holds what on {}, as of position {}",
            report.day, report.position
        ));
        let mut rows = vec![heads(&[
            "grantee", "name", "grant", "role", "scope", "since", "until", "look at",
        ])];
        for one in &report.reviewed {
            let grants = one.grants.iter().flat_map(|grants| &grants.grants);
            rows.extend(grants.map(|grant| reviewed(one, grant)));
        }
        output::table(&rows);
        Ok(())
    }

    /// The whole report: all pages. The day is that of the first one.
    async fn report(&self, client: &Client) -> Result<ReviewAccessResponse, CliError> {
        let mut request = ReviewAccessRequest {
            expiring_within_days: self.soon,
            ..Default::default()
        };
        let mut report = ReviewAccessResponse::default();
        loop {
            let page = client.access().review_access(request.clone()).await?;
            let page = page.into_inner();
            if report.day.is_empty() {
                report.day = page.day;
            }
            report.position = page.position;
            report.reviewed.extend(page.reviewed);
            if page.next_page_token.is_empty() {
                return Ok(report);
            }
            request.page_token = page.next_page_token;
        }
    }
}

fn reviewed(one: &ReviewedGrants, grant: &Grant) -> Vec<String> {
    let details = grant.details.clone().unwrap_or_default();
    let dash = || "-".to_owned();
    let of_this = one.findings.iter().filter(|finding| {
        let about = finding.grant_id.as_ref();
        about.is_none_or(|about| *about == grant.grant_id)
    });
    let findings: Vec<_> = of_this
        .map(|finding| finding_name(finding.kind()))
        .collect();
    let grantee = one
        .grants
        .as_ref()
        .and_then(|grants| grants.grantee.as_ref());
    vec![
        actor_name(grantee),
        one.name.clone().unwrap_or_else(dash),
        grant.grant_id.clone(),
        role_name(details.role()),
        scope_name(details.scope.as_ref()),
        output::instant(grant.granted_at.as_ref()),
        details.last_day.clone().unwrap_or_else(dash),
        findings.join(", "),
    ]
}

const fn finding_name(kind: ReviewFindingKind) -> &'static str {
    match kind {
        ReviewFindingKind::Unspecified => "-",
        ReviewFindingKind::PersonDeparted => "has left",
        ReviewFindingKind::PersonAbsent => "not in the newest roster",
        ReviewFindingKind::AccountClosed => "may not log in",
        ReviewFindingKind::SystemRevoked => "system is revoked",
        ReviewFindingKind::Expiring => "ends soon",
        ReviewFindingKind::WithoutEnd => "has no end",
        ReviewFindingKind::OneHand => "registered and granted by one hand",
    }
}
