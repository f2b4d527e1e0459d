//! Masking small counts, so that a table does not tell of single students.

use super::ties::Ties;

/// A count as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The count.
    Exact(u64),
    /// At least 1 and less than the threshold.
    Small,
    /// Kept back because a small count could be computed from it.
    Withheld,
}

impl Shown {
    const fn is_masked(self) -> bool {
        match self {
            Self::Exact(_) => false,
            Self::Small | Self::Withheld => true,
        }
    }
}

/// Masks counts from 1 to `threshold` − 1, and what would let them be computed. The last row is the
/// total. `ties[c]` names the columns that hang together with column `c`, all before it.
///
/// 1. A small count is [`Shown::Small`].
/// 2. A count is withheld if what it lacks to a shown count that it is a part of is small, or what a
///    shown part lacks to it: 24 of 25 tell of the one. So is one whose whole is masked, unless it is
///    small or 0 itself, and one that a masked count would follow from.
/// 3. Where a row is masked in a column, the column's total is withheld: nothing follows from it
///    less the other rows. (Withholding a second row in its place would keep the total, but linked
///    columns, such as those with a plan and those without one, give that row away again.) So is a
///    total that exceeds the sum of the rows by a small count: those who are in no team.
///
/// Sums of three counts and more are not looked at, and two tables may still tell together what
/// neither tells alone; masking one table cannot prevent that.
pub fn mask(table: &[Vec<u64>], ties: &[Ties], threshold: u64) -> Vec<Vec<Shown>> {
    let small = |count: u64| (1..threshold).contains(&count);
    let mut shown: Vec<_> = table
        .iter()
        .map(|row| mask_row(row, ties, threshold))
        .collect();
    let counts = table.split_last();
    if let Some(((total, rows), (counts, parts))) = shown.split_last_mut().zip(counts) {
        for (column, (shown, count)) in total.iter_mut().zip(counts).enumerate() {
            let mut above = rows.iter().filter_map(|row| row.get(column));
            let sum: u64 = parts.iter().filter_map(|row| row.get(column)).sum();
            let tells = above.any(|count| count.is_masked()) || small(count.saturating_sub(sum));
            if tells && !shown.is_masked() {
                *shown = Shown::Withheld;
            }
        }
    }
    shown
}

fn mask_row(row: &[u64], ties: &[Ties], threshold: u64) -> Vec<Shown> {
    let small = |count: u64| (1..threshold).contains(&count);
    let none = Ties::default();
    let mut shown: Vec<Shown> = Vec::with_capacity(row.len());
    for (column, count) in row.iter().enumerate() {
        let ties = ties.get(column).unwrap_or(&none);
        let seen = |at: &usize| shown.get(*at).copied();
        let mut near = ties.wholes.iter().chain(&ties.parts);
        let tells = near.any(|at| match seen(at) {
            Some(Shown::Exact(other)) => small(other.abs_diff(*count)),
            Some(Shown::Small | Shown::Withheld) | None => false,
        });
        let masked = |at: &usize| seen(at).is_some_and(Shown::is_masked);
        let of_masked = *count > 0 && ties.wholes.iter().any(masked);
        let follows = ties.tells.iter().any(masked);
        shown.push(match (small(*count), tells || of_masked || follows) {
            (true, _) => Shown::Small,
            (false, true) => Shown::Withheld,
            (false, false) => Shown::Exact(*count),
        });
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Students; those with a plan; those whose plan is visible.
    fn parts() -> Vec<Ties> {
        let wholes = [vec![], vec![0], vec![0, 1]];
        let tied = |wholes| Ties {
            wholes,
            ..Ties::default()
        };
        wholes.map(tied).into()
    }

    #[test]
    fn a_total_that_tells_of_the_few_in_no_row_is_withheld() {
        let table = [vec![50], vec![40], vec![93]];
        let shown = mask(&table, &[], 5);
        assert_eq!(shown[2], [Shown::Withheld]);
        let table = [vec![50], vec![40], vec![95]];
        assert_eq!(mask(&table, &[], 5)[2], [Shown::Exact(95)]);
        // Students in two teams.
        let table = [vec![50], vec![40], vec![87]];
        assert_eq!(mask(&table, &[], 5)[2], [Shown::Exact(87)]);
    }

    #[test]
    fn small_counts_and_what_they_follow_from_are_masked() {
        use Shown::{Exact, Small, Withheld};
        let table = [
            vec![25, 24, 12],
            vec![30, 20, 20],
            vec![30, 3, 0],
            vec![4, 4, 0],
            vec![89, 51, 32],
        ];
        let shown = mask(&table, &parts(), 5);
        assert_eq!(shown[0], [Exact(25), Withheld, Withheld]);
        assert_eq!(shown[1], [Exact(30), Exact(20), Exact(20)]);
        assert_eq!(shown[2], [Exact(30), Small, Exact(0)]);
        assert_eq!(shown[3], [Small, Small, Exact(0)]);
        assert_eq!(shown[4], [Withheld, Withheld, Withheld]);
        let all = mask(&table, &parts(), 0);
        assert_eq!(all[4], [Exact(89), Exact(51), Exact(32)]);
    }

    proptest! {
        /// Nobody who sees a table can compute a count that is masked from a row or a column.
        #[test]
        fn no_small_count_follows_from_what_is_shown(
            rows in prop::collection::vec((0_u64..40, 0_u64..40, 0_u64..40), 1..8),
            threshold in 2_u64..8,
        ) {
            let mut table: Vec<Vec<u64>> = rows
                .into_iter()
                .map(|(students, plan, seen)| {
                    let plan = plan.min(students);
                    vec![students, plan, seen.min(plan)]
                })
                .collect();
            let total = (0..3).map(|column| table.iter().map(|row| row[column]).sum()).collect();
            table.push(total);
            let parts = parts();
            let shown = mask(&table, &parts, threshold);
            for (counts, row) in table.iter().zip(&shown) {
                for column in 0..3 {
                    if let Shown::Exact(count) = row[column] {
                        prop_assert_eq!(count, counts[column]);
                        prop_assert!(count == 0 || count >= threshold);
                        for whole in &parts[column].wholes {
                            if let Shown::Exact(whole) = row[*whole] {
                                let rest = whole - count;
                                prop_assert!(rest == 0 || rest >= threshold);
                            }
                        }
                    }
                    if row[column] == Shown::Small {
                        prop_assert!((1..threshold).contains(&counts[column]));
                    }
                }
            }
            for column in 0..3 {
                let (total, rows) = shown.split_last().unwrap();
                let masked = rows.iter().any(|row| row[column].is_masked());
                prop_assert!(!masked || total[column].is_masked());
            }
        }
    }
}
