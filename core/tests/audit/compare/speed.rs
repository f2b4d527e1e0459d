//! How long it takes to compare large bundles, and how much memory. Run it in release mode:
//! `cargo test --release -p planledger-core --test core -- --ignored --nocapture compare::speed`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

use planledger_core::audit::compare::{Piece, compare};
use planledger_core::audit::{Bytes, Disclosure, End, EventLine, Header, Line, Scope};
use planledger_core::domain::Actor;
use planledger_core::entry::{self, Entry, EntryBytes, Hash32};
use planledger_core::ids::{
    CommandId, KeyId, LedgerId, PersonId, PlanId, Position, Revision, StreamId,
};
use planledger_core::merkle::Frontier;
use planledger_core::time::Timestamp;
use planledger_core::tlog::{Checkpoint, SignedCheckpoint};

use crate::audit::school::{ORIGIN, policy, signer};

const EVENTS: u64 = 1_000_000;
const STREAMS: u64 = 20_000;

struct OnDisk(PathBuf);

impl Piece for OnDisk {
    fn open(&self) -> io::Result<Box<dyn BufRead + '_>> {
        let input = File::open(&self.0)?;
        Ok(Box::new(BufReader::with_capacity(1 << 20, input)))
    }
}

fn id(number: u64) -> [u8; 16] {
    let mut id = [7; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    id
}

/// The entries of a log of many plans, the events of which take turns.
fn entries() -> impl Iterator<Item = EntryBytes> {
    let mut links: Vec<Hash32> = vec![[0; 32]; STREAMS as usize];
    (0..EVENTS).map(move |at| {
        let plan = at % STREAMS;
        let link = &mut links[plan as usize];
        let entry = Entry {
            stream: StreamId::from(PlanId::from_bytes(id(plan))),
            revision: Revision::new(at / STREAMS + 1),
            previous_link: *link,
            event_type: 1,
            schema: 1,
            command: CommandId::from_bytes(id(at)),
            actor: Actor::Person(PersonId::from_bytes([3; 16])),
            on_behalf_of: None,
            recorded_at: Timestamp::from_nanos(at + 1),
            key: KeyId::from_bytes(id(plan)),
            key_commitment: [4; 32],
            nonce: [5; 24],
            sealed_len: 200,
            sealed_hash: [6; 32],
        };
        let bytes = entry.encode();
        *link = entry::link(&bytes);
        bytes
    })
}

fn write(path: &PathBuf) {
    let mut tree = Frontier::default();
    entries().for_each(|bytes| tree.push(entry::leaf(&bytes)));
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: EVENTS,
        root: tree.root(),
    };
    let signed = SignedCheckpoint::sign(checkpoint, &signer(), Timestamp::default());
    let header = Header {
        format: "planledger-audit-bundle/1".to_owned(),
        ledger: LedgerId::from_bytes([1; 16]),
        scope: Scope::Range {
            from: Position::new(1),
            to: Position::new(EVENTS),
        },
        disclosure: Disclosure::Integrity,
        checkpoint: signed.note.to_string(),
        peaks: Vec::new(),
        growth: Vec::new(),
        since: None,
    };
    let mut file = BufWriter::new(File::create(path).unwrap());
    let mut line = |line: Line| file.write_all(line.to_text().unwrap().as_bytes()).unwrap();
    line(Line::Header(Box::new(header)));
    for (position, bytes) in (1..).zip(entries()) {
        line(Line::Event(EventLine {
            position: Position::new(position),
            back: Position::new(0),
            entry: bytes.into(),
            sealed: Some(Bytes(vec![9; 200])),
            key: None,
            gone: None,
            path: None,
        }));
    }
    line(Line::End(End { events: EVENTS }));
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let digits = line.into_iter().flat_map(str::chars);
    let digits: String = digits.filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0) / 1024
}

#[test]
#[ignore = "a measurement"]
fn two_bundles_of_a_million_events() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bundle");
    write(&path);
    let (one, two) = (OnDisk(path.clone()), OnDisk(path));
    let begun = Instant::now();
    let compared = compare(&[&one, &two], &policy()).unwrap();
    assert_eq!((compared.events, compared.streams), (EVENTS, STREAMS));
    assert!(compared.found.is_empty());
    let (took, memory) = (begun.elapsed(), peak_mib());
    println!("two bundles of {EVENTS} events: {took:?}, {memory} MiB at most");
}
