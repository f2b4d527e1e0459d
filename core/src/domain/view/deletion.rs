//! What a viewer learns of a deletion.

use serde::Serialize;

use super::Viewer;
use crate::domain::Deletion;
use crate::time::Timestamp;

/// What a viewer learns of the deletion of a team, year plan or unit.
///
/// A deletion's reason is written for colleagues, and may be about one child. A team, year plan or
/// unit is seen by every family that has a plan there. So only staff learn the reason, and who
/// deleted it. Everybody else learns that it was deleted, and when.
///
/// [`DeletionView::of`] is the only way to make one, so no view can tell an audience more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeletionView(Told);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
enum Told {
    Whole(Deletion),
    When(Timestamp),
}

impl DeletionView {
    /// What this viewer learns of a deletion.
    pub fn of(deletion: &Deletion, viewer: Viewer) -> Self {
        Self(match viewer {
            Viewer::Staff => Told::Whole(deletion.clone()),
            Viewer::Audience(_) => Told::When(deletion.at),
        })
    }

    /// The instant of the deletion.
    pub const fn at(&self) -> Timestamp {
        match &self.0 {
            Told::Whole(deletion) => deletion.at,
            Told::When(at) => *at,
        }
    }

    /// When, by whom and why; `None` if the viewer is not staff.
    pub const fn whole(&self) -> Option<&Deletion> {
        match &self.0 {
            Told::Whole(deletion) => Some(deletion),
            Told::When(_) => None,
        }
    }
}
