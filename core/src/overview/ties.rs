//! How the columns of an overview are related: which count can be computed from which other.

use std::collections::BTreeMap;

use super::report::{Column, Due, OverviewQuery};
use super::rules::{DueRule, Requirement};
use crate::text::Name;

/// How one column is related to the columns before it. The numbers are indexes of those columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ties {
    /// Columns of which this column counts a part.
    pub wholes: Vec<usize>,
    /// Columns that count a part of this column.
    pub parts: Vec<usize>,
    /// Columns that somebody could compute from this one, exactly or nearly, alone or together with
    /// others.
    pub tells: Vec<usize>,
}

/// Which students a column counts.
#[derive(Clone, Copy)]
struct People<'a> {
    /// The rule whose grades they are in. `None` means students of every grade.
    rule: Option<usize>,
    which: Which<'a>,
}

#[derive(Clone, Copy)]
enum Which<'a> {
    /// All of them.
    All,
    /// Those who have what is required, in this subject; `None` means in any subject.
    With(Option<&'a Name>, Requirement),
    /// Those who do not have it.
    Without(Option<&'a Name>, Requirement),
}

impl Which<'_> {
    /// Whether every student counted here is counted in `other` too, whatever students there are.
    fn is_part_of(self, other: Self) -> bool {
        match (self, other) {
            (_, Self::All) => true,
            (Self::With(subject, has), Self::With(of, needs))
            | (Self::Without(of, needs), Self::Without(subject, has)) => {
                // A student who has anything has a plan. A student who has it in one subject has it
                // in "any".
                (of.is_none() || of == subject) && (needs == Requirement::Plan || needs == has)
            }
            (Self::All, _)
            | (Self::With(..), Self::Without(..))
            | (Self::Without(..), Self::With(..)) => false,
        }
    }
}

impl OverviewQuery {
    /// For each column: how it is related to the columns before it.
    pub fn ties(&self) -> Vec<Ties> {
        let columns = self.columns();
        let rules = self.rules.as_ref().map_or(&[][..], |rules| &rules.rules);
        let within: Vec<Vec<bool>> = rules
            .iter()
            .map(|rule| rules.iter().map(|of| has_no_grade_but(rule, of)).collect())
            .collect();
        let is_within = |people: People<'_>, of: People<'_>| {
            people.which.is_part_of(of.which)
                && match (people.rule, of.rule) {
                    (_, None) => true,
                    (None, Some(of)) => rules.get(of).is_some_and(|of| of.grades.is_none()),
                    (Some(rule), Some(of)) => {
                        let row = within.get(rule);
                        row.and_then(|row| row.get(of))
                            .is_some_and(|within| *within)
                    }
                }
        };
        // A rule applies to the same number of students in each of its subjects. The first of these
        // columns stands for all of them.
        let mut first_due = BTreeMap::new();
        for (at, column) in columns.iter().enumerate() {
            if let Column::Due(due) = column {
                first_due.entry(due.rule).or_insert(at);
            }
        }
        let repeats = |at: usize, column: &Column| match column {
            Column::Due(due) => first_due
                .get(&due.rule)
                .copied()
                .filter(|first| *first < at),
            _ => None,
        };
        let people: Vec<_> = columns
            .iter()
            .enumerate()
            .map(|(at, column)| match repeats(at, column) {
                Some(_) => None,
                None => people(column, rules),
            })
            .collect();
        let ties = columns.iter().zip(&people).enumerate();
        ties.map(|(at, (column, now))| {
            let mut ties = Ties::default();
            ties.tells.extend(repeats(at, column));
            let before = columns.iter().zip(&people).take(at).enumerate();
            for (index, (other, earlier)) in before {
                if let (Some(now), Some(earlier)) = (*now, *earlier) {
                    if is_within(now, earlier) {
                        ties.wholes.push(index);
                    } else if is_within(earlier, now) {
                        ties.parts.push(index);
                    }
                }
                match (other, column) {
                    (Column::Plans, Column::Ownerless | Column::Untouched) => {
                        ties.wholes.push(index);
                    }
                    // Most students have one plan, so the number of plans nearly tells the number
                    // of students.
                    (Column::WithPlan, Column::Plans) => ties.tells.push(index),
                    (Column::Met(met), Column::Missing(due)) if met == due => {
                        ties.tells.push(index);
                    }
                    _ => {}
                }
            }
            ties
        })
        .collect()
    }
}

fn people<'a>(column: &'a Column, rules: &[DueRule]) -> Option<People<'a>> {
    let all = |which| Some(People { rule: None, which });
    let with = |requirement| all(Which::With(None, requirement));
    let due = |due: &'a Due, which: fn(Option<&'a Name>, Requirement) -> Which<'a>| {
        let requires = rules.get(due.rule)?.requires;
        Some(People {
            rule: Some(due.rule),
            which: which(due.subject.as_ref(), requires),
        })
    };
    match column {
        Column::Students => all(Which::All),
        Column::WithPlan => with(Requirement::Plan),
        Column::Visible => with(Requirement::Visible),
        Column::Evaluated => with(Requirement::Evaluated),
        Column::WithTalk => with(Requirement::Talk),
        Column::Due(about) => due(about, |_, _| Which::All),
        Column::Met(about) => due(about, Which::With),
        Column::Missing(about) => due(about, Which::Without),
        Column::Plans | Column::Ownerless | Column::Untouched | Column::Talks(_) => None,
    }
}

fn has_no_grade_but(rule: &DueRule, of: &DueRule) -> bool {
    match &rule.grades {
        None => of.grades.is_none(),
        Some(grades) => grades.iter().all(|grade| of.is_about(grade)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::school_year::SchoolYear;
    use crate::ids::SchoolYearId;
    use crate::overview::{By, DueRules, Shown, mask};

    /// A query on a day on which every rule is due.
    fn ask(rules: &str) -> OverviewQuery {
        let rules = format!(r#"{{"title": "Regler", "source": "Her", "rules": [{rules}]}}"#);
        let rules: DueRules = serde_json::from_str(&rules).unwrap();
        let school_year = SchoolYear {
            title: "2026/27".parse().unwrap(),
            first_day: "2026-08-01".parse().unwrap(),
            last_day: "2027-07-31".parse().unwrap(),
        };
        OverviewQuery {
            institutions: Vec::new(),
            school_year: (SchoolYearId::from_bytes([1; 16]), school_year),
            by: By::Institution,
            day: "2027-07-31".parse().unwrap(),
            untouched_months: Some(3),
            rules: Some(rules),
        }
    }

    const RULES: &str = r#"
        {"title": "0", "grades": ["0"], "subjects": "any", "requires": "plan"},
        {"title": "1", "subjects": "any", "requires": "visible"},
        {"title": "2", "subjects": {"each": ["Dansk", "Fysik"]}, "requires": "visible"},
        {"title": "3", "subjects": {"each": ["Dansk"]}, "requires": "plan"},
        {"title": "4", "grades": ["00", "1"], "subjects": "any", "requires": "talk"},
        {"title": "5", "subjects": "any", "requires": "plan"}"#;

    /// One student: the grade, and the plan if there is one: whether it covers Danish, whether it
    /// is visible, and whether it holds a talk.
    #[derive(Clone, Debug)]
    struct Pupil {
        grade: u8,
        plan: Option<(bool, bool, bool)>,
    }

    fn counted(column: &Column, pupil: &Pupil, rules: &[DueRule]) -> bool {
        let has = |subject: bool, requires| match pupil.plan {
            None => false,
            Some((danish, visible, talk)) => {
                (danish || !subject)
                    && match requires {
                        Requirement::Plan => true,
                        Requirement::Visible => visible,
                        Requirement::Evaluated => false,
                        Requirement::Talk => talk,
                    }
            }
        };
        let is_due = |due: &Due| rules[due.rule].is_about(&pupil.grade.to_string());
        let met = |due: &Due| has(due.subject.is_some(), rules[due.rule].requires);
        match column {
            Column::Students => true,
            Column::WithPlan | Column::Plans => has(false, Requirement::Plan),
            Column::Visible => has(false, Requirement::Visible),
            Column::Evaluated => has(false, Requirement::Evaluated),
            Column::WithTalk => has(false, Requirement::Talk),
            Column::Due(due) => is_due(due),
            Column::Met(due) => is_due(due) && met(due),
            Column::Missing(due) => is_due(due) && !met(due),
            Column::Ownerless | Column::Untouched | Column::Talks(_) => false,
        }
    }

    fn pupils() -> impl Strategy<Value = Vec<Pupil>> {
        let plan = prop::option::weighted(0.8, (any::<bool>(), any::<bool>(), any::<bool>()));
        let pupil = (0_u8..3, plan).prop_map(|(grade, plan)| Pupil { grade, plan });
        prop::collection::vec(pupil, 0..60)
    }

    proptest! {
        /// Whatever students there are, a part never counts a student whom its whole does not
        /// count.
        #[test]
        fn parts_are_parts(pupils in pupils()) {
            let ask = ask(RULES);
            let rules = &ask.rules.as_ref().unwrap().rules;
            let columns = ask.columns();
            for (column, ties) in columns.iter().zip(ask.ties()) {
                for pupil in &pupils {
                    let here = counted(column, pupil, rules);
                    let at = |at: &usize| counted(&columns[*at], pupil, rules);
                    prop_assert!(!here || ties.wholes.iter().all(at), "{column:?}");
                    prop_assert!(here || !ties.parts.iter().any(at), "{column:?}");
                }
            }
        }

        /// Subtracts each pair of shown counts. Counts of students who have what is due are
        /// included where they can be computed. The difference of a part and its whole is never
        /// small.
        #[test]
        fn no_small_count_is_what_two_shown_ones_differ_by(
            pupils in pupils(),
            threshold in 3_u64..6,
        ) {
            let ask = ask(RULES);
            let rules = &ask.rules.as_ref().unwrap().rules;
            let columns = ask.columns();
            let row: Vec<u64> = columns
                .iter()
                .map(|column| {
                    let counted = pupils.iter().filter(|pupil| counted(column, pupil, rules));
                    counted.count() as u64
                })
                .collect();
            let ties = ask.ties();
            let mut shown = mask(&[row.clone(), row.clone()], &ties, threshold).remove(0);
            let exact = |shown: &Shown| matches!(shown, Shown::Exact(_));
            // The column is not shown, but `Due` less `Missing` gives it.
            for at in 2..columns.len() {
                if let Column::Missing(_) = columns[at] {
                    let follows = exact(&shown[at]) && exact(&shown[at - 2]);
                    shown[at - 1] = if follows { Shown::Exact(row[at - 1]) } else { Shown::Withheld };
                }
            }
            for (column, ties) in ties.iter().enumerate() {
                if !exact(&shown[column]) {
                    continue;
                }
                prop_assert!(row[column] == 0 || row[column] >= threshold);
                for other in ties.wholes.iter().chain(&ties.parts) {
                    let apart = row[column].abs_diff(row[*other]);
                    let tells = (1..threshold).contains(&apart) && exact(&shown[*other]);
                    prop_assert!(!tells, "{:?} and {:?}", columns[column], columns[*other]);
                }
            }
        }
    }

    #[test]
    fn what_is_missing_does_not_tell_what_is_withheld() {
        // 30 students: 22 have a plan, 20 of them a visible one. So two have a plan that nobody
        // sees.
        let rule = r#"{"title": "1", "subjects": "any", "requires": "visible"}"#;
        let ask = ask(rule);
        let columns = ask.columns();
        let row: Vec<u64> = columns
            .iter()
            .map(|column| match column {
                Column::Students | Column::Due(_) => 30,
                Column::WithPlan | Column::Plans => 22,
                Column::Visible | Column::Met(_) => 20,
                Column::Missing(_) => 10,
                _ => 0,
            })
            .collect();
        let shown = mask(&[row.clone(), row], &ask.ties(), 5).remove(0);
        let of = |wanted: &dyn Fn(&Column) -> bool| shown[columns.iter().position(wanted).unwrap()];
        assert_eq!(of(&|column| *column == Column::WithPlan), Shown::Exact(22));
        assert_eq!(of(&|column| *column == Column::Visible), Shown::Withheld);
        let missing = of(&|column| matches!(column, Column::Missing(_)));
        assert_eq!(missing, Shown::Withheld);
    }

    #[test]
    fn plans_are_withheld_where_the_students_with_one_are() {
        let ask = OverviewQuery {
            rules: None,
            ..ask("")
        };
        let mut row = vec![0; ask.columns().len()];
        row[..2].copy_from_slice(&[25, 24]);
        row[5] = 24;
        let shown = mask(&[row.clone(), row], &ask.ties(), 5).remove(0);
        assert_eq!(shown[..2], [Shown::Exact(25), Shown::Withheld]);
        assert_eq!(shown[5], Shown::Withheld);
    }
}
