//! What to do about each finding. Pure: the same finding always has the same advice.

use super::finding::Finding;
use super::keys::KeyFault;
use crate::audit::FaultKind;
use crate::journal::DamageReason;
use crate::verify::PartName;

/// A section of the page for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// "The directory".
    Directory,
    /// "Keys".
    Keys,
    /// "Restore".
    Restore,
    /// "Redaction and erasure".
    Erasure,
    /// "When it does not start".
    Starting,
    /// "A write fails".
    WriteFails,
    /// "Who has read".
    Reads,
    /// "Damage".
    Damage,
    /// "Derived state".
    Derived,
    /// "A journal that was forked by an earlier version".
    Forks,
    /// "Disk and memory".
    Disk,
    /// "Doctor".
    Doctor,
}

impl Section {
    /// Every section.
    pub const ALL: [Self; 12] = [
        Self::Directory,
        Self::Keys,
        Self::Restore,
        Self::Erasure,
        Self::Starting,
        Self::WriteFails,
        Self::Reads,
        Self::Damage,
        Self::Derived,
        Self::Forks,
        Self::Disk,
        Self::Doctor,
    ];

    /// Its heading on the page.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Directory => "The directory",
            Self::Keys => "Keys",
            Self::Restore => "Restore",
            Self::Erasure => "Redaction and erasure",
            Self::Starting => "When it does not start",
            Self::WriteFails => "A write fails",
            Self::Reads => "Who has read",
            Self::Damage => "Damage",
            Self::Derived => "Derived state",
            Self::Forks => "A journal that was forked by an earlier version",
            Self::Disk => "Disk and memory",
            Self::Doctor => "Doctor",
        }
    }
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// The next step, in a sentence.
    pub next: &'static str,
    /// Where the page for operators goes on.
    pub section: Section,
}

const fn advice(section: Section, next: &'static str) -> Advice {
    Advice { next, section }
}

const REPAIR: &str = "run `planledger ledger doctor --repair`, then start the server";

impl Finding {
    /// What to do about it.
    pub fn advice(&self) -> Advice {
        match self {
            Self::NoLedger => advice(Section::Starting, "name the ledger's directory with --dir"),
            Self::JournalMissing => advice(
                Section::Restore,
                "put journal/ back: look whether a disk is not mounted, or restore it from the newest \
                 backup",
            ),
            Self::InUse => advice(
                Section::Directory,
                "stop the server and run this again; a running one is asked with `planledger ledger \
                 status`",
            ),
            Self::Link { .. } => advice(
                Section::Keys,
                "find out who put the link there, and put the folder itself in its place",
            ),
            Self::Unreadable { .. } => advice(
                Section::Starting,
                "look at owner and mode, at the mount and at the disk, and run this again as the user \
                 of the server",
            ),
            Self::OpenToOthers { .. } => advice(
                Section::Keys,
                "take the rights of others away (`chmod go-rwx`); if it is a secret that somebody \
                 could have read, make a new one",
            ),
            Self::Leftover { .. } => advice(Section::Doctor, REPAIR),
            Self::Unfinished { .. } => advice(
                Section::Erasure,
                "start the server, which finishes it; never remove the file",
            ),
            Self::SetAside { .. } => advice(
                Section::Derived,
                "remove the folder when nobody wants to look at it any more",
            ),
            Self::LittleRoom { .. } => advice(Section::Disk, "make room before the disk is full"),
            Self::NoMasterKey { .. } => advice(
                Section::Keys,
                "give the ledger's master key; if it is lost, use the rescue key (`planledger keys \
                 recover`)",
            ),
            Self::Keys(fault) => of_keys(fault),
            Self::TornKeys { .. } => advice(
                Section::Directory,
                "nothing: the next start moves that part to keys/keys.torn",
            ),
            Self::Journal(gap) => of_journal(gap.reason),
            Self::TornTail { .. } => advice(
                Section::Damage,
                "nothing, if the last stop was a crash: the next start cuts it off. If it was not, \
                 copy the directory first, and compare with the newest backup",
            ),
            Self::EndLost { .. } => advice(
                Section::Damage,
                "copy the whole directory, derived/ with it; then put the end of the last segment back \
                 from the newest backup. Do not remove derived/ before that",
            ),
            Self::CheckpointAhead { .. } => advice(
                Section::Restore,
                "put the newest copy of the journal back; the server does not start while the \
                 checkpoints reach further. If no copy has the end, use `planledger restore`, which records \
                 what is missing",
            ),
            Self::CheckpointsDamaged { .. } => advice(
                Section::Restore,
                "put checkpoints/checkpoints.txt back from its backup",
            ),
            Self::ActsDamaged { .. } => advice(
                Section::Starting,
                "put the newest copy of erasures/acts.txt back, and find out who changed it",
            ),
            Self::Part { part, kind, .. } => of_part(*part, *kind),
            Self::NoDerivedState => advice(
                Section::Derived,
                "nothing: the next start makes it from the journal",
            ),
            Self::NotChecked { .. } => advice(
                Section::Doctor,
                "put right what is named beside this, and run this again",
            ),
        }
    }
}

fn of_keys(fault: &KeyFault) -> Advice {
    match fault {
        KeyFault::Missing => advice(
            Section::Damage,
            "put the newest keys/keys.log back from its backup; the program never makes a new one for a \
             journal that has events",
        ),
        KeyFault::Foreign => advice(
            Section::Damage,
            "put the key store of this ledger back from its backup",
        ),
        KeyFault::WrongMasterKey => advice(
            Section::Keys,
            "give the master key that the ledger was made with, or that it was last rewrapped for; \
             if it is lost, use the rescue key (`planledger keys recover`)",
        ),
        KeyFault::Damaged { .. } => advice(
            Section::Damage,
            "put keys/keys.log back from its backup; what the file has after the end of the backup can \
             be kept. If no backup has it, `planledger ledger doctor --salvage` carries over what still opens",
        ),
        KeyFault::Older { .. } => advice(
            Section::Damage,
            "put the newest keys/keys.log back: this one is older than the journal",
        ),
        KeyFault::Recipient { .. } => advice(
            Section::Keys,
            "find out whose recipient it is; then name yours with `planledger keys \
             add-rescue-recipient`, or restore keys/keys.log",
        ),
        KeyFault::Unreadable { .. } => advice(
            Section::Starting,
            "look at owner and mode of keys/, and at the disk",
        ),
    }
}

fn of_journal(reason: DamageReason) -> Advice {
    match reason {
        DamageReason::Missing => advice(
            Section::Damage,
            "copy the whole directory; then put the file of that name back from a backup. A closed \
             segment is the same in every backup that has it",
        ),
        DamageReason::Misplaced => advice(
            Section::Damage,
            "the file is another ledger's, or an older one: put the right file of that name back from a \
             backup, and find out who exchanged it",
        ),
        DamageReason::Frame(_)
        | DamageReason::SegmentHeader
        | DamageReason::Length { .. }
        | DamageReason::Leaf
        | DamageReason::EndLost(_)
        | DamageReason::Leaves
        | DamageReason::Removed => advice(
            Section::Damage,
            "copy the whole directory and look at disk and memory; then put the file back from a \
             backup. Of the last segment, keep what it has after the end of the backup",
        ),
    }
}

fn of_part(part: PartName, kind: FaultKind) -> Advice {
    match part {
        PartName::Journal if kind == FaultKind::Fork => advice(
            Section::Forks,
            "`planledger ledger forks` tells what happened; have it looked at, then record that with \
             `planledger ledger settle`",
        ),
        PartName::Journal => advice(
            Section::Damage,
            "somebody has changed the journal, or it was put together from several copies: restore it, \
             and find out who did it",
        ),
        PartName::Checkpoints => advice(
            Section::Starting,
            "journal or checkpoints are another ledger's, or somebody has changed history: restore \
             both, and find out who did it",
        ),
        PartName::Heads => advice(
            Section::Damage,
            "the ledger has said something else about its own streams than its journal holds: keep \
             everything as it is, and tell the auditors",
        ),
        PartName::Contents => advice(
            Section::Starting,
            "journal and key store do not belong together, or somebody has changed one of them: \
             restore both, and find out who did it",
        ),
        PartName::Indexes | PartName::Tiles | PartName::Derived => advice(Section::Derived, REPAIR),
        PartName::Origin if kind == FaultKind::Missing => advice(
            Section::Doctor,
            "put origin/ back from the newest backup of this ledger; the server runs without it, but nobody \
             can prove any more that the events are those of the earlier ledger",
        ),
        PartName::Origin => advice(
            Section::Doctor,
            "put origin/ back from the newest backup of this ledger, and find out who changed it",
        ),
        PartName::AccessLog | PartName::AccessCheckpoints => advice(
            Section::Reads,
            "put access/ back from the newest backup; what no backup has is put on record with \
             `planledger ledger settle-access-log`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::finding::{Lost, Weight};
    use super::*;
    use crate::ids::{CommitSeq, Position};
    use crate::journal::Gap;

    fn gap(reason: DamageReason, last: Option<u64>) -> Finding {
        Finding::Journal(Gap {
            segment: 2,
            offset: 128,
            first: Position::new(5),
            last: last.map(Position::new),
            reason,
        })
    }

    fn part(part: PartName, kind: FaultKind) -> Finding {
        let what = "it is wrong".to_owned();
        let position = Position::new(3);
        Finding::Part {
            part,
            kind,
            position,
            what,
        }
    }

    /// One of every code.
    fn examples() -> Vec<Finding> {
        let (path, what) = ("there".into(), "why".to_owned());
        let last = Position::new(7);
        let keys = [
            KeyFault::Missing,
            KeyFault::Foreign,
            KeyFault::WrongMasterKey,
            KeyFault::Damaged { slot: 2 },
            KeyFault::Older { what: what.clone() },
            KeyFault::Recipient { what: what.clone() },
            KeyFault::Unreadable { what: what.clone() },
        ];
        let parts = [
            PartName::Journal,
            PartName::Checkpoints,
            PartName::Heads,
            PartName::Indexes,
            PartName::Contents,
            PartName::Tiles,
            PartName::Derived,
            PartName::AccessLog,
            PartName::AccessCheckpoints,
            PartName::Origin,
        ];
        let mut all = vec![
            Finding::NoLedger,
            Finding::JournalMissing,
            Finding::InUse,
            Finding::Link { path },
            Finding::Unreadable { what: what.clone() },
            Finding::OpenToOthers {
                path: "there".into(),
                mode: 0o100_644,
            },
            Finding::Leftover {
                path: "there".into(),
            },
            Finding::Unfinished {
                path: "there".into(),
            },
            Finding::SetAside {
                path: "there".into(),
            },
            Finding::LittleRoom {
                path: "there".into(),
                free: 1,
                needed: 2,
            },
            Finding::NoMasterKey { why: what.clone() },
            Finding::TornKeys { bytes: 3 },
            gap(DamageReason::Missing, Some(9)),
            gap(DamageReason::Misplaced, Some(9)),
            gap(DamageReason::SegmentHeader, None),
            Finding::TornTail {
                segment: 1,
                offset: 2,
                bytes: 3,
            },
            Finding::EndLost {
                last,
                commit: CommitSeq::new(9),
            },
            Finding::CheckpointAhead { size: 9, last },
            Finding::CheckpointsDamaged { offset: 3 },
            Finding::ActsDamaged { what: what.clone() },
            part(PartName::Journal, FaultKind::Fork),
            part(PartName::Origin, FaultKind::Entry),
            Finding::NoDerivedState,
            Finding::NotChecked { what },
        ];
        all.extend(keys.map(Finding::Keys));
        all.extend(parts.map(|name| part(name, FaultKind::Missing)));
        all
    }

    #[test]
    fn every_finding_has_a_code_words_and_a_next_step() {
        let examples = examples();
        let codes: BTreeSet<_> = examples.iter().map(Finding::code).collect();
        assert_eq!(
            codes.len(),
            examples.len(),
            "a code stands for two findings"
        );
        for finding in &examples {
            assert!(!finding.to_string().is_empty());
            assert!(finding.advice().next.len() > 10, "{finding}");
            assert!(Section::ALL.contains(&finding.section()));
        }
    }

    /// A repair removes something. Whoever is told to run one must have lost nothing, and no repair is
    /// offered for what is the truth.
    #[test]
    fn a_repair_is_advised_only_where_nothing_can_be_lost_by_it() {
        for finding in examples() {
            let repairs = finding.advice().next == REPAIR;
            assert_eq!(repairs, finding.weight() == Weight::Derived, "{finding}");
            if finding.weight() <= Weight::Derived {
                assert_eq!(finding.lost(), Lost::Nothing, "{finding}");
            }
        }
    }

    #[test]
    fn what_is_lost_is_named_by_its_positions() {
        let [first, last] = [5, 9].map(Position::new);
        let missing = |last| gap(DamageReason::Missing, last).lost();
        assert_eq!(missing(Some(9)), Lost::Events(first, last));
        assert_eq!(missing(Some(4)), Lost::Nothing);
        assert_eq!(missing(None), Lost::From(first));
        let ahead = Finding::CheckpointAhead {
            size: 9,
            last: Position::new(4),
        };
        assert_eq!(ahead.lost(), Lost::Events(first, last));
    }
}
