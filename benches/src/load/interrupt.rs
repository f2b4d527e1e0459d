//! Ctrl-C and SIGTERM: what was begun is ended, and what was written removed.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use planledger::server::stop_signal;
use tokio::runtime::Runtime;

use super::fault::Fault;

/// How often is looked whether a process has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Whether somebody wants no more of it.
#[derive(Debug)]
pub(crate) struct Interrupt {
    wanted: Arc<AtomicBool>,
    // The signals arrive there.
    runtime: Runtime,
}

impl Interrupt {
    /// Listens for the signals from now on.
    pub(crate) fn listen() -> Result<Self, Fault> {
        let runtime = Runtime::new()?;
        let wanted = Arc::new(AtomicBool::new(false));
        let told = wanted.clone();
        let stop = runtime.block_on(async { stop_signal() })?;
        runtime.spawn(async move {
            stop.await;
            told.store(true, Ordering::Relaxed);
        });
        Ok(Self { wanted, runtime })
    }

    /// Does something unless somebody wants no more of it.
    pub(crate) fn run<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        self.runtime.block_on(async {
            tokio::select! {
                done = work => done,
                () = self.is_wanted() => Err(Fault::Interrupted),
            }
        })
    }

    async fn is_wanted(&self) {
        while !self.wanted.load(Ordering::Relaxed) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What a process prints, a few lines, that runs to its end; or it is killed, when somebody wants no more of
    /// it.
    pub(crate) fn output(&self, command: &mut Command) -> Result<Output, Fault> {
        let mut process = start(command.stdout(Stdio::piped()))?;
        self.wait(&mut process)?;
        Ok(process.wait_with_output()?)
    }

    /// The same of a process whatever it prints, which nobody reads.
    pub(crate) fn status(&self, command: &mut Command) -> Result<ExitStatus, Fault> {
        let mut process = start(command.stdout(Stdio::null()))?;
        self.wait(&mut process)
    }

    fn wait(&self, process: &mut Child) -> Result<ExitStatus, Fault> {
        loop {
            if let Some(status) = process.try_wait()? {
                return Ok(status);
            }
            if self.wanted.load(Ordering::Relaxed) {
                process.kill()?;
                process.wait()?;
                return Err(Fault::Interrupted);
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// The signals are for the driver.
fn start(command: &mut Command) -> Result<Child, Fault> {
    Ok(command.process_group(0).spawn()?)
}
