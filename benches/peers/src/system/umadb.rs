//! UmaDB: the server that PyPI delivers, with the settings it comes with, and the client of crates.io.

use std::ops::Range;
use std::sync::Arc;

use planledger_benches::measure::space::held;
use rustix::process::Signal;
use umadb_client::{AsyncUmaDbClient, UmaDbClient};
use umadb_dcb::{DcbEvent, DcbEventStoreAsync};
use uuid::Uuid;

use super::serving::{Serving, free_port, fresh};
use super::{Places, Space, System, stream, text};
use crate::fault::Fault;

const FILE: &str = "uma.db";

pub(crate) struct UmaDb {
    serving: Serving,
    url: String,
    client: AsyncUmaDbClient,
}

fn failed(error: impl std::error::Error) -> Fault {
    Fault::said(UmaDb::NAME, &error)
}

impl System for UmaDb {
    const NAME: &'static str = "UmaDB";
    const SERVER: bool = true;
    type Call = Vec<DcbEvent>;
    type Connection = Arc<AsyncUmaDbClient>;

    async fn start(places: &Places) -> Result<Self, Fault> {
        let dir = fresh(Self::NAME, &places.dir)?;
        let file = dir.path().join(FILE).display().to_string();
        let listen = format!("127.0.0.1:{}", free_port()?);
        let url = format!("http://{listen}");
        let arguments = ["--listen", &listen, "--db-path", &file];
        let program = &places.umadb;
        let mut serving = Serving::start(Self::NAME, dir, None, Signal::TERM, program, &arguments)?;
        let client = serving
            .until(async |_| UmaDbClient::new(url.clone()).connect_async().await.ok())
            .await?;
        Ok(Self {
            serving,
            url,
            client,
        })
    }

    fn process(&self) -> u32 {
        self.serving.process()
    }

    fn call(&self, numbers: Range<u64>) -> Result<Self::Call, Fault> {
        let event = |number| {
            let event = DcbEvent::default()
                .event_type("StatusWritten")
                .tags([format!("plan:{}", stream(number))])
                .data(text(number)?)
                .uuid(Uuid::new_v4());
            Ok(event)
        };
        numbers.map(event).collect()
    }

    async fn connect(&self) -> Result<Self::Connection, Fault> {
        let client = UmaDbClient::new(self.url.clone()).connect_async().await;
        Ok(Arc::new(client.map_err(failed)?))
    }

    async fn send(connection: Self::Connection, call: Self::Call) -> Result<(), Fault> {
        connection.append(call, None, None).await.map_err(failed)?;
        Ok(())
    }

    async fn count(&self) -> Result<u64, Fault> {
        Ok(self.client.head().await.map_err(failed)?.unwrap_or(0))
    }

    async fn read_all(&self) -> Result<u64, Fault> {
        let answer = self.client.read(None, None, false, None).await;
        let mut answer = answer.map_err(failed)?;
        let mut count = 0;
        loop {
            match answer.next_batch().await.map_err(failed)?.len() {
                0 => return Ok(count),
                events => count += events as u64,
            }
        }
    }

    async fn space(&self) -> Result<Space, Fault> {
        Ok(Space {
            all: held(&self.serving.dir().join(FILE))?,
            log: None,
        })
    }

    async fn stop(self) -> Result<(), Fault> {
        self.serving.stop()
    }
}
