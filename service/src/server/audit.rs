//! Queries about evidence: checkpoints, proofs and bundles.

use planledger_core::access_log::Shown;
use planledger_core::audit::{Export, ExportRequest, Scope};
use planledger_core::entry;
use planledger_core::ids::Position;
use planledger_core::ledger::Ledger;
use planledger_core::notary::{Inclusion, Notary, NotaryError};
use planledger_core::tlog::SignedCheckpoint;

use super::api::Api;
use super::auth::{Access, Caller, PlansOf};
use super::evidence::Evidence;
use super::reads::Recording;
use crate::wire::Failure;

/// Most bytes of a bundle in one part. The last line may exceed it.
pub(super) const PART_BYTES: usize = 256 << 10;

/// A bundle that is being written.
pub(super) struct Bundle {
    export: Export,
    /// Who gets it.
    caller: Caller,
    /// The right to get it, which is asked for again with each part.
    right: Access<'static>,
}

/// A part of a bundle.
pub(super) struct Part {
    /// The lines of this part; empty at the end of the bundle.
    pub(super) lines: String,
    /// How many events the whole bundle has.
    pub(super) total_events: u64,
    /// How many events were written so far.
    pub(super) written_events: u64,
}

/// An entry that a checkpoint includes.
pub(super) struct Included {
    /// Its bytes; empty if the caller may not see who acted and when.
    pub(super) entry: Vec<u8>,
    /// Its hash in the checkpoint's tree.
    pub(super) leaf: [u8; 32],
    pub(super) proof: Inclusion,
}

/// The right that a bundle needs.
pub(super) fn export_of(asked: &ExportRequest) -> Access<'static> {
    Access::Export {
        of: plans_of(asked),
        disclosure: asked.disclosure,
    }
}

/// Whose plans a bundle is about; `None` for a range of the whole journal.
fn plans_of(asked: &ExportRequest) -> Option<PlansOf> {
    match asked.scope {
        Scope::Plan(plan) => Some(PlansOf::Plan(plan)),
        Scope::Student(student) => Some(PlansOf::Student(student)),
        Scope::Range { .. } => None,
    }
}

impl Api {
    /// The key with which the ledger's checkpoints are signed.
    pub(super) fn verifier_key(&self) -> Result<String, Failure> {
        Ok(self.evidence()?.notary.verifier().to_string())
    }

    /// The newest checkpoint, or the first one with at least this size. If `create` is set, a new
    /// one is signed first.
    pub(super) async fn checkpoint(
        &self,
        min_size: u64,
        create: bool,
    ) -> Result<SignedCheckpoint, Failure> {
        let evidence = self.evidence()?;
        let witnesses = evidence.witnesses.clone();
        let turn = match create {
            true => evidence.turn().await?,
            false => None,
        };
        self.with_notary(move |notary| {
            let _turn = turn;
            if create {
                witnesses.cosigned(notary, || notary.checkpoint())?;
            }
            let found = match min_size {
                0 => notary.latest()?,
                size => notary.at_least(size)?,
            };
            found.ok_or(NotaryError::NoCheckpoint { size: min_size })
        })
        .await
    }

    /// At most `limit` checkpoints whose size is larger than `after`.
    pub(super) async fn checkpoints(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<SignedCheckpoint>, Failure> {
        self.with_notary(move |notary| {
            let sizes = notary.sizes_after(after, limit).into_iter();
            let kept = sizes.filter_map(|size| notary.at_least(size).transpose());
            kept.collect()
        })
        .await
    }

    /// An entry, and the proof that a checkpoint includes it.
    pub(super) async fn inclusion(
        &self,
        caller: &Caller,
        position: Position,
        min_size: u64,
    ) -> Result<Included, Failure> {
        let access = Access::ReadInclusionProof(position);
        self.allow(caller, access).await?;
        let tail = self.ledger.position();
        if position > tail {
            return Err(Failure::position_ahead("position", tail, position));
        }
        let proof = self
            .with_notary(move |notary| notary.inclusion(position, min_size))
            .await?;
        self.gated(caller, move |ledger, gate| {
            let bytes = ledger.entry_bytes(position)?;
            let stream = ledger.entry_stream(position)?;
            let shown = gate.permits(&Access::ReadEntry { position, stream })?;
            Ok(Included {
                entry: match shown {
                    true => bytes.to_vec(),
                    false => Vec::new(),
                },
                leaf: entry::leaf(&bytes),
                proof: proof.clone(),
            })
        })
        .await
    }

    /// A checkpoint, the root of the log at an earlier size, and the proof that the log of the
    /// checkpoint continues it.
    pub(super) async fn consistency(
        &self,
        from: Position,
        min_size: u64,
    ) -> Result<(SignedCheckpoint, [u8; 32], Vec<[u8; 32]>), Failure> {
        let tail = self.ledger.position();
        if from > tail {
            return Err(Failure::position_ahead("from_size", tail, from));
        }
        self.with_notary(move |notary| {
            let newest = notary.latest()?.map_or(0, |latest| latest.checkpoint.size);
            let size = match min_size {
                0 => newest,
                size => size,
            };
            notary.consistency(from.get(), size)
        })
        .await
    }

    /// Begins a bundle.
    pub(super) async fn export(
        &self,
        caller: Caller,
        mut asked: ExportRequest,
    ) -> Result<Bundle, Failure> {
        let evidence = self.evidence()?;
        let (notary, witnesses) = (evidence.notary.clone(), evidence.witnesses.clone());
        if let Scope::Range { from, to } = asked.scope
            && to == Position::ZERO
        {
            let newest = self.with_notary(|notary| notary.checkpoint()).await?;
            let to = match asked.resume {
                Some((size, _)) => Position::new(size),
                None => newest.checkpoint.position(),
            };
            asked.scope = Scope::Range { from, to };
        }
        let right = export_of(&asked);
        let turn = evidence.turn().await?;
        self.blocking(move |ledger| {
            let _turn = turn;
            let make = || Export::new(ledger.clone(), notary.clone(), asked);
            let mut export = witnesses
                .cosigned(&notary, make)
                .map_err(Failure::of_export)?;
            export.take_cosignatures().map_err(Failure::of_export)?;
            Ok(Bundle {
                export,
                caller,
                right,
            })
        })
        .await
    }

    /// Writes the next part of a bundle. The right to it is looked at after the part was read, so nothing is
    /// sent once the right has ended.
    pub(super) async fn next_part(&self, bundle: Bundle) -> Result<(Bundle, Part), Failure> {
        let Bundle {
            mut export,
            caller,
            right,
        } = bundle;
        let reads = self.reads.clone();
        let api = self.clone();
        let (bundle, part, recording) = self
            .blocking(move |ledger: &Ledger| {
                let mut lines = String::new();
                while lines.len() < PART_BYTES {
                    match export.next() {
                        Some(line) => lines.push_str(&line.map_err(Failure::of_export)?),
                        None => break,
                    }
                }
                let part = Part {
                    total_events: export.total(),
                    written_events: export.written(),
                    lines,
                };
                if !api.is_open() && !api.ask(&caller, |gate| gate.permits(&right))? {
                    return Err(Failure::export_right_ended());
                }
                let recording = match &reads {
                    Some(reads) => {
                        let (plans, last) = export.take_disclosed();
                        reads.record_pages(&caller, ledger.now(), Shown::Evidence, &plans, last)?
                    }
                    None => Recording::default(),
                };
                let bundle = Bundle {
                    export,
                    caller,
                    right,
                };
                Ok((bundle, part, recording))
            })
            .await?;
        recording.done().await?;
        Ok((bundle, part))
    }

    fn evidence(&self) -> Result<&Evidence, Failure> {
        self.evidence.as_ref().ok_or_else(Failure::no_notary)
    }

    async fn with_notary<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Notary) -> Result<T, NotaryError> + Send + 'static,
    ) -> Result<T, Failure> {
        let notary = self.evidence()?.notary.clone();
        self.blocking(move |_: &Ledger| work(&notary).map_err(Failure::of_notary))
            .await
    }
}
