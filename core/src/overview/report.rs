use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::cell::{Cell, CellKey, Counts};
use super::day::Day;
use super::rules::{DueRule, DueRules};
use crate::domain::plan::TalkKind;
use crate::domain::school_year::SchoolYear;
use crate::ids::{InstitutionId, SchoolYearId, TeamId};
use crate::read_error::ReadError;
use crate::text::Name;

/// What each row of an overview stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// One row for each institution.
    Institution,
    /// One row for each grade, over all institutions of the query.
    Grade,
    /// One row for each team of the institutions of the query.
    Team,
}

/// What a caller asks an overview for.
#[derive(Clone, Debug)]
pub struct OverviewQuery {
    /// The institutions to count. Each may be named once only.
    pub institutions: Vec<InstitutionId>,
    /// The school year whose plans are counted.
    pub school_year: (SchoolYearId, SchoolYear),
    /// What each row stands for.
    pub by: By,
    /// The counts are those at the end of this day.
    pub day: Date,
    /// If set, the overview has a column for plans on which nobody has worked in this many months.
    pub untouched_months: Option<u32>,
    /// If set, the overview has columns for the rules that are due on `day`.
    pub rules: Option<DueRules>,
}

/// A column of an overview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// Students who go to the institution, or who are members of the team.
    Students,
    /// Students who have a plan of the school year.
    WithPlan,
    /// Students who have a plan that guardians can see.
    Visible,
    /// Students who have a plan in which staff have evaluated a goal.
    Evaluated,
    /// Students who have a plan in which a talk is recorded.
    WithTalk,
    /// Plans of the school year. This column and the next two count plans, not students.
    Plans,
    /// Plans whose owner has left.
    Ownerless,
    /// Plans on which nobody has worked in the last
    /// [`untouched_months`](OverviewQuery::untouched_months) months.
    Untouched,
    /// Talks of one kind.
    Talks(TalkKind),
    /// Students to whom a rule applies.
    Due(Due),
    /// Students to whom the rule applies and who have what it requires. It equals `Due` less
    /// `Missing`.
    Met(Due),
    /// Students to whom the rule applies and who do not have what it requires.
    Missing(Due),
}

/// A rule that is due, in one subject or in any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The rule's index in [`DueRules::rules`].
    pub rule: usize,
    /// The subject. `None` if a plan in any subject will do.
    pub subject: Option<Name>,
}

/// What a row stands for. In the key of the total every field is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// The institution; in a row for a team, the team's institution.
    pub institution: Option<InstitutionId>,
    /// The grade. The empty text stands for students without a grade.
    pub grade: Option<String>,
    /// The team.
    pub team: Option<TeamId>,
}

/// One row of an overview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What the row stands for.
    pub key: RowKey,
    /// One count for each column, in the order of the columns.
    pub counts: Vec<u64>,
}

/// The answer to an [`OverviewQuery`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What each count of a row means, in order.
    pub columns: Vec<Column>,
    /// The rows, sorted by their keys.
    pub rows: Vec<Row>,
    /// Counts all students of the query's institutions. A student counts once at each institution.
    /// If the rows are teams, the total is not the sum of the rows: a student may be in several
    /// teams, or in none.
    pub total: Vec<u64>,
}

/// Where a report reads its cells from.
pub(crate) trait Source {
    /// Reads a cell as it was at the end of a day. `None` if nothing had been counted in it yet.
    fn cell(&self, key: CellKey, day: Day) -> Result<Option<Arc<Cell>>, ReadError>;

    /// Whether a team belongs to this school year, or to no school year in particular.
    fn is_of_year(&self, team: TeamId, school_year: SchoolYearId) -> Result<bool, ReadError>;
}

/// For each grade: the number of students, and the counts of their plans.
type Grades = BTreeMap<String, (u64, Counts)>;

impl OverviewQuery {
    /// The columns of the answer, in order.
    pub fn columns(&self) -> Vec<Column> {
        let mut columns = vec![
            Column::Students,
            Column::WithPlan,
            Column::Visible,
            Column::Evaluated,
            Column::WithTalk,
            Column::Plans,
            Column::Ownerless,
        ];
        if self.untouched_months.is_some() {
            columns.push(Column::Untouched);
        }
        for kind in [
            TalkKind::StudentTalk,
            TalkKind::FeedbackTalk,
            TalkKind::LearningTalk,
            TalkKind::SchoolHomeTalk,
        ] {
            columns.push(Column::Talks(kind));
        }
        for (rule, subject, _) in self.due() {
            let due = Due {
                rule,
                subject: subject.cloned(),
            };
            columns.push(Column::Due(due.clone()));
            columns.push(Column::Met(due.clone()));
            columns.push(Column::Missing(due));
        }
        columns
    }

    /// The rules that are due on the day. A rule about several subjects comes once for each of
    /// them.
    fn due(&self) -> impl Iterator<Item = (usize, Option<&Name>, &DueRule)> {
        let first_day = self.school_year.1.first_day;
        let rules = self.rules.iter().flat_map(|rules| &rules.rules).enumerate();
        let due = rules.filter(move |(_, rule)| rule.due_from(first_day) <= self.day);
        due.flat_map(|(index, rule)| {
            let subjects = rule.each_subject().into_iter();
            subjects.map(move |subject| (index, subject, rule))
        })
    }

    /// Counts the answer.
    pub(crate) fn report(&self, source: &impl Source) -> Result<Report, ReadError> {
        let mut rows: BTreeMap<RowKey, Grades> = BTreeMap::new();
        let mut total = Grades::new();
        for institution in &self.institutions {
            let grades = self.grades(source, *institution, None)?;
            let by_institution = RowKey {
                institution: Some(*institution),
                ..RowKey::default()
            };
            for (grade, found) in &grades {
                merge(total.entry(grade.clone()).or_default(), found);
            }
            match self.by {
                By::Institution => drop(rows.insert(by_institution, grades)),
                By::Grade => {
                    for (grade, found) in grades {
                        let key = RowKey {
                            grade: Some(grade.clone()),
                            ..RowKey::default()
                        };
                        merge(
                            rows.entry(key).or_default().entry(grade).or_default(),
                            &found,
                        );
                    }
                }
                By::Team => {
                    for team in self.teams(source, *institution)? {
                        let grades = self.grades(source, *institution, Some(team))?;
                        let mut counts = grades.values().map(|(_, counts)| counts);
                        // Teams of earlier years keep their members. A team gets a row only if it
                        // has plans of this school year, or belongs to this school year.
                        let of_year = counts.any(|counts| counts.any.plan > 0)
                            || source.is_of_year(team, self.school_year.0)?;
                        if of_year && !grades.is_empty() {
                            let team = Some(team);
                            let key = RowKey {
                                team,
                                ..by_institution.clone()
                            };
                            rows.insert(key, grades);
                        }
                    }
                }
            }
        }
        let rows = rows.into_iter().map(|(key, grades)| Row {
            key,
            counts: self.counts(&grades),
        });
        Ok(Report {
            columns: self.columns(),
            rows: rows.collect(),
            total: self.counts(&total),
        })
    }

    /// Every team of the institution that had had a student by the end of the day, even if the team
    /// belongs to another institution now.
    fn teams(
        &self,
        source: &impl Source,
        institution: InstitutionId,
    ) -> Result<BTreeSet<TeamId>, ReadError> {
        let key = CellKey {
            institution,
            team: None,
            school_year: None,
        };
        let cell = source.cell(key, self.day.into())?;
        Ok(cell.map(|cell| cell.teams.clone()).unwrap_or_default())
    }

    fn grades(
        &self,
        source: &impl Source,
        institution: InstitutionId,
        team: Option<TeamId>,
    ) -> Result<Grades, ReadError> {
        let mut grades = Grades::new();
        for school_year in [None, Some(self.school_year.0)] {
            let key = CellKey {
                institution,
                team,
                school_year,
            };
            let cell = source.cell(key, self.day.into())?;
            for (grade, counts) in cell.iter().flat_map(|cell| &cell.grades) {
                let found = (counts.students, counts.clone());
                merge(grades.entry(grade.clone()).or_default(), &found);
            }
        }
        Ok(grades)
    }

    fn counts(&self, grades: &Grades) -> Vec<u64> {
        let sum = |count: &dyn Fn(&Counts) -> u64| grades.values().map(|(_, at)| count(at)).sum();
        let mut counts = vec![
            grades.values().map(|(there, _)| there).sum(),
            sum(&|at| at.any.plan),
            sum(&|at| at.any.visible),
            sum(&|at| at.any.evaluated),
            sum(&|at| at.any.talk),
            sum(&|at| at.worked_on.values().sum()),
            sum(&|at| at.ownerless),
        ];
        if let Some(months) = self.untouched_months {
            let last = Day::from(self.day).month().earlier(months);
            counts.push(sum(&|at| {
                at.worked_on.range(..=last).map(|(_, plans)| plans).sum()
            }));
        }
        for kind in [
            TalkKind::StudentTalk,
            TalkKind::FeedbackTalk,
            TalkKind::LearningTalk,
            TalkKind::SchoolHomeTalk,
        ] {
            counts.push(sum(&|at| at.talks.get(&kind).copied().unwrap_or(0)));
        }
        for (_, subject, rule) in self.due() {
            let about = grades.iter().filter(|(grade, _)| rule.is_about(grade));
            let (due, met) = about.fold((0, 0), |(due, met), (_, (there, at))| {
                let (more, have) = rule.apply(*there, Some(at), subject);
                (due + more, met + have)
            });
            counts.extend([due, met, due.saturating_sub(met)]);
        }
        counts
    }
}

fn merge(to: &mut (u64, Counts), more: &(u64, Counts)) {
    to.0 += more.0;
    to.1.add(&more.1);
}
