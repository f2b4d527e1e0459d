//! The systems that are compared.

mod inside;
mod message_db;
mod planledger;
mod serving;
mod umadb;

use std::ops::Range;
use std::path::PathBuf;

use planledger_benches::school;

use crate::fault::Fault;

pub(crate) use self::inside::{core::Core, tephra::Tephra};
pub(crate) use self::message_db::MessageDb;
pub(crate) use self::planledger::Planledger;
pub(crate) use self::umadb::UmaDb;

/// Where programs and directories are.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// `planledger`, as it is released.
    pub(crate) planledger: PathBuf,
    /// `umadb`, as PyPI delivers it.
    pub(crate) umadb: PathBuf,
    /// `database` of message-db, as npm delivers it.
    pub(crate) message_db: PathBuf,
    /// `bin` of PostgreSQL.
    pub(crate) postgres: PathBuf,
    /// A directory for everything that is written.
    pub(crate) dir: PathBuf,
}

/// Bytes on the disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Space {
    pub(crate) all: u64,
    /// Of the log alone, where there is one.
    pub(crate) log: Option<u64>,
}

/// A system that runs on a fresh directory. Everything that is sent is asked for in the way that is the
/// fastest one its documentation names and durable all the same.
pub(crate) trait System: Sized {
    const NAME: &'static str;
    /// Whether it is a process of its own, so that its memory can be told from the clients'.
    const SERVER: bool;
    /// Some events, ready to be sent.
    type Call: Send + 'static;
    type Connection: Clone + Send + 'static;

    async fn start(places: &Places) -> Result<Self, Fault>;
    /// The process that carries events out.
    fn process(&self) -> u32;
    /// Events with these numbers.
    fn call(&self, numbers: Range<u64>) -> Result<Self::Call, Fault>;
    async fn connect(&self) -> Result<Self::Connection, Fault>;
    /// Returns when the events are durable.
    fn send(
        connection: Self::Connection,
        call: Self::Call,
    ) -> impl Future<Output = Result<(), Fault>> + Send + 'static;
    /// Events that it holds.
    async fn count(&self) -> Result<u64, Fault>;
    /// Reads every event, with its content, and counts them.
    async fn read_all(&self) -> Result<u64, Fault>;
    async fn space(&self) -> Result<Space, Fault>;
    /// Settings that bear on durability, as the system tells them, if it has any.
    async fn settings(&self) -> Result<Option<String>, Fault> {
        Ok(None)
    }
    async fn stop(self) -> Result<(), Fault>;
}

/// The text of the event with this number.
fn text(number: u64) -> Result<String, Fault> {
    let text = school::text(number).map_err(|error| Fault::said("text", &error))?;
    Ok(text.as_str().to_owned())
}

/// The stream of the event with this number.
fn stream(number: u64) -> u64 {
    number % crate::turn::STREAMS
}
