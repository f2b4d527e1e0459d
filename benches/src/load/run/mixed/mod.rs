//! All sorts of work at fixed, modest rates for a long time: whether memory and latency stay as they are.

mod calls;
mod figures;
mod follower;
mod pace;
mod tally;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};

use clap::Args;
use planledger::server::stop_signal;
use planledger_benches::school::School;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) use self::figures::Figures;
use self::figures::{Sample, Setting};
use self::follower::Follower;
use self::pace::pace;
use self::tally::{Tally, Work};
use crate::Place;
use crate::fault::Fault;
use crate::report::Report;
use crate::target::Target;

/// How often the server makes a checkpoint by itself, in seconds: as the program does.
const CHECKPOINTS: u64 = 60;
/// Samples between two lines that say that it goes on.
const TOLD: usize = 30;
/// How long followers may take for what is left.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(50);

#[derive(Debug, Args)]
pub(crate) struct Mixed {
    /// Minutes; Ctrl-C ends it early, with what there is
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Seconds between two samples
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    sample: u64,
    /// Students, with a plan each
    #[arg(long, default_value_t = 10_000)]
    students: u64,
    /// Commands that are carried out before the time begins. A server keeps the ids of the last million, so
    /// with fewer its memory still grows until it has them
    #[arg(long, default_value_t = 1_100_000)]
    before: u64,
    /// Single commands a second
    #[arg(long, default_value_t = 100.0)]
    singles: f64,
    /// Seconds from one batch to the next
    #[arg(long, default_value_t = 10.0)]
    batch_every: f64,
    /// Commands of a batch
    #[arg(long, default_value_t = 500)]
    batch_size: u64,
    /// Seconds from one import of the whole roster to the next
    #[arg(long, default_value_t = 60.0)]
    import_every: f64,
    /// Plans a second that are read as they are now
    #[arg(long, default_value_t = 50.0)]
    reads: f64,
    /// Plans a second that are read as they were
    #[arg(long, default_value_t = 5.0)]
    past_reads: f64,
    /// Seconds from one overview to the next
    #[arg(long, default_value_t = 2.0)]
    overview_every: f64,
    /// Seconds from one checkpoint with its proof to the next
    #[arg(long, default_value_t = 10.0)]
    checkpoint_every: f64,
    /// Followers of everything
    #[arg(long, default_value_t = 2)]
    followers: u64,
    /// Draw memory, latencies and disk over time, as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

impl Mixed {
    pub(crate) async fn run(&self, place: &Place, report: &mut Report) -> Result<(), Fault> {
        let stop = stop_signal()?;
        if let Some(file) = &self.plot {
            // Better now than after an hour.
            std::fs::File::create(file)?;
        }
        let mut target = Target::start_with(place, Some(CHECKPOINTS)).await?;
        let school = self.found(&target).await?;
        let length = Duration::from_secs_f64(self.minutes.max(0.05) * 60.0);
        let after = target.position().await?;
        let used = target.used();
        let tally = Arc::new(Tally::new(length));
        let (stop_work, stopped) = watch::channel(false);
        let mut running = JoinSet::new();
        self.begin(&target, school, &tally, &stopped, &mut running)
            .await?;
        let mut following = JoinSet::new();
        let mut followers = Vec::new();
        for _ in 0..self.followers {
            let follower = Arc::new(Follower::new(after));
            let client = target.connect_as_another().await?;
            following.spawn(follower.clone().follow(client, tally.clone()));
            followers.push(follower);
        }
        let mut samples = Vec::new();
        let ended = tokio::select! {
            sampled = self.sample(&target, &tally, length, &mut samples) => sampled,
            failed = ends(&mut running) => failed,
            () = stop => Ok(()),
        };
        let seconds = tally.start.elapsed().as_secs_f64();
        let _ = stop_work.send(true);
        ended?;
        while let Some(ended) = running.join_next().await {
            ended??;
        }
        let position = target.position().await?;
        self.catch_up(&followers, position).await?;
        following.shutdown().await;
        let recorded = position - after;
        if recorded < tally.events() {
            let told = format!(
                "{} events had receipts, {recorded} are there",
                tally.events()
            );
            return Err(Fault::Untrue(told));
        }
        let setting = Setting {
            students: self.students,
            rates: self.rates(),
            seconds,
            recorded,
            cost: target.used_each(used.as_ref(), recorded),
        };
        let figures = Figures::new(setting, &tally, samples);
        if let Some(file) = &self.plot {
            std::fs::write(file, figures.plot(&report.machine.to_string()))?;
        }
        report.mixed = Some(figures);
        report.memory = target.memory();
        report.moments = target.moments();
        report.disk = target.disk().await?;
        target.stop()
    }

    /// The school, whose roster is the word of the system that brings it again and again.
    async fn found(&self, target: &Target) -> Result<School, Fault> {
        let (seed, _) = uuid::Uuid::new_v4().as_u64_pair();
        let school = School::new(seed, self.students);
        let (mut roster, mut courses) = (school.schools()?, Vec::new());
        for class in 0..school.classes() {
            roster.extend(school.roster(class)?);
            courses.extend(school.course_of(class)?);
        }
        target.record_as(school.importer(), roster).await?;
        target.record(&school, courses).await?;
        if self.before > 0 {
            eprintln!(
                "{} commands are carried out before the time begins",
                self.before
            );
        }
        let client = target.connect(&school).await?;
        for batch in 0..self.before / calls::BEFORE_TOGETHER {
            calls::before(client.clone(), school, batch).await?;
        }
        // It takes in all of that. A server makes one each minute, so it is seldom so far behind.
        let client = target.connect_as_another().await?;
        calls::checkpoint(client, Arc::default()).await?;
        Ok(school)
    }

    /// Begins all work but following.
    async fn begin(
        &self,
        target: &Target,
        school: School,
        tally: &Arc<Tally>,
        stopped: &watch::Receiver<bool>,
        running: &mut JoinSet<Result<(), Fault>>,
    ) -> Result<(), Fault> {
        let size = self.batch_size;
        let begun = SystemTime::now();
        let last = Arc::new(AtomicU64::new(0));
        for (work, every) in self.pauses() {
            let client = match work {
                Work::Single | Work::Batch => target.connect(&school).await?,
                Work::Import => target.connect_as(school.importer()).await?,
                // Each reads for itself: a caller may have only so many requests on their way.
                _ => target.connect_as_another().await?,
            };
            let last = last.clone();
            let call = move |nth| -> Result<Answer, Fault> {
                let client = client.clone();
                Ok(match work {
                    Work::Single => Box::pin(calls::single(client, school, nth)),
                    Work::Batch => Box::pin(calls::batch(client, school, size, nth)),
                    Work::Import => Box::pin(calls::import(client, school, nth)),
                    Work::PlanNow => Box::pin(calls::plan(client, school, nth, None)),
                    Work::PlanThen => Box::pin(calls::plan(client, school, nth, Some(begun))),
                    Work::Overview => Box::pin(calls::overview(client)),
                    Work::Checkpoint => Box::pin(calls::checkpoint(client, last.clone())),
                    // Followers are told, and do not ask.
                    Work::Follow => Box::pin(async { Ok(0) }),
                })
            };
            running.spawn(pace(tally.clone(), work, every, stopped.clone(), call));
        }
        Ok(())
    }

    /// What is called, and the time from one call to the next; nothing that is not wanted.
    fn pauses(&self) -> Vec<(Work, Duration)> {
        let all = [
            (Work::Single, 1.0 / self.singles),
            (Work::Batch, self.batch_every),
            (Work::Import, self.import_every),
            (Work::PlanNow, 1.0 / self.reads),
            (Work::PlanThen, 1.0 / self.past_reads),
            (Work::Overview, self.overview_every),
            (Work::Checkpoint, self.checkpoint_every),
        ];
        let wanted = all.into_iter().filter_map(|(work, seconds)| {
            let every = Duration::try_from_secs_f64(seconds).ok()?;
            (!every.is_zero()).then_some((work, every))
        });
        wanted.collect()
    }

    fn rates(&self) -> String {
        format!(
            "after {} commands, {} single commands a second, a batch of {} every {} s, the roster again every {} s, \
             {} plans a second now and {} as of an instant, an overview every {} s, a checkpoint every {} s, {} followers",
            self.before,
            self.singles,
            self.batch_size,
            self.batch_every,
            self.import_every,
            self.reads,
            self.past_reads,
            self.overview_every,
            self.checkpoint_every,
            self.followers
        )
    }

    /// Looks again and again, until the time is over.
    async fn sample(
        &self,
        target: &Target,
        tally: &Tally,
        length: Duration,
        samples: &mut Vec<Sample>,
    ) -> Result<(), Fault> {
        let every = Duration::from_secs(self.sample);
        let mut used = target.used();
        loop {
            let due = every * (samples.len() as u32 + 1);
            let until = tally.start + due.min(length);
            tokio::time::sleep_until(until.into()).await;
            if due > length {
                return Ok(());
            }
            let (work, on_way) = tally.look();
            let now = target.used();
            let cores = now.as_ref().zip(used.as_ref()).map(|(now, used)| {
                now.all().saturating_sub(used.all()).as_secs_f64() / every.as_secs_f64()
            });
            used = now;
            let sample = Sample {
                seconds: tally.start.elapsed().as_secs_f64(),
                resident: target.memory().map(|memory| memory.resident),
                disk: target.allocated()?,
                events: tally.events(),
                on_way,
                cores,
                work,
            };
            if (samples.len() + 1).is_multiple_of(TOLD) {
                eprintln!("{sample}");
            }
            samples.push(sample);
        }
    }

    /// Waits until everybody who follows has all events up to a position, each once.
    async fn catch_up(&self, followers: &[Arc<Follower>], position: u64) -> Result<(), Fault> {
        let everybody = async {
            while followers.iter().any(|follower| follower.last() < position) {
                tokio::time::sleep(LOOK).await;
            }
        };
        let untrue = |told: &str| Err(Fault::Untrue(told.to_owned()));
        if tokio::time::timeout(PATIENCE, everybody).await.is_err() {
            return untrue("not all events reached every follower");
        }
        match followers.iter().all(|follower| follower.is_complete()) {
            true => Ok(()),
            false => untrue("a follower missed an event, or got one twice"),
        }
    }
}

type Answer = std::pin::Pin<Box<dyn Future<Output = Result<u64, Fault>> + Send>>;

/// Ready when one of them ends before it is told to, and says why.
async fn ends(running: &mut JoinSet<Result<(), Fault>>) -> Result<(), Fault> {
    match running.join_next().await {
        Some(ended) => ended?,
        // Nothing is wanted but followers.
        None => std::future::pending().await,
    }
}
