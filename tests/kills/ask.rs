//! Asking a server that may be gone at any moment.

use std::time::Duration;

use planledger::client::Client;
use planledger_proto::v1::execute_stream_response::Outcome;
use planledger_proto::v1::{
    Command, ExecuteBatchRequest, ExecuteRequest, ExecuteStreamRequest, Receipt,
};
use tonic::{Response, Status};
use tonic_types::StatusExt;

/// Longer than any answer may take.
const ANSWER: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Why there is no answer.
#[derive(Debug, Clone)]
pub(crate) enum No {
    /// Nobody is there any more.
    Gone(String),
    /// It refuses for good; its reason.
    Refused(String),
}

/// Asks until there is an answer that stands.
pub(crate) async fn ask<Answer, Call>(mut call: impl FnMut() -> Call) -> Result<Answer, No>
where
    Call: Future<Output = Result<Response<Answer>, Status>>,
{
    loop {
        let Ok(answer) = tokio::time::timeout(ANSWER, call()).await else {
            return Err(No::Refused("NO_ANSWER".to_owned()));
        };
        match answer {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) => later(&status).await?,
        }
    }
}

/// Waits if the server says that it may help to come again.
pub(crate) async fn later(status: &Status) -> Result<(), No> {
    let details = status.get_error_details();
    // An error without details is the transport's: nobody is there.
    let Some(info) = details.error_info() else {
        return Err(No::Gone(format!(
            "{:?}: {}",
            status.code(),
            status.message()
        )));
    };
    if details.retry_info().is_none() {
        return Err(No::Refused(info.reason.clone()));
    }
    tokio::time::sleep(PAUSE).await;
    Ok(())
}

/// Has one command carried out.
pub(crate) async fn execute(client: &Client, command: &Command) -> Result<Receipt, No> {
    let request = ExecuteRequest {
        command: Some(command.clone()),
    };
    let answer = ask(|| {
        let (mut call, request) = (client.commands(), request.clone());
        async move { call.execute(request).await }
    });
    let receipt = answer.await?.receipt;
    receipt.ok_or_else(|| No::Refused("NO_RECEIPT".to_owned()))
}

/// Has commands carried out as one.
pub(crate) async fn execute_all(client: &Client, all: &[Command]) -> Result<Vec<Receipt>, No> {
    let request = ExecuteBatchRequest {
        commands: all.to_vec(),
    };
    let answer = ask(|| {
        let (mut call, request) = (client.commands(), request.clone());
        async move { call.execute_batch(request).await }
    });
    Ok(answer.await?.receipts)
}

/// What came of a command that was sent over a stream.
pub(crate) enum Streamed {
    Receipt(Box<Receipt>),
    Refused(String, String),
}

/// Sends commands over one stream, and hands on each answer that stands as it comes.
pub(crate) async fn stream(
    client: &Client,
    commands: Vec<Command>,
    mut answered: impl FnMut(Streamed),
) -> Result<(), No> {
    let all = commands.len();
    let requests = commands.into_iter().map(|command| ExecuteStreamRequest {
        command: Some(command),
    });
    let mut call = client.commands();
    let answers = call.execute_stream(tokio_stream::iter(requests)).await;
    let mut answers = match answers {
        Ok(answers) => answers.into_inner(),
        Err(status) => return later(&status).await,
    };
    for _ in 0..all {
        let Ok(answer) = tokio::time::timeout(ANSWER, answers.message()).await else {
            return Err(No::Refused("NO_ANSWER".to_owned()));
        };
        let answer = match answer {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(()),
            Err(status) => return later(&status).await,
        };
        match answer.outcome {
            Some(Outcome::Receipt(receipt)) => answered(Streamed::Receipt(Box::new(receipt))),
            Some(Outcome::Error(error)) if error.retry_delay.is_some() => {}
            Some(Outcome::Error(error)) => {
                answered(Streamed::Refused(answer.command_id, error.reason));
            }
            None => answered(Streamed::Refused(answer.command_id, "EMPTY".to_owned())),
        }
    }
    Ok(())
}
