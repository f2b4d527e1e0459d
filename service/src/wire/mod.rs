//! Between the API's messages and the library's types. Nothing else knows both.
//!
//! Reading a message checks everything that can be checked without any state, and names every
//! field that is at fault in one [`BadRequest`]; a [`Command`](planledger_core::domain::Command)
//! that comes out of it holds nothing that may not be stored. Writing cannot fail.
//!
//! A module per aggregate holds its commands in both directions and its state.

pub mod failure;
pub mod ownership;
pub mod page;
pub mod request;
pub mod revert;

mod audit;
mod catalogue;
mod command;
mod diff;
mod event;
mod fields;
mod institution;
mod overview;
mod person;
mod plan;
mod school_year;
mod shared;
mod team;
mod view;
mod year_plan;

/// Messages of the API.
pub use planledger_proto::v1 as proto;

pub use self::audit::{checkpoint, counted, export_request};
pub use self::catalogue::{catalogue, catalogue_item};
pub use self::command::{batch, batch_message, command, message};
pub use self::diff::plan_change;
pub use self::event::event;
pub use self::failure::Failure;
pub use self::fields::{BadRequest, Violation, ViolationReason};
pub use self::institution::institution;
pub use self::overview::{OverviewAsk, get_overview, overview_row};
pub use self::person::person;
pub use self::plan::summary;
pub use self::school_year::school_year;
pub use self::shared::{instant, timestamp, viewer};
pub use self::team::team;
pub use self::view::{collected_view, plan_view};
pub use self::year_plan::{year_plan, year_plan_summary};
