//! The access service: reads grants and systems, and why somebody may or may not do something.

use planledger_proto::v1 as proto;
use planledger_proto::v1::access_service_server::AccessService;
use tonic::{Request, Response};

use crate::server::access as queries;
use crate::server::api::{Api, Rpc};
use crate::server::{erasing, readers, retention};
use crate::wire::{self, request};

#[tonic::async_trait]
impl AccessService for Api {
    async fn list_grants(
        &self,
        request: Request<proto::ListGrantsRequest>,
    ) -> Rpc<proto::ListGrantsResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let min_position = request.min_position;
        let (grantee, page) = wire::list_grants(request)?;
        let ((grants, next_page_token), position) = self
            .read(&caller, min_position, move |reading, gate| {
                let day = queries::day(reading);
                queries::grants(reading, gate, grantee, &page, |revision, grants| {
                    wire::grants(revision, grants, day, |_| true)
                })
            })
            .await?;
        Ok(Response::new(proto::ListGrantsResponse {
            grants,
            next_page_token,
            position: position.get(),
        }))
    }

    async fn get_system(
        &self,
        request: Request<proto::GetSystemRequest>,
    ) -> Rpc<proto::GetSystemResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let id = request::id("system_id", &request.system_id)?;
        let (system, position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::system(reading, gate, id, wire::system)
            })
            .await?;
        Ok(Response::new(proto::GetSystemResponse {
            system: Some(system),
            position: position.get(),
        }))
    }

    async fn list_systems(
        &self,
        request: Request<proto::ListSystemsRequest>,
    ) -> Rpc<proto::ListSystemsResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let page = request::everything("ListSystems", request.page_size, &request.page_token)?;
        let ((systems, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::systems(reading, gate, &page, wire::system)
            })
            .await?;
        Ok(Response::new(proto::ListSystemsResponse {
            systems,
            next_page_token,
            position: position.get(),
        }))
    }

    async fn list_erasures(
        &self,
        request: Request<proto::ListErasuresRequest>,
    ) -> Rpc<proto::ListErasuresResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let page = request::everything("ListErasures", request.page_size, &request.page_token)?;
        let reads = self.reads.clone();
        let ((erasures, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                erasing::erasures(reading, gate, reads.as_ref(), &page, wire::erasure)
            })
            .await?;
        Ok(Response::new(proto::ListErasuresResponse {
            erasures,
            next_page_token,
            position: position.get(),
        }))
    }

    async fn list_due_erasures(
        &self,
        request: Request<proto::ListDueErasuresRequest>,
    ) -> Rpc<proto::ListDueErasuresResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let min_position = request.min_position;
        let asked = wire::list_due_erasures(request)?;
        let (found, position) = self
            .read(&caller, min_position, move |reading, gate| {
                retention::due(reading, gate, &asked, wire::due_erasure)
            })
            .await?;
        Ok(Response::new(proto::ListDueErasuresResponse {
            due: found.items,
            not_due: wire::not_due(&found.not_due),
            day: found.day.to_string(),
            today: found.today.to_string(),
            next_page_token: found.next_page_token,
            position: position.get(),
        }))
    }

    async fn explain_access(
        &self,
        request: Request<proto::ExplainAccessRequest>,
    ) -> Rpc<proto::ExplainAccessResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let min_position = request.min_position;
        let asked = wire::explain(request)?;
        let at = asked.at;
        let ((ground, why_not), position) = self
            .read_at(&caller, min_position, at, move |reading, gate| {
                queries::explain(reading, gate, &asked, wire::access_ground)
            })
            .await?;
        Ok(Response::new(proto::ExplainAccessResponse {
            allowed: ground.is_some(),
            ground,
            why_not: why_not.to_owned(),
            position: position.get(),
        }))
    }

    async fn review_access(
        &self,
        request: Request<proto::ReviewAccessRequest>,
    ) -> Rpc<proto::ReviewAccessResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let (soon, page) = wire::review_access(&request)?;
        let (((reviewed, next_page_token), day), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                let day = queries::day(reading);
                let found = queries::reviewed(reading, gate, soon, &page, |found| {
                    wire::reviewed(found, day)
                })?;
                Ok((found, day))
            })
            .await?;
        Ok(Response::new(proto::ReviewAccessResponse {
            reviewed,
            next_page_token,
            position: position.get(),
            day: day.to_string(),
        }))
    }

    async fn list_readers(
        &self,
        request: Request<proto::ListReadersRequest>,
    ) -> Rpc<proto::ListReadersResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let asked = wire::list_readers(&request)?;
        let log = self.read_log()?;
        let (answered, position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                readers::readers(&log, reading, gate, &asked)
            })
            .await?;
        let reads = answered.found.iter();
        let reads = reads.map(|found| wire::plan_read(&found.read, &found.reader, &found.behalf));
        Ok(Response::new(proto::ListReadersResponse {
            reads: reads.collect(),
            next_page_token: answered.next_page_token,
            position: position.get(),
            complete_since: answered.complete_since.map(wire::timestamp),
        }))
    }
}
