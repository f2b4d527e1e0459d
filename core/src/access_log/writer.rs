//! The thread that records reads, a group at a time: one write and one sync for all of them.

use std::collections::HashMap;
use std::sync::Arc;

use super::Shared;
use super::error::AccessLogError;
use super::heads::{Head, Heads};
use super::queue::Waiting;
use super::record::{EVENT_TYPE, Read, SCHEMA};
use crate::disk::Disk;
use crate::ids::{CommandId, PersonId, Position, Revision, StreamId};
use crate::journal::{
    AppendError, COMMAND_LEN, CommandRecord, Commit, MAX_COMMANDS, NewEntry, RECORD_LEN, Tail,
};
use crate::ledger::nonces::Nonces;
use crate::ledger::sealer::{About, seal_payload};
use crate::ledger::waiting::{LONGEST_WAIT, SHORTEST_WAIT};
use crate::seal::{KeyScope, KeyStore, ScopeKey};
use crate::time::{Clock, Entropy, Timestamp};

/// After how many records the heads are kept again.
const KEPT_EVERY: u64 = 100_000;
/// Most bytes of records in one commit.
const COMMIT_BYTES: usize = 8 << 20;

/// What the thread works with.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) keys: Arc<KeyStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) nonces: Nonces,
    pub(super) home: Arc<dyn Disk>,
    pub(super) kept_at: Position,
}

/// A group that is being put together.
struct Group {
    commits: Vec<Commit>,
    bytes: usize,
    position: Position,
    recorded_at: Timestamp,
    heads: HashMap<PersonId, Head>,
}

impl Writer {
    /// Runs until the queue is closed and empty, or writing fails.
    pub(super) fn run(mut self) {
        while let Some(mut waiting) = self.shared.queue.take() {
            match self.write(&mut waiting) {
                Ok(()) => waiting.iter_mut().for_each(|waiting| waiting.tell(Ok(()))),
                Err(error) => {
                    let lost: usize = waiting.iter().map(|waiting| waiting.reads.len()).sum();
                    tracing::error!(
                        %error,
                        reads = lost,
                        "the access log cannot be written; plans cannot be read until a restart"
                    );
                    let error = AccessLogError::Failed(error.into());
                    self.shared.queue.fail(&error);
                    let tell = |waiting: &mut Waiting| waiting.tell(Err(error.clone()));
                    waiting.iter_mut().for_each(tell);
                    return;
                }
            }
        }
        self.keep_heads();
    }

    fn write(&mut self, waiting: &mut [Waiting]) -> Result<(), String> {
        let tail = self.shared.log.tail();
        let group = self.group(tail, waiting)?;
        if group.commits.is_empty() {
            return Ok(());
        }
        let failed = |error: &dyn std::error::Error| error.to_string();
        // A key is stored before the first record that it seals (P1).
        self.keys.sync().map_err(|error| failed(&error))?;
        // No segment has records of two months, so that each can go when its time has come.
        let mut tail = tail;
        for commits in group
            .commits
            .chunk_by(|one, next| is_of_month(one, next.recorded_at))
        {
            tail = self.append(&tail, commits, waiting)?;
        }
        if self.shared.queue.let_on() {
            tracing::info!("there is room for the access log again; plans are shown");
        }
        let mut heads = self.shared.heads.lock();
        heads.by_student.extend(group.heads);
        heads.tail = tail;
        drop(heads);
        if tail.position.get() >= self.kept_at.get() + KEPT_EVERY {
            self.keep_heads();
        }
        Ok(())
    }

    /// Appends commits. While there is no room for the next segment, nothing is written, so the same is
    /// tried again until there is room, or until the access log is closed.
    fn append(
        &self,
        tail: &Tail,
        commits: &[Commit],
        waiting: &mut [Waiting],
    ) -> Result<Tail, String> {
        let mut pause = SHORTEST_WAIT;
        let mut is_closing = false;
        loop {
            match self.shared.log.append(tail, commits) {
                Err(error @ AppendError::NotYet { .. }) if !is_closing => {
                    self.hold(waiting, &error.to_string());
                    is_closing = self.shared.queue.pause(pause);
                    pause = (2 * pause).min(LONGEST_WAIT);
                }
                appended => return appended.map_err(|error| error.to_string()),
            }
        }
    }

    /// Tells everybody that there is no room. What was read is recorded before anything else, once there is.
    fn hold(&self, waiting: &mut [Waiting], reason: &str) {
        let error = AccessLogError::Waiting(reason.into());
        // This is logged only once, because the log may be on the same disk.
        if self.shared.queue.hold(&error) {
            tracing::error!(
                %reason,
                "the access log has no room for its next segment; plans are not shown until there is room"
            );
        }
        for waiting in waiting {
            waiting.tell(Err(error.clone()));
        }
    }

    fn group(&mut self, tail: Tail, waiting: &[Waiting]) -> Result<Group, String> {
        let mut group = Group {
            commits: Vec::new(),
            bytes: COMMIT_BYTES,
            position: tail.position,
            recorded_at: tail.recorded_at,
            heads: HashMap::new(),
        };
        for read in waiting.iter().flat_map(|waiting| &waiting.reads) {
            let recorded_at = read.at.max(group.recorded_at.plus(1));
            let entry = self.seal(&mut group, read, recorded_at)?;
            group.add(entry, recorded_at);
        }
        Ok(group)
    }

    fn seal(
        &mut self,
        group: &mut Group,
        read: &Read,
        recorded_at: Timestamp,
    ) -> Result<(CommandRecord, NewEntry), String> {
        let student = read.student;
        let last = group.heads.get(&student).copied();
        let last = last.or_else(|| self.shared.heads.lock().by_student.get(&student).copied());
        let (back, revision, previous_link) = match last {
            Some(head) => (head.position, head.revision, head.link),
            None => (Position::ZERO, Revision::ZERO, [0; 32]),
        };
        let stream = StreamId::from(student);
        let command = self.command_id()?;
        let about = About {
            stream,
            revision: revision.next(),
            previous_link,
            back,
            command,
            actor: read.actor,
            on_behalf_of: read.on_behalf_of,
            recorded_at,
            nonce: self.nonces.next().map_err(|error| error.to_string())?,
        };
        let key = self.key(student)?.for_access_log();
        let plain = serde_json::to_vec(&read.seen).map_err(|error| error.to_string())?;
        let digest = key.keyed_digest(&plain);
        let sealed = seal_payload(about, (EVENT_TYPE, SCHEMA), plain, &key);
        let entry = sealed.map_err(|error| error.to_string())?;
        let record = CommandRecord {
            id: command,
            digest,
            stream,
            revision: revision.next(),
            entries: 1,
        };
        group.position = group.position.next();
        let head = Head {
            position: group.position,
            revision: revision.next(),
            link: entry.link,
        };
        group.heads.insert(student, head);
        Ok((record, entry))
    }

    fn command_id(&mut self) -> Result<CommandId, String> {
        // A nonce is random, and as good as an id.
        let random = self.nonces.next().map_err(|error| error.to_string())?;
        let (id, _) = random.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
        let id = uuid::Builder::from_random_bytes(*id).into_uuid();
        Ok(CommandId::from_uuid(id))
    }

    /// The student's key. Of somebody who has none (any more) nothing but ids is recorded, under the
    /// key of the ledger.
    fn key(&self, student: PersonId) -> Result<ScopeKey, String> {
        if let Some(key) = self.keys.active(KeyScope::Person(student)) {
            return Ok(key);
        }
        let now = self.clock.now();
        let key = self
            .keys
            .active_or_new(KeyScope::Ledger, now, &*self.entropy);
        key.map_err(|error| error.to_string())
    }

    fn keep_heads(&mut self) {
        let Some(key) = self.keys.active(KeyScope::Ledger) else {
            return;
        };
        // Heads of records that are being removed must not be kept. They are kept later, or made again.
        let Some(_nothing_goes) = self.shared.carrying_out.try_lock() else {
            return;
        };
        let heads: Heads = self.shared.heads.lock().clone();
        if heads.tail.position == self.kept_at {
            return;
        }
        match heads.store(&*self.home, self.shared.log.ledger_id(), &key) {
            Ok(()) => self.kept_at = heads.tail.position,
            Err(error) => {
                tracing::warn!(%error, "where the access log has come was not stored; the next \
                    start reads it from the journal");
            }
        }
    }
}

/// Whether an instant is in the month of a commit.
fn is_of_month(commit: &Commit, instant: Timestamp) -> bool {
    commit.recorded_at.month_in_denmark() == instant.month_in_denmark()
}

impl Group {
    fn add(&mut self, (record, entry): (CommandRecord, NewEntry), recorded_at: Timestamp) {
        let bytes = COMMAND_LEN + RECORD_LEN + entry.sealed.len();
        let full = self.commits.last().is_none_or(|commit| {
            commit.commands.len() >= MAX_COMMANDS
                || self.bytes + bytes > COMMIT_BYTES
                || !is_of_month(commit, recorded_at)
        });
        if full {
            self.bytes = 0;
            self.commits.push(Commit {
                recorded_at,
                commands: Vec::new(),
                entries: Vec::new(),
            });
        }
        if let Some(commit) = self.commits.last_mut() {
            commit.commands.push(record);
            commit.entries.push(entry);
        }
        self.bytes += bytes;
        self.recorded_at = recorded_at;
    }
}
