//! Cuts lists of streams into pages.

use planledger_core::domain::Aggregate;
use planledger_core::ids::{InstitutionId, Revision, StreamId, StreamKind};
use planledger_core::ledger::Reading;
use uuid::Uuid;

use super::auth::Access;
use super::gate::Gate;
use crate::wire::Failure;
use crate::wire::page::{Cursor, Page};

/// The items of a page and the token of the next page. The token is empty on the last page.
pub(super) type Items<T> = (Vec<T>, String);

/// Most streams that are looked at for one page. A page of a list that holds much which its reader
/// may not see then ends early, and its token says where to go on.
pub(super) const LOOKS: usize = 2_000;

/// What may be on a page: streams of one kind that the caller may see.
pub(super) struct Wanted<'w, A> {
    pub(super) gate: &'w Gate<'w>,
    pub(super) kind: StreamKind,
    /// What it is to see one of them.
    pub(super) access: A,
}

/// A page that is being filled.
struct Filling<'p, T> {
    page: &'p Page<Uuid>,
    items: Vec<(Uuid, T)>,
    looks: usize,
    /// The last stream that was looked at.
    last: Option<Uuid>,
}

impl<'p, T> Filling<'p, T> {
    fn new(page: &'p Page<Uuid>) -> Self {
        Self {
            page,
            items: Vec::new(),
            looks: 0,
            last: page.after,
        }
    }

    /// Whether nothing more is looked at. One item more than the page holds tells that there is a
    /// next page.
    fn is_over(&self) -> bool {
        self.items.len() > self.page.size || self.looks >= LOOKS
    }

    fn look<A: Fn(Uuid) -> Access<'static>>(
        &mut self,
        reading: &Reading<'_>,
        wanted: &Wanted<'_, A>,
        stream: StreamId,
        show: &impl Fn(Uuid, Revision, &Aggregate) -> Option<T>,
    ) -> Result<(), Failure> {
        self.looks += 1;
        self.last = Some(stream.id);
        if wanted.gate.permits(&(wanted.access)(stream.id))?
            && let Some((state, revision)) = reading.stream(stream)?
            && let Some(item) = show(stream.id, revision, &state)
        {
            self.items.push((stream.id, item));
        }
        Ok(())
    }

    /// The page. `next` is the first stream that was not looked at, if there is one.
    fn finish(self, next: Option<Uuid>) -> Items<T> {
        let full = self.items.len() > self.page.size;
        let (items, token) = cut(self.items, self.page);
        match (full, self.last, next) {
            (false, Some(last), Some(next)) => (items, self.page.next_token(between(last, next))),
            _ => (items, token),
        }
    }
}

/// A place at or after one id and before the next, which is nobody's id as far as that is possible:
/// the token must not give away the id of something that its reader may not see.
fn between(last: Uuid, next: Uuid) -> Uuid {
    let (last, next) = (last.as_u128(), next.as_u128());
    let shared = (last ^ next).leading_zeros();
    // The bit after the shared ones is 0 in the first id and 1 in the next.
    Uuid::from_u128(last | u128::MAX.checked_shr(shared + 1).unwrap_or(0))
}

/// A page of streams from a list that is sorted by id.
pub(super) fn list<T, A: Fn(Uuid) -> Access<'static>>(
    reading: &Reading<'_>,
    wanted: &Wanted<'_, A>,
    streams: &[StreamId],
    page: &Page<Uuid>,
    show: impl Fn(Uuid, Revision, &Aggregate) -> Option<T>,
) -> Result<Items<T>, Failure> {
    let after = page.after;
    let mut streams = streams
        .iter()
        .filter(|stream| stream.kind == wanted.kind && after.is_none_or(|after| stream.id > after));
    let mut filling = Filling::new(page);
    while !filling.is_over()
        && let Some(stream) = streams.next()
    {
        filling.look(reading, wanted, *stream, &show)?;
    }
    Ok(filling.finish(streams.next().map(|stream| stream.id)))
}

/// A page of persons, teams or year plans of an institution. It looks up only as many as the page
/// needs.
pub(super) fn list_in_institution<T, A: Fn(Uuid) -> Access<'static>>(
    reading: &Reading<'_>,
    wanted: &Wanted<'_, A>,
    institution: InstitutionId,
    page: &Page<Uuid>,
    show: impl Fn(Uuid, Revision, &Aggregate) -> Option<T>,
) -> Result<Items<T>, Failure> {
    let kind = wanted.kind;
    let mut filling = Filling::new(page);
    while !filling.is_over() {
        let after = filling.last.map(|id| StreamId { kind, id });
        let next = page.size + 1 - filling.items.len();
        let streams = reading.find_in_institution(institution, kind, after, next)?;
        let all = streams.len() < next;
        for stream in streams {
            filling.look(reading, wanted, stream, &show)?;
        }
        if all {
            return Ok(filling.finish(None));
        }
    }
    let after = filling.last.map(|id| StreamId { kind, id });
    let next = reading.find_in_institution(institution, kind, after, 1)?;
    Ok(filling.finish(next.first().map(|next| next.id)))
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
