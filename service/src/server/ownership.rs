//! The ownership service: who owns what, and recoveries.

use planledger_core::derived::Term;
use planledger_core::domain::{Aggregate, Reason, Stop};
use planledger_core::ids::{RecoveryId, StreamId, StreamKind};
use planledger_core::ledger::{ReadError, Reading};
use planledger_core::recovery;
use planledger_proto::v1 as proto;
use planledger_proto::v1::ownership_service_server::OwnershipService;
use planledger_proto::v1::{run_recovery_response, undo_recovery_response};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::api::{Api, Rpc};
use super::auth::Access;
use super::pages;
use crate::wire::page::Page;
use crate::wire::{Failure, ownership as wire};

#[tonic::async_trait]
impl OwnershipService for Api {
    async fn list_owned(
        &self,
        request: Request<proto::ListOwnedRequest>,
    ) -> Rpc<proto::ListOwnedResponse> {
        self.allow(request.metadata(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let asked = wire::list_owned(&request)?;
        let read = move |reading: &Reading<'_>| {
            if reading.stream(asked.person)?.is_none() {
                let reason = Reason::PersonNotFound;
                return Err(Failure::no_stream(reason, "person_id", asked.person));
            }
            let streams = recovery::owned(reading, asked.person)?;
            let (items, next) = page_of(reading, &streams, &asked.page)?;
            Ok((items, next, wire::owned_counts(&streams)))
        };
        let ((items, next_page_token, counts), position) =
            self.read_at(request.min_position, asked.at, read).await?;
        Ok(Response::new(proto::ListOwnedResponse {
            items,
            next_page_token,
            position: position.get(),
            counts: Some(counts),
        }))
    }

    async fn list_ownerless(
        &self,
        request: Request<proto::ListOwnerlessRequest>,
    ) -> Rpc<proto::ListOwnerlessResponse> {
        self.allow(request.metadata(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let (institution, page) = wire::list_ownerless(&request)?;
        let read = move |reading: &Reading<'_>| {
            if reading.stream(institution)?.is_none() {
                let reason = Reason::InstitutionNotFound;
                return Err(Failure::no_stream(reason, "institution_id", institution));
            }
            let streams = recovery::ownerless(reading, institution)?;
            let (items, next) = page_of(reading, &streams, &page)?;
            Ok((items, next, wire::owned_counts(&streams)))
        };
        let ((items, next_page_token, counts), position) =
            self.read(request.min_position, read).await?;
        Ok(Response::new(proto::ListOwnerlessResponse {
            items,
            next_page_token,
            position: position.get(),
            counts: Some(counts),
        }))
    }

    async fn list_successors(
        &self,
        request: Request<proto::ListSuccessorsRequest>,
    ) -> Rpc<proto::ListSuccessorsResponse> {
        self.allow(request.metadata(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let stream = wire::ownable(&request.stream)?;
        let read = move |reading: &Reading<'_>| match reading.stream(stream)? {
            Some(_) => recovery::suggest(reading, stream).map_err(Failure::of_reading),
            None => Err(absent(stream)),
        };
        let (found, position) = self.read(request.min_position, read).await?;
        Ok(Response::new(proto::ListSuccessorsResponse {
            successors: found.iter().map(wire::successor).collect(),
            position: position.get(),
        }))
    }

    async fn preview_deletion(
        &self,
        request: Request<proto::PreviewDeletionRequest>,
    ) -> Rpc<proto::PreviewDeletionResponse> {
        self.allow(request.metadata(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let stream = wire::deletable(&request.stream)?;
        let read = move |reading: &Reading<'_>| {
            let found = recovery::deleting(reading, stream)?;
            found.ok_or_else(|| absent(stream))
        };
        let (found, position) = self.read(request.min_position, read).await?;
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
        self.allow(request.metadata(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let min_position = request.min_position;
        let asked = wire::propose_recovery(request)?;
        let page = asked.page;
        let read = move |reading: &Reading<'_>| {
            let proposal = match recovery::propose(reading, &asked.wish) {
                Ok(proposal) => proposal,
                Err(Stop::Unread(error)) => return Err(error.into()),
                Err(Stop::Refused(refusal)) => {
                    return Err(Failure::of_refused_wish(&refusal));
                }
            };
            let steps = proposal.items.iter().filter(|item| item.step.is_ok());
            let steps = steps.count();
            let refused = proposal.items.len() - steps;
            let (page, next_page_token) = slice(&proposal.items, &page);
            let mut items = Vec::with_capacity(page.len());
            for item in page {
                let title = recovery::title(reading, item.stream)?;
                items.push(wire::proposed_item(item, title.as_ref()));
            }
            Ok(proto::ProposeRecoveryResponse {
                items,
                steps: u32::try_from(steps).unwrap_or(u32::MAX),
                refused: u32::try_from(refused).unwrap_or(u32::MAX),
                digest: uuid::Uuid::from_bytes(proposal.digest).simple().to_string(),
                next_page_token,
                position: 0,
            })
        };
        let (response, position) = self.read(min_position, read).await?;
        Ok(Response::new(proto::ProposeRecoveryResponse {
            position: position.get(),
            ..response
        }))
    }

    type RunRecoveryStream = ReceiverStream<Result<proto::RunRecoveryResponse, Status>>;

    async fn run_recovery(
        &self,
        request: Request<proto::RunRecoveryRequest>,
    ) -> Rpc<Self::RunRecoveryStream> {
        let caller = self.caller(request.metadata())?;
        let asked = wire::run_recovery(request.into_inner())?;
        let (id, on_behalf_of) = (asked.id, asked.on_behalf_of);
        let wish = &asked.wish;
        self.permit(&caller, Access::Recover { wish, on_behalf_of })?;
        let who = (caller.actor, on_behalf_of);
        self.blocking(move |ledger| {
            let begun = recovery::start(ledger, who, id, &asked.wish, asked.digest);
            begun.map_err(Failure::of_recovery)
        })
        .await?;
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
        let caller = self.caller(request.metadata())?;
        let asked = wire::undo_recovery(request.into_inner())?;
        let (id, on_behalf_of) = (asked.id, asked.on_behalf_of);
        let access = Access::UndoRecovery {
            recovery: id,
            on_behalf_of,
        };
        self.permit(&caller, access)?;
        let who = (caller.actor, on_behalf_of);
        self.blocking(move |ledger| {
            let undone = recovery::undo(ledger, who, id, asked.reason);
            undone.map_err(Failure::of_recovery)
        })
        .await?;
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
        self.allow(request.metadata(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let (id, page) = wire::get_recovery(&request)?;
        let read = move |reading: &Reading<'_>| {
            let found = reading.stream(id)?;
            match found.as_ref().map(|(state, _)| &**state) {
                Some(Aggregate::Recovery(recovery)) => Ok(recovery.clone()),
                _ => Err(Failure::no_stream(
                    Reason::RecoveryNotFound,
                    "recovery_id",
                    id,
                )),
            }
        };
        let (recovery, position) = self.read(request.min_position, read).await?;
        let (steps, next_page_token) = slice(&recovery.steps, &page);
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
        self.allow(request.metadata(), Access::ReadOwnership)?;
        let request = request.into_inner();
        let page = wire::list_recoveries(&request)?;
        let kind = StreamKind::Recovery;
        let term = match request.open_only {
            true => Term::OpenRecoveries,
            false => Term::All(kind),
        };
        let read = move |reading: &Reading<'_>| {
            let streams = reading.find(term)?;
            pages::list(reading, &streams, kind, &page, |id, _, state| {
                let Aggregate::Recovery(recovery) = state else {
                    return None;
                };
                Some(wire::recovery(RecoveryId::from_uuid(id), recovery))
            })
            .map_err(Failure::of_reading)
        };
        let ((recoveries, next_page_token), position) =
            self.read(request.min_position, read).await?;
        Ok(Response::new(proto::ListRecoveriesResponse {
            recoveries,
            next_page_token,
            position: position.get(),
        }))
    }
}

/// A page of owned items, in the order of their streams.
fn page_of(
    reading: &Reading<'_>,
    streams: &[StreamId],
    page: &Page<StreamId>,
) -> Result<(Vec<proto::OwnedItem>, String), ReadError> {
    let rest = streams
        .iter()
        .filter(|stream| page.after.is_none_or(|after| **stream > after));
    let mut items = Vec::new();
    let mut last = None;
    for stream in rest {
        if items.len() == page.size {
            let token = last.map(|last| page.next_token(last));
            return Ok((items, token.unwrap_or_default()));
        }
        if let Some(owned) = recovery::describe(reading, *stream)? {
            items.push(wire::owned_item(&owned));
            last = Some(*stream);
        }
    }
    Ok((items, String::new()))
}

/// A page of a complete list. The cursor is the number of items before the page.
fn slice<'l, T>(list: &'l [T], page: &Page<u64>) -> (&'l [T], String) {
    let from = page.after.and_then(|before| usize::try_from(before).ok());
    let from = from.unwrap_or(0).min(list.len());
    let to = from.saturating_add(page.size).min(list.len());
    let token = match to < list.len() {
        true => page.next_token(to as u64),
        false => String::new(),
    };
    (list.get(from..to).unwrap_or_default(), token)
}

fn absent(stream: StreamId) -> Failure {
    Failure::of_refused_field(&recovery::absent(stream), "stream")
}
