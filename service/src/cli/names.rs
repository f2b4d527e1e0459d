//! Names of people, for output that people read. Each name is looked up once, and never logged.

use std::collections::HashMap;

use planledger_proto::v1::{Event, GetPersonRequest, event};
use serde_json::Value;
use tonic::Code;

use super::error::CliError;
use crate::client::Client;

/// Names by person id.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, String>);

impl Names {
    /// Looks up everybody who acted in these events, the student of the plan, and its present and
    /// former owners.
    pub(super) async fn of_events(client: &Client, events: &[Event]) -> Result<Self, CliError> {
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

    /// Looks up one person's name, unless it is known already.
    pub(super) async fn learn(&mut self, client: &Client, id: &str) -> Result<(), CliError> {
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

    /// The name to show for an actor, `person/UUID` or `system/UUID`; the id if the name is not
    /// known.
    pub(super) fn actor(&self, actor: &str) -> String {
        match actor.split_once('/') {
            Some(("person", id)) => self.person(id),
            Some((kind, id)) => format!("{kind} {}", short(id)),
            None => actor.to_owned(),
        }
    }

    /// The name to show for a person; the id if the name is not known.
    pub(super) fn person(&self, id: &str) -> String {
        match self.0.get(id) {
            Some(name) => name.clone(),
            None => format!("person {}", short(id)),
        }
    }

    /// The name of the person with this id; `None` if nobody looked it up.
    pub(super) fn get(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }
}

/// The first eight characters of an id, enough for people to tell ids apart.
pub(super) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// The ids of the persons that a plan event names: the student and the owners.
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
