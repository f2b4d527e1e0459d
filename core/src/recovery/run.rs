//! Carries out what was proposed.

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::time::Duration;

use super::proposal::{self, Proposal};
use super::propose::propose;
use super::request::RecoveryRequest;
use crate::derived::Term;
use crate::domain::recovery::{LeftOut, Phase, Recovery, RecoveryCommand, Step};
use crate::domain::{Actor, Aggregate, Command, Field, Reason, Refusal, RequestField, Stop};
use crate::ids::{CommandId, Position, RecoveryId, StreamId, SystemId};
use crate::ledger::{
    ExecuteError, Ledger, OwnCommand, OwnId, ReadError, Reading, Receipt, Request,
};
use crate::turns::{self, Receiver};

/// The most steps that may be on their way to the disk at the same time.
const WINDOW: usize = 256;
/// How long to wait before another try when the ledger is overloaded.
const PAUSE: Duration = Duration::from_millis(5);
const COMMAND_CONTEXT: &str = "planledger v1 2026-11-25 recovery command";

/// Why a recovery was not begun or did not reach its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The rules refused it. Nothing was recorded.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A command failed. The recovery stays open, and [`run`] goes on with it later.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The ledger could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The caller's `watch` stopped it. [`run`] goes on with it later.
    #[error("the recovery was interrupted; it continues when the server starts again")]
    BrokenOff,
}

impl From<Stop> for RunError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refusal) => Self::Refused(refusal),
            Stop::Unread(error) => Self::Read(error),
        }
    }
}

/// What [`start`] answers about a recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The receipt of the command that began it. `None` if it had been begun before.
    pub receipt: Option<Receipt>,
    /// How many steps the recovery has.
    pub steps: u32,
}

/// How far a recovery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Progress {
    /// Steps that were tried.
    pub tried: u32,
    /// Tried steps that were left out.
    pub left_out: u32,
    /// All steps of the recovery.
    pub steps: u32,
}

/// Begins a recovery that takes exactly the proposed steps. `unseen` is what it was proposed without. If the recovery was begun before with
/// the same steps, this does not begin it again.
///
/// # Errors
/// [`RunError::Refused`] with [`Reason::DryRunStale`] if the same request would give other steps by
/// now, with [`Reason::AlreadyExists`] if there is a recovery of this id with other steps, or with
/// any other reason that the rules give.
pub fn start(
    ledger: &Ledger,
    (actor, on_behalf_of): (Actor, Option<Actor>),
    id: RecoveryId,
    request: &RecoveryRequest,
    unseen: &BTreeSet<StreamId>,
    digest: [u8; 16],
) -> Result<Begun, RunError> {
    let ((begun, proposal), _) = ledger.read(|reading| match state(reading, id)? {
        Some(begun) => Ok::<_, RunError>((Some(begun.steps), None)),
        None => Ok((None, Some(propose(reading, request, unseen)?))),
    })?;
    if let Some(steps) = begun {
        if proposal::digest(&steps) != digest {
            let message = format!("recovery {id} already exists with other steps; use a new id");
            let refusal = Refusal::new(Reason::AlreadyExists, message).field(Field::Target);
            return Err(refusal.with("recovery_id", id).into());
        }
        return Ok(Begun {
            receipt: None,
            steps: steps.len() as u32,
        });
    }
    let proposal: Proposal = proposal.ok_or_else(|| unknown(id))?;
    if proposal.digest != digest {
        let message = "something changed since the dry run, or the digest belongs to another \
                       request; do a new dry run";
        return Err(Refusal::new(Reason::DryRunStale, message)
            .field(Field::Request(RequestField::Digest))
            .into());
    }
    let steps = proposal.steps();
    let count = steps.len() as u32;
    let reason = match request {
        RecoveryRequest::Transfer(transfer) => transfer.reason.clone(),
        RecoveryRequest::Restore(restore) => restore.reason.clone(),
        RecoveryRequest::Merge(merge) => merge.reason.clone(),
    };
    let command = RecoveryCommand::Start {
        steps,
        on_behalf_of,
        reason,
    };
    let command = Command::Recovery(id, command);
    let command = OwnCommand {
        on_behalf_of,
        ..OwnCommand::new(Ids::of(id, b"start", 0).now, command)
    };
    let receipt = executed(ledger.execute_own(actor, command))?;
    Ok(Begun {
        receipt: Some(receipt),
        steps: count,
    })
}

/// Records that the recovery is to be undone. [`run`] then takes its steps back.
///
/// # Errors
/// [`RunError`]
pub fn undo(
    ledger: &Ledger,
    (actor, on_behalf_of): (Actor, Option<Actor>),
    id: RecoveryId,
    reason: Option<crate::text::ReasonText>,
) -> Result<Receipt, RunError> {
    let command = RecoveryCommand::Undo {
        on_behalf_of,
        reason,
    };
    let ids = Ids::of(id, b"undo", 0);
    let command = OwnCommand {
        // Whoever asks an earlier version and then this one gets the receipt of the first time.
        formerly: Some(ids.formerly),
        on_behalf_of,
        ..OwnCommand::new(ids.now, Command::Recovery(id, command))
    };
    executed(ledger.execute_own(actor, command))
}

/// Finds recoveries that have not reached their end, such as those that a crash interrupted.
///
/// # Errors
/// [`ReadError`]
pub fn open(ledger: &Ledger) -> Result<Vec<RecoveryId>, ReadError> {
    let (streams, _) = ledger.read(|reading| reading.find(Term::OpenRecoveries))?;
    let ids = streams
        .iter()
        .map(|stream| RecoveryId::from_uuid(stream.id));
    Ok(ids.collect())
}

/// Brings a recovery to its end: takes its open steps, or takes its steps back if it is being
/// undone. Every step is a command of its own. The command's id follows from the recovery's id, so
/// a step that was done before is not done again. The call blocks, and tells `watch` how far it has
/// come. Two calls for the same recovery must not run at the same time.
///
/// # Errors
/// [`RunError`]. The recovery then stays open, and another call goes on with it.
pub fn run(
    ledger: &Ledger,
    id: RecoveryId,
    watch: &mut dyn FnMut(Progress),
) -> Result<Recovery, RunError> {
    run_until(ledger, id, &mut |progress| {
        watch(progress);
        ControlFlow::Continue(())
    })
}

/// Does what [`run`] does, until `watch` breaks it off.
///
/// # Errors
/// Those of [`run`], and [`RunError::BrokenOff`].
pub fn run_until(
    ledger: &Ledger,
    id: RecoveryId,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Recovery, RunError> {
    loop {
        let (found, _) = ledger.read(|reading| state(reading, id))?;
        let recovery = found.ok_or_else(|| unknown(id))?;
        let Some(doing) = Doing::of(&recovery) else {
            return Ok(recovery);
        };
        let since = Doing::since(ledger, id)?;
        let left_out = doing.carry_out(ledger, id, since, watch)?;
        finish(ledger, id, &recovery.phase, left_out)?;
    }
}

/// Ends a recovery whose steps may no longer be taken, or taken back. Every step that has not been
/// done is left out, with [`Reason::RightEnded`] as the reason on record. What was done stays. No other
/// call for the same recovery may run at the same time.
///
/// # Errors
/// [`RunError`]
pub fn end_early(ledger: &Ledger, id: RecoveryId) -> Result<Recovery, RunError> {
    let (found, _) = ledger.read(|reading| state(reading, id))?;
    let recovery = found.ok_or_else(|| unknown(id))?;
    let Some(doing) = Doing::of(&recovery) else {
        return Ok(recovery);
    };
    let since = Doing::since(ledger, id)?;
    let mut left_out = Vec::new();
    for doable in &doing.commands {
        if !doing.is_done(ledger, id, since, doable)? {
            let (step, reason) = (doable.step, Reason::RightEnded);
            left_out.push(LeftOut { step, reason });
        }
    }
    finish(ledger, id, &recovery.phase, left_out)?;
    let (ended, _) = ledger.read(|reading| state(reading, id))?;
    ended.ok_or_else(|| unknown(id).into())
}

/// Records that every step of the present phase was tried or left out.
fn finish(
    ledger: &Ledger,
    id: RecoveryId,
    phase: &Phase,
    left_out: Vec<LeftOut>,
) -> Result<(), RunError> {
    let (purpose, command) = match phase {
        Phase::Running => (b"finish".as_slice(), RecoveryCommand::Finish { left_out }),
        Phase::Undoing { .. } | Phase::Finished | Phase::Undone { .. } => (
            b"finish undo".as_slice(),
            RecoveryCommand::FinishUndo { left_out },
        ),
    };
    // The ledger itself is the actor, because the person who began the recovery may have left.
    let system = Actor::System(SystemId::from_uuid(ledger.status().ledger.uuid()));
    let own = OwnCommand::new(Ids::of(id, purpose, 0).now, Command::Recovery(id, command));
    executed(ledger.execute_own(system, own))?;
    Ok(())
}

/// The commands of one phase: doing the steps, or taking them back.
struct Doing {
    who: (Actor, Option<Actor>),
    purpose: &'static [u8],
    commands: VecDeque<Doable>,
}

struct Doable {
    step: u32,
    command: Command,
    /// Why the step counts as left out if its command has nothing to change. `None`: it counts as
    /// done all the same.
    unless_needed: Option<Reason>,
}

/// A step that was sent to the ledger and has no answer yet.
type OnItsWay = (Doable, Receiver<Result<Vec<Receipt>, ExecuteError>>);

impl Doing {
    /// What the present phase of a recovery does; `None` if the recovery has ended.
    fn of(recovery: &Recovery) -> Option<Self> {
        match &recovery.phase {
            Phase::Running => Some(Self::forward(recovery)),
            Phase::Undoing {
                by,
                on_behalf_of,
                reason,
            } => Some(Self::back(recovery, (*by, *on_behalf_of), reason.as_ref())),
            Phase::Finished | Phase::Undone { .. } => None,
        }
    }

    /// Where the present phase begins: the recovery's last event opened it.
    fn since(ledger: &Ledger, id: RecoveryId) -> Result<Since, ReadError> {
        let said = ledger.history(id.into(), None, 1)?;
        Ok(said.first().map_or(Since::default(), |said| Since {
            position: said.position,
            of_earlier_version: !said.command.is_of_ledger(),
        }))
    }

    fn forward(recovery: &Recovery) -> Self {
        let steps = (0..).zip(&recovery.steps);
        let commands = steps.map(|(at, step)| Doable {
            step: at,
            command: step.command(recovery.reason.as_ref()),
            unless_needed: Some(unneeded(step)),
        });
        Self {
            who: (recovery.by, recovery.on_behalf_of),
            purpose: b"step",
            commands: commands.collect(),
        }
    }

    fn back(
        recovery: &Recovery,
        who: (Actor, Option<Actor>),
        reason: Option<&crate::text::ReasonText>,
    ) -> Self {
        let done = (0..)
            .zip(&recovery.steps)
            .filter(|(at, _)| !recovery.left_out(*at));
        let mut commands: VecDeque<_> = done
            .map(|(at, step)| Doable {
                step: at,
                command: step.undoing(reason),
                unless_needed: None,
            })
            .collect();
        // Takes the last step back first. What was brought back and then given to a new owner goes
        // back to its old owner before it is deleted again.
        commands.make_contiguous().reverse();
        Self {
            who,
            purpose: b"undo step",
            commands,
        }
    }

    fn carry_out(
        mut self,
        ledger: &Ledger,
        id: RecoveryId,
        since: Since,
        watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Vec<LeftOut>, RunError> {
        let mut waiting = VecDeque::new();
        let tried = self.try_all(ledger, id, since, watch, &mut waiting);
        // Whoever asks next what was done finds all of it.
        for (_, outcome) in waiting {
            let _ = outcome.recv();
        }
        tried
    }

    fn try_all(
        &mut self,
        ledger: &Ledger,
        id: RecoveryId,
        since: Since,
        watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
        waiting: &mut VecDeque<OnItsWay>,
    ) -> Result<Vec<LeftOut>, RunError> {
        let mut watch = |progress| match watch(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(RunError::BrokenOff),
        };
        let mut progress = Progress {
            steps: self.commands.len() as u32,
            ..Progress::default()
        };
        let mut left_out = Vec::new();
        watch(progress)?;
        loop {
            while waiting.len() < WINDOW
                && let Some(next) = self.commands.pop_front()
            {
                if self.is_done(ledger, id, since, &next)? {
                    progress.tried += 1;
                    watch(progress)?;
                    continue;
                }
                match self.submit(ledger, id, &next) {
                    Ok(outcome) => waiting.push_back((next, outcome)),
                    Err(ExecuteError::Overloaded) => {
                        self.commands.push_front(next);
                        turns::sleep(PAUSE);
                        break;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            let Some((tried, outcome)) = waiting.pop_front() else {
                if self.commands.is_empty() {
                    return Ok(left_out);
                }
                continue;
            };
            let reason = match outcome.recv().unwrap_or(Err(ExecuteError::Closed)) {
                // The command changed nothing, so this recovery did not do the step and must not
                // undo it.
                Ok(receipts) if receipts.iter().all(|done| done.events == 0) => tried.unless_needed,
                Ok(_) => None,
                Err(ExecuteError::Refused { refusal, .. }) => Some(refusal.reason),
                Err(error) => return Err(error.into()),
            };
            if let Some(reason) = reason {
                let step = tried.step;
                left_out.push(LeftOut { step, reason });
                progress.left_out += 1;
            }
            progress.tried += 1;
            watch(progress)?;
        }
    }

    /// Whether a step was done already, before a crash. The stream's events answer that: the ledger
    /// recognises a repeated command for a limited time only, and others may have changed the
    /// stream since. The id that the step had in earlier versions counts only in a phase that such a
    /// version began, and only by whoever the steps are taken by: clients can use it too.
    fn is_done(
        &self,
        ledger: &Ledger,
        id: RecoveryId,
        since: Since,
        doable: &Doable,
    ) -> Result<bool, ReadError> {
        let stream: StreamId = doable.command.stream();
        let ids = Ids::of(id, self.purpose, doable.step);
        let formerly = since.of_earlier_version.then_some(ids.formerly);
        let events = ledger.history_after(stream, since.position, usize::MAX)?;
        Ok(events.iter().any(|event| {
            let is_its_id = event.command == ids.now.command() || Some(event.command) == formerly;
            is_its_id && (event.actor, event.on_behalf_of) == self.who
        }))
    }

    fn submit(
        &self,
        ledger: &Ledger,
        id: RecoveryId,
        Doable { step, command, .. }: &Doable,
    ) -> Result<Receiver<Result<Vec<Receipt>, ExecuteError>>, ExecuteError> {
        let (actor, on_behalf_of) = self.who;
        let own = OwnCommand {
            on_behalf_of,
            ..OwnCommand::new(Ids::of(id, self.purpose, *step).now, command.clone())
        };
        let (reply, outcome) = turns::bounded(1);
        ledger.submit(Request::own(actor, own, move |result| {
            // Sending fails only if the thread that waits for the answer is gone.
            let _ = reply.send(result);
        }))?;
        Ok(outcome)
    }
}

/// The reason to give for a step that is left out because its command has nothing to change.
fn unneeded(step: &Step) -> Reason {
    match step {
        Step::TeamOwner { .. } | Step::YearPlanOwner { .. } | Step::PlanOwner { .. } => {
            Reason::AlreadyOwner
        }
        Step::UndeleteTeam { .. } | Step::UndeleteYearPlan { .. } | Step::UndeleteUnit { .. } => {
            Reason::NotDeleted
        }
        Step::RestorePlan { .. } => Reason::NotWithdrawn,
        Step::MovePlan { .. }
        | Step::MoveTeam { .. }
        | Step::MoveYearPlan { .. }
        | Step::Succeed { .. } => Reason::AlreadyThere,
        Step::CreateYearPlan { .. } | Step::CopyUnit { .. } => Reason::AlreadyExists,
    }
}

fn state(reading: &Reading<'_>, id: RecoveryId) -> Result<Option<Recovery>, ReadError> {
    Ok(
        match reading.stream(id)?.as_ref().map(|(state, _)| &**state) {
            Some(Aggregate::Recovery(recovery)) => Some(recovery.clone()),
            _ => None,
        },
    )
}

fn unknown(id: RecoveryId) -> Refusal {
    let message = format!("there is no recovery {id}");
    Refusal::new(Reason::RecoveryNotFound, message)
        .field(Field::Target)
        .with("recovery_id", id)
}

fn executed(result: Result<Receipt, ExecuteError>) -> Result<Receipt, RunError> {
    result.map_err(|error| match error {
        ExecuteError::Refused { refusal, .. } => RunError::Refused(refusal),
        error => RunError::Execute(error),
    })
}

/// The ids of a recovery's command for one purpose and one step. They are the same every time.
#[derive(Clone, Copy)]
struct Ids {
    now: OwnId,
    /// The id that the command had in earlier versions. A recovery that one of them began goes on.
    formerly: CommandId,
}

impl Ids {
    fn of(id: RecoveryId, purpose: &[u8], step: u32) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(COMMAND_CONTEXT);
        hasher.update(id.as_bytes()).update(&step.to_be_bytes());
        hasher.update(purpose);
        let hash = hasher.finalize();
        let bytes = crate::hash::first(hash.as_bytes());
        Self {
            now: OwnId::of(hash.as_bytes()),
            formerly: CommandId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid()),
        }
    }
}

/// Where a phase of a recovery begins.
#[derive(Clone, Copy, Default)]
struct Since {
    /// The position of the event that opened it.
    position: Position,
    /// Whether an earlier version recorded this event, and perhaps steps after it.
    of_earlier_version: bool,
}
