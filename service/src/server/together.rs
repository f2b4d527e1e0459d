//! Short work for many clients at once, such as what everybody who follows asks for when something is recorded. Waking a
//! thread for each of them would take longer than the work itself, so a few threads do it one after the other.

use std::collections::VecDeque;
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
    waiting: VecDeque<Work>,
    threads: usize,
}

impl Together {
    /// Does work in its turn. `None` if it panicked, or if the program ends.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (done, is_done) = oneshot::channel();
        let span = Span::current();
        self.hand_in(Box::new(move || {
            // Otherwise the client has left.
            if !done.is_closed() {
                let _ = done.send(span.in_scope(work));
            }
        }));
        is_done.await.ok()
    }

    fn hand_in(&self, work: Work) {
        let is_short_of_threads = {
            let mut state = self.state();
            state.waiting.push_back(work);
            let is_short = state.threads < THREADS && state.waiting.len() > state.threads * EACH;
            state.threads += usize::from(is_short);
            is_short
        };
        if is_short_of_threads {
            let together = self.clone();
            tokio::task::spawn_blocking(move || together.work());
        }
    }

    /// Does what waits until nothing does.
    fn work(&self) {
        while let Some(work) = self.next() {
            // Whoever waits for it is told by that nothing comes. The others go on.
            let _ = catch_unwind(AssertUnwindSafe(work));
        }
    }

    /// What comes next. If there is nothing, the thread that asks is no longer counted.
    fn next(&self) -> Option<Work> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        state.threads -= usize::from(next.is_none());
        next
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

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

    #[tokio::test]
    async fn everybody_gets_their_own_answer_and_no_thread_is_kept() {
        let together = Together::default();
        for _ in 0..10 {
            let all = (0..100).map(|nth| {
                let together = together.clone();
                tokio::spawn(async move { together.run(move || nth).await })
            });
            for (nth, answer) in all.collect::<Vec<_>>().into_iter().enumerate() {
                assert_eq!(answer.await.unwrap(), Some(nth));
            }
        }
        until_idle(&together).await;
    }

    #[tokio::test]
    async fn who_panics_or_leaves_stops_nobody() {
        let together = Together::default();
        let (go, wait) = mpsc::channel::<()>();
        let first = together.run(move || wait.recv_timeout(PATIENCE).is_ok());
        let fails = together.run(|| {
            if true {
                panic!("a fault of this program");
            }
        });
        let (told, heard) = mpsc::channel();
        let leaves = tokio::time::timeout(Duration::ZERO, together.run(move || told.send(())));
        let last = together.run(|| 4);
        let (first, fails, left, last, ()) =
            tokio::join!(
                first,
                fails,
                leaves,
                last,
                async move { go.send(()).unwrap() }
            );
        assert_eq!((first, fails, last), (Some(true), None, Some(4)));
        assert!(left.is_err());
        assert!(heard.recv().is_err(), "it was not done for nobody");
        until_idle(&together).await;
        assert_eq!(together.run(|| 5).await, Some(5));
    }

    #[tokio::test]
    async fn there_are_few_threads_however_much_waits() {
        let together = Together::default();
        let barrier = Arc::new(std::sync::Barrier::new(THREADS));
        let blocked = (0..THREADS).map(|_| {
            let (together, barrier) = (together.clone(), barrier.clone());
            // Only when as many threads are there, it goes on.
            tokio::spawn(async move { together.run(move || barrier.wait().is_leader()).await })
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
        let mut leaders = 0;
        for answer in blocked {
            leaders += usize::from(answer.await.unwrap().unwrap());
        }
        assert_eq!(leaders, 1);
        for answer in rest {
            assert!((1..=THREADS).contains(&answer.await.unwrap().unwrap()));
        }
        until_idle(&together).await;
    }
}
