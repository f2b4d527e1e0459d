//! Carries out redactions and erasures that two people have decided, and lists them.

use std::time::Duration;

use planledger_core::derived::Term;
use planledger_core::domain::erasure::{Erasure, ErasureCommand, Phase, Target};
use planledger_core::domain::{Aggregate, Command};
use planledger_core::ids::{ErasureId, Revision, StreamKind};
use planledger_core::ledger::{Affected, Envelope, ErasureError, ReadError, Reading};
use uuid::Uuid;

use super::api::Api;
use super::auth::Access;
use super::gate::Gate;
use super::pages::{self, Items, Wanted};
use super::reads::ReadLog;
use crate::wire::Failure;
use crate::wire::page::Page;

/// How long the server waits before it tries again what did not succeed.
const PAUSE: Duration = Duration::from_secs(60);

/// Whether one of the commands approves an act.
pub(super) fn approves(envelopes: &[Envelope]) -> bool {
    envelopes.iter().any(|envelope| {
        let command = &envelope.command;
        matches!(command, Command::Erasure(_, ErasureCommand::Approve { .. }))
    })
}

impl Api {
    /// Carries out what is approved: at the start what an earlier process did not finish, then
    /// whenever something has been approved.
    pub(super) async fn carry_out_erasures(self) {
        loop {
            let reads = self.reads.clone();
            let done = self
                .blocking(move |ledger| {
                    let done = ledger.carry_out_erasures().map(drop);
                    let removed =
                        reads.map_or(Ok(()), |reads| reads.log().carry_out_removals().map(drop));
                    // One that fails does not keep the others from being carried out.
                    Ok::<_, Failure>(done.and(removed))
                })
                .await;
            let approved = self.approved.notified();
            match done {
                Ok(Ok(_)) => approved.await,
                Ok(Err(error)) => {
                    complain(&error);
                    let _ = tokio::time::timeout(PAUSE, approved).await;
                }
                // The server stops.
                Err(_) => return,
            }
        }
    }
}

fn complain(error: &ErasureError) {
    tracing::error!(
        %error,
        "a redaction, an erasure or a removal of old reads is approved and not carried out yet; the server tries again"
    );
}

/// What an act would destroy or remove, as it is now.
fn affected(
    reading: &Reading<'_>,
    reads: Option<&ReadLog>,
    target: Target,
) -> Result<Affected, ReadError> {
    let affected = reading.affected(target)?;
    Ok(match (target, reads) {
        (Target::Reads { before }, Some(reads)) => Affected {
            reads: reads.log().removable(before),
            ..affected
        },
        (Target::Reads { .. }, None) | (Target::Person(_) | Target::Event(_), _) => affected,
    })
}

/// Reads a page of all redactions and erasures.
pub(super) fn erasures<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    reads: Option<&ReadLog>,
    page: &Page<Uuid>,
    show: impl Fn(ErasureId, Revision, &Erasure, Option<Affected>) -> T,
) -> Result<Items<T>, Failure> {
    gate.require(&Access::ReadAccess { of: None })?;
    let streams = reading.find(Term::All(StreamKind::Erasure))?;
    let show = |id, revision, state: &Aggregate| match state {
        Aggregate::Erasure(state) => {
            let affected = match state.phase {
                Phase::Requested => affected(reading, reads, state.target).map(Some),
                Phase::Approved(_) | Phase::Withdrawn(_) | Phase::CarriedOut { .. } => Ok(None),
            };
            let id = ErasureId::from_uuid(id);
            Some(affected.map(|affected| show(id, revision, state, affected)))
        }
        _ => None,
    };
    let wanted = Wanted {
        gate,
        kind: StreamKind::Erasure,
        access: |_| Access::ReadAccess { of: None },
    };
    let (items, next_page_token) = pages::list(reading, &wanted, &streams, page, show)?;
    let items: Result<Vec<_>, ReadError> = items.into_iter().collect();
    Ok((items?, next_page_token))
}
