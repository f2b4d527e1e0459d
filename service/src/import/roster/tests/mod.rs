//! Rosters: what good ones become, and what is said about bad ones.

mod archives;
mod damage;
mod emptied;
mod enrolled;
mod export;
mod faults;
mod formats;
mod forms;
mod mutated;
mod passed;
mod people;
mod profiles;
mod relationships;
mod samples;
mod short;
mod sizes;
mod tables;

use jiff::civil::Date;

const TODAY: Date = jiff::civil::date(2026, 11, 24);
