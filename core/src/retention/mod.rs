//! How long what is held on students is kept: classes that a municipality writes down as data, and the
//! rule that says who is due for erasure by them.
//!
//! Nothing here destroys anything. Whoever is due can be asked to be erased, and that takes two people
//! like every erasure (P6). No class comes with the program: how long something is kept, and what an
//! archive takes over first, is for the municipality to decide.

mod class;
mod rule;
mod student;

pub use self::class::{Hold, RetentionClass};
pub use self::rule::{Due, NotDue, Standing, decide, decide_by_term};
pub use self::student::{Source, Student};
pub use crate::domain::erasure::{Keep, KeepError, RetentionTerm, Start};
