//! The writer thread takes requests one after another and collects what came of them into groups.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::committer::{Done, Group, Reply};
use super::deriving::Deriving;
use super::durable::DurableEnd;
use super::envelope::{Receipt, Request, Work};
use super::fold::Fold;
use super::lost::LostCommands;
use super::nonces::Nonces;
use super::restoring::Restoring;
use super::sealing::Decided;
use super::window::Window;
use super::{EngineFault, ExecuteError, Inner};
use crate::derived::Docs;
use crate::journal::{CommitLog, MAX_COMMANDS, MAX_ENTRIES};
use crate::seal::KeyStore;
use crate::time::{Clock, Entropy, Timestamp};
use crate::turns::{First, JoinHandle, Receiver, Sender, first_of};

pub(super) const MOST_COMMANDS: usize = MAX_COMMANDS;
pub(super) const MOST_EVENTS: usize = MAX_ENTRIES;
pub(super) const MOST_BYTES: usize = 15 << 20;
/// A group that has this many replies or bytes is closed, even if more requests wait.
const GROUP_REPLIES: usize = 4_096;
const GROUP_BYTES: usize = 8 << 20;
/// A group that has this many replies or bytes is worth a sync: it is closed when nothing is being written, even
/// if more requests wait. Otherwise deciding and writing would take turns under load.
const WORTH_REPLIES: usize = 256;
const WORTH_BYTES: usize = 512 << 10;

/// What the writer thread works with.
pub(super) struct Writer {
    pub(super) fold: Fold,
    pub(super) window: Window,
    pub(super) lost: Arc<LostCommands>,
    pub(super) keys: Arc<KeyStore>,
    /// The place where readers find the derived state in use.
    pub(super) shown: Arc<RwLock<Arc<Docs>>>,
    pub(super) deriving: Arc<Deriving>,
    pub(super) projector: Arc<Mutex<Option<JoinHandle<()>>>>,
    pub(super) restoring: Restoring,
    /// Whether the group that is being written contains commits.
    under_way: bool,
    pub(super) log: Arc<dyn CommitLog>,
    pub(super) durable: Arc<DurableEnd>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) nonces: Nonces,
    /// The last instant that a reader has asked about and been answered. Nothing more is recorded
    /// at or before it (P4).
    pub(super) passed: Timestamp,
    /// The fault that stopped the last command; `None` if it had no fault.
    noted: Option<EngineFault>,
    pub(super) commits: Vec<Decided>,
    pub(super) replies: Vec<Reply>,
    pub(super) bytes: usize,
}

impl Writer {
    pub(super) fn new(
        inner: &Inner,
        fold: Fold,
        window: Window,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            fold,
            window,
            lost: inner.lost.clone(),
            keys: inner.keys.clone(),
            shown: inner.docs.clone(),
            deriving: inner.deriving.clone(),
            projector: inner.projector.clone(),
            restoring: Restoring::default(),
            under_way: false,
            log: inner.log.clone(),
            durable: inner.durable.clone(),
            clock: inner.clock.clone(),
            nonces: Nonces::new(entropy.clone()),
            entropy,
            passed: Timestamp::default(),
            noted: None,
            commits: Vec::new(),
            replies: Vec::new(),
            bytes: 0,
        }
    }

    /// Runs until every sender is gone and every group has been handed on.
    pub(super) fn run(
        mut self,
        requests: &Receiver<Request>,
        groups: &Sender<Group>,
        done: &Receiver<Done>,
        alarm: &Receiver<()>,
    ) {
        let mut busy = false;
        let mut open = true;
        while open || busy || !self.has_nothing() || self.restoring.postponed.is_some() {
            // A group that has been decided is written first, because it was decided before the
            // fault was found.
            if !busy && self.has_nothing() {
                if self.wants_restoring() {
                    self.restore();
                    continue;
                }
                // Derived state is right again, or the attempt to make it again has failed.
                if let Some(request) = self.restoring.postponed.take() {
                    self.handle(request);
                    continue;
                }
            }
            if !busy && !self.has_nothing() {
                if groups.send(self.close_group()).is_err() {
                    return;
                }
                busy = true;
                continue;
            }
            // While a group waits for room, requests are taken to be refused at once.
            let full = (self.is_full() || self.wants_restoring()) && !self.durable.is_held();
            let taken = (open && !full).then_some(requests);
            // Clients may send nothing until the next attempt, so a timer wakes the thread.
            let again = self.restoring.not_before;
            let again = again.filter(|_| self.fold.docs().doubt().is_some());
            match first_of(done, taken, alarm, again) {
                First::One(came_of_it) => {
                    busy = false;
                    match came_of_it {
                        Ok(Done::With(number)) => {
                            self.fold.published(number);
                            if self.under_way {
                                self.restoring.in_vain = 0;
                            }
                        }
                        Ok(Done::Unsound(reason)) => self.forget(&reason),
                        Ok(Done::Held) => {
                            busy = true;
                            self.let_go();
                        }
                        Err(_) => return,
                    }
                }
                // The top of the loop acts on it.
                First::Alarm => {}
                First::Other(request) => match request {
                    Ok(request) => {
                        self.handle(request);
                        // Requests that are waiting already join the same group.
                        while !self.is_full() && !self.wants_restoring() {
                            if (!busy || !done.is_empty()) && self.is_worth_writing() {
                                break;
                            }
                            match requests.try_recv() {
                                Ok(request) => self.handle(request),
                                Err(_) => break,
                            }
                        }
                    }
                    Err(_) => open = false,
                },
            }
        }
    }

    /// Whether nothing was decided since the last group, and nobody waits for an answer.
    fn has_nothing(&self) -> bool {
        self.replies.is_empty() && self.commits.is_empty()
    }

    /// Answers those who wait for what was decided since the last group, because that one waits for
    /// room. What was decided stays, and is written after it.
    fn let_go(&mut self) {
        let reason = self.durable.held().unwrap_or_default();
        let postponed = self.restoring.postponed.take();
        let postponed = postponed.map(|request| request.reply);
        let replies = self.replies.drain(..).map(|(reply, _)| reply);
        for reply in replies.chain(postponed) {
            reply(Err(ExecuteError::Waiting(reason.clone())));
        }
    }

    fn is_full(&self) -> bool {
        self.replies.len() >= GROUP_REPLIES || self.bytes >= GROUP_BYTES
    }

    fn is_worth_writing(&self) -> bool {
        self.replies.len() >= WORTH_REPLIES || self.bytes >= WORTH_BYTES
    }

    fn close_group(&mut self) -> Group {
        let shelf = self.fold.docs().clone();
        let (docs, cursor, number) = self.fold.close_group();
        self.bytes = 0;
        self.under_way = !self.commits.is_empty();
        Group {
            number,
            shelf,
            commits: std::mem::take(&mut self.commits),
            docs,
            cursor,
            replies: std::mem::take(&mut self.replies),
        }
    }

    pub(super) fn handle(&mut self, request: Request) {
        let Request {
            work,
            reply,
            weight,
            place,
        } = request;
        // It waits no longer.
        drop(place);
        // Nothing is decided meanwhile, so that little is left open.
        if let Some(reason) = self.durable.held() {
            reply(Err(ExecuteError::Waiting(reason)));
            return;
        }
        // A command that changes nothing also waits for its group. A repeated receipt must not come
        // before the first one, and a refusal must not depend on something that is then not
        // durable.
        let result = match work {
            Work::Execute {
                actor,
                envelopes,
                ids,
            } => {
                let result = self.carry_out(actor, &envelopes, ids);
                match result {
                    // The request met faulty derived state. It is treated as if it had come a
                    // little later.
                    Err(ExecuteError::NotReady(_)) if self.wants_restoring() => {
                        let work = Work::Execute {
                            actor,
                            envelopes,
                            ids,
                        };
                        self.restoring.postponed = Some(Request {
                            work,
                            reply,
                            weight,
                            place: None,
                        });
                        return;
                    }
                    Ok(_) | Err(_) => {}
                }
                self.note_fault(&result);
                result
            }
            Work::Pass(instant) => {
                self.passed = self.passed.max(instant);
                Ok(Vec::new())
            }
        };
        self.replies.push((reply, result));
    }

    /// Logs a fault only once, until a command has another result: clients go on sending.
    fn note_fault(&mut self, result: &Result<Vec<Receipt>, ExecuteError>) {
        let fault = match result {
            Err(ExecuteError::Fault(fault)) => Some(fault),
            Ok(_) | Err(_) => None,
        };
        if let Some(fault) = fault
            && self.noted.as_ref() != Some(fault)
        {
            tracing::error!(%fault, "a command cannot be carried out");
        }
        self.noted = fault.cloned();
    }
}
