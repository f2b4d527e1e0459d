//! Runs recoveries. Each recovery has one thread, however many callers ask for it or watch it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use planledger_core::domain::recovery::Recovery;
use planledger_core::domain::{Actor, Aggregate, Stop};
use planledger_core::ids::{RecoveryId, StreamId};
use planledger_core::ledger::Reading;
use planledger_core::recovery::{self, Progress};
use prost::Message;
use tokio::sync::watch;
use tonic::Status;

use super::api::Api;
use super::auth::{Access, Caller, Naming};
use super::gate::Gate;
use super::in_request;
use super::outlet::{Answers, Flow};
use super::recoveries::Update;
use crate::wire::Failure;
use crate::wire::ownership::{Run, Undo};

/// The shortest time between two messages about progress.
const PACE: Duration = Duration::from_millis(100);
/// How many messages may wait for a client. The newest says all that earlier ones said.
const WINDOW: usize = 1;
/// How often a running recovery asks whether whoever began it may still have it carried out.
const ASKING: Duration = Duration::from_secs(1);

/// Whether the caller may have each step of a recovery taken. If nothing can be proposed, beginning
/// the recovery says why. Returns what the request names and the caller may not see.
fn may_recover(gate: &Gate<'_>, asked: &Run) -> Result<BTreeSet<StreamId>, Failure> {
    gate.require(&Access::Recover {
        id: asked.id,
        recovery_request: &asked.recovery_request,
        on_behalf_of: asked.on_behalf_of,
    })?;
    if gate.is_open() {
        return Ok(BTreeSet::new());
    }
    let unseen = gate.unseen(Naming::Recovery(&asked.recovery_request))?;
    let steps = match known(gate.now(), asked.id)? {
        Some(recovery) => recovery.steps,
        None => match recovery::propose(gate.now(), &asked.recovery_request, &unseen) {
            Ok(proposal) => proposal.steps(),
            Err(Stop::Refused(_)) => return Ok(unseen),
            Err(Stop::Unread(error)) => return Err(error.into()),
        },
    };
    for step in &steps {
        gate.require(&Access::TakeStep(step))?;
    }
    Ok(unseen)
}

fn known(now: &Reading<'_>, id: RecoveryId) -> Result<Option<Recovery>, Failure> {
    let found = now.stream(id)?;
    Ok(match found.as_ref().map(|(state, _)| &**state) {
        Some(Aggregate::Recovery(recovery)) => Some(recovery.clone()),
        _ => None,
    })
}

impl Api {
    /// Continues the recoveries that were interrupted when an earlier process ended.
    pub(super) async fn resume_recoveries(self) {
        let open = self
            .blocking(|ledger| recovery::open(ledger).map_err(Failure::of_reading))
            .await;
        // If the ledger cannot be read, the error was logged already.
        for id in open.into_iter().flatten() {
            tracing::info!(recovery = %id, "an interrupted recovery continues");
            drop(self.run_recovery_to_its_end(id));
        }
    }

    /// Records that a recovery begins. Nothing happens if it began already.
    pub(super) async fn start_recovery(&self, caller: &Caller, asked: Run) -> Result<(), Failure> {
        let on_behalf_of = asked.on_behalf_of;
        let who = (caller.actor, on_behalf_of);
        let (api, caller) = (self.clone(), self.acting(caller, asked.on_behalf_of)?);
        self.blocking(move |ledger| {
            let unseen = api.ask(&caller, |gate| may_recover(gate, &asked))?;
            let request = &asked.recovery_request;
            let begun = recovery::start(ledger, who, asked.id, request, &unseen, asked.digest);
            begun.map(drop).map_err(Failure::of_recovery)
        })
        .await
    }

    /// Records that a recovery is undone from now on.
    pub(super) async fn start_undo(&self, caller: &Caller, asked: Undo) -> Result<(), Failure> {
        let on_behalf_of = asked.on_behalf_of;
        let who = (caller.actor, on_behalf_of);
        let (api, caller) = (self.clone(), self.acting(caller, asked.on_behalf_of)?);
        self.blocking(move |ledger| {
            let id = asked.id;
            api.ask(&caller, |gate| {
                gate.require(&Access::UndoRecovery { id, on_behalf_of })
            })?;
            let undone = recovery::undo(ledger, who, asked.id, asked.reason);
            undone.map(drop).map_err(Failure::of_recovery)
        })
        .await
    }

    /// The caller, acting for whom a request names.
    fn acting(&self, caller: &Caller, named: Option<Actor>) -> Result<Caller, Failure> {
        match caller.acting_for(named) {
            Some(caller) => Ok(caller),
            None if self.is_open() => Ok(caller.clone()),
            None => Err(Failure::access_denied()),
        }
    }

    /// Whether whoever began a recovery, or asked to undo it, may still have that done.
    fn may_continue(&self, id: RecoveryId) -> Result<bool, Failure> {
        if self.is_open() {
            return Ok(true);
        }
        let (found, _) = self.ledger.read(|now| known(now, id))?;
        let Some(recovery) = found else {
            return Ok(true);
        };
        let undone_by = recovery.undone_by();
        let (by, on_behalf_of) = undone_by.unwrap_or((recovery.by, recovery.on_behalf_of));
        let Some(starter) = Caller::new(by).acting_for(on_behalf_of) else {
            return Ok(false);
        };
        let recovery = &recovery;
        self.ask(&starter, |gate| {
            gate.permits(&Access::ContinueRecovery { id, recovery })
        })
    }

    /// Carries a recovery out as long as whoever began it may have that done. Then it ends with a
    /// reason on record, and what was done stays.
    fn carry_out_recovery(
        &self,
        id: RecoveryId,
        tell: &watch::Sender<Update>,
    ) -> Result<Recovery, Failure> {
        let mut permitted = self.may_continue(id)?;
        let mut asked = Instant::now();
        let mut unread = None;
        if permitted {
            let run = recovery::run_until(&self.ledger, id, &mut |progress| {
                tell.send_replace(Update::Moving(progress));
                if asked.elapsed() >= ASKING {
                    asked = Instant::now();
                    match self.may_continue(id) {
                        Ok(may) => permitted = may,
                        Err(failure) => unread = Some(failure),
                    }
                }
                match self.is_stopping() || !permitted || unread.is_some() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
            if permitted {
                return match unread {
                    Some(failure) => Err(failure),
                    None => run.map_err(Failure::of_recovery),
                };
            }
        }
        tracing::warn!(recovery = %id, "a recovery ends early: whoever began it may no longer have \
            it carried out");
        recovery::end_early(&self.ledger, id).map_err(Failure::of_recovery)
    }

    /// Starts a recovery, unless it runs already. The returned receiver reports the progress.
    pub(super) fn run_recovery_to_its_end(&self, id: RecoveryId) -> watch::Receiver<Update> {
        let running = &self.recoveries.running;
        let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(update) = running.get(&id)
            && update.has_changed().is_ok()
        {
            return update.clone();
        }
        let (tell, update) = watch::channel(Update::Moving(Progress::default()));
        running.insert(id, update.clone());
        let api = self.clone();
        in_request::spawn_blocking(move || {
            let result = api.carry_out_recovery(id, &tell).map(Box::new);
            if let Err(failure) = &result {
                tracing::warn!(recovery = %id, %failure, "a recovery stopped before its end; it \
                    continues when the server starts again");
            }
            // Remove the recovery from the list before reporting the end. A caller who asks after
            // that finds the end in the ledger, or starts the recovery again.
            let running = &api.recoveries.running;
            let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
            running.remove(&id);
            tell.send_replace(Update::Ended(result));
        });
        update
    }

    /// The messages to a client that watches a recovery. The recovery goes on also if the client takes none
    /// of them and loses its stream.
    pub(super) fn watch_recovery<T: Message + 'static>(
        &self,
        update: watch::Receiver<Update>,
        message: impl Fn(Result<Progress, Box<Recovery>>) -> T + Send + 'static,
    ) -> Flow<Result<T, Status>> {
        let (outlet, flow) = self.room.open(WINDOW);
        let stopping = self.stopping();
        in_request::spawn(async move {
            let ended = tokio::select! {
                ended = tell(update, message, &outlet) => ended,
                () = stopping => Err(Failure::shutting_down()),
                () = outlet.left() => Ok(()),
            };
            if let Err(failure) = ended {
                outlet.fail(failure, Err);
            }
        });
        flow
    }
}

/// Sends how far a recovery is until it has ended. While the client takes nothing, no message is made.
async fn tell<T: Message>(
    mut update: watch::Receiver<Update>,
    message: impl Fn(Result<Progress, Box<Recovery>>) -> T,
    outlet: &Answers<T>,
) -> Result<(), Failure> {
    loop {
        let place = outlet.place(0).await?;
        let now = update.borrow_and_update().clone();
        let (told, last) = match now {
            Update::Moving(progress) => (message(Ok(progress)), false),
            Update::Ended(Ok(recovery)) => (message(Err(recovery)), true),
            Update::Ended(Err(failure)) => return Err(failure),
        };
        let bytes = told.encoded_len();
        place.send(Ok(told), bytes);
        if last {
            return Ok(());
        }
        tokio::time::sleep(PACE).await;
        // Nobody drops the sender before the end.
        update.changed().await.map_err(|_| Failure::internal())?;
    }
}

#[cfg(test)]
mod tests {
    use planledger_proto::v1::RecoveryProgress;
    use tokio_stream::StreamExt;

    use super::*;
    use crate::server::limits::Limits;
    use crate::server::outlet::Room;
    use crate::wire::errors::ServiceReason;
    use crate::wire::ownership as wire;

    fn room(reading: Duration) -> Room {
        Room::new(&Limits {
            reading,
            ..Limits::default()
        })
    }

    fn progress(tried: u32) -> Update {
        Update::Moving(Progress {
            tried,
            ..Progress::default()
        })
    }

    fn shown(progress: Result<Progress, Box<Recovery>>) -> RecoveryProgress {
        wire::recovery_progress(progress.unwrap_or_default())
    }

    /// A recovery that moves on for as long as somebody watches.
    fn moving() -> (tokio::task::JoinHandle<()>, watch::Receiver<Update>) {
        let (moves, update) = watch::channel(progress(0));
        let running = tokio::spawn(async move {
            for tried in 1_u32.. {
                tokio::time::sleep(Duration::from_millis(10)).await;
                if moves.send(progress(tried)).is_err() {
                    return;
                }
            }
        });
        (running, update)
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_of_a_recovery_loses_its_stream() {
        let room = room(Duration::from_millis(300));
        let (running, update) = moving();
        let (outlet, mut flow) = room.open(WINDOW);
        let told = tokio::time::timeout(Duration::from_secs(60), tell(update, shown, &outlet));
        let failure = told.await.expect("it gives up").unwrap_err();
        assert_eq!(failure.reason, ServiceReason::SlowReader.code());
        outlet.fail(failure, Err);
        // What was not read is thrown away, and the recovery need not wait for anybody.
        let ended = flow.next().await.unwrap();
        assert!(ended.is_err());
        assert!(flow.next().await.is_none());
        running.await.unwrap();
    }

    #[tokio::test]
    async fn a_client_that_reads_late_is_told_the_newest_and_no_old_news() {
        let room = room(Duration::from_secs(60));
        let (moves, update) = watch::channel(progress(0));
        let (outlet, mut flow) = room.open(WINDOW);
        let telling = tokio::spawn(async move { tell(update, shown, &outlet).await });
        for tried in 1..=40 {
            moves.send_replace(progress(tried));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut seen = vec![flow.next().await.unwrap().unwrap().tried];
        seen.push(flow.next().await.unwrap().unwrap().tried);
        moves.send_replace(Update::Ended(Err(Failure::internal())));
        while let Some(told) = flow.next().await {
            seen.push(told.unwrap().tried);
        }
        assert!(seen.is_sorted() && seen.contains(&40), "{seen:?}");
        assert!(seen.len() < 5, "{seen:?}");
        assert!(telling.await.unwrap().is_err());
    }
}
