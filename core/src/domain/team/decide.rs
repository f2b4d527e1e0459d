use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{StaffRole, Team, TeamCommand, TeamDetail, TeamDetails, TeamEvent, TeamFact};
use crate::domain::refusing::{exists, not_found, refuse};
use crate::domain::roster::{Decided, Import, not_in_roster};
use crate::domain::rule_context::RuleContext;
use crate::domain::year_plan::Place;
use crate::domain::{Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::{InstitutionId, PersonId, TeamId};
use crate::text::SourceName;

const ID: &str = "team_id";

impl TeamCommand {
    // This function is longer than a screen because it has one arm for each command. Which refusal a
    // sender gets depends on the order of the checks in an arm, so each arm is read as a whole.
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: TeamId,
    ) -> Result<Decided<TeamEvent, TeamFact>, Stop> {
        let state = ask.load(id)?;
        let now = match state.as_deref() {
            Some(Aggregate::Team(now)) => Some(now),
            _ => None,
        };
        let there =
            || now.ok_or_else(|| not_found(Reason::TeamNotFound, "team", ID, id, Field::Target));
        // Refuses commands that a deleted team does not accept. A deleted team can still be
        // undeleted and given to another owner.
        let live = || match there()? {
            Team {
                deleted: Some(_), ..
            } => {
                let message = format!("team {id} is deleted; undelete it first");
                refuse(Refusal::new(Reason::TeamDeleted, message).with(ID, id))
            }
            team => Ok(team),
        };
        let events = match self {
            Self::Create { details, owner } => match now {
                None => {
                    check(ask, details, true)?;
                    if let Some(owner) = owner {
                        ask.new_owner(*owner, Field::Owner)?;
                    }
                    Ok(vec![TeamEvent::Created {
                        details: details.clone(),
                        owner: *owner,
                    }])
                }
                Some(_) => exists("team", ID, id, Field::Target),
            },
            Self::Revise(details) if live()?.details == *details => Ok(Vec::new()),
            Self::Revise(details) => {
                check(ask, details, false)?;
                Ok(vec![TeamEvent::Revised(details.clone())])
            }
            Self::AddMember { student } if live()?.members.contains(student) => Ok(Vec::new()),
            Self::AddMember { student } => {
                ask.student(*student, Field::Student)?;
                Ok(vec![TeamEvent::MemberAdded { student: *student }])
            }
            Self::RemoveMember { student } => match live()?.members.contains(student) {
                true => Ok(vec![TeamEvent::MemberRemoved { student: *student }]),
                false => Err(not_found(
                    Reason::MemberNotFound,
                    "student in the team with id",
                    "person_id",
                    student,
                    Field::Student,
                )),
            },
            Self::AddStaff { person, role } if live()?.staff.get(person) == Some(role) => {
                Ok(Vec::new())
            }
            Self::AddStaff { person, role } => {
                ask.staff(*person, Field::StaffPerson)?;
                Ok(vec![TeamEvent::StaffAdded {
                    person: *person,
                    role: *role,
                }])
            }
            Self::RemoveStaff { person } => match live()?.staff.contains_key(person) {
                true => Ok(vec![TeamEvent::StaffRemoved { person: *person }]),
                false => Err(not_found(
                    Reason::StaffNotFound,
                    "person on the team's staff with id",
                    "person_id",
                    person,
                    Field::Person,
                )),
            },
            Self::Close { .. } if live()?.closed => {
                let message = format!("team {id} is already closed");
                refuse(Refusal::new(Reason::AlreadyClosed, message).with(ID, id))
            }
            Self::Close { reason } => Ok(vec![TeamEvent::Closed {
                reason: reason.clone(),
            }]),
            Self::Reopen if live()?.closed => Ok(vec![TeamEvent::Reopened {}]),
            Self::Reopen => {
                let message = format!("team {id} is not closed");
                refuse(Refusal::new(Reason::NotClosed, message).with(ID, id))
            }
            Self::Delete { reason } => {
                live()?;
                Ok(vec![TeamEvent::Deleted {
                    reason: reason.clone(),
                }])
            }
            Self::Undelete if there()?.deleted.is_some() => Ok(vec![TeamEvent::Undeleted {}]),
            Self::Undelete => {
                let message = format!("team {id} is not deleted");
                refuse(Refusal::new(Reason::NotDeleted, message).with(ID, id))
            }
            Self::TransferOwnership { to, reason } => {
                let team = there()?;
                ask.next_owner(team.owner, *to, team.place(id), Field::NewOwner)?;
                Ok(vec![TeamEvent::OwnershipTransferred {
                    from: team.owner,
                    to: *to,
                    reason: reason.clone(),
                }])
            }
            Self::HandOver { from, to, reason } => {
                let team = there()?;
                if !ask.needs_transfer(team.owner, *from, Some(*to))? {
                    return Ok(Vec::new().into());
                }
                ask.successor(*to, team.place(id), Field::NewOwner)?;
                Ok(vec![TeamEvent::OwnershipTransferred {
                    from: *from,
                    to: *to,
                    reason: reason.clone(),
                }])
            }
            Self::HandBack { from, to, reason } => {
                if !ask.needs_transfer(there()?.owner, Some(*from), *to)? {
                    return Ok(Vec::new().into());
                }
                let (from, reason) = (*from, reason.clone());
                Ok(vec![match *to {
                    Some(to) => TeamEvent::OwnershipTransferred {
                        from: Some(from),
                        to,
                        reason,
                    },
                    None => TeamEvent::OwnershipGivenUp { from, reason },
                }])
            }
            Self::Move { from, to } => {
                let team = there()?;
                if !team.needs_move(*from, *to)? {
                    return Ok(Vec::new().into());
                }
                ask.open_institution(*to, Field::DetailsInstitution)?;
                Ok(vec![team.moved(*to)])
            }
            Self::MoveBack { from, to } => {
                let team = there()?;
                if !team.needs_move(*from, *to)? {
                    return Ok(Vec::new().into());
                }
                ask.institution(*to, Field::DetailsInstitution)?;
                Ok(vec![team.moved(*to)])
            }
            Self::Put {
                details,
                members,
                staff,
                owner,
                closed,
                source,
            } => {
                let mut import = Import::new(ask);
                put_details(ask, now, details, *owner, &mut import)?;
                put_owner(ask, now, *owner, &mut import)?;
                put_people(ask, now, members, staff, |_| true, &mut import)?;
                put_closed(now, *closed, &mut import);
                put_source(now, source.as_ref(), &mut import);
                return Ok(import.finish(|facts| TeamEvent::LeftToRoster { facts }));
            }
            Self::PutPart {
                details,
                members,
                staff,
                gone,
                unsaid,
                owner,
                closed,
                source,
            } => {
                let mut import = Import::new(ask);
                match details {
                    Some(details) => put_details(ask, now, details, *owner, &mut import)?,
                    None => {
                        there()?;
                    }
                }
                put_owner(ask, now, *owner, &mut import)?;
                let is_said = |person: PersonId| {
                    gone.contains(&person)
                        || members.contains(&person)
                        || staff.contains_key(&person)
                        || unsaid
                            .as_ref()
                            .is_some_and(|unsaid| !unsaid.contains(&person))
                };
                put_people(ask, now, members, staff, is_said, &mut import)?;
                if let Some(closed) = closed {
                    put_closed(now, *closed, &mut import);
                }
                put_source(now, source.as_ref(), &mut import);
                return Ok(import.finish(|facts| TeamEvent::LeftToRoster { facts }));
            }
            Self::NoteAbsence { source, last_seen } => {
                let now = there()?;
                if !now.sources.contains(source) {
                    return not_in_roster("team", ID, id);
                }
                Ok(note_absence(now, source, *last_seen))
            }
        };
        Ok(events?.into())
    }
}

/// The first absence stands until the team is seen again. If a person has closed the team, the last
/// roster that drops it says the same, and one that names it anew decides.
fn note_absence(now: &Team, source: &SourceName, last_seen: Date) -> Vec<TeamEvent> {
    if now.absent.contains_key(source) {
        return Vec::new();
    }
    let mut events = vec![TeamEvent::AbsentFromRoster {
        source: source.clone(),
        last_seen,
    }];
    let mut others = now.sources.iter().filter(|other| *other != source);
    let is_dropped = others.all(|other| now.absent.contains_key(other));
    if now.closed && is_dropped && now.by_hand.contains(&TeamFact::Closed) {
        let facts = BTreeSet::from([TeamFact::Closed]);
        events.push(TeamEvent::LeftToRoster { facts });
    }
    events
}

impl Team {
    /// Where the team and what belongs to it hang.
    fn place(&self, id: TeamId) -> Place {
        Place {
            institution: self.details.institution,
            team: id,
        }
    }

    /// Whether the team has to move. Refused if it is somewhere else than expected.
    fn needs_move(&self, from: InstitutionId, to: InstitutionId) -> Result<bool, Stop> {
        let now = self.details.institution;
        if now == to {
            return Ok(false);
        }
        if now == from {
            return Ok(true);
        }
        let message = format!("the team was moved to institution {now} in the meantime");
        let refusal = Refusal::new(Reason::MovedMeanwhile, message);
        refuse(refusal.with("institution_id", now))
    }

    fn moved(&self, to: InstitutionId) -> TeamEvent {
        let from = self.details.institution;
        TeamEvent::Moved { from, to }
    }
}

fn check(ask: &RuleContext<'_>, details: &TeamDetails, new: bool) -> Result<(), Stop> {
    match new {
        true => ask.open_institution(details.institution, Field::DetailsInstitution)?,
        false => ask.institution(details.institution, Field::DetailsInstitution)?,
    }
    match details.school_year {
        Some(year) => ask.school_year(year, Field::DetailsSchoolYear),
        None => Ok(()),
    }
}

/// Makes the details as given, apart from those that a person decided. A team that is not known is
/// created, with its owner.
fn put_details(
    ask: &RuleContext<'_>,
    now: Option<&Team>,
    details: &TeamDetails,
    owner: Option<PersonId>,
    import: &mut Import<TeamEvent, TeamFact>,
) -> Result<(), Stop> {
    let Some(now) = now else {
        check(ask, details, false)?;
        ask.known(&owner, Field::Owner)?;
        import.record(TeamEvent::Created {
            details: details.clone(),
            owner,
        });
        return Ok(());
    };
    // An export without school years says nothing of them.
    let speaks_of = |detail| match detail {
        TeamDetail::SchoolYear => details.school_year.is_some(),
        TeamDetail::Institution | TeamDetail::Title | TeamDetail::Subject | TeamDetail::Code => {
            true
        }
    };
    let said = now.roster_details.as_deref();
    let next = import.values(&now.details, said, details, speaks_of, TeamFact::Detail);
    if let Some(next) = next {
        check(ask, &next, false)?;
        import.record(TeamEvent::Revised(next));
    }
    Ok(())
}

/// Gives a known team that has no owner the one that is given.
fn put_owner(
    ask: &RuleContext<'_>,
    now: Option<&Team>,
    owner: Option<PersonId>,
    import: &mut Import<TeamEvent, TeamFact>,
) -> Result<(), Stop> {
    if let (Some(Team { owner: None, .. }), Some(to)) = (now, owner) {
        ask.known([&to], Field::Owner)?;
        import.record(TeamEvent::OwnershipTransferred {
            from: None,
            to,
            reason: None,
        });
    }
    Ok(())
}

/// Notes that a source has the team, if that is new or the team was absent from it.
fn put_source(
    now: Option<&Team>,
    source: Option<&SourceName>,
    import: &mut Import<TeamEvent, TeamFact>,
) {
    if let Some(source) = source
        && now.is_none_or(|now| !now.sources.contains(source) || now.absent.contains_key(source))
    {
        let source = source.clone();
        import.record(TeamEvent::RecordedInRoster { source });
    }
}

fn put_closed(now: Option<&Team>, closed: bool, import: &mut Import<TeamEvent, TeamFact>) {
    let nothing = BTreeSet::new();
    let by_hand = now.map_or(&nothing, |now| &now.by_hand);
    let is_closed = TeamFact::Closed;
    match (now.is_some_and(|now| now.closed), closed) {
        (false, true) => {
            import.differs(is_closed, by_hand, TeamEvent::Closed { reason: None });
        }
        (true, false) => import.differs(is_closed, by_hand, TeamEvent::Reopened {}),
        (true, true) | (false, false) => import.agrees(is_closed, by_hand),
    }
}

/// Makes members and staff as given. The places of persons of whom nothing is said stay.
fn put_people(
    ask: &RuleContext<'_>,
    now: Option<&Team>,
    members: &BTreeSet<PersonId>,
    staff: &BTreeMap<PersonId, StaffRole>,
    is_said: impl Fn(PersonId) -> bool,
    import: &mut Import<TeamEvent, TeamFact>,
) -> Result<(), Stop> {
    let (no_members, no_staff, nothing) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
    let (members_now, staff_now, by_hand) = now.map_or((&no_members, &no_staff, &nothing), |now| {
        (&now.members, &now.staff, &now.by_hand)
    });
    ask.known(members.difference(members_now), Field::Members)?;
    let members_gone = members_now.difference(members);
    for student in members_gone.filter(|student| is_said(**student)) {
        // Whoever is missing in the roster cannot be named in it.
        if ask.is_absent(*student)? {
            continue;
        }
        let removed = TeamEvent::MemberRemoved { student: *student };
        import.ends(TeamFact::Member(*student), by_hand, removed);
    }
    for student in members.difference(members_now) {
        let added = TeamEvent::MemberAdded { student: *student };
        import.differs(TeamFact::Member(*student), by_hand, added);
    }
    for person in staff_now
        .keys()
        .filter(|person| !staff.contains_key(person) && is_said(**person))
    {
        if ask.is_absent(*person)? {
            continue;
        }
        let removed = TeamEvent::StaffRemoved { person: *person };
        import.ends(TeamFact::Staff(*person), by_hand, removed);
    }
    for (person, role) in staff {
        if staff_now.get(person) == Some(role) {
            continue;
        }
        ask.known([person], Field::StaffPerson)?;
        let (person, role) = (*person, *role);
        let added = TeamEvent::StaffAdded { person, role };
        import.differs(TeamFact::Staff(person), by_hand, added);
    }
    for fact in by_hand {
        let agreed = match fact {
            TeamFact::Member(student) => {
                is_said(*student) && members.contains(student) == members_now.contains(student)
            }
            TeamFact::Staff(person) => {
                is_said(*person) && staff.get(person) == staff_now.get(person)
            }
            // Compared where the roster's word about it is at hand.
            TeamFact::Closed | TeamFact::Detail(_) => false,
        };
        if agreed {
            import.agrees(*fact, by_hand);
        }
    }
    Ok(())
}
