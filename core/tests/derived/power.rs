//! Power cuts: of everything that had not been synced, any part may have reached the disk, in any
//! order, in every file. Journal and keys had been synced up to the last receipt; of the write after
//! it a part may be there.

use crate::derived::case::{Care, What};
use crate::derived::damage::Kind;
use crate::derived::many::{check, reference};

#[test]
fn a_power_cut_at_any_moment_changes_no_receipt_and_no_answer() {
    // Little is done in each, so that there can be many.
    let care = Care {
        verify_one_in: 50,
        past: 1,
        points_on: 1,
        again_one_in: 6,
        asked_one_in: 6,
    };
    let kinds = vec![What::Closed(Kind::PowerCut)];
    check("a_power_cut", 2_000, kinds, reference(), care);
}
