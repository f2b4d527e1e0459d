//! What the cases have in common.

use std::time::Duration;

pub(super) use super::dice::Dice;
use crate::support::*;
use crate::watched::Measured;

/// Linux's numbers of the errors that disks and full machines give.
pub(super) const EIO: i32 = 5;
pub(super) const EACCES: i32 = 13;
pub(super) const EMFILE: i32 = 24;
pub(super) const ENOSPC: i32 = 28;
pub(super) const EROFS: i32 = 30;

/// Longer than any stop takes that comes to its end.
pub(super) const STOP: Duration = Duration::from_secs(10);

impl Dice {
    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// A ledger on which the system fails, and who remembers what it promised.
pub(super) struct Story {
    pub(super) home: Home,
    pub(super) outside: Outside,
    pub(super) faults: Faults,
}

impl Story {
    /// A ledger with a school in it, stopped properly. Calls on derived state can fail.
    pub(super) fn begin(seed: u64) -> Self {
        Self::begin_with(seed, Home::new(), Faults::on("/derived/"))
    }

    /// The same, where calls can fail on the files below a folder of the ledger's directory, or on all of
    /// them if it has no name.
    pub(super) fn begin_on(seed: u64, folder: &str) -> Self {
        let home = Home::new();
        let part = format!("{}/{folder}", home.path().display());
        Self::begin_with(seed, home, Faults::on(&part))
    }

    fn begin_with(seed: u64, home: Home, faults: Faults) -> Self {
        let story = Self {
            home,
            outside: Outside::new(seed),
            faults,
        };
        let serving = Serving::start(story.home.path());
        // As many persons as fill lists that are not small.
        let much = ["--classes", "14", "--seconds", "1", "--rate", "3000"];
        story.outside.load(&serving.url, &much);
        serving.stop();
        story
    }

    /// Starts the server where calls can fail.
    pub(super) fn start(&self) -> Result<Serving, String> {
        let mut command = program();
        self.faults.meet(&mut command);
        command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--dir"]);
        Serving::launch(command.arg(self.home.path()))
    }

    /// The same, with metrics, and with checkpoints every second.
    pub(super) fn start_watched(&self) -> Measured {
        self.start_watched_with(&[])
    }

    /// The same, with these settings in the environment.
    pub(super) fn start_watched_with(&self, env: &[(&str, &str)]) -> Measured {
        let mut command = program();
        command.envs(env.iter().copied());
        self.faults.meet(&mut command);
        command.args(["serve", "--dev", "--listen", "127.0.0.1:0"]);
        command.args(["--metrics", "127.0.0.1:0", "--checkpoint-seconds", "1"]);
        command.arg("--dir").arg(self.home.path());
        Measured::of(Serving::launch(&mut command).unwrap_or_else(|log| panic!("{log}")))
    }

    /// Puts it under load while calls may fail.
    pub(super) fn load(&self, serving: &Serving) -> String {
        let arguments = ["--seconds", "2", "--rate", "3000", "--patience", "2"];
        self.outside.load(&serving.url, &arguments)
    }

    /// A load of half a second on a server on which all is well.
    pub(super) fn work(&self, serving: &Serving) -> String {
        let arguments = ["--seconds", "1", "--rate", "2000"];
        self.outside.load(&serving.url, &arguments)
    }

    /// Stops a server on which calls failed, starts one on which none does, and holds it to all.
    pub(super) fn end(self, serving: Serving) -> Result<Held, String> {
        self.faults.end();
        let stopped = serving.stop_within(STOP);
        let stopped = stopped.map_err(|log| format!("it does not stop: {log}"));
        let kept = self.check();
        match (stopped, kept) {
            (Err(one), Err(other)) => Err(format!("{one}; {other}")),
            (stopped, kept) => stopped.and(kept),
        }
    }

    /// The same, without giving it time to stop.
    pub(super) fn crash(self, serving: Serving) -> Result<Held, String> {
        self.faults.end();
        serving.kill();
        self.check()
    }

    /// A server on which nothing fails keeps everything.
    pub(super) fn check(self) -> Result<Held, String> {
        let serving = self.start();
        let serving = serving.map_err(|log| format!("the start is refused: {log}"))?;
        let checked = self.outside.check(&serving.url);
        if !checked.good {
            return Err(checked.said);
        }
        serving
            .stop_within(STOP)
            .map_err(|log| format!("it does not stop: {log}"))?;
        let verified = run([
            "ledger",
            "verify",
            "--dir",
            self.home.path().to_str().unwrap(),
        ]);
        match verified.code {
            Some(0) => Ok(Held {
                receipted: checked.receipted,
                missing: checked.missing,
            }),
            _ => Err(verified.stderr),
        }
    }
}

/// What servers were held to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    /// Commands with a receipt.
    pub(super) receipted: u64,
    /// Those of them that were not there.
    pub(super) missing: u64,
}

/// What was done in a case, and what was wrong after it.
pub(super) struct Outcome {
    pub(super) how: String,
    pub(super) was: Result<Held, String>,
}

/// Goes through cases from one seed on; fails when any did, with all that did. Gives what all of them held.
#[allow(clippy::print_stdout, reason = "a long run is watched")]
pub(super) fn go_through(usually: u64, of: u64, case: impl Fn(&mut Dice) -> Outcome) -> Held {
    let number = |name: &str, usually| match std::env::var(name) {
        Ok(given) => given.parse().unwrap(),
        Err(_) => usually,
    };
    let cases = number("PLANLEDGER_FAULT_CASES", usually);
    let begin = number("PLANLEDGER_FAULT_SEED", 1);
    let mut all = Held::default();
    let failed: Vec<_> = (begin..begin + cases)
        .filter_map(|seed| {
            let Outcome { how, was } = case(&mut Dice::new(seed << 8 | of));
            let said = format!("seed {seed}: {}: {was:?}", how.trim());
            println!("{said}");
            let held = was.map_err(|_| said);
            held.map(|held| {
                all.receipted += held.receipted;
                all.missing += held.missing;
            })
            .err()
        })
        .collect();
    let (bad, told) = (failed.len(), failed.join("\n"));
    assert!(failed.is_empty(), "{bad} of {cases} cases failed:\n{told}");
    all
}
