//! The audit service: checkpoints, proofs and bundles of evidence.

use planledger_core::audit::{Export, Scope};
use planledger_core::ids::Position;
use planledger_core::ledger::Ledger;
use planledger_core::notary::{Notary, NotaryError};
use planledger_core::tlog::SignedCheckpoint;
use planledger_proto::v1::audit_service_server::AuditService;
use planledger_proto::v1::{
    ExportBundleRequest, ExportBundleResponse, GetCheckpointRequest, GetCheckpointResponse,
    GetConsistencyProofRequest, GetConsistencyProofResponse, GetInclusionProofRequest,
    GetInclusionProofResponse, GetVerifierKeysRequest, GetVerifierKeysResponse,
    ListCheckpointsRequest, ListCheckpointsResponse,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::api::{Api, Rpc};
use super::auth::{Access, PlansOf};
use super::evidence::Evidence;
use super::streams::goodbye;
use crate::wire::{self, Failure, request};

/// Most bytes of a bundle in one response. The last line may exceed it.
const RESPONSE_BYTES: usize = 256 << 10;
/// How many responses may wait for a slow client before its stream pauses.
const WINDOW: usize = 4;

#[tonic::async_trait]
impl AuditService for Api {
    async fn get_verifier_keys(
        &self,
        request: Request<GetVerifierKeysRequest>,
    ) -> Rpc<GetVerifierKeysResponse> {
        self.allow(request.metadata(), Access::ReadProofs)?;
        let current = self.evidence()?.notary.verifier().to_string();
        Ok(Response::new(GetVerifierKeysResponse { current }))
    }

    async fn get_checkpoint(
        &self,
        request: Request<GetCheckpointRequest>,
    ) -> Rpc<GetCheckpointResponse> {
        self.allow(request.metadata(), Access::ReadProofs)?;
        let GetCheckpointRequest { min_size, create } = request.into_inner();
        let witnesses = self.evidence()?.witnesses.clone();
        let found = self
            .with_notary(move |notary| {
                if create {
                    witnesses.cosigned(notary, || notary.checkpoint())?;
                }
                let found = match min_size {
                    0 => notary.latest()?,
                    size => notary.at_least(size)?,
                };
                found.ok_or(NotaryError::NoCheckpoint { size: min_size })
            })
            .await?;
        let checkpoint = Some(wire::checkpoint(&found));
        Ok(Response::new(GetCheckpointResponse { checkpoint }))
    }

    async fn list_checkpoints(
        &self,
        request: Request<ListCheckpointsRequest>,
    ) -> Rpc<ListCheckpointsResponse> {
        self.allow(request.metadata(), Access::ReadProofs)?;
        let request = request.into_inner();
        let after = request.after_size;
        let limit = request::page_size(request.page_size)?;
        let found = self
            .with_notary(move |notary| {
                let sizes = notary.sizes_after(after, limit).into_iter();
                let kept = sizes.filter_map(|size| notary.at_least(size).transpose());
                kept.collect::<Result<Vec<SignedCheckpoint>, _>>()
            })
            .await?;
        let checkpoints = found.iter().map(wire::checkpoint).collect();
        Ok(Response::new(ListCheckpointsResponse { checkpoints }))
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<GetInclusionProofRequest>,
    ) -> Rpc<GetInclusionProofResponse> {
        self.allow(request.metadata(), Access::ReadProofs)?;
        let GetInclusionProofRequest { position, min_size } = request.into_inner();
        let position = wire::counted("position", position)?;
        let tail = self.ledger.position();
        if position > tail {
            return Err(Failure::position_ahead("position", tail, position).into());
        }
        let proof = self
            .with_notary(move |notary| notary.inclusion(position, min_size))
            .await?;
        let entry = self
            .blocking(move |ledger| ledger.entry_bytes(position).map_err(Failure::of_reading))
            .await?;
        Ok(Response::new(GetInclusionProofResponse {
            entry: entry.to_vec(),
            leaf_index: position.get() - 1,
            hashes: proof.path.iter().map(|hash| hash.to_vec()).collect(),
            checkpoint: Some(wire::checkpoint(&proof.signed)),
        }))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<GetConsistencyProofRequest>,
    ) -> Rpc<GetConsistencyProofResponse> {
        self.allow(request.metadata(), Access::ReadProofs)?;
        let request = request.into_inner();
        let from = wire::counted("from_size", request.from_size)?;
        let tail = self.ledger.position();
        if from > tail {
            return Err(Failure::position_ahead("from_size", tail, from).into());
        }
        let (signed, root, proof) = self
            .with_notary(move |notary| {
                let newest = notary.latest()?.map_or(0, |latest| latest.checkpoint.size);
                let size = match request.min_size {
                    0 => newest,
                    size => size,
                };
                notary.consistency(request.from_size, size)
            })
            .await?;
        Ok(Response::new(GetConsistencyProofResponse {
            from_root: root.to_vec(),
            hashes: proof.iter().map(|hash| hash.to_vec()).collect(),
            checkpoint: Some(wire::checkpoint(&signed)),
        }))
    }

    type ExportBundleStream = ReceiverStream<Result<ExportBundleResponse, Status>>;

    async fn export_bundle(
        &self,
        request: Request<ExportBundleRequest>,
    ) -> Rpc<Self::ExportBundleStream> {
        let caller = self.caller(request.metadata())?;
        let mut asked = wire::export_request(&request.into_inner())?;
        let of = match asked.scope {
            Scope::Plan(plan) => Some(PlansOf::Stream(plan.into())),
            Scope::Student(student) => Some(PlansOf::Student(student)),
            Scope::Range { .. } => None,
        };
        let disclosure = asked.disclosure;
        self.permit(&caller, Access::Export { of, disclosure })?;
        let Evidence { notary, witnesses } = self.evidence()?.clone();
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
        let export = self
            .blocking(move |ledger| {
                let make = || Export::new(ledger.clone(), notary.clone(), asked);
                let mut export = witnesses
                    .cosigned(&notary, make)
                    .map_err(Failure::of_export)?;
                export.take_cosignatures().map_err(Failure::of_export)?;
                Ok(export)
            })
            .await?;
        let (sender, receiver) = mpsc::channel(WINDOW);
        let api = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                result = api.send_bundle(export, &sender) => if let Err(failure) = result {
                    let _ = sender.send(Err(failure.into())).await;
                },
                () = api.stopping() => goodbye(&sender).await,
                () = sender.closed() => {}
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

impl Api {
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

    async fn send_bundle(
        &self,
        mut export: Export,
        sender: &mpsc::Sender<Result<ExportBundleResponse, Status>>,
    ) -> Result<(), Failure> {
        loop {
            let (went_on, response) = self
                .blocking(move |_: &Ledger| {
                    let mut lines = String::new();
                    while lines.len() < RESPONSE_BYTES {
                        match export.next() {
                            Some(line) => lines.push_str(&line.map_err(Failure::of_export)?),
                            None => break,
                        }
                    }
                    let response = ExportBundleResponse {
                        total_events: export.total(),
                        written_events: export.written(),
                        lines,
                    };
                    Ok((export, response))
                })
                .await?;
            export = went_on;
            if response.lines.is_empty() || sender.send(Ok(response)).await.is_err() {
                return Ok(());
            }
        }
    }
}
