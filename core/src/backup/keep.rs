//! Which backups are kept.

use std::collections::BTreeSet;

use crate::time::Timestamp;

const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;

/// Which backups are kept. A backup is kept if one of the first three says so, unless it is too old.
/// The newest is always kept. If none of the first three is given, age alone decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The newest so many.
    pub last: Option<usize>,
    /// The newest of each of the last so many days on which there is one.
    pub daily: Option<usize>,
    /// The newest of each of the last so many months in which there is one.
    pub monthly: Option<usize>,
    /// None that is older than so many days: whoever was erased is in no backup after that.
    pub most_days: Option<u64>,
}

impl Keep {
    /// Whether it says anything. If it does not, everything is kept.
    pub fn is_given(&self) -> bool {
        *self != Self::default()
    }

    /// Which of these backups are not kept: numbers, and when each was made, in any order.
    pub fn expired(&self, backups: &[(u64, Timestamp)], now: Timestamp) -> Vec<u64> {
        if !self.is_given() {
            return Vec::new();
        }
        let mut newest_first = backups.to_vec();
        newest_first.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        let by_time = self.last.is_none() && self.daily.is_none() && self.monthly.is_none();
        let (mut days, mut months) = (BTreeSet::new(), BTreeSet::new());
        let mut expired = Vec::new();
        for (index, (number, made)) in newest_first.iter().enumerate() {
            let is_last = self.last.is_some_and(|last| index < last);
            let daily = first_of(&mut days, made.day_in_denmark(), self.daily);
            let monthly = first_of(&mut months, made.month_in_denmark(), self.monthly);
            let old = self.most_days.is_some_and(|most| {
                now.nanos().saturating_sub(made.nanos()) > most.saturating_mul(DAY)
            });
            let wanted = (is_last || daily || monthly || by_time) && !old;
            if index > 0 && !wanted {
                expired.push(*number);
            }
        }
        expired.sort_unstable();
        expired
    }
}

/// Whether this is the first of its day or month, and one of so many.
fn first_of<T: Ord>(seen: &mut BTreeSet<T>, one: T, most: Option<usize>) -> bool {
    seen.insert(one) && most.is_some_and(|most| seen.len() <= most)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    /// Two backups a day, on 100 days from the first of September 2026 on, numbered from 1.
    fn backups() -> Vec<(u64, Timestamp)> {
        let first = date(2026, 9, 1);
        let at = |half: i64| {
            let day = Timestamp::start_of_day_in_denmark(first + (half / 2).days());
            (
                half as u64 + 1,
                day.plus(DAY / 4 * (1 + 2 * (half as u64 % 2))),
            )
        };
        (0..200).map(at).collect()
    }

    fn kept(keep: Keep) -> Vec<u64> {
        let all = backups();
        let now = all.last().unwrap().1.plus(1);
        let expired = keep.expired(&all, now);
        let mut kept: Vec<_> = all.iter().map(|(number, _)| *number).collect();
        kept.retain(|number| !expired.contains(number));
        kept
    }

    #[test]
    fn without_a_rule_everything_is_kept_and_with_any_the_newest() {
        assert_eq!(kept(Keep::default()).len(), 200);
        let none = Keep {
            last: Some(0),
            most_days: Some(0),
            ..Keep::default()
        };
        assert_eq!(kept(none), [200]);
    }

    #[test]
    fn the_last_ones_the_newest_of_each_day_and_of_each_month_are_kept() {
        let keep = Keep {
            last: Some(3),
            ..Keep::default()
        };
        assert_eq!(kept(keep), [198, 199, 200]);
        let keep = Keep {
            daily: Some(4),
            ..Keep::default()
        };
        assert_eq!(kept(keep), [194, 196, 198, 200]);
        // 30 days of September, 31 of October, 30 of November, 9 of December.
        let keep = Keep {
            last: Some(1),
            monthly: Some(3),
            ..Keep::default()
        };
        assert_eq!(kept(keep), [122, 182, 200]);
    }

    #[test]
    fn none_is_kept_that_is_too_old_whatever_else_says_so() {
        let keep = Keep {
            monthly: Some(12),
            most_days: Some(20),
            ..Keep::default()
        };
        assert_eq!(kept(keep), [182, 200]);
        let keep = Keep {
            most_days: Some(1),
            ..Keep::default()
        };
        assert_eq!(kept(keep), [199, 200]);
    }
}
