//! Holding a server to everything that it promised.

use clap::Args;
use planledger_proto::v1::{Command, GetStatusRequest, Receipt};

use crate::expect::Expected;
use crate::findings::Findings;
use crate::kept::Kept;
use crate::send::{Sender, Trouble};
use crate::{Fault, Place, Verdict, answers, events, load, work};

/// Commands that are sent again over one stream.
const TOGETHER: usize = 4_096;

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    place: Place,
    /// Of the plans, read one in so many whole; lists and overviews are always compared
    #[arg(long, default_value_t = 1)]
    one_in: usize,
    /// Somebody else has sent commands as well, to institutions of their own: what is of the whole ledger is not
    /// compared
    #[arg(long)]
    others: bool,
}

impl Check {
    pub(crate) async fn run(&self) -> Result<Verdict, Fault> {
        let mut kept = Kept::open(&self.place.kept)?;
        let actor = work::school(self.place.seed).actor().to_string();
        let sender = Sender::connect(&self.place, &actor).await?;
        let mut found = Findings::new(kept.sent().len(), load::receipts(&kept));
        let gone = |trouble| match trouble {
            Trouble::Gone(what) | Trouble::Refused(what) => Fault::Gone(what),
        };
        let mut seen = events::read(&sender, 0, &mut found).await.map_err(gone)?;
        events::assert_there(&kept, &seen, &mut found);
        send_again(&sender, &kept, &mut found).await?;
        if let Err(Fault::Gone(what)) = load::settle(&sender, &mut kept).await {
            found.wrong_receipt(what);
        }
        let after = seen.len() as u64;
        let more = events::read(&sender, after, &mut found).await;
        seen.extend(more.map_err(gone)?);
        found.events = seen.len();
        events::assert_sound(&kept, &seen, self.others, &mut found);
        let expected = Expected::new(&kept);
        status(&sender, &expected, &mut found).await?;
        let of = (self.one_in, self.others);
        answers::compare(&sender, &expected, &seen, of, &mut found).await?;
        kept.sync()?;
        println!("{}", serde_json::to_string(&found)?);
        match found.is_good() {
            true => Ok(Verdict::Good),
            false => Ok(Verdict::Bad),
        }
    }
}

/// Sends every receipted command again, in the order of then: each has to get the receipt of then.
async fn send_again(sender: &Sender, kept: &Kept, found: &mut Findings) -> Result<(), Fault> {
    let receipted = kept.sent().iter().filter(|sent| sent.receipt.is_some());
    let mut left: Vec<Command> = receipted.map(|sent| sent.command.clone()).collect();
    left.reverse();
    let mut quiet = 0;
    while !left.is_empty() {
        let from = left.len().saturating_sub(TOGETHER);
        let commands: Vec<_> = left.drain(from..).rev().collect();
        let mut again = Vec::new();
        let streamed = sender.stream(commands.clone(), |receipt| {
            again.push(receipt);
            Ok(())
        });
        let streamed = streamed.await?;
        for receipt in &again {
            compare(receipt, kept, found);
        }
        for (command, reason) in &streamed.refused {
            found.wrong_receipt(format!("command {command} is refused: {reason}"));
        }
        if let Some(Trouble::Gone(what) | Trouble::Refused(what)) = streamed.trouble {
            return Err(Fault::Gone(what));
        }
        let answered: std::collections::HashSet<_> = again
            .into_iter()
            .map(|receipt| receipt.command_id)
            .collect();
        let unanswered = commands.into_iter().rev().filter(|command| {
            let id = &command.command_id;
            !answered.contains(id) && !streamed.refused.contains_key(id)
        });
        left.extend(unanswered);
        if streamed.later {
            quiet += 1;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        if quiet > 600 {
            return Err(Fault::Gone("it says \"later\" for a minute".to_owned()));
        }
    }
    Ok(())
}

fn compare(again: &Receipt, kept: &Kept, found: &mut Findings) {
    let sent = kept.by_id(&again.command_id);
    let Some(first) = sent.and_then(|sent| sent.receipt.as_ref()) else {
        found.wrong_receipt(format!("nobody sent {}", again.command_id));
        return;
    };
    if !again.replayed {
        let what = "sent again, it was carried out again";
        found.second_execution(&again.command_id, what);
    }
    let plain = |receipt: &Receipt| Receipt {
        replayed: true,
        // Only the first receipt says what an import left alone, and what it ended.
        kept: Vec::new(),
        dropped: Vec::new(),
        ..receipt.clone()
    };
    if plain(again) != plain(first) {
        let (is, was) = (again.revision, first.revision);
        found.wrong_receipt(format!(
            "{}: revision {is}, and it was {was}; position {}, and it was {}",
            first.stream, again.position, first.position
        ));
    }
}

async fn status(sender: &Sender, expected: &Expected, found: &mut Findings) -> Result<(), Fault> {
    let request = GetStatusRequest::default();
    let status = sender
        .ask(|client| async move { client.ledger().get_status(request).await })
        .await;
    match status {
        Ok(status) => {
            let whole = status.position >= expected.position && status.writable;
            found.compare(|| "status".to_owned(), &whole, &true);
            let is = status.position as usize;
            // The ledger may have recorded something about itself meanwhile.
            let near = is >= found.events && is <= found.events + 8;
            found.compare(|| "position of the status".to_owned(), &near, &true);
            Ok(())
        }
        Err(Trouble::Gone(what)) => Err(Fault::Gone(what)),
        Err(Trouble::Refused(reason)) => {
            found.wrong_answer(format!("status: {reason}"));
            Ok(())
        }
    }
}
