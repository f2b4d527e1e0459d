use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::day::{Day, Month};
use crate::domain::plan::TalkKind;
use crate::ids::{InstitutionId, SchoolYearId, TeamId};
use crate::text::Name;

/// What is counted together: an institution, or one of its teams; and of which school year. Without
/// a school year it is those who are there, whatever plans they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// The institution.
    pub institution: InstitutionId,
    /// The team, if it is a team that is counted.
    pub team: Option<TeamId>,
    /// The school year of the plans.
    pub school_year: Option<SchoolYearId>,
}

impl CellKey {
    /// Its bytes in document keys; always as many.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let team = self.team.as_ref().map_or(&[0; 16], TeamId::as_bytes);
        let year = self.school_year.as_ref();
        let year = year.map_or(&[0; 16], SchoolYearId::as_bytes);
        let flags = u8::from(self.team.is_some()) * 2 + u8::from(self.school_year.is_some());
        [self.institution.as_bytes().as_slice(), &[flags], team, year].concat()
    }
}

/// Students by how far their plans have come. Each student counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// With a plan.
    pub plan: u64,
    /// With a plan that guardians can see.
    pub visible: u64,
    /// With a plan that staff have evaluated a goal in.
    pub evaluated: u64,
    /// With a plan that a talk is recorded in.
    pub talk: u64,
}

impl Coverage {
    fn all(&mut self) -> [&mut u64; 4] {
        [
            &mut self.plan,
            &mut self.visible,
            &mut self.evaluated,
            &mut self.talk,
        ]
    }
}

/// What is counted of one grade. What is not there is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Students who are there.
    #[serde(skip_serializing_if = "is_default")]
    pub students: u64,
    /// Students by their plans, whatever these cover.
    #[serde(skip_serializing_if = "is_default")]
    pub any: Coverage,
    /// Students by those of their plans that cover a subject.
    #[serde(skip_serializing_if = "is_default")]
    pub subjects: BTreeMap<Name, Coverage>,
    /// Plans whose owner has left.
    #[serde(skip_serializing_if = "is_default")]
    pub ownerless: u64,
    /// Plans by the month in which they were last worked on.
    #[serde(skip_serializing_if = "is_default")]
    pub worked_on: BTreeMap<Month, u64>,
    /// Talks by kind.
    #[serde(skip_serializing_if = "is_default")]
    pub talks: BTreeMap<TalkKind, u64>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Counts {
    /// Whether nothing is counted.
    pub fn is_zero(&self) -> bool {
        is_default(self)
    }

    /// Counts what `more` counts as well.
    pub fn add(&mut self, more: &Self) {
        self.students += more.students;
        add(&mut self.any, more.any);
        for (subject, coverage) in &more.subjects {
            add(self.subjects.entry(subject.clone()).or_default(), *coverage);
        }
        self.ownerless += more.ownerless;
        for (month, plans) in &more.worked_on {
            *self.worked_on.entry(*month).or_default() += plans;
        }
        for (kind, talks) in &more.talks {
            *self.talks.entry(*kind).or_default() += talks;
        }
    }

    /// No longer counts what `less` counts. Says whether all of it had been counted; what had not
    /// stays at zero.
    #[must_use]
    pub fn subtract(&mut self, less: &Self) -> bool {
        let mut sound = take(&mut self.students, less.students);
        sound &= subtract(&mut self.any, less.any);
        for (subject, coverage) in &less.subjects {
            let left = self.subjects.entry(subject.clone()).or_default();
            sound &= subtract(left, *coverage);
        }
        sound &= take(&mut self.ownerless, less.ownerless);
        for (month, plans) in &less.worked_on {
            sound &= take(self.worked_on.entry(*month).or_default(), *plans);
        }
        for (kind, talks) in &less.talks {
            sound &= take(self.talks.entry(*kind).or_default(), *talks);
        }
        self.subjects.retain(|_, coverage| !is_default(coverage));
        self.worked_on.retain(|_, plans| *plans > 0);
        self.talks.retain(|_, talks| *talks > 0);
        sound
    }
}

fn add(to: &mut Coverage, mut more: Coverage) {
    for (to, more) in to.all().into_iter().zip(more.all()) {
        *to += *more;
    }
}

fn subtract(from: &mut Coverage, mut less: Coverage) -> bool {
    let pairs = from.all().into_iter().zip(less.all());
    pairs.fold(true, |sound, (from, less)| take(from, *less) && sound)
}

fn take(from: &mut u64, less: u64) -> bool {
    let left = from.checked_sub(less);
    *from = left.unwrap_or(0);
    left.is_some()
}

/// What is counted of an institution or team, as it was at the end of a day, or is by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The day on which it came to this.
    pub day: Day,
    /// The day on which it had come to what it was before that day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Day>,
    /// Teams of the institution that somebody was ever counted in. Of an institution's students only.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub teams: BTreeSet<TeamId>,
    /// By grade; students without one under the empty text. Grades of nobody are not there.
    pub grades: BTreeMap<String, Counts>,
}

impl Cell {
    /// Nothing counted yet.
    pub fn new(day: Day) -> Self {
        Self {
            day,
            before: None,
            teams: BTreeSet::new(),
            grades: BTreeMap::new(),
        }
    }

    /// Counts `after` of a grade in place of `before`. Says whether `before` had been counted.
    #[must_use]
    pub fn change(&mut self, grade: &str, before: Option<&Counts>, after: Option<&Counts>) -> bool {
        let mut counts = self.grades.remove(grade).unwrap_or_default();
        let sound = before.is_none_or(|before| counts.subtract(before));
        if let Some(after) = after {
            counts.add(after);
        }
        if !counts.is_zero() {
            self.grades.insert(grade.to_owned(), counts);
        }
        sound
    }
}
