//! Masking small counts, so that a table does not tell of single students.

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
/// total. `parts[c]` names the columns, all before `c`, that column `c` is a part of.
///
/// 1. A small count is [`Shown::Small`].
/// 2. A count is withheld if what it lacks to a shown count that it is a part of is small: 24 of 25
///    tell of the one. So is one whose whole is masked, unless it is small or 0 itself.
/// 3. Where a row is masked in a column, the column's total is withheld: nothing follows from it
///    less the other rows. (Withholding a second row in its place would keep the total, but linked
///    columns, such as those with a plan and those without one, give that row away again.)
///
/// Two tables may still tell together what neither tells alone; masking one table cannot prevent
/// that.
pub fn mask(table: &[Vec<u64>], parts: &[Vec<usize>], threshold: u64) -> Vec<Vec<Shown>> {
    let mut shown: Vec<_> = table
        .iter()
        .map(|row| mask_row(row, parts, threshold))
        .collect();
    if let Some((total, rows)) = shown.split_last_mut() {
        for (column, count) in total.iter_mut().enumerate() {
            let mut column = rows.iter().filter_map(|row| row.get(column));
            if column.any(|count| count.is_masked()) && !count.is_masked() {
                *count = Shown::Withheld;
            }
        }
    }
    shown
}

fn mask_row(row: &[u64], parts: &[Vec<usize>], threshold: u64) -> Vec<Shown> {
    let small = |count: u64| (1..threshold).contains(&count);
    let mut shown: Vec<Shown> = Vec::with_capacity(row.len());
    for (column, count) in row.iter().enumerate() {
        let wholes = parts.get(column).into_iter().flatten();
        let mut wholes = wholes.filter_map(|whole| Some((*row.get(*whole)?, *shown.get(*whole)?)));
        let tells = wholes.any(|(whole, seen)| match seen {
            Shown::Exact(_) => small(whole.saturating_sub(*count)),
            Shown::Small | Shown::Withheld => *count > 0,
        });
        shown.push(match (small(*count), tells) {
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
    fn parts() -> Vec<Vec<usize>> {
        vec![vec![], vec![0], vec![0, 1]]
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
                        for whole in &parts[column] {
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
