//! Asks the authorizer for one caller, at one consistent state of the present.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use planledger_core::domain::view::Viewer;
use planledger_core::ids::StreamId;
use planledger_core::ledger::{Ledger, Reading};

use super::auth::{Access, Authorizer, Caller, Naming};
use super::reads::{Look, look};
use crate::wire::Failure;

/// What one caller may do, by one consistent state. It remembers what it was told about the things
/// that lists name again and again.
pub(super) struct Gate<'g> {
    authorizer: &'g dyn Authorizer,
    caller: &'g Caller,
    now: &'g Reading<'g>,
    told: RefCell<HashMap<Thing, bool>>,
    looks: RefCell<Vec<Look>>,
}

/// A thing that many answers of one request name.
#[derive(PartialEq, Eq, Hash)]
enum Thing {
    Stream(StreamId),
    Ownership(StreamId),
}

impl Thing {
    fn of(access: &Access<'_>) -> Option<Self> {
        match *access {
            Access::ReadInstitution(id) => Some(Self::Stream(id.into())),
            Access::ReadPerson(id) => Some(Self::Stream(id.into())),
            Access::ReadTeam(id) => Some(Self::Stream(id.into())),
            Access::ReadYearPlan { id, viewer } => {
                (viewer == Viewer::Staff).then(|| Self::Stream(id.into()))
            }
            Access::ReadOwnership(stream) => Some(Self::Ownership(stream)),
            _ => None,
        }
    }
}

impl<'g> Gate<'g> {
    pub(super) fn new(
        authorizer: &'g dyn Authorizer,
        caller: &'g Caller,
        now: &'g Reading<'g>,
    ) -> Self {
        Self {
            authorizer,
            caller,
            now,
            told: RefCell::default(),
            looks: RefCell::default(),
        }
    }

    /// The state by which it decides.
    pub(super) fn now(&self) -> &'g Reading<'g> {
        self.now
    }

    /// Whether everybody may do everything.
    pub(super) fn is_open(&self) -> bool {
        self.authorizer.permits_everything()
    }

    /// Whether the caller may do this. What it shows of plans is noted for the access log.
    pub(super) fn permits(&self, access: &Access<'_>) -> Result<bool, Failure> {
        let permitted = self.asked(access)?;
        if permitted && let Some(look) = look(access) {
            let mut looks = self.looks.borrow_mut();
            if !looks.contains(&look) {
                looks.push(look);
            }
        }
        Ok(permitted)
    }

    /// What was permitted so far that shows plans.
    pub(super) fn looks(&self) -> Vec<Look> {
        self.looks.borrow().clone()
    }

    fn asked(&self, access: &Access<'_>) -> Result<bool, Failure> {
        if self.is_open() {
            return Ok(true);
        }
        let ask = || self.authorizer.permits(self.now, self.caller, access);
        let Some(thing) = Thing::of(access) else {
            return Ok(ask()?);
        };
        if let Some(told) = self.told.borrow().get(&thing) {
            return Ok(*told);
        }
        let told = ask()?;
        self.told.borrow_mut().insert(thing, told);
        Ok(told)
    }

    /// What a command or a request for a recovery names and the caller may not see.
    pub(super) fn unseen(&self, naming: Naming<'_>) -> Result<BTreeSet<StreamId>, Failure> {
        match self.is_open() {
            true => Ok(BTreeSet::new()),
            false => Ok(self.authorizer.unseen(self.now, self.caller, naming)?),
        }
    }

    /// Fails with `ACCESS_DENIED` if the caller may not do this.
    pub(super) fn require(&self, access: &Access<'_>) -> Result<(), Failure> {
        match self.permits(access)? {
            true => Ok(()),
            false => Err(Failure::access_denied()),
        }
    }
}

/// Asks about one thing, by the present state of the ledger, if that is in memory.
pub(super) fn ask_in_memory<T>(
    ledger: &Ledger,
    authorizer: &dyn Authorizer,
    caller: &Caller,
    ask: impl Fn(&Gate<'_>) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    let answer = ledger.read_in_memory(|now| ask(&Gate::new(authorizer, caller, now)))?;
    Ok(answer.map(|(answer, _)| answer))
}

/// Asks about one thing, by the present state of the ledger. It may have to wait for the disk.
pub(super) fn ask<T>(
    ledger: &Ledger,
    authorizer: &dyn Authorizer,
    caller: &Caller,
    ask: impl Fn(&Gate<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (answer, _) = ledger.read(|now| ask(&Gate::new(authorizer, caller, now)))?;
    Ok(answer)
}
