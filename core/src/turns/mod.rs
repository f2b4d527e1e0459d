//! The order of threads: where the engine's threads begin, end, sleep, wait, and send each other something.
//!
//! As the program is shipped, the operating system says which thread runs next, and what is here is nothing but
//! `std`, `parking_lot` and `crossbeam`. With the feature `turns` a simulation can say it instead, by
//! `take_turns`. Of the threads of such a story only one runs at a time: it holds the turn. It hands the turn on
//! where it waits, and at some places where it could go on, and a generator with a seed says who is next. Time is
//! made up as well. When no thread can go on, it is the nearest instant for which one of them waits. So a seed
//! always gives the same story. Threads that belong to no story notice nothing, with the feature or without.
//!
//! Whoever hands the turn on must not hold a mutex for which another thread of the story may wait, except one
//! that is taken by `lock`. So the turn is handed on by sending and receiving, by waiting, by starting and
//! joining threads, and by sleeping; never by waking others, and never by `try_send`.
//!
//! sled keeps its own threads. A call of sled is as one step of the thread that calls it.

mod channel;
mod condvar;
#[cfg(feature = "turns")]
mod order;
#[cfg(feature = "turns")]
mod state;
#[cfg(not(feature = "turns"))]
mod system;
#[cfg(test)]
#[cfg(feature = "turns")]
mod tests;
mod threads;

#[cfg(feature = "turns")]
use self::order as held;
#[cfg(feature = "turns")]
pub use self::order::{Fault, Order, Slip, take_turns};
#[cfg(not(feature = "turns"))]
use self::system as held;

#[cfg(test)]
pub(crate) use self::channel::unbounded;
pub(crate) use self::channel::{First, Receiver, Sender, bounded, first_of};
pub(crate) use self::condvar::Condvar;
pub use self::threads::{JoinHandle, give_way, sleep, spawn};
pub(crate) use self::threads::{are_taken, lock, now, quietly, spawn_scoped};
