//! A log whose owner lies: taken from a sound one, changed at will, linked, hashed and signed anew,
//! and put into bundles by a maker that checks nothing.

use planledger_core::audit::{
    Bytes, Disclosure, End, EventLine, Header, HeadsLine, Line, Scope, Since,
};
use planledger_core::domain::Event;
use planledger_core::domain::ledger::{LedgerEvent, RecordedHeads, heads_stream};
use planledger_core::entry::{self, Entry, EntryBytes, Hash32};
use planledger_core::heads::{BucketTree, StreamHead, bucket_bytes, bucket_of, head_of};
use planledger_core::ids::{LedgerId, Position, StreamId, StreamKind};
use planledger_core::merkle::{Frontier, Subtrees, consistency, inclusion, peaks, root};
use planledger_core::seal::{self, EventKey};
use planledger_core::time::Timestamp;
use planledger_core::tlog::{Checkpoint, SignedCheckpoint, Signer};

use crate::audit::school::{NotarisedSchool, ORIGIN};

/// An event with everything that its owner knows of it.
#[derive(Clone)]
pub(crate) struct Written {
    pub(crate) entry: Entry,
    pub(crate) event: Event,
    key: [u8; 32],
    back: Position,
    bytes: EntryBytes,
    sealed: Vec<u8>,
    /// The place of the event that it goes on from, if that is not the last one of its stream.
    from: Option<usize>,
}

impl Written {
    /// The entry as it stands in the log.
    pub(crate) fn bytes(&self) -> &EntryBytes {
        &self.bytes
    }
}

#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) ledger: LedgerId,
    pub(crate) events: Vec<Written>,
}

impl Log {
    /// The school's ledger as of its newest checkpoint.
    pub(crate) fn of(school: &NotarisedSchool) -> Self {
        let size = school.checkpoint().checkpoint.position();
        let from = Position::new(1);
        let bundle = school.export(Scope::Range { from, to: size });
        let events = bundle
            .lines()
            .map(|line| Line::parse(line.as_bytes()).unwrap());
        let events = events.filter_map(|line| match line {
            Line::Event(line) => Some(line),
            _ => None,
        });
        let written = |line: EventLine| {
            let bytes: EntryBytes = line.entry.array().unwrap();
            let entry = Entry::decode(&bytes).unwrap();
            let (sealed, key) = (line.sealed.unwrap().0, line.key.unwrap().array().unwrap());
            let opened = EventKey::from_bytes(key);
            let json = seal::open(&opened, &entry.nonce, entry::prefix(&bytes), &sealed).unwrap();
            let event = Event::from_json(entry.event_type, entry.schema, &json).unwrap();
            Written {
                entry,
                event,
                key,
                back: line.back,
                bytes,
                sealed,
                from: None,
            }
        };
        Self {
            ledger: school.ledger.status().ledger,
            events: events.map(written).collect(),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.events.len() as u64
    }

    /// The place of the first event that is like this, counted from 0.
    pub(crate) fn find(&self, is: impl Fn(&Written) -> bool) -> usize {
        self.events.iter().position(is).unwrap()
    }

    /// The places of a stream's events.
    pub(crate) fn of_stream(&self, stream: impl Into<StreamId>) -> Vec<usize> {
        let stream = stream.into();
        let events = self.events.iter().enumerate();
        let found = events.filter(|(_, written)| written.entry.stream == stream);
        found.map(|(at, _)| at).collect()
    }

    /// The record of heads that is the last event.
    pub(crate) fn record(&mut self) -> &mut LedgerEvent {
        match &mut self.events.last_mut().unwrap().event {
            Event::Ledger(event) => event,
            other => panic!("{other:?}"),
        }
    }

    fn recorded(&self) -> RecordedHeads {
        match self.events.last().unwrap().event {
            Event::Ledger(LedgerEvent::HeadsRecorded { through, root }) => {
                RecordedHeads { through, root }
            }
            ref other => panic!("{other:?}"),
        }
    }

    /// Records the heads as they are, as of the last event but one.
    pub(crate) fn record_heads(&mut self) {
        self.seal_anew();
        let at = Position::new(self.size() - 1);
        let heads = self.heads(at);
        if let LedgerEvent::HeadsRecorded { through, root } = self.record() {
            (*through, *root) = (at, heads_tree(&heads).root());
        }
        self.seal_anew();
    }

    /// Appends an event to the stream of the one at a place, with its key and actor. Gives its place.
    pub(crate) fn append(&mut self, like: usize, event: Event) -> usize {
        let stream = self.events[like].entry.stream;
        let last = *self.of_stream(stream).last().unwrap();
        let at = self.append_from(last, event);
        self.events[at].from = None;
        at
    }

    /// Appends an event that goes on from the one at a place, whatever its stream has after that.
    pub(crate) fn append_from(&mut self, from: usize, event: Event) -> usize {
        let mut written = self.events[from].clone();
        let last = self.events.last().unwrap().entry.recorded_at;
        let event_type = event.event_type();
        written.entry = Entry {
            revision: written.entry.revision.next(),
            recorded_at: last.plus(1_000),
            event_type: event_type.code,
            schema: event_type.schema,
            ..written.entry
        };
        written.event = event;
        written.from = Some(from);
        self.events.push(written);
        self.seal_anew();
        self.events.len() - 1
    }

    /// Appends a record of the heads as they are.
    pub(crate) fn append_record(&mut self) {
        let last = *self.of_stream(heads_stream(self.ledger)).last().unwrap();
        let event = self.events[last].event.clone();
        self.append(last, event);
        self.record_heads();
    }

    /// Seals, links and hashes every event again, as it says now.
    pub(crate) fn seal_anew(&mut self) {
        self.seal_following(&[]);
    }

    /// The same, but the event at the first place of each pair follows the one at the second, not the
    /// last of its stream.
    pub(crate) fn seal_following(&mut self, follows: &[(usize, usize)]) {
        for at in 0..self.events.len() {
            let stream = self.events[at].entry.stream;
            let mut before = self.events[..at].iter().enumerate();
            let given = follows.iter().find(|(event, _)| *event == at);
            let given = given.map(|(_, place)| *place).or(self.events[at].from);
            let last = match given {
                Some(place) => Some((place, &self.events[place])),
                None => before.rfind(|(_, other)| other.entry.stream == stream),
            };
            let (link, back) = last.map_or(([0; 32], 0), |(place, other)| {
                (entry::link(&other.bytes), place as u64 + 1)
            });
            let written = &mut self.events[at];
            written.back = Position::new(back);
            written.entry.previous_link = link;
            let key = EventKey::from_bytes(written.key);
            let json = written.event.to_json().unwrap();
            let prefix = written.entry.encode();
            let nonce = &written.entry.nonce;
            written.sealed = seal::seal(&key, nonce, entry::prefix(&prefix), &json).unwrap();
            written.entry.sealed_len = written.sealed.len() as u32;
            written.entry.sealed_hash = entry::sealed_hash(&written.sealed);
            written.bytes = written.entry.encode();
        }
    }

    /// Where every stream ended at a position.
    pub(crate) fn heads(&self, through: Position) -> Vec<StreamHead> {
        let mut heads: Vec<StreamHead> = Vec::new();
        for written in &self.events[..through.get() as usize] {
            let (_, head) = head_of(&written.entry, &written.bytes);
            heads.retain(|other| other.stream != head.stream);
            heads.push(head);
        }
        heads.sort_unstable();
        heads
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            origin: ORIGIN.to_owned(),
            size: self.size(),
            root: root(self, self.size()).unwrap(),
        }
    }

    /// A bundle as an exporter makes it, with the heads that are recorded.
    pub(crate) fn bundle(&self, scope: Scope, signer: &Signer) -> Bundle {
        let heads = self.heads(self.recorded().through);
        self.bundle_with(scope, signer, &heads)
    }

    /// A bundle with these heads.
    pub(crate) fn bundle_with(
        &self,
        scope: Scope,
        signer: &Signer,
        heads: &[StreamHead],
    ) -> Bundle {
        let size = self.size();
        let signed = SignedCheckpoint::sign(self.checkpoint(), signer, Timestamp::default());
        let mut header = Header {
            format: "planledger-audit-bundle/2".to_owned(),
            ledger: self.ledger,
            scope,
            disclosure: Disclosure::Events,
            checkpoint: signed.note.to_string(),
            peaks: Vec::new(),
            growth: Vec::new(),
            since: None,
        };
        let mut own = self.of_stream(self.ledger);
        own.push(self.events.len() - 1);
        debug_assert!(
            self.of_stream(heads_stream(self.ledger))
                .contains(&own[own.len() - 1])
        );
        let mut lines: Vec<_> = own
            .iter()
            .map(|at| Line::Ledger(self.line(*at, true)))
            .collect();
        let places: Vec<usize> = match scope {
            Scope::Range { from, to } => {
                header.peaks = encode(peaks(self, from.get() - 1).unwrap());
                header.growth = encode(consistency(self, to.get(), size).unwrap());
                (from.get() as usize - 1..to.get() as usize).collect()
            }
            Scope::Plan(plan) => {
                let places = self.of_stream(plan);
                lines.push(self.heads_line(plan.into(), false, &places, heads));
                places
            }
            Scope::Student(student) => {
                let mut places = self.of_stream(student);
                let key = self.events[places[0]].entry.key;
                places.extend((0..self.events.len()).filter(|at| {
                    let entry = &self.events[*at].entry;
                    entry.stream.kind == StreamKind::Plan && entry.key == key
                }));
                places.sort_unstable();
                lines.push(self.heads_line(student.into(), true, &places, heads));
                places
            }
        };
        let proofs = !matches!(scope, Scope::Range { .. });
        let events = places.iter().map(|at| Line::Event(self.line(*at, proofs)));
        lines.extend(events);
        lines.insert(0, Line::Header(Box::new(header)));
        let events = places.len() as u64;
        lines.push(Line::End(End { events }));
        Bundle(lines)
    }

    fn heads_line(
        &self,
        stream: StreamId,
        of_student: bool,
        places: &[usize],
        heads: &[StreamHead],
    ) -> Line {
        let key = self.events[places[0]].entry.key;
        let bucket = bucket_of(stream, key);
        Line::Heads(HeadsLine {
            bucket,
            key: of_student.then_some(key),
            heads: Bytes(bucket_bytes(&in_bucket(heads, bucket))),
            path: encode(heads_tree(heads).path(bucket)),
        })
    }

    /// The line of an event in this log's tree.
    pub(crate) fn line(&self, at: usize, proof: bool) -> EventLine {
        let written = &self.events[at];
        let path = || encode(inclusion(self, at as u64, self.size()).unwrap());
        EventLine {
            position: Position::new(at as u64 + 1),
            back: written.back,
            entry: written.bytes.into(),
            sealed: Some(Bytes(written.sealed.clone())),
            key: Some(written.key.into()),
            gone: None,
            path: proof.then(path),
        }
    }

    /// Proof that this log grew from a beginning of it.
    pub(crate) fn since(&self, size: u64) -> Since {
        let proof = encode(consistency(self, size, self.size()).unwrap());
        Since { size, proof }
    }
}

impl Subtrees for Log {
    type Error = std::convert::Infallible;

    fn subtree(&self, level: u32, index: u64) -> Result<Hash32, Self::Error> {
        let from = (index << level) as usize;
        let mut frontier = Frontier::default();
        for written in &self.events[from..from + (1 << level)] {
            frontier.push(entry::leaf(&written.bytes));
        }
        Ok(frontier.root())
    }
}

fn in_bucket(heads: &[StreamHead], bucket: u16) -> Vec<StreamHead> {
    let heads = heads.iter().copied();
    heads
        .filter(|head| bucket_of(head.stream, head.key) == bucket)
        .collect()
}

pub(crate) fn heads_tree(heads: &[StreamHead]) -> BucketTree {
    let mut tree = BucketTree::default();
    for head in heads {
        let bucket = bucket_of(head.stream, head.key);
        tree.set([(bucket, bucket_bytes(&in_bucket(heads, bucket)).as_slice())]);
    }
    tree
}

pub(crate) fn encode(hashes: Vec<Hash32>) -> Vec<Bytes> {
    hashes.into_iter().map(Bytes::from).collect()
}

/// A bundle's lines, to be changed.
#[derive(Clone)]
pub(crate) struct Bundle(pub(crate) Vec<Line>);

impl Bundle {
    pub(crate) fn parse(text: &str) -> Self {
        Self(
            text.lines()
                .map(|line| Line::parse(line.as_bytes()).unwrap())
                .collect(),
        )
    }

    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|line| line.to_text().unwrap()).collect()
    }

    pub(crate) fn header(&mut self) -> &mut Header {
        match &mut self.0[0] {
            Line::Header(header) => header,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn heads(&mut self) -> &mut HeadsLine {
        let heads = self.0.iter_mut().find_map(|line| match line {
            Line::Heads(heads) => Some(heads),
            _ => None,
        });
        heads.unwrap()
    }

    pub(crate) fn events(&mut self) -> Vec<&mut EventLine> {
        let events = self.0.iter_mut().filter_map(|line| match line {
            Line::Event(event) => Some(event),
            _ => None,
        });
        events.collect()
    }

    /// Leaves out the keys of the events in scope, as a bundle without texts has it.
    pub(crate) fn without_keys(&mut self, ledger: LedgerId) {
        self.header().disclosure = Disclosure::Integrity;
        let of_heads = StreamId::from(heads_stream(ledger));
        for line in self.events() {
            let entry = Entry::decode(&line.entry.array().unwrap()).unwrap();
            if entry.stream != of_heads {
                line.key = None;
            }
        }
    }

    /// Leaves out everything that the format did not have before.
    pub(crate) fn as_before(&mut self) {
        self.header().format = "planledger-audit-bundle/1".to_owned();
        if self.header().disclosure == Disclosure::Integrity {
            for line in self.events() {
                line.key = None;
            }
        }
        self.0.retain(|line| !matches!(line, Line::Act(_)));
    }

    /// Keeps the lines that are like this, and counts the events anew.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Line) -> bool) {
        self.0.retain(keep);
        self.count();
    }

    pub(crate) fn count(&mut self) {
        let events = self.0.iter().filter(|line| matches!(line, Line::Event(_)));
        let events = events.count() as u64;
        if let Some(Line::End(end)) = self.0.last_mut() {
            end.events = events;
        }
    }
}
