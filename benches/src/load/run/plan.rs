//! Reading a plan with a long history: now, and as of an instant.

use std::time::Instant;

use clap::Args;
use planledger::client::Client;
use planledger_benches::measure::clients::warm_up;
use planledger_benches::measure::latency::{histogram, record};
use planledger_benches::school::School;
use planledger_proto::v1::as_of::Moment;
use planledger_proto::v1::{AsOf, GetPlanHistoryRequest, GetPlanRequest, Viewer};

use crate::fault::Fault;
use crate::report::{Bar, Measurement};
use crate::target::Target;

/// The bars hold on the server's side; what is measured here has the call on top.
const NOW: Bar = Bar::P99(1_000.0);
const THEN: Bar = Bar::P99(5_000.0);

/// A prime, so that steps of this length come by all events, out of order.
const STRIDE: u64 = 7_919;

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Events of the plan
    #[arg(long, default_value_t = Self::default().events)]
    events: u64,
    /// Reads of each sort, one after another
    #[arg(long, default_value_t = Self::default().reads)]
    reads: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            events: 1_500,
            reads: 4_000,
        }
    }
}

impl Plan {
    pub(crate) async fn run(&self, target: &Target) -> Result<Vec<Measurement>, Fault> {
        // A class, whose other plans lie between the events of the one that is read.
        let school = target.school(25).await?;
        let mut commands = Vec::new();
        for nth in 0..self.events.saturating_sub(2) {
            commands.push(school.work_on(0, nth)?);
            commands.push(school.work_on(1 + nth % 24, nth / 24)?);
        }
        target.record(&school, commands).await?;
        let client = target.connect(&school).await?;
        let instants = instants(&client, &school).await?;
        if instants.len() as u64 != self.events {
            let told = format!("the plan has {} events", instants.len());
            return Err(Fault::Untrue(told));
        }
        let all = self.reads + warm_up(self.reads);
        let used = target.used();
        let now = read(&client, &school, self.reads, |_| None).await?;
        let now_each = target.used_each(used.as_ref(), all);
        let used = target.used();
        let then = read(&client, &school, self.reads, |nth| {
            let at = instants.get((nth * STRIDE % self.events) as usize)?;
            Some(AsOf {
                moment: Some(Moment::Instant(*at)),
            })
        })
        .await?;
        let then_each = target.used_each(used.as_ref(), all);
        let how = |when| {
            format!(
                "one client, {} reads of a plan with {} events, {when}",
                self.reads, self.events
            )
        };
        let (latencies, took) = now;
        let now = Measurement::new("plan now", how("now"), "reads", latencies.len(), took);
        let now = now.with_latency(&latencies).costing(now_each).against(NOW);
        let (latencies, took) = then;
        let how = how("as of the instant of each of them");
        let then = Measurement::new("plan then", how, "reads", latencies.len(), took);
        let then = then
            .with_latency(&latencies)
            .costing(then_each)
            .against(THEN);
        Ok(vec![now, then])
    }
}

/// When each event of the plan was recorded.
async fn instants(client: &Client, school: &School) -> Result<Vec<prost_types::Timestamp>, Fault> {
    let mut instants = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = GetPlanHistoryRequest {
            plan_id: school.plan(0).to_string(),
            page_size: 1_000,
            page_token,
            ..GetPlanHistoryRequest::default()
        };
        let page = client.plans().get_plan_history(request).await?.into_inner();
        instants.extend(page.events.iter().filter_map(|event| event.recorded_at));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(instants);
        }
    }
}

type Times = (hdrhistogram::Histogram<u64>, std::time::Duration);

async fn read(
    client: &Client,
    school: &School,
    reads: u64,
    at: impl Fn(u64) -> Option<AsOf>,
) -> Result<Times, Fault> {
    let mut plans = client.plans();
    let mut latencies = histogram();
    let mut start = Instant::now();
    for nth in 0..reads + warm_up(reads) {
        let request = GetPlanRequest {
            plan_id: school.plan(0).to_string(),
            viewer: Viewer::Staff.into(),
            min_position: 0,
            at: at(nth),
        };
        if nth == warm_up(reads) {
            start = Instant::now();
        }
        let before = Instant::now();
        let answer = plans.get_plan(request).await?.into_inner();
        if nth >= warm_up(reads) {
            record(&mut latencies, before.elapsed());
        }
        if answer.plan.is_none() {
            return Err(Fault::Untrue("a read gave no plan".to_owned()));
        }
    }
    Ok((latencies, start.elapsed()))
}
