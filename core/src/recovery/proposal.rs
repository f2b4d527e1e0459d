//! The result of a dry run: what a recovery would do, item by item.

use crate::domain::recovery::Step;
use crate::domain::{Reason, Refusal};
use crate::ids::{StreamId, TeamId};

const DIGEST_CONTEXT: &str = "planledger v1 2026-11-25 proposal";

/// The result of a dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Every item, in the order in which the recovery would take its steps.
    pub items: Vec<Proposed>,
    /// A hash of the steps that can be done. If the ledger changes so that the steps would be
    /// others, the hash changes too.
    pub digest: [u8; 16],
}

impl Proposal {
    pub(super) fn new(items: Vec<Proposed>) -> Self {
        let steps = items.iter().filter_map(|item| item.step.as_ref().ok());
        let digest = digest(steps);
        Self { items, digest }
    }

    /// The steps that can be done.
    pub fn steps(&self) -> Vec<Step> {
        let steps = self.items.iter().filter_map(|item| item.step.as_ref().ok());
        steps.cloned().collect()
    }
}

/// The hash that tells one list of steps from another.
pub(super) fn digest<'s>(steps: impl IntoIterator<Item = &'s Step>) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key(DIGEST_CONTEXT);
    let steps: Vec<_> = steps.into_iter().collect();
    // Steps can always be written as JSON, because the journal records them.
    hasher.update(&serde_json::to_vec(&steps).unwrap_or_default());
    let mut digest = [0; 16];
    hasher.finalize_xof().fill(&mut digest);
    digest
}

/// One item of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// The stream of the team, year plan or plan that would change.
    pub stream: StreamId,
    /// The step that would be taken, or why none can be.
    pub step: Result<Step, Refusal>,
    /// Why the item is proposed, and why for this person.
    pub why: Why,
}

/// Why an item is in a proposal, and why it goes to this person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The request names it.
    Asked,
    /// This person made the most evaluations in the item's plans, and is on the team's staff.
    EvaluatesMost {
        /// How many evaluations this person made there.
        evaluations: u32,
    },
    /// This person is on the team's staff. Nobody on the staff has evaluated anything yet.
    SharesTeam,
    /// The request names this person for the team.
    NamedForTeam,
    /// The request names this person for the subject.
    NamedForSubject,
    /// The rule found nobody, so the fallback decided.
    Fallback,
    /// It belongs to this team or year plan, which comes back or is rebuilt.
    BelongsTo(StreamId),
    /// It belongs to the institution that is closed.
    OfClosedInstitution,
    /// This team of the successor carries on for it: the request says so, or the roster has made it
    /// for the same students.
    SucceededBy(TeamId),
}

/// The refusal for a team, year plan or plan that does not exist.
pub fn absent(stream: StreamId) -> Refusal {
    use crate::ids::StreamKind;
    let (reason, key) = match stream.kind {
        StreamKind::Team => (Reason::TeamNotFound, "team_id"),
        StreamKind::YearPlan => (Reason::YearPlanNotFound, "year_plan_id"),
        StreamKind::Plan
        | StreamKind::Institution
        | StreamKind::SchoolYear
        | StreamKind::Person
        | StreamKind::Catalogue
        | StreamKind::Ledger
        | StreamKind::Recovery
        | StreamKind::RosterSource
        | StreamKind::System
        | StreamKind::Grants
        | StreamKind::Erasure => (Reason::PlanNotFound, "plan_id"),
    };
    Refusal::new(reason, format!("there is no {stream}")).with(key, stream.id)
}
