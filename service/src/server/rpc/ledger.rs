//! The ledger service: the status of the ledger.

use planledger_proto::v1::ledger_service_server::LedgerService;
use planledger_proto::v1::{GetStatusRequest, GetStatusResponse};
use tonic::{Request, Response};

use crate::server::api::{Api, Rpc};
use crate::server::auth::Access;
use crate::wire;

#[tonic::async_trait]
impl LedgerService for Api {
    async fn get_status(&self, request: Request<GetStatusRequest>) -> Rpc<GetStatusResponse> {
        let caller = self.caller(request.extensions())?;
        self.allow(&caller, Access::ReadStatus).await?;
        self.reached(request.into_inner().min_position).await?;
        let status = self.ledger.status();
        Ok(Response::new(wire::status(
            &status,
            self.started_at,
            self.recording(),
            self.ledger.why_not_writable(),
            &self.restores,
            self.origin.as_deref(),
        )))
    }
}
