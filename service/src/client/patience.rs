//! Asks again when the server says that somebody asks too often.

use std::time::Duration;

use tonic::Status;
use tonic_types::StatusExt;

use crate::wire::errors::ServiceReason;

/// How often one request is sent again.
const AGAIN: u32 = 100;
/// The longest wait for one of them, whatever the server says.
const LONGEST: Duration = Duration::from_secs(60);

/// Sends a request. While the server answers that the caller asks too often, waits as long as it says
/// and sends the same again.
///
/// # Errors
/// Any other answer of the server that is an error, and the last one if it never has time.
pub(crate) async fn patiently<R: Clone, T, A>(
    request: &R,
    mut send: impl FnMut(R) -> A,
) -> Result<T, Status>
where
    A: Future<Output = Result<T, Status>>,
{
    for _ in 0..AGAIN {
        let refused = match send(request.clone()).await {
            Err(refused) => refused,
            answered @ Ok(_) => return answered,
        };
        match wait(&refused) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Err(refused),
        }
    }
    send(request.clone()).await
}

/// How long to wait until the same can be asked again; `None` if asking less often is not the cure.
fn wait(refused: &Status) -> Option<Duration> {
    let details = refused.get_error_details();
    let info = details.error_info()?;
    let wait = details.retry_info()?.retry_delay?;
    (info.reason == ServiceReason::RateLimited.code()).then(|| wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::HashMap;

    use tonic::Code;
    use tonic_types::ErrorDetails;

    use super::*;

    fn refused(reason: &str, wait: Option<Duration>) -> Status {
        let mut details = ErrorDetails::new();
        details.set_error_info(reason, "planledger", HashMap::new());
        if let Some(wait) = wait {
            details.set_retry_info(Some(wait));
        }
        Status::with_error_details(Code::ResourceExhausted, "no", details)
    }

    /// The answer of a server that refuses so many requests, and how often it was asked.
    async fn asked(times: u32, reason: &str, wait: Option<Duration>) -> (bool, u32) {
        let count = Cell::new(0);
        let answer = patiently(&7, |request| {
            count.set(count.get() + 1);
            let answer = match count.get() > times {
                true => Ok(request),
                false => Err(refused(reason, wait)),
            };
            async move { answer }
        });
        let answer = answer.await;
        (answer.is_ok(), count.get())
    }

    #[tokio::test]
    async fn a_server_that_is_asked_too_often_is_asked_again_as_often_as_it_takes() {
        let soon = Some(Duration::from_millis(1));
        assert_eq!(asked(0, "RATE_LIMITED", soon).await, (true, 1));
        assert_eq!(asked(3, "RATE_LIMITED", soon).await, (true, 4));
        assert_eq!(
            asked(u32::MAX, "RATE_LIMITED", soon).await,
            (false, AGAIN + 1)
        );
    }

    #[tokio::test]
    async fn what_waiting_does_not_cure_is_said_at_once() {
        let soon = Some(Duration::from_millis(1));
        assert_eq!(asked(1, "TOO_MANY_STREAMS", soon).await, (false, 1));
        assert_eq!(asked(1, "RATE_LIMITED", None).await, (false, 1));
    }

    #[tokio::test]
    async fn it_waits_as_long_as_the_server_says() {
        let began = std::time::Instant::now();
        let wait = Duration::from_millis(80);
        asked(1, "RATE_LIMITED", Some(wait)).await;
        assert!(began.elapsed() >= wait);
    }
}
