//! The file of everything that was asked and receipted.
//!
//! It is appended to: a kind (one byte), a length (four, little-endian), a message. A command is
//! there before it is sent, a receipt before it counts. The system's memory is safe from what is
//! done to the server, so a write is enough; the file is synced when a run ends.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use planledger_proto::v1::{Command, Receipt};
use prost::Message;

/// A load begins.
const ROUND: u8 = 1;
/// A command that is sent by itself.
const SINGLE: u8 = 2;
/// A command that is part of the same batch as the one before, or begins one.
const BATCH: u8 = 3;
const CONTINUED: u8 = 4;
const RECEIPT: u8 = 5;

/// A command, and what came of it.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) command: Command,
    /// The place of the first command of its batch, if it is part of one.
    pub(crate) batch: Option<usize>,
    /// The first receipt that there was; it holds for ever.
    pub(crate) receipt: Option<Receipt>,
}

/// Everything that was sent and received.
#[derive(Debug)]
pub(crate) struct Kept {
    file: File,
    sent: Vec<Sent>,
    by_id: HashMap<String, usize>,
    rounds: u64,
}

impl Kept {
    /// Opens the file, or makes it.
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        let options = &mut File::options();
        let mut file = options.read(true).append(true).create(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut kept = Self {
            file,
            sent: Vec::new(),
            by_id: HashMap::new(),
            rounds: 0,
        };
        let mut rest = bytes.as_slice();
        while let Some((kind, body, after)) = record(rest) {
            kept.take_in(kind, body)?;
            rest = after;
        }
        if !rest.is_empty() {
            return Err(std::io::Error::other("it ends in the middle of a record"));
        }
        Ok(kept)
    }

    fn take_in(&mut self, kind: u8, body: &[u8]) -> std::io::Result<()> {
        match kind {
            ROUND => self.rounds += 1,
            SINGLE | BATCH | CONTINUED => {
                let last = self.sent.last().and_then(|last| last.batch);
                let batch = match kind {
                    SINGLE => None,
                    BATCH => Some(self.sent.len()),
                    _ => last,
                };
                self.insert(Command::decode(body)?, batch);
            }
            RECEIPT => self.answer(Receipt::decode(body)?),
            _ => return Err(std::io::Error::other("a record of no known kind")),
        }
        Ok(())
    }

    fn insert(&mut self, command: Command, batch: Option<usize>) {
        self.by_id
            .insert(command.command_id.clone(), self.sent.len());
        self.sent.push(Sent {
            command,
            batch,
            receipt: None,
        });
    }

    fn answer(&mut self, receipt: Receipt) {
        let place = self.by_id.get(&receipt.command_id).copied();
        let sent = place.and_then(|place| self.sent.get_mut(place));
        if let Some(sent) = sent {
            sent.receipt.get_or_insert(receipt);
        }
    }

    /// Notes that a load begins; gives its number, from 1.
    pub(crate) fn begin(&mut self) -> std::io::Result<u64> {
        self.file.write_all(&framed(ROUND, &[]))?;
        self.rounds += 1;
        Ok(self.rounds)
    }

    /// Notes commands that are about to be sent, each by itself or all as one.
    pub(crate) fn intend(&mut self, commands: &[Command], as_one: bool) -> std::io::Result<()> {
        let first = self.sent.len();
        let mut bytes = Vec::new();
        for (nth, command) in commands.iter().enumerate() {
            let kind = match (as_one, nth) {
                (false, _) => SINGLE,
                (true, 0) => BATCH,
                (true, _) => CONTINUED,
            };
            bytes.extend(framed(kind, &command.encode_to_vec()));
            self.insert(command.clone(), as_one.then_some(first));
        }
        self.file.write_all(&bytes)
    }

    /// Notes receipts. From now on they count.
    pub(crate) fn receive(&mut self, receipts: &[Receipt]) -> std::io::Result<()> {
        let records = receipts.iter();
        let records = records.flat_map(|receipt| framed(RECEIPT, &receipt.encode_to_vec()));
        self.file.write_all(&records.collect::<Vec<_>>())?;
        receipts
            .iter()
            .for_each(|receipt| self.answer(receipt.clone()));
        Ok(())
    }

    pub(crate) fn sync(&self) -> std::io::Result<()> {
        self.file.sync_data()
    }

    /// Every command in the order in which they were sent.
    pub(crate) fn sent(&self) -> &[Sent] {
        &self.sent
    }

    /// What was sent under an id.
    pub(crate) fn by_id(&self, id: &str) -> Option<&Sent> {
        self.sent.get(*self.by_id.get(id)?)
    }

    /// Commands without a receipt, in groups: whole batches, or single ones.
    pub(crate) fn pending(&self) -> Vec<Vec<Command>> {
        let mut groups: Vec<(Option<usize>, Vec<Command>)> = Vec::new();
        for sent in self.sent.iter().filter(|sent| sent.receipt.is_none()) {
            match groups.last_mut() {
                Some((batch, group)) if batch.is_some() && *batch == sent.batch => {
                    group.push(sent.command.clone());
                }
                _ => groups.push((sent.batch, vec![sent.command.clone()])),
            }
        }
        groups.into_iter().map(|(_, group)| group).collect()
    }
}

fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [&[kind], length.to_le_bytes().as_slice(), body].concat()
}

fn record(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((*kind, body, rest))
}
