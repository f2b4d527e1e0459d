//! Whether a student whose erasure follows from a retention class is due. It is asked when somebody asks for
//! the erasure, and once more when somebody else approves it: the student may have come back meanwhile.
//! From then on nothing can be recorded of the student, so it stays so until the erasure is carried out.

use std::sync::Arc;

use super::fold::Fold;
use super::history::stored;
use super::{ReadError, Reading};
use crate::derived::Term;
use crate::domain::erasure::{ErasureCommand, RetentionTerm, Target, not_due};
use crate::domain::{Aggregate, Command, Stop, World};
use crate::ids::StreamId;
use crate::journal::CommitLog;
use crate::retention::{Source, Student, decide_by_term};
use crate::time::Timestamp;

impl Source for Reading<'_> {
    fn aggregate(&self, stream: StreamId) -> Result<Option<Arc<Aggregate>>, ReadError> {
        World::aggregate(self, stream)
    }

    fn found(&self, term: Term) -> Result<Arc<Vec<StreamId>>, ReadError> {
        self.find(term)
    }

    fn last_activity(&self, stream: StreamId) -> Result<Option<Timestamp>, ReadError> {
        Reading::last_activity(self, stream)
    }
}

/// The state that commands are decided on.
struct Deciding<'a> {
    fold: &'a Fold,
    log: &'a dyn CommitLog,
}

impl Source for Deciding<'_> {
    fn aggregate(&self, stream: StreamId) -> Result<Option<Arc<Aggregate>>, ReadError> {
        World::aggregate(self.fold, stream)
    }

    fn found(&self, term: Term) -> Result<Arc<Vec<StreamId>>, ReadError> {
        Ok(self.fold.list(term)?)
    }

    fn last_activity(&self, stream: StreamId) -> Result<Option<Timestamp>, ReadError> {
        let Some(doc) = self.fold.stream(stream)? else {
            return Ok(None);
        };
        // What is not in the journal yet has just been decided.
        if doc.head.position > self.log.tail().position {
            return Ok(Some(self.fold.cursor.recorded_at));
        }
        let (_, entry) = stored(self.log, doc.head.position)?;
        Ok(Some(entry.recorded_at))
    }
}

/// Refuses to ask for, or to approve, an erasure by a retention class of somebody who is not due by its
/// time.
pub(super) fn check(
    fold: &Fold,
    log: &dyn CommitLog,
    command: &Command,
    at: Timestamp,
) -> Result<(), Stop> {
    let Command::Erasure(id, command) = command else {
        return Ok(());
    };
    let asked = match command {
        ErasureCommand::Request {
            target, retention, ..
        } => retention.map(|term| (*target, term)),
        ErasureCommand::Approve { .. } => match World::aggregate(fold, (*id).into())?.as_deref() {
            Some(Aggregate::Erasure(act)) => act.retention.map(|term| (act.target, term)),
            _ => None,
        },
        ErasureCommand::Withdraw { .. }
        | ErasureCommand::SettleReads(_)
        | ErasureCommand::SettleText(_)
        | ErasureCommand::CarryOut { .. }
        | ErasureCommand::ApplyAgain(_) => None,
    };
    match asked {
        Some((target, term)) => of_target(&Deciding { fold, log }, target, term, at),
        None => Ok(()),
    }
}

fn of_target(
    state: &Deciding<'_>,
    target: Target,
    term: RetentionTerm,
    at: Timestamp,
) -> Result<(), Stop> {
    let Target::Person(id) = target else {
        return Err(not_due(target, "only students are due by retention classes").into());
    };
    let person = state.aggregate(id.into())?;
    let Some(Aggregate::Person(person)) = person.as_deref() else {
        return Ok(());
    };
    let student = Student::read(state, id, person)?;
    match decide_by_term(term, &student, at.day_in_denmark()) {
        Ok(_) => Ok(()),
        Err(why) => Err(not_due(target, why).into()),
    }
}
