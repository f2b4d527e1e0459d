//! Giving evidence.

use std::sync::Arc;

use planledger_core::audit::{Export, ExportError, Scope};
use planledger_core::domain::Reason;
use planledger_core::ids::{PersonId, PlanId, Position, StreamKind};
use planledger_core::ledger::{ExecuteError, Ledger};
use planledger_core::tlog::{Notary, NotaryError, SignedCheckpoint};
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

use super::api::{Api, Rpc, unreadable};
use super::auth::{Access, PlansOf};
use super::commands::failed;
use super::events::goodbye;
use super::roster::not_found;
use crate::notary::Witnesses;
use crate::wire::failure::ServiceReason;
use crate::wire::{self, Failure, request};

/// Bytes of a bundle in one response; one line more may go over it.
const RESPONSE_BYTES: usize = 256 << 10;
/// Responses that wait for a slow client before its stream is held up.
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
            .blocking(move |ledger| ledger.entry_bytes(position).map_err(unreadable))
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
                let mut export = witnesses.cosigned(&notary, make).map_err(export_failure)?;
                export.take_cosignatures().map_err(export_failure)?;
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

/// What gives evidence.
#[derive(Clone)]
pub(super) struct Evidence {
    pub(super) notary: Arc<Notary>,
    pub(super) witnesses: Arc<Witnesses>,
}

impl Api {
    fn evidence(&self) -> Result<&Evidence, Failure> {
        self.evidence.as_ref().ok_or_else(|| {
            let message = "this server makes no checkpoints";
            Failure::new(ServiceReason::NotaryDisabled, message)
        })
    }

    async fn with_notary<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Notary) -> Result<T, NotaryError> + Send + 'static,
    ) -> Result<T, Failure> {
        let notary = self.evidence()?.notary.clone();
        self.blocking(move |_: &Ledger| work(&notary).map_err(notary_failure))
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
                            Some(line) => lines.push_str(&line.map_err(export_failure)?),
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

fn notary_failure(error: NotaryError) -> Failure {
    match error {
        NotaryError::NoCheckpoint { size } => {
            let message = match size {
                0 => "there is no checkpoint yet".to_owned(),
                size => format!("there is no checkpoint of at least {size} events yet"),
            };
            Failure::new(ServiceReason::CheckpointNotFound, message).with("size", size)
        }
        error if error.is_passing() => Failure::restoring(),
        NotaryError::Execute(error) => executing(error),
        NotaryError::Read(error) => unreadable(error),
        error => damaged(&error),
    }
}

fn executing(error: ExecuteError) -> Failure {
    failed(error, &[])
}

fn export_failure(error: ExportError) -> Failure {
    match error {
        ExportError::NotFound(stream) => match stream.kind {
            StreamKind::Person => {
                let id = PersonId::from_uuid(stream.id);
                not_found(Reason::PersonNotFound, "student_id", id)
            }
            _ => not_found(
                Reason::PlanNotFound,
                "plan_id",
                PlanId::from_uuid(stream.id),
            ),
        },
        ExportError::Range { from, to, size } => {
            let size = Position::new(size);
            match from > size {
                true => Failure::position_ahead("range.from", size, from),
                false => Failure::position_ahead("range.to", size, to),
            }
        }
        ExportError::Since { since, size } => {
            Failure::position_ahead("since_size", Position::new(size), Position::new(since))
        }
        ExportError::Resume(size) => {
            let message = format!("there is no checkpoint of exactly {size} events");
            Failure::new(ServiceReason::CheckpointNotFound, message).with("size", size)
        }
        ExportError::Notary(error) => notary_failure(error),
        ExportError::Read(error) => unreadable(error),
        error => damaged(&error),
    }
}

fn damaged(error: &dyn std::error::Error) -> Failure {
    tracing::error!(%error, "evidence cannot be given");
    let message = "what is stored does not check out; run planledger ledger verify";
    Failure::new(ServiceReason::StorageDamaged, message)
}
