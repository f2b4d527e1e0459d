//! Systems and grants over the API and the command line.

mod cli;
mod cost;
mod log;
mod reads;
pub(crate) mod schema;
mod subject;
