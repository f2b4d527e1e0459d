//! How long a client waits for an answer, as it says in the header `grpc-timeout`.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{self, HeaderMap};

/// The header: at most eight digits, and a unit.
const TIMEOUT: &str = "grpc-timeout";
const DIGITS: usize = 8;

/// What a request says; `None` if it says nothing that can be read.
pub(super) fn time_in(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(value * 60 * 60)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

/// An answer that is being worked on, for as long as the client waits.
pub(super) struct Answering<F> {
    answer: F,
    end: Option<Pin<Box<Sleep>>>,
}

/// Works on an answer for this long.
pub(super) fn within<F>(time: Option<Duration>, answer: F) -> Answering<F> {
    Answering {
        answer,
        end: time.map(|time| Box::pin(tokio::time::sleep(time))),
    }
}

impl<F, E> Future for Answering<F>
where
    F: Future<Output = Result<http::Response<Body>, E>> + Unpin,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let ready @ Poll::Ready(_) = Pin::new(&mut self.answer).poll(context) {
            return ready;
        }
        let over = match &mut self.end {
            Some(end) => end.as_mut().poll(context).is_ready(),
            None => false,
        };
        if !over {
            return Poll::Pending;
        }
        let why = "the client's time was over before there was an answer";
        Poll::Ready(Ok(Status::deadline_exceeded(why).into_http()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_read_as_the_standard_says() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(TIMEOUT, text.parse().unwrap());
            time_in(&headers)
        };
        assert_eq!(
            read("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3_600))
        );
        assert_eq!(read("2M"), Some(Duration::from_secs(120)));
        assert_eq!(read("3S"), Some(Duration::from_secs(3)));
        assert_eq!(read("4m"), Some(Duration::from_millis(4)));
        assert_eq!(read("5u"), Some(Duration::from_micros(5)));
        assert_eq!(read("6n"), Some(Duration::from_nanos(6)));
        for wrong in ["", "S", "1", "1s", "-1S", "+1S", "123456789S", "1.5S"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(time_in(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn an_answer_that_takes_longer_is_not_waited_for() {
        let never = std::future::pending::<Result<http::Response<Body>, ()>>();
        let answer = within(Some(Duration::from_millis(5)), never).await.unwrap();
        let status = Status::from_header_map(answer.headers()).unwrap();
        assert_eq!(status.code(), tonic::Code::DeadlineExceeded);
    }
}
