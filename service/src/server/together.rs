//! Short work for many clients at once, such as what everybody who follows asks for when something is recorded. Waking a
//! thread for each of them would take longer than the work itself, so a few threads do it one after the other.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tracing::Span;

/// The most threads.
const THREADS: usize = 4;
/// How much work may wait for each thread before there is another one.
const EACH: usize = 16;

type Work = Box<dyn FnOnce() + Send>;

/// Work that waits, and the threads that do it. A clone is of the same.
#[derive(Clone, Default)]
pub(super) struct Together(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// By number, in the order in which it was handed in.
    waiting: BTreeMap<u64, Work>,
    handed_in: u64,
    threads: usize,
}

/// Takes work back that has not begun when nobody waits for it any more: what waits is never more than those who wait.
struct Awaited<'a> {
    together: &'a Together,
    number: u64,
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        let taken_back = self.together.state().waiting.remove(&self.number);
        // It may hold much, so nobody waits for the state meanwhile.
        drop(taken_back);
    }
}

impl Together {
    /// Does work in its turn. `None` if it panicked, or if the program ends.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (done, is_done) = oneshot::channel();
        let span = Span::current();
        let number = self.hand_in(Box::new(move || {
            // Whoever waits may leave meanwhile.
            let _ = done.send(span.in_scope(work));
        }));
        let _awaited = Awaited {
            together: self,
            number,
        };
        is_done.await.ok()
    }

    /// Gives the number of the work.
    fn hand_in(&self, work: Work) -> u64 {
        let (number, is_short_of_threads) = {
            let mut state = self.state();
            let number = state.handed_in;
            state.handed_in += 1;
            state.waiting.insert(number, work);
            let is_short = state.threads < THREADS && state.waiting.len() > state.threads * EACH;
            state.threads += usize::from(is_short);
            (number, is_short)
        };
        if is_short_of_threads {
            let together = self.clone();
            tokio::task::spawn_blocking(move || together.work());
        }
        number
    }

    /// Does what waits until nothing does.
    fn work(&self) {
        while let Some(work) = self.next() {
            // Whoever waits for it learns that by getting nothing. The others go on.
            let _ = catch_unwind(AssertUnwindSafe(work));
        }
    }

    /// What comes next. If there is nothing, the thread that asks is no longer counted.
    fn next(&self) -> Option<Work> {
        let mut state = self.state();
        let next = state.waiting.pop_first().map(|(_, work)| work);
        state.threads -= usize::from(next.is_none());
        next
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn threads(together: &Together) -> usize {
        together.state().threads
    }

    async fn until_idle(together: &Together) {
        while threads(together) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Fails, and does not hang, if something is never done.
    async fn soon<T>(work: impl Future<Output = T>) -> T {
        tokio::time::timeout(PATIENCE, work).await.unwrap()
    }

    #[tokio::test]
    async fn everybody_gets_their_own_answer_and_no_thread_is_kept() {
        let together = Together::default();
        for _ in 0..10 {
            let all = (0..100).map(|nth| {
                let together = together.clone();
                tokio::spawn(async move { together.run(move || nth).await })
            });
            for (nth, answer) in all.collect::<Vec<_>>().into_iter().enumerate() {
                assert_eq!(soon(answer).await.unwrap(), Some(nth));
            }
        }
        soon(until_idle(&together)).await;
    }

    #[tokio::test]
    async fn who_panics_stops_nobody() {
        let together = Together::default();
        let fails = together.run(|| {
            if true {
                panic!("a fault of this program");
            }
        });
        let last = together.run(|| 4);
        let both = async { tokio::join!(fails, last) };
        assert_eq!(soon(both).await, (None, Some(4)));
        soon(until_idle(&together)).await;
        assert_eq!(soon(together.run(|| 5)).await, Some(5));
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_taken_back() {
        let together = Together::default();
        let (go, wait) = mpsc::channel::<()>();
        let (begun, is_begun) = mpsc::channel();
        let held = together.clone();
        let held = tokio::spawn(async move {
            let hold = move || (begun.send(()), wait.recv_timeout(PATIENCE)).1.is_ok();
            held.run(hold).await
        });
        let told = tokio::task::spawn_blocking(move || is_begun.recv_timeout(PATIENCE));
        soon(told).await.unwrap().unwrap();
        let (told, heard) = mpsc::channel();
        for _ in 0..EACH {
            let told = told.clone();
            let leaves = tokio::time::timeout(Duration::ZERO, together.run(move || told.send(())));
            assert!(leaves.await.is_err());
        }
        assert!(together.state().waiting.is_empty());
        go.send(()).unwrap();
        assert_eq!(soon(held).await.unwrap(), Some(true));
        drop(told);
        assert!(heard.recv().is_err(), "it was done for nobody");
    }

    #[tokio::test]
    async fn there_are_few_threads_however_much_waits() {
        let together = Together::default();
        let begun = Arc::new(AtomicUsize::new(0));
        let blocked = (0..THREADS).map(|_| {
            let (together, begun) = (together.clone(), begun.clone());
            // It ends only when there are as many threads as there may be.
            let block = move || {
                begun.fetch_add(1, Ordering::SeqCst);
                let end = Instant::now() + PATIENCE;
                while begun.load(Ordering::SeqCst) < THREADS && Instant::now() < end {
                    std::thread::sleep(Duration::from_millis(1));
                }
                begun.load(Ordering::SeqCst)
            };
            tokio::spawn(async move { together.run(block).await })
        });
        let blocked: Vec<_> = blocked.collect();
        let rest: Vec<_> = (0..THREADS * EACH * 2)
            .map(|_| {
                let together = together.clone();
                tokio::spawn(async move {
                    let counted = together.clone();
                    together.run(move || threads(&counted)).await
                })
            })
            .collect();
        for answer in blocked {
            assert_eq!(soon(answer).await.unwrap(), Some(THREADS));
        }
        for answer in rest {
            assert!((1..=THREADS).contains(&soon(answer).await.unwrap().unwrap()));
        }
        soon(until_idle(&together)).await;
    }
}
