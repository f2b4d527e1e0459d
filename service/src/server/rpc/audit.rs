//! The audit service: checkpoints, proofs and bundles of evidence.

use planledger_proto::v1::audit_service_server::AuditService;
use planledger_proto::v1::{
    ExportBundleRequest, ExportBundleResponse, GetCheckpointRequest, GetCheckpointResponse,
    GetConsistencyProofRequest, GetConsistencyProofResponse, GetInclusionProofRequest,
    GetInclusionProofResponse, GetVerifierKeysRequest, GetVerifierKeysResponse,
    ListCheckpointsRequest, ListCheckpointsResponse,
};
use tonic::{Request, Response, Status};

use crate::server::api::{Api, Rpc};
use crate::server::audit::{self as queries, Bundle};
use crate::server::auth::Access;
use crate::server::in_request;
use crate::server::outlet::{Answers, Flow};
use crate::wire::{self, Failure, request};

/// How many responses may wait for a slow client before its stream pauses.
const WINDOW: usize = 4;

#[tonic::async_trait]
impl AuditService for Api {
    async fn get_verifier_keys(
        &self,
        request: Request<GetVerifierKeysRequest>,
    ) -> Rpc<GetVerifierKeysResponse> {
        let caller = self.caller(request.extensions())?;
        self.allow(&caller, Access::ReadVerifierKeys).await?;
        let current = self.verifier_key()?;
        Ok(Response::new(GetVerifierKeysResponse { current }))
    }

    async fn get_checkpoint(
        &self,
        request: Request<GetCheckpointRequest>,
    ) -> Rpc<GetCheckpointResponse> {
        let caller = self.caller(request.extensions())?;
        let GetCheckpointRequest { min_size, create } = request.into_inner();
        self.allow(&caller, Access::ReadCheckpoints).await?;
        if create {
            self.allow(&caller, Access::CreateCheckpoint).await?;
        }
        let found = self.checkpoint(min_size, create).await?;
        let checkpoint = Some(wire::checkpoint(&found));
        Ok(Response::new(GetCheckpointResponse { checkpoint }))
    }

    async fn list_checkpoints(
        &self,
        request: Request<ListCheckpointsRequest>,
    ) -> Rpc<ListCheckpointsResponse> {
        let caller = self.caller(request.extensions())?;
        self.allow(&caller, Access::ReadCheckpoints).await?;
        let request = request.into_inner();
        let limit = request::page_size(request.page_size)?;
        let found = self.checkpoints(request.after_size, limit).await?;
        let checkpoints = found.iter().map(wire::checkpoint).collect();
        Ok(Response::new(ListCheckpointsResponse { checkpoints }))
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<GetInclusionProofRequest>,
    ) -> Rpc<GetInclusionProofResponse> {
        let caller = self.caller(request.extensions())?;
        let GetInclusionProofRequest { position, min_size } = request.into_inner();
        let position = wire::counted("position", position)?;
        let found = self.inclusion(&caller, position, min_size).await?;
        let proof = found.proof;
        Ok(Response::new(GetInclusionProofResponse {
            entry: found.entry,
            leaf_index: position.get() - 1,
            hashes: proof.path.iter().map(|hash| hash.to_vec()).collect(),
            checkpoint: Some(wire::checkpoint(&proof.signed)),
            leaf_hash: found.leaf.to_vec(),
        }))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<GetConsistencyProofRequest>,
    ) -> Rpc<GetConsistencyProofResponse> {
        let caller = self.caller(request.extensions())?;
        self.allow(&caller, Access::ReadConsistencyProof).await?;
        let request = request.into_inner();
        let from = wire::counted("from_size", request.from_size)?;
        let (signed, root, proof) = self.consistency(from, request.min_size).await?;
        Ok(Response::new(GetConsistencyProofResponse {
            from_root: root.to_vec(),
            hashes: proof.iter().map(|hash| hash.to_vec()).collect(),
            checkpoint: Some(wire::checkpoint(&signed)),
        }))
    }

    type ExportBundleStream = Flow<Result<ExportBundleResponse, Status>>;

    async fn export_bundle(
        &self,
        request: Request<ExportBundleRequest>,
    ) -> Rpc<Self::ExportBundleStream> {
        let caller = self.caller(request.extensions())?;
        let asked = wire::export_request(&request.into_inner())?;
        self.allow(&caller, queries::export_of(&asked)).await?;
        let bundle = self.export(caller, asked).await?;
        let (outlet, flow) = self.room.open(WINDOW);
        let api = self.clone();
        in_request::spawn(async move {
            let ended = tokio::select! {
                ended = api.send_bundle(bundle, &outlet) => ended,
                () = api.stopping() => Err(Failure::shutting_down()),
                () = outlet.left() => Ok(()),
            };
            if let Err(failure) = ended {
                outlet.fail(failure, Err);
            }
        });
        Ok(Response::new(flow))
    }
}

impl Api {
    async fn send_bundle(
        &self,
        mut bundle: Bundle,
        outlet: &Answers<ExportBundleResponse>,
    ) -> Result<(), Failure> {
        loop {
            let place = outlet.place(queries::PART_BYTES).await?;
            let (rest, part) = self.next_part(bundle).await?;
            bundle = rest;
            let response = ExportBundleResponse {
                total_events: part.total_events,
                written_events: part.written_events,
                lines: part.lines,
            };
            if response.lines.is_empty() {
                return Ok(());
            }
            let bytes = response.lines.len();
            place.send(Ok(response), bytes);
        }
    }
}
