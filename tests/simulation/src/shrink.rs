//! Makes a plan that fails smaller: leaves out halves, then quarters, and so on down to single items, as
//! long as what is left still fails.

use crate::bugs::Bug;
use crate::plan::Item;
use crate::run::play;

/// The items of a plan with these numbers.
pub(crate) fn chosen(items: &[Item], keep: &[usize]) -> Vec<Item> {
    let kept = keep.iter().filter_map(|at| items.get(*at));
    kept.copied().collect()
}

/// The numbers of the items that are enough for a failure, and what is wrong then.
pub(crate) fn shrink(items: &[Item], seed: u64, bug: Bug) -> Option<(Vec<usize>, String)> {
    let fails = |keep: &[usize]| play(&chosen(items, keep), seed, bug).1.err();
    let mut keep: Vec<usize> = (0..items.len()).collect();
    let mut wrong = fails(&keep)?;
    let mut part = keep.len().div_ceil(2);
    while part > 0 {
        let mut from = 0;
        while from < keep.len() {
            let mut fewer = keep.clone();
            fewer.drain(from..(from + part).min(keep.len()));
            match fails(&fewer) {
                Some(still) => (keep, wrong) = (fewer, still),
                None => from += part,
            }
        }
        part = match part {
            1 => 0,
            more => more.div_ceil(2),
        };
    }
    Some((keep, wrong))
}
