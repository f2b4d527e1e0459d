//! Every event that a ledger holds, and whether they follow on.

use std::collections::HashMap;

use planledger_proto::v1::{Event, ReadEventsRequest};

use crate::findings::Findings;
use crate::kept::Kept;
use crate::send::{Sender, Trouble};

/// What is compared of an event.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) position: u64,
    pub(crate) stream: String,
    pub(crate) revision: u64,
    pub(crate) command: String,
    readable: bool,
}

impl From<Event> for Seen {
    fn from(event: Event) -> Self {
        use planledger_proto::v1::event::Content;
        Self {
            position: event.position,
            stream: event.stream,
            revision: event.revision,
            command: event.command_id,
            readable: matches!(event.content, Some(Content::Payload(_))),
        }
    }
}

/// Reads all events after a position. What is there but cannot be read is a wrong answer.
pub(crate) async fn read(
    sender: &Sender,
    after_position: u64,
    found: &mut Findings,
) -> Result<Vec<Seen>, Trouble> {
    let request = ReadEventsRequest {
        after_position,
        ..ReadEventsRequest::default()
    };
    let mut answers = sender
        .ask(|client| {
            let request = request.clone();
            async move { client.events().read_events(request).await }
        })
        .await?;
    let mut events = Vec::new();
    loop {
        match answers.message().await {
            Ok(Some(answer)) => events.extend(answer.events.into_iter().map(Seen::from)),
            Ok(None) => return Ok(events),
            Err(status) => {
                let (code, read) = (status.code(), events.len());
                found.wrong_answer(format!("reading events ended after {read}: {code:?}"));
                return Ok(events);
            }
        }
    }
}

/// Looks whether every receipted command is there, where its receipt says.
pub(crate) fn assert_there(kept: &Kept, events: &[Seen], found: &mut Findings) {
    for sent in kept.sent() {
        let Some(receipt) = &sent.receipt else {
            continue;
        };
        let count = u64::from(receipt.event_count);
        let all = (0..count).all(|back| {
            let place = (receipt.position - back).checked_sub(1);
            let event = place.and_then(|place| events.get(place as usize));
            event.is_some_and(|event| {
                event.command == receipt.command_id
                    && event.stream == receipt.stream
                    && event.revision + back == receipt.revision
            })
        });
        if !all {
            let (position, revision) = (receipt.position, receipt.revision);
            found.missing(format!(
                "{} at position {position}, revision {revision}",
                receipt.stream
            ));
        }
    }
}

/// Looks whether positions and revisions follow on, and nothing was carried out twice. If there are `others`, there
/// may be commands that nobody sent from here.
pub(crate) fn assert_sound(kept: &Kept, events: &[Seen], others: bool, found: &mut Findings) {
    let mut revisions: HashMap<&str, u64> = HashMap::new();
    let mut commands: HashMap<&str, (u64, u64)> = HashMap::new();
    for (place, event) in (1_u64..).zip(events) {
        if event.position != place {
            found.wrong_revision(format!("position {} follows {}", event.position, place - 1));
        }
        let revision = revisions.entry(&event.stream).or_default();
        if event.revision != *revision + 1 {
            let (stream, is) = (&event.stream, event.revision);
            found.wrong_revision(format!("{stream} goes on with {is} after {revision}"));
        }
        *revision = event.revision;
        // What the ledger records about itself is nobody's command.
        if event.stream.starts_with("ledger/") {
            continue;
        }
        if !event.readable {
            found.wrong_answer(format!("the event at {place} is not readable"));
        }
        match kept.by_id(&event.command).map(|sent| &sent.receipt) {
            Some(Some(_)) => {}
            Some(None) => found.wrong_answer(format!("{} has no receipt", event.command)),
            None if others => {}
            None => found.wrong_answer(format!("nobody sent the command at {place}")),
        }
        let (count, last) = commands.entry(&event.command).or_insert((0, place - 1));
        if *last + 1 != place {
            found.second_execution(&event.command, "its events are in two places");
        }
        (*count, *last) = (*count + 1, place);
    }
    for (command, (count, _)) in commands {
        let receipt = kept.by_id(command).and_then(|sent| sent.receipt.as_ref());
        if receipt.is_some_and(|receipt| u64::from(receipt.event_count) < count) {
            found.second_execution(command, "it has more events than its receipt says");
        }
    }
}
