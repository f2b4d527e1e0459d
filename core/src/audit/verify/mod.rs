//! Checks a bundle, and needs only the bundle and the policy that says whom to believe. It reads
//! the bundle once, line by line.

mod acts;
mod checking;
mod events;
mod heads;
mod keys;
mod records;
mod report;

use std::io::{BufRead, Read};

pub(crate) use self::checking::Placed;
use self::checking::{Checking, Version, cut_off, format_fault};
pub(crate) use self::events::open;
use self::records::Records;
pub use self::report::{BundleFault, HeadsChecked, ProvedAct, Report, StreamReport, VerifyOptions};
use super::bundle::{Line, Scope};
use super::fault::{Fault, FaultKind};
use crate::domain::Event;
use crate::ids::Position;
use crate::ledger::RecordedEvent;

/// The longest line, in bytes. A line holds one event at most, and a payload has 16 MiB at most.
const MOST_LINE: u64 = 32 << 20;

/// Checks a bundle. Calls `seen` in order with every event in scope that could be opened. What
/// `seen` gets is proved only if this function returns a report.
///
/// # Errors
/// [`BundleFault`]: the first fault. It may be that the bundle cannot be read.
pub fn verify_bundle(
    bundle: &mut dyn BufRead,
    options: &VerifyOptions,
    seen: &mut dyn FnMut(&RecordedEvent, &Event),
) -> Result<Report, BundleFault> {
    let mut number = 0;
    let mut line = Vec::new();
    let mut checking: Option<Checking<'_>> = None;
    loop {
        number += 1;
        let at = |fault| BundleFault {
            line: number,
            fault,
        };
        let read = next_line(bundle, &mut line).map_err(|what| at(format_fault(what)))?;
        if !read {
            return Err(at(cut_off()));
        }
        let parsed = Line::parse(&line).map_err(|error| {
            let (column, line) = (error.column(), "this is not a line of a bundle");
            at(format_fault(format!("{line}: column {column}")))
        })?;
        match (&mut checking, parsed) {
            (None, Line::Header(header)) => {
                checking = Some(Checking::new(*header, options).map_err(at)?);
            }
            (None, _) => return Err(at(format_fault("the first line is not a header"))),
            (Some(checking), Line::End(end)) => {
                let report = checking.finish(end.events).map_err(at)?;
                number += 1;
                let fault = match bundle.take(1).read_to_end(&mut line) {
                    Ok(0) => return Ok(report),
                    Ok(_) => format_fault("the file goes on after the last line of the bundle"),
                    Err(error) => format_fault(unread(&error)),
                };
                return Err(BundleFault {
                    line: number,
                    fault,
                });
            }
            (Some(checking), parsed) => checking.take(parsed, seen).map_err(at)?,
        }
    }
}

pub(super) fn next_line(bundle: &mut dyn BufRead, line: &mut Vec<u8>) -> Result<bool, String> {
    line.clear();
    let read = bundle.take(MOST_LINE).read_until(b'\n', line);
    let read = read.map_err(|error| unread(&error))?;
    match line.pop() {
        None => Ok(false),
        Some(b'\n') => Ok(true),
        Some(_) if read as u64 == MOST_LINE => Err("the line is too long".to_owned()),
        // A line without its newline was cut off while it was written.
        Some(_) => Ok(false),
    }
}

fn unread(error: &std::io::Error) -> String {
    format!("the bundle cannot be read: {error}")
}

impl Checking<'_> {
    fn take(
        &mut self,
        line: Line,
        seen: &mut dyn FnMut(&RecordedEvent, &Event),
    ) -> Result<(), Fault> {
        let stage = match &line {
            Line::Header(_) | Line::Ledger(_) => 0,
            Line::Heads(_) => 1,
            Line::Act(_) => 2,
            Line::Event(_) | Line::End(_) => 3,
        };
        if stage < self.stage {
            return Err(format_fault("the line is in the wrong place"));
        }
        self.stage = stage;
        match line {
            Line::Header(_) => Err(format_fault("the bundle has two headers")),
            Line::Ledger(event) => self.take_ledger(&event),
            Line::Heads(heads) => {
                self.vouch()?;
                self.take_heads(heads)
            }
            Line::Act(_) if self.version == Version::One => {
                Err(format_fault("a bundle of this version has no such line"))
            }
            Line::Act(event) => {
                self.vouch()?;
                self.take_act(&event)
            }
            Line::Event(event) => {
                self.vouch()?;
                self.take_event(&event, seen)
            }
            Line::End(_) => Err(cut_off()),
        }
    }

    fn finish(&mut self, events: u64) -> Result<Report, Fault> {
        self.vouch()?;
        let (Some(witnessed), Some((recorded, as_of))) = (self.witnessed.clone(), self.recorded)
        else {
            return Err(cut_off());
        };
        if events != self.events || events == 0 {
            let what = format!(
                "the bundle has {} events in scope, but its last line says {events}",
                self.events
            );
            return Err(Fault::new(Position::ZERO, FaultKind::Missing, what));
        }
        self.check_growth()?;
        let streams = match self.header.scope {
            Scope::Range { .. } => Vec::new(),
            Scope::Plan(_) | Scope::Student(_) => self.check_heads(recorded.through)?,
        };
        Ok(Report {
            ledger: self.header.ledger,
            scope: self.header.scope,
            disclosure: self.header.disclosure,
            checkpoint: self.signed.checkpoint.clone(),
            witnessed,
            as_of,
            heads_through: recorded.through,
            heads: self
                .records
                .as_ref()
                .map_or(HeadsChecked::Believed, Records::heads),
            since: self.since,
            events,
            opened: self.opened,
            redacted: self.redacted,
            erased: self.erased,
            acts: self.acts.proved(),
            recorded: self.first.zip(self.last),
            streams,
            stream_count: self.chains.streams().len() as u64,
        })
    }
}
