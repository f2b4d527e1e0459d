//! Starting threads and waiting for their ends, sleeping, and the time by which threads wait.

use std::io;
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use super::held::{self, Turn, current};

/// A thread that was started.
pub struct JoinHandle<T> {
    thread: thread::JoinHandle<T>,
    /// Its turn, if it belongs to a story.
    turn: Option<Turn>,
}

/// Starts a thread with a name that the operating system shows. It belongs to the story of the thread that starts
/// it, if that one belongs to any.
///
/// # Errors
/// When the operating system does not start it.
pub fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let named = thread::Builder::new().name(name.to_owned());
    let Some(mine) = current() else {
        let thread = named.spawn(run)?;
        return Ok(JoinHandle { thread, turn: None });
    };
    let turn = mine.begin(name);
    let of_thread = turn.clone();
    let spawned = named.spawn(move || of_thread.take(run));
    turn.started(spawned.as_ref().ok().map(thread::JoinHandle::thread));
    let thread = spawned?;
    mine.give_way();
    let turn = Some(turn);
    Ok(JoinHandle { thread, turn })
}

impl<T> JoinHandle<T> {
    /// Waits for the end of the thread, and gives what came of it.
    ///
    /// # Errors
    /// What the thread panicked with.
    pub fn join(self) -> thread::Result<T> {
        if let (Some(turn), Some(_)) = (&self.turn, current()) {
            turn.join();
        }
        self.thread.join()
    }

    /// Whether the thread has ended.
    pub fn is_finished(&self) -> bool {
        match &self.turn {
            Some(turn) => turn.has_ended(),
            None => self.thread.is_finished(),
        }
    }
}

/// Waits for the end of a thread of a story when it is dropped. The scope waits for other threads.
pub(crate) struct ScopedEnd(Option<Turn>);

impl Drop for ScopedEnd {
    fn drop(&mut self) {
        if let Some(turn) = &self.0 {
            turn.join();
        }
    }
}

/// Starts a thread that ends before its scope. What it waits for has to come, or to go, before the end that this
/// gives is dropped.
///
/// # Errors
/// When the operating system does not start it.
pub(crate) fn spawn_scoped<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    run: impl FnOnce() + Send + 'scope,
) -> io::Result<ScopedEnd> {
    let named = thread::Builder::new().name(name.to_owned());
    let Some(mine) = current() else {
        named.spawn_scoped(scope, run)?;
        return Ok(ScopedEnd(None));
    };
    let turn = mine.begin(name);
    let of_thread = turn.clone();
    let spawned = named.spawn_scoped(scope, move || of_thread.take(run));
    turn.started(spawned.as_ref().ok().map(thread::ScopedJoinHandle::thread));
    spawned?;
    mine.give_way();
    Ok(ScopedEnd(Some(turn)))
}

/// Sleeps.
pub fn sleep(pause: Duration) {
    match current() {
        None => thread::sleep(pause),
        Some(turn) => drop(turn.wait(&[], Some(turn.now() + pause))),
    }
}

/// Hands the turn on, perhaps to the same thread.
pub fn give_way() {
    if let Some(turn) = current() {
        turn.give_way();
    }
}

/// The present instant, of the clock by which threads wait.
pub(crate) fn now() -> Instant {
    match current() {
        None => Instant::now(),
        Some(turn) => turn.now(),
    }
}

/// Locks a mutex whose holder may hand the turn on meanwhile.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    let Some(turn) = current() else {
        return mutex.lock();
    };
    turn.give_way();
    loop {
        match mutex.try_lock() {
            Some(guard) => return guard,
            None => turn.try_later(),
        }
    }
}

/// Does something as one step, because others may wait for what it holds in a way that is not seen here.
pub(crate) fn quietly<T>(work: impl FnOnce() -> T) -> T {
    held::quietly(work)
}

/// Whether this thread belongs to a story.
pub(crate) fn are_taken() -> bool {
    current().is_some()
}
