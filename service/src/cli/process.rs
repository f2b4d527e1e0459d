//! What the process may leave behind.

use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask,
};

/// Files that are made from now on are the user's alone. Those of the journal and the keys are in any
/// case; this is for the files of the database.
pub(super) fn new_files_are_private() {
    umask(Mode::RWXG | Mode::RWXO);
}

/// No memory of the process is written to disk when it crashes: it holds keys and texts.
pub(super) fn without_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "a crash may write keys and texts to disk: no limit of core dumps can be set");
    }
}

/// Nor can other processes of the same user read it, or a crash handler get it.
pub(super) fn without_inspection() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "other processes of this user can read the memory of this one");
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn a_process_that_holds_keys_leaves_no_core_and_cannot_be_looked_into() {
        without_core_dumps();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        without_inspection();
        let now = dumpable_behavior().unwrap();
        assert_eq!(now, DumpableBehavior::NotDumpable);
        set_dumpable_behavior(DumpableBehavior::Dumpable).unwrap();
    }
}
