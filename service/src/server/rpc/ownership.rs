//! The ownership service: who owns what, and recoveries.

use planledger_proto::v1 as proto;
use planledger_proto::v1::ownership_service_server::OwnershipService;
use planledger_proto::v1::{run_recovery_response, undo_recovery_response};
use tonic::{Request, Response, Status};

use crate::server::api::{Api, Rpc};
use crate::server::identity::agreed;
use crate::server::outlet::Flow;
use crate::server::{ownership as queries, pages};
use crate::wire::ownership as wire;

#[tonic::async_trait]
impl OwnershipService for Api {
    async fn list_owned(
        &self,
        request: Request<proto::ListOwnedRequest>,
    ) -> Rpc<proto::ListOwnedResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let asked = wire::list_owned(&request)?;
        let (min_position, at) = (request.min_position, asked.at);
        let (found, position) = self
            .read_at(&caller, min_position, at, move |reading, gate| {
                queries::owned(reading, gate, &asked)
            })
            .await?;
        Ok(Response::new(proto::ListOwnedResponse {
            items: found.items.iter().map(wire::owned_item).collect(),
            next_page_token: found.next_page_token,
            position: position.get(),
            counts: Some(wire::owned_counts(&found.all)),
        }))
    }

    async fn list_ownerless(
        &self,
        request: Request<proto::ListOwnerlessRequest>,
    ) -> Rpc<proto::ListOwnerlessResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let (institution, page) = wire::list_ownerless(&request)?;
        let (found, position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::ownerless(reading, gate, institution, &page)
            })
            .await?;
        Ok(Response::new(proto::ListOwnerlessResponse {
            items: found.items.iter().map(wire::owned_item).collect(),
            next_page_token: found.next_page_token,
            position: position.get(),
            counts: Some(wire::owned_counts(&found.all)),
        }))
    }

    async fn list_suggestions(
        &self,
        request: Request<proto::ListSuggestionsRequest>,
    ) -> Rpc<proto::ListSuggestionsResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let (institution, page) = wire::list_suggestions(&request)?;
        let ((found, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::suggestions(reading, gate, institution, &page)
            })
            .await?;
        let suggestions = found.iter();
        let suggestions = suggestions.map(|(leaver, owned)| wire::suggestion(leaver, owned));
        Ok(Response::new(proto::ListSuggestionsResponse {
            suggestions: suggestions.collect(),
            next_page_token,
            position: position.get(),
        }))
    }

    async fn list_successors(
        &self,
        request: Request<proto::ListSuccessorsRequest>,
    ) -> Rpc<proto::ListSuccessorsResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let stream = wire::ownable(&request.stream)?;
        let (found, position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::successors(reading, gate, stream)
            })
            .await?;
        Ok(Response::new(proto::ListSuccessorsResponse {
            successors: found.iter().map(wire::successor).collect(),
            position: position.get(),
        }))
    }

    async fn preview_deletion(
        &self,
        request: Request<proto::PreviewDeletionRequest>,
    ) -> Rpc<proto::PreviewDeletionResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let stream = wire::deletable(&request.stream)?;
        let (found, position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::deleting(reading, gate, stream)
            })
            .await?;
        Ok(Response::new(proto::PreviewDeletionResponse {
            year_plan_ids: found.year_plans.iter().map(ToString::to_string).collect(),
            plan_ids: found.plans.iter().map(ToString::to_string).collect(),
            students: found.students,
            successors: found.successors.iter().map(wire::successor).collect(),
            last_owner: found.last_owner,
            position: position.get(),
        }))
    }

    async fn propose_recovery(
        &self,
        request: Request<proto::ProposeRecoveryRequest>,
    ) -> Rpc<proto::ProposeRecoveryResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let min_position = request.min_position;
        let asked = wire::propose_recovery(request)?;
        let (found, position) = self
            .read(&caller, min_position, move |reading, gate| {
                queries::propose(reading, gate, &asked.recovery_request, &asked.page)
            })
            .await?;
        let items = found.items.iter();
        let items = items.map(|(item, title)| wire::proposed_item(item, title.as_ref()));
        Ok(Response::new(proto::ProposeRecoveryResponse {
            items: items.collect(),
            steps: u32::try_from(found.steps).unwrap_or(u32::MAX),
            refused: u32::try_from(found.refused).unwrap_or(u32::MAX),
            digest: uuid::Uuid::from_bytes(found.digest).simple().to_string(),
            next_page_token: found.next_page_token,
            position: position.get(),
        }))
    }

    type RunRecoveryStream = Flow<Result<proto::RunRecoveryResponse, Status>>;

    async fn run_recovery(
        &self,
        request: Request<proto::RunRecoveryRequest>,
    ) -> Rpc<Self::RunRecoveryStream> {
        let caller = self.caller(request.extensions())?;
        let mut asked = wire::run_recovery(request.into_inner())?;
        asked.on_behalf_of = agreed(&caller, asked.on_behalf_of)?;
        let id = asked.id;
        self.start_recovery(&caller, asked).await?;
        let update = self.run_recovery_to_its_end(id);
        let messages = self.watch_recovery(update, move |update| {
            use run_recovery_response::Update;
            let update = match update {
                Ok(progress) => Update::Progress(wire::recovery_progress(progress)),
                Err(recovery) => Update::Summary(wire::recovery(id, &recovery)),
            };
            proto::RunRecoveryResponse {
                update: Some(update),
            }
        });
        Ok(Response::new(messages))
    }

    type UndoRecoveryStream = Flow<Result<proto::UndoRecoveryResponse, Status>>;

    async fn undo_recovery(
        &self,
        request: Request<proto::UndoRecoveryRequest>,
    ) -> Rpc<Self::UndoRecoveryStream> {
        let caller = self.caller(request.extensions())?;
        let mut asked = wire::undo_recovery(request.into_inner())?;
        asked.on_behalf_of = agreed(&caller, asked.on_behalf_of)?;
        let id = asked.id;
        self.start_undo(&caller, asked).await?;
        let update = self.run_recovery_to_its_end(id);
        let messages = self.watch_recovery(update, move |update| {
            use undo_recovery_response::Update;
            let update = match update {
                Ok(progress) => Update::Progress(wire::recovery_progress(progress)),
                Err(recovery) => Update::Summary(wire::recovery(id, &recovery)),
            };
            proto::UndoRecoveryResponse {
                update: Some(update),
            }
        });
        Ok(Response::new(messages))
    }

    async fn get_recovery(
        &self,
        request: Request<proto::GetRecoveryRequest>,
    ) -> Rpc<proto::GetRecoveryResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let (id, page) = wire::get_recovery(&request)?;
        let (recovery, position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::recovery(reading, gate, id)
            })
            .await?;
        let (steps, next_page_token) = pages::slice(&recovery.steps, &page);
        Ok(Response::new(proto::GetRecoveryResponse {
            steps: steps.iter().map(wire::step).collect(),
            recovery: Some(wire::recovery(id, &recovery)),
            next_page_token,
            position: position.get(),
        }))
    }

    async fn list_recoveries(
        &self,
        request: Request<proto::ListRecoveriesRequest>,
    ) -> Rpc<proto::ListRecoveriesResponse> {
        let caller = self.caller(request.extensions())?;
        let request = request.into_inner();
        let page = wire::list_recoveries(&request)?;
        let ((recoveries, next_page_token), position) = self
            .read(&caller, request.min_position, move |reading, gate| {
                queries::recoveries(reading, gate, request.open_only, &page, wire::recovery)
            })
            .await?;
        Ok(Response::new(proto::ListRecoveriesResponse {
            recoveries,
            next_page_token,
            position: position.get(),
        }))
    }
}
