//! The notary of a ledger, and the witnesses that cosign its checkpoints.

use std::sync::Arc;

use planledger_core::notary::Notary;

use crate::notary::Witnesses;

/// The notary of a ledger, and the witnesses that cosign its checkpoints.
#[derive(Clone)]
pub(super) struct Evidence {
    pub(super) notary: Arc<Notary>,
    pub(super) witnesses: Arc<Witnesses>,
}
