//! Reads a collection page by page, and each page record by record.
//!
//! A page that names the next one (`Link: <…>; rel="next"`) leads there. Otherwise the next page
//! begins after the records that came. It is over when the server's `X-Total-Count` is reached, or
//! else when a page is empty: a page with fewer records than were asked for says nothing, because
//! many servers give fewer.
//!
//! The first `X-Total-Count` counts for the whole collection. If a later page says another number, a
//! record came or went on the server meanwhile, and the next page may have begun behind one that is
//! still there: what came is no whole collection.

use std::collections::HashSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value};

use super::client::{Answer, Client};
use crate::import::fault::{FaultCode, ImportFault, Problem};
use crate::import::json::Element;

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

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Question<'q> {
    /// The collection, which is also the name of the list in an answer.
    pub(super) collection: &'static str,
    /// The field that tells records apart, and by which they are asked to be sorted.
    pub(super) id: &'static str,
    /// What else stands in the query, with `&` before it.
    pub(super) filter: &'q str,
}

impl Question<'_> {
    fn page_at(&self, offset: u64) -> String {
        let Self {
            collection,
            id,
            filter,
        } = self;
        format!("{collection}?limit={PAGE}&offset={offset}&sort={id}&orderBy=asc{filter}")
    }
}

/// Where a record stands: its page and its number on the page, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) page: u64,
    pub(super) number: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} of page {}", self.number, self.page)
    }
}

/// Gives each record of a collection to `take`, once, with its place.
pub(super) fn each(
    client: &mut Client,
    question: Question<'_>,
    mut take: impl FnMut(Record, Place) -> Result<(), ImportFault>,
) -> Result<(), ImportFault> {
    let collection = question.collection;
    let fault = |code: FaultCode| of_collection(code, collection);
    let mut seen = HashSet::new();
    let (mut received, mut idle, mut total) = (0, 0, None);
    let mut url = client.url(&question.page_at(0));
    for page in 1..=PAGES {
        let answer = match client.get(&url, collection, PAGE_LIMIT) {
            // Some servers have no page after the last one.
            Err(fault) if page > 1 && fault.code == FaultCode::RestMissing => Answer::empty(),
            answer => answer?,
        };
        let before = seen.len();
        let count = records(&answer.body, collection, &mut |number, element| {
            let place = Place { page, number };
            let record = record(element, collection, place)?;
            match seen.insert(key(&record, question.id)) {
                true => take(record, place),
                false => Ok(()),
            }
        })?;
        received += count;
        idle = if seen.len() > before { 0 } else { idle + 1 };
        let found = seen.len() as u64;
        if answer
            .total
            .is_some_and(|now| *total.get_or_insert(now) != now)
        {
            return Err(changed(collection));
        }
        url = match (answer.next, total) {
            // The last page may name a next one, too.
            (Some(_), Some(total)) if found >= total && idle > 0 => return Ok(()),
            (Some(next), _) if idle < IDLE => {
                let next = client.base().follow(&next);
                next.ok_or_else(|| fault(FaultCode::RestElsewhere))?
            }
            (None, Some(total)) if found >= total => return Ok(()),
            (None, Some(_)) if count == 0 || idle > 0 => {
                return Err(fault(FaultCode::RestIncomplete));
            }
            (None, None) if count == 0 => return Ok(()),
            (None, _) if idle == 0 => client.url(&question.page_at(received)),
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

fn of_collection(problem: impl Into<Problem>, collection: &str) -> ImportFault {
    ImportFault::new(problem, format!("{collection} over REST"))
}

/// The fault of a collection that was another one at its end than at its beginning.
fn changed(collection: &str) -> ImportFault {
    let problem = Problem::new(
        FaultCode::RestIncomplete,
        "records came or went on the server while they were read, so that some may be missing; run \
         the import again",
    );
    of_collection(problem, collection)
}

/// The record that an element is.
fn record(element: Option<Value>, collection: &str, place: Place) -> Result<Record, ImportFault> {
    let problem = match element {
        Some(Value::Object(record)) => return Ok(record),
        Some(_) => Problem::new(
            FaultCode::RestAnswerInvalid,
            format!("{place} is no JSON object; ask the operator of the server"),
        ),
        None => Problem::new(
            FaultCode::RestAnswerTooLarge,
            format!("{place} is larger than any real one; ask the operator of the server"),
        ),
    };
    Err(of_collection(problem, collection))
}

/// Gives each element of a page, which is a list under the collection's name or bare, to `take`, with
/// its number. Says how many there are. The page as a whole is never a JSON value.
pub(super) fn records(
    body: &[u8],
    collection: &str,
    take: &mut dyn FnMut(u64, Option<Value>) -> Result<(), ImportFault>,
) -> Result<u64, ImportFault> {
    let mut page = Page {
        collection,
        take,
        count: None,
        failed: None,
    };
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = Part::Whole(&mut page)
        .deserialize(&mut json)
        .and_then(|()| json.end());
    if let Some(fault) = page.failed {
        return Err(fault);
    }
    let count = page.count.filter(|_| read.is_ok());
    count.ok_or_else(|| of_collection(FaultCode::RestAnswerInvalid, collection))
}

/// A page while it is read.
struct Page<'p> {
    collection: &'p str,
    take: &'p mut dyn FnMut(u64, Option<Value>) -> Result<(), ImportFault>,
    /// How many elements the list had so far; `None` if there was no list.
    count: Option<u64>,
    /// Why the reading ended early.
    failed: Option<ImportFault>,
}

/// What of a page is read.
enum Part<'r, 'p> {
    Whole(&'r mut Page<'p>),
    List(&'r mut Page<'p>),
}

impl<'de> DeserializeSeed<'de> for Part<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_, '_> {
    type Value = ();

    // Anything else is an error.
    fn expecting(&self, told: &mut fmt::Formatter<'_>) -> fmt::Result {
        told.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let (Self::Whole(page) | Self::List(page)) = self;
        let mut count = page.count.unwrap_or(0);
        while let Some(Element(element)) = list.next_element()? {
            count += 1;
            if let Err(fault) = (page.take)(count, element) {
                page.failed = Some(fault);
                return Err(A::Error::custom("a record cannot be taken"));
            }
        }
        page.count = Some(count);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Self::Whole(page) = self else {
            return Err(A::Error::custom("no list"));
        };
        while let Some(name) = object.next_key::<String>()? {
            match name == page.collection {
                true => object.next_value_seed(Part::List(&mut *page))?,
                false => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// What tells a record from others: its id, or all of it if it has none.
fn key(record: &Record, id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    match record.get(id).and_then(Value::as_str) {
        Some(id) => id.hash(&mut hasher),
        None => record.hash(&mut hasher),
    }
    hasher.finish()
}
