//! Asking a server, again and again while it says that this may help.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use planledger::client::Client;
use planledger_proto::v1::execute_stream_response::Outcome;
use planledger_proto::v1::{
    Command, ExecuteBatchRequest, ExecuteRequest, ExecuteStreamRequest, Receipt,
};
use tokio::time::timeout;
use tonic::{Response, Status};
use tonic_types::StatusExt;

/// Longer than any answer may take.
const ANSWER: Duration = Duration::from_secs(60);
/// Never more than this between two attempts, whatever the server advises.
const PAUSE: Duration = Duration::from_millis(250);

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// There is no server at the other end, or no longer.
    Gone(String),
    /// The server refuses for good, or for longer than anybody waits; its reason.
    Refused(String),
}

/// A connection that does not give up easily.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) client: Client,
    patience: Duration,
}

enum Next {
    Again(Duration, String),
    Stop(Trouble),
}

impl Sender {
    pub(crate) async fn connect(
        place: &crate::Place,
        actor: &str,
    ) -> Result<Self, planledger::client::ConnectError> {
        Ok(Self {
            client: Client::connect(&place.server, actor).await?,
            patience: Duration::from_secs(place.patience),
        })
    }

    /// Calls until there is an answer that stands.
    pub(crate) async fn ask<Answer, Call>(
        &self,
        mut call: impl FnMut(Client) -> Call,
    ) -> Result<Answer, Trouble>
    where
        Call: Future<Output = Result<Response<Answer>, Status>>,
    {
        let until = Instant::now() + self.patience;
        loop {
            let Ok(answer) = timeout(ANSWER, call(self.client.clone())).await else {
                return Err(Trouble::Refused("NO_ANSWER".to_owned()));
            };
            let status = match answer {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => status,
            };
            match judge(&status) {
                Next::Again(pause, _) if Instant::now() < until => {
                    tokio::time::sleep(pause).await;
                }
                Next::Again(_, reason) => return Err(Trouble::Refused(reason)),
                Next::Stop(trouble) => return Err(trouble),
            }
        }
    }

    pub(crate) async fn execute(&self, command: &Command) -> Result<Receipt, Trouble> {
        let request = ExecuteRequest {
            command: Some(command.clone()),
        };
        let answer = self.ask(|client| {
            let request = request.clone();
            async move { client.commands().execute(request).await }
        });
        let receipt = answer.await?.receipt;
        receipt.ok_or_else(|| Trouble::Refused("NO_RECEIPT".to_owned()))
    }

    pub(crate) async fn execute_all(&self, commands: &[Command]) -> Result<Vec<Receipt>, Trouble> {
        let request = ExecuteBatchRequest {
            commands: commands.to_vec(),
        };
        let answer = self.ask(|client| {
            let request = request.clone();
            async move { client.commands().execute_batch(request).await }
        });
        Ok(answer.await?.receipts)
    }

    /// Sends commands over one stream; gives what came of those that were answered, each receipt
    /// to `received` at once, and why the others were not. Answers that only say "later" count as
    /// none.
    pub(crate) async fn stream(
        &self,
        commands: Vec<Command>,
        received: impl FnMut(Receipt) -> std::io::Result<()>,
    ) -> std::io::Result<Streamed> {
        let mut streamed = Streamed::default();
        let all = commands.len();
        let mut received = received;
        let requests = commands.into_iter().map(|command| ExecuteStreamRequest {
            command: Some(command),
        });
        let mut call = self.client.commands();
        let call = call.execute_stream(tokio_stream::iter(requests));
        let mut answers = match timeout(ANSWER, call).await {
            Ok(Ok(answers)) => answers.into_inner(),
            Ok(Err(status)) => return Ok(streamed.ended(&status)),
            Err(_) => return Ok(streamed.silent()),
        };
        for _ in 0..all {
            let answer = match timeout(ANSWER, answers.message()).await {
                Ok(Ok(Some(answer))) => answer,
                Ok(Ok(None)) => return Ok(streamed.ended(&Status::unavailable("cut short"))),
                Ok(Err(status)) => return Ok(streamed.ended(&status)),
                Err(_) => return Ok(streamed.silent()),
            };
            match answer.outcome {
                Some(Outcome::Receipt(receipt)) => received(receipt)?,
                Some(Outcome::Error(error)) if error.retry_delay.is_some() => streamed.later = true,
                Some(Outcome::Error(error)) => {
                    streamed.refused.insert(answer.command_id, error.reason);
                }
                None => {
                    let reason = "EMPTY_ANSWER".to_owned();
                    streamed.refused.insert(answer.command_id, reason);
                }
            }
        }
        Ok(streamed)
    }
}

/// What came of a stream, besides receipts.
#[derive(Debug, Default)]
pub(crate) struct Streamed {
    /// Refused for good: command id and reason.
    pub(crate) refused: BTreeMap<String, String>,
    /// Some were told to come again.
    pub(crate) later: bool,
    /// Why the stream ended early, if it did for good.
    pub(crate) trouble: Option<Trouble>,
}

impl Streamed {
    fn ended(mut self, status: &Status) -> Self {
        match judge(status) {
            Next::Again(..) => self.later = true,
            Next::Stop(trouble) => self.trouble = Some(trouble),
        }
        self
    }

    fn silent(mut self) -> Self {
        self.trouble = Some(Trouble::Refused("NO_ANSWER".to_owned()));
        self
    }
}

/// What to do about an error. One without details is the transport's: nobody is there.
fn judge(status: &Status) -> Next {
    let details = status.get_error_details();
    let Some(info) = details.error_info() else {
        let what = format!("{:?}: {}", status.code(), status.message());
        return Next::Stop(Trouble::Gone(what));
    };
    let reason = info.reason.clone();
    match details.retry_info() {
        Some(retry) => {
            let pause = retry.retry_delay.unwrap_or(PAUSE);
            Next::Again(pause.min(PAUSE), reason)
        }
        None => Next::Stop(Trouble::Refused(reason)),
    }
}
