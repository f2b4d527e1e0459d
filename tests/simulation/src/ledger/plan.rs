//! What happens to a ledger, as a list that follows from a seed. Each item brings its own dice along, so that
//! one can be left out when a failure is made small.

use crate::dice::Dice;
use crate::disk::Fault;
use crate::plan::{self, fault};

/// At how many operations of a process a fault may come.
const OPERATIONS: u64 = 160;

/// Something that is done with a ledger that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// A few commands are asked as one.
    Ask,
    /// Several clients ask and read at the same time.
    Together,
    /// Everything is read.
    Read,
    /// Derived state is stored.
    Settle,
    /// Derived state is copied, so that it can be put back later.
    Copy,
    /// A file of derived state is damaged.
    Spoil,
    /// Nothing is asked for a while.
    Rest,
    /// The clock jumps, to before or after.
    Jump,
}

/// One thing that happens. How a process ends, its dice say.
pub(crate) type Item = plan::Item<Deed, ()>;

/// What follows from a seed.
pub(crate) fn plan(seed: u64) -> Vec<Item> {
    let mut dice = Dice::new(seed ^ 0x1ED6_E200);
    let mut items = Vec::new();
    for _ in 0..3 + dice.below(6) {
        life(&mut dice, &mut items);
    }
    items
}

fn life(dice: &mut Dice, items: &mut Vec<Item>) {
    if !dice.once_in(4) {
        items.push(fault(dice, Fault::Kill, OPERATIONS));
    }
    while dice.once_in(3) {
        let fault_here = match dice.below(8) {
            0..4 => Fault::Io,
            4 => Fault::NoSpace,
            5 => Fault::NoHandles,
            6 => Fault::Short,
            _ => Fault::Interrupted,
        };
        items.push(fault(dice, fault_here, OPERATIONS));
    }
    if dice.once_in(12) {
        items.push(Item::Space(dice.below(20_000)));
    }
    for _ in 0..dice.below(10) {
        let deed = match dice.below(16) {
            0 => Deed::Jump,
            1 => Deed::Read,
            2 => Deed::Settle,
            3 => Deed::Copy,
            4 => Deed::Rest,
            5 => Deed::Spoil,
            6..11 => Deed::Together,
            _ => Deed::Ask,
        };
        items.push(Item::Act(deed, dice.roll()));
    }
    items.push(Item::End((), dice.roll()));
}
