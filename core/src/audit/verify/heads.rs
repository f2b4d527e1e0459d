//! Checks where the streams ended, so that nobody can leave off the newest events.

use std::collections::BTreeSet;

use super::checking::{Checking, format_fault, hashes};
use super::report::StreamReport;
use crate::audit::bundle::{HeadsLine, Scope};
use crate::audit::fault::{Fault, FaultKind};
use crate::heads::{BucketProof, bucket_of, read_bucket};
use crate::ids::{Position, StreamId};

impl Checking<'_> {
    pub(super) fn take_heads(&mut self, line: HeadsLine) -> Result<(), Fault> {
        let fault = |what: String| Fault::new(Position::ZERO, FaultKind::Head, what);
        let (recorded, _) = self
            .recorded
            .ok_or_else(|| fault("the bundle has no record of heads".to_owned()))?;
        if self.bucket.is_some() {
            return Err(format_fault("the bundle has two lines of heads"));
        }
        let heads = read_bucket(&line.heads.0);
        let proof = BucketProof {
            bucket: line.bucket,
            heads: heads.ok_or_else(|| format_fault("a head does not have 73 bytes"))?,
            path: hashes(&line.path)?,
        };
        proof
            .check(&recorded.root)
            .map_err(|error| fault(error.to_string()))?;
        self.bucket = Some(proof);
        self.student_key = line.key;
        Ok(())
    }

    /// For a plan or student: remembers where the stream was when the heads were recorded. The
    /// comparison comes at the end.
    pub(super) fn keep_heads(&mut self, stream: StreamId, position: Position) {
        let Some((recorded, _)) = self.recorded else {
            return;
        };
        match self.header.scope {
            Scope::Range { .. } => {}
            Scope::Plan(_) | Scope::Student(_) => {
                let place = self.chains.streams().get(&stream);
                if let Some(place) = place.filter(|_| position <= recorded.through) {
                    self.at_heads.insert(stream, *place);
                }
            }
        }
    }

    /// Checks that every stream ends where the recorded heads say, and that no stream of the
    /// student is missing.
    pub(super) fn check_heads(&self, through: Position) -> Result<Vec<StreamReport>, Fault> {
        let fault = |kind, what: String| Err(Fault::new(Position::ZERO, kind, what));
        let Some(proof) = &self.bucket else {
            let what = "the bundle does not have the heads of its streams".to_owned();
            return fault(FaultKind::Missing, what);
        };
        let mut in_scope: BTreeSet<StreamId> = self.counts.keys().copied().collect();
        let mut key = None;
        if let Scope::Student(student) = self.header.scope {
            let person = StreamId::from(student);
            let Some(place) = self.chains.streams().get(&person) else {
                let what = format!("the bundle does not have the stream of {person}");
                return fault(FaultKind::Missing, what);
            };
            let mut others = self.chains.streams().values();
            if others.any(|other| other.key != place.key) {
                let what = "a plan is sealed under the key of another person".to_owned();
                return fault(FaultKind::Key, what);
            }
            let of_student = proof.heads.iter().filter(|head| head.key == place.key);
            in_scope.extend(of_student.map(|head| head.stream));
            key = Some(place.key);
        }
        if self.student_key != key {
            let what = "the heads name another key than the student's".to_owned();
            return fault(FaultKind::Key, what);
        }
        let streams = in_scope.into_iter();
        streams
            .map(|stream| self.check_head(stream, proof, through))
            .collect()
    }

    fn check_head(
        &self,
        stream: StreamId,
        proof: &BucketProof,
        through: Position,
    ) -> Result<StreamReport, Fault> {
        let fault = |what: String| Err(Fault::new(through, FaultKind::Head, what));
        let last = self.chains.streams().get(&stream);
        if last.is_some_and(|last| bucket_of(stream, last.key) != proof.bucket) {
            let what = format!("the heads belong to another bucket than {stream}");
            return Err(Fault::new(Position::ZERO, FaultKind::Missing, what));
        }
        let there = self.at_heads.get(&stream);
        let revision = there.map(|place| place.revision).unwrap_or_default();
        match (proof.head(stream), there) {
            // The stream began after the heads were recorded.
            (None, None) => {}
            (None, Some(_)) => return fault(format!("{stream} has no recorded head")),
            (Some(head), _) if head.revision > revision => {
                return fault(format!(
                    "{stream} had {} events at position {through}, but the bundle has {revision}: \
                    its newest events are missing",
                    head.revision
                ));
            }
            (Some(head), Some(place)) if (head.revision, head.link) == (revision, place.link) => {}
            (Some(head), _) => {
                return fault(format!(
                    "{stream} was at revision {revision} at position {through}, but another event \
                     at revision {} was recorded as its last",
                    head.revision
                ));
            }
        }
        Ok(StreamReport {
            stream,
            events: self.counts.get(&stream).copied().unwrap_or_default(),
            revision: last.map(|last| last.revision).unwrap_or_default(),
            complete_through: Some(through),
        })
    }
}
