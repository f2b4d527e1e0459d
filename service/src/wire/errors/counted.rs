//! Counts what is refused, by reason. A reason is counted where a failure becomes an answer. That happens
//! in many places, so the counts are those of the process.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use planledger_core::domain::Reason;

use super::reason::ServiceReason;

/// Every reason there is, with its count. Nothing that a client sends can add another one.
static COUNTS: LazyLock<HashMap<&'static str, AtomicU64>> = LazyLock::new(|| {
    let of_service = ServiceReason::ALL.iter().map(|reason| reason.code());
    let of_domain = Reason::ALL.iter().map(|reason| reason.code());
    let all = of_service.chain(of_domain);
    all.map(|code| (code, AtomicU64::new(0))).collect()
});

/// An answer says that something was refused for this reason.
pub(super) fn count(reason: &str) {
    if let Some(count) = COUNTS.get(reason) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// How often this process has refused something, by reason, in order of the reasons' codes. Every
/// reason is there, also those that never came.
pub fn refused() -> Vec<(&'static str, u64)> {
    let counts = COUNTS.iter();
    let counts = counts.map(|(code, count)| (*code, count.load(Ordering::Relaxed)));
    let mut counts: Vec<_> = counts.collect();
    counts.sort_unstable();
    counts
}

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::*;
    use crate::wire::Failure;

    fn count_of(code: &str) -> u64 {
        let mut found = refused().into_iter().filter(|(reason, _)| *reason == code);
        let (_, count) = found.next().unwrap();
        assert!(found.next().is_none());
        count
    }

    #[test]
    fn a_refusal_is_counted_when_it_is_answered_and_every_reason_is_listed() {
        // Other tests of this process do not use this reason.
        let code = ServiceReason::PreviewTooLarge.code();
        let failure = || Failure::new(ServiceReason::PreviewTooLarge, "too large");
        let before = count_of(code);
        drop(failure());
        assert_eq!(count_of(code), before);
        drop(Status::from(failure()));
        failure().command_error();
        assert_eq!(count_of(code), before + 2);
        let all = ServiceReason::ALL.len() + Reason::ALL.len();
        assert_eq!(refused().len(), all, "no code stands for two reasons");
    }
}
