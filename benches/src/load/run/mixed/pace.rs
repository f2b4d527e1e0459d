//! Calls at a fixed rate, whatever becomes of those before.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

use super::tally::{Tally, Work};
use crate::fault::Fault;

/// Calls of one sort that may be on their way at once; the next waits, and its wait counts.
const AT_ONCE: u32 = 64;
/// How long the last answers are waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// The runtime's clock goes in milliseconds: who is no later than this has not waited for anybody.
const PUNCTUAL: Duration = Duration::from_millis(4);

/// Makes the nth call of a sort when it is due, from 0, until told to stop; then waits for the answers. A latency
/// counts from when the call was due, so that waiting behind slow calls is part of it.
pub(super) async fn pace<Done>(
    tally: Arc<Tally>,
    work: Work,
    every: Duration,
    mut stop: watch::Receiver<bool>,
    mut call: impl FnMut(u64) -> Result<Done, Fault> + Send,
) -> Result<(), Fault>
where
    Done: Future<Output = Result<u64, Fault>> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(AT_ONCE as usize));
    // Sorts with the same pause do not all begin at once.
    let first = tally.start + every.mul_f64((work as u32 as f64 * 0.37).fract());
    for nth in 0_u64.. {
        let due = first + every.mul_f64(nth as f64);
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            () = tokio::time::sleep_until(due.into()) => {}
        }
        // Never closed.
        let Ok(permit) = room.clone().acquire_owned().await else {
            break;
        };
        let call = call(nth)?;
        let now = Instant::now();
        let from = match now.duration_since(due) < PUNCTUAL {
            true => now,
            false => due,
        };
        let tally = tally.clone();
        tally.sent();
        tokio::spawn(async move {
            let answer = call.await;
            tally.answered(work, from.elapsed(), answer);
            drop(permit);
        });
    }
    let all = tokio::time::timeout(PATIENCE, room.acquire_many(AT_ONCE)).await;
    match all {
        Ok(_) => Ok(()),
        Err(_) => {
            let told = format!("a {} had no answer after {PATIENCE:?}", work.name());
            Err(Fault::Untrue(told))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::watch;

    use super::super::tally::{Tally, Work};
    use super::pace;

    #[tokio::test]
    async fn calls_keep_their_rate_and_answers_are_waited_for() {
        let tally = Arc::new(Tally::new(Duration::from_secs(10)));
        let (stop, stopped) = watch::channel(false);
        let (every, slow) = (Duration::from_millis(5), Duration::from_millis(50));
        let call = move |nth| {
            Ok(async move {
                tokio::time::sleep(slow).await;
                Ok(nth)
            })
        };
        let began = std::time::Instant::now();
        let pacing = tokio::spawn(pace(tally.clone(), Work::Single, every, stopped, call));
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.send(true).unwrap();
        pacing.await.unwrap().unwrap();
        let (windows, most) = tally.look();
        let calls = windows[&Work::Single].calls;
        // One every 5 ms, although each takes 50; a machine may be late, and never early.
        let most_calls = began.elapsed().as_millis() as u64 / 5 + 1;
        assert!((2..=most_calls).contains(&calls), "{calls} of {most_calls}");
        assert!(most > 1, "{most}");
        // The numbers of all of them came back.
        assert_eq!(tally.events(), (0..calls).sum::<u64>());
    }
}
