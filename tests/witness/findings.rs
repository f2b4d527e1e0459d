//! What a check found.

use std::collections::BTreeSet;

use serde::Serialize;

/// Things that are told word for word; the others are counted.
const TOLD: usize = 12;

/// What a check found. Every number but the first four has to be zero.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) struct Findings {
    /// Commands that were sent at some time.
    pub(crate) commands: usize,
    /// Of them, those that had a receipt before the check.
    pub(crate) receipted: usize,
    /// Events that the ledger holds.
    pub(crate) events: usize,
    /// Answers that were compared: lists, plans, histories, overviews.
    pub(crate) answers: usize,
    /// Receipted commands whose events are not in the ledger.
    pub(crate) receipts_missing: usize,
    /// Commands that were sent again and got another receipt, or an error.
    pub(crate) receipts_wrong: usize,
    /// Commands that were carried out twice.
    pub(crate) second_executions: usize,
    /// Events whose position or revision does not follow on.
    pub(crate) revisions_wrong: usize,
    /// Answers that are not what the receipts say.
    pub(crate) answers_wrong: usize,
    /// The first of them, word for word. Ids and numbers, no texts.
    pub(crate) told: Vec<String>,
    /// So that a command counts once, however often it shows.
    #[serde(skip)]
    twice: BTreeSet<String>,
}

impl Findings {
    /// Nothing yet, of so many commands, so many of them receipted.
    pub(crate) fn new(commands: usize, receipted: usize) -> Self {
        Self {
            commands,
            receipted,
            ..Self::default()
        }
    }

    pub(crate) fn missing(&mut self, what: String) {
        self.receipts_missing += 1;
        self.tell("missing", what);
    }

    pub(crate) fn wrong_receipt(&mut self, what: String) {
        self.receipts_wrong += 1;
        self.tell("receipt", what);
    }

    pub(crate) fn second_execution(&mut self, command: &str, what: &str) {
        if self.twice.insert(command.to_owned()) {
            self.second_executions += 1;
            self.tell("twice", format!("command {command}: {what}"));
        }
    }

    pub(crate) fn wrong_revision(&mut self, what: String) {
        self.revisions_wrong += 1;
        self.tell("revision", what);
    }

    pub(crate) fn wrong_answer(&mut self, what: String) {
        self.answers_wrong += 1;
        self.tell("answer", what);
    }

    /// Compares one answer.
    pub(crate) fn compare<T: PartialEq + std::fmt::Debug>(
        &mut self,
        of: impl FnOnce() -> String,
        is: &T,
        should_be: &T,
    ) {
        self.answers += 1;
        if is != should_be {
            self.wrong_answer(format!("{}: {is:.60?}, not {should_be:.60?}", of()));
        }
    }

    fn tell(&mut self, kind: &str, what: String) {
        // A few of each kind say more than many of the first.
        let told = self.told.iter().filter(|told| told.starts_with(kind));
        if told.count() < TOLD / 4 {
            self.told.push(format!("{kind}: {what}"));
        }
    }

    pub(crate) fn is_good(&self) -> bool {
        let bad = self.receipts_missing + self.receipts_wrong + self.second_executions;
        bad + self.revisions_wrong + self.answers_wrong == 0
    }
}
