use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::day::{Day, Month};
use crate::domain::plan::TalkKind;
use crate::ids::{InstitutionId, SchoolYearId, TeamId};
use crate::text::Name;

/// Names a [`Cell`]: whose students it counts, and for which school year. With a school year the
/// cell counts the plans of that year. Without one it counts the students themselves, whatever
/// plans they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// The institution that the students go to, or that the team belongs to.
    pub institution: InstitutionId,
    /// The team, if the cell counts the members of one team. `None` counts the whole institution.
    pub team: Option<TeamId>,
    /// The school year of the plans. `None` if the cell counts students and not plans.
    pub school_year: Option<SchoolYearId>,
}

impl CellKey {
    /// The key's bytes, as a part of document keys. The length is always the same.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let team = self.team.as_ref().map_or(&[0; 16], TeamId::as_bytes);
        let year = self.school_year.as_ref();
        let year = year.map_or(&[0; 16], SchoolYearId::as_bytes);
        let flags = u8::from(self.team.is_some()) * 2 + u8::from(self.school_year.is_some());
        [self.institution.as_bytes().as_slice(), &[flags], team, year].concat()
    }
}

/// Counts students by how far their plans have come. Each number counts a student once, however
/// many plans the student has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Students who have a plan.
    pub plan: u64,
    /// Students who have a plan that guardians can see.
    pub visible: u64,
    /// Students who have a plan in which staff have evaluated a goal.
    pub evaluated: u64,
    /// Students who have a plan in which a talk is recorded.
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

/// What a cell counts for one grade. A field that is missing from the stored form is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Students of the institution or team. Cells with a school year do not count them: zero there.
    #[serde(skip_serializing_if = "is_default")]
    pub students: u64,
    /// Students by all their plans, whatever subjects the plans cover.
    #[serde(skip_serializing_if = "is_default")]
    pub any: Coverage,
    /// For each subject: students by those of their plans that cover the subject.
    #[serde(skip_serializing_if = "is_default")]
    pub subjects: BTreeMap<Name, Coverage>,
    /// Plans whose owner has left.
    #[serde(skip_serializing_if = "is_default")]
    pub ownerless: u64,
    /// Plans by the month in which somebody last worked on them.
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
    /// Whether every count is zero.
    pub fn is_zero(&self) -> bool {
        is_default(self)
    }

    /// Adds every count of `more`.
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

    /// Subtracts every count of `less`. Returns false if one of them was larger than what had been
    /// counted; such a count becomes zero.
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

/// The counts of one institution or team, either as they were at the end of a day or as they are
/// now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The day of the last change: the counts below are from this day.
    pub day: Day,
    /// The day of the last change before `day`. `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Day>,
    /// Every team of the institution in which a student was ever counted. Only the cell that counts
    /// an institution's students has this list; it is empty in all others.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub teams: BTreeSet<TeamId>,
    /// Counts by grade. The empty text stands for students without a grade. A grade whose counts
    /// are all zero is left out.
    pub grades: BTreeMap<String, Counts>,
}

impl Cell {
    /// A cell that counts nothing yet.
    pub fn new(day: Day) -> Self {
        Self {
            day,
            before: None,
            teams: BTreeSet::new(),
            grades: BTreeMap::new(),
        }
    }

    /// Replaces the counts `before` of a grade by `after`. Returns false if the cell had not
    /// counted all of `before`.
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
