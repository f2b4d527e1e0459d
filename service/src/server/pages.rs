//! Cuts lists of streams into pages.

use std::sync::Arc;

use planledger_core::domain::Aggregate;
use planledger_core::ids::{Revision, StreamId, StreamKind};
use planledger_core::ledger::{ReadError, Reading};
use uuid::Uuid;

use crate::wire::page::{Cursor, Page};

/// The items of a page and the token of the next page. The token is empty on the last page.
pub(super) type Items<T> = (Vec<T>, String);

/// A page of streams from a list that is sorted by id.
pub(super) fn list<T>(
    reading: &Reading<'_>,
    streams: &[StreamId],
    kind: StreamKind,
    page: &Page<Uuid>,
    show: impl Fn(Uuid, Revision, &Aggregate) -> Option<T>,
) -> Result<Items<T>, ReadError> {
    let after = page.after;
    let streams = streams
        .iter()
        .filter(|stream| stream.kind == kind && after.is_none_or(|after| stream.id > after));
    fill(reading, streams.copied(), page, show)
}

/// A page of persons or teams of an institution. It looks up only as many as the page needs.
pub(super) fn list_in_institution<T>(
    reading: &Reading<'_>,
    institution: planledger_core::ids::InstitutionId,
    kind: StreamKind,
    page: &Page<Uuid>,
    show: impl Fn(Uuid, Revision, &Aggregate) -> Option<T>,
) -> Result<Items<T>, ReadError> {
    let mut after = page.after.map(|id| StreamId { kind, id });
    let mut items = Vec::new();
    loop {
        // Ask for one more than the page holds, to learn whether there is a next page.
        let wanted = page.size + 1 - items.len();
        let streams = reading.find_in_institution(institution, kind, after, wanted)?;
        let last = streams.len() < wanted;
        for stream in streams {
            after = Some(stream);
            if let Some((state, revision)) = reading.stream(stream)?
                && let Some(item) = show(stream.id, revision, &state)
            {
                items.push((stream.id, item));
            }
        }
        if last || items.len() > page.size {
            return Ok(cut(items, page));
        }
    }
}

fn fill<T>(
    reading: &Reading<'_>,
    streams: impl Iterator<Item = StreamId>,
    page: &Page<Uuid>,
    show: impl Fn(Uuid, Revision, &Aggregate) -> Option<T>,
) -> Result<Items<T>, ReadError> {
    let mut items = Vec::new();
    for stream in streams {
        if items.len() > page.size {
            break;
        }
        let found: Option<(Arc<Aggregate>, Revision)> = reading.stream(stream)?;
        if let Some((state, revision)) = found
            && let Some(item) = show(stream.id, revision, &state)
        {
            items.push((stream.id, item));
        }
    }
    Ok(cut(items, page))
}

/// Cuts the items to the page's size. If items are left over, there is a next page.
pub(super) fn cut<C: Cursor, T>(mut items: Vec<(C, T)>, page: &Page<C>) -> Items<T> {
    let more = items.len() > page.size;
    items.truncate(page.size);
    let token = match items.last() {
        Some((last, _)) if more => page.next_token(*last),
        Some(_) | None => String::new(),
    };
    (items.into_iter().map(|(_, item)| item).collect(), token)
}

/// A page of a complete list. The cursor is the number of items before the page.
pub(super) fn slice<'l, T>(list: &'l [T], page: &Page<u64>) -> (&'l [T], String) {
    let from = page.after.and_then(|before| usize::try_from(before).ok());
    let from = from.unwrap_or(0).min(list.len());
    let to = from.saturating_add(page.size).min(list.len());
    let token = match to < list.len() {
        true => page.next_token(to as u64),
        false => String::new(),
    };
    (list.get(from..to).unwrap_or_default(), token)
}
