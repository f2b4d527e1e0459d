//! Whether an earlier import has brought something of an export.

use planledger_proto::v1::ListInstitutionsRequest;
use tonic::{Code, Status};

use crate::client::Client;

const PAGE: i32 = 1_000;

/// Whether the ledger has one of these institutions. An institution's id follows from the source and
/// its id there, so only an earlier import of the same source has brought it. Who may not read that is
/// told that it has.
///
/// # Errors
/// The status of a call that failed.
pub async fn any_institution_known(client: &Client, ids: &[String]) -> Result<bool, Status> {
    let mut roster = client.roster();
    let mut page_token = String::new();
    loop {
        let request = ListInstitutionsRequest {
            page_size: PAGE,
            page_token,
            ..ListInstitutionsRequest::default()
        };
        let page = match roster.list_institutions(request).await {
            Ok(page) => page.into_inner(),
            Err(status) if status.code() == Code::PermissionDenied => return Ok(true),
            Err(status) => return Err(status),
        };
        let mut found = page.institutions.iter();
        if found.any(|institution| ids.contains(&institution.institution_id)) {
            return Ok(true);
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(false);
        }
    }
}
