//! An export as a source.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

use super::error::{CarryError, LineFault, at};
use super::look::{Known, look};
use super::making::{Kept, make};
use super::report::Carried;
use super::{NewLedger, Source, Taken, lines};
use crate::doctor::EndLine;
use crate::hex;
use crate::ids::{KeyId, LedgerId, Position};
use crate::seal::KeyScope;
use crate::tlog::SignedCheckpoint;

/// Carries the events of an export over.
pub struct Import<'a> {
    /// The export: version 2 of the form.
    pub file: &'a Path,
    /// Whether it goes on without the events that are missing in the export.
    pub accept_missing: bool,
    /// The new ledger.
    pub into: NewLedger,
    /// Called now and then with the last position that was read. Everything is read twice.
    pub watch: &'a dyn Fn(u64),
}

impl Import<'_> {
    /// Makes the new ledger.
    ///
    /// # Errors
    /// [`CarryError`]. Then there is no new ledger.
    pub fn run(self) -> Result<Carried, CarryError> {
        let mut source = Export::open(self.file, self.watch)?;
        let size = source
            .checkpoint
            .as_ref()
            .map(|signed| signed.checkpoint.size);
        let known = look(&mut source, &BTreeSet::new(), size)?;
        source.check(&known)?;
        let named = source
            .missing
            .iter()
            .map(|(first, _)| Position::new(*first));
        let lost = known.lost.iter().map(|lost| lost.first);
        if let Some(first) = lost.chain(named).min()
            && !self.accept_missing
        {
            return Err(CarryError::Missing { first });
        }
        let kept = Kept {
            checkpoints: source.checkpoint.as_ref().map_or(Vec::new(), |signed| {
                format!("{}\n", signed.note).into_bytes()
            }),
            checkpoint: source.checkpoint.clone(),
            reached: source.last,
            open_end: source.missing.iter().any(|(_, last)| *last == u64::MAX),
            ..Kept::default()
        };
        make(&mut source, &known, kept, self.into)
    }
}

/// A file of lines.
struct Export<'a> {
    path: &'a Path,
    watch: &'a dyn Fn(u64),
    ledger: LedgerId,
    /// What the first line says is missing.
    missing: Vec<(u64, u64)>,
    /// The last position that the first line names.
    last: Position,
    checkpoint: Option<SignedCheckpoint>,
    end: Option<EndLine>,
}

impl<'a> Export<'a> {
    fn open(path: &'a Path, watch: &'a dyn Fn(u64)) -> Result<Self, CarryError> {
        let mut text = String::new();
        let mut reader = BufReader::new(File::open(path).map_err(at(path))?);
        read_line(&mut reader, &mut text, path, 1)?;
        let of_line = |fault| fault_at(path, 1, fault);
        let head = lines::head(&text).map_err(of_line)?;
        let ledger = head.ledger.parse();
        let ledger = ledger.map_err(|_| of_line(LineFault::field("ledger", "is not a UUID")))?;
        let checkpoint = head.checkpoint.as_ref().map(|note| {
            SignedCheckpoint::parse(note.as_bytes())
                .map_err(|_| of_line(LineFault::field("checkpoint", "is not a checkpoint")))
        });
        let missing = head.missing.iter();
        let missing = missing.map(|it| (it.first, it.last.unwrap_or(u64::MAX)));
        // Between events bytes can be damaged that are of none.
        let missing = missing.filter(|(first, last)| first <= last);
        Ok(Self {
            path,
            watch,
            ledger,
            missing: missing.collect(),
            last: Position::new(head.last_position),
            checkpoint: checkpoint.transpose()?,
            end: None,
        })
    }

    /// Holds the proofs of the file against its entries.
    fn check(&self, known: &Known) -> Result<(), CarryError> {
        let proof = |what: String| Err(CarryError::Proof { what });
        for lost in &known.lost {
            let (first, last) = (lost.first.get(), lost.last.get());
            let named = |(from, to): &(u64, u64)| *from <= first && last <= *to;
            if !known.unreadable.contains(&lost.first) && !self.missing.iter().any(named) {
                return proof(format!(
                    "positions {first} to {last} are neither there nor named as missing"
                ));
            }
        }
        if known.last != self.last
            && !self
                .missing
                .iter()
                .any(|(_, last)| *last >= self.last.get())
        {
            return proof(format!(
                "the first line names position {} as the last one, and the last one that is there is {}",
                self.last, known.last
            ));
        }
        let said = self.end.as_ref().and_then(|end| end.root.as_deref());
        if let (Some(root), Some(said)) = (known.root, said)
            && hex::decode(said) != Some(root)
        {
            return proof("the leaves do not lead to the root in the last line".to_owned());
        }
        let Some(signed) = &self.checkpoint else {
            return Ok(());
        };
        if signed.verify(&known.log_keys).is_err() {
            return proof("no key on record in the file has signed its checkpoint".to_owned());
        }
        match (known.root_then, known.root) {
            (Some(root), _) if root != signed.checkpoint.root => {
                proof("the leaves do not lead to the root of the checkpoint".to_owned())
            }
            (None, Some(_)) => proof("the checkpoint is of more events than there are".to_owned()),
            (Some(_), _) | (None, None) => Ok(()),
        }
    }
}

impl Source for Export<'_> {
    fn ledger(&self) -> LedgerId {
        self.ledger
    }

    fn each(
        &mut self,
        take: &mut dyn FnMut(Taken) -> Result<(), CarryError>,
    ) -> Result<(), CarryError> {
        let path = self.path;
        let mut reader = BufReader::new(File::open(path).map_err(at(path))?);
        let mut text = String::new();
        read_line(&mut reader, &mut text, path, 1)?;
        let mut scopes = Scopes::default();
        let (mut last, mut count) = (Position::ZERO, 0_u64);
        for number in 2.. {
            let of_line = |fault| fault_at(path, number, fault);
            if !read_line(&mut reader, &mut text, path, number)? {
                return Err(of_line(LineFault::CutOff));
            }
            if let Some(end) = lines::end(&text) {
                if end.end != count {
                    let what = "is not the number of events that are there";
                    return Err(of_line(LineFault::field("end", what)));
                }
                self.end = Some(end);
                return match read_line(&mut reader, &mut text, path, number + 1)? {
                    true => Err(fault_at(path, number + 1, LineFault::GoesOn)),
                    false => Ok(()),
                };
            }
            let taken = lines::event(&text).map_err(of_line)?;
            if taken.position <= last {
                let what = "does not come after the one of the line before";
                return Err(of_line(LineFault::field("position", what)));
            }
            scopes.check(&taken).map_err(of_line)?;
            last = taken.position;
            count += 1;
            (self.watch)(last.get());
            take(taken)?;
        }
        Ok(())
    }
}

/// Every key is of one scope, and every scope has one key.
#[derive(Default)]
struct Scopes {
    of: HashMap<KeyId, KeyScope>,
    keys: HashMap<KeyScope, KeyId>,
}

impl Scopes {
    fn check(&mut self, taken: &Taken) -> Result<(), LineFault> {
        let Some(scope) = taken.scope else {
            return match taken.content {
                super::Content::Gone => Ok(()),
                super::Content::Json(_) | super::Content::Redacted | super::Content::Erased => {
                    Err(LineFault::field("scope", "is missing"))
                }
            };
        };
        let key = taken.entry.key;
        let one = *self.of.entry(key).or_insert(scope) == scope;
        match one && *self.keys.entry(scope).or_insert(key) == key {
            true => Ok(()),
            false => Err(LineFault::field(
                "scope",
                "is another one than before for this key",
            )),
        }
    }
}

fn fault_at(path: &Path, line: u64, fault: LineFault) -> CarryError {
    CarryError::Line {
        path: path.to_owned(),
        line,
        fault,
    }
}

/// Reads a line without its end. Gives whether there was one.
fn read_line(
    reader: &mut impl BufRead,
    text: &mut String,
    path: &Path,
    number: u64,
) -> Result<bool, CarryError> {
    text.clear();
    let read = reader.read_line(text).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => fault_at(path, number, LineFault::NoJson(1)),
        _ => at(path)(error),
    })?;
    Ok(read > 0)
}
