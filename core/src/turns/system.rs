//! Without the feature no thread belongs to a story. Nobody ever has a turn, so all of this goes when it is compiled.

use std::thread::Thread;
use std::time::Instant;

/// A turn, which nobody has.
#[derive(Clone)]
pub(super) struct Turn;

/// What a thread waits for.
#[derive(Clone, Copy)]
pub(super) struct Key;

impl Key {
    pub(super) const fn of_channel() -> Self {
        Self
    }

    pub(super) const fn of_condvar<T>(_: &T) -> Self {
        Self
    }
}

pub(super) const fn current() -> Option<Turn> {
    None
}

pub(super) fn quietly<T>(work: impl FnOnce() -> T) -> T {
    work()
}

impl Turn {
    pub(super) fn now(&self) -> Instant {
        Instant::now()
    }

    pub(super) const fn below(&self, _: u64) -> u64 {
        0
    }

    pub(super) const fn give_way(&self) {}

    pub(super) const fn try_later(&self) {}

    pub(super) const fn wait(&self, _: &[Key], _: Option<Instant>) -> bool {
        false
    }

    pub(super) const fn wait_unlocked(&self, _: Key, _: Option<Instant>) -> bool {
        false
    }

    pub(super) const fn wake(&self, _: Key) {}

    pub(super) const fn wake_one(&self, _: Key) {}

    pub(super) const fn begin(&self, _: &str) -> Self {
        Self
    }

    pub(super) const fn started(&self, _: Option<&Thread>) {}

    pub(super) fn take<T>(self, run: impl FnOnce() -> T) -> T {
        run()
    }

    pub(super) const fn has_ended(&self) -> bool {
        false
    }

    pub(super) const fn join(&self) {}
}
