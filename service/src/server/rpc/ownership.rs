//! The ownership service: who owns what, and recoveries.

use planledger_proto::v1 as proto;
use planledger_proto::v1::ownership_service_server::OwnershipService;
use planledger_proto::v1::{run_recovery_response, undo_recovery_response};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::server::api::{Api, Rpc};
use crate::server::auth::Access;
use crate::server::{ownership as queries, pages};
use crate::wire::ownership as wire;

#[tonic::async_trait]
impl OwnershipService for Api {
    async fn list_owned(
        &self,
        request: Request<proto::ListOwnedRequest>,
    ) -> Rpc<proto::ListOwnedResponse> {
        self.allow(request.extensions(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let asked = wire::list_owned(&request)?;
        let (found, position) = self
            .read_at(request.min_position, asked.at, move |reading| {
                queries::owned(reading, &asked)
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
        self.allow(request.extensions(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let (institution, page) = wire::list_ownerless(&request)?;
        let (found, position) = self
            .read(request.min_position, move |reading| {
                queries::ownerless(reading, institution, &page)
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
        self.allow(request.extensions(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let (institution, page) = wire::list_suggestions(&request)?;
        let ((found, next_page_token), position) = self
            .read(request.min_position, move |reading| {
                queries::suggestions(reading, institution, &page)
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
        self.allow(request.extensions(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let stream = wire::ownable(&request.stream)?;
        let (found, position) = self
            .read(request.min_position, move |reading| {
                queries::successors(reading, stream)
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
        self.allow(request.extensions(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let stream = wire::deletable(&request.stream)?;
        let (found, position) = self
            .read(request.min_position, move |reading| {
                queries::deleting(reading, stream)
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
        self.allow(request.extensions(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let min_position = request.min_position;
        let asked = wire::propose_recovery(request)?;
        let (found, position) = self
            .read(min_position, move |reading| {
                queries::propose(reading, &asked.recovery_request, &asked.page)
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

    type RunRecoveryStream = ReceiverStream<Result<proto::RunRecoveryResponse, Status>>;

    async fn run_recovery(
        &self,
        request: Request<proto::RunRecoveryRequest>,
    ) -> Rpc<Self::RunRecoveryStream> {
        let caller = self.caller(request.extensions())?;
        let asked = wire::run_recovery(request.into_inner())?;
        let (id, on_behalf_of) = (asked.id, asked.on_behalf_of);
        let access = Access::Recover {
            recovery_request: &asked.recovery_request,
            on_behalf_of,
        };
        self.permit(&caller, access)?;
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

    type UndoRecoveryStream = ReceiverStream<Result<proto::UndoRecoveryResponse, Status>>;

    async fn undo_recovery(
        &self,
        request: Request<proto::UndoRecoveryRequest>,
    ) -> Rpc<Self::UndoRecoveryStream> {
        let caller = self.caller(request.extensions())?;
        let asked = wire::undo_recovery(request.into_inner())?;
        let (id, on_behalf_of) = (asked.id, asked.on_behalf_of);
        let access = Access::UndoRecovery {
            recovery: id,
            on_behalf_of,
        };
        self.permit(&caller, access)?;
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
        self.allow(request.extensions(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let (id, page) = wire::get_recovery(&request)?;
        let (recovery, position) = self
            .read(request.min_position, move |reading| {
                queries::recovery(reading, id)
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
        self.allow(request.extensions(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let page = wire::list_recoveries(&request)?;
        let ((recoveries, next_page_token), position) = self
            .read(request.min_position, move |reading| {
                queries::recoveries(reading, request.open_only, &page, wire::recovery)
            })
            .await?;
        Ok(Response::new(proto::ListRecoveriesResponse {
            recoveries,
            next_page_token,
            position: position.get(),
        }))
    }
}
