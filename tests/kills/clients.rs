//! The clients that send commands, each in its own way, until the server is gone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use planledger::client::Client;
use planledger_core::domain::Command as CoreCommand;
use planledger_core::domain::plan::{Audience, PlanCommand};
use planledger_proto::v1::Command;
use tokio::task::JoinSet;

use crate::Fault;
use crate::ask::{No, Streamed, execute, execute_all, stream};
use crate::dice::Dice;
use crate::others::{self, Rosters};
use crate::server::Server;
use crate::witness::{STUDENTS, Witness};

/// Clients that send one command after another.
const SINGLES: u64 = 3;
/// Commands on their way at once over a stream.
const STREAMED: usize = 40;
/// Commands of a batch.
const TOGETHER: u64 = 12;
/// How long a client waits before it sends the next stream or batch. What is sent is sent again after
/// the kill, so more work makes fewer kills.
const BREATH: Duration = Duration::from_millis(4);
/// How long clients may take to notice that the server is gone.
const GONE: Duration = Duration::from_secs(5);

/// Everything that works on a server.
pub(crate) struct Load(JoinSet<Result<(), Fault>>);

impl Load {
    /// Waits until every client has noticed that the server is gone. One that has not after a while is left
    /// behind: nobody answers it any more. Gives whether there was one.
    pub(crate) async fn ended(mut self) -> Result<bool, Fault> {
        let until = tokio::time::Instant::now() + GONE;
        loop {
            match tokio::time::timeout_at(until, self.0.join_next()).await {
                Ok(Some(ended)) => ended.map_err(|error| Fault::Own(error.to_string()))??,
                Ok(None) => return Ok(false),
                Err(_) => {
                    self.0.shutdown().await;
                    return Ok(true);
                }
            }
        }
    }
}

/// What a client works with.
#[derive(Clone)]
pub(crate) struct Working {
    pub(crate) client: Client,
    pub(crate) witness: Arc<Mutex<Witness>>,
    pub(crate) dice: Dice,
}

impl Working {
    pub(crate) fn witness(&self) -> MutexGuard<'_, Witness> {
        self.witness.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same as somebody else.
    pub(crate) fn acting_as(&self, actor: &str) -> Result<Self, Fault> {
        let client = self.client.acting_as(actor);
        Ok(Self {
            client: client.ok_or_else(|| Fault::Own(format!("{actor} cannot be sent")))?,
            ..self.clone()
        })
    }

    /// Sends a command and keeps what came of it. Whether the server is still there.
    pub(crate) async fn single(&self, actor: &str, command: &Command) -> bool {
        self.witness()
            .intend(actor, std::slice::from_ref(command), false);
        match execute(&self.client, command).await {
            Ok(receipt) => {
                self.witness().receive(receipt);
                true
            }
            Err(No::Refused(_)) => {
                self.witness().refuse(&command.command_id);
                true
            }
            Err(No::Gone(_)) => false,
        }
    }

    /// Sends commands as one and keeps what came of them. Whether the server is still there.
    async fn together(&self, actor: &str, commands: &[Command]) -> bool {
        self.witness().intend(actor, commands, true);
        match execute_all(&self.client, commands).await {
            Ok(receipts) => {
                let mut witness = self.witness();
                receipts.into_iter().for_each(|it| witness.receive(it));
                true
            }
            Err(No::Refused(_)) => {
                let mut witness = self.witness();
                commands
                    .iter()
                    .for_each(|it| witness.refuse(&it.command_id));
                true
            }
            Err(No::Gone(_)) => false,
        }
    }

    /// A command on somebody's plan, of one of many kinds.
    fn on_plan(&mut self) -> Result<Command, Fault> {
        let student = self.dice.below(STUDENTS);
        let kind = self.dice.below(8);
        let audience = match self.dice.below(2) {
            0 => Audience::Guardians,
            _ => Audience::Student,
        };
        let visible = self.dice.below(2) == 0;
        let mut witness = self.witness.lock().unwrap_or_else(PoisonError::into_inner);
        let number = witness.number();
        let command = match kind {
            0 => {
                let set = PlanCommand::SetVisibility { audience, visible };
                CoreCommand::Plan(witness.school.plan(student), set)
            }
            1 => CoreCommand::Plan(witness.school.plan(student), PlanCommand::Share),
            _ => witness.school.work_on(student, number)?,
        };
        Ok(witness.message(command))
    }

    /// The status of somebody's plan.
    fn status(&mut self) -> Result<Command, Fault> {
        let student = self.dice.below(STUDENTS);
        let mut witness = self.witness.lock().unwrap_or_else(PoisonError::into_inner);
        let number = witness.number();
        let status = witness.school.status(number * STUDENTS + student)?;
        Ok(witness.message(status))
    }
}

/// Who the teacher of the first class is, as the API names an actor.
pub(crate) fn teacher(witness: &Mutex<Witness>) -> String {
    let witness = witness.lock().unwrap_or_else(PoisonError::into_inner);
    witness.school.actor().to_string()
}

/// Founds the school.
pub(crate) async fn found(server: &Server, witness: &Arc<Mutex<Witness>>) -> Result<(), Fault> {
    let actor = teacher(witness);
    let working = Working {
        client: Client::connect(&server.url, &actor).await?,
        witness: witness.clone(),
        dice: Dice::new(0),
    };
    let commands: Vec<_> = {
        let mut witness = working.witness();
        let foundation = witness.school.foundation()?;
        let messages = foundation.into_iter().map(|it| witness.message(it));
        messages.collect()
    };
    match working.together(&actor, &commands).await {
        true => Ok(()),
        false => Err(Fault::Gone("while the school was founded".to_owned())),
    }
}

/// Begins to work.
pub(crate) fn load(
    server: &Server,
    witness: &Arc<Mutex<Witness>>,
    rosters: &Rosters,
    dice: &mut Dice,
    beside: Option<Kind>,
) -> Load {
    {
        let mut witness = witness.lock().unwrap_or_else(PoisonError::into_inner);
        witness.round = witness.sent.len();
    }
    let actor = teacher(witness);
    let mut running = JoinSet::new();
    // Every client has a connection of its own: what one has on its way holds nobody else up.
    let mut spawn = |work: Kind| {
        let (url, actor, witness) = (server.url.clone(), actor.clone(), witness.clone());
        let (dice, rosters) = (Dice::new(dice.roll()), rosters.clone());
        running.spawn(async move {
            // The server may be gone before anybody is connected.
            let Ok(client) = Client::connect(&url, &actor).await else {
                return Ok(());
            };
            let working = Working {
                client,
                witness,
                dice,
            };
            match work {
                Kind::Single => singles(working, actor).await,
                Kind::Stream => streams(working, actor).await,
                Kind::Batch => batches(working, actor).await,
                Kind::Recovery => others::recoveries(working).await,
                Kind::Checkpoint => others::checkpoints(working).await,
                Kind::Export => others::exports(working).await,
                Kind::Redaction => others::redactions(working, actor).await,
                Kind::Import => others::import(working, url, rosters).await,
            }
        });
    };
    (0..SINGLES).for_each(|_| spawn(Kind::Single));
    spawn(Kind::Stream);
    spawn(Kind::Batch);
    spawn(Kind::Checkpoint);
    spawn(Kind::Recovery);
    spawn(Kind::Redaction);
    beside.into_iter().for_each(spawn);
    Load(running)
}

/// What a client does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Single,
    Stream,
    Batch,
    Recovery,
    Checkpoint,
    Export,
    Redaction,
    Import,
}

async fn singles(mut working: Working, actor: String) -> Result<(), Fault> {
    loop {
        let command = working.on_plan()?;
        if !working.single(&actor, &command).await {
            return Ok(());
        }
        tokio::time::sleep(BREATH / 4).await;
    }
}

async fn batches(mut working: Working, actor: String) -> Result<(), Fault> {
    loop {
        let statuses = (0..TOGETHER).map(|_| working.status());
        let commands = statuses.collect::<Result<Vec<_>, _>>()?;
        if !working.together(&actor, &commands).await {
            return Ok(());
        }
        tokio::time::sleep(BREATH).await;
    }
}

async fn streams(mut working: Working, actor: String) -> Result<(), Fault> {
    loop {
        let statuses = (0..STREAMED).map(|_| working.status());
        let commands = statuses.collect::<Result<Vec<_>, _>>()?;
        working.witness().intend(&actor, &commands, false);
        let witness = working.witness.clone();
        let streamed = stream(&working.client, commands, |answer| {
            let mut witness = witness.lock().unwrap_or_else(PoisonError::into_inner);
            match answer {
                Streamed::Receipt(receipt) => witness.receive(*receipt),
                Streamed::Refused(command, _) => witness.refuse(&command),
            }
        });
        if let Err(No::Gone(_)) = streamed.await {
            return Ok(());
        }
        tokio::time::sleep(BREATH).await;
    }
}
