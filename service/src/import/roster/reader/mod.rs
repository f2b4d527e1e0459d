//! Reads the tables of an export, row by row. Nothing here knows what a row means.
//!
//! From the bottom up: [`source`] opens the files, [`layout`] says which columns are read of
//! each, [`header`] finds the columns in the first row, [`row`] gives the fields of one row, and
//! [`table`] reads row after row.

pub(super) mod header;
pub(super) mod layout;
pub(super) mod row;
pub(super) mod source;
pub(super) mod table;
