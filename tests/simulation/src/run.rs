//! Plays a plan: processes one after another over one machine, and the checker beside them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use planledger_core::domain::Actor;
use planledger_core::entry::{Entry, link};
use planledger_core::ids::{CommandId, Position, Revision, StreamId, SystemId};
use planledger_core::journal::{AppendError, CommandRecord, Commit, CommitLog, NewEntry, Tail};
use planledger_core::seal::{KeyStoreError, commitment, seal};
use planledger_core::time::{Entropy, Timestamp};
use planledger_core::tlog::{Checkpoint, SignedCheckpoint};

use crate::bugs::{Bug, Habit};
use crate::dice::Dice;
use crate::disk::{Counts, Cut, Machine};
use crate::model::{Fate, Known, Model, Wrong, scope};
use crate::plan::{Act, End, Item, Life, lives};
use crate::process::{Hint, Process, START, Seeded, signer};

/// People and institutions who have keys, from 0.
const SCOPES: u64 = 8;
const MINUTE: u64 = 60_000_000_000;

/// What was played.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Played {
    pub(crate) counts: Counts,
    pub(crate) commits: u64,
    pub(crate) events: u64,
    /// Times at which everything was compared.
    pub(crate) checks: u64,
    /// Turns that threads took.
    pub(crate) turns: u64,
}

impl Played {
    pub(crate) fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        self.commits += other.commits;
        self.events += other.events;
        self.checks += other.checks;
        self.turns += other.turns;
    }
}

/// Why a process is not there any more.
enum Stop {
    /// It ended, because of what the disk did to it.
    Ended,
    Wrong(Wrong),
}

impl From<Wrong> for Stop {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

struct Player {
    machine: Machine,
    model: Model,
    bug: Bug,
    process: Option<Process>,
    /// The commits that derived state may have seen on stable storage.
    seen: u64,
    entropy: Seeded,
    clock: u64,
    played: Played,
}

/// Plays a plan. The error says what is wrong.
pub(crate) fn play(items: &[Item<Act, End>], seed: u64, bug: Bug) -> (Played, Result<(), Wrong>) {
    let mut player = Player {
        machine: Machine::new(bug.lie()),
        model: Model::default(),
        bug,
        process: None,
        seen: 0,
        entropy: Seeded::new(seed),
        clock: START,
        played: Played::default(),
    };
    let went = catch_unwind(AssertUnwindSafe(|| player.all(items)));
    let went = went.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned()));
        Err(format!("a panic: {}", said.unwrap_or_default()))
    });
    player.played.counts = player.machine.counts();
    player.played.commits = player.model.commits();
    player.played.events = player.model.position();
    (player.played, went)
}

impl Player {
    fn all(&mut self, items: &[Item<Act, End>]) -> Result<(), Wrong> {
        for life in lives(items) {
            // In the end the power is cut once more, and a sound machine has to bring everything back.
            let (end, seed) = life.end.unwrap_or((End::Cut(Cut::LosesAll), 1));
            self.life(life, end, Dice::new(seed))?;
        }
        self.start(true).map_err(|stop| match stop {
            Stop::Wrong(wrong) => wrong,
            Stop::Ended => "a sound machine does not come up".to_owned(),
        })
    }

    fn life(&mut self, life: Life<Act, End>, end: End, mut dice: Dice) -> Result<(), Wrong> {
        self.machine.plan(life.faults, life.space);
        let whole = dice.once_in(3);
        let mut lived = self.start(whole);
        for (act, seed) in life.acts {
            if lived.is_ok() {
                lived = self.act(act, Dice::new(seed));
            }
        }
        if let Err(Stop::Wrong(wrong)) = lived {
            return Err(wrong);
        }
        // Derived state is written behind the journal, and may be older than it by any number of commits.
        self.seen = self.model.commits() - dice.below(4).min(self.model.commits());
        if self.bug.habit() == Some(Habit::HintsAhead) {
            self.seen = self.model.commits() + self.model.doubted.len() as u64;
        }
        self.process = None;
        match end {
            End::Cut(how) => self.machine.cut(how, &mut dice),
            End::Process => self.machine.restart(),
        }
        Ok(())
    }

    /// Starts a process, and holds it to everything.
    fn start(&mut self, whole: bool) -> Result<(), Stop> {
        let position = match self.bug.habit() {
            Some(Habit::HintsAhead) => self.model.position_at(self.seen),
            _ => self.model.position_at(self.seen.min(self.model.commits())),
        };
        let hint = (self.seen > 0).then_some(Hint {
            commits: self.seen,
            position,
        });
        match Process::start(&self.machine, hint, self.bug.habit()) {
            Ok(process) => {
                self.played.checks += 1;
                let opened = self.model.opened(&process, whole);
                self.process = Some(process);
                opened.map_err(Stop::Wrong)
            }
            Err(_) if self.machine.is_faulted() => Err(Stop::Ended),
            Err(said) => Err(Stop::Wrong(format!("a start is refused: {said}"))),
        }
    }

    fn process(&self) -> Result<&Process, Stop> {
        self.process.as_ref().ok_or(Stop::Ended)
    }

    /// What fails may fail only if a fault has come; the process ends then.
    fn failed(&self, what: &str, error: impl std::fmt::Display) -> Stop {
        match self.machine.is_faulted() {
            true => Stop::Ended,
            false => Stop::Wrong(format!("{what}: {error}")),
        }
    }

    fn act(&mut self, act: Act, dice: Dice) -> Result<(), Stop> {
        if self.machine.is_dead() {
            return Err(Stop::Ended);
        }
        match act {
            Act::Append => self.append(dice),
            Act::Redact => self.redact(dice),
            Act::Destroy => self.destroy(dice),
            Act::Checkpoint => self.checkpoint(dice),
            Act::Read => self.read(dice),
            Act::Jump => {
                self.jump(dice);
                Ok(())
            }
        }
    }

    fn jump(&mut self, mut dice: Dice) {
        let far = dice.below(60 * 24 * 400) * MINUTE;
        self.clock = match dice.once_in(2) {
            true => self.clock.saturating_add(far),
            false => self.clock.saturating_sub(far),
        };
    }

    fn read(&mut self, mut dice: Dice) -> Result<(), Stop> {
        let events = self.model.position();
        let process = self.process()?;
        for _ in 0..4 {
            let at = dice.below(events) as usize;
            self.model.readable(process, at)?;
        }
        Ok(())
    }

    fn append(&mut self, mut dice: Dice) -> Result<(), Stop> {
        let tail = self.process()?.log.tail();
        let mut made = Vec::new();
        let mut known: Vec<Vec<Known>> = Vec::new();
        let mut place = tail;
        for _ in 0..1 + dice.below(3) {
            let before: Vec<_> = known.concat();
            let (commit, more) = self.commit(&mut dice, &mut place, &before)?;
            made.push(commit);
            known.push(more);
        }
        if dice.once_in(16) {
            self.refuses_an_earlier_one(&tail, &made)?;
        }
        if self.bug.habit() == Some(Habit::SplitsBatches) {
            return self.append_split(tail, made, known);
        }
        self.write(tail, &made, known)
    }

    /// Keys first, then the journal, then receipts.
    fn write(
        &mut self,
        tail: Tail,
        commits: &[Commit],
        known: Vec<Vec<Known>>,
    ) -> Result<(), Stop> {
        let habit = self.bug.habit();
        let process = self.process()?;
        if habit != Some(Habit::KeysLast) {
            let synced = process.keys.sync();
            synced.map_err(|error| self.failed("keys are not stored", error))?;
        }
        let appended = process.log.append(&tail, commits);
        let later = match habit {
            Some(Habit::KeysLast) => process.keys.sync().map_err(drop),
            _ => Ok(()),
        };
        match appended {
            Ok(_) => known.into_iter().for_each(|it| self.model.receipt(it)),
            Err(_) if habit == Some(Habit::IgnoresErrors) => {
                known.into_iter().for_each(|it| self.model.receipt(it));
            }
            // Nothing of them was written, so nothing of them may be there.
            Err(error @ AppendError::NotYet { .. }) => {
                return Err(self.failed("commits are not appended yet", error));
            }
            Err(error) => {
                self.is_final(&tail, commits)?;
                self.model.doubted = known;
                return Err(self.failed("commits are not appended", error));
            }
        }
        later.map_err(|()| Stop::Ended)
    }

    /// After a failed write nothing more is taken.
    fn is_final(&self, tail: &Tail, commits: &[Commit]) -> Result<(), Stop> {
        match self.process()?.log.append(tail, commits) {
            Err(AppendError::Poisoned) => Ok(()),
            other => Err(Stop::Wrong(format!("after a failed write: {other:?}"))),
        }
    }

    /// A batch whose commands are appended one by one.
    fn append_split(
        &mut self,
        tail: Tail,
        commits: Vec<Commit>,
        known: Vec<Vec<Known>>,
    ) -> Result<(), Stop> {
        let mut place = tail;
        for (commit, known) in commits.into_iter().zip(known) {
            let mut entries = commit.entries.into_iter();
            let mut before = 0;
            for (command, nth) in commit.commands.into_iter().zip(0..) {
                let count = command.entries as usize;
                let recorded_at = commit.recorded_at.plus(before + nth);
                before += count as u64;
                let part = Commit {
                    recorded_at,
                    entries: entries.by_ref().take(count).collect(),
                    commands: vec![command],
                };
                let process = self.process()?;
                let synced = process.keys.sync();
                synced.map_err(|error| self.failed("keys are not stored", error))?;
                let appended = process.log.append(&place, &[part]);
                let appended = appended.inspect_err(|_| {
                    self.model.doubted = vec![known.clone()];
                });
                place = appended.map_err(|error| self.failed("not appended", error))?;
            }
            self.model.receipt(known);
        }
        Ok(())
    }

    /// The clock may have been set back: what is recorded earlier than the end is refused, and harms nothing.
    fn refuses_an_earlier_one(&self, tail: &Tail, made: &[Commit]) -> Result<(), Stop> {
        let mut earlier = made.to_vec();
        if let Some(first) = earlier.first_mut() {
            first.recorded_at = tail.recorded_at;
        }
        match self.process()?.log.append(tail, &earlier) {
            Err(AppendError::Rejected { .. }) => Ok(()),
            other => Err(Stop::Wrong(format!(
                "recorded at an earlier instant: {other:?}"
            ))),
        }
    }

    /// A commit of a few commands, each of a few events about somebody.
    fn commit(
        &mut self,
        dice: &mut Dice,
        place: &mut Tail,
        before: &[Known],
    ) -> Result<(Commit, Vec<Known>), Stop> {
        self.clock += dice.below(3) * 1_000_000;
        // The ledger never records anything earlier than what is there.
        let recorded_at = self.clock.max(place.recorded_at.nanos() + 1);
        let mut commit = Commit {
            recorded_at: Timestamp::from_nanos(recorded_at),
            commands: Vec::new(),
            entries: Vec::new(),
        };
        let mut known: Vec<Known> = Vec::new();
        for _ in 0..1 + dice.below(3) {
            let of = dice.below(SCOPES);
            let (stream, mut revision) = (stream(of), Revision::ZERO);
            let mut id = [0; 16];
            self.entropy
                .fill(&mut id)
                .map_err(|error| error.to_string())?;
            let command = CommandId::from_bytes(id);
            let mut entries = 0;
            for _ in 0..1 + dice.below(3) {
                let all = [before, known.as_slice()].concat();
                let at = recorded_at + commit.entries.len() as u64;
                let made = self.event(dice, (of, stream), (command, at), &all)?;
                // Whoever was erased gets no more events.
                let Some((entry, more)) = made else { break };
                revision = Entry::decode(&more.entry).map_or(revision, |it| it.revision);
                commit.entries.push(entry);
                known.push(more);
                entries += 1;
            }
            commit.commands.push(CommandRecord {
                id: command,
                digest: id,
                stream,
                revision,
                entries,
            });
        }
        // So late that each command could be a commit of its own.
        let last = (commit.entries.len() + commit.commands.len()) as u64;
        place.position = place.position.plus(commit.entries.len() as u64);
        place.recorded_at = Timestamp::from_nanos(recorded_at + last);
        Ok((commit, known))
    }

    fn event(
        &mut self,
        dice: &mut Dice,
        (of, stream): (u64, StreamId),
        (command, at): (CommandId, u64),
        before: &[Known],
    ) -> Result<Option<(NewEntry, Known)>, Stop> {
        let process = self.process.as_ref().ok_or(Stop::Ended)?;
        let at = Timestamp::from_nanos(at);
        let key = match process.keys.active_or_new(scope(of), at, &self.entropy) {
            Ok(key) => key,
            Err(KeyStoreError::Destroyed) => return Ok(None),
            Err(error) => return Err(self.failed("there is no key", error)),
        };
        let mut plain = vec![b'a'; dice.below(900) as usize];
        dice.fill(&mut plain);
        let mut nonce = [0; 24];
        dice.fill(&mut nonce);
        let (back, previous) = match self.model.last_of(of, before) {
            Some((at, entry)) => (Position::new(at), Some(entry)),
            None => (Position::ZERO, None),
        };
        let revision = previous.and_then(|entry| Entry::decode(&entry).ok());
        let revision = revision.map_or(Revision::ZERO, |entry| entry.revision);
        let event_key = key.new_event_key(stream, revision.next(), &nonce);
        let mut entry = Entry {
            stream,
            revision: revision.next(),
            previous_link: previous.map_or([0; 32], |entry| link(&entry)),
            event_type: 0x0601,
            schema: 1,
            command,
            actor: Actor::System(SystemId::from_bytes([2; 16])),
            on_behalf_of: None,
            recorded_at: at,
            key: key.id,
            key_commitment: commitment(&event_key),
            nonce,
            sealed_len: (plain.len() + 16) as u32,
            sealed_hash: [0; 32],
        };
        let bytes = entry.encode();
        let prefix = planledger_core::entry::prefix(&bytes);
        let sealed = seal(&event_key, &nonce, prefix, &plain).map_err(|it| it.to_string())?;
        entry.sealed_hash = planledger_core::entry::sealed_hash(&sealed);
        let entry = entry.encode();
        let known = Known {
            entry,
            sealed: sealed.clone(),
            plain,
            of,
            fate: Fate::Stands,
        };
        Ok(Some((NewEntry::new(back, entry, sealed), known)))
    }

    fn redact(&mut self, mut dice: Dice) -> Result<(), Stop> {
        let at = dice.below(self.model.position()) as usize;
        if self.model.position() == 0 {
            return Ok(());
        }
        let process = self.process()?;
        // It was shown to somebody before.
        self.model.readable(process, at)?;
        let redacted = process.log.redact(Position::new(at as u64 + 1));
        let fate = match redacted {
            Ok(()) => Fate::Destroyed,
            Err(_) => Fate::Doubted,
        };
        if let Some(known) = self.model.events.get_mut(at)
            && known.fate != Fate::Destroyed
        {
            known.fate = fate;
        }
        redacted.map_err(|error| self.failed("a text is not redacted", error))?;
        self.model.readable(self.process()?, at)?;
        Ok(())
    }

    fn destroy(&mut self, mut dice: Dice) -> Result<(), Stop> {
        // Nobody but a person can be erased.
        let of = 2 + dice.below(SCOPES - 2);
        if self.model.keys.get(&of) != Some(&Fate::Stands) {
            return Ok(());
        }
        let destroyed = self.process()?.keys.destroy(scope(of));
        let fate = match destroyed {
            Ok(_) => Fate::Destroyed,
            Err(_) => Fate::Doubted,
        };
        self.model.keys.insert(of, fate);
        destroyed.map_err(|error| self.failed("a key is not destroyed", error))?;
        Ok(())
    }

    fn checkpoint(&mut self, mut dice: Dice) -> Result<(), Stop> {
        let newest = self.model.kept.keys().next_back().copied();
        let mut size = self.model.position();
        if self.bug.habit() == Some(Habit::ChecksInAdvance) {
            size += 1;
        }
        if size == 0 {
            return Ok(());
        }
        let signed = match newest.filter(|newest| *newest == size) {
            // Another signature, as of a witness.
            Some(size) => {
                let note = self.model.kept.get(&size).cloned().unwrap_or_default();
                let signed = SignedCheckpoint::parse(note.as_bytes());
                let mut signed = signed.map_err(|error| error.to_string())?;
                let witness = signer(2 + dice.below(40) as u8)?;
                let signature =
                    witness.sign(&signed.checkpoint.text(), Timestamp::from_nanos(START));
                signed.note.add(signature);
                signed
            }
            None => {
                let checkpoint = Checkpoint {
                    origin: "simulated.example/log".to_owned(),
                    size,
                    root: self.model.root(size),
                };
                let now = Timestamp::from_nanos(self.clock);
                SignedCheckpoint::sign(checkpoint, &signer(1)?, now)
            }
        };
        let note = signed.note.to_string();
        let kept = self.process.as_mut().and_then(|it| it.kept.as_mut());
        let Some(kept) = kept else { return Ok(()) };
        match kept.keep(&signed) {
            Ok(()) => {
                self.model.kept.insert(size, note);
                Ok(())
            }
            Err(error) => {
                self.model.doubted_note = Some((size, note));
                Err(self.failed("a checkpoint is not kept", error))
            }
        }
    }
}

/// Whose stream a number stands for.
fn stream(of: u64) -> StreamId {
    let mut id = [0x51; 16];
    if let Some(last) = id.last_mut() {
        *last = of as u8;
    }
    planledger_core::ids::PlanId::from_bytes(id).into()
}
