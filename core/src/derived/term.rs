//! Terms, by which streams are found. Every term but one is computed from a stream's state alone,
//! so an index can be derived like the state.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::domain::Aggregate;
use crate::hash::Context;
use crate::ids::{
    InstitutionId, PersonId, PlanId, RosterSourceId, StreamId, StreamKind, TeamId, YearPlanId,
};
use crate::text::ExternalId;

/// One way to find streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Term {
    /// All institutions, school years, catalogues, recoveries, sources of rosters, systems or grants.
    All(StreamKind),
    /// Persons, teams or year plans of an institution, in 256 parts by the first byte of their id.
    /// So no list grows long, and the parts one after the other give all streams in order.
    InstitutionPart(InstitutionId, StreamKind, u8),
    /// Teams, year plans and plans that a person owns.
    Owner(PersonId),
    /// Teams of which a person is a member or on the staff.
    TeamsOf(PersonId),
    /// Year plans of a team.
    YearPlansOfTeam(TeamId),
    /// Plans of a student.
    PlansOfStudent(PersonId),
    /// The plan that a student has for a year plan.
    PlanOf(PersonId, YearPlanId),
    /// Plans that belong to a year plan.
    PlansOfYearPlan(YearPlanId),
    /// Children of a guardian.
    ChildrenOf(PersonId),
    /// Teams, year plans and plans that a person owned earlier.
    OwnedBefore(PersonId),
    /// Teams, year plans and plans of an institution that have no owner who is still there. This
    /// cannot be computed from one stream's state; the ledger keeps the list while it folds events.
    Ownerless(InstitutionId),
    /// Recoveries that have not ended yet.
    OpenRecoveries,
    /// Persons whom some source knows by an external id whose hash begins like this. Keys of lists
    /// are not sealed, so the term holds no id; see [`Term::external_id`].
    ExternalId(u16),
    /// Persons whom a source has brought and who have no place at any institution, in 256 parts by the
    /// first byte of their id. All others are found by their institutions. The source is named by the id
    /// that follows from its name, also if it is the first source.
    WithoutPlace(RosterSourceId, u8),
    /// Persons whose departure had not taken effect when the last event was folded in. The ledger
    /// keeps the list while it folds events.
    Leaving,
    /// Persons who look as if they had left, by an institution where they have a place or had the
    /// last one, in 256 parts by the first byte of their id. Owners who work elsewhere are not here:
    /// that depends on what they own.
    AskedAbout(InstitutionId, u8),
    /// Closed institutions for which an institution carries on.
    SucceededBy(InstitutionId),
    /// Persons whose departure is noted, also if it is still to come, in 256 parts by the first byte of
    /// their id.
    Departed(u8),
}

/// How many bits of an id's hash name its list. A list is written as a whole whenever it grows, and an
/// import adds persons in no order, so many long lists are most of what the import of a city writes. With
/// fewer lists, a search looks at more persons. A city of 100,000 persons has some 200 ids in a list.
const EXTERNAL_ID_BITS: u32 = 10;

static EXTERNAL_ID: Context = Context::new("planledger v1 2026-11-28 external id");

impl Term {
    /// The term of the institution's part that a stream belongs to.
    pub fn part_of(institution: InstitutionId, stream: StreamId) -> Self {
        let [part, ..] = *stream.id.as_bytes();
        Self::InstitutionPart(institution, stream.kind, part)
    }

    /// The term that finds the persons whom some source knows by this id. It also finds a few others,
    /// so whoever asks compares the ids. One list for each id would cost more memory than all other
    /// lists together, and would let whoever has the disk test a guess.
    pub fn external_id(id: &ExternalId) -> Self {
        let [first, second, ..] = EXTERNAL_ID.hash(id.as_str().as_bytes());
        Self::ExternalId(u16::from_be_bytes([first, second]) >> (u16::BITS - EXTERNAL_ID_BITS))
    }

    /// Whether many streams share the list, so that it is changed and read again and again. The other
    /// lists are those of one person or thing.
    pub(super) fn is_of_many(&self) -> bool {
        match self {
            Self::All(_)
            | Self::InstitutionPart(..)
            | Self::Ownerless(_)
            | Self::OpenRecoveries
            | Self::ExternalId(_)
            | Self::WithoutPlace(..)
            | Self::Leaving
            | Self::AskedAbout(..)
            | Self::Departed(_) => true,
            Self::Owner(_)
            | Self::TeamsOf(_)
            | Self::YearPlansOfTeam(_)
            | Self::PlansOfStudent(_)
            | Self::PlanOf(..)
            | Self::PlansOfYearPlan(_)
            | Self::ChildrenOf(_)
            | Self::OwnedBefore(_)
            | Self::SucceededBy(_) => false,
        }
    }

    /// The bytes of the term in document keys.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let bytes = |tag: u8, parts: &[&[u8]]| [&[tag], parts.concat().as_slice()].concat();
        match self {
            Self::All(kind) => bytes(1, &[&[kind.byte()]]),
            Self::InstitutionPart(id, kind, part) => {
                bytes(2, &[id.as_bytes(), &[kind.byte(), part]])
            }
            Self::Owner(id) => bytes(3, &[id.as_bytes()]),
            Self::TeamsOf(id) => bytes(4, &[id.as_bytes()]),
            Self::YearPlansOfTeam(id) => bytes(5, &[id.as_bytes()]),
            Self::PlansOfStudent(id) => bytes(6, &[id.as_bytes()]),
            Self::PlanOf(student, plan) => bytes(7, &[student.as_bytes(), plan.as_bytes()]),
            Self::PlansOfYearPlan(id) => bytes(8, &[id.as_bytes()]),
            Self::ChildrenOf(id) => bytes(9, &[id.as_bytes()]),
            Self::OwnedBefore(id) => bytes(10, &[id.as_bytes()]),
            Self::Ownerless(id) => bytes(11, &[id.as_bytes()]),
            Self::OpenRecoveries => bytes(12, &[]),
            Self::ExternalId(hash) => bytes(13, &[&hash.to_be_bytes()]),
            Self::WithoutPlace(id, part) => bytes(14, &[id.as_bytes(), &[part]]),
            Self::Leaving => bytes(15, &[]),
            Self::AskedAbout(id, part) => bytes(16, &[id.as_bytes(), &[part]]),
            Self::SucceededBy(id) => bytes(17, &[id.as_bytes()]),
            Self::Departed(part) => bytes(18, &[&[part]]),
        }
    }
}

/// The terms by which a stream is found when it has this state.
pub fn terms(stream: StreamId, state: &Aggregate) -> BTreeSet<Term> {
    match state {
        Aggregate::Institution(institution) => {
            let successor = institution.succeeded_by.map(Term::SucceededBy);
            let all = [Term::All(stream.kind)].into_iter();
            all.chain(successor).collect()
        }
        Aggregate::SchoolYear(_)
        | Aggregate::Catalogue(_)
        | Aggregate::Ledger(_)
        | Aggregate::RosterSource(_)
        | Aggregate::System(_)
        | Aggregate::Grants(_)
        | Aggregate::Erasure(_) => BTreeSet::from([Term::All(stream.kind)]),
        Aggregate::Person(person) => {
            let places = person.affiliations.iter().map(|at| at.institution);
            let places = places.map(|institution| Term::part_of(institution, stream));
            let records = person.records.values();
            let without_place = records
                .clone()
                .filter(|_| person.affiliations.is_empty())
                .map(|record| RosterSourceId::named(&record.source));
            let ids = records.flat_map(|record| record.ids());
            let [part, ..] = *stream.id.as_bytes();
            let asked_about = person.asked_about_at().into_iter();
            let departed = person.departed.iter();
            places
                .chain(departed.map(|_| Term::Departed(part)))
                .chain(asked_about.map(|institution| Term::AskedAbout(institution, part)))
                .chain(person.guardians.keys().map(|id| Term::ChildrenOf(*id)))
                .chain(ids.map(Term::external_id))
                .chain(without_place.map(|source| Term::WithoutPlace(source, part)))
                .collect()
        }
        Aggregate::Team(team) => {
            let people = team.members.iter().chain(team.staff.keys());
            people
                .map(|id| Term::TeamsOf(*id))
                .chain([Term::part_of(team.details.institution, stream)])
                .chain(team.owner.map(Term::Owner))
                .chain(owned_before(&team.former_owners))
                .collect()
        }
        Aggregate::YearPlan(plan) => [
            Term::part_of(plan.details.institution, stream),
            Term::YearPlansOfTeam(plan.details.team),
            Term::Owner(plan.owner),
        ]
        .into_iter()
        .chain(owned_before(&plan.former_owners))
        .collect(),
        Aggregate::Plan(plan) => [
            Term::PlansOfStudent(plan.student),
            Term::PlanOf(plan.student, plan.year_plan),
            Term::PlansOfYearPlan(plan.year_plan),
            Term::Owner(plan.owner),
        ]
        .into_iter()
        .chain(owned_before(&plan.former_owners))
        .collect(),
        Aggregate::Recovery(recovery) => {
            let open = recovery.is_open().then_some(Term::OpenRecoveries);
            open.into_iter().chain([Term::All(stream.kind)]).collect()
        }
    }
}

/// Whether the same terms find a stream in both states, as far as that is seen without making them.
/// Most events of a plan change no term.
pub(crate) fn found_alike(was: &Aggregate, now: &Aggregate) -> bool {
    match (was, now) {
        (Aggregate::Plan(was), Aggregate::Plan(now)) => {
            was.student == now.student
                && was.year_plan == now.year_plan
                && was.owner == now.owner
                && was.former_owners == now.former_owners
        }
        (Aggregate::YearPlan(was), Aggregate::YearPlan(now)) => {
            was.details.institution == now.details.institution
                && was.details.team == now.details.team
                && was.owner == now.owner
                && was.former_owners == now.former_owners
        }
        (Aggregate::Catalogue(_), Aggregate::Catalogue(_)) => true,
        (_, _) => false,
    }
}

fn owned_before(persons: &BTreeSet<PersonId>) -> impl Iterator<Item = Term> {
    persons.iter().map(|id| Term::OwnedBefore(*id))
}

/// The plan in the list that [`Term::PlanOf`] found.
pub(crate) fn first_plan(streams: &[StreamId]) -> Option<PlanId> {
    streams
        .first()
        .map(|stream| PlanId::from_uuid(Uuid::from_bytes(*stream.id.as_bytes())))
}
