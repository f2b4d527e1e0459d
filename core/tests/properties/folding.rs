//! Deciding and folding: total, repeatable, and the same whether an event was just decided or
//! read back.

use planledger_core::derived::testing::{pack, unpack};
use planledger_core::domain::{Aggregate, Event, EventType};
use proptest::prelude::*;

use crate::properties::acts::{acts, founded};
use crate::properties::check::check;

#[test]
fn asking_twice_never_records_twice() {
    check(500, &prop::collection::vec(acts(), 1..60), |acts| {
        let mut memory = founded();
        for act in acts {
            let granted = memory.execute(act.actor, &act.command).is_ok();
            if let Ok(again) = memory.decide(act.actor, &act.command) {
                prop_assert!(granted, "refused first, granted then: {:?}", act);
                prop_assert_eq!(again.events, vec![], "{:?}", act);
            }
        }
        Ok(())
    });
}

#[test]
fn deciding_is_repeatable_and_what_it_leads_to_belongs_where_it_goes() {
    check(500, &prop::collection::vec(acts(), 1..60), |acts| {
        let mut memory = founded();
        for act in acts {
            let first = memory.decide(act.actor, &act.command);
            prop_assert_eq!(&first, &memory.decide(act.actor, &act.command));
            let Ok(decision) = first else { continue };
            for event in &decision.events {
                prop_assert_eq!(event.kind(), decision.stream.kind);
            }
            let before = memory.state(decision.stream).cloned();
            memory.execute(act.actor, &act.command).unwrap();
            if !decision.events.is_empty() {
                prop_assert_ne!(
                    memory.state(decision.stream),
                    before.as_ref(),
                    "an event that changes nothing: {:?}",
                    decision.events
                );
            }
        }
        Ok(())
    });
}

#[test]
fn events_and_states_are_the_same_after_they_were_written_and_read() {
    check(300, &prop::collection::vec(acts(), 1..60), |acts| {
        let mut memory = founded();
        for act in acts {
            let _ = memory.execute(act.actor, &act.command);
        }
        for recorded in memory.recorded() {
            let json = recorded.event.to_json().unwrap();
            let known = recorded.event.event_type();
            prop_assert_eq!(EventType::from_code(known.code), Some(known));
            let read = Event::from_json(known.code, known.schema, &json).unwrap();
            prop_assert_eq!(&read, &recorded.event);
            prop_assert_eq!(read.to_json().unwrap(), json);
        }
        for stream in memory.streams() {
            let state = memory.state(stream).unwrap();
            let json = serde_json::to_vec(state).unwrap();
            let read: Aggregate = serde_json::from_slice(&json).unwrap();
            prop_assert_eq!(&read, state);
            prop_assert_eq!(serde_json::to_vec(&read).unwrap(), json);
            // As derived state has it.
            let packed = pack(state).unwrap();
            let read = unpack(&packed).unwrap();
            prop_assert_eq!(&read, state);
            prop_assert_eq!(pack(&read).unwrap(), packed);
        }
        Ok(())
    });
}

/// `apply` is total: it has to take whatever a journal holds, in whatever order.
#[test]
fn any_events_in_any_order_are_folded_without_a_panic() {
    let orders = (
        prop::collection::vec(acts(), 1..40),
        prop::collection::vec(any::<prop::sample::Index>(), 1..80),
    );
    check(300, &orders, |(acts, order)| {
        let mut memory = founded();
        for act in acts {
            let _ = memory.execute(act.actor, &act.command);
        }
        let mut state = None;
        for index in order {
            let recorded = index.get(memory.recorded());
            let before = state.as_ref().map(Aggregate::kind);
            Aggregate::apply(&mut state, &recorded.meta, &recorded.event);
            if before.is_some() {
                prop_assert_eq!(state.as_ref().map(Aggregate::kind), before);
            }
        }
        Ok(())
    });
}
