//! The program as a child process.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::voice::Voice;

/// The program, with nothing in its environment that would set it up.
pub(crate) fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_planledger-under-test"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PLANLEDGER_") {
            program.env_remove(name);
        }
    }
    program.stdin(Stdio::null());
    program
}

/// Held while a program is started. Until it runs, it holds whatever this process has open, also the
/// lock of a ledger that is closed at that moment.
static STARTING: Mutex<()> = Mutex::new(());

/// Starts a program.
pub(crate) fn start(command: &mut Command) -> Child {
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    command.spawn().unwrap()
}

/// Waits until every program runs that is being started.
pub(crate) fn await_starting() {
    drop(STARTING.lock().unwrap_or_else(PoisonError::into_inner));
}

/// Runs a program to its end, and gives what it prints where that is not said otherwise.
pub(crate) fn output(command: &mut Command) -> Output {
    start(command).wait_with_output().unwrap()
}

/// The folder with the sample roster and catalogue.
pub(crate) fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../service/samples")
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Standard output as JSON, and nothing else.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same, if the run was done.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

/// Runs the program to its end.
pub(crate) fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ran {
    let mut program = program();
    program.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = output(program.args(arguments));
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A server that is a process of its own.
pub(crate) struct Serving {
    pub(crate) url: String,
    /// What it said before it listened, and that.
    pub(crate) said: String,
    child: Child,
    /// What it says on standard error from the first line on.
    log: Option<JoinHandle<String>>,
}

impl Serving {
    /// Starts `planledger serve` on a free port.
    pub(crate) fn start(dir: &Path) -> Self {
        Self::start_with(dir, &[])
    }

    /// Starts it with more arguments.
    pub(crate) fn start_with(dir: &Path, more: &[&str]) -> Self {
        let mut command = program();
        command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--dir"]);
        Self::launch(command.arg(dir).args(more)).unwrap_or_else(|log| panic!("{log}"))
    }

    /// Starts what runs the server in the end; gives what it says if it does not come up.
    pub(crate) fn launch(command: &mut Command) -> Result<Self, String> {
        let mut child = start(command.stderr(Stdio::piped()));
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        let url = loop {
            let from = log.len();
            if stderr.read_line(&mut log).unwrap() == 0 {
                child.wait().unwrap();
                return Err(log);
            }
            // The line alone, or as a text in JSON.
            let line = log[from..].trim_end();
            if let Some((before, url)) = line.split_once("listening on ")
                && (before.is_empty() || before.ends_with('"'))
            {
                break url.split('"').next().unwrap_or_default().to_owned();
            }
        };
        let said = log.clone();
        let log = std::thread::spawn(move || {
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        Ok(Self {
            url,
            said,
            child,
            log: Some(log),
        })
    }

    /// Its number, as the system counts processes.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to stop. One that does not end in time is killed.
    pub(crate) fn stop_within(self, limit: Duration) -> Result<(ExitStatus, String), String> {
        self.terminate();
        let pid = Pid::from_child(&self.child);
        let (ended, awaited) = mpsc::channel();
        let watching = std::thread::spawn(move || {
            let late = awaited.recv_timeout(limit).is_err();
            if late {
                // It has not been waited for, so the number is still its own.
                kill_process(pid, Signal::KILL).unwrap();
            }
            late
        });
        let (status, log) = self.wait();
        // Fails when it was too late.
        let _ = ended.send(());
        match watching.join().unwrap() {
            true => Err(log),
            false => Ok((status, log)),
        }
    }

    /// Connects to it.
    pub(crate) async fn voice(&self) -> Voice {
        Voice::connect(&self.url).await
    }

    /// Kills it, as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM, and does not wait.
    pub(crate) fn terminate(&self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// Waits for its end; gives what it said as well.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        let log = self.log.take().unwrap().join().unwrap();
        (status, log)
    }

    /// Stops it properly; gives what it said.
    pub(crate) fn stop(self) -> String {
        self.terminate();
        let (status, log) = self.wait();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Whatever the test came to, nothing keeps running. It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
