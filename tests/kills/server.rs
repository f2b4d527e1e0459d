//! The program as a child process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Fault;
use crate::witness::Witness;

/// How long a server may take to end when it is told to.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the program is.
#[derive(Debug, Clone)]
pub(crate) struct Program(PathBuf);

impl Program {
    /// The one given, or the one beside this program.
    pub(crate) fn find(given: Option<&Path>) -> Result<Self, Fault> {
        if let Some(given) = given {
            return Ok(Self(given.to_owned()));
        }
        let own = std::env::current_exe()?;
        let names = ["planledger", "planledger-under-test"].into_iter();
        let mut paths = names.map(|name| own.with_file_name(name));
        let found = paths.find(|path| path.exists());
        found.map(Self).ok_or_else(|| {
            let what = "there is no planledger beside this program; build it, or give --program";
            Fault::Own(what.to_owned())
        })
    }

    /// The program, with nothing in its environment that would set it up.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.0);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PLANLEDGER_") {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null());
        command
    }

    fn server(&self, dir: &Path) -> Command {
        let mut command = self.command();
        // Warnings would hide why a start is refused.
        command.args([
            "--log",
            "error",
            "serve",
            "--dev",
            "--listen",
            "127.0.0.1:0",
        ]);
        command
            .args(["--checkpoint-seconds", "1", "--dir"])
            .arg(dir);
        command
    }

    /// Starts a server, and waits until it listens.
    pub(crate) fn serve(&self, dir: &Path) -> Result<Server, Fault> {
        let mut child = self.server(dir).stderr(Stdio::piped()).spawn()?;
        let stderr = child.stderr.take();
        let mut stderr = BufReader::new(stderr.ok_or_else(|| Fault::Own("no output".to_owned()))?);
        let mut said = String::new();
        loop {
            let from = said.len();
            if stderr.read_line(&mut said)? == 0 {
                child.wait()?;
                return Err(Fault::Start(said));
            }
            let line = said.get(from..).unwrap_or_default().trim_end();
            if let Some(url) = line.strip_prefix("listening on ") {
                let url = url.to_owned();
                // A pipe that nobody reads would stop the server in the end.
                std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
                return Ok(Server { url, child });
            }
        }
    }

    /// Starts a server and kills it after a while, wherever its start has come to.
    pub(crate) fn serve_and_kill(&self, dir: &Path, after: Duration) -> std::io::Result<()> {
        let mut command = self.server(dir);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        std::thread::sleep(after);
        child.kill()?;
        child.wait().map(drop)
    }

    /// Verifies a ledger that nobody has open; gives what is wrong.
    pub(crate) fn verify(&self, dir: &Path) -> Result<Option<String>, Fault> {
        let mut command = self.command();
        command.args(["ledger", "verify", "--dir"]).arg(dir);
        said(&mut command)
    }

    /// Checks the last bundle that was exported to its end; gives what is wrong.
    pub(crate) fn verify_bundle(&self, witness: &Mutex<Witness>) -> Result<Option<String>, Fault> {
        let bundle = witness
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .bundle
            .take();
        let Some((bundle, key)) = bundle else {
            return Ok(None);
        };
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), bundle)?;
        let mut command = self.command();
        command
            .args(["audit", "verify", "--key", &key])
            .arg(file.path());
        said(&mut command)
    }
}

fn said(command: &mut Command) -> Result<Option<String>, Fault> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(None);
    }
    let said = [&output.stdout, &output.stderr].map(|part| String::from_utf8_lossy(part));
    Ok(Some(said.concat()))
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    child: Child,
}

impl Server {
    /// Kills it.
    pub(crate) fn kill(mut self) -> std::io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Tells it to stop; whether it did, without a fault.
    pub(crate) fn stop(mut self) -> Result<bool, Fault> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)
            .map_err(std::io::Error::from)?;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(false)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whatever the run came to, nothing keeps running. It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
