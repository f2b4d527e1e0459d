//! What a copy leaves out because it is about others.

use std::collections::HashMap;

use planledger_proto::v1::{
    Actor, GetPersonRequest, GetPersonResponse, Person, PlanRead, Role, Team, actor,
};

use super::copy::For;
use super::stopped::Stopped;
use crate::client::{Client, patiently};

/// What is left of somebody in the roster. To a guardian: the name and places of the person. Who else is
/// a guardian, ids in other systems and reasons are not theirs to know.
pub(super) fn person(whose: For, found: &mut GetPersonResponse) {
    match whose {
        For::Itself | For::Records => {}
        For::Guardian => {
            found.children.clear();
            let Some(whole) = found.person.take() else {
                return;
            };
            found.person = Some(Person {
                person_id: whole.person_id,
                revision: whole.revision,
                name: whole.name,
                affiliations: whole.affiliations,
                ..Person::default()
            });
        }
    }
}

/// What is left of a team: not who else is in it, and not what was decided about others.
pub(super) fn team(whose: For, id: &str, team: &mut Team) {
    match whose {
        For::Records => {}
        For::Itself | For::Guardian => {
            team.member_ids.retain(|member| member == id);
            team.decided_by_hand.clear();
        }
    }
}

/// Takes other students and guardians out of the list of readers.
pub(super) async fn readers(
    client: &Client,
    whose: For,
    id: &str,
    reads: &mut [PlanRead],
) -> Result<(), Stopped> {
    match whose {
        For::Records => return Ok(()),
        For::Itself | For::Guardian => {}
    }
    let mut known = HashMap::new();
    for read in reads {
        let (who, name) = (&read.actor, &read.actor_name);
        if !may_be_named(client, id, who.as_ref(), name.is_some(), &mut known).await? {
            read.actor = None;
            read.actor_name = None;
        }
        let (who, name) = (&read.on_behalf_of, &read.on_behalf_of_name);
        if !may_be_named(client, id, who.as_ref(), name.is_some(), &mut known).await? {
            read.on_behalf_of = None;
            read.on_behalf_of_name = None;
        }
    }
    Ok(())
}

/// Systems, the person and staff may be named. Whose name the server does not give is none of them.
async fn may_be_named(
    client: &Client,
    subject: &str,
    actor: Option<&Actor>,
    has_name: bool,
    known: &mut HashMap<String, bool>,
) -> Result<bool, Stopped> {
    let id = match actor.and_then(|actor| actor.actor.as_ref()) {
        Some(actor::Actor::PersonId(id)) if id != subject => id,
        Some(actor::Actor::PersonId(_) | actor::Actor::SystemId(_)) | None => return Ok(true),
    };
    if !has_name {
        return Ok(false);
    }
    if let Some(known) = known.get(id) {
        return Ok(*known);
    }
    let may = is_staff(client, id).await?;
    known.insert(id.clone(), may);
    Ok(may)
}

/// Whether somebody works, or worked, with students. Whom the caller may not look up, the server has named
/// all the same, so it is staff or somebody whom the caller may see. Without any place the roster does not
/// tell, and the reader stays.
async fn is_staff(client: &Client, id: &str) -> Result<bool, Stopped> {
    let request = GetPersonRequest {
        person_id: id.to_owned(),
        min_position: 0,
    };
    let answer = patiently(&request, |request| {
        let mut roster = client.roster();
        async move { roster.get_person(request).await }
    });
    let found = match answer.await {
        Ok(found) => found.into_inner(),
        Err(status) => {
            return match Stopped::from(status) {
                Stopped::Refused { .. } => Ok(true),
                Stopped::Failed(error) => Err(Stopped::Failed(error)),
            };
        }
    };
    let places = found.person.map(|person| person.affiliations);
    let roles: Vec<Role> = places
        .into_iter()
        .flatten()
        .map(|place| place.role())
        .collect();
    let has_children = !found.children.is_empty();
    let is_family = |role: &Role| match role {
        Role::Student | Role::Guardian => true,
        Role::Unspecified | Role::Teacher | Role::Pedagogue | Role::Leader | Role::Other => false,
    };
    Ok(match roles.is_empty() {
        true => !has_children,
        false => !roles.iter().all(is_family),
    })
}
