//! The whole ledger over a simulated journal: decisions, sealing, derived state, receipts, reads.
//!
//! The journal is on the machine in memory. Keys and derived state are in a real folder. Keys lose nothing
//! there; what becomes of derived state is chosen at each crash: it stays as a clean stop leaves it, or it
//! is as it was at some earlier moment of this or an earlier process, copied file by file while sled was
//! writing, or it is gone. The journal, the clock and all randomness follow from the seed; how the ledger's
//! threads take turns does not. There is one request at a time, so the operations on the journal come in
//! the same order all the same.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use planledger_core::domain::Aggregate;
use planledger_core::domain::view::{Viewer, plan_view};
use planledger_core::ids::{CommandId, Position};
use planledger_core::journal::{OpenError, SegmentLog, SegmentOptions};
use planledger_core::ledger::{
    Envelope, EventFilter, ExecuteError, Ledger, Options, Passed, Receipt,
};
use planledger_core::seal::MasterKey;
use planledger_core::time::{Clock, Timestamp};

use crate::dice::Dice;
use crate::disk::{Cut, Fault, JOURNAL, Machine, Planned};
use crate::model::Wrong;
use crate::process::{LEDGER, START, Seeded};
use crate::run::Played;
use crate::school::{ACTOR, STUDENTS, foundation, name, plan, status, student};

const SEGMENT_BYTES: u64 = 8_000;
const MINUTE: u64 = 60_000_000_000;

/// A clock that shows what it was set to.
struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.fetch_add(1_000_000, Ordering::Relaxed))
    }
}

/// What was asked as one, and its receipts once there are any.
#[derive(Clone)]
struct Asked {
    envelopes: Vec<Envelope>,
    /// Whose status or name each of them writes, and what.
    written: Vec<Option<(bool, u8, String)>>,
    receipts: Option<Vec<Receipt>>,
}

enum Stop {
    Ended,
    Wrong(Wrong),
}

impl From<Wrong> for Stop {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

struct Story {
    machine: Machine,
    place: PathBuf,
    /// A copy of derived state as it was at an earlier moment, beside it.
    copy: PathBuf,
    clock: Arc<SetClock>,
    entropy: Arc<Seeded>,
    asked: Vec<Asked>,
    dice: Dice,
    played: Played,
    numbers: u64,
}

/// Plays a seed. The error says what is wrong.
pub(crate) fn play_ledger(seed: u64) -> (Played, Result<(), Wrong>) {
    let shared = Path::new("/dev/shm");
    let dir = match shared.is_dir() {
        true => tempfile::tempdir_in(shared),
        false => tempfile::tempdir(),
    };
    let dir = match dir {
        Ok(dir) => dir,
        Err(error) => return (Played::default(), Err(format!("no folder: {error}"))),
    };
    let mut story = Story {
        machine: Machine::new(None),
        place: dir.path().join("ledger"),
        copy: dir.path().join("copy"),
        clock: Arc::new(SetClock(AtomicU64::new(START))),
        entropy: Arc::new(Seeded::new(seed)),
        asked: Vec::new(),
        dice: Dice::new(seed ^ 0x1ED6_E200),
        played: Played::default(),
        numbers: 0,
    };
    let went = story.all();
    story.played.counts = story.machine.counts();
    (story.played, went)
}

impl Story {
    fn all(&mut self) -> Result<(), Wrong> {
        for _ in 0..3 + self.dice.below(6) {
            self.life()?;
        }
        self.machine.plan(Vec::new(), None);
        match self.open().and_then(|ledger| self.holds(&ledger)) {
            Ok(()) => Ok(()),
            Err(Stop::Wrong(wrong)) => Err(wrong),
            Err(Stop::Ended) => Err("a sound machine does not come up".to_owned()),
        }
    }

    fn life(&mut self) -> Result<(), Wrong> {
        let mut faults = Vec::new();
        if !self.dice.once_in(4) {
            faults.push(Fault::Kill);
        }
        while self.dice.once_in(3) {
            faults.push(match self.dice.below(8) {
                0..4 => Fault::Io,
                4 => Fault::NoSpace,
                5 => Fault::NoHandles,
                6 => Fault::Short,
                _ => Fault::Interrupted,
            });
        }
        let planned = faults.into_iter().map(|fault| Planned {
            from: self.dice.below(160),
            fault,
            seed: self.dice.roll(),
        });
        let planned = planned.collect();
        let space = self.dice.once_in(12).then(|| self.dice.below(20_000));
        self.machine.plan(planned, space);
        let lived = self.open().and_then(|ledger| {
            let lived = self.work(&ledger);
            // As a kill leaves it: before anything is stored on the way out.
            if self.dice.once_in(2) {
                self.keep_copy()?;
            }
            lived
        });
        if let Err(Stop::Wrong(wrong)) = lived {
            return Err(wrong);
        }
        self.end().map_err(|error| format!("the folder: {error}"))
    }

    /// The process ends, and with it what was not stored.
    fn end(&mut self) -> io::Result<()> {
        let derived = self.place.join("derived");
        match self.dice.below(6) {
            0 => remove(&derived)?,
            1..4 if self.copy.is_dir() => {
                remove(&derived)?;
                copy(&self.copy, &derived)?;
            }
            _ => {}
        }
        match self.dice.below(8) {
            0 => self.machine.cut(Cut::LosesAll, &mut self.dice),
            1 => self.machine.cut(Cut::KeepsAll, &mut self.dice),
            2 => self.machine.cut(Cut::Order, &mut self.dice),
            3..6 => self.machine.cut(Cut::Sectors, &mut self.dice),
            _ => self.machine.restart(),
        }
        Ok(())
    }

    fn keep_copy(&self) -> Result<(), Wrong> {
        let kept = remove(&self.copy).and_then(|()| copy(&self.place.join("derived"), &self.copy));
        kept.map_err(|error| format!("the folder: {error}"))
    }

    fn open(&mut self) -> Result<Ledger, Stop> {
        let how = SegmentOptions {
            segment_bytes: SEGMENT_BYTES,
            ..SegmentOptions::default()
        };
        let disk = || Arc::new(self.machine.folder(JOURNAL));
        let log = match SegmentLog::open(disk(), how) {
            Err(OpenError::Empty) => {
                SegmentLog::create(disk(), LEDGER, Timestamp::from_nanos(START), how)
            }
            opened => opened,
        };
        let log = log.map_err(|error| self.failed("the journal does not open", error))?;
        let options = Options {
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            ..Options::new(
                &self.place,
                MasterKey::from_bytes([7; 32]),
                || Timestamp::from_nanos(START),
                no_bytes,
            )
        };
        let opened = Ledger::open_on(options, Arc::new(log));
        opened.map_err(|error| self.failed("the ledger does not open", error))
    }

    fn failed(&self, what: &str, error: impl std::fmt::Display) -> Stop {
        match self.machine.is_faulted() {
            true => Stop::Ended,
            false => Stop::Wrong(format!("{what}: {error}")),
        }
    }

    fn work(&mut self, ledger: &Ledger) -> Result<(), Stop> {
        self.holds(ledger)?;
        if self.asked.is_empty() {
            let commands = foundation().map_err(|error| error.to_string())?;
            let written = commands.iter().map(|_| None).collect();
            self.ask(ledger, commands, written)?;
        }
        for _ in 0..self.dice.below(10) {
            match self.dice.below(10) {
                0 => self.jump(),
                1 => self.reads(ledger)?,
                2 => ledger.settle(),
                3 if self.dice.once_in(2) => self.keep_copy()?,
                _ => self.ask_something(ledger)?,
            }
        }
        Ok(())
    }

    fn jump(&mut self) {
        let far = self.dice.below(60 * 24 * 400) * MINUTE;
        match self.dice.once_in(2) {
            true => self.clock.0.fetch_add(far, Ordering::Relaxed),
            false => self.clock.0.fetch_sub(far, Ordering::Relaxed),
        };
    }

    fn ask_something(&mut self, ledger: &Ledger) -> Result<(), Stop> {
        let (mut commands, mut written) = (Vec::new(), Vec::new());
        for _ in 0..1 + self.dice.below(3) {
            let of = self.dice.below(u64::from(STUDENTS)) as u8;
            self.numbers += 1;
            let (is_status, text) = match self.dice.once_in(4) {
                true => (false, format!("Elev {}", self.numbers)),
                false => (true, format!("Læser flydende, trin {}", self.numbers)),
            };
            let command = match is_status {
                true => status(of, &text),
                false => name(of, &text),
            };
            commands.push(command.map_err(|error| error.to_string())?);
            written.push(Some((is_status, of, text)));
        }
        self.ask(ledger, commands, written)
    }

    fn ask(
        &mut self,
        ledger: &Ledger,
        commands: Vec<planledger_core::domain::Command>,
        written: Vec<Option<(bool, u8, String)>>,
    ) -> Result<(), Stop> {
        let envelopes = commands.into_iter().map(|command| {
            let mut id = [0; 16];
            self.dice.fill(&mut id);
            Envelope::new(CommandId::from_bytes(id), command)
        });
        let envelopes: Vec<_> = envelopes.collect();
        self.asked.push(Asked {
            envelopes: envelopes.clone(),
            written,
            receipts: None,
        });
        match ledger.execute_batch(ACTOR, envelopes) {
            Ok(receipts) => {
                if let Some(last) = self.asked.last_mut() {
                    last.receipts = Some(receipts);
                }
                Ok(())
            }
            Err(error @ (ExecuteError::WriterStopped(_) | ExecuteError::Waiting(_))) => {
                Err(self.failed("a command", error))
            }
            Err(error) => Err(Stop::Wrong(format!("a command is refused: {error}"))),
        }
    }

    /// Everything that was asked is asked again: what was receipted gives the same receipts; of what was not
    /// all or nothing had been done. Then everything is read.
    fn holds(&mut self, ledger: &Ledger) -> Result<(), Stop> {
        for at in 0..self.asked.len() {
            let Some(asked) = self.asked.get(at).cloned() else {
                continue;
            };
            let receipts = match ledger.execute_batch(ACTOR, asked.envelopes) {
                Ok(receipts) => receipts,
                Err(error @ (ExecuteError::WriterStopped(_) | ExecuteError::Waiting(_))) => {
                    return Err(self.failed("a command that was sent again", error));
                }
                Err(error) => {
                    return Err(Stop::Wrong(format!("sent again it is refused: {error}")));
                }
            };
            let replayed = receipts.iter().filter(|receipt| receipt.replayed).count();
            let bare = |receipts: &[Receipt]| {
                let bare = receipts.iter().map(|receipt| Receipt {
                    replayed: false,
                    kept: Vec::new(),
                    dropped: Vec::new(),
                    ..receipt.clone()
                });
                bare.collect::<Vec<_>>()
            };
            let all = receipts.len();
            match &asked.receipts {
                Some(first) if replayed != all || bare(first) != bare(&receipts) => {
                    return Err(Stop::Wrong(format!(
                        "a receipt was {first:?} and is {receipts:?}"
                    )));
                }
                None if replayed != 0 && replayed != all => {
                    return Err(Stop::Wrong(format!(
                        "of {all} commands {replayed} were there"
                    )));
                }
                Some(_) | None => {}
            }
            if let Some(asked) = self.asked.get_mut(at)
                && asked.receipts.is_none()
            {
                asked.receipts = Some(bare(&receipts));
            }
        }
        self.played.checks += 1;
        self.reads(ledger)
    }

    /// What plans and people have to be, now and at an earlier position, read off the receipts.
    fn reads(&mut self, ledger: &Ledger) -> Result<(), Stop> {
        let receipts = self
            .asked
            .iter()
            .filter_map(|asked| asked.receipts.as_ref());
        let receipts: Vec<_> = receipts.flatten().cloned().collect();
        let events: u64 = receipts.iter().map(|it| u64::from(it.events)).sum();
        let now = ledger.position().get();
        if now != events {
            return Err(Stop::Wrong(format!(
                "{events} events are receipted, and {now} are there"
            )));
        }
        let earlier = receipts.get(self.dice.below(receipts.len() as u64) as usize);
        let earlier = earlier.map_or(0, |receipt| receipt.position.get());
        for position in [now, earlier] {
            for of in 0..STUDENTS {
                self.read(ledger, of, position)?;
            }
        }
        let mut count = 0;
        for passed in ledger.events(Position::ZERO, EventFilter::default()) {
            match passed {
                Ok(Passed::Event(_)) => count += 1,
                Ok(Passed::Through(_)) => {}
                Err(error) => return Err(self.failed("events", error)),
            }
        }
        match count == now {
            true => Ok(()),
            false => Err(Stop::Wrong(format!("{count} events are read, not {now}"))),
        }
    }

    fn read(&self, ledger: &Ledger, of: u8, position: u64) -> Result<(), Stop> {
        if position == 0 {
            return Ok(());
        }
        let last = |wanted: bool| {
            let asked = self.asked.iter().filter_map(|asked| {
                let receipts = asked.receipts.as_ref()?;
                Some(asked.written.iter().zip(receipts))
            });
            let mut written = asked.flatten().filter_map(|(written, receipt)| {
                let (is_status, whose, text) = written.as_ref()?;
                let is_it = *is_status == wanted && *whose == of;
                (is_it && receipt.position.get() <= position).then(|| text.clone())
            });
            written.next_back()
        };
        let at = Position::new(position);
        let shown = ledger.read_at(at, |at| {
            let view = plan_view(at, plan(of), Viewer::Staff)?;
            let person = at.stream(student(of))?;
            Ok::<_, planledger_core::ledger::ReadError>((view, person))
        });
        let (view, person) = match shown {
            Ok((shown, _)) => shown,
            Err(error) => return Err(self.failed("a plan", error)),
        };
        let status = view.and_then(|view| Some(view.status?.text.to_string()));
        if status != last(true) {
            let what = format!("at {position} a plan says {status:?}, not {:?}", last(true));
            return Err(Stop::Wrong(what));
        }
        let name = person.and_then(|(state, _)| match &*state {
            Aggregate::Person(person) => Some(person.name.to_string()),
            _ => None,
        });
        let expected = last(false);
        if expected.is_some() && name != expected {
            let what = format!("at {position} somebody is called {name:?}, not {expected:?}");
            return Err(Stop::Wrong(what));
        }
        Ok(())
    }
}

/// Stands for randomness until the story's own takes its place.
fn no_bytes(_: &mut [u8]) -> io::Result<()> {
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Copies a folder whose files may change meanwhile.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    fs::create_dir_all(to)?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let copied = match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target),
            false => fs::copy(entry.path(), target).map(drop),
        };
        match copied {
            // Taken away in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}
