//! Looks for contradictions, and writes each down as a proof.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::check::{Misbehaved, check_misbehaviour};
use super::facts::{self, EntryConflict, Fact};
use super::read::{At, CompareError, Evidence, HeadsAt, Piece};
use super::writing::{Candidate, write};
use crate::heads::bucket_of;
use crate::ids::{Position, StreamId};
use crate::tlog::Policy;

/// What a comparison gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The name of the log.
    pub origin: String,
    /// How many different checkpoints there are.
    pub checkpoints: u64,
    /// How many of them are smaller than the largest, and no file has the hashes that would show
    /// whether they are a beginning of a larger one.
    pub unconnected: u64,
    /// How many different events there are, by position and content.
    pub events: u64,
    /// How many streams they belong to.
    pub streams: u64,
    /// How many buckets of recorded heads were compared.
    pub heads: u64,
    /// Forks of streams that are settled on record: the stream, and the position where it was forked.
    pub settled: Vec<(StreamId, Position)>,
    /// What contradicts what: of each kind the first, with its proof as text. What shows the most to
    /// a reader comes first.
    pub found: Vec<(Misbehaved, String)>,
}

/// Looks for contradictions between pieces of evidence of one ledger. That none is found is no proof
/// that there is none. Reads every piece twice if there is something to prove. Takes about 250 bytes
/// of memory for each event.
///
/// # Errors
/// [`CompareError`]
pub fn compare(pieces: &[&dyn Piece], policy: &Policy) -> Result<Compared, CompareError> {
    let mut evidence = Evidence::read(pieces, policy)?;
    let mut found = Vec::new();
    let (checkpoints, unconnected) = of_checkpoints(&evidence, &mut found);
    let facts = std::mem::take(&mut evidence.facts);
    let order = distinct(&facts);
    let mut conflicts = BTreeMap::new();
    by_position(&facts, &order, &mut conflicts);
    let order = by_stream(&facts, order, &mut conflicts);
    for (first, second) in conflicts.into_values() {
        found.push(Candidate::Entries(first, second));
    }
    of_keys(&evidence, &mut found);
    of_records(&evidence, &mut found);
    let streams = of_heads(&evidence, &facts, &order, &mut found);
    drop(facts);
    found.sort_by_key(Candidate::rank);
    let proofs = write(&evidence, pieces, &found)?;
    let mut checked = Vec::new();
    for proof in proofs {
        let text = proof.to_text();
        let text = text.map_err(|error| CompareError::Unproved(error.to_string()))?;
        let misbehaved = check_misbehaviour(text.as_bytes(), policy);
        let misbehaved = misbehaved.map_err(|error| CompareError::Unproved(error.to_string()))?;
        checked.push((misbehaved, text));
    }
    let origin = evidence.signed.first();
    Ok(Compared {
        origin: origin
            .map(|signed| signed.checkpoint.origin.clone())
            .unwrap_or_default(),
        checkpoints,
        unconnected,
        events: order.len() as u64,
        streams,
        heads: evidence.heads.len() as u64,
        settled: evidence.settled.into_iter().collect(),
        found: checked,
    })
}

/// Compares all checkpoints. Returns how many different ones there are, and how many of them no
/// larger one can be compared with.
fn of_checkpoints(evidence: &Evidence, found: &mut Vec<Candidate>) -> (u64, u64) {
    let mut by_size: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (piece, signed) in evidence.signed.iter().enumerate() {
        let same = by_size.entry(signed.checkpoint.size).or_default();
        let root = |piece: &usize| {
            evidence
                .signed
                .get(*piece)
                .map(|other| other.checkpoint.root)
        };
        let known = same
            .iter()
            .any(|other| root(other) == Some(signed.checkpoint.root));
        if !known {
            same.push(piece);
        }
    }
    if let Some([first, second, ..]) = by_size
        .values()
        .find(|same| same.len() > 1)
        .map(Vec::as_slice)
    {
        found.push(Candidate::Roots(*first, *second));
    }
    let count = by_size.values().map(|same| same.len() as u64).sum();
    let largest = by_size.last_key_value().map(|(size, _)| *size);
    let mut unconnected = 0;
    let mut growth = None;
    for (size, same) in by_size
        .iter()
        .filter(|(size, _)| Some(**size) != largest && **size > 0)
    {
        let mut connected = false;
        for (larger, (tree, signed)) in evidence.trees.iter().zip(&evidence.signed).enumerate() {
            if signed.checkpoint.size <= *size {
                continue;
            }
            let Some((nodes, root)) = tree.beginning(*size) else {
                continue;
            };
            connected = true;
            let other = same.iter().find(|piece| {
                let smaller = evidence.signed.get(**piece);
                smaller.is_some_and(|smaller| smaller.checkpoint.root != root)
            });
            if let Some(smaller) = other
                && growth.is_none()
            {
                growth = Some(Candidate::Growth(*smaller, larger, nodes));
            }
        }
        unconnected += match connected {
            true => 0,
            false => same.len() as u64,
        };
    }
    found.extend(growth);
    (count, unconnected)
}

type Facts = [(Fact, u32)];

fn fact(facts: &Facts, place: u32) -> Option<(&Fact, At)> {
    let (fact, piece) = facts.get(place as usize)?;
    let at = At {
        piece: *piece,
        position: fact.position,
    };
    Some((fact, at))
}

/// The places of all entries in order of position, those that are there more than once once.
fn distinct(facts: &Facts) -> Vec<u32> {
    let mut order: Vec<u32> = (0..facts.len() as u32).collect();
    let key = |place: &u32| {
        facts
            .get(*place as usize)
            .map(|(fact, _)| (fact.position, fact.link))
    };
    order.sort_unstable_by_key(key);
    order.dedup_by_key(|place| key(place));
    order
}

type Conflicts = BTreeMap<EntryConflict, (At, At)>;

fn beside<'f>(
    facts: &'f Facts,
    order: &'f [u32],
) -> impl Iterator<Item = ((&'f Fact, At), (&'f Fact, At))> {
    let pairs = order.iter().zip(order.iter().skip(1));
    pairs.filter_map(|(a, b)| Some((fact(facts, *a)?, fact(facts, *b)?)))
}

/// Compares entries that stand beside each other in the log. If positions and times of those never go
/// back, then those of no two do.
fn by_position(facts: &Facts, order: &[u32], conflicts: &mut Conflicts) {
    for ((a, at), (b, beside)) in beside(facts, order) {
        if let Some(conflict) = facts::entries(a, b) {
            conflicts.entry(conflict).or_insert((at, beside));
        }
    }
}

/// Compares entries that follow each other in their stream. Returns the order by streams.
fn by_stream(facts: &Facts, mut order: Vec<u32>, conflicts: &mut Conflicts) -> Vec<u32> {
    order.sort_unstable_by_key(|place| {
        let found = facts.get(*place as usize);
        found.map(|(fact, _)| (fact.stream, fact.revision, fact.position))
    });
    for ((a, at), (b, beside)) in beside(facts, &order) {
        if a.stream == b.stream
            && let Some(conflict) = facts::entries(a, b)
        {
            conflicts.entry(conflict).or_insert((at, beside));
        }
    }
    order
}

fn of_keys(evidence: &Evidence, found: &mut Vec<Candidate>) {
    let mut keys: Vec<_> = evidence.keys.iter().collect();
    keys.sort_by_key(|(key, _)| (key.event.stream, key.event.revision));
    let mut pairs = keys.iter().zip(keys.iter().skip(1));
    let pair = pairs.find(|((a, _), (b, _))| facts::keys(a, b).is_some());
    found.extend(pair.map(|((_, a), (_, b))| Candidate::Keys(*a, *b)));
}

fn of_records(evidence: &Evidence, found: &mut Vec<Candidate>) {
    let mut records: Vec<_> = evidence.records.iter().collect();
    records.sort_by_key(|(recorded, _)| (recorded.through, recorded.root));
    let mut pairs = records.iter().zip(records.iter().skip(1));
    let pair = pairs.find(|((a, _), (b, _))| facts::records(a, b));
    found.extend(pair.map(|((_, a), (_, b))| Candidate::Records(*a, *b)));
}

/// Compares heads with each other and with the entries, which are in order of their streams. Returns
/// how many streams there are.
fn of_heads(evidence: &Evidence, facts: &Facts, order: &[u32], found: &mut Vec<Candidate>) -> u64 {
    let mut heads: Vec<(usize, &HeadsAt)> = evidence.heads.iter().enumerate().collect();
    heads.sort_by_key(|(_, heads)| (heads.fact.proof.bucket, heads.fact.recorded.through));
    // If the heads never go back from one record to the next, they do not between any two.
    let mut pairs = heads.iter().zip(heads.iter().skip(1));
    let pair = pairs.find(|((_, a), (_, b))| facts::heads(&a.fact, &b.fact).is_some());
    found.extend(pair.map(|((a, _), (b, _))| Candidate::Heads(*a, *b)));
    let mut buckets: HashMap<u16, Vec<(usize, &HeadsAt)>> = HashMap::new();
    for (place, heads) in heads {
        let of_bucket = buckets.entry(heads.fact.proof.bucket).or_default();
        of_bucket.push((place, heads));
    }
    let (mut streams, mut last) = (0, None);
    let mut kinds = HashSet::new();
    let mut concerned: &[(usize, &HeadsAt)] = &[];
    for (event, at) in order.iter().filter_map(|place| fact(facts, *place)) {
        let stream = (event.stream, event.key);
        if last != Some(stream) {
            streams += u64::from(last.is_none_or(|(last, _)| last != event.stream));
            last = Some(stream);
            let bucket = (!buckets.is_empty()).then(|| bucket_of(event.stream, event.key));
            let of_bucket = bucket.and_then(|bucket| buckets.get(&bucket));
            concerned = of_bucket.map(Vec::as_slice).unwrap_or_default();
        }
        for (place, heads) in concerned {
            if let Some(conflict) = facts::head(&heads.fact, event)
                && kinds.insert(conflict)
            {
                found.push(Candidate::Head(*place, at));
            }
        }
    }
    streams
}
