use super::{Done, Erasure, ErasureEvent, Phase};
use crate::domain::EventMeta;

impl Done {
    fn of(meta: &EventMeta) -> Self {
        Self {
            by: meta.actor,
            on_behalf_of: meta.on_behalf_of,
            at: meta.recorded_at,
        }
    }
}

impl Erasure {
    pub(in crate::domain) fn created(meta: &EventMeta, event: &ErasureEvent) -> Option<Self> {
        match event {
            ErasureEvent::Requested {
                target,
                basis,
                reason,
                retention,
            } => Some(Self {
                target: *target,
                basis: basis.clone(),
                reason: reason.clone(),
                retention: *retention,
                requested: Done::of(meta),
                phase: Phase::Requested,
                reads: None,
                left: None,
            }),
            ErasureEvent::AppliedAgain(record) => Some(Self {
                target: record.target,
                basis: record.basis.clone(),
                reason: record.reason.clone(),
                retention: None,
                requested: record.requested,
                phase: Phase::CarriedOut {
                    approved: record.approved,
                    at: meta.recorded_at,
                    key: record.key,
                },
                reads: record.reads,
                left: record.left.clone(),
            }),
            ErasureEvent::Approved { .. }
            | ErasureEvent::Withdrawn { .. }
            | ErasureEvent::ReadsSettled(_)
            | ErasureEvent::TextSettled(_)
            | ErasureEvent::CarriedOut { .. } => None,
        }
    }

    pub(in crate::domain) fn apply(&mut self, meta: &EventMeta, event: &ErasureEvent) {
        match event {
            ErasureEvent::Requested { .. } | ErasureEvent::AppliedAgain(_) => {
                if let Some(begun) = Self::created(meta, event) {
                    *self = begun;
                }
            }
            ErasureEvent::Approved { .. } => self.phase = Phase::Approved(Done::of(meta)),
            ErasureEvent::Withdrawn { .. } => self.phase = Phase::Withdrawn(Done::of(meta)),
            ErasureEvent::ReadsSettled(reads) => self.reads = Some(*reads),
            ErasureEvent::TextSettled(left) => self.left = Some(left.clone()),
            ErasureEvent::CarriedOut { key } => {
                if let Phase::Approved(approved) = self.phase {
                    self.phase = Phase::CarriedOut {
                        approved,
                        at: meta.recorded_at,
                        key: *key,
                    };
                }
            }
        }
    }
}
