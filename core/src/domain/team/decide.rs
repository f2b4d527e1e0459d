use std::collections::{BTreeMap, BTreeSet};

use super::{StaffRole, Team, TeamCommand, TeamDetails, TeamEvent};
use crate::domain::decide::{Ask, exists, not_found, refuse};
use crate::domain::{Aggregate, Reason, Refusal, Stop};
use crate::ids::{PersonId, TeamId};

const ID: &str = "team_id";
/// The fields of a team's institution and school year.
type Places = (&'static str, &'static str);
const CREATED: Places = (
    "create_team.details.institution_id",
    "create_team.details.school_year_id",
);
const REVISED: Places = (
    "revise_team.details.institution_id",
    "revise_team.details.school_year_id",
);
const PUT: Places = (
    "put_team.details.institution_id",
    "put_team.details.school_year_id",
);

impl TeamCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &Ask<'_>,
        id: TeamId,
    ) -> Result<Vec<TeamEvent>, Stop> {
        let state = ask.load(id)?;
        let now = match state.as_deref() {
            Some(Aggregate::Team(now)) => Some(now),
            _ => None,
        };
        let there = || now.ok_or_else(|| not_found(Reason::TeamNotFound, "team", ID, id, ID));
        // What a deleted team does not take; taking the deletion back and giving it to another
        // owner it does.
        let live = || match there()? {
            Team {
                deleted: Some(_), ..
            } => {
                let message = format!("team {id} is deleted; undelete it first");
                refuse(Refusal::new(Reason::TeamDeleted, message).with(ID, id))
            }
            team => Ok(team),
        };
        match self {
            Self::Create { details, owner } => match now {
                None => {
                    check(ask, details, true, CREATED)?;
                    if let Some(owner) = owner {
                        ask.new_owner(*owner, "create_team.owner_id")?;
                    }
                    Ok(vec![TeamEvent::Created {
                        details: details.clone(),
                        owner: *owner,
                    }])
                }
                Some(_) => exists("team", ID, id, ID),
            },
            Self::Revise(details) if live()?.details == *details => Ok(Vec::new()),
            Self::Revise(details) => {
                check(ask, details, false, REVISED)?;
                Ok(vec![TeamEvent::Revised(details.clone())])
            }
            Self::AddMember { student } if live()?.members.contains(student) => Ok(Vec::new()),
            Self::AddMember { student } => {
                ask.student(*student, "add_team_member.student_id")?;
                Ok(vec![TeamEvent::MemberAdded { student: *student }])
            }
            Self::RemoveMember { student } => match live()?.members.contains(student) {
                true => Ok(vec![TeamEvent::MemberRemoved { student: *student }]),
                false => Err(not_found(
                    Reason::MemberNotFound,
                    "member of the team who is person",
                    "person_id",
                    student,
                    "remove_team_member.student_id",
                )),
            },
            Self::AddStaff { person, role } if live()?.staff.get(person) == Some(role) => {
                Ok(Vec::new())
            }
            Self::AddStaff { person, role } => {
                ask.staff(*person, "add_team_staff.staff.person_id")?;
                Ok(vec![TeamEvent::StaffAdded {
                    person: *person,
                    role: *role,
                }])
            }
            Self::RemoveStaff { person } => match live()?.staff.contains_key(person) {
                true => Ok(vec![TeamEvent::StaffRemoved { person: *person }]),
                false => Err(not_found(
                    Reason::StaffNotFound,
                    "member of the team's staff who is person",
                    "person_id",
                    person,
                    "remove_team_staff.person_id",
                )),
            },
            Self::Close { .. } if live()?.closed => {
                let message = format!("team {id} is closed already");
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
                let institution = team.details.institution;
                const FIELD: &str = "transfer_team_ownership.to_person_id";
                ask.next_owner(team.owner, *to, institution, FIELD)?;
                Ok(vec![TeamEvent::OwnershipTransferred {
                    from: team.owner,
                    to: *to,
                    reason: reason.clone(),
                }])
            }
            Self::HandOver { from, to, reason } => {
                let team = there()?;
                if !ask.hands(team.owner, *from, Some(*to))? {
                    return Ok(Vec::new());
                }
                ask.successor(*to, team.details.institution, "to_person_id")?;
                Ok(vec![TeamEvent::OwnershipTransferred {
                    from: *from,
                    to: *to,
                    reason: reason.clone(),
                }])
            }
            Self::HandBack { from, to, reason } => {
                if !ask.hands(there()?.owner, Some(*from), *to)? {
                    return Ok(Vec::new());
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
            Self::Put {
                details,
                members,
                staff,
                owner,
                closed,
            } => {
                let mut events = put_team(ask, now, details, *owner)?;
                put_people(ask, now, members, staff, &mut events)?;
                match (now.is_some_and(|now| now.closed), closed) {
                    (false, true) => events.push(TeamEvent::Closed { reason: None }),
                    (true, false) => events.push(TeamEvent::Reopened {}),
                    (true, true) | (false, false) => {}
                }
                Ok(events)
            }
        }
    }
}

fn check(
    ask: &Ask<'_>,
    details: &TeamDetails,
    new: bool,
    (institution, school_year): Places,
) -> Result<(), Stop> {
    match new {
        true => ask.open_institution(details.institution, institution)?,
        false => ask.institution(details.institution, institution)?,
    }
    match details.school_year {
        Some(year) => ask.school_year(year, school_year),
        None => Ok(()),
    }
}

fn put_team(
    ask: &Ask<'_>,
    now: Option<&Team>,
    details: &TeamDetails,
    owner: Option<PersonId>,
) -> Result<Vec<TeamEvent>, Stop> {
    let mut events = Vec::new();
    if now.is_none_or(|now| now.details != *details) {
        check(ask, details, false, PUT)?;
    }
    match now {
        None => {
            ask.known(&owner, "put_team.owner_id")?;
            events.push(TeamEvent::Created {
                details: details.clone(),
                owner,
            });
        }
        Some(now) => {
            if now.details != *details {
                events.push(TeamEvent::Revised(details.clone()));
            }
            if let (None, Some(to)) = (now.owner, owner) {
                ask.known([&to], "put_team.owner_id")?;
                events.push(TeamEvent::OwnershipTransferred {
                    from: None,
                    to,
                    reason: None,
                });
            }
        }
    }
    Ok(events)
}

fn put_people(
    ask: &Ask<'_>,
    now: Option<&Team>,
    members: &BTreeSet<PersonId>,
    staff: &BTreeMap<PersonId, StaffRole>,
    events: &mut Vec<TeamEvent>,
) -> Result<(), Stop> {
    let (no_members, no_staff) = (BTreeSet::new(), BTreeMap::new());
    let (members_now, staff_now) =
        now.map_or((&no_members, &no_staff), |now| (&now.members, &now.staff));
    ask.known(members.difference(members_now), "put_team.member_ids")?;
    for student in members_now.difference(members) {
        events.push(TeamEvent::MemberRemoved { student: *student });
    }
    for student in members.difference(members_now) {
        events.push(TeamEvent::MemberAdded { student: *student });
    }
    for person in staff_now
        .keys()
        .filter(|person| !staff.contains_key(person))
    {
        events.push(TeamEvent::StaffRemoved { person: *person });
    }
    for (person, role) in staff
        .iter()
        .filter(|(person, role)| staff_now.get(person) != Some(role))
    {
        ask.known([person], "put_team.staff.person_id")?;
        events.push(TeamEvent::StaffAdded {
            person: *person,
            role: *role,
        });
    }
    Ok(())
}
