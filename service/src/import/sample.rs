//! A small invented roster and the catalogue of national goals. Both are built into the program,
//! for demonstrations and tests. `service/samples/README.md` says where they come from.

use std::borrow::Cow;

/// The catalogue: a CASE 1.0 package.
pub const CATALOGUE: &[u8] = include_bytes!("../../samples/catalogue.case.json");

macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_bytes!(concat!("../../samples/roster/", $name)))),*]
    };
}

/// The roster: the tables of a OneRoster 1.1 bulk export, by file name.
pub const ROSTER: &[(&str, &[u8])] = files! {
    "manifest.csv" "orgs.csv" "academicSessions.csv" "courses.csv" "classes.csv" "users.csv"
    "enrollments.csv"
};

/// [`ROSTER`] as [`Roster::from_files`](super::Roster::from_files) takes it.
pub fn roster() -> impl Iterator<Item = (&'static str, Cow<'static, [u8]>)> {
    ROSTER
        .iter()
        .map(|(name, bytes)| (*name, Cow::Borrowed(*bytes)))
}
