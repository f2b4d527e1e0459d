//! tephra, embedded, with the configuration it comes with.

use std::ops::Range;
use std::path::PathBuf;

use planledger_benches::measure::space::held;
use tephra::{
    Event, EventType, Position, Query, SegmentConfig, SegmentSet, Tag, Tags, WriteCoordinator,
    WriteHandle, WriterConfig,
};

use crate::fault::Fault;
use crate::system::{Places, Space, System, stream, text};

/// What its documentation opens a log with.
const SEGMENT: usize = 256 << 20;

pub(crate) struct Tephra {
    coordinator: WriteCoordinator,
    handle: WriteHandle,
    dir: PathBuf,
}

fn failed(error: impl std::error::Error) -> Fault {
    Fault::said(Tephra::NAME, &error)
}

impl System for Tephra {
    const NAME: &'static str = "tephra";
    const SERVER: bool = false;
    type Call = Vec<Event>;
    type Connection = WriteHandle;

    async fn start(places: &Places) -> Result<Self, Fault> {
        let dir = places.dir.clone();
        let set = SegmentSet::open(&dir, SegmentConfig::new(SEGMENT)).map_err(failed)?;
        let (coordinator, handle) =
            WriteCoordinator::start(set, WriterConfig::default()).map_err(failed)?;
        Ok(Self {
            coordinator,
            handle,
            dir,
        })
    }

    fn process(&self) -> u32 {
        std::process::id()
    }

    fn call(&self, numbers: Range<u64>) -> Result<Self::Call, Fault> {
        let kind = EventType::new("StatusWritten").map_err(failed)?;
        let event = |number| {
            let tag = Tag::new(format!("plan:{}", stream(number))).map_err(failed)?;
            let tags = Tags::new([tag]).map_err(failed)?;
            Event::new(&kind, &tags, text(number)?.as_bytes()).map_err(failed)
        };
        numbers.map(event).collect()
    }

    async fn connect(&self) -> Result<Self::Connection, Fault> {
        Ok(self.handle.clone())
    }

    async fn send(connection: Self::Connection, call: Self::Call) -> Result<(), Fault> {
        connection.append_async(call, None).await.map_err(failed)?;
        Ok(())
    }

    async fn count(&self) -> Result<u64, Fault> {
        Ok(self.handle.head().get())
    }

    async fn read_all(&self) -> Result<u64, Fault> {
        let mut events = self.handle.read(&Query::all(), Position::ZERO, None);
        let mut count = 0;
        while let Some(event) = events.next() {
            event.map_err(failed)?;
            count += 1;
        }
        Ok(count)
    }

    async fn space(&self) -> Result<Space, Fault> {
        Ok(Space {
            all: held(&self.dir)?,
            log: None,
        })
    }

    async fn stop(self) -> Result<(), Fault> {
        drop(self.handle);
        self.coordinator.shutdown();
        Ok(())
    }
}
