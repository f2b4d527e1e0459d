//! What happens, as a list that follows from a seed. Each item brings its own dice along, so that one can
//! be left out and the others do what they did: that is how a failure is made small.

use crate::dice::Dice;
use crate::disk::{Cut, Fault, Planned};

/// Something that the process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Appends some commits in one write.
    Append,
    /// Overwrites the text of an event.
    Redact,
    /// Destroys somebody's key.
    Destroy,
    /// Signs and keeps a checkpoint, or adds a signature to the newest one.
    Checkpoint,
    /// Reads events here and there.
    Read,
    /// The clock jumps, to before or after.
    Jump,
}

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The power is cut.
    Cut(Cut),
    /// The process ends, the machine goes on.
    Process,
}

/// One thing that happens. `A` is what is done, `E` how a process ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Item<A, E> {
    /// A fault comes to the process that runs next.
    Fault(Planned),
    /// The process that runs next finds so much space.
    Space(u64),
    /// Something is done.
    Act(A, u64),
    /// The process ends.
    End(E, u64),
}

/// What comes to one process.
pub(crate) struct Life<A, E> {
    pub(crate) faults: Vec<Planned>,
    pub(crate) space: Option<u64>,
    /// What it does, each with the seed of its dice.
    pub(crate) acts: Vec<(A, u64)>,
    /// How it ends, with the seed of its dice; `None` if the plan does not say.
    pub(crate) end: Option<(E, u64)>,
}

impl<A, E> Default for Life<A, E> {
    fn default() -> Self {
        Self {
            faults: Vec::new(),
            space: None,
            acts: Vec::new(),
            end: None,
        }
    }
}

/// The lives of a plan's processes. Of the last the plan does not say how it ends.
pub(crate) fn lives<A: Copy, E: Copy>(items: &[Item<A, E>]) -> Vec<Life<A, E>> {
    let mut lives = Vec::new();
    let mut life = Life::default();
    for item in items {
        match item {
            Item::Fault(fault) => life.faults.push(*fault),
            Item::Space(bytes) => life.space = Some(*bytes),
            Item::Act(act, seed) => life.acts.push((*act, *seed)),
            Item::End(end, seed) => {
                life.end = Some((*end, *seed));
                lives.push(std::mem::take(&mut life));
            }
        }
    }
    lives.push(life);
    lives
}

/// What follows from a seed.
pub(crate) fn plan(seed: u64) -> Vec<Item<Act, End>> {
    let mut dice = Dice::new(seed);
    let mut items = Vec::new();
    for _ in 0..4 + dice.below(20) {
        life(&mut dice, &mut items);
    }
    items
}

fn life(dice: &mut Dice, items: &mut Vec<Item<Act, End>>) {
    // Most processes die at some operation, which may be one of their start.
    if !dice.once_in(4) {
        items.push(fault(dice, Fault::Kill, 70));
    }
    while dice.once_in(2) {
        let fault_here = match dice.below(16) {
            0..5 => Fault::Io,
            5..7 => Fault::NoSpace,
            7..9 => Fault::NoHandles,
            9..11 => Fault::Short,
            11 => Fault::Interrupted,
            _ => Fault::Rot,
        };
        items.push(fault(dice, fault_here, 50));
    }
    if dice.once_in(12) {
        items.push(Item::Space(dice.below(8_000)));
    }
    for _ in 0..dice.below(9) {
        let act = match dice.below(16) {
            0..9 => Act::Append,
            9 | 10 => Act::Redact,
            11 => Act::Destroy,
            12 | 13 => Act::Checkpoint,
            14 => Act::Read,
            _ => Act::Jump,
        };
        items.push(Item::Act(act, dice.roll()));
    }
    let end = match dice.below(8) {
        0 => End::Cut(Cut::LosesAll),
        1 => End::Cut(Cut::KeepsAll),
        2 => End::Cut(Cut::Order),
        3..6 => End::Cut(Cut::Sectors),
        _ => End::Process,
    };
    items.push(Item::End(end, dice.roll()));
}

/// A fault at one of so many operations.
pub(crate) fn fault<A, E>(dice: &mut Dice, fault: Fault, operations: u64) -> Item<A, E> {
    Item::Fault(Planned {
        from: dice.below(operations),
        fault,
        seed: dice.roll(),
    })
}

/// One process that does a little of everything, killed at an operation. Gives the plans for every
/// operation and every kind of power cut.
pub(crate) fn sweep(operation: u64, cut: Cut) -> Vec<Item<Act, End>> {
    let acts = [
        Act::Append,
        Act::Append,
        Act::Checkpoint,
        Act::Append,
        Act::Redact,
        Act::Destroy,
        Act::Append,
        Act::Checkpoint,
    ];
    let acts = || acts.iter().zip(1..);
    let mut items: Vec<_> = acts().map(|(act, seed)| Item::Act(*act, seed)).collect();
    items.push(Item::End(End::Cut(Cut::LosesAll), 1));
    items.push(Item::Fault(Planned {
        from: operation,
        fault: Fault::Kill,
        seed: 1,
    }));
    items.extend(acts().map(|(act, seed)| Item::Act(*act, seed + 100)));
    items.push(Item::End(End::Cut(cut), operation));
    items
}
