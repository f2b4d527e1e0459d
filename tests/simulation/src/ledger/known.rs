//! What was asked of a ledger and what it showed, and what follows from that for everything it shows later.

use std::time::Duration;

use planledger_core::domain::view::{Viewer, plan_view};
use planledger_core::domain::{Aggregate, Command};
use planledger_core::ids::{CommandId, Position};
use planledger_core::ledger::{
    Envelope, EventFilter, ExecuteError, Ledger, Passed, ReadError, Reading, Receipt,
};
use planledger_core::turns::sleep;

use super::Stop;
use crate::dice::Dice;
use crate::disk::Machine;
use crate::school::{ACTOR, STUDENTS, name, plan, status, student};

/// What a command writes: whether it is a status or a name, of which student, and what.
type Written = Option<(bool, u8, String)>;

/// What was asked as one, and its receipts once there are any.
#[derive(Clone)]
struct Asked {
    envelopes: Vec<Envelope>,
    written: Vec<Written>,
    receipts: Option<Vec<Receipt>>,
}

/// What somebody was shown of a student.
struct Seen {
    position: Position,
    of: u8,
    status: Option<String>,
    name: Option<String>,
}

/// Everything that a client knows.
pub(super) struct Known {
    machine: Machine,
    asked: Vec<Asked>,
    /// What was shown since everything was compared.
    seen: Vec<Seen>,
}

/// Receipts as they are however often a command was sent.
fn bare(receipts: &[Receipt]) -> Vec<Receipt> {
    let bare = receipts.iter().map(|receipt| Receipt {
        replayed: false,
        kept: Vec::new(),
        dropped: Vec::new(),
        ..receipt.clone()
    });
    bare.collect()
}

impl Known {
    pub(super) fn new(machine: &Machine) -> Self {
        Self {
            machine: machine.clone(),
            asked: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// Takes over what another client knows.
    pub(super) fn learn(&mut self, other: Self) {
        self.asked.extend(other.asked);
        self.seen.extend(other.seen);
    }

    pub(super) fn is_new(&self) -> bool {
        self.asked.is_empty()
    }

    /// What fails may fail only if a fault has come; the process ends then.
    pub(super) fn failed(&self, what: &str, error: impl std::fmt::Display) -> Stop {
        match self.machine.is_faulted() {
            true => Stop::Ended,
            false => Stop::Wrong(format!("{what}: {error}")),
        }
    }

    /// Asks for a few commands as one.
    pub(super) fn ask_something(&mut self, ledger: &Ledger, dice: &mut Dice) -> Result<(), Stop> {
        let (mut commands, mut written) = (Vec::new(), Vec::new());
        for _ in 0..1 + dice.below(3) {
            let of = dice.below(u64::from(STUDENTS)) as u8;
            let number = dice.roll();
            let (is_status, text) = match dice.once_in(4) {
                true => (false, format!("Elev {number}")),
                false => (true, format!("Læser flydende, trin {number}")),
            };
            let command = match is_status {
                true => status(of, &text),
                false => name(of, &text),
            };
            commands.push(command.map_err(|error| error.to_string())?);
            written.push(Some((is_status, of, text)));
        }
        self.ask(ledger, commands, written, dice)
    }

    /// Asks for commands as one.
    pub(super) fn ask(
        &mut self,
        ledger: &Ledger,
        commands: Vec<Command>,
        written: Vec<Written>,
        dice: &mut Dice,
    ) -> Result<(), Stop> {
        let envelopes = commands.into_iter().map(|command| {
            let mut id = [0; 16];
            dice.fill(&mut id);
            Envelope::new(CommandId::from_bytes(id), command)
        });
        let envelopes: Vec<_> = envelopes.collect();
        self.asked.push(Asked {
            envelopes: envelopes.clone(),
            written,
            receipts: None,
        });
        let receipts = match execute(ledger, &envelopes) {
            Ok(receipts) => receipts,
            Err(
                error @ (ExecuteError::WriterStopped(_)
                | ExecuteError::Waiting(_)
                | ExecuteError::NotReady(_)),
            ) => {
                return Err(self.failed("a command", error));
            }
            Err(error) => return Err(Stop::Wrong(format!("a command is refused: {error}"))),
        };
        let newest = receipts.iter().map(|receipt| receipt.position).max();
        if let Some(last) = self.asked.last_mut() {
            last.receipts = Some(receipts);
        }
        match newest {
            // Whoever has a receipt sees what it is for.
            Some(newest) if ledger.position() < newest => {
                let now = ledger.position();
                Err(Stop::Wrong(format!("{newest} is receipted at {now}")))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Looks at a student, now or at an earlier position, and remembers what was shown.
    pub(super) fn look(&mut self, ledger: &Ledger, dice: &mut Dice) -> Result<(), Stop> {
        let of = dice.below(u64::from(STUDENTS)) as u8;
        // Not between two events of one command.
        let receipts = self
            .asked
            .iter()
            .filter_map(|asked| asked.receipts.as_ref());
        let ends: Vec<_> = receipts.flatten().map(|receipt| receipt.position).collect();
        let at = ends.get(dice.below(2 * ends.len() as u64) as usize);
        let looked = read(ledger, at.copied(), of);
        let ((status, name), position) =
            looked.map_err(|error| self.failed("a plan that is looked at", error))?;
        self.seen.push(Seen {
            position,
            of,
            status,
            name,
        });
        Ok(())
    }

    /// Everything that was asked is asked again: what was receipted gives the same receipts; of what was not
    /// all or nothing had been done. Then everything is read.
    pub(super) fn holds(&mut self, ledger: &Ledger, dice: &mut Dice) -> Result<(), Stop> {
        for at in 0..self.asked.len() {
            let Some(asked) = self.asked.get(at).cloned() else {
                continue;
            };
            let receipts = match execute(ledger, &asked.envelopes) {
                Ok(receipts) => receipts,
                Err(
                    error @ (ExecuteError::WriterStopped(_)
                    | ExecuteError::Waiting(_)
                    | ExecuteError::NotReady(_)),
                ) => {
                    return Err(self.failed("a command that was sent again", error));
                }
                Err(error) => {
                    return Err(Stop::Wrong(format!("sent again it is refused: {error}")));
                }
            };
            let replayed = receipts.iter().filter(|receipt| receipt.replayed).count();
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
        self.reads(ledger, dice)
    }

    /// What plans and people have to be, now and at an earlier position, read off the receipts; and what
    /// anybody was shown before.
    pub(super) fn reads(&mut self, ledger: &Ledger, dice: &mut Dice) -> Result<(), Stop> {
        let receipts = self
            .asked
            .iter()
            .filter_map(|asked| asked.receipts.as_ref());
        let receipts: Vec<_> = receipts.flatten().cloned().collect();
        let events: u64 = receipts.iter().map(|it| u64::from(it.events)).sum();
        let now = ledger.position();
        if now.get() != events {
            return Err(Stop::Wrong(format!(
                "{events} events are receipted, and {now} are there"
            )));
        }
        let earlier = receipts.get(dice.below(receipts.len() as u64) as usize);
        let earlier = earlier.map_or(Position::ZERO, |receipt| receipt.position);
        for position in [now, earlier] {
            for of in 0..STUDENTS {
                if position == Position::ZERO {
                    continue;
                }
                let read = read(ledger, Some(position), of);
                let ((status, name), _) = read.map_err(|error| self.failed("a plan", error))?;
                self.seen.push(Seen {
                    position,
                    of,
                    status,
                    name,
                });
            }
        }
        for seen in std::mem::take(&mut self.seen) {
            if seen.position > now {
                let at = seen.position;
                return Err(Stop::Wrong(format!("{at} was shown, and {now} are there")));
            }
            self.is_right(&seen)?;
        }
        let mut count = 0;
        for passed in ledger.events(Position::ZERO, EventFilter::default()) {
            match passed {
                Ok(Passed::Event(_)) => count += 1,
                Ok(Passed::Through(_)) => {}
                Err(error) => return Err(self.failed("events", error)),
            }
        }
        match count == now.get() {
            true => Ok(()),
            false => Err(Stop::Wrong(format!("{count} events are read, not {now}"))),
        }
    }

    /// What was written last of a student at a position.
    fn last(&self, of: u8, at: Position, is_status: bool) -> Option<&str> {
        let asked = self.asked.iter().filter_map(|asked| {
            let receipts = asked.receipts.as_ref()?;
            Some(asked.written.iter().zip(receipts))
        });
        let written = asked.flatten().filter_map(|(written, receipt)| {
            let (what, whose, text) = written.as_ref()?;
            let is_it = *what == is_status && *whose == of && receipt.position <= at;
            is_it.then_some((receipt.position, text))
        });
        written
            .max_by_key(|(position, _)| *position)
            .map(|(_, text)| text.as_str())
    }

    fn is_right(&self, seen: &Seen) -> Result<(), Stop> {
        let Seen {
            position,
            of,
            status,
            name,
        } = seen;
        let expected = self.last(*of, *position, true);
        if status.as_deref() != expected {
            return Err(Stop::Wrong(format!(
                "at {position} a plan says {status:?}, not {expected:?}"
            )));
        }
        let expected = self.last(*of, *position, false);
        if expected.is_some() && name.as_deref() != expected {
            return Err(Stop::Wrong(format!(
                "at {position} somebody is called {name:?}, not {expected:?}"
            )));
        }
        Ok(())
    }
}

/// How often somebody tries again while derived state is made again.
const TRIES: u32 = 1_000;
/// How long somebody waits in between.
const PAUSE: Duration = Duration::from_millis(50);

/// Asks for commands as one, again and again while derived state is made again.
fn execute(ledger: &Ledger, envelopes: &[Envelope]) -> Result<Vec<Receipt>, ExecuteError> {
    let mut tries = 0;
    loop {
        match ledger.execute_batch(ACTOR, envelopes.to_vec()) {
            Err(ExecuteError::NotReady(_)) if tries < TRIES => tries += 1,
            came => return came,
        }
        sleep(PAUSE);
    }
}

/// The status and the name of a student.
type Shown = (Option<String>, Option<String>);

/// What a student is like at a position, or now; asked again and again while derived state is made again.
fn read(ledger: &Ledger, at: Option<Position>, of: u8) -> Result<(Shown, Position), ReadError> {
    let mut tries = 0;
    loop {
        let read = match at {
            Some(position) => ledger.read_at(position, |at| shown(at, of)),
            None => ledger.read(|at| shown(at, of)),
        };
        match read {
            Err(ReadError::Derived(_)) if tries < TRIES => tries += 1,
            came => return came,
        }
        sleep(PAUSE);
    }
}

fn shown(at: &Reading<'_>, of: u8) -> Result<Shown, ReadError> {
    let view = plan_view(at, plan(of), Viewer::Staff)?;
    let person = at.stream(student(of))?;
    let status = view.and_then(|view| Some(view.status?.text.to_string()));
    let name = person.and_then(|(state, _)| match &*state {
        Aggregate::Person(person) => Some(person.name.to_string()),
        _ => None,
    });
    Ok((status, name))
}
