//! Somebody who talks to a server.

use std::time::Duration;

use planledger::client::Client;
use planledger_proto::v1::as_of::Moment;
use planledger_proto::v1::follow_events_response::Content;
use planledger_proto::v1::*;
use prost::Name;
use tokio::time::timeout;
use tonic::{Status, Streaming};
use uuid::Uuid;

use super::api::Ask;
use super::refused::Refused;
use super::requests::as_of;

/// Long enough for any answer; what takes longer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A connection on which somebody acts.
#[derive(Clone)]
pub(crate) struct Voice {
    pub(crate) client: Client,
}

impl Voice {
    /// Connects, with a system of its own acting.
    pub(crate) async fn connect(url: &str) -> Self {
        let actor = format!("system/{}", Uuid::new_v4());
        let client = Client::connect(url, &actor).await.unwrap();
        Self { client }
    }

    /// A person, on the same connection.
    pub(crate) fn person(&self, id: &str) -> Self {
        self.actor(&format!("person/{id}"))
    }

    /// Whoever this is, on the same connection.
    pub(crate) fn actor(&self, actor: &str) -> Self {
        let client = self.client.acting_as(actor).unwrap();
        Self { client }
    }

    /// Sends a request; an error is held against what the API promises of errors.
    pub(crate) async fn ask<Q: Ask>(&self, request: Q) -> Result<Q::Answer, Refused> {
        let answer = timeout(PATIENCE, request.send(&self.client)).await;
        let answer = answer.expect("an answer in time");
        answer.map_err(|status| Refused::new(&status, &Q::root()))
    }

    pub(crate) async fn try_execute(&self, command: Command) -> Result<Receipt, Refused> {
        let command = Some(command);
        let answer = self.ask(ExecuteRequest { command }).await?;
        Ok(answer.receipt.unwrap())
    }

    /// Has a command carried out that is not refused.
    pub(crate) async fn execute(&self, command: Command) -> Receipt {
        self.try_execute(command).await.unwrap()
    }

    pub(crate) async fn try_all(&self, commands: Vec<Command>) -> Result<Vec<Receipt>, Refused> {
        Ok(self.ask(ExecuteBatchRequest { commands }).await?.receipts)
    }

    /// Has commands carried out as one.
    pub(crate) async fn all(&self, commands: impl IntoIterator<Item = Command>) -> Vec<Receipt> {
        self.try_all(commands.into_iter().collect()).await.unwrap()
    }

    /// Where the ledger is.
    pub(crate) async fn position(&self) -> u64 {
        let status = self.ask(GetStatusRequest::default()).await;
        status.unwrap().position
    }

    pub(crate) async fn try_plan(
        &self,
        plan: &str,
        viewer: Viewer,
        at: Option<Moment>,
    ) -> Result<PlanView, Refused> {
        let request = GetPlanRequest {
            plan_id: plan.to_owned(),
            viewer: viewer.into(),
            min_position: 0,
            at: at.map(as_of),
        };
        Ok(self.ask(request).await?.plan.unwrap())
    }

    /// A plan as it is now, which somebody sees.
    pub(crate) async fn plan(&self, plan: &str, viewer: Viewer) -> PlanView {
        self.try_plan(plan, viewer, None).await.unwrap()
    }

    /// A plan as it was.
    pub(crate) async fn plan_at(&self, plan: &str, viewer: Viewer, position: u64) -> PlanView {
        let at = Some(Moment::Position(position));
        self.try_plan(plan, viewer, at).await.unwrap()
    }

    /// A plan's whole history, oldest first.
    pub(crate) async fn history(&self, plan: &str) -> Vec<Event> {
        let request = GetPlanHistoryRequest {
            plan_id: plan.to_owned(),
            page_size: 1_000,
            ..GetPlanHistoryRequest::default()
        };
        let page = self.ask(request).await.unwrap();
        assert_eq!(page.next_page_token, "");
        page.events
    }

    /// Reads events to their end; also gives the last resume position.
    pub(crate) async fn read_events(
        &self,
        request: ReadEventsRequest,
    ) -> Result<(Vec<Event>, u64), Refused> {
        let refused = |status| Refused::new(&status, &ReadEventsRequest::full_name());
        let mut answers = self.begin_reading(request).await.map_err(refused)?;
        let (mut events, mut resume) = (Vec::new(), 0);
        while let Some(answer) = next(&mut answers).await.map_err(refused)? {
            assert!(answer.resume_position >= resume);
            resume = answer.resume_position;
            assert!(answer.events.iter().all(|event| event.position <= resume));
            events.extend(answer.events);
        }
        Ok((events, resume))
    }

    /// Begins to read events.
    pub(crate) async fn begin_reading(
        &self,
        request: ReadEventsRequest,
    ) -> Result<Streaming<ReadEventsResponse>, Status> {
        let answers = self.client.events().read_events(request).await?;
        Ok(answers.into_inner())
    }

    /// Every event there is.
    pub(crate) async fn all_events(&self) -> Vec<Event> {
        let all = self.read_events(ReadEventsRequest::default()).await;
        all.unwrap().0
    }

    /// Begins to follow events.
    pub(crate) async fn follow(&self, request: FollowEventsRequest) -> Result<Follower, Refused> {
        let mut call = self.client.events();
        let answers = timeout(PATIENCE, call.follow_events(request)).await;
        match answers.expect("an answer in time") {
            Ok(answers) => Ok(Follower {
                answers: answers.into_inner(),
                resume: 0,
            }),
            Err(status) => Err(Refused::new(&status, &FollowEventsRequest::full_name())),
        }
    }

    /// Sends commands over one stream, all before the first answer is looked at, and gives what
    /// came of each.
    pub(crate) async fn stream(
        &self,
        commands: impl IntoIterator<Item = Command, IntoIter: Send + 'static>,
    ) -> Vec<ExecuteStreamResponse> {
        let requests = commands.into_iter().map(|command| ExecuteStreamRequest {
            command: Some(command),
        });
        let mut call = self.client.commands();
        let answers = call.execute_stream(tokio_stream::iter(requests)).await;
        let mut answers = answers.unwrap().into_inner();
        let mut outcomes = Vec::new();
        while let Some(answer) = next(&mut answers).await.unwrap() {
            outcomes.push(answer);
        }
        outcomes
    }
}

/// The next message of a stream, in time.
pub(crate) async fn next<T>(answers: &mut Streaming<T>) -> Result<Option<T>, tonic::Status> {
    let answer = timeout(PATIENCE, answers.message()).await;
    answer.expect("an answer in time")
}

/// Somebody who follows events.
pub(crate) struct Follower {
    answers: Streaming<FollowEventsResponse>,
    /// Up to where.
    pub(crate) resume: u64,
}

/// What a follower gets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Followed {
    Events(Vec<Event>),
    CaughtUp,
    Heartbeat,
    Ended(Refused),
}

impl Follower {
    pub(crate) async fn next(&mut self) -> Followed {
        let answer = match next(&mut self.answers).await {
            Ok(answer) => answer.expect("following does not end by itself"),
            Err(status) => {
                let root = FollowEventsRequest::full_name();
                return Followed::Ended(Refused::new(&status, &root));
            }
        };
        assert!(answer.resume_position >= self.resume);
        self.resume = answer.resume_position;
        match answer.content.unwrap() {
            Content::Batch(batch) => {
                assert!(!batch.events.is_empty());
                Followed::Events(batch.events)
            }
            Content::CaughtUp(_) => Followed::CaughtUp,
            Content::Heartbeat(_) => Followed::Heartbeat,
        }
    }

    /// What is recorded, up to the mark that says that this was all.
    pub(crate) async fn past(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            match self.next().await {
                Followed::Events(more) => events.extend(more),
                Followed::CaughtUp => return events,
                Followed::Heartbeat => {}
                Followed::Ended(refused) => panic!("{refused:?}"),
            }
        }
    }

    /// The same, or why nobody may follow.
    pub(crate) async fn past_or_end(&mut self) -> Result<Vec<Event>, Refused> {
        let mut events = Vec::new();
        loop {
            match self.next().await {
                Followed::Events(more) => events.extend(more),
                Followed::CaughtUp => return Ok(events),
                Followed::Heartbeat => {}
                Followed::Ended(refused) => return Err(refused),
            }
        }
    }

    /// The next `count` events, as they are recorded.
    pub(crate) async fn live(&mut self, count: usize) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < count {
            if let Followed::Events(more) = self.next().await {
                events.extend(more);
            }
        }
        assert_eq!(events.len(), count);
        events
    }
}
