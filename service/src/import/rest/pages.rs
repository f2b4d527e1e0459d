//! Reads a collection page by page.
//!
//! A page that names the next one (`Link: <…>; rel="next"`) leads there. Otherwise the next page
//! begins after the records that came. It is over when the server's `X-Total-Count` is reached, or
//! else when a page is empty: a page with fewer records than were asked for says nothing, because
//! many servers give fewer.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value};

use super::client::{Answer, Client};
use crate::import::fault::{FaultCode, ImportFault};

/// A record.
pub(super) type Record = Map<String, Value>;

/// How many records are asked for at once.
const PAGE: u64 = 1_000;
/// The most bytes of a page.
const PAGE_LIMIT: u64 = 64 << 20;
/// The most pages of a collection.
const PAGES: u64 = 20_000;
/// How many pages in a row may bring nothing new.
const IDLE: u32 = 3;

/// Gives each record of a collection to `take`, once, with the number of its page.
pub(super) fn each(
    client: &mut Client,
    collection: &'static str,
    filter: &str,
    mut take: impl FnMut(Record, u64) -> Result<(), ImportFault>,
) -> Result<(), ImportFault> {
    let fault = |code: FaultCode| ImportFault::new(code, format!("{collection} over REST"));
    let mut seen = HashSet::new();
    let (mut received, mut idle) = (0, 0);
    let page_at = |offset: u64| format!("{collection}?limit={PAGE}&offset={offset}{filter}");
    let mut url = client.url(&page_at(0));
    for page in 1..=PAGES {
        let answer = match client.get(&url, collection, PAGE_LIMIT) {
            // Some servers have no page after the last one.
            Err(fault) if page > 1 && fault.code == FaultCode::RestMissing => Answer::empty(),
            answer => answer?,
        };
        let records =
            records(&answer.body, collection).ok_or_else(|| fault(FaultCode::RestAnswerInvalid))?;
        let (count, before) = (records.len() as u64, seen.len());
        for record in records {
            let id = record.get("sourcedId").and_then(Value::as_str);
            let id = id.ok_or_else(|| fault(FaultCode::RestAnswerInvalid))?;
            if seen.insert(hash(id)) {
                take(record, page)?;
            }
        }
        received += count;
        idle = if seen.len() > before { 0 } else { idle + 1 };
        let found = seen.len() as u64;
        url = match (answer.next, answer.total) {
            (Some(next), _) if idle < IDLE => {
                let next = client.base().follow(&next);
                next.ok_or_else(|| fault(FaultCode::RestElsewhere))?
            }
            (None, Some(total)) if found >= total => return Ok(()),
            (None, Some(_)) if count == 0 || idle > 0 => {
                return Err(fault(FaultCode::RestIncomplete));
            }
            (None, None) if count == 0 => return Ok(()),
            (None, _) if idle == 0 => client.url(&page_at(received)),
            // The same records again: the server does not know about pages.
            _ => return Err(fault(FaultCode::RestPagesEndless)),
        };
    }
    Err(fault(FaultCode::RestPagesEndless))
}

impl Answer {
    fn empty() -> Self {
        Self {
            body: b"[]".to_vec(),
            total: None,
            next: None,
        }
    }
}

/// The records of a page: a list under the collection's name.
pub(super) fn records(body: &[u8], collection: &str) -> Option<Vec<Record>> {
    let list = match serde_json::from_slice(body).ok()? {
        Value::Object(mut object) => object.remove(collection)?,
        list => list,
    };
    let Value::Array(list) = list else {
        return None;
    };
    let objects = list.into_iter().map(|record| match record {
        Value::Object(record) => Some(record),
        _ => None,
    });
    objects.collect()
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
