//! Checks that a missing text was taken by a redaction or an erasure that two people decided (P6). The
//! entries of an act prove it: its stream follows from what it destroys, and the entries say in the
//! clear what was done and by whom. Whose key an erasure destroyed is said by the first entry of that
//! person's stream. Only for an act that was carried out again after a restore is the payload needed,
//! because the events that decided it were lost.

use std::collections::{BTreeMap, HashMap};

use super::checking::{Checking, Version};
use super::events::open;
use super::report::ProvedAct;
use crate::audit::bundle::{EventLine, Gone};
use crate::audit::chain::Chains;
use crate::audit::fault::{Fault, FaultKind};
use crate::domain::erasure::{ActRecord, Done, ErasureEvent};
use crate::domain::{Event, EventType};
use crate::entry::{self, Entry};
use crate::ids::{ErasureId, KeyId, PersonId, Position, StreamId, StreamKind};

/// The acts in a bundle, as far as they were read.
#[derive(Default)]
pub(super) struct Acts {
    chains: Chains,
    acts: BTreeMap<StreamId, Act>,
    /// The erasure of the person whose key it is, of the people whose first entry is in the bundle.
    by_key: HashMap<KeyId, StreamId>,
}

/// How far an act has come.
#[derive(Default)]
struct Act {
    requested: Option<Done>,
    approved: Option<Done>,
    carried_out: Option<Position>,
    /// Whether it is a redaction or an erasure, once it has explained a missing text.
    gone: Option<Gone>,
    /// How many missing texts it took.
    texts: u64,
}

impl Act {
    /// Whether two people decided it, and it was carried out after a position.
    fn took(&self, text: Position) -> bool {
        let decided = self.requested.zip(self.approved);
        decided.is_some_and(|(requested, approved)| requested.is_decided_by(&approved))
            && self.carried_out.is_some_and(|at| at > text)
    }
}

impl Acts {
    /// Takes the next event of an act. `event` is what its payload says, if the bundle discloses it.
    /// What comes after the act was carried out is not needed, and refused.
    fn take(
        &mut self,
        position: Position,
        entry: &Entry,
        event: Option<Event>,
    ) -> Result<(), Fault> {
        let fault = |what: &str| Err(Fault::new(position, FaultKind::Event, what));
        let act = self.acts.entry(entry.stream).or_default();
        let done = Done {
            by: entry.actor,
            on_behalf_of: entry.on_behalf_of,
            at: entry.recorded_at,
        };
        let out_of_turn = "it does not follow the events of the act before it";
        if act.carried_out.is_some() {
            return fault(out_of_turn);
        }
        match EventType::from_code(entry.event_type).map(|known| known.name) {
            Some("erasure.requested") if act.requested.is_none() => act.requested = Some(done),
            Some("erasure.approved") if act.requested.is_some() && act.approved.is_none() => {
                act.approved = Some(done);
            }
            Some("erasure.withdrawn") if act.requested.is_some() && act.approved.is_none() => {
                act.requested = None;
            }
            // What is left of an event whose text goes.
            Some("erasure.text_settled") if act.approved.is_some() => {}
            Some("erasure.carried_out") if act.approved.is_some() => {
                act.carried_out = Some(position);
            }
            Some("erasure.applied_again") => {
                let Some(Event::Erasure(ErasureEvent::AppliedAgain(record))) = event else {
                    return fault("it does not say which act was carried out again");
                };
                let ActRecord {
                    target,
                    requested,
                    approved,
                    ..
                } = *record;
                if StreamId::from(ErasureId::of(target)) != entry.stream {
                    return fault("it does not belong to the stream of what was destroyed");
                }
                *act = Act {
                    requested: Some(requested),
                    approved: Some(approved),
                    carried_out: Some(position),
                    ..Act::default()
                };
            }
            Some(_) => return fault(out_of_turn),
            None => return fault("it is of a type that this version does not know"),
        }
        Ok(())
    }

    /// Counts a missing text for the act that took it. `None` if no act in the bundle is proved to
    /// have taken it.
    fn explain(&mut self, position: Position, entry: &Entry, gone: Gone) -> Option<()> {
        let stream = match gone {
            Gone::Redacted => ErasureId::of_event(position).into(),
            Gone::Erased => *self.by_key.get(&entry.key)?,
        };
        let act = self
            .acts
            .get_mut(&stream)
            .filter(|act| act.took(position))?;
        act.gone = Some(gone);
        act.texts += 1;
        Some(())
    }

    /// The acts that took texts.
    pub(super) fn proved(&self) -> Vec<ProvedAct> {
        let acts = self.acts.iter().filter_map(|(stream, act)| {
            Some(ProvedAct {
                act: *stream,
                requested: act.requested?,
                approved: act.approved?,
                carried_out: act.carried_out?,
                gone: act.gone?,
                texts: act.texts,
            })
        });
        acts.collect()
    }
}

impl Checking<'_> {
    /// Takes an event of an act, or the first one of a person who was erased.
    pub(super) fn take_act(&mut self, line: &EventLine) -> Result<(), Fault> {
        let placed = self.place(line)?;
        let position = placed.position;
        let fault = |kind, what: &str| Fault::new(position, kind, what);
        if line.path.is_none() {
            let what = "it has no proof that the checkpoint covers it";
            return Err(fault(FaultKind::Missing, what));
        }
        let stream = placed.entry.stream;
        let of_person = stream.kind == StreamKind::Person && placed.entry.revision.get() == 1;
        if stream.kind != StreamKind::Erasure && !of_person {
            let what = "it does not belong to a redaction or an erasure";
            return Err(fault(FaultKind::Format, what));
        }
        let link = entry::link(&placed.bytes);
        self.acts
            .chains
            .check(position, line.back, &placed.entry, link)?;
        if of_person {
            let act = ErasureId::of_person(PersonId::from_uuid(stream.id));
            self.acts.by_key.insert(placed.entry.key, act.into());
            return Ok(());
        }
        let event = open(line, &placed)?.map(|(event, _)| event);
        self.acts.take(position, &placed.entry, event)
    }

    /// Checks that an act in the bundle took the text of an event that has none.
    pub(super) fn explain(&mut self, line: &EventLine, entry: &Entry) -> Result<(), Fault> {
        let position = line.position;
        if let Some(gone) = line.gone
            && self.acts.explain(position, entry, gone).is_some()
        {
            match gone {
                Gone::Redacted => self.redacted += 1,
                Gone::Erased => self.erased += 1,
            }
            return Ok(());
        }
        let what = match self.version {
            Version::Two => {
                "its text is missing, and it is not proved that a redaction or an erasure took it"
            }
            Version::One => {
                "its text is missing, and a bundle of this older version cannot prove that a \
                 redaction or an erasure took it; export it again"
            }
        };
        Err(Fault::new(position, FaultKind::Withheld, what))
    }
}
