//! Who and what a bulk export no longer has, although an earlier one of its source had: a sign that
//! somebody may be gone, and no more than that.

use std::collections::{HashMap, HashSet};

use planledger_proto::v1::command::Command as Of;
use planledger_proto::v1::{
    Command, ListPersonsRequest, ListRosterMembersRequest, NotePersonAbsence, NoteTeamAbsence,
    PersonCommand, Role, TeamCommand, person_command, team_command,
};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{Kind, Source, Subject};
use crate::client::Client;
use crate::import::RosterFiles;

/// The persons and teams that a source has brought and that are not in its newest export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Absences {
    /// The persons, in the order of their ids.
    pub persons: Vec<Absent>,
    /// The teams, in the order of their ids.
    pub teams: Vec<Absent>,
    /// Those who are in the export, and may be in no class any more.
    pub classless: Classless,
    /// What the files of the export are called.
    pub files: RosterFiles,
}

/// Who is in the export and in no class any more: somebody whom only this source had in a class, or who
/// is suggested for that already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classless {
    /// Those whom the ledger has in a class, and those whom it suggests, with the day.
    known: HashMap<Uuid, Option<String>>,
    /// Those who are in no class any more, each with the name in the export, in its order.
    pub found: Vec<(Absent, Option<String>)>,
}

impl Classless {
    /// Looks at what the export says of one person.
    pub fn see(&mut self, subject: &Subject) {
        if subject.enrolled != Some(false) {
            return;
        }
        let id = Uuid::parse_str(&subject.id);
        if let Some(since) = id.ok().and_then(|id| self.known.get(&id)) {
            let (id, noted) = (subject.id.clone(), since.clone());
            self.found
                .push((Absent { id, noted }, subject.name.clone()));
        }
    }
}

/// Somebody or something that an export does not have, or not in a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The id (UUID).
    pub id: String,
    /// The day of the last export that had it, if an earlier import has noted the absence. Of somebody
    /// in no class: the day on which that was noted.
    pub noted: Option<String>,
}

impl Absences {
    /// Compares what a source has brought with the ids of the persons and teams of an export, and the
    /// names of its files. Nobody is absent from the first export of a source.
    ///
    /// # Errors
    /// The status of the call that failed.
    pub async fn find(
        client: &Client,
        source: &str,
        (named, files): (&HashSet<Uuid>, RosterFiles),
    ) -> Result<Self, Status> {
        let request = ListRosterMembersRequest {
            source: source.to_owned(),
            ..ListRosterMembersRequest::default()
        };
        let mut absences = Self {
            files,
            ..Self::default()
        };
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
                let parsed = Uuid::parse_str(id).ok();
                if let Some(id) = parsed.filter(|id| named.contains(id)) {
                    if member.enrolled_here_only || member.not_enrolled_since.is_some() {
                        let known = &mut absences.classless.known;
                        known.insert(id, member.not_enrolled_since);
                    }
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

    /// Takes out the persons who are nothing but guardians at these institutions. For an export that
    /// does not say who is a guardian.
    ///
    /// # Errors
    /// The status of the call that failed.
    pub async fn leave_guardians(
        &mut self,
        client: &Client,
        institutions: &[String],
    ) -> Result<(), Status> {
        let mut guardians = HashSet::new();
        for institution in institutions {
            let mut page_token = String::new();
            loop {
                let request = ListPersonsRequest {
                    institution_id: institution.clone(),
                    role: Some(Role::Guardian.into()),
                    page_size: 1_000,
                    page_token,
                    ..ListPersonsRequest::default()
                };
                let page = match client.roster().list_persons(request).await {
                    Ok(page) => page.into_inner(),
                    // It is new.
                    Err(status) if status.code() == Code::NotFound => break,
                    Err(status) => return Err(status),
                };
                let only = page.persons.into_iter().filter(|person| {
                    let mut places = person.affiliations.iter();
                    places.all(|place| place.role() == Role::Guardian)
                });
                guardians.extend(only.map(|person| person.person_id));
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
        }
        self.persons
            .retain(|absent| !guardians.contains(&absent.id));
        Ok(())
    }

    /// The commands that note what no earlier import has noted. They belong after the persons of an
    /// export and before guardians and teams: whoever is absent keeps places and guardianships.
    /// `last_seen` is the day of the source's last import: who had left before it was absent, or gone.
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
            (command(of), self.files.persons.clone().into_owned())
        };
        let team = |team_id| {
            let note = NoteTeamAbsence {
                source: source.to_owned(),
                last_seen: last_seen.to_owned(),
            };
            let operation = Some(team_command::Operation::NoteTeamAbsence(note));
            let of = Of::Team(TeamCommand { team_id, operation });
            (command(of), self.files.classes.clone().into_owned())
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
        Kind::SchoolYear
        | Kind::Institution
        | Kind::Person
        | Kind::Profiles
        | Kind::Catalogue
        | Kind::Other => false,
    }
}

fn command(of: Of) -> Command {
    Command {
        command_id: uuid::Uuid::new_v4().to_string(),
        discard_if_unchanged: true,
        command: Some(of),
        ..Command::default()
    }
}
