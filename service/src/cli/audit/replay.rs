//! Reading everything from a server, folding it here, and comparing what follows from it with what
//! the server shows. The server's projections are not trusted; its events are checked by
//! `audit verify`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use clap::Args;
use planledger_core::domain::plan::Audience;
use planledger_core::domain::view::{Viewer, plan_view};
use planledger_core::domain::{Aggregate, EventMeta, EventType, Lookup, World};
use planledger_core::ids::{
    InstitutionId, PersonId, PlanId, Revision, StreamId, StreamKind, YearPlanId,
};
use planledger_proto::v1::{
    AsOf, Event, GetPlanRequest, GetPlanResponse, GetStatusRequest, ReadEventsRequest, as_of, event,
};
use tonic::Code;

use super::super::{Failure, Remote, output};
use super::compare::Compared;
use crate::client::Client;
use crate::settings::File;
use crate::wire;

const VIEWERS: [Viewer; 4] = [
    Viewer::Staff,
    Viewer::Audience(Audience::Student),
    Viewer::Audience(Audience::Guardians),
    Viewer::Audience(Audience::Others),
];

#[derive(Debug, Args)]
pub(in super::super) struct Replay {
    /// Compare only this plan; all are read all the same
    #[arg(long)]
    plan: Option<PlanId>,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Streams, folded here.
#[derive(Default)]
pub(super) struct Folded {
    pub(super) streams: HashMap<StreamId, (Arc<Aggregate>, Revision)>,
    plans: BTreeMap<(PersonId, YearPlanId), PlanId>,
    events: u64,
    unreadable: u64,
    /// Events with a revision that their stream had had already.
    forked: u64,
}

impl World for Folded {
    fn aggregate(&self, stream: StreamId) -> Lookup<Arc<Aggregate>> {
        match self.streams.get(&stream) {
            Some((state, _)) => Lookup::Found(state.clone()),
            None => Lookup::Absent,
        }
    }

    fn plan_of(&self, student: PersonId, year_plan: YearPlanId) -> Lookup<PlanId> {
        match self.plans.get(&(student, year_plan)) {
            Some(plan) => Lookup::Found(*plan),
            None => Lookup::Absent,
        }
    }
}

impl Folded {
    /// Looks at a stream's state, if it is there.
    pub(super) fn look<T>(
        &self,
        stream: StreamId,
        look: impl FnOnce(&Aggregate, Revision) -> Option<T>,
    ) -> Option<T> {
        let (state, revision) = self.streams.get(&stream)?;
        look(state, *revision)
    }

    /// A stream's revision; 0 if it is not there.
    pub(super) fn revision(&self, stream: StreamId) -> Revision {
        let found = self.streams.get(&stream);
        found.map(|(_, revision)| *revision).unwrap_or_default()
    }

    /// Persons and teams that belong to each institution.
    pub(super) fn by_institution(&self) -> HashMap<InstitutionId, HashSet<StreamId>> {
        let mut all: HashMap<_, HashSet<StreamId>> = HashMap::new();
        for (stream, (state, _)) in &self.streams {
            match &**state {
                Aggregate::Person(person) => {
                    for at in &person.affiliations {
                        all.entry(at.institution).or_default().insert(*stream);
                    }
                }
                Aggregate::Team(team) => {
                    let at = team.details.institution;
                    all.entry(at).or_default().insert(*stream);
                }
                _ => {}
            }
        }
        all
    }

    /// Plans that hang on each year plan.
    pub(super) fn by_year_plan(&self) -> HashMap<YearPlanId, HashSet<String>> {
        let mut all: HashMap<_, HashSet<String>> = HashMap::new();
        for (stream, (state, _)) in &self.streams {
            if let Aggregate::Plan(plan) = &**state {
                let plans = all.entry(plan.year_plan).or_default();
                plans.insert(stream.id.to_string());
            }
        }
        all
    }

    fn take(&mut self, event: &Event) -> Result<(), Failure> {
        let at = |what: &str| Failure::Refused(format!("event {}: {what}", event.position));
        let stream: StreamId = event.stream.parse().map_err(|_| at("no stream"))?;
        let revision = Revision::new(event.revision);
        let before = self.streams.remove(&stream);
        let last = before.as_ref().map_or(0, |(_, revision)| revision.get());
        // An earlier version may have gone on from an older state; the server counts such events too,
        // and says so in its status. One that is missing is another thing.
        if event.revision > last + 1 || event.revision == 0 {
            return Err(at("the stream's events do not follow each other"));
        }
        self.forked += u64::from(event.revision <= last);
        let mut state = before.map(|(state, _)| Arc::unwrap_or_clone(state));
        match &event.content {
            Some(event::Content::Payload(json)) => {
                let kind = EventType::from_name(&event.r#type).ok_or_else(|| {
                    at("this version does not know its type; a newer version of planledger is needed")
                })?;
                let schema = u16::try_from(event.schema).map_err(|_| at("unknown schema"))?;
                let read =
                    planledger_core::domain::Event::from_json(kind.code, schema, json.as_bytes());
                let read = read.map_err(|error| at(&error.to_string()))?;
                let meta = EventMeta {
                    stream,
                    revision,
                    recorded_at: wire::instant(event.recorded_at.as_ref())
                        .ok_or_else(|| at("no instant"))?,
                    actor: event.actor.parse().map_err(|_| at("no actor"))?,
                };
                Aggregate::apply(&mut state, &meta, &read);
            }
            Some(event::Content::Unreadable(_)) | None => self.unreadable += 1,
        }
        self.events += 1;
        if let Some(state) = state {
            if let Aggregate::Plan(plan) = &state {
                let id = PlanId::from_uuid(stream.id);
                self.plans.insert((plan.student, plan.year_plan), id);
            }
            let revision = revision.max(Revision::new(last));
            self.streams.insert(stream, (Arc::new(state), revision));
        }
        Ok(())
    }
}

impl Replay {
    pub(super) async fn run(self, file: &File) -> Result<(), Failure> {
        let client = Client::connect(&self.remote.url(file), &self.remote.actor).await?;
        let request = GetStatusRequest::default();
        let status = client.ledger().get_status(request).await?.into_inner();
        let position = status.position;
        let folded = read(&client, position).await?;
        let plans: Vec<_> = match self.plan {
            Some(plan) => vec![plan],
            None => {
                let all = folded.streams.keys();
                let mut plans: Vec<_> = all
                    .filter(|stream| stream.kind == StreamKind::Plan)
                    .map(|stream| PlanId::from_uuid(stream.id))
                    .collect();
                plans.sort_unstable();
                plans
            }
        };
        let others = match self.plan {
            Some(_) => Compared::default(),
            None => Compared::of(&client, &folded, position).await?,
        };
        let bar = output::progress(plans.len() as u64, "comparing plans");
        let mut differing = Vec::new();
        for plan in &plans {
            for viewer in VIEWERS {
                if !same(&client, &folded, *plan, viewer, position).await? {
                    differing.push((*plan, viewer));
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        if self.json {
            let plans_differing = differing.iter().map(|(plan, viewer)| {
                serde_json::json!({ "plan": plan.to_string(), "viewer": wire::viewer(*viewer).as_str_name() })
            });
            output::line(serde_json::json!({
                "position": position,
                "events": folded.events,
                "unreadable": folded.unreadable,
                "forked": folded.forked,
                "streams": folded.streams.len(),
                "plans": plans.len(),
                "differing": plans_differing.collect::<Vec<_>>(),
                "others": others.count,
                "othersComplete": others.moved.is_none() && self.plan.is_none(),
                "othersDiffering":
                    others.differing.iter().map(ToString::to_string).collect::<Vec<_>>(),
            }));
        } else {
            output::line(format!(
                "{} events up to position {position} were read and folded into {} streams; {} \
                 plans were compared, each as staff, student, guardians and others, and {} \
                 other states and lists",
                folded.events,
                folded.streams.len(),
                plans.len(),
                others.count
            ));
            if folded.forked > 0 {
                output::line(format!(
                    "{} events have a revision that their stream had already; see planledger ledger \
                     forks",
                    folded.forked
                ));
            }
            if let Some(moved) = others.moved {
                output::line(format!(
                    "not compared: the rest of people, groups and year plans, because the server has \
                     recorded more meanwhile, up to position {moved}; run it while nobody writes, or \
                     on a copy"
                ));
            }
            for stream in &others.differing {
                output::line(format!("  {stream} is not what the events lead to"));
            }
            for (plan, viewer) in &differing {
                let viewer = wire::viewer(*viewer).as_str_name();
                output::line(format!(
                    "  {plan} as {viewer} is not what the events lead to"
                ));
            }
        }
        match differing.len() + others.differing.len() {
            0 => Ok(()),
            count => Err(Failure::Refused(format!(
                "{count} states and views are not what the events lead to"
            ))),
        }
    }
}

async fn read(client: &Client, position: u64) -> Result<Folded, Failure> {
    let mut folded = Folded::default();
    let bar = output::progress(position, "reading");
    let request = ReadEventsRequest {
        max_count: position,
        ..ReadEventsRequest::default()
    };
    if position > 0 {
        let mut events = client.events().read_events(request).await?.into_inner();
        while let Some(response) = events.message().await? {
            for event in &response.events {
                folded.take(event)?;
            }
            bar.set_position(response.resume_position);
        }
    }
    bar.finish_and_clear();
    match folded.events == position {
        true => Ok(folded),
        false => Err(Failure::Refused(format!(
            "the server gave {} events up to position {position}",
            folded.events
        ))),
    }
}

/// Whether a view is the same there and here; not to be seen is the same as not there.
async fn same(
    client: &Client,
    folded: &Folded,
    plan: PlanId,
    viewer: Viewer,
    position: u64,
) -> Result<bool, Failure> {
    let here = plan_view(folded, plan, viewer)
        .map_err(|_| Failure::Refused(format!("plan {plan} cannot be shown from what was read")))?;
    let revision = folded.revision(plan.into());
    let here = here.map(|view| wire::plan_view(revision, &view));
    // As it is now, which is what people see; as of the position too, which is read another way.
    for at in [None, Some(as_of::Moment::Position(position))] {
        let request = GetPlanRequest {
            plan_id: plan.to_string(),
            viewer: wire::viewer(viewer).into(),
            min_position: 0,
            at: at.map(|moment| AsOf {
                moment: Some(moment),
            }),
        };
        let there = match client.plans().get_plan(request).await {
            Ok(response) => response.into_inner(),
            Err(status) if status.code() == Code::NotFound => GetPlanResponse::default(),
            Err(status) => return Err(status.into()),
        };
        // What was recorded since may have changed what is seen now.
        let moved = at.is_none() && there.position > position;
        if !moved && here != there.plan {
            return Ok(false);
        }
    }
    Ok(true)
}
