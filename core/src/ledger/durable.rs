//! How far the journal is durable, whether more of it is written, and those who wait for either.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use super::figures::Counted;
use crate::derived::{Doc, DocKey};
use crate::ids::{Position, StreamKind};
use crate::turns::{self, Condvar};

/// The last durable position of the journal, and those who wait for it or are told of it.
pub(super) struct DurableEnd {
    position: Mutex<Position>,
    risen: Condvar,
    /// No system has changed after this position, of those that are published.
    systems: AtomicU64,
    /// The reason why the writer has stopped for good; empty while it works.
    stopped: OnceLock<String>,
    /// Whether the writer waits for room, and why.
    is_held: AtomicBool,
    held: Mutex<Option<String>>,
    /// The ledger is being closed, so the writer waits for nothing any more.
    closing: AtomicBool,
    listeners: RwLock<Vec<Listener>>,
    pub(super) counted: Counted,
}

type Listener = Box<dyn Fn(Position) + Send + Sync>;

impl DurableEnd {
    pub(super) fn new(position: Position) -> Self {
        Self {
            position: Mutex::new(position),
            risen: Condvar::new(),
            systems: AtomicU64::new(position.get()),
            stopped: OnceLock::new(),
            is_held: AtomicBool::new(false),
            held: Mutex::default(),
            closing: AtomicBool::new(false),
            listeners: RwLock::default(),
            counted: Counted::default(),
        }
    }

    pub(super) fn position(&self) -> Position {
        *turns::lock(&self.position)
    }

    /// A position after which no system has changed. It rises before the change is shown to readers.
    pub(super) fn systems(&self) -> Position {
        Position::new(self.systems.load(Ordering::Acquire))
    }

    /// Notes what a group changes, before it is published.
    pub(super) fn note(&self, docs: &[(DocKey, Doc)], position: Position) {
        let is_system =
            |key: &DocKey| matches!(key, DocKey::Stream(id) if id.kind == StreamKind::System);
        if docs.iter().any(|(key, _)| is_system(key)) {
            self.systems.store(position.get(), Ordering::Release);
        }
    }

    pub(super) fn wait_for(&self, position: Position, timeout: Duration) -> bool {
        let until = turns::now() + timeout;
        let mut now = turns::lock(&self.position);
        while *now < position {
            if self.risen.wait_until(&mut now, until).timed_out() {
                return *now >= position;
            }
        }
        true
    }

    pub(super) fn subscribe(&self, listener: Listener) {
        self.listeners.write().push(listener);
    }

    pub(super) fn rise(&self, position: Position) {
        *turns::lock(&self.position) = position;
        self.risen.notify_all();
        for listener in self.listeners.read().iter() {
            listener(position);
        }
    }

    /// The reason why nothing more is written; `None` while the journal is written.
    pub(super) fn stopped(&self) -> Option<&str> {
        self.stopped.get().map(String::as_str)
    }

    /// Why the writer waits for room on the disk; `None` while it does not.
    pub(super) fn held(&self) -> Option<String> {
        self.is_held().then(|| self.held.lock().clone()).flatten()
    }

    /// Whether the writer waits for room on the disk.
    pub(super) fn is_held(&self) -> bool {
        self.is_held.load(Ordering::Acquire)
    }

    /// The writer begins to wait for room, or goes on waiting. Returns whether it begins.
    pub(super) fn hold(&self, reason: &str) -> bool {
        *self.held.lock() = Some(reason.to_owned());
        !self.is_held.swap(true, Ordering::AcqRel)
    }

    /// The writer waits no longer. Returns whether it did.
    pub(super) fn let_on(&self) -> bool {
        self.is_held.swap(false, Ordering::AcqRel)
    }

    /// The ledger is being closed: whoever waits for room gives up.
    pub(super) fn close(&self) {
        // Whoever waits either sees this, or is woken.
        let _position = turns::lock(&self.position);
        self.closing.store(true, Ordering::Release);
        self.risen.notify_all();
    }

    /// Waits so long, or until the ledger is being closed. Returns whether it is.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let until = turns::now() + pause;
        let mut position = turns::lock(&self.position);
        while !self.closing.load(Ordering::Acquire) {
            if self.risen.wait_until(&mut position, until).timed_out() {
                return self.closing.load(Ordering::Acquire);
            }
        }
        true
    }

    /// Stops writing for good: after a failed write or sync nobody knows what is on the disk (P2).
    /// Returns whether writing was still going on.
    pub(super) fn stop(&self, reason: &str) -> bool {
        self.stopped.set(reason.to_owned()).is_ok()
    }
}
