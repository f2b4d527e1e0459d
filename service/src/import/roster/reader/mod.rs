//! Reads the tables of an export, row by row. Nothing here knows what a row means.
//!
//! From the bottom up: [`place`] finds the files and [`source`] opens them, [`encoding`] makes their
//! bytes UTF-8, [`meter`] and [`watch`] bound the work and see whether a file was cut, [`form`] finds out how a table is written,
//! [`layout`] says which columns are read of each, [`header`] finds the columns in the first row,
//! [`row`] gives the fields of one row, [`days`] understands the ways to write a day, [`nulls`] the ways to
//! write nothing, [`halves`] tells
//! short rows from rows that were cut in two, and [`table`] reads row after row.

mod days;
mod encoding;
mod form;
mod halves;
pub(super) mod header;
pub(super) mod layout;
pub(super) mod meter;
mod nulls;
mod place;
pub(super) mod row;
pub(super) mod source;
pub(super) mod table;
mod watch;
