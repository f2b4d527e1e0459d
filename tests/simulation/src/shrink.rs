//! Makes a plan that fails smaller: leaves out halves, then quarters, and so on down to single items, as
//! long as what is left still fails.

/// The items of a plan with these numbers.
pub(crate) fn chosen<I: Copy>(items: &[I], keep: &[usize]) -> Vec<I> {
    let kept = keep.iter().filter_map(|at| items.get(*at));
    kept.copied().collect()
}

/// The numbers of the items that are enough for a failure, and what is wrong then. `play` says what is wrong
/// with some items.
pub(crate) fn shrink<I: Copy>(
    items: &[I],
    play: impl Fn(&[I]) -> Option<String>,
) -> Option<(Vec<usize>, String)> {
    let fails = |keep: &[usize]| play(&chosen(items, keep));
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
