//! Up to where a ledger is put back.

use crate::ids::Position;
use crate::journal::Tail;
use crate::time::Timestamp;

/// Up to where a ledger is put back. Only whole commits are: the last commit that does not reach beyond
/// what is asked for is the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
    /// All that the backup has.
    #[default]
    End,
    /// Up to this position.
    Position(Position),
    /// Up to what was recorded at this instant or before.
    Instant(Timestamp),
}

impl Until {
    /// Whether a journal that ends so goes no further than this.
    pub fn includes(self, tail: &Tail) -> bool {
        match self {
            Self::End => true,
            Self::Position(position) => tail.position <= position,
            Self::Instant(instant) => tail.recorded_at <= instant,
        }
    }

    /// Whether a backup that ends at this position and instant has all of it. A backup says nothing of
    /// what was recorded later.
    pub fn is_reached_by(
        self,
        position: Position,
        recorded_at: Timestamp,
        made_at: Timestamp,
    ) -> bool {
        match self {
            Self::End => true,
            Self::Position(wanted) => wanted <= position,
            // Nothing was recorded between the last event and the backup.
            Self::Instant(instant) => instant <= recorded_at.max(made_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::CommitSeq;

    fn tail(position: u64, at: u64) -> Tail {
        Tail {
            commit: CommitSeq::new(1),
            position: Position::new(position),
            checksum: [0; 16],
            recorded_at: Timestamp::from_nanos(at),
        }
    }

    #[test]
    fn a_commit_that_reaches_beyond_is_not_put_back() {
        let at = |nanos| Until::Instant(Timestamp::from_nanos(nanos));
        assert!(Until::End.includes(&tail(9, 90)));
        assert!(Until::Position(Position::new(9)).includes(&tail(9, 90)));
        assert!(!Until::Position(Position::new(8)).includes(&tail(9, 90)));
        assert!(at(90).includes(&tail(9, 90)));
        assert!(!at(89).includes(&tail(9, 90)));
    }

    #[test]
    fn a_backup_reaches_to_its_last_event_and_to_the_instant_at_which_it_was_made() {
        let reached = |until: Until| {
            let (recorded, made) = (Timestamp::from_nanos(50), Timestamp::from_nanos(60));
            until.is_reached_by(Position::new(5), recorded, made)
        };
        assert!(reached(Until::End));
        assert!(reached(Until::Position(Position::new(5))));
        assert!(!reached(Until::Position(Position::new(6))));
        assert!(reached(Until::Instant(Timestamp::from_nanos(60))));
        assert!(!reached(Until::Instant(Timestamp::from_nanos(61))));
    }
}
