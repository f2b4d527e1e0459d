//! What the ledger says about itself.

use planledger_core::ids::Position;
use planledger_proto::v1::ledger_service_server::LedgerService;
use planledger_proto::v1::{Deriving, GetStatusRequest, GetStatusResponse};
use tonic::{Request, Response};

use super::api::{Api, Rpc};
use super::auth::Access;
use crate::wire::timestamp;

#[tonic::async_trait]
impl LedgerService for Api {
    async fn get_status(&self, request: Request<GetStatusRequest>) -> Rpc<GetStatusResponse> {
        self.allow(request.metadata(), Access::ReadStatus)?;
        self.reached(request.into_inner().min_position).await?;
        let status = self.ledger.status();
        let recorded = status.position > Position::ZERO;
        Ok(Response::new(GetStatusResponse {
            ledger_id: status.ledger.to_string(),
            position: status.position.get(),
            commit_count: status.commit.get(),
            last_recorded_at: recorded.then(|| timestamp(status.recorded_at)),
            started_at: Some(timestamp(self.started_at)),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            writable: status.writable,
            derived_rebuilds: status.derived_again,
            deriving: status.deriving.map(|(done, all)| Deriving { done, all }),
            forks: status.forks,
        }))
    }
}
