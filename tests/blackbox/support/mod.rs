//! What the tests have in common.

mod api;
mod commands;
mod described;
mod evidence;
#[cfg(target_os = "linux")]
mod faults;
mod forking;
mod gated;
mod lying;
#[cfg(target_os = "linux")]
mod outside;
mod permitting;
mod program;
mod proxy;
#[cfg(target_os = "linux")]
mod raw;
mod recovery;
mod refused;
mod requests;
mod school;
mod server;
mod voice;
mod watching;

pub(crate) use api::{Ask, METHODS};
pub(crate) use commands::*;
pub(crate) use described::{Documented, documented, enum_names, methods, paths, requests};
pub(crate) use evidence::{Believed, bundle_of, checked, checked_since, texts};
#[cfg(target_os = "linux")]
pub(crate) use faults::{Call, Fault, Faults};
pub(crate) use gated::Gated;
pub(crate) use lying::Lying;
#[cfg(target_os = "linux")]
pub(crate) use outside::Outside;
pub(crate) use permitting::permitting;
pub(crate) use program::{Ran, Serving, output, program, run, samples, start};
pub(crate) use proxy::Proxy;
#[cfg(target_os = "linux")]
pub(crate) use raw::{EMPTY, Ended, Raw};
pub(crate) use recovery::{bring_back, give, transfer_of};
pub(crate) use refused::{Refused, command_error};
pub(crate) use requests::*;
pub(crate) use school::{Course, REFLECTION_GOAL, STUDENT, SUBJECT_GOAL, School, TEACHER};
pub(crate) use server::{Home, Running, Secured, Setup, Strict};
pub(crate) use voice::{Followed, PATIENCE, Voice, next};
pub(crate) use watching::{Said, Watching};
