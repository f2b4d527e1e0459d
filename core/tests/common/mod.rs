//! What several suites share: streams in memory, and a school to try things on.

#![allow(dead_code, unused_imports, reason = "no suite uses all of it")]

mod memory;
pub(crate) mod repeatable;
pub(crate) mod school;

pub(crate) use self::memory::{ActsAs, Fact, IntoCommand, IntoEvent, Memory, Recorded};
