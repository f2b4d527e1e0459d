//! Turns every error of the library into an error of the API. Only this folder decides which gRPC
//! code, reason or field path an error of the library gets.
//!
//! A [`Failure`] is what callers see. `refusal` makes it from a refusal of the rules, `ledger` from
//! an error of the engine, and `evidence` from an error of the notary or of an export. Only
//! `field_path` knows how callers write a part of a command.

mod counted;
mod evidence;
mod failure;
mod field_path;
mod ledger;
mod reason;
mod refusal;

pub use self::counted::refused;
pub use self::failure::{DOMAIN, Failure};
pub use self::reason::ServiceReason;
