//! Reads and checks the requests of queries. Each method has a function, which returns the request
//! in the library's types. `view` reads who looks and as of when, and `plain` what needs no type
//! of its own.

mod catalogue;
mod events;
mod plain;
mod plans;
mod roster;
mod view;

pub use self::catalogue::{
    ListCatalogueGoals, ListCatalogueItems, ListCatalogueScales, get_catalogue_item,
    list_catalogue_goals, list_catalogue_items, list_catalogue_scales,
};
pub use self::events::event_filter;
pub use self::plain::{everything, id, page_size};
pub use self::plans::{
    Diff, History, PlanFilter, diff_plan, get_collected_view, get_plan, get_plan_history,
    list_plans,
};
pub use self::roster::{
    ListPersons, TeamFilter, YearPlanFilter, get_year_plan, list_persons, list_teams,
    list_year_plans, lookup_person, roster_links, roster_members,
};
pub(super) use self::view::read_as_of;
pub use self::view::{AsOf, View};
