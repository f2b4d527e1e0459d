//! A monitor: an independent party that follows a log over HTTP and computes again everything that its
//! checkpoints stand for. It cosigns those that are right, and shows them to whoever asks.

mod ahead;
mod computed;
mod evidence;
mod following;
mod serving;
mod shown;
mod source;
mod store;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use planledger_core::tlog::{Signer, VerifierKey};
use tokio::net::TcpListener;

pub use self::evidence::{Beginning, Evidence, WrongEntry};
use self::following::Following;
pub use self::following::{Followed, Trouble};
use self::shown::Shown;
use self::source::Source;
pub use self::source::SourceError;
use self::store::Store;
use crate::witness::{MemoryError, Older};

/// The longest time from one try to the next while something is wrong with the network.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The most characters that are shown of a text from elsewhere.
const MOST_SHOWN: usize = 1_000;
/// How often [`Monitor::once`] tries.
const TRIES: u32 = 5;

/// What a monitor is told.
pub struct Options<'a> {
    /// Where it keeps what it knows.
    pub dir: &'a Path,
    /// A second folder for what it must not forget. `None` if there is none.
    pub copy: Option<&'a Path>,
    /// Its key.
    pub signer: Signer,
    /// The key of the log. If the log has changed it since, the monitor follows.
    pub log: VerifierKey,
    /// Where the log publishes its checkpoint, tiles and records of heads.
    pub url: &'a str,
    /// The time from one look at the log to the next.
    pub poll: Duration,
}

/// A monitor of one log.
pub struct Monitor {
    following: Following,
    shown: Arc<Shown>,
    stopping: Arc<AtomicBool>,
    poll: Duration,
    unusable: Option<String>,
}

impl Monitor {
    /// Opens a monitor, which goes on from what it has kept.
    ///
    /// # Errors
    /// [`MemoryError`]
    pub fn open(options: Options<'_>) -> Result<Self, MemoryError> {
        let Options {
            dir,
            copy,
            signer,
            log,
            url,
            poll,
        } = options;
        let store = Store::open(dir, copy, signer, log)?;
        let shown = Arc::new(Shown::new(store.origin()));
        let stopping = Arc::new(AtomicBool::new(false));
        let source = Source::new(url);
        let (following, unusable) =
            Following::open(source, store, shown.clone(), stopping.clone())?;
        Ok(Self {
            following,
            shown,
            stopping,
            poll,
            unusable,
        })
    }

    /// Why what was computed before cannot be used; `None` if it can.
    pub fn unusable(&self) -> Option<&str> {
        self.unusable.as_deref()
    }

    /// Which folders had an older state than others when the monitor was opened.
    pub fn older(&mut self) -> Vec<Older> {
        self.following.store.memory.take_older()
    }

    /// Compares what is remembered with the checkpoint that the log shows. If this monitor has cosigned it
    /// and does not remember, its memory was put back to an older state; then it is as new as that
    /// checkpoint again. Gives what it knew instead.
    ///
    /// # Errors
    /// [`Trouble::Passing`] if the log shows nothing, and [`Trouble::Memory`] when something cannot be
    /// stored or this monitor's key has cosigned another history.
    pub fn compare(&mut self) -> Result<Option<Older>, Trouble> {
        self.following.compare()
    }

    /// Follows the log to its newest checkpoint, cosigns it, and keeps what was computed. `progress` gets
    /// how many entries were followed, and how many there are.
    ///
    /// # Errors
    /// [`Trouble`], of the passing kind only after several tries.
    pub fn once(&mut self, progress: &dyn Fn(u64, u64)) -> Result<Followed, Trouble> {
        let mut wait = self.poll;
        for _ in 1..TRIES {
            match self.following.step(progress) {
                Err(Trouble::Passing(error)) => tracing::warn!("{error}; trying again"),
                done => return self.ended(done),
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        let done = self.following.step(progress);
        self.ended(done)
    }

    fn ended(&mut self, done: Result<Followed, Trouble>) -> Result<Followed, Trouble> {
        let done = done?;
        self.following.save()?;
        Ok(done)
    }

    /// Follows the log and answers on `listener` until `stop` is ready. `progress` is called as in
    /// [`Monitor::once`].
    ///
    /// # Errors
    /// When the transport fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
        progress: impl Fn(u64, u64) + Send + 'static,
    ) -> std::io::Result<()> {
        let Self {
            following,
            shown,
            stopping,
            poll,
            ..
        } = self;
        let (over, told) = mpsc::channel();
        let working = std::thread::spawn(move || keep_up(following, poll, &told, &progress));
        let served = serving::serve(shown, listener, stop).await;
        stopping.store(true, Ordering::Relaxed);
        drop(over);
        if tokio::task::spawn_blocking(|| working.join())
            .await
            .is_err()
        {
            tracing::error!("following the log was ended by a panic");
        }
        served
    }
}

/// A text that may come from the log's server, without anything that could imitate or change what stands
/// beside it on a terminal, and not too long.
fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
    };
    let mut plain = String::new();
    for c in text.chars().take(MOST_SHOWN) {
        match hidden(c) {
            true => plain.extend(c.escape_unicode()),
            false => plain.push(c),
        }
    }
    plain
}

/// Follows the log until the other end of `told` is dropped.
fn keep_up(
    mut following: Following,
    poll: Duration,
    told: &Receiver<()>,
    progress: &dyn Fn(u64, u64),
) {
    let mut wait = poll;
    loop {
        match following.step(progress) {
            Ok(followed) => {
                wait = poll;
                if followed.is_new {
                    let Followed {
                        entries, streams, ..
                    } = followed;
                    tracing::debug!(entries, streams, "a checkpoint was cosigned");
                }
            }
            Err(Trouble::Stopped) => break,
            // It was told when it was found. What was cosigned before is still shown.
            Err(Trouble::Accused(_)) => wait = LONGEST_WAIT,
            Err(error @ (Trouble::Passing(_) | Trouble::Memory(_))) => {
                tracing::warn!("{error}; trying again in {} ms", wait.as_millis());
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
        match told.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if let Err(error) = following.save() {
        tracing::error!(%error, "what was computed of the log was not saved");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_cannot_imitate_other_lines() {
        let said = "good\nmonitor: everything is right\u{1b}[2K\u{202e}";
        let shown = plain(said);
        assert!(!shown.contains(['\n', '\u{1b}', '\u{202e}']), "{shown}");
        assert!(
            shown.contains("good") && shown.contains("\\u{1b}"),
            "{shown}"
        );
        assert_eq!(plain(&"x".repeat(5_000)).len(), MOST_SHOWN);
    }
}
