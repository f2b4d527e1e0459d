//! What is looked at after each kill: everything that was sent in the last round is sent again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use planledger::client::Client;
use planledger_proto::v1::{Command, GetCheckpointRequest, Receipt};

use crate::Fault;
use crate::ask::{No, Streamed, ask, execute_all, stream};
use crate::clients::teacher;
use crate::server::Server;
use crate::witness::{Findings, Sent, Witness};

/// What of a round goes over the wire together.
struct Part {
    actor: String,
    batch: Option<u64>,
    commands: Vec<Command>,
}

/// Sends the last round again, in the order of then. What was receipted has to get the receipt of then;
/// of a batch all or nothing has to be there.
pub(crate) async fn last_round(
    server: &Server,
    witness: &Arc<Mutex<Witness>>,
    found: &mut Findings,
) -> Result<(), Fault> {
    let actor = teacher(witness);
    let client = Client::connect(&server.url, &actor).await?;
    let parts = {
        let witness = witness.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = witness.sent.get(witness.round..).unwrap_or_default();
        parts(sent)
    };
    for part in parts {
        let client = client.acting_as(&part.actor);
        let client = client.ok_or_else(|| Fault::Own("an actor cannot be sent".to_owned()))?;
        found.sent_again += part.commands.len() as u64;
        match part.batch {
            Some(_) => batch(&client, witness, part.commands, found).await?,
            None => singles(&client, witness, part.commands, found).await?,
        }
    }
    checkpoints(&client, witness, 3, found).await
}

/// Commands that were sent by themselves go together as long as the same person sent them.
fn parts(sent: &[Sent]) -> Vec<Part> {
    let mut sizes: HashMap<u64, usize> = HashMap::new();
    for sent in sent {
        *sizes.entry(sent.batch).or_default() += 1;
    }
    let mut parts: Vec<Part> = Vec::new();
    for sent in sent.iter().filter(|sent| !sent.refused) {
        let is_batch = sizes.get(&sent.batch).is_some_and(|size| *size > 1);
        let batch = is_batch.then_some(sent.batch);
        match parts.last_mut() {
            Some(part) if part.batch == batch && part.actor == sent.actor => {
                part.commands.push(sent.command.clone());
            }
            _ => parts.push(Part {
                actor: sent.actor.clone(),
                batch,
                commands: vec![sent.command.clone()],
            }),
        }
    }
    parts
}

async fn singles(
    client: &Client,
    witness: &Mutex<Witness>,
    mut commands: Vec<Command>,
    found: &mut Findings,
) -> Result<(), Fault> {
    let mut attempts = 0;
    while !commands.is_empty() {
        let mut answered = HashMap::new();
        let streamed = stream(client, commands.clone(), |answer| {
            match answer {
                Streamed::Receipt(receipt) => {
                    let id = receipt.command_id.clone();
                    answered.insert(id, Ok(*receipt));
                }
                Streamed::Refused(id, reason) => {
                    answered.insert(id, Err(reason));
                }
            };
        });
        match streamed.await {
            Ok(()) => {}
            Err(No::Gone(what) | No::Refused(what)) => return Err(Fault::Gone(what)),
        }
        commands.retain(|command| !answered.contains_key(&command.command_id));
        let mut witness = witness.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, answer) in answered {
            compare(&mut witness, &id, answer, found);
        }
        attempts += 1;
        if attempts > 1_000 {
            return Err(Fault::Gone("it says \"later\" for ever".to_owned()));
        }
    }
    Ok(())
}

async fn batch(
    client: &Client,
    witness: &Mutex<Witness>,
    commands: Vec<Command>,
    found: &mut Findings,
) -> Result<(), Fault> {
    let answer = execute_all(client, &commands).await;
    let mut witness = witness.lock().unwrap_or_else(PoisonError::into_inner);
    match answer {
        Ok(receipts) => {
            let replayed = receipts.iter().filter(|receipt| receipt.replayed).count();
            if replayed != 0 && replayed != receipts.len() {
                let all = receipts.len();
                found.wrong(format!("of a batch of {all} there were only {replayed}"));
            }
            for receipt in receipts {
                let id = receipt.command_id.clone();
                compare(&mut witness, &id, Ok(receipt), found);
            }
        }
        Err(No::Refused(reason)) => {
            for command in commands {
                compare(
                    &mut witness,
                    &command.command_id,
                    Err(reason.clone()),
                    found,
                );
            }
        }
        Err(No::Gone(what)) => return Err(Fault::Gone(what)),
    }
    Ok(())
}

/// Compares what a command got now with what it had got.
fn compare(witness: &mut Witness, id: &str, now: Result<Receipt, String>, found: &mut Findings) {
    let Some(sent) = witness.by_id(id) else {
        found.wrong(format!("an answer to {id}, which nobody sent"));
        return;
    };
    match (&sent.receipt, now) {
        (Some(first), Ok(again)) => {
            // Only the first receipt says what an import left alone and what it ended.
            let bare = |receipt: &Receipt| Receipt {
                replayed: false,
                kept: Vec::new(),
                dropped: Vec::new(),
                ..receipt.clone()
            };
            if !again.replayed {
                found.missing(format!("{id} was receipted and is carried out again"));
            } else if bare(first) != bare(&again) {
                found.missing(format!("{id}: {first:?} has become {again:?}"));
            }
        }
        (Some(_), Err(reason)) => {
            found.missing(format!("{id} was receipted and is refused: {reason}"));
        }
        (None, Ok(receipt)) => witness.receive(receipt),
        (None, Err(_)) => witness.refuse(id),
    }
}

/// Looks whether the newest checkpoints that were shown are there, with the roots of then.
pub(crate) async fn checkpoints(
    client: &Client,
    witness: &Mutex<Witness>,
    newest: usize,
    found: &mut Findings,
) -> Result<(), Fault> {
    let shown: Vec<_> = {
        let witness = witness.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = witness.checkpoints.iter().rev().take(newest);
        newest.map(|(size, root)| (*size, root.clone())).collect()
    };
    for (size, root) in shown {
        let request = GetCheckpointRequest {
            min_size: size,
            create: false,
        };
        let answer = ask(|| {
            let mut call = client.audit();
            async move { call.get_checkpoint(request).await }
        });
        match answer.await {
            Ok(answer) => {
                let there = answer.checkpoint.map(|it| (it.size, it.root));
                if there != Some((size, root)) {
                    found.missing(format!("the checkpoint of {size} events is not as it was"));
                }
            }
            Err(No::Refused(reason)) => {
                found.missing(format!("the checkpoint of {size} events: {reason}"));
            }
            Err(No::Gone(what)) => return Err(Fault::Gone(what)),
        }
    }
    Ok(())
}
