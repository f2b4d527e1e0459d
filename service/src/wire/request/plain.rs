//! Requests that hold only an id or the size of a page.

use std::str::FromStr;

use planledger_core::ids::IdError;
use uuid::Uuid;

use crate::wire::errors::Failure;
use crate::wire::fields::Fields;
use crate::wire::page::{Page, Scope, read_size};

/// Reads the id in a request for one thing. `field` is the name of the id's field.
///
/// # Errors
/// `REQUEST_INVALID`.
pub fn id<Id: FromStr<Err = IdError>>(field: &str, value: &str) -> Result<Id, Failure> {
    Ok(Fields::read(|fields| fields.id(field, value))?)
}

/// Reads a request for a list without a filter.
///
/// # Errors
/// `REQUEST_INVALID`, or the errors of a page token.
pub fn everything(method: &str, size: i32, token: &str) -> Result<Page<Uuid>, Failure> {
    let size = Fields::read(|fields| read_size(fields, size))?;
    Page::new(Scope::new(method, &[]), size, token)
}

/// Reads how many items an answer may hold, for a list without page tokens.
///
/// # Errors
/// `REQUEST_INVALID`.
pub fn page_size(size: i32) -> Result<usize, Failure> {
    Ok(Fields::read(|fields| read_size(fields, size))?)
}
