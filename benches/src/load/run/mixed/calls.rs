//! The calls of each sort of work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use planledger::client::Client;
use planledger::upload::upload;
use planledger::wire;
use planledger_benches::school::School;
use planledger_proto::v1::as_of::Moment;
use planledger_proto::v1::{
    AsOf, ExecuteBatchRequest, ExecuteRequest, GetCheckpointRequest, GetConsistencyProofRequest,
    GetOverviewRequest, GetPlanRequest, OverviewBy, Viewer,
};

use super::super::statuses;
use crate::fault::Fault;

/// Numbers of what batches hold: single commands have those before.
const BATCHED: u64 = 1 << 40;
/// Numbers of what comes before the time begins.
const BEFORE: u64 = 1 << 41;
/// How many commands that is in one request.
pub(super) const BEFORE_TOGETHER: u64 = 1_000;
/// A prime: plans are read in an order that looks like none.
const STRIDE: u64 = 7_919;
/// One of so many classes has changed when a roster comes again.
const CHANGED: u64 = 20;

/// A single command.
pub(super) async fn single(client: Client, school: School, nth: u64) -> Result<u64, Fault> {
    let command = statuses(&school, nth..nth + 1)?.pop();
    client
        .commands()
        .execute(ExecuteRequest { command })
        .await?;
    Ok(1)
}

/// A batch of so many commands.
pub(super) async fn batch(
    client: Client,
    school: School,
    size: u64,
    nth: u64,
) -> Result<u64, Fault> {
    batch_from(client, school, size, BATCHED + nth * size).await
}

/// A batch of what is carried out before the time begins.
pub(super) async fn before(client: Client, school: School, nth: u64) -> Result<u64, Fault> {
    let first = BEFORE + nth * BEFORE_TOGETHER;
    batch_from(client, school, BEFORE_TOGETHER, first).await
}

async fn batch_from(client: Client, school: School, size: u64, first: u64) -> Result<u64, Fault> {
    let commands = statuses(&school, first..first + size)?;
    let request = ExecuteBatchRequest { commands };
    client.commands().execute_batch(request).await?;
    Ok(size)
}

/// The whole roster again.
pub(super) async fn import(client: Client, school: School, nth: u64) -> Result<u64, Fault> {
    let hand_over = move |send: &mut dyn FnMut(_, String) -> bool| {
        for class in 0..school.classes() {
            // A class is as it was when it changed last.
            let edition = (nth + CHANGED - class % CHANGED) / CHANGED;
            let commands = match edition {
                0 => school.roster(class),
                edition => school.roster_again(class, edition),
            };
            // The texts are short; a roster that cannot be made changes nothing.
            let commands = commands.unwrap_or_default();
            if !commands
                .into_iter()
                .all(|command| send(wire::unless_unchanged(command), String::new()))
            {
                break;
            }
        }
        Ok(())
    };
    let uploaded = upload(&client, hand_over, |_| {}).await?;
    match uploaded.refusals.first() {
        None => Ok(uploaded.events),
        Some((_, error)) => Err(Fault::Untrue(error.message.clone())),
    }
}

/// A plan, now or as of an instant since the beginning.
pub(super) async fn plan(
    client: Client,
    school: School,
    nth: u64,
    since: Option<SystemTime>,
) -> Result<u64, Fault> {
    let at = since.map(|since| {
        let passed = since.elapsed().unwrap_or_default();
        let part = (nth * STRIDE % 1_000) as f64 / 1_000.0;
        AsOf {
            moment: Some(Moment::Instant((since + passed.mul_f64(part)).into())),
        }
    });
    let request = GetPlanRequest {
        plan_id: school.plan(nth * STRIDE % school.students()).to_string(),
        viewer: Viewer::Staff.into(),
        min_position: 0,
        at,
    };
    let answer = client.plans().get_plan(request).await?.into_inner();
    match answer.plan {
        Some(_) => Ok(0),
        None => Err(Fault::Untrue("a read gave no plan".to_owned())),
    }
}

/// The overview of all institutions.
pub(super) async fn overview(client: Client) -> Result<u64, Fault> {
    let request = GetOverviewRequest {
        by: OverviewBy::Institution.into(),
        page_size: 1_000,
        untouched_months: 3,
        ..GetOverviewRequest::default()
    };
    let answer = client.overview().get_overview(request).await?.into_inner();
    match answer.rows.is_empty() {
        true => Err(Fault::Untrue("an overview had no rows".to_owned())),
        false => Ok(0),
    }
}

/// A new checkpoint, and the proof that it goes on from the `last` one.
pub(super) async fn checkpoint(client: Client, last: Arc<AtomicU64>) -> Result<u64, Fault> {
    let request = GetCheckpointRequest {
        min_size: 0,
        create: true,
    };
    let answer = client.audit().get_checkpoint(request).await?.into_inner();
    let size = answer.checkpoint.map(|made| made.size).unwrap_or_default();
    let from_size = last.fetch_max(size, Ordering::Relaxed);
    if from_size > 0 && from_size < size {
        let request = GetConsistencyProofRequest {
            from_size,
            min_size: size,
        };
        client.audit().get_consistency_proof(request).await?;
    }
    Ok(0)
}
