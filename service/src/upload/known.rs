//! The institutions of a ledger, and whether an earlier import has brought something of an export.

use planledger_proto::v1::ListInstitutionsRequest;
use tonic::{Code, Status};

use crate::client::Client;

const PAGE: i32 = 1_000;

/// The ids of all institutions; `None` if the caller may not read them.
///
/// # Errors
/// The status of a call that failed.
pub(super) async fn institutions(client: &Client) -> Result<Option<Vec<String>>, Status> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListInstitutionsRequest {
            page_size: PAGE,
            page_token,
            ..ListInstitutionsRequest::default()
        };
        let page = match client.roster().list_institutions(request).await {
            Ok(page) => page.into_inner(),
            Err(status) if status.code() == Code::PermissionDenied => return Ok(None),
            Err(status) => return Err(status),
        };
        let ids = page.institutions.into_iter();
        all.extend(ids.map(|institution| institution.institution_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(Some(all));
        }
    }
}

/// Whether the ledger has one of these institutions. An institution's id follows from the source and
/// its id there, so only an earlier import of the same source has brought it. Who may not read that is
/// told that it has.
///
/// # Errors
/// The status of a call that failed.
pub async fn any_institution_known(client: &Client, ids: &[String]) -> Result<bool, Status> {
    let known = institutions(client).await?;
    Ok(known.is_none_or(|known| known.iter().any(|id| ids.contains(id))))
}
