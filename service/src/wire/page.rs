//! Page tokens. Clients cannot read them, and each is valid only for the list and filter that it
//! was made for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use planledger_core::domain::catalogue::ItemPlace;
use planledger_core::ids::CatalogueItemId;
use uuid::Uuid;

use super::errors::{Failure, ServiceReason};
use super::fields::{Fields, ViolationReason};

/// Number of items on a page when the request names none.
pub const DEFAULT_SIZE: usize = 100;
/// Most items on a page.
pub const MAX_SIZE: usize = 1_000;

const VERSION: u8 = 1;
const SCOPE_LEN: usize = 8;
const CHECK_LEN: usize = 8;
const SCOPE_CONTEXT: &str = "planledger v1 2026-11-23 page token scope";
const CHECK_CONTEXT: &str = "planledger v1 2026-11-23 page token check";

/// The place where a page ended, in the order of its list.
pub trait Cursor: Copy {
    /// The bytes of this cursor.
    fn to_bytes(self) -> Vec<u8>;

    /// The cursor with these bytes; `None` if they are not a cursor.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Cursor for Uuid {
    fn to_bytes(self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_slice(bytes).ok()
    }
}

impl Cursor for u64 {
    fn to_bytes(self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

impl Cursor for ItemPlace {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.id().as_bytes().to_vec();
        bytes.extend(self.sequence().into_iter().flat_map(i64::to_be_bytes));
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, sequence) = bytes.split_first_chunk()?;
        let sequence = match sequence {
            [] => None,
            sequence => Some(i64::from_be_bytes(sequence.try_into().ok()?)),
        };
        Some(Self::new(sequence, CatalogueItemId::from_bytes(*id)))
    }
}

/// Identifies a list: its method, and every field that decides its content and order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope([u8; SCOPE_LEN]);

impl Scope {
    /// The list that `method` returns for this filter.
    pub fn new(method: &str, filter: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(SCOPE_CONTEXT);
        for part in std::iter::once(method.as_bytes()).chain(filter.iter().copied()) {
            // Each part has its length in front, so that two different filters never have the same
            // bytes.
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(first_eight(&hasher))
    }
}

fn first_eight(hasher: &blake3::Hasher) -> [u8; 8] {
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

fn check(body: &[u8]) -> [u8; CHECK_LEN] {
    let mut hasher = blake3::Hasher::new_derive_key(CHECK_CONTEXT);
    hasher.update(body);
    first_eight(&hasher)
}

/// The page that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<C> {
    /// The most items on the page, 1 to [`MAX_SIZE`].
    pub size: usize,
    /// The last item of the page before; `None` for the first page.
    pub after: Option<C>,
    scope: Scope,
}

impl<C: Cursor> Page<C> {
    /// The page that a request asks for. `size` is the page size of the request within its limits,
    /// and `token` is the page token as the client sent it.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID` for a token that this server did not make, `PAGE_TOKEN_MISMATCH` for a
    /// token of another list or filter.
    pub fn new(scope: Scope, size: usize, token: &str) -> Result<Self, Failure> {
        let after = if token.is_empty() {
            None
        } else {
            Some(read_token(scope, token)?)
        };
        Ok(Self { size, after, scope })
    }

    /// The token of the page after this one, which ends with `last`.
    pub fn next_token(&self, last: C) -> String {
        let mut body = vec![VERSION];
        body.extend_from_slice(&self.scope.0);
        body.extend_from_slice(&last.to_bytes());
        body.extend_from_slice(&check(&body));
        URL_SAFE_NO_PAD.encode(body)
    }
}

/// Reads how many items a page may hold.
pub(super) fn read_size(fields: &mut Fields, size: i32) -> Option<usize> {
    match usize::try_from(size) {
        Ok(0) => Some(DEFAULT_SIZE),
        Ok(size) => Some(size.min(MAX_SIZE)),
        Err(_) => {
            fields.violate(
                "page_size",
                ViolationReason::OutOfRange,
                "must not be negative",
            );
            None
        }
    }
}

fn read_token<C: Cursor>(scope: Scope, token: &str) -> Result<C, Failure> {
    let invalid = || {
        let message = "the page token was not made by this service, or it was changed; start again \
                       without a page token";
        Failure::new(ServiceReason::PageTokenInvalid, message).at("page_token")
    };
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    let (body, sum) = bytes.split_last_chunk::<CHECK_LEN>().ok_or_else(invalid)?;
    if check(body) != *sum {
        return Err(invalid());
    }
    let (version, body) = body.split_first().ok_or_else(invalid)?;
    let (made_for, cursor) = body.split_first_chunk::<SCOPE_LEN>().ok_or_else(invalid)?;
    if *version != VERSION {
        return Err(invalid());
    }
    if *made_for != scope.0 {
        let message = "the page token belongs to another method or another filter; start again \
                       without a page token";
        return Err(Failure::new(ServiceReason::PageTokenMismatch, message).at("page_token"));
    }
    C::from_bytes(cursor).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn first<C: Cursor>(scope: Scope) -> Page<C> {
        Page::new(scope, DEFAULT_SIZE, "").unwrap()
    }

    #[test]
    fn a_token_leads_to_where_the_page_ended() {
        let scope = Scope::new("ListPlans", &[b"student", &[1; 16]]);
        let last = Uuid::from_bytes([5; 16]);
        let token = first(scope).next_token(last);
        let page = Page::<Uuid>::new(scope, 7, &token).unwrap();
        assert_eq!((page.after, page.size), (Some(last), 7));
    }

    #[test]
    fn the_place_of_an_item_comes_back_with_or_without_its_number() {
        let id = CatalogueItemId::from_bytes([5; 16]);
        for sequence in [None, Some(0), Some(-7), Some(i64::MAX)] {
            let place = ItemPlace::new(sequence, id);
            assert_eq!(ItemPlace::from_bytes(&place.to_bytes()), Some(place));
        }
        assert_eq!(ItemPlace::from_bytes(&[5; 17]), None);
        assert_eq!(ItemPlace::from_bytes(&[5; 25]), None);
    }

    #[test]
    fn a_token_of_another_method_or_filter_is_a_mismatch() {
        let scope = Scope::new("ListPlans", &[b"student", &[1; 16]]);
        let token = first(scope).next_token(Uuid::from_bytes([5; 16]));
        for other in [
            Scope::new("ListTeams", &[b"student", &[1; 16]]),
            Scope::new("ListPlans", &[b"owner", &[1; 16]]),
            Scope::new("ListPlans", &[b"student", &[2; 16]]),
            Scope::new("ListPlans", &[b"studen", b"t", &[1; 16]]),
        ] {
            let error = Page::<Uuid>::new(other, 1, &token).unwrap_err();
            assert_eq!(error.reason, "PAGE_TOKEN_MISMATCH");
            assert_eq!(error.violations[0].field, "page_token");
        }
    }

    #[test]
    fn sizes_are_bounded_and_never_negative() {
        let size = |size| Fields::read(|fields| read_size(fields, size));
        assert_eq!(size(0), Ok(DEFAULT_SIZE));
        assert_eq!(size(1), Ok(1));
        assert_eq!(size(i32::MAX), Ok(MAX_SIZE));
        let error = size(-1).unwrap_err();
        assert_eq!(error.violations[0].field, "page_size");
        assert_eq!(error.violations[0].reason, "OUT_OF_RANGE");
    }

    proptest! {
        #[test]
        fn a_changed_token_is_never_taken(last: u64, at: prop::sample::Index, to in "[A-Za-z0-9_-]") {
            let scope = Scope::new("GetPlanHistory", &[]);
            let token = first(scope).next_token(last);
            let at = at.index(token.len());
            let mut changed = token.clone();
            changed.replace_range(at..=at, &to);
            let read = Page::<u64>::new(scope, 1, &changed);
            if changed == token {
                prop_assert_eq!(read.unwrap().after, Some(last));
            } else {
                prop_assert_eq!(read.unwrap_err().reason, "PAGE_TOKEN_INVALID");
            }
        }

        #[test]
        fn any_string_is_an_answer_and_no_panic(token in ".*") {
            let _ = Page::<u64>::new(Scope::new("ListPlans", &[]), 1, &token);
        }
    }
}
