//! Converts between the API's messages and the library's types. Only this module does that.
//!
//! Reading a message checks everything that needs no state, and names every wrong field in one
//! [`BadRequest`]. A [`Command`](planledger_core::domain::Command) that was read holds nothing that
//! may not be stored. Writing a message cannot fail.
//!
//! Each aggregate has a module, which converts its commands in both directions and writes its
//! state.

pub mod errors;
pub mod ownership;
pub mod page;
pub mod request;
pub mod revert;

mod access;
mod actor;
mod audit;
mod catalogue;
mod choice;
mod command;
mod diff;
mod erasure;
mod event;
mod evidence;
mod fields;
mod grants;
mod instant;
mod institution;
mod listed;
mod overview;
mod person;
mod plan;
mod readers;
mod retention;
mod roster_fact;
mod roster_record;
mod roster_source;
mod scalar;
mod school_year;
mod status;
mod survey;
mod system;
mod team;
mod view;
mod year_plan;

/// Messages of the API.
pub use planledger_proto::v1 as proto;

pub use self::access::{
    Explain, access_ground, action_named, explain, list_grants, purpose_named, review_access,
    reviewed,
};
pub use self::actor::NamedActor;
pub use self::audit::{checkpoint, counted, export_message, export_request};
pub use self::catalogue::{
    catalogue, catalogue_goals, catalogue_item, catalogue_of_messages, catalogue_scale,
};
pub use self::choice::viewer;
pub use self::command::{
    batch, batch_message, command, execute_message, message, preview, receipt, suggestions_preview,
    unless_unchanged,
};
pub use self::diff::plan_change;
pub use self::erasure::erasure;
pub use self::errors::Failure;
pub use self::event::{event, recorded, sized_event};
pub use self::fields::{BadRequest, Violation, ViolationReason};
pub use self::grants::grants;
pub use self::instant::{instant, timestamp};
pub use self::institution::institution;
pub use self::listed::{Listed, catalogue_items};
pub use self::overview::{OverviewAsk, due_rules_of_json, get_overview, overview_row};
pub use self::person::{child, person};
pub use self::plan::summary;
pub use self::readers::{ListReaders, Shown, list_readers, plan_read};
pub use self::retention::{
    DueAsk, RETENTION_REASON, due_erasure, list_due_erasures, not_due, retention_classes_of_toml,
};
pub use self::roster_source::{roster_link, roster_member, roster_source};
pub use self::school_year::school_year;
pub use self::status::status;
pub use self::survey::{
    SurveyAsk, get_survey_overview, list_survey_discussions, survey_discussion, survey_row,
};
pub use self::system::system;
pub use self::team::team;
pub use self::view::{collected_view, plan_view};
pub use self::year_plan::{year_plan, year_plan_summary};
