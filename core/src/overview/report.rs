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

/// What the rows of an overview are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Institutions.
    Institution,
    /// Grades, over all institutions asked for.
    Grade,
    /// Teams of the institutions asked for.
    Team,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct OverviewQuery {
    /// Of which institutions; none twice.
    pub institutions: Vec<InstitutionId>,
    /// Of plans of which school year.
    pub school_year: (SchoolYearId, SchoolYear),
    /// Row by row of what.
    pub by: By,
    /// At the end of which day.
    pub day: Date,
    /// Count plans that nobody has worked on in so many months.
    pub untouched_months: Option<u32>,
    /// Count what is due.
    pub rules: Option<DueRules>,
}

/// A column of an overview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// Students who are there.
    Students,
    /// Of those: with a plan of the school year.
    WithPlan,
    /// Of those: with one that guardians can see.
    Visible,
    /// Of those with a plan: with one that staff have evaluated a goal in.
    Evaluated,
    /// Of those with a plan: with one that a talk is recorded in.
    WithTalk,
    /// Plans, not students.
    Plans,
    /// Of the plans: whose owner has left.
    Ownerless,
    /// Of the plans: not worked on for as long as was asked.
    Untouched,
    /// Talks of a kind.
    Talks(TalkKind),
    /// Students whom a rule is about.
    Due(Due),
    /// Of those: who have what it requires. It follows from the other two.
    Met(Due),
    /// Of those: who have not what it requires.
    Missing(Due),
}

/// A rule that is due, by its place among the rules, in a subject or in any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The rule.
    pub rule: usize,
    /// The subject; `None` for any.
    pub subject: Option<Name>,
}

/// What a row is about; the total is about nothing more.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// An institution, or that of a team.
    pub institution: Option<InstitutionId>,
    /// A grade; empty for students without one.
    pub grade: Option<String>,
    /// A team.
    pub team: Option<TeamId>,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is about.
    pub key: RowKey,
    /// A count for each column.
    pub counts: Vec<u64>,
}

/// An overview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What the counts are.
    pub columns: Vec<Column>,
    /// In order of their keys.
    pub rows: Vec<Row>,
    /// Of all students of the institutions asked for, each once at each institution. Where the rows are
    /// teams it is not their sum: students are in several teams, or in none.
    pub total: Vec<u64>,
}

/// Where cells come from.
pub(crate) trait Source {
    /// A cell as it was at the end of a day; `None` if nothing was counted yet.
    fn cell(&self, key: CellKey, day: Day) -> Result<Option<Arc<Cell>>, ReadError>;

    /// Whether a team is one of a school year, or of none in particular.
    fn is_of_year(&self, team: TeamId, school_year: SchoolYearId) -> Result<bool, ReadError>;
}

/// By grade: those who are there, and what their plans come to.
type Grades = BTreeMap<String, (u64, Counts)>;

impl OverviewQuery {
    /// What its columns are.
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

    /// Rules that are due on the day, subject by subject.
    fn due(&self) -> impl Iterator<Item = (usize, Option<&Name>, &DueRule)> {
        let first_day = self.school_year.1.first_day;
        let rules = self.rules.iter().flat_map(|rules| &rules.rules).enumerate();
        let due = rules.filter(move |(_, rule)| rule.due_from(first_day) <= self.day);
        due.flat_map(|(index, rule)| {
            let subjects = rule.each_subject().into_iter();
            subjects.map(move |subject| (index, subject, rule))
        })
    }

    /// The answer.
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
                        // Last year's teams keep their members.
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

    /// Teams that anybody was in by then, whatever institution they belong to now.
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
