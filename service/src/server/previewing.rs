//! Says what commands would do, without doing it.

use std::collections::BTreeSet;

use planledger_core::ids::StreamId;
use planledger_core::ledger::{Envelope, Foreseen, ForeseenLeaver, Preview, PreviewError};

use super::api::Api;
use super::auth::{Access, Caller, Naming};
use super::gate::Gate;
use super::identity::adopt;
use crate::wire::Failure;

/// The commands of one call so far, and what they would change.
pub(super) struct Previewing(Preview);

/// What is asked next.
pub(super) enum Asked {
    /// What a command would do. A command that was refused before it came to the ledger keeps its
    /// place.
    Command(Box<Result<Envelope, Failure>>),
    /// Who would look as if they had left.
    Leavers,
}

impl Asked {
    pub(super) fn command(command: Result<Envelope, Failure>) -> Self {
        Self::Command(Box::new(command))
    }

    fn of_caller(self, caller: &Caller) -> Self {
        match self {
            Self::Command(command) => Self::command(command.and_then(|mut envelope| {
                adopt(caller, &mut envelope)?;
                Ok(envelope)
            })),
            Self::Leavers => Self::Leavers,
        }
    }

    /// What of the command the caller may not see. `None` if the caller may not ask this now.
    fn unseen(&self, gate: &Gate<'_>) -> Result<Option<BTreeSet<StreamId>>, Failure> {
        let (permitted, unseen) = match self {
            Self::Command(command) => match &**command {
                Ok(envelope) => {
                    let before = &[];
                    let permitted = gate.permits(&Access::Execute { envelope, before })?;
                    (permitted, gate.unseen(Naming::Command(envelope))?)
                }
                // What is wrong with it is said.
                Err(_) => (true, BTreeSet::new()),
            },
            Self::Leavers => (gate.permits(&Access::PreviewLeavers)?, BTreeSet::new()),
        };
        Ok(permitted.then_some(unseen))
    }
}

/// What is answered to it.
pub(super) enum Answered {
    /// What a command would do.
    Command(Foreseen),
    /// Who would look as if they had left.
    Leavers(Vec<ForeseenLeaver>),
}

/// What the next commands of a call would do.
pub(super) struct Looked {
    pub(super) previewing: Previewing,
    /// One answer for each question; fewer if the call ends.
    pub(super) answers: Vec<Result<Answered, Failure>>,
    /// Why the call ends here, if it does.
    pub(super) end: Option<Failure>,
}

impl Api {
    pub(super) fn begin_preview(&self) -> Previewing {
        Previewing(Preview::new(self.ledger.clone()))
    }

    /// Looks at the next commands of a call, and what is asked about them.
    pub(super) async fn look(
        &self,
        caller: &Caller,
        previewing: Previewing,
        questions: Vec<Asked>,
    ) -> Result<Looked, Failure> {
        let actor = caller.actor;
        let questions: Vec<_> = questions
            .into_iter()
            .map(|question| question.of_caller(caller))
            .collect();
        let (api, caller) = (self.clone(), caller.clone());
        self.blocking(move |_| {
            let Previewing(mut preview) = previewing;
            let told = api.ask(&caller, |gate| {
                questions
                    .iter()
                    .map(|asked| asked.unseen(gate))
                    .collect::<Result<Vec<_>, _>>()
            })?;
            let mut answers = Vec::with_capacity(questions.len());
            let mut end = None;
            for (question, unseen) in questions.into_iter().zip(told) {
                let Some(unseen) = unseen else {
                    answers.push(Err(Failure::access_denied()));
                    continue;
                };
                let answer = match question {
                    Asked::Command(command) => match *command {
                        Ok(envelope) => {
                            let envelope = Envelope { unseen, ..envelope };
                            match preview.next(actor, &envelope) {
                                Ok(foreseen) => Ok(Answered::Command(foreseen)),
                                Err(error @ PreviewError::TooLarge) => {
                                    end = Some(Failure::of_preview(error, &envelope));
                                    break;
                                }
                                Err(error) => Err(Failure::of_preview(error, &envelope)),
                            }
                        }
                        Err(failure) => Err(failure),
                    },
                    Asked::Leavers => preview
                        .leavers()
                        .map(Answered::Leavers)
                        .map_err(Failure::from),
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
