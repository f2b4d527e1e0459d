//! Folds those events of the journal that derived state does not have yet.

use super::fold::Fold;
use super::opener::Opener;
use super::sealer::read_entry;
use super::stream_fold::Record;
use super::{OpenError, ReadError};
use crate::derived::{CommandEntry, Docs, StoreError};
use crate::journal::{Frame, Tail};

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
    for frame in opener.log.read_commits(fold.cursor.commit.next()) {
        take_in(&frame.map_err(ReadError::from)?, opener, docs, fold)?;
        let done = fold.cursor.position.get();
        let last = fold.cursor.commit == target.commit;
        if last || done - published >= STRIDE {
            let (changed, cursor, group) = fold.close_group();
            docs.publish(changed, cursor);
            fold.published(group);
            published = done;
            if !progress(done, to) {
                return Err(OpenError::Stopped);
            }
            if let Some(reason) = docs.doubt() {
                return Err(StoreError::Doubted(reason.to_owned()).into());
            }
        }
        if last {
            break;
        }
    }
    Ok(())
}

fn take_in(
    frame: &Frame,
    opener: &Opener<'_>,
    docs: &Docs,
    fold: &mut Fold,
) -> Result<(), OpenError> {
    let mut entries = frame.entries();
    let tail = Tail::at(frame);
    fold.cursor.recorded_at = frame.header().recorded_at;
    for command in frame.commands() {
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
        for (offset, record) in entries.by_ref().take(command.entries as usize).enumerate() {
            let position = record.position;
            let entry = read_entry(position, record.entry)?;
            if offset == 0 {
                recorded_at = entry.recorded_at;
            }
            let of_journal = Record {
                position,
                entry: &entry,
                bytes: record.entry,
                sealed: Some(record.sealed),
            };
            stream.folded.take(&of_journal, opener)?;
            fold.cursor.recorded_at = entry.recorded_at;
            let link = stream.folded.head().link;
            let register = docs.store().register();
            if let Err(found) = register.take(position, record.back, &entry, &link, opener.keys) {
                tracing::error!(
                    stream = %found.stream,
                    position = found.position.get(),
                    revision = found.revision.get(),
                    "the journal has an event that does not follow the last event of its stream; \
                    both are kept"
                );
            }
            fold.note(&stream.folded, *record.leaf);
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
