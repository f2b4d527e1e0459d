//! Evidence, asked for over the network and judged by software that is not planledger's.

use planledger_core::audit::{Report, VerifyOptions, verify_bundle};
use planledger_core::ledger::RecordedEvent;
use planledger_core::tlog::{Policy, SignedCheckpoint};
use planledger_proto::v1::export_bundle_request::Scope;
use planledger_proto::v1::*;
use prost::Name;
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{Hash, check_record, check_tree, record_hash};
use tokio::time::timeout;
use tonic::Streaming;

use super::refused::Refused;
use super::voice::{PATIENCE, Voice, next};

impl Voice {
    /// The key that signs checkpoints.
    pub(crate) async fn verifier_key(&self) -> String {
        let keys = self.ask(GetVerifierKeysRequest::default()).await;
        keys.unwrap().current
    }

    /// A checkpoint of everything that is recorded.
    pub(crate) async fn new_checkpoint(&self) -> Checkpoint {
        let request = GetCheckpointRequest {
            min_size: 0,
            create: true,
        };
        self.ask(request).await.unwrap().checkpoint.unwrap()
    }

    /// Begins to take a bundle.
    pub(crate) async fn begin_export(
        &self,
        request: ExportBundleRequest,
    ) -> Result<Streaming<ExportBundleResponse>, Refused> {
        let mut call = self.client.audit();
        let answer = timeout(PATIENCE, call.export_bundle(request)).await;
        let refused = |status| Refused::new(&status, &ExportBundleRequest::full_name());
        let answer = answer.expect("an answer in time").map_err(refused)?;
        Ok(answer.into_inner())
    }

    /// Takes a bundle to its end.
    pub(crate) async fn export(&self, request: ExportBundleRequest) -> Result<String, Refused> {
        let mut answers = self.begin_export(request).await?;
        let refused = |status| Refused::new(&status, &ExportBundleRequest::full_name());
        let mut bundle = String::new();
        let mut counted = None;
        while let Some(answer) = next(&mut answers).await.map_err(refused)? {
            assert!(answer.lines.ends_with('\n'), "whole lines only");
            assert!(answer.written_events <= answer.total_events);
            bundle.push_str(&answer.lines);
            counted = Some((answer.written_events, answer.total_events));
        }
        let (written, total) = counted.expect("at least one answer");
        assert_eq!(written, total);
        Ok(bundle)
    }
}

/// Asks for a bundle in which everything can be read.
pub(crate) fn bundle_of(scope: Scope) -> ExportBundleRequest {
    ExportBundleRequest {
        scope: Some(scope),
        disclosure: BundleDisclosure::Events.into(),
        ..ExportBundleRequest::default()
    }
}

/// Checks a bundle with nothing but a key.
pub(crate) fn checked(bundle: &str, key: &str) -> Report {
    read(bundle, key, None).0
}

/// Checks a bundle against an earlier checkpoint too.
pub(crate) fn checked_since(bundle: &str, key: &str, since: &Checkpoint) -> Report {
    read(bundle, key, Some(since)).0
}

/// What can be read from a bundle: the payload of every event whose key is in it.
pub(crate) fn texts(bundle: &str, key: &str) -> Vec<String> {
    read(bundle, key, None).1
}

fn read(bundle: &str, key: &str, since: Option<&Checkpoint>) -> (Report, Vec<String>) {
    let options = VerifyOptions {
        policy: Policy::of_logs(vec![key.parse().unwrap()]),
        since: since.map(|since| SignedCheckpoint::parse(since.note.as_bytes()).unwrap()),
    };
    let mut texts = Vec::new();
    let mut seen = |_: &RecordedEvent, event: &planledger_core::domain::Event| {
        texts.push(String::from_utf8(event.to_json().unwrap()).unwrap());
    };
    let report = verify_bundle(&mut bundle.as_bytes(), &options, &mut seen);
    (report.unwrap(), texts)
}

/// What a checkpoint says, if the crates `signed_note` and `tlog_tiles` believe it.
pub(crate) struct Believed {
    pub(crate) size: u64,
    pub(crate) root: Hash,
}

impl Believed {
    /// Reads a note that has to be signed by this key.
    pub(crate) fn new(note: &str, key: &str) -> Self {
        let verifier = StandardVerifier::new(key).unwrap();
        let known = VerifierList::new(vec![Box::new(verifier)]);
        let note = Note::from_bytes(note.as_bytes()).unwrap();
        let (verified, _) = note.verify(&known).unwrap();
        assert_eq!(verified.len(), 1);
        let read = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
        assert_eq!(key.split('+').next(), Some(read.origin()));
        Self {
            size: read.size(),
            root: *read.hash(),
        }
    }

    /// The same of an answer, whose other fields have to say the same.
    pub(crate) fn of(checkpoint: &Checkpoint, key: &str) -> Self {
        let believed = Self::new(&checkpoint.note, key);
        assert_eq!(checkpoint.size, believed.size);
        assert_eq!(checkpoint.root, believed.root.0);
        believed
    }

    /// Whether a proof leads from an entry to the root.
    pub(crate) fn includes(&self, index: u64, entry: &[u8], hashes: &[Vec<u8>]) -> bool {
        let leaf = record_hash(entry);
        check_record(&read_hashes(hashes), self.size, self.root, index, leaf).is_ok()
    }

    /// Whether a proof shows that this grew from another.
    pub(crate) fn grew_from(&self, before: &Self, hashes: &[Vec<u8>]) -> bool {
        let proof = read_hashes(hashes);
        check_tree(&proof, self.size, self.root, before.size, before.root).is_ok()
    }
}

fn read_hashes(hashes: &[Vec<u8>]) -> Vec<Hash> {
    let hash = |bytes: &Vec<u8>| Hash(bytes.as_slice().try_into().unwrap());
    hashes.iter().map(hash).collect()
}
