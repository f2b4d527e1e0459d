//! Who operates a server can watch it: metrics, logs with the ids of requests, and what the service
//! manager is told.

mod manager;
mod metrics;
mod read;
mod requests;

pub(crate) use read::{Measured, Metrics};
