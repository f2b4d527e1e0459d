//! Who and what a bulk export no longer has, although an earlier one of its source had: a sign that
//! somebody may be gone, and no more than that.

use std::collections::HashSet;

use planledger_proto::v1::command::Command as Of;
use planledger_proto::v1::{
    Command, ListRosterMembersRequest, NotePersonAbsence, NoteTeamAbsence, PersonCommand,
    TeamCommand, person_command, team_command,
};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{Kind, Source};
use crate::client::Client;

/// The persons and teams that a source has brought and that are not in its newest export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Absences {
    /// The persons, in the order of their ids.
    pub persons: Vec<Absent>,
    /// The teams, in the order of their ids.
    pub teams: Vec<Absent>,
}

/// Somebody or something that an export does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The id (UUID).
    pub id: String,
    /// The day of the last export that had it, if an earlier import has noted the absence.
    pub noted: Option<String>,
}

impl Absences {
    /// Compares what a source has brought with the ids of the persons and teams of an export. Nobody
    /// is absent from the first export of a source.
    ///
    /// # Errors
    /// The status of the call that failed.
    pub async fn find(
        client: &Client,
        source: &str,
        named: &HashSet<Uuid>,
    ) -> Result<Self, Status> {
        let request = ListRosterMembersRequest {
            source: source.to_owned(),
            ..ListRosterMembersRequest::default()
        };
        let mut absences = Self::default();
        let mut members = match client.roster().list_roster_members(request).await {
            Ok(members) => members.into_inner(),
            Err(status) if status.code() == Code::NotFound => return Ok(absences),
            Err(status) => return Err(status),
        };
        while let Some(part) = members.message().await? {
            for member in part.members {
                let Some((kind, id)) = member.stream.split_once('/') else {
                    continue;
                };
                let is_named = Uuid::parse_str(id).is_ok_and(|id| named.contains(&id));
                if is_named {
                    continue;
                }
                let absent = Absent {
                    id: id.to_owned(),
                    noted: member.last_seen,
                };
                match kind {
                    "person" => absences.persons.push(absent),
                    _ => absences.teams.push(absent),
                }
            }
        }
        Ok(absences)
    }

    /// The commands that note what no earlier import has noted. They belong after the persons of an
    /// export and before guardians and teams: whoever is absent keeps places and guardianships.
    /// `last_seen` is the day of the source's last import of a bulk export.
    pub fn notes(&self, source: &str, last_seen: &str) -> Vec<(Command, Source)> {
        let new = |all: &'_ [Absent]| -> Vec<String> {
            let new = all.iter().filter(|absent| absent.noted.is_none());
            new.map(|absent| absent.id.clone()).collect()
        };
        let person = |person_id| {
            let note = NotePersonAbsence {
                source: source.to_owned(),
                last_seen: last_seen.to_owned(),
            };
            let operation = Some(person_command::Operation::NotePersonAbsence(note));
            let of = Of::Person(PersonCommand {
                person_id,
                operation,
            });
            (command(of), "users.csv".to_owned())
        };
        let team = |team_id| {
            let note = NoteTeamAbsence {
                source: source.to_owned(),
                last_seen: last_seen.to_owned(),
            };
            let operation = Some(team_command::Operation::NoteTeamAbsence(note));
            let of = Of::Team(TeamCommand { team_id, operation });
            (command(of), "classes.csv".to_owned())
        };
        let persons = new(&self.persons).into_iter().map(person);
        persons
            .chain(new(&self.teams).into_iter().map(team))
            .collect()
    }
}

/// Whether a command of this kind comes after the notes of absences.
pub fn is_after_notes(kind: Kind) -> bool {
    match kind {
        Kind::Guardians | Kind::Team => true,
        Kind::SchoolYear | Kind::Institution | Kind::Person | Kind::Catalogue | Kind::Other => {
            false
        }
    }
}

fn command(of: Of) -> Command {
    Command {
        command_id: Uuid::new_v4().to_string(),
        discard_if_unchanged: true,
        command: Some(of),
        ..Command::default()
    }
}
