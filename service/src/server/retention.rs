//! Lists who is due for erasure by retention classes.

use std::collections::BTreeMap;

use jiff::civil::Date;
use planledger_core::domain::erasure::{Erasure, Target};
use planledger_core::domain::{Aggregate, World};
use planledger_core::ids::{ErasureId, PersonId};
use planledger_core::ledger::{Affected, ReadError, Reading};
use planledger_core::retention::{Due, NotDue, RetentionClass, Standing, Student, decide};

use super::auth::Access;
use super::gate::Gate;
use crate::wire::{DueAsk, Failure};

/// Most people that are looked at for one page: every plan of theirs is read.
const LOOKS: usize = 500;
/// How many ids are looked up at once.
const BATCH: usize = 100;

/// A page of who is due.
pub(super) struct DuePage<T> {
    pub(super) items: Vec<T>,
    /// How many of those who were looked at are not due, by reason.
    pub(super) not_due: BTreeMap<NotDue, u64>,
    pub(super) next_page_token: String,
    /// The day for which it was asked.
    pub(super) day: Date,
    pub(super) today: Date,
}

/// Reads a page of who is due for erasure.
pub(super) fn due<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    asked: &DueAsk,
    show: impl Fn(PersonId, &RetentionClass, &Due, Standing, Affected) -> T,
) -> Result<DuePage<T>, Failure> {
    gate.require(&Access::ListDueErasures)?;
    let today = reading.day();
    let mut page = DuePage {
        items: Vec::new(),
        not_due: BTreeMap::new(),
        next_page_token: String::new(),
        day: asked.as_of.unwrap_or(today),
        today,
    };
    let mut last = asked.page.after.map(PersonId::from_uuid);
    let mut looks = 0;
    loop {
        let batch = reading.find_departed(last, BATCH)?;
        for stream in &batch {
            if let Some(last) =
                last.filter(|_| looks == LOOKS || page.items.len() == asked.page.size)
            {
                page.next_page_token = asked.page.next_token(last.uuid());
                return Ok(page);
            }
            let id = PersonId::from_uuid(stream.id);
            (last, looks) = (Some(id), looks + 1);
            match look(reading, &asked.classes, id, page.day)? {
                None => {}
                Some(Ok((class, due))) => {
                    let standing = Standing::of(act(reading, id)?.as_ref(), class, &due);
                    let affected = reading.affected(Target::Person(id))?;
                    page.items.push(show(id, class, &due, standing, affected));
                }
                Some(Err(why)) => *page.not_due.entry(why).or_default() += 1,
            }
        }
        if batch.len() < BATCH {
            return Ok(page);
        }
    }
}

type Looked<'c> = Option<Result<(&'c RetentionClass, Due), NotDue>>;

/// Whether somebody is due. `None` if nothing is held on them any more.
fn look<'c>(
    reading: &Reading<'_>,
    classes: &'c [RetentionClass],
    id: PersonId,
    day: Date,
) -> Result<Looked<'c>, ReadError> {
    let state = reading.aggregate(id.into())?;
    let Some(Aggregate::Person(person)) = state.as_deref() else {
        return Ok(None);
    };
    let student = Student::read(reading, id, person)?;
    Ok(Some(decide(classes, &student, day)))
}

fn act(reading: &Reading<'_>, id: PersonId) -> Result<Option<Erasure>, ReadError> {
    let state = reading.aggregate(ErasureId::of_person(id).into())?;
    Ok(match state.as_deref() {
        Some(Aggregate::Erasure(act)) => Some(act.clone()),
        Some(_) | None => None,
    })
}
