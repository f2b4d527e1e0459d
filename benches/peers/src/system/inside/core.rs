//! The library that the server of planledger is made of.

use std::ops::Range;
use std::path::PathBuf;

use planledger_benches::measure::space::held;
use planledger_benches::place;
use planledger_benches::school::School;
use planledger_core::domain::Actor;
use planledger_core::ids::Position;
use planledger_core::ledger::{Envelope, EventFilter, Ledger, Passed, Request};
use tokio::sync::oneshot;

use crate::fault::Fault;
use crate::system::{Places, Space, System};
use crate::turn::{AFTER, STREAMS};

pub(crate) struct Core {
    ledger: Ledger,
    school: School,
    dir: PathBuf,
}

fn failed(error: impl std::error::Error) -> Fault {
    Fault::said(Core::NAME, &error)
}

impl System for Core {
    const NAME: &'static str = "planledger-core";
    const SERVER: bool = false;
    type Call = Vec<Envelope>;
    type Connection = (Ledger, Actor);

    async fn start(places: &Places) -> Result<Self, Fault> {
        let dir = places.dir.clone();
        let ledger = place::open(&dir).map_err(failed)?;
        let school = School::new(7, STREAMS);
        if ledger.position() == Position::default() {
            let foundation = school.foundation().map_err(failed)?;
            // With numbers that no event has.
            let first = u64::MAX / 2;
            place::carry_out(&ledger, &school, first, foundation.into_iter().map(Ok))
                .map_err(failed)?;
            ledger.settle();
            tokio::time::sleep(AFTER).await;
        }
        Ok(Self {
            ledger,
            school,
            dir,
        })
    }

    fn process(&self) -> u32 {
        std::process::id()
    }

    fn call(&self, numbers: Range<u64>) -> Result<Self::Call, Fault> {
        let envelope = |number| {
            let command = self.school.status(number).map_err(failed)?;
            Ok(self.school.envelope(number, command))
        };
        numbers.map(envelope).collect()
    }

    async fn connect(&self) -> Result<Self::Connection, Fault> {
        Ok((self.ledger.clone(), self.school.actor()))
    }

    async fn send((ledger, actor): Self::Connection, call: Self::Call) -> Result<(), Fault> {
        let (reply, answer) = oneshot::channel();
        let request = Request::new(actor, call, move |result| {
            // Fails only when nobody waits any more.
            let _ = reply.send(result);
        });
        ledger.submit(request).map_err(failed)?;
        answer.await.map_err(failed)?.map_err(failed)?;
        Ok(())
    }

    async fn count(&self) -> Result<u64, Fault> {
        Ok(self.ledger.position().get())
    }

    async fn read_all(&self) -> Result<u64, Fault> {
        let mut count = 0;
        let all = EventFilter::default();
        for passed in self.ledger.events(Position::default(), all) {
            // What comes besides tells how far it is.
            count += u64::from(matches!(passed.map_err(failed)?, Passed::Event(_)));
        }
        Ok(count)
    }

    async fn space(&self) -> Result<Space, Fault> {
        let log = Some(held(&self.dir.join("journal"))?);
        Ok(Space {
            all: held(&self.dir)?,
            log,
        })
    }

    async fn stop(self) -> Result<(), Fault> {
        self.ledger.settle();
        Ok(())
    }
}
