//! How the writer makes derived state again while the ledger is open.

use std::time::Instant;

use super::ExecuteError;
use super::deriving::Derived;
use super::restoring::AT_ONCE;
use super::writer::Writer;
use crate::turns;

impl Writer {
    /// Whether derived state is in doubt and it is time to make it again.
    pub(super) fn wants_restoring(&self) -> bool {
        let now = turns::now;
        self.fold.docs().doubt().is_some()
            && self.restoring.not_before.is_none_or(|then| now() >= then)
    }

    /// Makes derived state again from the journal. Meanwhile readers can still read documents that
    /// are found right.
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
                    "derived state is being rebuilt"
                );
                (self.fold, self.window) = (fold, window);
                *self.shown.write() = docs;
                self.deriving.made.replaced();
                // The earlier projector thread ends by itself, unless sled blocks it.
                *self.projector.lock() = Some(projector);
                self.restoring.not_before = None;
                self.restoring.pause = None;
                if self.restoring.in_vain >= AT_ONCE {
                    self.restoring.put_off();
                }
            }
            Err(error) => {
                tracing::error!(
                    %error,
                    "derived state cannot be rebuilt; the server tries again later"
                );
                self.restoring.put_off();
            }
        }
        if let Some(request) = self.restoring.postponed.take() {
            self.handle(request);
        }
    }

    /// Takes back everything that was decided but not written, because it was decided on a wrong
    /// state.
    pub(super) fn forget(&mut self, reason: &str) {
        self.commits.clear();
        self.bytes = 0;
        for (reply, _) in self.replies.drain(..) {
            reply(Err(ExecuteError::NotReady(reason.to_owned())));
        }
        self.fold.docs().put_in_doubt(reason);
    }
}
