//! The load: several clients at once, each with its own way of sending.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use planledger_benches::school::CLASS;
use planledger_proto::v1::{Command, Receipt};
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::kept::Kept;
use crate::send::{Sender, Trouble};
use crate::work::{self, Work};
use crate::{Fault, Place, Verdict, clients};

/// How often the pace gives out permits.
const TICK: Duration = Duration::from_millis(5);

#[derive(Debug, Args)]
pub(crate) struct Load {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Seconds to go on; until the server is gone if not set
    #[arg(long)]
    seconds: Option<u64>,
    /// Clients that send one command after another
    #[arg(long, default_value_t = 8)]
    clients: u64,
    /// Commands a second of all clients together
    #[arg(long, default_value_t = 3_000)]
    rate: u64,
    /// Classes to begin with, 25 students each
    #[arg(long, default_value_t = 4)]
    classes: u64,
}

/// What the clients share.
#[derive(Debug)]
pub(crate) struct Shared {
    kept: Mutex<Kept>,
    /// Classes that are there with people, course and plans.
    founded: AtomicU64,
    pace: Semaphore,
    until: Option<Instant>,
    refused: Mutex<BTreeMap<String, u64>>,
}

impl Shared {
    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Waits for its turn to send so many commands.
    pub(crate) async fn turn(&self, commands: usize) {
        for _ in 0..commands {
            if let Ok(permit) = self.pace.acquire().await {
                permit.forget();
            }
        }
    }

    async fn set_pace(&self, rate: u64) {
        let each = (rate * TICK.as_millis() as u64 / 1_000).max(1) as usize;
        loop {
            tokio::time::sleep(TICK).await;
            if self.pace.available_permits() < 8 * each {
                self.pace.add_permits(each);
            }
        }
    }

    pub(crate) fn classes(&self) -> u64 {
        self.founded.load(Ordering::Acquire)
    }

    pub(crate) fn students(&self) -> u64 {
        self.classes() * CLASS
    }

    pub(crate) fn one_more_class(&self) {
        self.founded.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn refused(&self, reason: &str) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused.entry(reason.to_owned()).or_default() += 1;
    }

    /// Sends commands as one and keeps what came of it. `false` if the server is gone.
    pub(crate) async fn together(
        &self,
        sender: &Sender,
        commands: Vec<Command>,
    ) -> Result<bool, Fault> {
        self.turn(commands.len()).await;
        self.kept().intend(&commands, true)?;
        match sender.execute_all(&commands).await {
            Ok(receipts) => self.received(&receipts),
            Err(trouble) => Ok(self.goes_on(&trouble)),
        }
    }

    pub(crate) fn received(&self, receipts: &[Receipt]) -> Result<bool, Fault> {
        self.kept().receive(receipts)?;
        Ok(true)
    }

    /// Whether a client has anything left to do after this.
    pub(crate) fn goes_on(&self, trouble: &Trouble) -> bool {
        match trouble {
            Trouble::Gone(_) => false,
            Trouble::Refused(reason) => {
                self.refused(reason);
                // A server whose writer has stopped takes nothing more until it is started again.
                reason != "WRITER_STOPPED"
            }
        }
    }
}

/// What a load came to.
#[derive(Debug, Serialize)]
struct Report {
    round: u64,
    commands: usize,
    receipts: usize,
    /// Commands that were refused for good, by reason. None of them is against a rule.
    refused: BTreeMap<String, u64>,
}

impl Load {
    pub(crate) async fn run(&self) -> Result<Verdict, Fault> {
        let mut kept = Kept::open(&self.place.kept)?;
        let actor = work::school(self.place.seed).actor().to_string();
        let sender = Sender::connect(&self.place, &actor).await?;
        settle(&sender, &mut kept).await?;
        let round = kept.begin()?;
        let before = (kept.sent().len(), receipts(&kept));
        let founded = founded(&kept);
        let shared = Arc::new(Shared {
            kept: Mutex::new(kept),
            founded: AtomicU64::new(founded),
            pace: Semaphore::new(0),
            until: self
                .seconds
                .map(|it| Instant::now() + Duration::from_secs(it)),
            refused: Mutex::default(),
        });
        let pace = tokio::spawn({
            let (shared, rate) = (shared.clone(), self.rate);
            async move { shared.set_pace(rate).await }
        });
        let went = self.all(&sender, &shared, round).await;
        pace.abort();
        let kept = shared.kept();
        kept.sync()?;
        let refused = shared
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let report = Report {
            round,
            commands: kept.sent().len() - before.0,
            receipts: receipts(&kept) - before.1,
            refused: refused.clone(),
        };
        println!("{}", serde_json::to_string(&report)?);
        went.map(|()| Verdict::Good)
    }

    async fn all(&self, sender: &Sender, shared: &Arc<Shared>, round: u64) -> Result<(), Fault> {
        let work = |client| Work::new(self.place.seed, round, client);
        let (first, batches, stream) = (0, 1, 2);
        if !clients::found(sender, shared, work(first), self.classes).await? {
            return Ok(());
        }
        let mut running = tokio::task::JoinSet::new();
        running.spawn(clients::batches(
            sender.clone(),
            shared.clone(),
            work(batches),
        ));
        running.spawn(clients::stream(
            sender.clone(),
            shared.clone(),
            work(stream),
        ));
        for client in 0..self.clients {
            let own = clients::Share {
                nth: client,
                of: self.clients,
            };
            let singles = clients::singles(
                sender.clone(),
                shared.clone(),
                work(stream + 1 + client),
                own,
            );
            running.spawn(singles);
        }
        while let Some(ended) = running.join_next().await {
            ended.map_err(|error| Fault::Own(error.to_string()))??;
        }
        Ok(())
    }
}

/// Sends again, in order, what has no receipt yet, so that everything after it finds it there.
pub(crate) async fn settle(sender: &Sender, kept: &mut Kept) -> Result<(), Fault> {
    for group in kept.pending() {
        let receipts = match group.as_slice() {
            [single] => sender.execute(single).await.map(|receipt| vec![receipt]),
            batch => sender.execute_all(batch).await,
        };
        match receipts {
            Ok(receipts) => kept.receive(&receipts)?,
            Err(Trouble::Gone(what)) => return Err(Fault::Gone(what)),
            Err(Trouble::Refused(reason)) => {
                let what = format!("a command without a receipt is refused: {reason}");
                return Err(Fault::Gone(what));
            }
        }
    }
    Ok(())
}

/// Classes whose plans are there, told from the batches that founded them.
fn founded(kept: &Kept) -> u64 {
    use planledger_proto::v1::{command::Command as Aggregate, year_plan_command::Operation};
    let created = kept.sent().iter().filter(|sent| {
        let Some(Aggregate::YearPlan(year_plan)) = &sent.command.command else {
            return false;
        };
        matches!(year_plan.operation, Some(Operation::CreateYearPlan(_)))
    });
    created.count() as u64
}

pub(crate) fn receipts(kept: &Kept) -> usize {
    let sent = kept.sent().iter();
    sent.filter(|sent| sent.receipt.is_some()).count()
}
