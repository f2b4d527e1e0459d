//! The clients, each with its own way of sending.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use planledger_proto::v1::Command;

use crate::Fault;
use crate::load::Shared;
use crate::send::{Sender, Trouble};
use crate::work::{CLASSES, Work};

/// Statuses of one batch.
const TOGETHER: u64 = 20;
/// Commands of one stream.
const STREAMED: usize = 256;
/// How long a stream waits when it was told to come later.
const LATER: Duration = Duration::from_millis(50);

/// Which plans a client works with: those whose number leaves `nth` when divided by `of`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) nth: u64,
    pub(crate) of: u64,
}

/// Founds the first classes, if they are not there. `false` if the server is gone.
pub(crate) async fn found(
    sender: &Sender,
    shared: &Shared,
    mut work: Work,
    classes: u64,
) -> Result<bool, Fault> {
    if shared.classes() == 0 {
        let schools = work.schools()?;
        if !shared.together(sender, schools).await? {
            return Ok(false);
        }
    }
    while shared.classes() < classes.min(CLASSES) {
        if !another_class(sender, shared, &mut work).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn another_class(sender: &Sender, shared: &Shared, work: &mut Work) -> Result<bool, Fault> {
    let class = shared.classes();
    for commands in [work.roster(class)?, work.course(class)?] {
        if !shared.together(sender, commands).await? {
            return Ok(false);
        }
    }
    shared.one_more_class();
    Ok(true)
}

/// Sends batches: new classes, classes under new names, units, and statuses.
pub(crate) async fn batches(
    sender: Sender,
    shared: Arc<Shared>,
    mut work: Work,
) -> Result<(), Fault> {
    while !shared.is_over() {
        let class = work.dice.below(shared.classes());
        let students = shared.students();
        let commands = match work.dice.below(12) {
            0 if shared.classes() < CLASSES => {
                if !another_class(&sender, &shared, &mut work).await? {
                    return Ok(());
                }
                continue;
            }
            1 | 2 => work.renamed(class)?,
            3 | 4 => work.unit(class)?,
            _ => {
                let statuses = (0..TOGETHER).map(|_| work.status(students));
                statuses.collect::<Result<_, _>>()?
            }
        };
        if !shared.together(&sender, commands).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Sends one command after another, each when it has the receipt of the one before.
pub(crate) async fn singles(
    sender: Sender,
    shared: Arc<Shared>,
    mut work: Work,
    own: Share,
) -> Result<(), Fault> {
    while !shared.is_over() {
        let student = work.dice.below(shared.students() / own.of) * own.of + own.nth;
        let command = work.on_plan(student)?;
        shared.turn(1).await;
        shared
            .kept()
            .intend(std::slice::from_ref(&command), false)?;
        let goes_on = match sender.execute(&command).await {
            Ok(receipt) => shared.received(&[receipt])?,
            Err(trouble) => shared.goes_on(&trouble),
        };
        if !goes_on {
            return Ok(());
        }
    }
    Ok(())
}

/// Sends statuses over streams, many on their way at once.
pub(crate) async fn stream(
    sender: Sender,
    shared: Arc<Shared>,
    mut work: Work,
) -> Result<(), Fault> {
    let mut waiting: VecDeque<Command> = VecDeque::new();
    while !shared.is_over() {
        let room = STREAMED.saturating_sub(waiting.len());
        shared.turn(room).await;
        let mut fresh = Vec::new();
        for _ in 0..room {
            fresh.push(work.status(shared.students())?);
        }
        shared.kept().intend(&fresh, false)?;
        waiting.extend(fresh);
        let mut answered = HashSet::new();
        let commands: Vec<_> = waiting.iter().cloned().collect();
        let streamed = sender
            .stream(commands, |receipt| {
                answered.insert(receipt.command_id.clone());
                shared.kept().receive(&[receipt])
            })
            .await?;
        for reason in streamed.refused.values() {
            shared.refused(reason);
        }
        waiting.retain(|command| {
            let id = &command.command_id;
            !answered.contains(id) && !streamed.refused.contains_key(id)
        });
        match &streamed.trouble {
            Some(Trouble::Gone(_)) => return Ok(()),
            Some(trouble) if !shared.goes_on(trouble) => return Ok(()),
            _ if streamed.later => tokio::time::sleep(LATER).await,
            _ => {}
        }
    }
    Ok(())
}
