//! Who guards a child. A guardian who has left guards nobody. The child's state keeps the guardianship,
//! so that it holds again when the guardian is back; the answers leave it out until then.

use jiff::civil::Date;
use litemap::LiteMap;

use crate::domain::Aggregate;
use crate::domain::person::Person;
use crate::domain::world::World;
use crate::ids::PersonId;
use crate::read_error::ReadError;

/// The guardians of a child who have not left on the world's day, each with the last day as guardian, if there is one.
/// Guardianships that have ended are among them.
///
/// # Errors
/// [`ReadError`] when a state cannot be read.
pub fn guardians<W: World + ?Sized>(
    world: &W,
    child: &Person,
) -> Result<LiteMap<PersonId, Option<Date>>, ReadError> {
    let mut present = LiteMap::new();
    for (guardian, last_day) in &child.guardians {
        if !has_left(world, *guardian, world.day())? {
            present.insert(*guardian, *last_day);
        }
    }
    Ok(present)
}

/// Whether somebody guards a child on a day: may see and do what a guardian of the child may.
///
/// # Errors
/// [`ReadError`] when a state cannot be read.
pub fn guards<W: World + ?Sized>(
    world: &W,
    guardian: PersonId,
    child: &Person,
    day: Date,
) -> Result<bool, ReadError> {
    Ok(child.guardian_on(guardian, day) && !has_left(world, guardian, day)?)
}

/// Whether a person has left on a day in Copenhagen. Nobody has who is not known.
///
/// # Errors
/// [`ReadError`] when the state cannot be read.
pub fn has_left<W: World + ?Sized>(
    world: &W,
    person: PersonId,
    day: Date,
) -> Result<bool, ReadError> {
    let state = world.aggregate(person.into())?;
    Ok(match state.as_deref() {
        Some(Aggregate::Person(person)) => person.has_left_on(day),
        _ => false,
    })
}
