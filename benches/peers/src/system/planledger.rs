//! The server of planledger as it is released, and its client.

use std::ops::Range;
use std::path::PathBuf;

use planledger::client::Client;
use planledger::upload::upload;
use planledger::wire;
use planledger_benches::measure::space::held;
use planledger_benches::school::School;
use planledger_proto::v1::{
    Command, ExecuteBatchRequest, ExecuteRequest, GetStatusRequest, ReadEventsRequest,
};
use rustix::process::Signal;

use super::serving::{Serving, fresh};
use super::{Places, Space, System};
use crate::fault::Fault;
use crate::turn::{AFTER, STREAMS};

pub(crate) struct Planledger {
    serving: Serving,
    ledger: PathBuf,
    client: Client,
    school: School,
    url: String,
}

/// What a call failed with.
fn failed(error: impl std::error::Error) -> Fault {
    Fault::said(Planledger::NAME, &error)
}

impl System for Planledger {
    const NAME: &'static str = "planledger";
    const SERVER: bool = true;
    type Call = Vec<Command>;
    type Connection = Client;

    async fn start(places: &Places) -> Result<Self, Fault> {
        let dir = fresh(Self::NAME, &places.dir)?;
        let ledger = dir.path().join("ledger");
        let at = ledger.display().to_string();
        let arguments = ["serve", "--dev", "--dir", &at, "--listen", "127.0.0.1:0"];
        let program = &places.planledger;
        let mut serving = Serving::start(Self::NAME, dir, None, Signal::TERM, program, &arguments)?;
        let url = serving
            .until(async |said| {
                let (_, after) = said.split_once("listening on ")?;
                let url = after.split_whitespace().next()?.to_owned();
                after.contains('\n').then_some(url)
            })
            .await?;
        let school = School::new(7, STREAMS);
        let client = Client::connect(&url, &school.actor().to_string())
            .await
            .map_err(failed)?;
        let foundation = school.foundation().map_err(failed)?;
        let hand_over = move |send: &mut dyn FnMut(_, String) -> bool| {
            foundation
                .into_iter()
                .all(|command| send(wire::unless_unchanged(command), String::new()));
            Ok(())
        };
        let uploaded = upload(&client, hand_over, |_| {}).await.map_err(failed)?;
        if uploaded.refused > 0 {
            return Err(Fault::Untrue(format!(
                "{} commands were refused",
                uploaded.refused
            )));
        }
        // What the school leaves to be written is none of the events' business.
        tokio::time::sleep(AFTER).await;
        Ok(Self {
            serving,
            ledger,
            client,
            school,
            url,
        })
    }

    fn process(&self) -> u32 {
        self.serving.process()
    }

    fn call(&self, numbers: Range<u64>) -> Result<Self::Call, Fault> {
        let command = |number| {
            let command = self.school.status(number).map_err(failed)?;
            Ok(wire::message(&self.school.envelope(number, command)))
        };
        numbers.map(command).collect()
    }

    async fn connect(&self) -> Result<Self::Connection, Fault> {
        let actor = self.school.actor().to_string();
        Client::connect(&self.url, &actor).await.map_err(failed)
    }

    async fn send(connection: Self::Connection, mut call: Self::Call) -> Result<(), Fault> {
        let mut commands = connection.commands();
        match call.len() {
            1 => {
                let command = call.pop();
                commands
                    .execute(ExecuteRequest { command })
                    .await
                    .map_err(failed)?;
            }
            _ => {
                let batch = ExecuteBatchRequest { commands: call };
                commands.execute_batch(batch).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    async fn count(&self) -> Result<u64, Fault> {
        let status = self
            .client
            .ledger()
            .get_status(GetStatusRequest::default())
            .await;
        Ok(status.map_err(failed)?.into_inner().position)
    }

    async fn read_all(&self) -> Result<u64, Fault> {
        let mut events = self.client.events();
        let answers = events.read_events(ReadEventsRequest::default()).await;
        let mut answers = answers.map_err(failed)?.into_inner();
        let mut count = 0;
        while let Some(answer) = answers.message().await.map_err(failed)? {
            count += answer.events.len() as u64;
        }
        Ok(count)
    }

    async fn space(&self) -> Result<Space, Fault> {
        let log = Some(held(&self.ledger.join("journal"))?);
        Ok(Space {
            all: held(&self.ledger)?,
            log,
        })
    }

    async fn stop(self) -> Result<(), Fault> {
        self.serving.stop()
    }
}
