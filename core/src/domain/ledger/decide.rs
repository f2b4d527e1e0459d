use std::collections::BTreeSet;

use super::{LedgerCommand, LedgerEvent, LedgerState, rotation_is_signed};
use crate::domain::decide::{Ask, refuse};
use crate::domain::{Aggregate, Reason, Refusal, Stop};
use crate::ids::{LedgerId, Position};
use crate::tlog::VerifierKey;

impl LedgerCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &Ask<'_>,
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
            Self::RotateKey { key, .. } if recorded == Some(key) => Ok(Vec::new()),
            Self::RotateKey { key, statement } => {
                let from = recorded.ok_or_else(no_key)?;
                check_statement(from, key, statement)?;
                Ok(vec![LedgerEvent::KeyRotated {
                    from: from.clone(),
                    to: key.clone(),
                    statement: statement.clone(),
                }])
            }
            Self::RecordHeads { through, root } => {
                let before = now.and_then(|now: &LedgerState| now.heads);
                // A root for a moment that is not after the one already recorded says nothing new.
                match before.is_some_and(|before| before.through >= *through) {
                    true => Ok(Vec::new()),
                    false => Ok(vec![LedgerEvent::HeadsRecorded {
                        through: *through,
                        root: *root,
                    }]),
                }
            }
            Self::SettleFork {
                stream,
                forks,
                reason,
            } => {
                let settled = |fork: &Position| {
                    now.is_some_and(|now| now.settled.contains(&(*stream, *fork)))
                };
                // What was settled is settled.
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

fn check_statement(from: &VerifierKey, to: &VerifierKey, statement: &str) -> Result<(), Stop> {
    match rotation_is_signed(from, to, statement) {
        true => Ok(()),
        false => refuse(Refusal::new(
            Reason::KeyRotationInvalid,
            "the statement is not a rotation to the new key that the key on record signed",
        )),
    }
}

fn another_key<T>(recorded: &VerifierKey) -> Result<T, Stop> {
    let message = format!("the key on record is {recorded}; rotate it instead");
    refuse(Refusal::new(Reason::CheckpointKeyMismatch, message))
}

fn no_key() -> Stop {
    let message = "there is no key on record yet";
    Refusal::new(Reason::CheckpointKeyMismatch, message).into()
}
