//! Says what commands would do, without doing it.

use planledger_core::ledger::{Envelope, Foreseen, Preview, PreviewError};

use super::api::Api;
use super::auth::Caller;
use crate::wire::Failure;

/// The commands of one call so far, and what they would change.
pub(super) struct Previewing(Preview);

/// What the next commands of a call would do.
pub(super) struct Looked {
    pub(super) previewing: Previewing,
    /// One answer for each command; fewer if the call ends.
    pub(super) answers: Vec<Result<Foreseen, Failure>>,
    /// Why the call ends here, if it does.
    pub(super) end: Option<Failure>,
}

impl Api {
    pub(super) fn begin_preview(&self) -> Previewing {
        Previewing(Preview::new(self.ledger.clone()))
    }

    /// Looks at the next commands of a call. A command that was refused before it came to the ledger
    /// keeps its place.
    pub(super) async fn look(
        &self,
        caller: &Caller,
        previewing: Previewing,
        commands: Vec<Result<Envelope, Failure>>,
    ) -> Result<Looked, Failure> {
        let actor = caller.actor;
        self.blocking(move |_| {
            let Previewing(mut preview) = previewing;
            let mut answers = Vec::with_capacity(commands.len());
            let mut end = None;
            for command in commands {
                let answer = match command {
                    Ok(envelope) => match preview.next(actor, &envelope) {
                        Ok(foreseen) => Ok(foreseen),
                        Err(error @ PreviewError::TooLarge) => {
                            end = Some(Failure::of_preview(error, &envelope));
                            break;
                        }
                        Err(error) => Err(Failure::of_preview(error, &envelope)),
                    },
                    Err(failure) => Err(failure),
                };
                answers.push(answer);
            }
            Ok(Looked {
                previewing: Previewing(preview),
                answers,
                end,
            })
        })
        .await
    }
}
