//! The event service: reads and follows events.

use std::collections::VecDeque;
use std::pin::Pin;

use planledger_core::ids::Position;
use planledger_proto::v1::event_service_server::EventService;
use planledger_proto::v1::follow_events_response::Content;
use planledger_proto::v1::{
    CaughtUp, EventBatch, FollowEventsRequest, FollowEventsResponse, Heartbeat, ReadEventsRequest,
    ReadEventsResponse,
};
use tokio_stream::{Stream, StreamExt};
use tonic::{Extensions, Request, Response, Status};

use crate::server::api::{Api, Rpc};
use crate::server::ending::Progress;
use crate::server::events::{CHUNK_BYTES, Opening, Reader, STRIDE};
use crate::server::in_request;
use crate::server::outlet::{Answers, Flow};
use crate::wire::request::event_filter;
use crate::wire::{self, Failure};

/// How many responses may wait for a slow client before its stream pauses.
const WINDOW: usize = 4;
/// How many responses are opened at once for a client that reads what is recorded, each on a thread of its own.
const AT_ONCE: usize = 3;
type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl EventService for Api {
    type ReadEventsStream = Responses<ReadEventsResponse>;

    async fn read_events(
        &self,
        request: Request<ReadEventsRequest>,
    ) -> Rpc<Self::ReadEventsStream> {
        let caller = self.caller(request.extensions())?;
        let progress = progress(request.extensions());
        let request = request.into_inner();
        let filter = event_filter(request.filter)?;
        self.reached(request.min_position).await?;
        let (reader, last) = self.reader(caller, request.after_position, filter).await?;
        let left = match usize::try_from(request.max_count) {
            Ok(0) | Err(_) => usize::MAX,
            Ok(count) => count,
        };
        let (outlet, flow) = self.room.open(WINDOW);
        let (api, sent) = (self.clone(), progress.clone());
        in_request::spawn(async move {
            let ended = tokio::select! {
                ended = api.send_recorded(reader, last, left, &outlet) => ended,
                () = api.stopping() => Err(Failure::shutting_down()),
                () = outlet.left() => Ok(()),
            };
            if let Err(failure) = ended {
                outlet.fail(failure.after(request.after_position, sent.position()), Err);
            }
        });
        Ok(Response::new(watched(flow, progress, |response| {
            response.resume_position
        })))
    }

    type FollowEventsStream = Responses<FollowEventsResponse>;

    async fn follow_events(
        &self,
        request: Request<FollowEventsRequest>,
    ) -> Rpc<Self::FollowEventsStream> {
        let caller = self.caller(request.extensions())?;
        let progress = progress(request.extensions());
        let request = request.into_inner();
        let filter = event_filter(request.filter)?;
        let (reader, _) = self.reader(caller, request.after_position, filter).await?;
        let (outlet, flow) = self.room.open(WINDOW);
        let (api, sent) = (self.clone(), progress.clone());
        in_request::spawn(async move {
            let ended = tokio::select! {
                ended = api.send_following(reader, &outlet) => ended,
                () = api.stopping() => Err(Failure::shutting_down()),
                () = outlet.left() => Ok(()),
            };
            if let Err(failure) = ended {
                outlet.fail(failure.after(request.after_position, sent.position()), Err);
            }
        });
        Ok(Response::new(watched(flow, progress, |response| {
            response.resume_position
        })))
    }
}

/// Where the position is noted that a stream has brought its client to.
fn progress(extensions: &Extensions) -> Progress {
    extensions.get().cloned().unwrap_or_default()
}

/// Notes of each response the position to go on from, as it is taken to be sent.
fn watched<T: Send + 'static>(
    flow: Flow<Result<T, Status>>,
    progress: Progress,
    position: impl Fn(&T) -> u64 + Send + 'static,
) -> Responses<T> {
    let responses = flow.map(move |response| {
        if let Ok(response) = &response {
            progress.reached(Position::new(position(response)));
        }
        response
    });
    Box::pin(responses)
}

impl Api {
    /// Sends the events up to position `last`, at most `left` of them.
    async fn send_recorded(
        &self,
        mut reader: Reader,
        last: Position,
        mut left: usize,
        outlet: &Answers<ReadEventsResponse>,
    ) -> Result<(), Failure> {
        let mut opening: VecDeque<(_, Opening<_>)> = VecDeque::new();
        // What was found before is sent before it is said why there is no more.
        let mut ended = None;
        loop {
            let is_open = opening.front().is_some_and(|(_, first)| first.is_done());
            let place = match (&ended, opening.len()) {
                (Some(_), _) | (None, AT_ONCE..) => None,
                (None, 0) => Some(outlet.place_or(CHUNK_BYTES, || reader.rest()).await?),
                // To find more can take long, so what is open is sent before.
                (None, _) if is_open => None,
                (None, given) => outlet.place_now(given, CHUNK_BYTES),
            };
            if let Some(place) = place {
                let next = match self.find(&mut reader, left, last).await {
                    Ok(next) => next,
                    Err(failure) => {
                        ended = Some(Err(failure));
                        continue;
                    }
                };
                left -= next.count();
                if next.end || left == 0 {
                    ended = Some(Ok(()));
                }
                let opened = self.open(reader.right.clone(), next, wire::sized_event);
                opening.push_back((place, opened.await?));
                continue;
            }
            let Some((place, opened)) = opening.pop_front() else {
                return ended.unwrap_or(Ok(()));
            };
            let chunk = opened.done().await?;
            let response = ReadEventsResponse {
                events: chunk.events,
                resume_position: chunk.resume.get(),
            };
            place.send(Ok(response), chunk.bytes);
        }
    }

    /// Sends the recorded events, tells the client that these were all, and then sends new events
    /// as they are recorded.
    async fn send_following(
        &self,
        mut reader: Reader,
        outlet: &Answers<FollowEventsResponse>,
    ) -> Result<(), Failure> {
        let mut durable = self.durable();
        let follower = self.counts.follower(reader.resume);
        let mut behind = true;
        let mut told = reader.resume;
        loop {
            let last = *durable.borrow_and_update();
            let place = outlet.place_or(CHUNK_BYTES, || reader.rest()).await?;
            let mut place = Some(place);
            let (went_on, chunk) = self
                .next_chunk(reader, usize::MAX, last, wire::sized_event)
                .await?;
            reader = went_on;
            follower.reached(reader.resume);
            let content = match chunk.events.is_empty() {
                false => Some(Content::Batch(EventBatch {
                    events: chunk.events,
                })),
                true if chunk.end && behind => None,
                true if chunk.resume.get() - told.get() >= STRIDE => {
                    Some(Content::Heartbeat(Heartbeat {}))
                }
                true => None,
            };
            let marker = (chunk.end && behind).then_some(Content::CaughtUp(CaughtUp {}));
            behind = !chunk.end;
            for content in content.into_iter().chain(marker) {
                told = chunk.resume;
                let place = match place.take() {
                    Some(place) => place,
                    None => outlet.place(0).await?,
                };
                place.send(Ok(response(told, content)), chunk.bytes);
            }
            drop(place);
            while chunk.end && *durable.borrow() <= last {
                match tokio::time::timeout(self.limits.heartbeat, durable.changed()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return Err(Failure::shutting_down()),
                    Err(_) => {
                        // A right can end with the day, which no event says.
                        self.still_holds(&reader.right, told).await?;
                        reader.rest();
                        told = chunk.resume;
                        let heartbeat = response(told, Content::Heartbeat(Heartbeat {}));
                        outlet.place(0).await?.send(Ok(heartbeat), 0);
                    }
                }
            }
        }
    }
}

fn response(resume: Position, content: Content) -> FollowEventsResponse {
    FollowEventsResponse {
        resume_position: resume.get(),
        content: Some(content),
    }
}
