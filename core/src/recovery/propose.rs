//! The dry run: says what a transfer, restore or merger would do, item by item, and why.

use std::collections::BTreeSet;

use super::dry_run::DryRun;
use super::proposal::{Proposal, Why, absent};
use super::request::RecoveryRequest;
use super::school::RosterQueries;
use crate::domain::recovery::{MOST_STEPS, too_many};
use crate::domain::{Reason, Refusal, Stop, World};
use crate::ids::StreamId;
use crate::ledger::Reading;

/// Works out which steps would fulfil a request, and tries each one without recording anything. It does
/// so as if what is in `unseen` did not exist: see [`crate::recovery::unseen`].
///
/// # Errors
/// [`Stop::Refused`] if the request is refused as a whole, or if there is nothing to do.
pub fn propose(
    reading: &Reading<'_>,
    request: &RecoveryRequest,
    unseen: &BTreeSet<StreamId>,
) -> Result<Proposal, Stop> {
    let school = RosterQueries::without(reading, unseen);
    let mut items = match request {
        RecoveryRequest::Transfer(transfer) => school.transfer(transfer)?,
        RecoveryRequest::Restore(restore) => school.restore(restore)?,
        RecoveryRequest::Merge(merge) => school.merge(merge)?,
    };
    if items.is_empty() {
        let message = "no item fits the request, so there is nothing to do";
        return Err(Refusal::new(Reason::NothingToDo, message).into());
    }
    if items.len() > MOST_STEPS {
        return Err(too_many(items.len()).into());
    }
    let mut dry_run = DryRun::without(reading, unseen);
    for item in &mut items {
        // Nothing is done to what belongs to something that cannot be made.
        if let Why::BelongsTo(stream) = item.why
            && dry_run.aggregate(stream)?.is_none()
        {
            item.step = Err(absent(stream));
        }
        if let Ok(step) = &item.step
            && let Err(refusal) = Stop::verdict(dry_run.attempt(step))?
        {
            item.step = Err(refusal);
        }
    }
    Ok(Proposal::new(items))
}
