//! Keeps track of the recoveries that run in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use planledger_core::domain::recovery::Recovery;
use planledger_core::ids::RecoveryId;
use planledger_core::recovery::Progress;
use tokio::sync::watch;

use crate::wire::Failure;

/// How far a recovery has come.
#[derive(Clone)]
pub(super) enum Update {
    Moving(Progress),
    Ended(Result<Box<Recovery>, Failure>),
}

/// The recoveries that run in this process, by id.
#[derive(Clone, Default)]
pub(super) struct Recoveries {
    pub(super) running: Arc<Mutex<HashMap<RecoveryId, watch::Receiver<Update>>>>,
}
