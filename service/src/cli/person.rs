//! `planledger person`: finds people.

use clap::{Args, Subcommand};

use super::error::CliError;
use super::output;
use super::remote::{Remote, block_on};
use crate::settings::File;
use crate::wire::proto::{LookupPersonRequest, Person as Found};

/// Find people
#[derive(Debug, Subcommand)]
pub(super) enum Person {
    /// Find whom another system knows by an id: the id in a roster, a user name, a UNI-Login
    Lookup(Lookup),
}

#[derive(Debug, Args)]
pub(super) struct Lookup {
    /// The id, as the other system writes it
    id: String,
    /// The source of the roster that brought the id [default: any source]
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    source: String,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Person {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::Lookup(lookup) => block_on(lookup.run(file)),
        }
    }
}

impl Lookup {
    async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let request = LookupPersonRequest {
            source: self.source,
            id: self.id,
            min_position: 0,
        };
        let found = client.roster().lookup_person(request).await?.into_inner();
        if self.json {
            let persons: Vec<_> = found.persons.iter().map(json).collect();
            output::value(&serde_json::json!({ "persons": persons, "position": found.position }));
            return Ok(());
        }
        if found.persons.is_empty() {
            let what = "no source that was asked knows a person by this id";
            return Err(CliError::Refused(what.to_owned()));
        }
        let mut rows = vec![
            ["person", "name", "source", "id there", "state"]
                .map(str::to_owned)
                .to_vec(),
        ];
        for person in &found.persons {
            for record in &person.records {
                rows.push(vec![
                    person.person_id.clone(),
                    person.name.clone(),
                    record.source.clone(),
                    record.sourced_id.clone(),
                    state(person, &record.source, record.enabled),
                ]);
            }
        }
        output::table(&rows);
        Ok(())
    }
}

/// Where a person stands in the roster of a source.
fn state(person: &Found, source: &str, is_enabled: bool) -> String {
    let mut absences = person.absences.iter();
    let absent = absences.find(|absence| absence.source == source);
    match (absent, is_enabled) {
        (Some(absence), _) => format!("last seen {}", absence.last_seen),
        (None, false) => "may not log in".to_owned(),
        (None, true) => "there".to_owned(),
    }
}

fn json(person: &Found) -> serde_json::Value {
    let records = person.records.iter().map(|record| {
        let user_ids = record.user_ids.iter();
        let user_ids = user_ids.map(|user| serde_json::json!({ "kind": user.kind, "id": user.id }));
        let profiles = record.profiles.iter().flat_map(|all| &all.profiles);
        let profiles = profiles.map(|profile| {
            serde_json::json!({
                "sourced_id": profile.sourced_id,
                "kind": profile.kind,
                "user_name": profile.user_name,
            })
        });
        let mut absences = person.absences.iter();
        let absent = absences.find(|absence| absence.source == record.source);
        serde_json::json!({
            "source": record.source,
            "sourced_id": record.sourced_id,
            "user_ids": user_ids.collect::<Vec<_>>(),
            "enabled": record.enabled,
            "enrolled": record.enrolled,
            "profiles": profiles.collect::<Vec<_>>(),
            "last_seen": absent.map(|absence| absence.last_seen.as_str()),
        })
    });
    serde_json::json!({
        "person_id": person.person_id,
        "name": person.name,
        "records": records.collect::<Vec<_>>(),
    })
}
