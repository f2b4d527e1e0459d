//! Checks who signed and cosigned the checkpoint, and reads the ledger's own events: changes of
//! key, and the record of heads.

use super::checking::{Checking, Placed, checkpoint_fault, hashes};
use super::events::open;
use crate::audit::bundle::EventLine;
use crate::audit::fault::{Fault, FaultKind};
use crate::domain::Event;
use crate::domain::ledger::{LedgerEvent, RecordedHeads, heads_stream};
use crate::entry;
use crate::ids::{Position, StreamId};
use crate::merkle::check_consistency;
use crate::note::{Rotation, VerifierKey};

impl Checking<'_> {
    /// Checks who signed and cosigned the checkpoint. This waits until every change of key was
    /// read.
    pub(super) fn vouch(&mut self) -> Result<(), Fault> {
        if self.witnessed.is_some() {
            return Ok(());
        }
        let witnessed = self.policy.check(&self.signed);
        let mut witnessed =
            witnessed.map_err(|error| checkpoint_fault(FaultKind::Signature, error))?;
        witnessed.log = self.signed_by_the_key_on_record()?;
        if self.recorded.is_none() {
            let what = "the bundle has no record of heads";
            return Err(Fault::new(Position::ZERO, FaultKind::Missing, what));
        }
        if !witnessed.quorum {
            let names: Vec<_> = witnessed
                .witnesses
                .iter()
                .map(|(name, _)| &**name)
                .collect();
            let what = match names.join(", ") {
                names if names.is_empty() => "no witness of the policy has cosigned the \
                    checkpoint, but the quorum of the policy requires witnesses"
                    .to_owned(),
                names => format!(
                    "only {names} cosigned the checkpoint; the quorum of the policy requires more \
                    witnesses, or others"
                ),
            };
            return Err(Fault::new(Position::ZERO, FaultKind::Quorum, what));
        }
        if !witnessed.enough_monitors {
            let cosigned = witnessed.monitors.len();
            let what = format!(
                "{cosigned} monitors of the policy have cosigned the checkpoint; the policy requires more"
            );
            return Err(Fault::new(Position::ZERO, FaultKind::Quorum, what));
        }
        self.witnessed = Some(witnessed);
        self.check_since()
    }

    /// Checks that the key on record signed the checkpoint. A key that was replaced must not sign
    /// any more, even if the policy still names it.
    fn signed_by_the_key_on_record(&self) -> Result<VerifierKey, Fault> {
        let fault = |kind, what: String| Fault::new(Position::ZERO, kind, what);
        let Some(key) = &self.key else {
            let what = "the bundle has no record of the signing key".to_owned();
            return Err(fault(FaultKind::Missing, what));
        };
        let believed = self.policy.logs().contains(key);
        match believed && self.signed.verify([key]).is_ok() {
            true => Ok(key.clone()),
            false => {
                let what = format!(
                    "the key on record, {key}, did not sign the checkpoint, or no key that you \
                    trust handed over to it"
                );
                Err(fault(FaultKind::Signature, what))
            }
        }
    }

    fn check_since(&mut self) -> Result<(), Fault> {
        let Some(since) = &self.options.since else {
            return Ok(());
        };
        let fault = |what: String| Fault::new(Position::ZERO, FaultKind::Growth, what);
        let (old, now) = (&since.checkpoint, &self.signed.checkpoint);
        since.verify(self.policy.logs()).map_err(|error| {
            let what = format!("the earlier checkpoint: {error}");
            checkpoint_fault(FaultKind::Signature, what)
        })?;
        if old.origin != now.origin {
            return Err(fault(
                "the earlier checkpoint belongs to another log".to_owned(),
            ));
        }
        if old.size > now.size {
            return Err(fault(format!(
                "the earlier checkpoint has {} events, but the checkpoint of the bundle has {}: \
                the bundle is older, or events were removed",
                old.size, now.size
            )));
        }
        let proof = match (&self.header.since, old.size == now.size) {
            (_, true) => Vec::new(),
            (Some(given), false) if given.size == old.size => hashes(&given.proof)?,
            (Some(_) | None, false) => {
                let what = format!(
                    "the bundle does not prove that the log grew from the checkpoint of {size} \
                    events; export it again with --since {size}",
                    size = old.size
                );
                return Err(Fault::new(Position::ZERO, FaultKind::Missing, what));
            }
        };
        check_consistency(old.size, now.size, &proof, &old.root, &now.root).map_err(|error| {
            fault(format!(
                "the log did not grow from the checkpoint of {} events: {error}",
                old.size
            ))
        })?;
        self.since = Some(old.size);
        Ok(())
    }

    pub(super) fn take_ledger(&mut self, line: &EventLine) -> Result<(), Fault> {
        let placed = self.place(line)?;
        let fault = |kind, what: &str| Fault::new(placed.position, kind, what);
        if line.path.is_none() {
            return Err(fault(
                FaultKind::Missing,
                "it has no proof that the checkpoint covers it",
            ));
        }
        let stream = placed.entry.stream;
        let keys = StreamId::from(self.header.ledger);
        let heads = StreamId::from(heads_stream(self.header.ledger));
        if stream != keys && stream != heads {
            let what = "it does not belong to a stream of the ledger itself";
            return Err(fault(FaultKind::Format, what));
        }
        if stream == keys {
            let link = entry::link(&placed.bytes);
            self.own
                .check(placed.position, line.back, &placed.entry, link)?;
        }
        let event = open(line, &placed)?.map(|(event, _)| event);
        match event {
            Some(Event::Ledger(event)) => match event {
                LedgerEvent::KeyIntroduced { key } if stream == keys && self.key.is_none() => {
                    self.key = Some(key);
                    Ok(())
                }
                LedgerEvent::KeyRotated {
                    from,
                    to,
                    statement,
                } if stream == keys && self.key.as_ref() == Some(&from) => {
                    self.rotate(placed.position, from, to, &statement)
                }
                LedgerEvent::HeadsRecorded { through, root } if stream == heads => {
                    self.record_heads(&placed, RecordedHeads { through, root })
                }
                LedgerEvent::KeyIntroduced { .. }
                | LedgerEvent::KeyRotated { .. }
                | LedgerEvent::HeadsRecorded { .. }
                | LedgerEvent::AccessLogNoted(_)
                | LedgerEvent::AccessLogLost(_)
                | LedgerEvent::Restored(_)
                | LedgerEvent::CarriedOver(_)
                | LedgerEvent::PlaceHeld(_)
                | LedgerEvent::ForkSettled { .. } => Err(fault(
                    FaultKind::Event,
                    "it does not follow the record before it",
                )),
            },
            Some(_) => Err(fault(
                FaultKind::Event,
                "it is not an event of the ledger itself",
            )),
            None => Err(fault(FaultKind::Missing, "its text or its key is missing")),
        }
    }

    fn rotate(
        &mut self,
        position: Position,
        from: VerifierKey,
        to: VerifierKey,
        statement: &str,
    ) -> Result<(), Fault> {
        if Rotation::new(from.clone(), to.clone(), statement.to_owned()).is_none() {
            let what = "the previous key did not sign this change of key";
            return Err(Fault::new(position, FaultKind::Signature, what));
        }
        // A believed key passes belief on to the key that replaces it. No other key can do that.
        if self.policy.logs().contains(&from) {
            self.policy.add_log(to.clone());
        }
        self.key = Some(to);
        Ok(())
    }

    /// Takes the record of heads. It must be the checkpoint's last event: an earlier record would
    /// let somebody leave off the newest events.
    fn record_heads(&mut self, placed: &Placed, recorded: RecordedHeads) -> Result<(), Fault> {
        let fault = |what: &str| Err(Fault::new(placed.position, FaultKind::Head, what));
        if placed.position != self.signed.checkpoint.position() {
            return fault(
                "it is a record of heads, but it is not the last event of the checkpoint",
            );
        }
        if recorded.through >= placed.position {
            return fault("it records heads for a position that did not exist yet");
        }
        self.recorded = Some((recorded, placed.entry.recorded_at));
        Ok(())
    }
}
