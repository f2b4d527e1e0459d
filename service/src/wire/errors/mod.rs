//! Every error of the library as one of the API. Nothing outside this folder says which gRPC code,
//! reason or field path an error of the library gets.
//!
//! A [`Failure`] is what callers see. `refusal` makes it of what the rules say, `ledger` of what
//! the engine says, `evidence` of what the notary and exports say. `field_path` is the one place
//! that knows how callers write a part of a command.

mod evidence;
mod failure;
mod field_path;
mod ledger;
mod reason;
mod refusal;

pub use self::failure::{DOMAIN, Failure};
pub use self::reason::ServiceReason;
