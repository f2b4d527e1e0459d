//! Which threads of a process have used how much processor time.

use std::collections::BTreeMap;
use std::fs;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::process::processor_time;

/// Threads by how their names begin, and what is called a stage. The system keeps 15 bytes of a name.
const STAGES: [(&str, &str); 9] = [
    ("ledger-writer", "writer"),
    ("ledger-committe", "committer"),
    ("ledger-projecto", "projector"),
    ("ledger-opener", "opener"),
    ("ledger-access", "access log"),
    ("ledger-sled", "sled"),
    ("sled", "sled"),
    ("log flusher", "sled"),
    ("tokio-", "serving"),
];
/// What threads used that have ended meanwhile.
const ENDED: &str = "ended";
/// The process is counted in steps of a hundredth of a second, its threads exactly: a difference of less says
/// nothing.
const STEP: Duration = Duration::from_millis(20);
/// How often a process is looked at whose threads end.
const LOOK: Duration = Duration::from_millis(50);

/// Processor time that a process and its threads have used until now.
#[derive(Debug, Clone)]
pub struct Usage {
    all: Duration,
    /// By thread: the stage that it belongs to, and its time.
    threads: BTreeMap<u32, (String, Duration)>,
}

/// Processor time for each of what was counted, in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Of all threads together.
    pub micros: f64,
    /// By stage: what a thread is there for. Those that used nothing are left out.
    pub stages: BTreeMap<String, f64>,
}

impl Usage {
    /// Looks at a process; `None` where the system does not tell.
    pub fn of(process: u32) -> Option<Self> {
        let all = processor_time(process)?;
        let mut threads = BTreeMap::new();
        for item in fs::read_dir(format!("/proc/{process}/task"))
            .ok()?
            .flatten()
        {
            let id = item.file_name().to_str().and_then(|id| id.parse().ok());
            // One that ends meanwhile has used what the process has and no thread.
            let used = fs::read_to_string(item.path().join("schedstat")).ok();
            let name = fs::read_to_string(item.path().join("comm")).ok();
            let used = used.and_then(|used| used.split_whitespace().next()?.parse().ok());
            if let (Some(id), Some(used), Some(name)) = (id, used, name) {
                let main = id == process;
                threads.insert(id, (stage(name.trim(), main), Duration::from_nanos(used)));
            }
        }
        Some(Self { all, threads })
    }

    /// What the process has used by now.
    pub fn all(&self) -> Duration {
        self.all
    }

    /// What was used since then for each of `count`.
    pub fn since(&self, before: &Self, count: u64) -> Cost {
        let mut stages: BTreeMap<String, Duration> = BTreeMap::new();
        for (id, (stage, used)) in &self.threads {
            let then = before
                .threads
                .get(id)
                .map_or(Duration::ZERO, |(_, used)| *used);
            let used = used.saturating_sub(then);
            if !used.is_zero() {
                *stages.entry(stage.clone()).or_default() += used;
            }
        }
        let known: Duration = stages.values().sum();
        let mut all = self.all.saturating_sub(before.all);
        match all.checked_sub(known) {
            Some(ended) if ended >= STEP => {
                stages.insert(ENDED.to_owned(), ended);
            }
            _ => all = known,
        }
        let each = |used: Duration| used.as_secs_f64() * 1e6 / count.max(1) as f64;
        Cost {
            micros: each(all),
            stages: stages
                .into_iter()
                .map(|(stage, used)| (stage, each(used)))
                .collect(),
        }
    }
}

/// Looks at a process again and again, so that little is missed of what threads used that end.
#[derive(Debug)]
pub struct Gathering {
    before: Option<Usage>,
    // Dropping it ends the thread.
    stop: Sender<()>,
    watching: JoinHandle<Option<Usage>>,
}

impl Gathering {
    /// Looks at a process from now on.
    pub fn start(process: u32) -> Self {
        let before = Usage::of(process);
        let mut found = before.clone();
        let (stop, told) = mpsc::channel();
        let watching = thread::spawn(move || {
            loop {
                let told = told.recv_timeout(LOOK);
                if let (Some(found), Some(now)) = (&mut found, Usage::of(process)) {
                    found.all = now.all;
                    found.threads.extend(now.threads);
                }
                match told {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return found,
                }
            }
        });
        Self {
            before,
            stop,
            watching,
        }
    }

    /// What was used for each of `count`; `None` where the system does not tell.
    pub fn end(self, count: u64) -> Option<Cost> {
        drop(self.stop);
        let found = self.watching.join().ok()??;
        Some(found.since(&self.before?, count))
    }
}

/// What a thread is there for, by its name.
fn stage(name: &str, main: bool) -> String {
    let known = STAGES.iter().find(|(begins, _)| name.starts_with(begins));
    match known {
        Some((_, stage)) => (*stage).to_owned(),
        None if main => "main".to_owned(),
        // Several of a kind are numbered.
        None => name
            .trim_end_matches(|end: char| end.is_ascii_digit() || end == '-')
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::{ENDED, Gathering, Usage, stage};

    /// Uses some processor time, of this thread.
    fn work(least: Duration) {
        let used = || {
            let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
            text.split_whitespace()
                .next()
                .unwrap()
                .parse::<u64>()
                .unwrap()
        };
        let before = used();
        while used() - before < least.as_nanos() as u64 {}
    }

    #[test]
    fn what_a_thread_uses_is_of_its_stage_until_it_has_ended() {
        let me = std::process::id();
        let before = Usage::of(me).unwrap();
        let (worked, has_worked) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        let named = thread::Builder::new().name("ledger-projector".to_owned());
        let running = named.spawn(move || {
            work(Duration::from_millis(60));
            worked.send(()).unwrap();
            let _ = ends.recv();
        });
        has_worked.recv().unwrap();
        let now = Usage::of(me).unwrap().since(&before, 10);
        let of = |stage: &str| now.stages.get(stage).copied().unwrap_or_default();
        assert!(of("projector") >= 6_000.0, "{now:?}");
        assert!(now.micros >= of("projector"), "{now:?}");
        drop(end);
        running.unwrap().join().unwrap();
        let after = Usage::of(me).unwrap().since(&before, 10);
        assert!(!after.stages.contains_key("projector"), "{after:?}");
        assert!(
            after.stages.get(ENDED).is_some_and(|used| *used >= 4_000.0),
            "{after:?}"
        );
    }

    #[test]
    fn whoever_looks_again_and_again_knows_what_an_ended_thread_was_for() {
        let gathering = Gathering::start(std::process::id());
        let named = thread::Builder::new().name("ledger-committer".to_owned());
        let running = named.spawn(|| work(Duration::from_millis(400)));
        running.unwrap().join().unwrap();
        let cost = gathering.end(1).unwrap();
        let of = cost.stages.get("committer").copied().unwrap_or_default();
        assert!(of >= 200_000.0, "{cost:?}");
    }

    #[test]
    fn threads_of_a_kind_are_one_stage() {
        assert_eq!(stage("sled-io-12", false), "sled");
        assert_eq!(stage("ledger-committe", false), "committer");
        assert_eq!(stage("tokio-rt-worker", false), "serving");
        assert_eq!(stage("helper-3", false), "helper");
        assert_eq!(stage("load", true), "main");
    }
}
