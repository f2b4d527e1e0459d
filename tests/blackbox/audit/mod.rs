//! What auditors do: with the service, the program and witnesses, as they would.

mod bundles;
mod program;
mod service;
