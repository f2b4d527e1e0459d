//! Due rules: what has to be there for whom, and from when on. Data, so that another year's rules, or
//! a municipality's own, are another file.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};
use serde::{Deserialize, Serialize};

use super::cell::{Counts, Coverage};
use crate::text::{Name, Text, Title};

/// Rules that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DueRules {
    /// What people call them.
    pub title: Title,
    /// What they are taken from: the law, an agreement, a decision.
    pub source: Text,
    /// What they do and do not cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// The rules.
    pub rules: Vec<DueRule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DueRule {
    /// What people call it.
    pub title: Title,
    /// Grades whose students it is about, as the roster writes them; every grade if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grades: Option<BTreeSet<String>>,
    /// In which subjects.
    pub subjects: Subjects,
    /// What has to be there.
    pub requires: Requirement,
    /// From which day of the school year on, 1 being its first.
    #[serde(default = "first")]
    pub due_from_day: u16,
}

const fn first() -> u16 {
    1
}

/// In which subjects something has to be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subjects {
    /// In any: one plan is enough, whatever it covers.
    Any,
    /// In each of these.
    Each(BTreeSet<Name>),
}

/// What has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// A plan.
    Plan,
    /// A plan that guardians can see.
    Visible,
    /// A plan that staff have evaluated a goal in.
    Evaluated,
    /// A plan that a talk is recorded in.
    Talk,
}

impl Requirement {
    /// How many students have it.
    pub const fn met(self, coverage: Coverage) -> u64 {
        match self {
            Self::Plan => coverage.plan,
            Self::Visible => coverage.visible,
            Self::Evaluated => coverage.evaluated,
            Self::Talk => coverage.talk,
        }
    }
}

/// What is wrong with a field of due rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleFault {
    /// A list without anything in it.
    Empty,
    /// More than is taken.
    OutOfRange,
    /// The same title twice.
    Duplicate,
}

/// A field of due rules that is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultyRules {
    /// Its path: `rules[2].grades`.
    pub field: String,
    /// What is wrong with it.
    pub fault: RuleFault,
    /// The same in words.
    pub description: &'static str,
}

impl fmt::Display for FaultyRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.description)
    }
}

impl std::error::Error for FaultyRules {}

impl DueRules {
    /// Most rules that are taken.
    pub const MOST_RULES: usize = 50;
    /// Most subjects and most grades of a rule.
    pub const MOST_ITEMS: usize = 50;
    /// The last day of a school year, counted from its first, that a rule may start on.
    pub const LAST_DAY: u16 = 366;

    /// Every field at fault; none if the rules can be applied.
    pub fn faults(&self) -> Vec<FaultyRules> {
        let mut faults = Vec::new();
        let mut blame = |field: String, fault, description| {
            faults.push(FaultyRules {
                field,
                fault,
                description,
            });
        };
        if self.rules.is_empty() {
            blame("rules".into(), RuleFault::Empty, "holds no rule");
        }
        if self.rules.len() > Self::MOST_RULES {
            let fault = RuleFault::OutOfRange;
            blame("rules".into(), fault, "holds more than 50 rules");
        }
        let mut titles = BTreeSet::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let at = |field: &str| format!("rules[{index}].{field}");
            if !titles.insert(&rule.title) {
                let fault = RuleFault::Duplicate;
                blame(at("title"), fault, "is that of a rule before it");
            }
            let subjects = match &rule.subjects {
                Subjects::Any => None,
                Subjects::Each(subjects) => Some(subjects.len()),
            };
            let grades = rule.grades.as_ref().map(BTreeSet::len);
            for (field, length) in [("grades", grades), ("subjects", subjects)] {
                match length {
                    Some(0) => blame(at(field), RuleFault::Empty, "holds nothing"),
                    Some(length) if length > Self::MOST_ITEMS => {
                        blame(at(field), RuleFault::OutOfRange, "holds more than 50 items");
                    }
                    Some(_) | None => {}
                }
            }
            if !(1..=Self::LAST_DAY).contains(&rule.due_from_day) {
                let fault = RuleFault::OutOfRange;
                blame(at("due_from_day"), fault, "is not from 1 to 366");
            }
        }
        faults
    }
}

impl DueRule {
    /// The day it is due from in a school year that begins on `first_day`.
    pub fn due_from(&self, first_day: Date) -> Date {
        let days: Span = i64::from(self.due_from_day.saturating_sub(1)).days();
        first_day.saturating_add(days)
    }

    /// Whether it is about a grade, whatever zeros stand before either number.
    pub fn is_about(&self, grade: &str) -> bool {
        match &self.grades {
            None => true,
            Some(grades) => grades.iter().any(|known| plain(known) == plain(grade)),
        }
    }

    /// How many of the students there it is about, and how many of them have what it requires.
    pub fn apply(&self, there: u64, plans: Option<&Counts>, subject: Option<&Name>) -> (u64, u64) {
        let coverage = plans.and_then(|plans| match subject {
            None => Some(plans.any),
            Some(subject) => plans.subjects.get(subject).copied(),
        });
        (there, self.requires.met(coverage.unwrap_or_default()))
    }

    /// The subjects it is about, one after the other; `None` for any.
    pub fn each_subject(&self) -> Vec<Option<&Name>> {
        match &self.subjects {
            Subjects::Any => vec![None],
            Subjects::Each(subjects) => subjects.iter().map(Some).collect(),
        }
    }
}

/// Grades are written "00", "0" or "7.": a number is a number.
fn plain(grade: &str) -> &str {
    let grade = grade.trim().trim_end_matches('.');
    let short = grade.trim_start_matches('0');
    match short.is_empty() && !grade.is_empty() {
        true => "0",
        false => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"{"title": "Regler", "source": "Kommunen", "rules": [
        {"title": "Plan", "grades": ["0", "9"], "subjects": "any", "requires": "plan"},
        {"title": "Dansk", "subjects": {"each": ["Dansk"]}, "requires": "evaluated",
         "due_from_day": 200}]}"#;

    fn rules() -> DueRules {
        serde_json::from_str(RULES).unwrap()
    }

    #[test]
    fn rules_read_as_they_are_written_and_unknown_fields_are_refused() {
        let rules = rules();
        assert_eq!(rules.faults(), vec![]);
        assert_eq!(rules.rules[0].due_from_day, 1);
        let written = serde_json::to_string(&rules).unwrap();
        assert_eq!(serde_json::from_str::<DueRules>(&written).unwrap(), rules);
        let more = RULES.replace(
            r#""requires": "plan""#,
            r#""requires": "plan", "grade": "7""#,
        );
        let error = serde_json::from_str::<DueRules>(&more).unwrap_err();
        assert!(error.to_string().contains("grade"), "{error}");
        let other = RULES.replace("evaluated", "praised");
        assert!(serde_json::from_str::<DueRules>(&other).is_err());
    }

    #[test]
    fn every_field_at_fault_is_named() {
        let mut faulty = rules();
        faulty.rules[0].grades = Some(BTreeSet::new());
        faulty.rules[1].title = faulty.rules[0].title.clone();
        faulty.rules[1].subjects = Subjects::Each(BTreeSet::new());
        faulty.rules[1].due_from_day = 0;
        let fields: Vec<_> = faulty
            .faults()
            .into_iter()
            .map(|fault| fault.field)
            .collect();
        let expected = [
            "rules[0].grades",
            "rules[1].title",
            "rules[1].subjects",
            "rules[1].due_from_day",
        ];
        assert_eq!(fields, expected);
        let rule = rules().rules[0].clone();
        let mut many = DueRules {
            rules: vec![rule; 51],
            ..rules()
        };
        assert_eq!(many.faults()[0].field, "rules");
        many.rules.clear();
        assert_eq!(many.faults()[0].fault, RuleFault::Empty);
    }

    #[test]
    fn a_grade_is_the_same_with_and_without_zeros_before_it() {
        let rules = rules();
        for (grade, about) in [
            ("00", true),
            ("0", true),
            ("09", true),
            ("9.", true),
            ("1", false),
            ("90", false),
            ("", false),
            ("10", false),
        ] {
            assert_eq!(rules.rules[0].is_about(grade), about, "{grade}");
            assert!(rules.rules[1].is_about(grade));
        }
    }

    #[test]
    fn days_of_a_school_year_are_counted_from_its_first() {
        let rules = rules();
        let first: Date = "2026-08-01".parse().unwrap();
        assert_eq!(rules.rules[0].due_from(first), first);
        assert_eq!(rules.rules[1].due_from(first).to_string(), "2027-02-16");
    }
}
