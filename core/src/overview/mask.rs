//! Hides small counts, so that a table says nothing about single students.

use super::ties::Ties;

/// A count as the table shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The true count.
    Exact(u64),
    /// The count is small: at least 1 and less than the threshold.
    Small,
    /// The count is hidden because somebody could compute a small count from it.
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

/// Hides every count from 1 to `threshold` − 1, and every count from which a hidden one could be
/// computed. The last row of `table` is the total. `ties[c]` says which earlier columns are related
/// to column `c`.
///
/// 1. A small count becomes [`Shown::Small`].
/// 2. A count is withheld in three cases. First: it differs by a small number from a shown count of
///    which it is a part, or which is a part of it ("24 of 25" gives away the one). Second: it is a
///    part of a masked count, and is neither small nor 0. Third: a masked count could be computed
///    from it.
/// 3. The total of a column is withheld if any row of the column is masked: otherwise somebody
///    could subtract the other rows from the total. (Withholding a second row would keep the total.
///    But related columns, such as students with a plan and students without one, would give that
///    row away.) The total is also withheld if it is larger than the sum of its rows by a small
///    number: those are the few students who are in no team.
///
/// This function does not look at sums of three or more counts. Two tables together may also give
/// away what neither gives away alone. Masking one table cannot prevent that.
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

    /// Three columns: students; students with a plan; students with a visible plan.
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
        // Some students are in two teams, so the total is less than the sum.
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
        /// Nobody can compute a masked count from its row or its column.
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
