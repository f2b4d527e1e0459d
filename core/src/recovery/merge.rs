//! Works out which steps carry everything of a closed institution to its successor: its teams, its
//! year plans with the plans on them, and what has no present owner to somebody on the team's staff. The
//! first step says who the successor is, so that it also asks about the people who had their last place
//! at the closed institution.

use std::collections::{BTreeMap, BTreeSet};

use super::proposal::{Proposed, Why, absent};
use super::request::{Merge, Rule, Transfer, What};
use super::school::{Ownable, RosterQueries};
use crate::domain::recovery::Step;
use crate::domain::team::Team;
use crate::domain::year_plan::Place;
use crate::domain::{Field, Reason, Refusal, RequestField, Stop};
use crate::ids::{InstitutionId, PersonId, StreamId, StreamKind, TeamId, YearPlanId};
use crate::ledger::ReadError;

/// A team of the successor that may carry on for one of the closed institution.
struct Candidate {
    id: TeamId,
    team: Team,
}

impl RosterQueries<'_, '_> {
    /// Proposes the steps: the successor; then teams, then year plans, so that a year plan moves to
    /// where its team is; then new owners.
    pub(super) fn merge(&self, request: &Merge) -> Result<Vec<Proposed>, Stop> {
        self.check_merge(request)?;
        let Merge { from, to, .. } = *request;
        let mut items = Vec::new();
        items.extend(self.succession(from, to)?);
        let mut moved = Vec::new();
        let successors = self.succeeding_teams(request)?;
        for stream in self.all_in(from, StreamKind::Team)? {
            let team = TeamId::from_uuid(stream.id);
            if successors.contains_key(&team) {
                continue;
            }
            items.push(Proposed {
                stream,
                step: Ok(Step::MoveTeam { team, from, to }),
                why: Why::OfClosedInstitution,
            });
            moved.push(stream);
        }
        for stream in self.all_in(from, StreamKind::YearPlan)? {
            let year_plan = YearPlanId::from_uuid(stream.id);
            let Some(from) = self.year_plan(year_plan, |plan| plan.details.place())? else {
                continue;
            };
            let successor = successors.get(&from.team);
            let place = Place {
                institution: to,
                team: successor.copied().unwrap_or(from.team),
            };
            items.push(Proposed {
                stream,
                step: Ok(Step::MoveYearPlan {
                    year_plan,
                    from,
                    to: place,
                }),
                why: successor.map_or(Why::OfClosedInstitution, |team| Why::SucceededBy(*team)),
            });
            moved.push(stream);
            let plans = self.plans_on(year_plan)?;
            moved.extend(plans.into_iter().map(StreamId::from));
        }
        moved.sort();
        self.give_on(request, &successors, moved, &mut items)?;
        Ok(items)
    }

    /// The step that says who carries on for the closed institution. `None` if that is known.
    fn succession(
        &self,
        institution: InstitutionId,
        to: InstitutionId,
    ) -> Result<Option<Proposed>, ReadError> {
        let from = self.institution(institution, |found| found.succeeded_by)?;
        let from = from.flatten();
        Ok((from != Some(to)).then(|| Proposed {
            stream: institution.into(),
            step: Ok(Step::Succeed {
                institution,
                from,
                to,
            }),
            why: Why::Asked,
        }))
    }

    /// Refuses a merger of an institution that is in use, which might be the wrong way round, and one
    /// into an institution that is closed.
    fn check_merge(&self, request: &Merge) -> Result<(), Stop> {
        for (id, field, wants_closed) in [
            (request.from, RequestField::MergeFrom, true),
            (request.to, RequestField::MergeTo, false),
        ] {
            let (reason, message) = match self.institution(id, |found| found.closed)? {
                Some(closed) if closed == wants_closed => continue,
                Some(false) => (
                    Reason::NotClosed,
                    format!("institution {id} is in use; close it before its successor takes over"),
                ),
                Some(true) => (
                    Reason::InstitutionClosed,
                    format!("institution {id} is closed; name the one that carries on"),
                ),
                None => (
                    Reason::InstitutionNotFound,
                    format!("there is no institution {id}"),
                ),
            };
            let refusal = Refusal::new(reason, message).field(Field::Request(field));
            return Err(refusal.with("institution_id", id).into());
        }
        for (old, new) in &request.teams {
            self.check_team(*old, request.from)?;
            self.check_team(*new, request.to)?;
        }
        Ok(())
    }

    fn check_team(&self, id: TeamId, institution: InstitutionId) -> Result<(), Stop> {
        let field = Field::Request(RequestField::MergeTeam);
        match self.team(id, |team| team.details.institution)? {
            Some(at) if at == institution => Ok(()),
            Some(at) => {
                let message =
                    format!("team {id} belongs to institution {at}, and not to {institution}");
                let refusal = Refusal::new(Reason::TeamElsewhere, message).field(field);
                let refusal = refusal.with("team_id", id);
                Err(refusal.with("institution_id", at).into())
            }
            None => Err(absent(id.into()).field(field).into()),
        }
    }

    /// The teams of the closed institution for which there is a new one, each with the new one. The
    /// request may name it. Otherwise it is the team that the roster has made for the same students.
    fn succeeding_teams(&self, request: &Merge) -> Result<BTreeMap<TeamId, TeamId>, ReadError> {
        let mut candidates = Vec::new();
        for stream in self.all_in(request.to, StreamKind::Team)? {
            let id = TeamId::from_uuid(stream.id);
            let found = self.team(id, Team::clone)?;
            let in_use = found.filter(|team| team.deleted.is_none() && !team.closed);
            candidates.extend(in_use.map(|team| Candidate { id, team }));
        }
        let mut successors = request.teams.clone();
        for stream in self.all_in(request.from, StreamKind::Team)? {
            let id = TeamId::from_uuid(stream.id);
            if successors.contains_key(&id) {
                continue;
            }
            if let Some(old) = self.team(id, Team::clone)? {
                let students = self.students_of(id, &old)?;
                successors.extend(successor(&old, &students, &candidates).map(|new| (id, new)));
            }
        }
        Ok(successors)
    }

    /// The members of a team, and the students with a plan on one of its year plans: a roster may
    /// have taken all members out of a team that it closes.
    fn students_of(&self, id: TeamId, team: &Team) -> Result<BTreeSet<PersonId>, ReadError> {
        let mut students = team.members.clone();
        for plan in self.plans_of_team(id)? {
            students.extend(self.plan(plan, |plan| plan.student)?);
        }
        Ok(students)
    }

    /// Proposes a new owner for each thing that moves and has no present owner.
    fn give_on(
        &self,
        request: &Merge,
        successors: &BTreeMap<TeamId, TeamId>,
        moved: Vec<StreamId>,
        items: &mut Vec<Proposed>,
    ) -> Result<(), ReadError> {
        let by_team = Transfer {
            what: What::Items(BTreeSet::new()),
            rule: Rule::Team,
            fallback: request.fallback,
            reason: None,
        };
        let mut leaders = BTreeMap::new();
        for stream in moved {
            let Some(thing) = self.thing(stream)? else {
                continue;
            };
            if !self.has_no_owner(thing.owner, thing.place)? {
                continue;
            }
            let team = thing.place.team;
            let thing = Ownable {
                place: Place {
                    institution: request.to,
                    team: successors.get(&team).copied().unwrap_or(team),
                },
                ..thing
            };
            items.push(self.propose_owner(&by_team, stream, &thing, &mut leaders)?);
        }
        Ok(())
    }
}

/// The one team of the same subject and school year that has more than half of the students. Of
/// several, the one with the same title, if it is the only one.
fn successor(
    old: &Team,
    students: &BTreeSet<PersonId>,
    candidates: &[Candidate],
) -> Option<TeamId> {
    let carries_on = |new: &Team| {
        let shared = students.intersection(&new.members).count();
        (&new.details.subject, new.details.school_year)
            == (&old.details.subject, old.details.school_year)
            && shared * 2 > students.len()
    };
    let fitting: Vec<_> = candidates
        .iter()
        .filter(|new| carries_on(&new.team))
        .collect();
    let titled: Vec<_> = fitting
        .iter()
        .copied()
        .filter(|new| new.team.details.title == old.details.title)
        .collect();
    match (fitting.as_slice(), titled.as_slice()) {
        ([only], _) | (_, [only]) => Some(only.id),
        _ => None,
    }
}
