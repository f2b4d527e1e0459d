//! How much a ledger accepts and keeps in memory. The names here are those that the pages use when
//! they quote a limit; `tests/repository/limits.rs` compares the pages with these constants.

use std::time::Duration;

use super::window::Window;
use super::{open, preview, restoring, waiting, writer};
use crate::derived;

/// Most commands in one commit.
pub const COMMANDS_OF_A_COMMIT: usize = writer::MOST_COMMANDS;
/// Most events in one commit.
pub const EVENTS_OF_A_COMMIT: usize = writer::MOST_EVENTS;
/// Most bytes in one commit.
pub const BYTES_OF_A_COMMIT: usize = writer::MOST_BYTES;
/// Most requests that wait for the writer; more are refused.
pub const WAITING_REQUESTS: usize = open::QUEUE;
/// Most bytes of requests that wait for the writer; more are refused.
pub const WAITING_BYTES: usize = waiting::MOST_BYTES;
/// Most streams that the commands of one preview may change.
pub const STREAMS_OF_A_PREVIEW: usize = preview::MOST_STREAMS;
/// How many of the last commands are certain to be known again.
pub const KNOWN_COMMANDS: u64 = Window::LENGTH;
/// Most command ids in memory.
pub const KNOWN_COMMANDS_IN_MEMORY: u64 = Window::MOST;
/// Bytes of decoded documents that are kept in memory.
pub const CACHED_DOCUMENTS: u64 = derived::CACHED_DOCUMENTS;
/// Bytes of states of the past that are kept in memory.
pub const CACHED_PAST: u64 = derived::CACHED_PAST;
/// Bytes that sled keeps in memory.
pub const CACHED_BY_SLED: u64 = derived::CACHED_BY_SLED;
/// Bytes of documents that wait for sled before the writer waits.
pub const WAITING_DOCUMENTS: u64 = derived::WAITING_DOCUMENTS;
/// How long the ledger waits after derived state could not be made again. Each wait is twice as
/// long as the one before.
pub const FIRST_PAUSE_OF_RESTORING: Duration = restoring::PAUSE;
/// The longest of these waits.
pub const LONGEST_PAUSE_OF_RESTORING: Duration = restoring::LONGEST_PAUSE;
