//! Ends an answer that its client does not take.
//!
//! A client says how many bytes it has room for. While it has none, the transport keeps what it has
//! taken of an answer and asks for nothing more, so the answer itself would never learn that it is
//! late. Hence the time is watched from outside, where the transport sends the answer.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use tokio::time::{Instant, Sleep, sleep_until};

tokio::task_local! {
    static LAPSE: Lapse;
}

/// Until when the transport must ask for more of an answer; `None` while it waits for the server.
#[derive(Clone, Default)]
struct Lapse(Arc<Mutex<Option<Instant>>>);

impl Lapse {
    fn get(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, at: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

/// Works on a request and sends its answer. Gives up, and drops both, when the client has not taken
/// the answer until the instant that the answer named last.
pub(super) async fn watched(answering: impl Future) {
    let lapse = Lapse::default();
    let mut answering = pin!(LAPSE.scope(lapse.clone(), answering));
    let mut alarm: Option<Pin<Box<Sleep>>> = None;
    std::future::poll_fn(|context| {
        if answering.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let Some(at) = lapse.get() else {
            return Poll::Pending;
        };
        let alarm = alarm.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if alarm.deadline() != at {
            alarm.as_mut().reset(at);
        }
        if alarm.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        tracing::debug!("a client did not take its answer in time");
        Poll::Ready(())
    })
    .await;
}

/// Says, while an answer is asked for more, until when it must be asked again.
pub(super) fn must_be_taken_until(at: Option<Instant>) {
    // Nobody watches the answers of services that tests call without a connection.
    let _ = LAPSE.try_with(|lapse| lapse.set(at));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn an_answer_that_is_not_taken_is_given_up_and_one_that_waits_is_not() {
        let soon = || Instant::now() + Duration::from_millis(20);
        watched(async {
            must_be_taken_until(Some(soon()));
            std::future::pending::<()>().await;
        })
        .await;
        let mut ended = false;
        watched(async {
            must_be_taken_until(Some(soon()));
            must_be_taken_until(None);
            tokio::time::sleep(Duration::from_millis(100)).await;
            must_be_taken_until(Some(soon()));
            ended = true;
        })
        .await;
        assert!(ended);
    }
}
