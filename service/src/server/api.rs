//! What all handlers share: they find out who asks, check that the caller may do it, wait until the
//! ledger has reached a position, and read without delaying other requests.

use std::sync::Arc;

use jiff::civil::Date;
use planledger_core::access_log::AccessLogError;
use planledger_core::domain::ledger::{CarriedOver, RestoreOnRecord};
use planledger_core::ids::Position;
use planledger_core::ledger::{Ledger, Reading};
use planledger_core::time::Timestamp;
use tokio::sync::{Notify, watch};
use tonic::{Extensions, Status};

use super::auth::{Access, Authorizer, Caller};
use super::counts::Counts;
use super::evidence::Evidence;
use super::gate::{self, Gate};
use super::in_request;
use super::limits::Limits;
use super::outlet::Room;
use super::reads::{self, Looks, ReadLog, Recording};
use super::recoveries::Recoveries;
use super::together::Together;
use super::turns::Turns;
use super::writing::{Streams, Writing};
use crate::wire::Failure;
use crate::wire::errors::ServiceReason;
use crate::wire::request::AsOf;

/// The services of one ledger. Cheap to clone.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) ledger: Ledger,
    pub(super) evidence: Option<Evidence>,
    pub(super) reads: Option<ReadLog>,
    authorizer: Arc<dyn Authorizer>,
    stopping: watch::Receiver<bool>,
    durable: watch::Receiver<Position>,
    pub(super) started_at: Timestamp,
    pub(super) limits: Limits,
    pub(super) counts: Arc<Counts>,
    /// The older states that were put back. That happens only while no server runs.
    pub(super) restores: Arc<[RestoreOnRecord]>,
    /// The earlier ledger that the events come from. That happens only before a server runs.
    pub(super) origin: Option<Arc<CarriedOver>>,
    /// What waits for clients to read it.
    pub(super) room: Room,
    pub(super) turns: Turns,
    /// Does the short reads of everybody who follows.
    pub(super) together: Together,
    pub(super) recoveries: Recoveries,
    /// Wakes the task that carries out redactions and erasures.
    pub(super) approved: Arc<Notify>,
}

/// What is on record of older states that were put back. The log says it at each start.
fn restores(ledger: &Ledger) -> Arc<[RestoreOnRecord]> {
    let restores = ledger.restores().unwrap_or_else(|error| {
        tracing::error!(%error, "it cannot be read which older states were put back");
        Vec::new()
    });
    for restore in &restores {
        tracing::warn!(
            position = %restore.position,
            reached = %restore.reached,
            at = %restore.restored_at,
            checkpoint = restore.beyond.map_or(0, |beyond| beyond.size.get()),
            lost_commands = restore.commands,
            "an older state of the ledger was put back: the events from its position to the one that had \
            been reached are missing, and checkpoints of them were signed"
        );
    }
    restores.into()
}

/// What is on record of the earlier ledger that the events come from. The log says it at each start.
fn origin(ledger: &Ledger) -> Option<Arc<CarriedOver>> {
    let origin = ledger.origin().unwrap_or_else(|error| {
        tracing::error!(%error, "it cannot be read which ledger the events come from");
        None
    })?;
    tracing::info!(
        from = %origin.ledger,
        position = %origin.position,
        at = %origin.carried_at,
        lost = origin.lost,
        "the events up to a position come from an earlier ledger"
    );
    Some(Arc::new(origin))
}

/// What was read, and the position of the ledger that it holds for.
pub(super) type Answer<T> = Result<(T, Position), Failure>;

impl Api {
    pub(super) fn new(
        ledger: Ledger,
        evidence: Option<Evidence>,
        reads: Option<ReadLog>,
        authorizer: Arc<dyn Authorizer>,
        stopping: watch::Receiver<bool>,
        limits: Limits,
        counts: Arc<Counts>,
    ) -> Self {
        let (risen, durable) = watch::channel(ledger.position());
        ledger.on_commit(move |position| {
            risen.send_if_modified(|now| {
                let further = position > *now;
                *now = position.max(*now);
                further
            });
        });
        let restores = restores(&ledger);
        let origin = origin(&ledger);
        Self {
            started_at: ledger.now(),
            restores,
            origin,
            ledger,
            evidence,
            reads,
            authorizer,
            stopping,
            durable,
            room: Room::new(&limits),
            turns: Turns::default(),
            together: Together::default(),
            limits,
            counts,
            recoveries: Recoveries::default(),
            approved: Arc::default(),
        }
    }

    /// Who sent a request, as [`Entrance`](super::entrance::Entrance) found out.
    pub(super) fn caller(&self, extensions: &Extensions) -> Result<Caller, Failure> {
        extensions.get().cloned().ok_or_else(|| {
            let message = "the request does not say who acts";
            Failure::new(ServiceReason::ActorMissing, message)
        })
    }

    /// The caller's share of what waits for the writer, as [`Fair`](super::fair::Fair) said.
    pub(super) fn writing(&self, extensions: &Extensions) -> Writing {
        let own = extensions.get().cloned();
        own.unwrap_or_else(|| Writing::new(&self.limits, &Streams::beside(&self.limits)))
    }

    /// Fails with `ACCESS_DENIED` if the caller may not do this. `of` is what is asked about, and is
    /// given back.
    pub(super) async fn allowed<T: Send + 'static>(
        &self,
        caller: &Caller,
        of: T,
        require: impl Fn(&Gate<'_>, &T) -> Result<(), Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (of, _) = self.answered(caller, of, require).await?;
        Ok(of)
    }

    /// Asks about something, which is given back with the answer. The answer is the default one if
    /// every caller may do everything. Nearly always the state that decides is in memory. Then it is
    /// asked at once: another thread for each question would cost more than the question.
    pub(super) async fn answered<T: Send + 'static, A: Default + Send + 'static>(
        &self,
        caller: &Caller,
        of: T,
        ask: impl Fn(&Gate<'_>, &T) -> Result<A, Failure> + Send + 'static,
    ) -> Result<(T, A), Failure> {
        if self.authorizer.permits_everything() {
            return Ok((of, A::default()));
        }
        let authorizer = &*self.authorizer;
        let told = gate::ask_in_memory(&self.ledger, authorizer, caller, |gate| ask(gate, &of))?;
        match told {
            Some(answer) => Ok((of, answer)),
            None => self.answered_to_many(caller, of, ask).await,
        }
    }

    /// The same for so many questions, or such long ones, that they need a thread of their own.
    pub(super) async fn answered_to_many<T: Send + 'static, A: Default + Send + 'static>(
        &self,
        caller: &Caller,
        of: T,
        ask: impl Fn(&Gate<'_>, &T) -> Result<A, Failure> + Send + 'static,
    ) -> Result<(T, A), Failure> {
        if self.authorizer.permits_everything() {
            return Ok((of, A::default()));
        }
        let (authorizer, caller) = (self.authorizer.clone(), caller.clone());
        self.blocking(move |ledger| {
            let answer = gate::ask(ledger, &*authorizer, &caller, |gate| ask(gate, &of))?;
            Ok((of, answer))
        })
        .await
    }

    /// The same for an access that names nothing of the request.
    pub(super) async fn allow(
        &self,
        caller: &Caller,
        access: Access<'static>,
    ) -> Result<(), Failure> {
        self.allowed(caller, (), move |gate, ()| gate.require(&access))
            .await
    }

    /// Asks what a caller may do, by the present state of the ledger. It may have to read from disk.
    pub(super) fn ask<T>(
        &self,
        caller: &Caller,
        ask: impl Fn(&Gate<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        gate::ask(&self.ledger, &*self.authorizer, caller, ask)
    }

    /// Whether every caller may do everything.
    pub(super) fn is_open(&self) -> bool {
        self.authorizer.permits_everything()
    }

    /// A future that is ready when the server is told to stop.
    pub(super) fn stopping(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopping = self.stopping.clone();
        async move {
            // An error means that the server is gone, so it has stopped too.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }
    }

    /// Whether the server has been told to stop.
    pub(super) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// A receiver that reports each new durable position.
    pub(super) fn durable(&self) -> watch::Receiver<Position> {
        self.durable.clone()
    }

    /// The access log.
    pub(super) fn read_log(&self) -> Result<ReadLog, Failure> {
        self.reads.clone().ok_or_else(Failure::no_access_log)
    }

    /// Whether reads can be recorded, or why not; `None` if there is no access log.
    pub(super) fn recording(&self) -> Option<Result<(), AccessLogError>> {
        self.reads.as_ref().map(ReadLog::state)
    }

    /// Waits until a position is durable, so that a caller can read its own writes. Fails when the
    /// wait takes longer than [`Limits::patience`].
    pub(super) async fn reached(&self, min_position: u64) -> Result<(), Failure> {
        let min = Position::new(min_position);
        let mut durable = self.durable();
        let reached = async { durable.wait_for(|position| *position >= min).await.is_ok() };
        tokio::select! {
            reached = tokio::time::timeout(self.limits.patience, reached) => match reached {
                Ok(true) => Ok(()),
                Ok(false) => Err(Failure::shutting_down()),
                Err(_) => Err(Failure::position_not_reached(self.ledger.position(), min)),
            },
            () = self.stopping() => Err(Failure::shutting_down()),
        }
    }

    /// Runs work on the ledger that may have to read from disk.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Ledger) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let ledger = self.ledger.clone();
        match in_request::spawn_blocking(move || work(&ledger)).await {
            Ok(result) => result,
            Err(error) if error.is_cancelled() => Err(Failure::shutting_down()),
            Err(_) => Err(Failure::internal()),
        }
    }

    /// Reads one consistent state of the present. The gate decides by the same state.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        caller: &Caller,
        min_position: u64,
        read: impl Fn(&Reading<'_>, &Gate<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<T> {
        self.read_at(caller, min_position, None, read).await
    }

    /// Reads one consistent state, of the present or as of a moment. The gate decides by the present,
    /// also when the past is read.
    pub(super) async fn read_at<T: Send + 'static>(
        &self,
        caller: &Caller,
        min_position: u64,
        at: Option<AsOf>,
        read: impl Fn(&Reading<'_>, &Gate<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<T> {
        self.reached(min_position).await?;
        let (authorizer, reads, caller) = self.asking(caller);
        let (answer, recording) = self
            .blocking(move |ledger| {
                let at = match at {
                    Some(at) => Some((moment(ledger, "at", at)?, at.day())),
                    None => None,
                };
                let ((read, looks), now) = ledger.read(|now| {
                    let gate = Gate::new(&*authorizer, &caller, now);
                    let read = match at {
                        None => (read(now, &gate)?, None),
                        Some((position, day)) => {
                            let then = |then: &Reading<'_>| read(then, &gate);
                            let (read, position) = ledger.read_on(position, day, then)?;
                            (read, Some(position))
                        }
                    };
                    Ok::<_, Failure>((read, looks(&gate, reads.as_ref())?))
                })?;
                let (read, then) = read;
                let position = then.unwrap_or(now);
                let recording = record(reads.as_ref(), &caller, looks, ledger, position)?;
                Ok(((read, position), recording))
            })
            .await?;
        recording.done().await?;
        Ok(answer)
    }

    fn asking(&self, caller: &Caller) -> (Arc<dyn Authorizer>, Option<ReadLog>, Caller) {
        (self.authorizer.clone(), self.reads.clone(), caller.clone())
    }

    /// Reads from the ledger what no single state holds. The gate decides by the present.
    pub(super) async fn gated<T: Send + 'static>(
        &self,
        caller: &Caller,
        work: impl Fn(&Ledger, &Gate<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (authorizer, reads, caller) = self.asking(caller);
        let (answer, recording) = self
            .blocking(move |ledger| {
                let (answer, looks) = gate::ask(ledger, &*authorizer, &caller, |gate| {
                    let answer = work(ledger, gate)?;
                    Ok((answer, looks(gate, reads.as_ref())?))
                })?;
                let position = ledger.position();
                let recording = record(reads.as_ref(), &caller, looks, ledger, position)?;
                Ok((answer, recording))
            })
            .await?;
        recording.done().await?;
        Ok(answer)
    }

    /// The moment at which a day ends, and the day: the present one if none was asked for. The
    /// present day has no end yet, so `None` stands for it.
    pub(super) fn end_of_day(&self, asked: Option<Date>) -> Result<(Option<AsOf>, Date), Failure> {
        let today = super::overview::day_of(self.ledger.now());
        match asked {
            Some(day) if day > today => Err(Failure::instant_ahead("as_of")),
            Some(day) if day < today => {
                let end = Timestamp::last_of_day_in_denmark(day);
                Ok((Some(AsOf::Instant(end)), day))
            }
            Some(_) | None => Ok((None, today)),
        }
    }
}

/// What was permitted so far that shows plans, for the access log if there is one.
fn looks(gate: &Gate<'_>, reads: Option<&ReadLog>) -> Result<Looks, Failure> {
    match reads {
        Some(_) => reads::students(gate.now(), gate.looks()),
        None => Ok(Looks::new()),
    }
}

/// Records what an answer shows, if there is an access log.
fn record(
    reads: Option<&ReadLog>,
    caller: &Caller,
    looks: Looks,
    ledger: &Ledger,
    position: Position,
) -> Result<Recording, Failure> {
    match reads {
        Some(reads) => reads.record_looks(caller, ledger.now(), looks, position),
        None => Ok(Recording::default()),
    }
}

/// Finds the position of a moment. `field` is the request's field that holds the moment.
pub(super) fn moment(ledger: &Ledger, field: &str, at: AsOf) -> Result<Position, Failure> {
    match at {
        AsOf::Position(position) => {
            let tail = ledger.position();
            match position > tail {
                true => Err(Failure::of_position(field, tail, position)),
                false => Ok(position),
            }
        }
        AsOf::Instant(instant) => {
            (ledger.position_at(instant)).map_err(|error| Failure::of_instant(error, field))
        }
    }
}

/// What a service method returns: a response, or the status of the error.
pub(super) type Rpc<T> = Result<tonic::Response<T>, Status>;
