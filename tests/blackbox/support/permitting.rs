//! An authorizer that a test makes up.

use std::collections::BTreeSet;
use std::sync::Arc;

use planledger::server::auth::{Access, Authorizer, Caller, Naming};
use planledger_core::ids::StreamId;
use planledger_core::ledger::{ReadError, Reading};

struct Permitting<P>(P);

impl<P> Authorizer for Permitting<P>
where
    P: Fn(&Reading<'_>, &Caller, &Access<'_>) -> Result<bool, ReadError> + Send + Sync + 'static,
{
    fn permits(
        &self,
        now: &Reading<'_>,
        caller: &Caller,
        access: &Access<'_>,
    ) -> Result<bool, ReadError> {
        (self.0)(now, caller, access)
    }

    fn unseen(
        &self,
        _: &Reading<'_>,
        _: &Caller,
        _: Naming<'_>,
    ) -> Result<BTreeSet<StreamId>, ReadError> {
        Ok(BTreeSet::new())
    }
}

/// Permits what a function says, and hides nothing that a command names.
pub(crate) fn permitting<P>(permits: P) -> Arc<dyn Authorizer>
where
    P: Fn(&Reading<'_>, &Caller, &Access<'_>) -> Result<bool, ReadError> + Send + Sync + 'static,
{
    Arc::new(Permitting(permits))
}
