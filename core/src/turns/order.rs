//! The turn goes from thread to thread. Each is a thread of the operating system that sleeps while it does not
//! hold the turn.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::state::{Next, State};

/// What a thread waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// Something at one of the ends of a channel.
    Channel(u64),
    /// A condition variable, named by its address.
    Condvar(usize),
    /// The end of a thread.
    End(usize),
}

impl Key {
    pub(super) fn of_channel() -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        Self::Channel(MADE.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn of_condvar<T>(condvar: &T) -> Self {
        Self::Condvar(std::ptr::from_ref(condvar).addr())
    }
}

/// A fault of waiting and waking that is put in on purpose. It shows in some orders of threads only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    /// A thread lets go of its mutex a while before it counts as waiting, so nobody wakes it in between.
    WaitsLate,
    /// Only one of those who wait is woken where all should be.
    WakesOne,
}

/// How the turns of a story went. The same seed gives the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// How many turns there were.
    pub turns: u64,
    /// A number that differs if the turns went otherwise.
    pub digest: u64,
    /// How long the story lasted, by its own clock.
    pub elapsed: Duration,
    /// The names of the threads that panicked.
    pub panicked: Vec<String>,
}

/// Why a story did not come to its end.
#[derive(Debug)]
pub enum Fault {
    /// No thread could go on. These had not ended. They stay where they are.
    Stuck(Vec<String>),
    /// The story panicked.
    Panicked(Box<dyn Any + Send>),
    /// Its thread was not started.
    NotStarted(io::Error),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stuck(threads) => {
                write!(f, "no thread can go on; these wait: {}", threads.join(", "))
            }
            Self::Panicked(panic) => {
                let said = panic.downcast_ref::<String>().map(String::as_str);
                let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
                write!(f, "a panic: {}", said.unwrap_or_default())
            }
            Self::NotStarted(error) => write!(f, "no thread: {error}"),
        }
    }
}

impl std::error::Error for Fault {}

/// Who holds the turn when nobody can.
const NOBODY: usize = usize::MAX;

/// A story.
struct Story {
    state: Mutex<State>,
    holder: AtomicUsize,
    begun: Instant,
    slip: Option<Slip>,
    /// How it ended: with these threads stuck, if there are any.
    ended: Mutex<Option<Vec<String>>>,
    over: Condvar,
}

/// What a thread takes its turns by.
#[derive(Clone)]
pub(super) struct Turn {
    story: Arc<Story>,
    number: usize,
}

thread_local! {
    static MINE: RefCell<Option<Turn>> = const { RefCell::new(None) };
    /// In how many steps this thread is that must be one.
    static QUIET: Cell<u32> = const { Cell::new(0) };
}

/// The turn of this thread, if it belongs to a story.
pub(super) fn current() -> Option<Turn> {
    MINE.try_with(|mine| mine.borrow().clone()).ok().flatten()
}

pub(super) fn quietly<T>(work: impl FnOnce() -> T) -> T {
    struct Loud;
    impl Drop for Loud {
        fn drop(&mut self) {
            QUIET.set(QUIET.get() - 1);
        }
    }
    QUIET.set(QUIET.get() + 1);
    let _loud = Loud;
    work()
}

/// Runs a story, whose threads take turns in an order that follows from the seed, until all of them have ended.
/// Gives what came of it.
pub fn take_turns<T: Send + 'static>(
    seed: u64,
    slip: Option<Slip>,
    story: impl FnOnce() -> T + Send + 'static,
) -> (Order, Result<T, Fault>) {
    let mut state = State::new(seed);
    let number = state.begin("story");
    let all = Arc::new(Story {
        state: Mutex::new(state),
        holder: AtomicUsize::new(number),
        begun: Instant::now(),
        slip,
        ended: Mutex::default(),
        over: Condvar::new(),
    });
    let turn = Turn {
        story: all.clone(),
        number,
    };
    let known = turn.clone();
    let (go, may_go) = std::sync::mpsc::channel::<()>();
    let thread = thread::Builder::new()
        .name("story".to_owned())
        .spawn(move || {
            // Not before its turn is known by its thread.
            let _ = may_go.recv();
            turn.take(story)
        });
    let came = match thread {
        Err(error) => Err(Fault::NotStarted(error)),
        Ok(thread) => {
            known.started(Some(thread.thread()));
            drop(go);
            match all.end() {
                stuck if stuck.is_empty() => thread.join().map_err(Fault::Panicked),
                stuck => Err(Fault::Stuck(stuck)),
            }
        }
    };
    let state = all.state.lock();
    let order = Order {
        turns: state.turns,
        digest: state.digest,
        elapsed: state.elapsed,
        panicked: state.panicked(),
    };
    (order, came)
}

impl Story {
    /// Waits for the end, and gives the names of the threads that are stuck.
    fn end(&self) -> Vec<String> {
        let mut ended = self.ended.lock();
        loop {
            if let Some(stuck) = ended.take() {
                return stuck;
            }
            self.over.wait(&mut ended);
        }
    }

    fn ends(&self, stuck: Vec<String>) {
        self.holder.store(NOBODY, Ordering::Release);
        *self.ended.lock() = Some(stuck);
        self.over.notify_all();
    }

    /// Hands the turn on from a thread, perhaps to itself.
    fn hand_on(&self, from: usize) {
        let mut state = self.state.lock();
        match state.next(from) {
            Next::One(next) => {
                self.holder.store(next, Ordering::Release);
                if next != from
                    && let Some(thread) = state.thread(next)
                {
                    thread.unpark();
                }
            }
            Next::AllEnded => self.ends(Vec::new()),
            Next::Stuck(threads) => self.ends(threads),
        }
    }
}

impl Turn {
    /// Hands the turn on after a change, and comes back when it is this thread's again.
    fn pass(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.story.state.lock());
        self.story.hand_on(self.number);
        self.await_turn();
    }

    fn await_turn(&self) {
        while self.story.holder.load(Ordering::Acquire) != self.number {
            thread::park();
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.story.begun + self.story.state.lock().elapsed
    }

    /// One of so many numbers, by the generator.
    pub(super) fn below(&self, many: u64) -> u64 {
        self.story.state.lock().dice.below(many)
    }

    pub(super) fn give_way(&self) {
        if QUIET.get() == 0 {
            self.pass(|_| {});
        }
    }

    /// Hands the turn on, because a mutex is locked.
    pub(super) fn try_later(&self) {
        self.pass(|state| state.try_later(self.number));
    }

    /// Waits until it is woken by one of the keys, or until an instant. Returns whether its time was over.
    pub(super) fn wait(&self, on: &[Key], until: Option<Instant>) -> bool {
        let until = until.map(|until| until.saturating_duration_since(self.story.begun));
        self.pass(|state| state.wait(self.number, on.to_vec(), until));
        self.story.state.lock().timed_out(self.number)
    }

    /// The same, where a mutex has just been unlocked.
    pub(super) fn wait_unlocked(&self, on: Key, until: Option<Instant>) -> bool {
        if self.story.slip == Some(Slip::WaitsLate) {
            self.give_way();
        }
        self.wait(&[on], until)
    }

    pub(super) fn wake(&self, key: Key) {
        match (self.story.slip, key) {
            (Some(Slip::WakesOne), Key::Condvar(_)) => self.wake_one(key),
            (Some(Slip::WakesOne | Slip::WaitsLate) | None, _) => {
                self.story.state.lock().wake(key);
            }
        }
    }

    pub(super) fn wake_one(&self, key: Key) {
        self.story.state.lock().wake_one(key);
    }

    /// A turn for a thread that is going to be started.
    pub(super) fn begin(&self, name: &str) -> Self {
        Self {
            story: self.story.clone(),
            number: self.story.state.lock().begin(name),
        }
    }

    /// The thread was started, or could not be.
    pub(super) fn started(&self, thread: Option<&thread::Thread>) {
        self.story.state.lock().started(self.number, thread);
    }

    /// Runs a thread of the story from its first turn to its last.
    pub(super) fn take<T>(self, run: impl FnOnce() -> T) -> T {
        self.await_turn();
        MINE.set(Some(self.clone()));
        let _last = LastTurn(self);
        run()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.story.state.lock().has_ended(self.number)
    }

    /// Waits for the end of this turn's thread.
    pub(super) fn join(&self) {
        let Some(mine) = current() else { return };
        mine.give_way();
        while !self.has_ended() {
            mine.wait(&[Key::End(self.number)], None);
        }
    }
}

/// Hands the turn on for the last time when it is dropped.
struct LastTurn(Turn);

impl Drop for LastTurn {
    fn drop(&mut self) {
        MINE.set(None);
        let panicked = thread::panicking();
        self.0.story.state.lock().end(self.0.number, panicked);
        self.0.story.hand_on(self.0.number);
    }
}
