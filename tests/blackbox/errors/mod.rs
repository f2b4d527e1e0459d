//! Errors: each has a documented reason and code, and names the field at fault.

mod access;
mod fields;
mod queries;
mod reasons;
mod rules;
