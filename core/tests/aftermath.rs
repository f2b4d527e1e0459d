//! What comes after a process that was cut off: it is started again, or the whole machine is.

use planledger_core::journal::{Fault, FaultyDisk, PowerCut};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
pub(crate) enum After {
    Restart,
    Reboot(PowerCut),
}

impl After {
    /// What the next process finds.
    pub(crate) fn leaves(self, disk: &FaultyDisk) -> FaultyDisk {
        match self {
            Self::Restart => disk.restart(),
            Self::Reboot(how) => disk.reboot(how),
        }
    }
}

pub(crate) fn any_after() -> impl Strategy<Value = After> + Clone {
    prop_oneof![
        Just(After::Restart),
        Just(After::Reboot(PowerCut::LosesAll)),
        Just(After::Reboot(PowerCut::KeepsAll)),
        (0_usize..4_000).prop_map(|bytes| After::Reboot(PowerCut::KeepsBytes(bytes))),
        any::<u64>().prop_map(|seed| After::Reboot(PowerCut::KeepsBlocks(seed))),
    ]
}

pub(crate) fn any_fault() -> impl Strategy<Value = Fault> + Clone {
    prop_oneof![Just(Fault::Kill), Just(Fault::Fail), Just(Fault::Short)]
}
