//! How the writer makes derived state again while the ledger is open.

use std::time::{Duration, Instant};

use super::ExecuteError;
use super::deriving::Derived;
use super::envelope::Request;
use super::writer::Writer;

/// How it stands with making derived state again.
#[derive(Default)]
pub(super) struct Restoring {
    /// A request that came upon something wrong. It is carried out once that is right again.
    pub(super) postponed: Option<Request>,
    /// How often it was made again without anything having been written to the journal since.
    pub(super) in_vain: u32,
    /// How long it is left the next time it fails.
    pause: Option<Duration>,
    /// Not tried again before, because it failed.
    pub(super) not_before: Option<Instant>,
}

impl Restoring {
    fn put_off(&mut self) {
        let pause = self.pause.unwrap_or(PAUSE);
        self.not_before = Some(Instant::now() + pause);
        self.pause = Some((2 * pause).min(LONGEST_PAUSE));
    }
}

/// So often it is made again at once. If it turns out wrong each time, something else is.
const AT_ONCE: u32 = 3;
/// How long it is left after it failed, because of a full disk for example; twice as long each time.
pub(super) const PAUSE: Duration = match cfg!(test) {
    true => Duration::from_millis(100),
    false => Duration::from_secs(10),
};
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(600);

impl Writer {
    /// Whether derived state is in doubt and there is hope of making it again now.
    pub(super) fn wants_restoring(&self) -> bool {
        let now = Instant::now;
        self.fold.docs().doubt().is_some()
            && self.restoring.not_before.is_none_or(|then| now() >= then)
    }

    /// Makes derived state again from the journal. Readers go on with what is certain meanwhile.
    pub(super) fn restore(&mut self) {
        let reason = self.fold.docs().doubt().map(str::to_owned);
        let begun = Instant::now();
        self.restoring.in_vain += 1;
        match self.deriving.anew(reason.as_deref()) {
            Ok(Derived {
                docs,
                fold,
                window,
                projector,
            }) => {
                tracing::warn!(
                    events = fold.cursor.position.get(),
                    seconds = begun.elapsed().as_secs_f64(),
                    "derived state is made again"
                );
                (self.fold, self.window) = (fold, window);
                *self.shown.write() = docs;
                self.deriving.made.replaced();
                // The one before ends by itself, unless sled keeps it.
                *self.projector.lock() = Some(projector);
                self.restoring.not_before = None;
                self.restoring.pause = None;
                if self.restoring.in_vain >= AT_ONCE {
                    self.restoring.put_off();
                }
            }
            Err(error) => {
                tracing::error!(%error, "derived state cannot be made again; it is tried later");
                self.restoring.put_off();
            }
        }
        if let Some(request) = self.restoring.postponed.take() {
            self.handle(request);
        }
    }

    /// Takes back all that was decided and is not written, because it was decided on something
    /// wrong.
    pub(super) fn forget(&mut self, reason: &str) {
        self.commits.clear();
        self.bytes = 0;
        for (reply, _) in self.replies.drain(..) {
            reply(Err(ExecuteError::NotReady(reason.to_owned())));
        }
        self.fold.docs().put_in_doubt(reason);
    }
}
