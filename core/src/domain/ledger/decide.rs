use std::collections::BTreeSet;

use super::{LedgerCommand, LedgerEvent, LedgerState};
use crate::domain::refusing::refuse;
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Reason, Refusal, Stop};
use crate::ids::{LedgerId, Position};
use crate::note::VerifierKey;

impl LedgerCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: LedgerId,
    ) -> Result<Vec<LedgerEvent>, Stop> {
        let state = ask.load(id)?;
        let now = match state.as_deref() {
            Some(Aggregate::Ledger(now)) => Some(now),
            _ => None,
        };
        let recorded = now.and_then(|now| now.key.as_ref());
        match self {
            Self::IntroduceKey { key } => match recorded {
                None => Ok(vec![LedgerEvent::KeyIntroduced { key: key.clone() }]),
                Some(recorded) if recorded == key => Ok(Vec::new()),
                Some(recorded) => another_key(recorded),
            },
            Self::RotateKey(rotation) => match recorded {
                None => Err(no_key()),
                Some(recorded) if recorded == rotation.to() => Ok(Vec::new()),
                Some(recorded) if recorded == rotation.from() => {
                    Ok(vec![LedgerEvent::KeyRotated {
                        from: recorded.clone(),
                        to: rotation.to().clone(),
                        statement: rotation.statement().to_owned(),
                    }])
                }
                Some(_) => refuse(Refusal::new(
                    Reason::KeyRotationInvalid,
                    "only the key on record can hand over to a new key, and this statement is by \
                    another key",
                )),
            },
            Self::RecordHeads { through, root } => {
                let before = now.and_then(|now: &LedgerState| now.heads);
                // A root for a position that is not after the recorded one says nothing new.
                match before.is_some_and(|before| before.through >= *through) {
                    true => Ok(Vec::new()),
                    false => Ok(vec![LedgerEvent::HeadsRecorded {
                        through: *through,
                        root: *root,
                    }]),
                }
            }
            Self::NoteAccessLog(noted) => {
                let before = now.and_then(|now| now.reads);
                // A shorter access log would say that nothing was lost.
                match before.is_some_and(|before| before.records >= noted.records) {
                    true => Ok(Vec::new()),
                    false => Ok(vec![LedgerEvent::AccessLogNoted(*noted)]),
                }
            }
            Self::SettleAccessLog(lost) => Ok(vec![LedgerEvent::AccessLogLost(lost.clone())]),
            Self::RecordRestore(restored) => Ok(vec![LedgerEvent::Restored(restored.clone())]),
            // A ledger comes from one place only.
            Self::RecordOrigin(carried) => match now.is_some_and(|now| now.origin.is_some()) {
                true => Ok(Vec::new()),
                false => Ok(vec![LedgerEvent::CarriedOver(carried.clone())]),
            },
            Self::SettleFork {
                stream,
                forks,
                reason,
            } => {
                let settled = |fork: &Position| {
                    now.is_some_and(|now| now.settled.contains(&(*stream, *fork)))
                };
                // Forks that are settled already are not settled again.
                let forks: BTreeSet<_> = forks
                    .iter()
                    .filter(|fork| !settled(fork))
                    .copied()
                    .collect();
                match forks.is_empty() {
                    true => Ok(Vec::new()),
                    false => Ok(vec![LedgerEvent::ForkSettled {
                        stream: *stream,
                        forks,
                        reason: reason.clone(),
                    }]),
                }
            }
        }
    }
}

fn another_key<T>(recorded: &VerifierKey) -> Result<T, Stop> {
    let message = format!("the key {recorded} is already on record; rotate that key instead");
    refuse(Refusal::new(Reason::CheckpointKeyMismatch, message))
}

fn no_key() -> Stop {
    let message = "there is no key on record yet that could be rotated";
    Refusal::new(Reason::CheckpointKeyMismatch, message).into()
}
