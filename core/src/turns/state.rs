//! Who is next: what is known of the threads of a story, and the choice among them.

use std::thread::Thread;
use std::time::Duration;

use super::held::Key;

#[path = "../../../tests/dice.rs"]
mod dice;

pub(super) use self::dice::Dice;

/// Stories have fewer turns than this by far, unless threads wake each other for ever.
const MOST_TURNS: u64 = 1_000_000;

/// What a thread does.
#[derive(Debug)]
enum Is {
    /// It can go on.
    Ready,
    /// It goes on when somebody wakes it, or at an instant.
    Waiting {
        on: Vec<Key>,
        until: Option<Duration>,
    },
    /// It goes on when another thread has had a turn.
    Trying,
    /// It is over.
    Ended,
}

struct OfThread {
    name: String,
    thread: Option<Thread>,
    is: Is,
    /// Its last wait ended because its time was over.
    timed_out: bool,
    panicked: bool,
}

/// How a story chooses. Stories differ in it, because some faults only show when a thread gets many turns in a
/// row, or hardly any.
#[derive(Debug)]
struct Manner {
    /// The thread that has the turn keeps it, except once in so many times.
    keeps: u64,
    /// Of so many threads one is slow, counted from this one on.
    slow: (u64, u64),
    /// One turn in so many takes long.
    long: u64,
}

/// Who comes next.
pub(super) enum Next {
    /// This thread.
    One(usize),
    /// Nobody, because every thread has ended.
    AllEnded,
    /// Nobody: these threads wait for ever.
    Stuck(Vec<String>),
}

pub(super) struct State {
    pub(super) dice: Dice,
    manner: Manner,
    threads: Vec<OfThread>,
    /// Those that have not ended.
    alive: Vec<usize>,
    /// How long the story has lasted.
    pub(super) elapsed: Duration,
    pub(super) turns: u64,
    /// A number that differs if the turns went otherwise.
    pub(super) digest: u64,
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let manner = Manner {
            keeps: 1 << dice.below(5),
            slow: (2 + dice.below(6), dice.below(8)),
            long: 16 << dice.below(5),
        };
        Self {
            dice,
            manner,
            threads: Vec::new(),
            alive: Vec::new(),
            elapsed: Duration::ZERO,
            turns: 0,
            digest: 0,
        }
    }

    /// A thread begins. Gives its number.
    pub(super) fn begin(&mut self, name: &str) -> usize {
        let number = self.threads.len();
        self.threads.push(OfThread {
            name: name.to_owned(),
            thread: None,
            is: Is::Ready,
            timed_out: false,
            panicked: false,
        });
        self.alive.push(number);
        number
    }

    fn get(&self, number: usize) -> Option<&OfThread> {
        self.threads.get(number)
    }

    fn set(&mut self, number: usize, is: Is) {
        if let Some(thread) = self.threads.get_mut(number) {
            thread.is = is;
        }
    }

    /// The operating system has started the thread, or not.
    pub(super) fn started(&mut self, number: usize, thread: Option<&Thread>) {
        match thread {
            None => self.end(number, false),
            Some(_) => {
                if let Some(of) = self.threads.get_mut(number) {
                    of.thread = thread.cloned();
                }
            }
        }
    }

    pub(super) fn end(&mut self, number: usize, panicked: bool) {
        if let Some(thread) = self.threads.get_mut(number) {
            thread.is = Is::Ended;
            thread.panicked = panicked;
        }
        self.alive.retain(|alive| *alive != number);
        self.wake(Key::End(number));
    }

    pub(super) fn has_ended(&self, number: usize) -> bool {
        matches!(self.get(number), Some(OfThread { is: Is::Ended, .. }))
    }

    /// The names of the threads that panicked.
    pub(super) fn panicked(&self) -> Vec<String> {
        let panicked = self.threads.iter().filter(|thread| thread.panicked);
        panicked.map(|thread| thread.name.clone()).collect()
    }

    pub(super) fn wait(&mut self, number: usize, on: Vec<Key>, until: Option<Duration>) {
        self.set(number, Is::Waiting { on, until });
    }

    pub(super) fn try_later(&mut self, number: usize) {
        self.set(number, Is::Trying);
    }

    pub(super) fn timed_out(&self, number: usize) -> bool {
        self.get(number).is_some_and(|thread| thread.timed_out)
    }

    fn waiting_on(&self, key: Key) -> Vec<usize> {
        let waits = |number: &&usize| match self.get(**number).map(|thread| &thread.is) {
            Some(Is::Waiting { on, .. }) => on.contains(&key),
            Some(Is::Ready | Is::Trying | Is::Ended) | None => false,
        };
        self.alive.iter().filter(waits).copied().collect()
    }

    fn make_ready(&mut self, number: usize, timed_out: bool) {
        if let Some(thread) = self.threads.get_mut(number) {
            thread.is = Is::Ready;
            thread.timed_out = timed_out;
        }
    }

    pub(super) fn wake(&mut self, key: Key) {
        for number in self.waiting_on(key) {
            self.make_ready(number, false);
        }
    }

    pub(super) fn wake_one(&mut self, key: Key) {
        let waiting = self.waiting_on(key);
        let one = self.dice.below(waiting.len() as u64) as usize;
        if let Some(number) = waiting.get(one) {
            self.make_ready(*number, false);
        }
    }

    /// Chooses who comes after a thread, and lets time go on.
    pub(super) fn next(&mut self, after: usize) -> Next {
        self.turns += 1;
        if self.turns > MOST_TURNS {
            return Next::Stuck(vec!["none: they take turns for ever".to_owned()]);
        }
        let long = self.dice.below(self.manner.long) == 0;
        let most = match long {
            true => 100_000,
            false => 200,
        };
        self.elapsed += Duration::from_micros(self.dice.below(most));
        let is_trying = matches!(self.get(after), Some(OfThread { is: Is::Trying, .. }));
        if !is_trying {
            self.let_try();
        }
        self.let_time_out();
        let mut ready = self.ready();
        if ready.is_empty() && self.wait_for_nearest() {
            ready = self.ready();
        }
        let next = match ready.len() {
            0 if self.alive.is_empty() => return Next::AllEnded,
            0 => return self.stuck(),
            _ => self.choose(after, &ready),
        };
        self.digest = self.digest.rotate_left(5) ^ (next as u64 + 1);
        self.digest = self.digest.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Next::One(next)
    }

    fn stuck(&self) -> Next {
        let alive = self.alive.iter().filter_map(|number| self.get(*number));
        Next::Stuck(alive.map(|thread| thread.name.clone()).collect())
    }

    fn choose(&mut self, after: usize, ready: &[usize]) -> usize {
        if ready.contains(&after) && self.dice.below(self.manner.keeps) != 0 {
            return after;
        }
        let (many, from) = self.manner.slow;
        let is_slow = |number: &usize| (*number as u64 + from).is_multiple_of(many);
        let quick = ready.iter().filter(|number| !is_slow(number)).copied();
        let mut among: Vec<usize> = quick.collect();
        if among.is_empty() || self.dice.below(16) == 0 {
            among = ready.to_vec();
        }
        let one = self.dice.below(among.len() as u64) as usize;
        among.get(one).copied().unwrap_or(after)
    }

    fn ready(&self) -> Vec<usize> {
        let is_ready =
            |number: &&usize| matches!(self.get(**number), Some(OfThread { is: Is::Ready, .. }));
        self.alive.iter().filter(is_ready).copied().collect()
    }

    /// Those who could not lock a mutex may try again.
    fn let_try(&mut self) {
        for number in self.alive.clone() {
            if matches!(self.get(number), Some(OfThread { is: Is::Trying, .. })) {
                self.make_ready(number, false);
            }
        }
    }

    fn untils(&self) -> impl Iterator<Item = (usize, Duration)> {
        self.alive
            .iter()
            .filter_map(|number| match self.get(*number)?.is {
                Is::Waiting { until, .. } => until.map(|until| (*number, until)),
                Is::Ready | Is::Trying | Is::Ended => None,
            })
    }

    /// Those whose time is over go on.
    fn let_time_out(&mut self) {
        let over = self.untils().filter(|(_, until)| *until <= self.elapsed);
        let over: Vec<_> = over.map(|(number, _)| number).collect();
        for number in over {
            self.make_ready(number, true);
        }
    }

    /// Lets time go on to the nearest instant for which somebody waits. Returns whether there is one.
    fn wait_for_nearest(&mut self) -> bool {
        let Some(nearest) = self.untils().map(|(_, until)| until).min() else {
            return false;
        };
        self.elapsed = self.elapsed.max(nearest);
        self.let_time_out();
        true
    }

    /// The thread that the operating system runs for a number.
    pub(super) fn thread(&self, number: usize) -> Option<&Thread> {
        self.get(number)?.thread.as_ref()
    }
}
