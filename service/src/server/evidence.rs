//! What gives evidence.

use std::sync::Arc;

use planledger_core::notary::Notary;

use crate::notary::Witnesses;

/// What gives evidence.
#[derive(Clone)]
pub(super) struct Evidence {
    pub(super) notary: Arc<Notary>,
    pub(super) witnesses: Arc<Witnesses>,
}
