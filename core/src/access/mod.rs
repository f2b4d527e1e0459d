//! Who may do what.
//!
//! [`decide`](decide()) answers whether somebody may do an [`Action`] [`About`] something. It looks at
//! grants, roster and plans of one state, and at one table ([`may`]): role × relation × action. What
//! the table does not allow is denied. `SECURITY.md` has the table, printed from here.

pub mod review;

mod about;
mod action;
mod commands;
mod decide;
mod holding;
mod identity;
mod named;
mod naming;
mod page;
mod relation;
mod table;
mod thing;

pub use self::about::About;
pub use self::action::Action;
pub use self::decide::{Because, Facts, Verdict, Who, WhyNot, decide};
pub use self::identity::{system_of, system_of_certificate, system_of_client};
pub use self::named::named;
pub use self::naming::unseen;
pub(crate) use self::naming::unseen_among;
pub use self::page::page;
pub use self::relation::Relation;
pub use self::table::may;
pub use crate::domain::grants::{Purpose, Role, Scope};
