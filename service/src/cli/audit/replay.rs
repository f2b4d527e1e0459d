//! `audit replay`: reads all events from a server, folds them into states here, and compares those
//! states with what the server shows. This command does not trust the server's projections. `audit
//! verify` checks the events themselves.

use clap::Args;
use planledger_core::ids::{PlanId, Revision, StreamKind};
use planledger_proto::v1::{
    AsOf, Event, GetPlanRequest, GetPlanResponse, GetStatusRequest, PlanView, ReadEventsRequest,
    Viewer, as_of,
};
use tonic::Code;

use super::super::error::CliError;
use super::super::output;
use super::super::remote::Remote;
use super::fold::{Folded, VIEWERS};
use super::listed::Compared;
use crate::client::Client;
use crate::settings::File;
use crate::system::today;
use crate::wire;

#[derive(Debug, Args)]
pub(in super::super) struct Replay {
    /// Compare only this plan; all events are still read
    #[arg(long)]
    plan: Option<PlanId>,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
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
                let now = folded.plan(*plan, viewer, today(), wire::plan_view)?;
                let then = folded.plan(*plan, viewer, folded.last_day(), wire::plan_view)?;
                let viewer = wire::viewer(viewer);
                if !same(&client, *plan, viewer, [now, then], position).await? {
                    differing.push((*plan, viewer));
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        if self.json {
            let plans_differing = differing.iter().map(|(plan, viewer)| {
                serde_json::json!({ "plan": plan.to_string(), "viewer": viewer.as_str_name() })
            });
            output::value(&serde_json::json!({
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
                "read {} events up to position {position}, and worked out {} streams from them; \
                compared {} plans, each as staff, student, guardians and others see it, and {} \
                other states and lists",
                folded.events,
                folded.streams.len(),
                plans.len(),
                others.count
            ));
            if folded.forked > 0 {
                output::line(format!(
                    "{} events have a revision that their stream already had; run planledger \
                    ledger forks to see them",
                    folded.forked
                ));
            }
            if let Some(moved) = others.moved {
                output::line(format!(
                    "not compared: the rest of the people, teams and year plans, because the \
                    server recorded more meanwhile, up to position {moved}; run the command while \
                    nobody writes, or on a copy"
                ));
            }
            for stream in &others.differing {
                output::line(format!("  {stream} does not match the events"));
            }
            for (plan, viewer) in &differing {
                let viewer = viewer.as_str_name();
                output::line(format!("  {plan} as {viewer} does not match the events"));
            }
        }
        match differing.len() + others.differing.len() {
            0 => Ok(()),
            count => Err(CliError::Refused(format!(
                "{count} states and views do not match the events"
            ))),
        }
    }
}

fn take(folded: &mut Folded, event: &Event) -> Result<(), CliError> {
    let at = |what: &str| CliError::Refused(format!("event {}: {what}", event.position));
    let stream = event.stream.parse().map_err(|_| at("no stream"))?;
    let read = wire::recorded(event).map_err(|what| at(&what));
    let taken = folded.take(stream, Revision::new(event.revision), || read);
    taken?.ok_or_else(|| at("the events of the stream do not follow each other"))
}

async fn read(client: &Client, position: u64) -> Result<Folded, CliError> {
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
                take(&mut folded, event)?;
            }
            bar.set_position(response.resume_position);
        }
    }
    bar.finish_and_clear();
    match folded.events == position {
        true => Ok(folded),
        false => Err(CliError::Refused(format!(
            "the server sent {} events, but it is at position {position}",
            folded.events
        ))),
    }
}

/// Whether the server shows a plan as it was folded here, as it is `now` and as it was `then`, on the
/// day of the last event. A view is `None` if the viewer may not see the plan, which counts as a plan that does not exist.
async fn same(
    client: &Client,
    plan: PlanId,
    viewer: Viewer,
    [now, then]: [Option<PlanView>; 2],
    position: u64,
) -> Result<bool, CliError> {
    // Compare the plan as it is now, which is what people see. Also compare it as of the position,
    // because the server reads the past in another way.
    for (here, at) in [(now, None), (then, Some(as_of::Moment::Position(position)))] {
        let request = GetPlanRequest {
            plan_id: plan.to_string(),
            viewer: viewer.into(),
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
        // Events recorded after `position` may have changed the present view.
        let moved = at.is_none() && there.position > position;
        if !moved && here != there.plan {
            return Ok(false);
        }
    }
    Ok(true)
}
