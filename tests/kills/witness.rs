//! What is known of a ledger without asking it: what was sent, and what was answered.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use planledger::wire;
use planledger_benches::school::School;
use planledger_core::domain::Command as CoreCommand;
use planledger_proto::v1::{Command, Receipt, Recovery, RecoveryWish};

/// Students of the school: two classes.
pub(crate) const STUDENTS: u64 = 50;

/// A command, and what came of it.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) command: Command,
    /// Who sent it: "person/" and the id.
    pub(crate) actor: String,
    /// Commands of one batch have the same number; it is no other command's.
    pub(crate) batch: u64,
    /// The text that it writes as a plan's status.
    pub(crate) status: Option<(String, String)>,
    /// The first receipt that there was; it holds for ever.
    pub(crate) receipt: Option<Receipt>,
    /// The ledger said no, and had never said yes.
    pub(crate) refused: bool,
}

/// A recovery, and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct KeptRecovery {
    pub(crate) id: String,
    pub(crate) wish: RecoveryWish,
    pub(crate) digest: String,
    pub(crate) summary: Option<Recovery>,
}

/// A text that was to be redacted.
#[derive(Debug, Clone)]
pub(crate) struct Redaction {
    /// The position of the event.
    pub(crate) position: u64,
    /// The command that approves it.
    pub(crate) approval: String,
}

/// Everything that is known.
#[derive(Debug)]
pub(crate) struct Witness {
    pub(crate) school: School,
    pub(crate) sent: Vec<Sent>,
    by_id: HashMap<String, usize>,
    /// Where the last round begins.
    pub(crate) round: usize,
    batches: u64,
    numbers: u64,
    /// The root at each size of a checkpoint that was shown.
    pub(crate) checkpoints: BTreeMap<u64, Vec<u8>>,
    pub(crate) recoveries: Vec<KeptRecovery>,
    pub(crate) redactions: Vec<Redaction>,
    /// The last roster that was imported to its end, and whether another import was begun since.
    pub(crate) roster: Option<usize>,
    pub(crate) importing: bool,
    pub(crate) imports: u64,
    /// The last bundle that was exported to its end, with the key that signs checkpoints.
    pub(crate) bundle: Option<(String, String)>,
    pub(crate) exports: u64,
}

impl Witness {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            school: School::new(seed, STUDENTS),
            sent: Vec::new(),
            by_id: HashMap::new(),
            round: 0,
            batches: 0,
            numbers: 0,
            checkpoints: BTreeMap::new(),
            recoveries: Vec::new(),
            redactions: Vec::new(),
            roster: None,
            importing: false,
            imports: 0,
            bundle: None,
            exports: 0,
        }
    }

    /// A number that none had before.
    pub(crate) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// The message of a command with an id of its own.
    pub(crate) fn message(&mut self, command: CoreCommand) -> Command {
        let number = self.number();
        wire::message(&self.school.envelope(number, command))
    }

    /// Notes commands that are about to be sent: as one, or each by itself.
    pub(crate) fn intend(&mut self, actor: &str, commands: &[Command], as_one: bool) {
        for (nth, command) in commands.iter().enumerate() {
            if nth == 0 || !as_one {
                self.batches += 1;
            }
            self.by_id
                .insert(command.command_id.clone(), self.sent.len());
            self.sent.push(Sent {
                command: command.clone(),
                actor: actor.to_owned(),
                batch: self.batches,
                status: status_of(command),
                receipt: None,
                refused: false,
            });
        }
    }

    /// Notes a receipt. From now on it counts. The first one is kept.
    pub(crate) fn receive(&mut self, receipt: Receipt) {
        if let Some(sent) = self.by_id_mut(&receipt.command_id) {
            sent.receipt.get_or_insert(receipt);
        }
    }

    /// Notes that a command was refused.
    pub(crate) fn refuse(&mut self, command: &str) {
        if let Some(sent) = self.by_id_mut(command) {
            sent.refused = true;
        }
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Sent> {
        self.sent.get(*self.by_id.get(id)?)
    }

    fn by_id_mut(&mut self, id: &str) -> Option<&mut Sent> {
        self.sent.get_mut(*self.by_id.get(id)?)
    }
}

fn status_of(command: &Command) -> Option<(String, String)> {
    use planledger_proto::v1::{command::Command as Aggregate, plan_command::Operation};
    let Some(Aggregate::Plan(plan)) = &command.command else {
        return None;
    };
    match &plan.operation {
        Some(Operation::WriteStatus(write)) => Some((plan.plan_id.clone(), write.text.clone())),
        _ => None,
    }
}

/// What was looked at, and what was wrong.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    commands: u64,
    receipts: u64,
    events: u64,
    checkpoints: u64,
    recoveries: u64,
    redactions: u64,
    imports: u64,
    exports: u64,
    pub(crate) sent_again: u64,
    unanswered: u64,
    missing: u64,
    wrong: u64,
    unsound: u64,
    told: Vec<String>,
}

impl Findings {
    /// Everything that must be zero.
    pub(crate) fn bad(&self) -> u64 {
        self.missing + self.wrong + self.unsound
    }

    /// Something that was receipted is not there, or not as it was.
    pub(crate) fn missing(&mut self, what: String) {
        self.missing += 1;
        self.told.push(what);
    }

    /// An answer is not what follows from the receipts.
    pub(crate) fn wrong(&mut self, what: String) {
        self.wrong += 1;
        self.told.push(what);
    }

    /// A ledger or a bundle does not verify.
    pub(crate) fn unsound(&mut self, what: String) {
        self.unsound += 1;
        self.told.push(what);
    }

    /// Counts what has no answer at the moment of a kill.
    pub(crate) fn unanswered(&mut self, witness: &Mutex<Witness>) {
        let witness = witness.lock().unwrap_or_else(PoisonError::into_inner);
        let round = witness.sent.get(witness.round..).unwrap_or_default();
        let open = round
            .iter()
            .filter(|it| it.receipt.is_none() && !it.refused);
        self.unanswered += open.count() as u64;
    }

    /// Counts events that were read.
    pub(crate) fn events(&mut self, read: usize) {
        self.events += read as u64;
    }

    /// Counts what was known of a ledger that is at its end.
    pub(crate) fn take_in(&mut self, witness: &Mutex<Witness>) {
        let witness = witness.lock().unwrap_or_else(PoisonError::into_inner);
        let receipts = witness.sent.iter().filter(|sent| sent.receipt.is_some());
        self.commands += witness.sent.len() as u64;
        self.receipts += receipts.count() as u64;
        self.checkpoints += witness.checkpoints.len() as u64;
        let done = witness.recoveries.iter().filter(|it| it.summary.is_some());
        self.recoveries += done.count() as u64;
        let approved = witness.redactions.iter().filter(|it| {
            let sent = witness.by_id(&it.approval);
            sent.is_some_and(|sent| sent.receipt.is_some())
        });
        self.redactions += approved.count() as u64;
        self.imports += witness.imports;
        self.exports += witness.exports;
    }

    /// What the report ends with.
    pub(crate) fn table(&self) -> String {
        format!(
            "  commands sent                {}\n  receipts in the end          {}\n  \
             without answer at a kill     {}\n  sent again after a kill      {}\n  events read                  {}\n  \
             checkpoints shown            {}\n  recoveries run to their end  {}\n  \
             redactions approved          {}\n  imports finished             {}\n  \
             bundles exported             {}\nand what has to be zero:\n  \
             receipts missing or wrong    {}\n  answers wrong                {}\n  \
             ledgers or bundles unsound   {}",
            self.commands,
            self.receipts,
            self.unanswered,
            self.sent_again,
            self.events,
            self.checkpoints,
            self.recoveries,
            self.redactions,
            self.imports,
            self.exports,
            self.missing,
            self.wrong,
            self.unsound,
        )
    }
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} receipts, {} sent again; {} missing, {} wrong, {} unsound",
            self.receipts, self.sent_again, self.missing, self.wrong, self.unsound
        )?;
        for told in self.told.iter().rev().take(5) {
            write!(f, "\n    {told}")?;
        }
        Ok(())
    }
}
