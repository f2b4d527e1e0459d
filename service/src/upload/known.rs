//! The institutions of a ledger, and whether an earlier import has brought something of an export.

use planledger_proto::v1::{Institution, ListInstitutionsRequest};
use tonic::{Code, Status};

use super::Subject;
use crate::client::Client;

const PAGE: i32 = 1_000;

/// The institutions of a ledger.
#[derive(Clone, Debug)]
pub struct KnownInstitutions(
    /// `None` if the caller may not read them.
    Option<Vec<Institution>>,
);

impl KnownInstitutions {
    /// Reads all of them.
    ///
    /// # Errors
    /// The status of a call that failed.
    pub async fn read(client: &Client) -> Result<Self, Status> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListInstitutionsRequest {
                page_size: PAGE,
                page_token,
                ..ListInstitutionsRequest::default()
            };
            let page = match client.roster().list_institutions(request).await {
                Ok(page) => page.into_inner(),
                Err(status) if status.code() == Code::PermissionDenied => return Ok(Self(None)),
                Err(status) => return Err(status),
            };
            all.extend(page.institutions);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(Self(Some(all)));
            }
        }
    }

    /// Their ids. Empty if the caller may not read them.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let all = self.0.iter().flatten();
        all.map(|institution| institution.institution_id.as_str())
    }

    /// Whether there may be an institution. Who may not read that is told that there may be.
    pub fn may_be_any(&self) -> bool {
        self.0.as_ref().is_none_or(|all| !all.is_empty())
    }

    /// Whether the ledger has one of these institutions of an export. An institution's id follows from the source
    /// and its id there, so only an earlier import of the same source has brought it. Who may not read
    /// that is told that it has.
    pub fn has_any(&self, named: &[Subject]) -> bool {
        self.0.is_none()
            || self
                .ids()
                .any(|known| named.iter().any(|it| it.id == known))
    }

    /// How many institutions of an export the ledger has, as far as their numbers tell, or their names
    /// where one of the two has no number.
    pub fn meet(&self, named: &[Subject]) -> u64 {
        let known: Vec<_> = self
            .0
            .iter()
            .flatten()
            .filter_map(|it| it.details.as_ref())
            .collect();
        let is_known = |subject: &&Subject| {
            let mut known = known.iter();
            known.any(|it| match (&it.code, &subject.code) {
                (Some(code), Some(named)) => code == named,
                (None, _) | (_, None) => Some(&it.name) == subject.name.as_ref(),
            })
        };
        named.iter().filter(is_known).count() as u64
    }
}
