//! Folds those events of the journal that derived state does not have yet.

use super::OpenError;
use super::fold::Fold;
use super::opened_ahead::{OpenedEvent, OpenedFrame, for_each_frame};
use super::opener::Opener;
use crate::derived::{CommandEntry, Docs, StoreError};
use crate::journal::Tail;

/// How many events are folded before their documents are published.
const STRIDE: u64 = 8_192;

/// Folds the commits of the journal up to `target` into `fold` and publishes the documents. Stops
/// with an error when `progress` returns false.
pub(crate) fn catch_up(
    opener: &Opener<'_>,
    docs: &Docs,
    fold: &mut Fold,
    target: &Tail,
    progress: &dyn Fn(u64, u64) -> bool,
) -> Result<(), OpenError> {
    if fold.cursor.commit == target.commit {
        fold.cursor.recorded_at = fold.cursor.recorded_at.max(target.recorded_at);
        return Ok(());
    }
    let (from, to) = (fold.cursor.position.get(), target.position.get());
    tracing::info!(
        from,
        to,
        "derived state is being brought up to the end of the journal"
    );
    let mut published = from;
    for_each_frame(opener, fold.cursor.commit.next(), target.commit, |frame| {
        take_in(frame, opener, docs, fold)?;
        let done = fold.cursor.position.get();
        if fold.cursor.commit != target.commit && done - published < STRIDE {
            return Ok(());
        }
        let (changed, cursor, group) = fold.close_group();
        docs.publish(changed, cursor);
        fold.published(group);
        published = done;
        if !progress(done, to) {
            return Err(OpenError::Stopped);
        }
        match docs.doubt() {
            Some(reason) => Err(StoreError::Doubted(reason.to_owned()).into()),
            None => Ok(()),
        }
    })
}

fn take_in(
    frame: OpenedFrame,
    opener: &Opener<'_>,
    docs: &Docs,
    fold: &mut Fold,
) -> Result<(), OpenError> {
    let OpenedFrame {
        recorded_at,
        tail,
        commands,
        events,
    } = frame;
    let mut events = events.into_iter();
    fold.cursor.recorded_at = recorded_at;
    for command in commands {
        let mut stream = fold.begin(command.stream)?;
        // The document and the register each say where the stream ends; if they differ, one of the
        // two is wrong. A stream whose events were all redacted has no document to compare.
        if stream.folded.state().is_some()
            && stream.folded.head().position
                != docs.store().register().end_of(command.stream).position
        {
            let error = StoreError::Changed("the end of a stream");
            docs.put_in_doubt(&error.to_string());
            return Err(error.into());
        }
        // A command without events has the instant of the command before it in the same commit, as
        // the writer gives it.
        let mut recorded_at = fold.cursor.recorded_at;
        for (offset, event) in events.by_ref().take(command.entries as usize).enumerate() {
            let OpenedEvent {
                position,
                entry,
                event,
                link,
                back,
                leaf,
            } = event;
            if offset == 0 {
                recorded_at = entry.recorded_at;
            }
            stream.folded.fold(position, &entry, event.as_ref(), link);
            fold.cursor.recorded_at = entry.recorded_at;
            let register = docs.store().register();
            if let Err(found) = register.take(position, back, &entry, &link, opener.keys) {
                tracing::error!(
                    stream = %found.stream,
                    position = found.position.get(),
                    revision = found.revision.get(),
                    "the journal has an event that does not follow the last event of its stream; \
                    both are kept"
                );
            }
            fold.cursor.frontier.push(leaf);
            fold.note(&stream.folded);
        }
        fold.end(stream)?;
        fold.record(CommandEntry {
            id: command.id,
            digest: command.digest,
            stream: command.stream,
            revision: command.revision,
            position: fold.cursor.position,
            recorded_at,
            events: command.entries,
        })?;
    }
    fold.cursor.commit = tail.commit;
    fold.cursor.checksum = tail.checksum;
    fold.cursor.recorded_at = tail.recorded_at;
    Ok(())
}
