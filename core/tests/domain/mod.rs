//! The rules, as examples: given these events, when somebody asks this, then that is recorded or
//! refused.

mod guardians;
mod harness;

mod by_hand;
mod by_hand_values;
mod catalogue;
mod days;
mod departure;
mod erasure;
mod gone;
mod grants;
mod institution;
mod ledger;
mod on_behalf;
mod ownership;
mod person;
mod plan;
mod profiles;
mod reasons;
mod recovery;
mod roster_source;
mod school_year;
mod suggestions;
mod systems;
mod team;
mod texts;
mod views;
mod walkthroughs;
mod year_plan;
