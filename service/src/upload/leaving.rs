//! Who looks as if they had left after an import, although nobody is missing in the export: whoever has
//! no place any more, and owners who work elsewhere.

use planledger_proto::v1::departure_evidence::Evidence;
use planledger_proto::v1::{
    DepartureSuggestion, ListSuggestionsRequest, SuggestedPerson, SuggestedPersons,
    SuggestionsPreview,
};
use tonic::{Code, Status};

use super::{KnownInstitutions, LISTED};
use crate::client::Client;

const PAGE: i32 = 1_000;

/// Who is suggested as somebody who may have left, by the kind of evidence.
#[derive(Clone, Debug, Default)]
pub struct Leaving {
    /// Those who have no place at any institution any more.
    pub no_place: Suggested,
    /// Those who own something of an institution and work at others only.
    pub elsewhere: Suggested,
}

/// Some of the suggestions.
#[derive(Clone, Debug, Default)]
pub struct Suggested {
    /// How many there are.
    pub count: u64,
    /// The first of them, each with the institution that asks.
    pub first: Vec<SuggestedPerson>,
}

impl From<SuggestedPersons> for Suggested {
    fn from(mut found: SuggestedPersons) -> Self {
        found.first.truncate(LISTED);
        Self {
            count: found.count,
            first: found.first,
        }
    }
}

impl From<SuggestionsPreview> for Leaving {
    /// What would be suggested once an import has written what it brings.
    fn from(foreseen: SuggestionsPreview) -> Self {
        Self {
            no_place: foreseen.no_place_left.unwrap_or_default().into(),
            elsewhere: foreseen.owner_elsewhere.unwrap_or_default().into(),
        }
    }
}

impl Leaving {
    /// Reads the suggestions of all institutions, once the server has reached a position. Who may not
    /// read them is told of nobody.
    ///
    /// # Errors
    /// The status of a call that failed.
    pub async fn find(client: &Client, min_position: u64) -> Result<Self, Status> {
        let mut leaving = Self::default();
        let institutions = KnownInstitutions::read(client).await?;
        for institution_id in institutions.ids() {
            let mut page_token = String::new();
            loop {
                let request = ListSuggestionsRequest {
                    institution_id: institution_id.to_owned(),
                    min_position,
                    page_size: PAGE,
                    page_token,
                };
                let page = match client.ownership().list_suggestions(request).await {
                    Ok(page) => page.into_inner(),
                    Err(status) if status.code() == Code::PermissionDenied => break,
                    Err(status) => return Err(status),
                };
                for suggestion in page.suggestions {
                    leaving.add(&suggestion, institution_id);
                }
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
        }
        Ok(leaving)
    }

    fn add(&mut self, suggestion: &DepartureSuggestion, institution: &str) {
        for found in suggestion
            .evidence
            .iter()
            .filter_map(|it| it.evidence.as_ref())
        {
            let part = match found {
                Evidence::NoPlaceLeft(_) => &mut self.no_place,
                Evidence::OwnerElsewhere(_) => &mut self.elsewhere,
                // The comparison with the export names these.
                Evidence::AbsentFromRoster(_) | Evidence::NoEnrolmentLeft(_) => continue,
            };
            part.count += 1;
            if part.first.len() < LISTED {
                part.first.push(SuggestedPerson {
                    person_id: suggestion.person_id.clone(),
                    name: suggestion.name.clone(),
                    institution_id: institution.to_owned(),
                });
            }
        }
    }
}
