//! Waiting for a change of what a mutex keeps.

use std::time::Instant;

use parking_lot::MutexGuard;

use super::held::{Key, Turn, current};

/// A condition variable, as that of `parking_lot`.
#[derive(Debug, Default)]
pub(crate) struct Condvar(parking_lot::Condvar);

/// Whether a wait ended because its time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waited {
    timed_out: bool,
}

impl Waited {
    pub(crate) fn timed_out(self) -> bool {
        self.timed_out
    }
}

impl Condvar {
    pub(crate) const fn new() -> Self {
        Self(parking_lot::Condvar::new())
    }

    /// The name of this one among all that threads wait for: nobody moves it while somebody waits.
    fn key(&self) -> Key {
        Key::of_condvar(self)
    }

    fn wait_by<T>(
        &self,
        turn: &Turn,
        guard: &mut MutexGuard<'_, T>,
        until: Option<Instant>,
    ) -> bool {
        MutexGuard::unlocked(guard, || turn.wait_unlocked(self.key(), until))
    }

    /// Waits until it is woken.
    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        match current() {
            None => self.0.wait(guard),
            Some(turn) => drop(self.wait_by(&turn, guard, None)),
        }
    }

    /// Waits until it is woken, or until an instant.
    pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, until: Instant) -> Waited {
        let timed_out = match current() {
            None => self.0.wait_until(guard, until).timed_out(),
            Some(turn) => self.wait_by(&turn, guard, Some(until)),
        };
        Waited { timed_out }
    }

    /// Waits as long as something holds.
    pub(crate) fn wait_while<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut holds: impl FnMut(&mut T) -> bool,
    ) {
        while holds(guard) {
            self.wait(guard);
        }
    }

    /// Waits as long as something holds, or until an instant.
    pub(crate) fn wait_while_until<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut holds: impl FnMut(&mut T) -> bool,
        until: Instant,
    ) {
        while holds(guard) {
            if self.wait_until(guard, until).timed_out() {
                return;
            }
        }
    }

    /// Wakes one of those who wait.
    pub(crate) fn notify_one(&self) {
        match current() {
            None => drop(self.0.notify_one()),
            Some(turn) => turn.wake_one(self.key()),
        }
    }

    /// Wakes all who wait.
    pub(crate) fn notify_all(&self) {
        match current() {
            None => drop(self.0.notify_all()),
            Some(turn) => turn.wake(self.key()),
        }
    }
}
