//! Names of people, for what is shown to people. Looked up once each, never logged.

use std::collections::HashMap;

use planledger_proto::v1::{Event, GetPersonRequest, event};
use serde_json::Value;
use tonic::Code;

use super::failure::Failure;
use crate::client::Client;

/// Names by person id.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, String>);

impl Names {
    /// Looks up everybody who acted in these events, and whose plan it is and was.
    pub(super) async fn of_events(client: &Client, events: &[Event]) -> Result<Self, Failure> {
        let mut names = Self::default();
        for event in events {
            for actor in [&event.actor, &event.on_behalf_of] {
                if let Some(id) = actor.strip_prefix("person/") {
                    names.learn(client, id).await?;
                }
            }
            for id in persons(event) {
                names.learn(client, &id).await?;
            }
        }
        Ok(names)
    }

    /// Looks somebody up.
    pub(super) async fn learn(&mut self, client: &Client, id: &str) -> Result<(), Failure> {
        if self.0.contains_key(id) {
            return Ok(());
        }
        let person_id = id.to_owned();
        let request = GetPersonRequest {
            person_id,
            ..GetPersonRequest::default()
        };
        match client.roster().get_person(request).await {
            Ok(found) => {
                if let Some(person) = found.into_inner().person {
                    self.0.insert(person.person_id, person.name);
                }
                Ok(())
            }
            Err(status) if status.code() == Code::NotFound => Ok(()),
            Err(status) => Err(status.into()),
        }
    }

    /// What to call somebody, `person/UUID` or `system/UUID`: the name, else the id.
    pub(super) fn actor(&self, actor: &str) -> String {
        match actor.split_once('/') {
            Some(("person", id)) => self.person(id),
            Some((kind, id)) => format!("{kind} {}", short(id)),
            None => actor.to_owned(),
        }
    }

    /// What to call a person: the name, else the id.
    pub(super) fn person(&self, id: &str) -> String {
        match self.0.get(id) {
            Some(name) => name.clone(),
            None => format!("person {}", short(id)),
        }
    }

    /// The name of the person with this id, if it is one that was looked up.
    pub(super) fn get(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }
}

/// The beginning of an id, enough for people to tell things apart.
pub(super) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// Ids of the persons that an event of a plan names: student and owners.
fn persons(event: &Event) -> Vec<String> {
    let fields: &[&str] = match event.r#type.as_str() {
        "plan.opened" => &["student", "owner"],
        "plan.ownership_transferred" => &["from", "to"],
        _ => return Vec::new(),
    };
    let Some(event::Content::Payload(payload)) = &event.content else {
        return Vec::new();
    };
    let Ok(Value::Object(payload)) = serde_json::from_str::<Value>(payload) else {
        return Vec::new();
    };
    let said = payload
        .values()
        .flat_map(|it| fields.iter().map(|field| it.get(field)));
    said.filter_map(|value| value?.as_str().map(str::to_owned))
        .collect()
}
