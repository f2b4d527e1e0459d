//! Due rules: which students need what, and from which day on. The rules are data. A file of its
//! own holds the rules of another year or of another municipality.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};
use serde::{Deserialize, Serialize};

use super::cell::{Counts, Coverage};
use crate::text::{Name, Text, Title};

/// A set of rules that are used together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DueRules {
    /// The title of the set.
    pub title: Title,
    /// Where the rules come from: a law, an agreement or a decision.
    pub source: Text,
    /// What the rules cover and what they do not cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// The rules, 1 to [`DueRules::MOST_RULES`] of them.
    pub rules: Vec<DueRule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DueRule {
    /// The title of the rule. No other rule of the set has the same.
    pub title: Title,
    /// The grades whose students the rule applies to, written as in the roster. `None` means every
    /// grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grades: Option<BTreeSet<String>>,
    /// The subjects in which the students need a plan.
    pub subjects: Subjects,
    /// What the students need to have.
    pub requires: Requirement,
    /// The day of the school year from which on the rule is due. Day 1 is the first day of the
    /// year.
    #[serde(default = "first")]
    pub due_from_day: u16,
}

const fn first() -> u16 {
    1
}

/// The subjects in which a rule requires something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subjects {
    /// One plan is enough, whatever subjects it covers.
    Any,
    /// The student needs it in every one of these subjects.
    Each(BTreeSet<Name>),
}

/// What a rule requires.
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
    /// How many of the counted students have it.
    pub const fn met(self, coverage: Coverage) -> u64 {
        match self {
            Self::Plan => coverage.plan,
            Self::Visible => coverage.visible,
            Self::Evaluated => coverage.evaluated,
            Self::Talk => coverage.talk,
        }
    }
}

/// The kind of fault in a field of due rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleFault {
    /// The list is empty.
    Empty,
    /// There are too many items, or a number lies outside its range.
    OutOfRange,
    /// An earlier rule has the same title.
    Duplicate,
}

/// A field of due rules that has a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultyRules {
    /// The path of the field, such as `rules[2].grades`.
    pub field: String,
    /// The kind of fault.
    pub fault: RuleFault,
    /// The fault in words; they follow the path in a sentence.
    pub description: &'static str,
}

impl fmt::Display for FaultyRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.description)
    }
}

impl std::error::Error for FaultyRules {}

impl DueRules {
    /// The most rules in one set.
    pub const MOST_RULES: usize = 50;
    /// The most subjects, and the most grades, in one rule.
    pub const MOST_ITEMS: usize = 50;
    /// The largest day number from which a rule may be due, counted from the first day of the
    /// school year.
    pub const LAST_DAY: u16 = 366;

    /// Lists every field that has a fault. The list is empty if the rules can be used.
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
            blame(
                "rules".into(),
                RuleFault::Empty,
                "has no rule; give at least one",
            );
        }
        if self.rules.len() > Self::MOST_RULES {
            let fault = RuleFault::OutOfRange;
            blame("rules".into(), fault, "has more than 50 rules");
        }
        let mut titles = BTreeSet::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let at = |field: &str| format!("rules[{index}].{field}");
            if !titles.insert(&rule.title) {
                let fault = RuleFault::Duplicate;
                blame(
                    at("title"),
                    fault,
                    "is the same as the title of an earlier rule",
                );
            }
            let subjects = match &rule.subjects {
                Subjects::Any => None,
                Subjects::Each(subjects) => Some(subjects.len()),
            };
            let grades = rule.grades.as_ref().map(BTreeSet::len);
            for (field, length) in [("grades", grades), ("subjects", subjects)] {
                match length {
                    Some(0) => blame(
                        at(field),
                        RuleFault::Empty,
                        "is empty; give at least one item, or leave the field out",
                    ),
                    Some(length) if length > Self::MOST_ITEMS => {
                        blame(at(field), RuleFault::OutOfRange, "has more than 50 items");
                    }
                    Some(_) | None => {}
                }
            }
            if !(1..=Self::LAST_DAY).contains(&rule.due_from_day) {
                let fault = RuleFault::OutOfRange;
                blame(at("due_from_day"), fault, "must be from 1 to 366");
            }
        }
        faults
    }
}

impl DueRule {
    /// The date from which the rule is due, in a school year that begins on `first_day`.
    pub fn due_from(&self, first_day: Date) -> Date {
        let days: Span = i64::from(self.due_from_day.saturating_sub(1)).days();
        first_day.saturating_add(days)
    }

    /// Whether the rule applies to a grade. Zeros in front of a number make no difference.
    pub fn is_about(&self, grade: &str) -> bool {
        match &self.grades {
            None => true,
            Some(grades) => grades.iter().any(|known| plain(known) == plain(grade)),
        }
    }

    /// Returns two numbers: to how many of the `there` students the rule applies, and how many
    /// students have what it requires.
    pub fn apply(&self, there: u64, plans: Option<&Counts>, subject: Option<&Name>) -> (u64, u64) {
        let coverage = plans.and_then(|plans| match subject {
            None => Some(plans.any),
            Some(subject) => plans.subjects.get(subject).copied(),
        });
        (there, self.requires.met(coverage.unwrap_or_default()))
    }

    /// The subjects of the rule, one by one. A single `None` means that any subject will do.
    pub fn each_subject(&self) -> Vec<Option<&Name>> {
        match &self.subjects {
            Subjects::Any => vec![None],
            Subjects::Each(subjects) => subjects.iter().map(Some).collect(),
        }
    }
}

/// Rosters write grades in several ways, such as "00", "0" or "7.". This returns the bare number.
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
