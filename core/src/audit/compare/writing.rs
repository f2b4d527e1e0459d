//! Writes contradictions down as proofs.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::proof::{Contradiction, FORMAT, Heads, Misbehaviour, Opened, Placed};
use super::read::{At, CompareError, Evidence, HeadsAt, Piece, again};
use crate::audit::bundle::{Bytes, EventLine};
use crate::hash::Hash32;
use crate::heads::bucket_bytes;
use crate::ids::Position;
use crate::note::VerifierKey;

/// A contradiction, by where its parts are.
pub(super) enum Candidate {
    /// Two pieces' checkpoints.
    Roots(usize, usize),
    /// A piece's checkpoint, that of a larger one, and the nodes of the larger one's tree.
    Growth(usize, usize, Vec<Hash32>),
    Entries(At, At),
    Keys(At, At),
    Records(At, At),
    /// The place of the heads among all heads.
    Head(usize, At),
    Heads(usize, usize),
}

impl Candidate {
    /// In which order contradictions are told: what shows the most to a reader comes first.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Roots(..) => 0,
            Self::Growth(..) => 1,
            Self::Keys(..) => 2,
            Self::Entries(..) => 3,
            Self::Records(..) => 4,
            Self::Heads(..) => 5,
            Self::Head(..) => 6,
        }
    }

    /// The entries that the proof needs.
    fn entries(&self, evidence: &Evidence) -> Vec<At> {
        let record = |place: &usize| evidence.heads.get(*place).map(|heads| heads.record);
        match self {
            Self::Roots(..) | Self::Growth(..) => Vec::new(),
            Self::Entries(a, b) | Self::Keys(a, b) | Self::Records(a, b) => vec![*a, *b],
            Self::Head(heads, event) => record(heads).into_iter().chain([*event]).collect(),
            Self::Heads(a, b) => [a, b].into_iter().filter_map(record).collect(),
        }
    }
}

/// Writes the proofs, for which some entries are read again.
pub(super) fn write(
    evidence: &Evidence,
    pieces: &[&dyn Piece],
    found: &[Candidate],
) -> Result<Vec<Misbehaviour>, CompareError> {
    let mut wanted: BTreeMap<usize, HashSet<Position>> = BTreeMap::new();
    for at in found.iter().flat_map(|found| found.entries(evidence)) {
        let positions = wanted.entry(at.piece as usize).or_default();
        positions.insert(at.position);
    }
    let mut lines = HashMap::new();
    for (piece, wanted) in wanted {
        let Some(read) = pieces.get(piece) else {
            continue;
        };
        let again = again(*read, &wanted).map_err(|_| CompareError::Changed { piece })?;
        let found = again.into_iter().map(|(position, line)| {
            let piece = piece as u32;
            (At { piece, position }, line)
        });
        lines.extend(found);
    }
    let writing = Writing { evidence, lines };
    let proofs = found.iter().map(|found| {
        let (contradiction, pieces) = writing.contradiction(found)?;
        let signers = pieces
            .iter()
            .filter_map(|piece| evidence.signed.get(*piece));
        Some(Misbehaviour {
            format: FORMAT.to_owned(),
            rotations: rotations(evidence, signers.map(|signed| &signed.key)),
            contradiction,
        })
    });
    let proofs: Option<_> = proofs.collect();
    let missing = || CompareError::Unproved("an entry is not there any more".to_owned());
    proofs.ok_or_else(missing)
}

/// The statements by which keys handed over to these, in the end, oldest first.
fn rotations<'k>(
    evidence: &Evidence,
    signers: impl Iterator<Item = &'k VerifierKey>,
) -> Vec<String> {
    let mut keys: Vec<&VerifierKey> = signers.collect();
    let mut needed = vec![false; evidence.rotations.len()];
    let mut more = true;
    while more {
        more = false;
        for (rotation, needed) in evidence.rotations.iter().zip(&mut needed) {
            if !*needed && keys.contains(&rotation.to()) {
                (*needed, more) = (true, true);
                keys.push(rotation.from());
            }
        }
    }
    let needed = evidence
        .rotations
        .iter()
        .zip(needed)
        .filter(|(_, needed)| *needed);
    needed
        .map(|(rotation, _)| rotation.statement().to_owned())
        .collect()
}

struct Writing<'a> {
    evidence: &'a Evidence,
    lines: HashMap<At, EventLine>,
}

fn encode(hashes: Vec<Hash32>) -> Vec<Bytes> {
    hashes.into_iter().map(Bytes::from).collect()
}

impl Writing<'_> {
    /// The contradiction, and the pieces that it is from.
    fn contradiction(&self, found: &Candidate) -> Option<(Contradiction, [usize; 2])> {
        let pieces = |a: &At, b: &At| [a.piece as usize, b.piece as usize];
        Some(match found {
            Candidate::Roots(first, second) => {
                let pieces = [*first, *second];
                let (first, second) = (self.note(*first)?, self.note(*second)?);
                (Contradiction::Roots { first, second }, pieces)
            }
            Candidate::Growth(smaller, larger, nodes) => {
                let pieces = [*smaller, *larger];
                let growth = Contradiction::Growth {
                    smaller: self.note(*smaller)?,
                    larger: self.note(*larger)?,
                    nodes: encode(nodes.clone()),
                };
                (growth, pieces)
            }
            Candidate::Entries(a, b) => {
                let (first, second) = (self.placed(*a)?, self.placed(*b)?);
                (Contradiction::Entries { first, second }, pieces(a, b))
            }
            Candidate::Keys(a, b) => {
                let (first, second) = (self.opened(*a)?, self.opened(*b)?);
                (Contradiction::Keys { first, second }, pieces(a, b))
            }
            Candidate::Records(a, b) => {
                let (first, second) = (self.opened(*a)?, self.opened(*b)?);
                (Contradiction::Records { first, second }, pieces(a, b))
            }
            Candidate::Head(place, at) => {
                let (heads, record) = self.heads(*place)?;
                let event = self.placed(*at)?;
                (Contradiction::Head { heads, event }, pieces(&record, at))
            }
            Candidate::Heads(a, b) => {
                let ((first, of_first), (second, of_second)) = (self.heads(*a)?, self.heads(*b)?);
                let pieces = pieces(&of_first, &of_second);
                (Contradiction::Heads { first, second }, pieces)
            }
        })
    }

    fn note(&self, piece: usize) -> Option<String> {
        let signed = self.evidence.signed.get(piece)?;
        Some(signed.note.clone())
    }

    fn placed(&self, at: At) -> Option<Placed> {
        let line = self.lines.get(&at)?;
        let piece = at.piece as usize;
        let path = match &line.path {
            Some(path) => path.clone(),
            None => {
                let tree = self.evidence.trees.get(piece)?;
                encode(tree.path(at.position.get().checked_sub(1)?)?)
            }
        };
        Some(Placed {
            checkpoint: self.note(piece)?,
            position: at.position,
            entry: line.entry.clone(),
            path,
        })
    }

    fn opened(&self, at: At) -> Option<Opened> {
        let line = self.lines.get(&at)?;
        Some(Opened {
            placed: self.placed(at)?,
            sealed: line.sealed.clone()?,
            key: line.key.clone()?,
        })
    }

    fn heads(&self, place: usize) -> Option<(Heads, At)> {
        let HeadsAt { fact, record } = self.evidence.heads.get(place)?;
        let heads = Heads {
            record: self.opened(*record)?,
            bucket: fact.proof.bucket,
            heads: Bytes(bucket_bytes(&fact.proof.heads)),
            path: encode(fact.proof.path.clone()),
        };
        Some((heads, *record))
    }
}
