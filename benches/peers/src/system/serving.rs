//! Servers as processes of their own, which end when the driver ends, however it ends.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::fault::Fault;

const PATIENCE: Duration = Duration::from_secs(20);

/// A server that runs.
pub(crate) struct Serving {
    name: &'static str,
    process: Child,
    said: PathBuf,
    stop: Signal,
    /// Removed when the server has stopped.
    dir: tempfile::TempDir,
}

/// A fresh directory.
pub(crate) fn fresh(name: &'static str, root: &Path) -> Result<tempfile::TempDir, Fault> {
    Ok(tempfile::Builder::new().prefix(name).tempdir_in(root)?)
}

/// A port that is free, or was a moment ago.
pub(crate) fn free_port() -> Result<u16, Fault> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

impl Serving {
    /// Starts a server in the name of `user`, who may be nobody else, on a directory that is removed with it.
    /// The kernel sends it `stop` when the driver is gone.
    pub(crate) fn start(
        name: &'static str,
        dir: tempfile::TempDir,
        user: Option<&str>,
        stop: Signal,
        program: &Path,
        arguments: &[&str],
    ) -> Result<Self, Fault> {
        let said = dir.path().join("said");
        let file = File::create(&said)?;
        let signal = match stop {
            Signal::INT => "INT",
            _ => "TERM",
        };
        let mut command = Command::new("setpriv");
        if let Some(user) = user {
            command.args(["--reuid", user, "--regid", user, "--clear-groups"]);
        }
        // The last of the options: changing the user forgets it.
        command
            .args(["--pdeathsig", signal])
            .arg(program)
            .args(arguments);
        let process = command
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()?;
        let all = dir.path().parent().unwrap_or(dir.path()).join("servers");
        let known = fs::read_to_string(&all).unwrap_or_default();
        // Whoever cleans up waits for these.
        fs::write(&all, format!("{known}{}\n", process.id()))?;
        Ok(Self {
            name,
            process,
            said,
            stop,
            dir,
        })
    }

    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What it has printed.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_default()
    }

    /// Waits until it is there.
    pub(crate) async fn until<T, Ready>(
        &mut self,
        mut ready: impl FnMut(String) -> Ready,
    ) -> Result<T, Fault>
    where
        Ready: Future<Output = Option<T>>,
    {
        let start = Instant::now();
        loop {
            if let Some(found) = ready(self.said()).await {
                return Ok(found);
            }
            if let Some(status) = self.process.try_wait()? {
                return Err(self.failed(&format!("ended with {status}")));
            }
            if start.elapsed() > PATIENCE {
                return Err(self.failed("does not answer"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops it as its documentation says, and waits.
    pub(crate) fn stop(mut self) -> Result<(), Fault> {
        match self.end()? {
            Some(status) if !status.success() && status.code().is_some() => {
                Err(self.failed(&format!("ended with {status}")))
            }
            _ => Ok(()),
        }
    }

    fn end(&mut self) -> Result<Option<ExitStatus>, Fault> {
        let start = Instant::now();
        if let Some(pid) = Pid::from_raw(self.process.id() as i32)
            && self.process.try_wait()?.is_none()
        {
            kill_process(pid, self.stop).map_err(std::io::Error::from)?;
        }
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait()? {
                return Ok(Some(status));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.process.kill()?;
        self.process.wait()?;
        Err(self.failed("had to be killed"))
    }

    fn failed(&self, what: &str) -> Fault {
        let said = self.said();
        let last: Vec<&str> = said.lines().rev().take(5).collect();
        let last = last.into_iter().rev().collect::<Vec<_>>().join(" | ");
        Fault::System {
            system: self.name,
            reason: format!("{what}: {last}"),
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Whatever went wrong before, nothing is left running.
        if matches!(self.process.try_wait(), Ok(None)) {
            let _ = self.end();
        }
    }
}

/// Whether whoever runs this may do anything; PostgreSQL does not start then.
pub(crate) fn privileged() -> bool {
    match fs::metadata("/proc/self") {
        Ok(about) => about.uid() == 0,
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}
