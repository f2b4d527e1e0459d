//! The server that is measured.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use planledger::client::Client;
use planledger::upload::upload;
use planledger::wire;
use planledger_benches::measure::process::Memory;
use planledger_benches::measure::space::{allocated, held};
use planledger_benches::measure::usage::{Cost, Usage};
use planledger_benches::measure::watch::{Moment, Watch};
use planledger_benches::school::School;
use planledger_core::domain::Actor;
use planledger_proto::v1::GetStatusRequest;

use super::Place;
use super::fault::Fault;
use super::report::Disk;

/// A server, and how to get to it.
pub(crate) struct Target {
    url: String,
    own: Option<Own>,
}

/// Where a server was.
pub(crate) struct Mark {
    position: u64,
    used: Option<Usage>,
}

impl Mark {
    /// Processor time that the server had used.
    pub(crate) fn used(&self) -> Option<&Usage> {
        self.used.as_ref()
    }
}

/// How often the memory of a server is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A server of the driver's own.
pub(crate) struct Own {
    process: Child,
    url: String,
    ledger: Option<PathBuf>,
    watch: Option<Watch>,
    /// Removed when the server has stopped.
    _dir: Option<tempfile::TempDir>,
}

impl Own {
    /// Starts a server on a ledger, or one that answers with nothing. With `checkpoints` it makes one each time
    /// so many seconds have passed, and records who reads.
    pub(crate) fn start(ledger: Option<&Path>, checkpoints: Option<u64>) -> Result<Self, Fault> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve");
        if let Some(dir) = ledger {
            command.arg("--on").arg(dir);
        }
        if let Some(seconds) = checkpoints {
            command.args(["--checkpoints", &seconds.to_string()]);
        }
        // Ctrl-C is for the driver, which ends the server when it is done with it.
        command.process_group(0);
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let watch = Watch::start(process.id(), LOOK);
        let own = Self {
            process,
            url: format!("http://{}", line.trim()),
            ledger: ledger.map(Path::to_owned),
            watch: Some(watch),
            _dir: None,
        };
        match line.trim().is_empty() {
            true => Err(Fault::Start("it gave no address".to_owned())),
            false => Ok(own),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Processor time that it has used.
    pub(crate) fn used(&self) -> Option<Usage> {
        Usage::of(self.process.id())
    }

    /// Processor time that it has used for each of `count` since it had used `before`.
    pub(crate) fn used_each(&self, before: Option<&Usage>, count: u64) -> Option<Cost> {
        Some(self.used()?.since(before?, count))
    }

    fn stop(mut self) -> Result<(), Fault> {
        drop(self.process.stdin.take());
        let status = self.process.wait()?;
        match status.success() {
            true => Ok(()),
            false => Err(Fault::Untrue(format!("the server ended with {status}"))),
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // Its input ends; it stops by itself, and is not left behind as a zombie.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

impl Target {
    /// The server that is asked for, started if it is one of the driver's own.
    pub(crate) async fn start(place: &Place) -> Result<Self, Fault> {
        Self::start_with(place, None).await
    }

    /// The same with all that the program does besides: it makes a checkpoint each time so many seconds have
    /// passed, and records who reads.
    pub(crate) async fn start_with(place: &Place, checkpoints: Option<u64>) -> Result<Self, Fault> {
        if let Some(url) = &place.server {
            return Ok(Self {
                url: url.clone(),
                own: None,
            });
        }
        let own = match &place.ledger {
            Some(dir) => Own::start(Some(dir), checkpoints)?,
            None => {
                let dir = tempfile::tempdir_in(place.root())?;
                let mut own = Own::start(Some(dir.path()), checkpoints)?;
                own._dir = Some(dir);
                own
            }
        };
        Ok(Self {
            url: own.url.clone(),
            own: Some(own),
        })
    }

    /// A connection of its own.
    pub(crate) async fn connect(&self, school: &School) -> Result<Client, Fault> {
        self.connect_as(school.actor()).await
    }

    /// A connection of somebody's own.
    pub(crate) async fn connect_as(&self, actor: Actor) -> Result<Client, Fault> {
        Ok(Client::connect(&self.url, &actor.to_string()).await?)
    }

    /// A connection of somebody else, for what the server gives each caller only so much of.
    pub(crate) async fn connect_as_another(&self) -> Result<Client, Fault> {
        let actor = format!("person/{}", uuid::Uuid::new_v4());
        Ok(Client::connect(&self.url, &actor).await?)
    }

    /// A school that nobody else has, founded.
    pub(crate) async fn school(&self, students: u64) -> Result<School, Fault> {
        let (seed, _) = uuid::Uuid::new_v4().as_u64_pair();
        let school = School::new(seed, students);
        let foundation = school.foundation()?;
        self.record(&school, foundation).await?;
        Ok(school)
    }

    /// Has commands carried out, all of them.
    pub(crate) async fn record(
        &self,
        school: &School,
        commands: Vec<planledger_core::domain::Command>,
    ) -> Result<(), Fault> {
        self.record_as(school.actor(), commands).await
    }

    /// Has somebody's commands carried out, all of them.
    pub(crate) async fn record_as(
        &self,
        actor: Actor,
        commands: Vec<planledger_core::domain::Command>,
    ) -> Result<(), Fault> {
        let client = self.connect_as(actor).await?;
        let hand_over = move |send: &mut dyn FnMut(_, String) -> bool| {
            commands
                .into_iter()
                .all(|command| send(wire::unless_unchanged(command), String::new()));
            Ok(())
        };
        let uploaded = upload(&client, hand_over, |_| {}).await?;
        match uploaded.refusals.first() {
            None => Ok(()),
            Some((_, error)) => Err(Fault::Untrue(format!(
                "{} commands were refused, the first because: {}",
                uploaded.refused, error.message
            ))),
        }
    }

    /// How many events the ledger holds.
    pub(crate) async fn position(&self) -> Result<u64, Fault> {
        let client = self.connect(&School::new(0, 1)).await?;
        let mut ledger = client.ledger();
        let status = ledger.get_status(GetStatusRequest::default()).await?;
        Ok(status.into_inner().position)
    }

    /// Where the server is before something is measured.
    pub(crate) async fn mark(&self) -> Result<Mark, Fault> {
        Ok(Mark {
            position: self.position().await?,
            used: self.used(),
        })
    }

    /// What the server used for each of `events`, after making sure that the ledger grew by just
    /// so many: nothing was dropped, repeated or refused.
    pub(crate) async fn since(&self, mark: &Mark, events: u64) -> Result<Option<Cost>, Fault> {
        let used = self.used_each(mark.used(), events);
        let recorded = self.position().await? - mark.position;
        match recorded == events {
            true => Ok(used),
            false => Err(Fault::Untrue(format!(
                "{events} events were sent, and {recorded} recorded"
            ))),
        }
    }

    /// Processor time that the server has used, if it is the driver's own.
    pub(crate) fn used(&self) -> Option<Usage> {
        self.own.as_ref()?.used()
    }

    /// Processor time that the server has used for each of `count` since it had used `before`.
    pub(crate) fn used_each(&self, before: Option<&Usage>, count: u64) -> Option<Cost> {
        self.own.as_ref()?.used_each(before, count)
    }

    /// Memory of the server, if it is the driver's own.
    pub(crate) fn memory(&self) -> Option<Memory> {
        Memory::of(self.own.as_ref()?.process.id())
    }

    /// Memory of the server until now, if it is the driver's own. It is not watched any more.
    pub(crate) fn moments(&mut self) -> Vec<Moment> {
        let watch = self.own.as_mut().and_then(|own| own.watch.take());
        watch.map(Watch::end).unwrap_or_default()
    }

    /// What the ledger takes of the disk, if the server is the driver's own.
    pub(crate) async fn disk(&self) -> Result<Option<Disk>, Fault> {
        let ledger = self.own.as_ref().and_then(|own| own.ledger.as_deref());
        let Some(ledger) = ledger else {
            return Ok(None);
        };
        Ok(Some(Disk {
            events: self.position().await?,
            journal: held(&ledger.join("journal"))?,
            derived: held(&ledger.join("derived"))?,
        }))
    }

    /// Bytes that are set aside for the journal and for derived state, if the server is the driver's own.
    pub(crate) fn allocated(&self) -> Result<Option<(u64, u64)>, Fault> {
        let ledger = self.own.as_ref().and_then(|own| own.ledger.as_deref());
        let Some(ledger) = ledger else {
            return Ok(None);
        };
        let journal = allocated(&ledger.join("journal"))?;
        Ok(Some((journal, allocated(&ledger.join("derived"))?)))
    }

    /// Stops the server, if it is the driver's own.
    pub(crate) fn stop(self) -> Result<(), Fault> {
        self.own.map_or(Ok(()), Own::stop)
    }
}
