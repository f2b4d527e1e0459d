//! Finds the source that a roster comes from among those that the ledger knows, registers it, and
//! notes when an import of it has come to its end.

use planledger_core::ids::RosterSourceId;
use planledger_core::text::SourceName;
use tonic::Status;

use crate::client::Client;
use crate::import::{Origin, RosterSummary};
use crate::system::today;
use crate::wire::proto;
use crate::wire::proto::roster_source_command::Operation;
use crate::wire::proto::{RosterImport, RosterImportMode};

/// A source, as the ledger knows it before an import.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundSource {
    /// Its name, and the id under which it is registered or will be.
    pub origin: Origin,
    /// Whether it is registered.
    pub is_known: bool,
    /// Of a source that is not registered: whether another one is.
    pub has_others: bool,
    /// Its last import.
    pub last_import: Option<RosterImport>,
    /// Its last import of a bulk export.
    pub last_bulk: Option<RosterImport>,
}

/// Asks the ledger for the source with this name. The first source that a ledger gets is its first
/// source, also if the ledger was filled before sources had names.
///
/// # Errors
/// The status of the call that failed.
pub async fn find(client: &Client, name: SourceName) -> Result<FoundSource, Status> {
    let (mut has_first, mut has_others) = (false, false);
    let mut request = proto::ListRosterSourcesRequest::default();
    loop {
        let page = client.roster().list_roster_sources(request.clone()).await?;
        let page = page.into_inner();
        for source in &page.sources {
            has_first |= source.first;
            if source.name == name.as_str() {
                let id = match source.first {
                    true => RosterSourceId::FIRST,
                    false => RosterSourceId::named(&name),
                };
                return Ok(FoundSource {
                    origin: Origin { name, id },
                    is_known: true,
                    has_others,
                    last_import: source.last_import.clone(),
                    last_bulk: source.last_bulk_import.clone(),
                });
            }
            has_others = true;
        }
        if page.next_page_token.is_empty() {
            let id = match has_first {
                true => RosterSourceId::named(&name),
                false => RosterSourceId::FIRST,
            };
            return Ok(FoundSource {
                origin: Origin { name, id },
                is_known: false,
                has_others,
                last_import: None,
                last_bulk: None,
            });
        }
        request.page_token = page.next_page_token;
    }
}

/// Makes a source known. Changes nothing if it is known. Answers with the ledger's position after it.
///
/// # Errors
/// The status of the call that failed. Two imports that begin at the same time may both want to be the
/// first source; one of them is refused, and can be run again.
pub async fn register(client: &Client, origin: &Origin) -> Result<u64, Status> {
    let name = origin.name.to_string();
    let register = proto::RegisterRosterSource { name };
    execute(client, origin, Operation::RegisterRosterSource(register)).await
}

/// Notes that a roster was imported to its end.
///
/// # Errors
/// The status of the call that failed.
pub async fn finish(
    client: &Client,
    origin: &Origin,
    mode: RosterImportMode,
    found: &RosterSummary,
) -> Result<(), Status> {
    let record = proto::RecordRosterImport {
        day: today().to_string(),
        mode: mode.into(),
        counts: Some(proto::RosterCounts {
            persons: found.persons(),
            teams: found.teams,
            enrolments: found.memberships + found.staff,
            guardianships: found.guardianships,
        }),
    };
    execute(client, origin, Operation::RecordRosterImport(record)).await?;
    Ok(())
}

async fn execute(client: &Client, origin: &Origin, operation: Operation) -> Result<u64, Status> {
    let command = proto::RosterSourceCommand {
        roster_source_id: origin.id.to_string(),
        operation: Some(operation),
    };
    let command = proto::Command {
        command_id: uuid::Uuid::new_v4().to_string(),
        discard_if_unchanged: true,
        command: Some(proto::command::Command::RosterSource(command)),
        ..proto::Command::default()
    };
    let request = proto::ExecuteRequest {
        command: Some(command),
    };
    let response = client.commands().execute(request).await?.into_inner();
    Ok(response.receipt.unwrap_or_default().position)
}
