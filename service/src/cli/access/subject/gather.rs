//! Reads a copy, part by part.

use std::collections::BTreeSet;

use planledger_proto::v1::{
    Actor, Erasure, Event, EventFilter, GetCollectedViewRequest, GetPersonRequest, Grants, Viewer,
    actor, erasure_target, event, grant_scope,
};
use serde_json::{Value, json};

use super::super::super::error::CliError;
use super::super::super::output;
use super::copy::{AT_INSTITUTION, Copy, For, NOT_ASKED, PROTECTED};
use super::forms::Forms;
use super::stopped::Stopped;
use super::{lists, protect};
use crate::client::{Client, patiently};

const PROTECTED_WHY: &str = "the rights of others protect it, so it is not for guardians";

/// A copy while it is read.
#[derive(Debug)]
pub(super) struct Gather {
    client: Client,
    forms: Forms,
    person: String,
    whose: For,
    copy: Copy,
    /// The first refusal, in case nothing is answered.
    first: Option<(String, String)>,
}

impl Gather {
    pub(super) fn new(client: Client, person: &str, whose: For) -> Result<Self, CliError> {
        Ok(Self {
            client,
            forms: Forms::new()?,
            person: person.to_owned(),
            whose,
            copy: Copy::new(person, whose),
            first: None,
        })
    }

    /// Reads every part. The readers come last: what the copy itself has read is among them.
    pub(super) async fn all(mut self, whole_ledger: bool) -> Result<Copy, CliError> {
        self.person().await?;
        self.plans().await?;
        match self.whose {
            For::Itself | For::Records => {
                self.roster().await?;
                self.recorded(whole_ledger).await?;
                self.decided().await?;
            }
            For::Guardian => {
                for part in [
                    "guardians, other ids and departure",
                    "teams",
                    "owned",
                    "suggestions",
                    "recoveries",
                    "events",
                    "acts",
                    "grants",
                    "grantsAbout",
                    "erasures",
                ] {
                    self.copy.leave_out(part, PROTECTED, PROTECTED_WHY);
                }
            }
        }
        self.readers().await?;
        let of_the_person = ["person", "plans", "readers"];
        let is_answered = of_the_person
            .iter()
            .any(|section| self.copy.section(section).is_some());
        match self.first {
            Some((code, why)) if !is_answered && code != "PERSON_ERASED" => {
                Err(CliError::Refused(format!("{code}: {why}")))
            }
            Some(_) | None => Ok(self.copy),
        }
    }

    /// What was read; `None` if it is left out, which the copy then says.
    fn read<T>(
        &mut self,
        part: &str,
        answer: Result<(T, u64), Stopped>,
    ) -> Result<Option<T>, CliError> {
        match answer {
            Ok((found, position)) => {
                self.copy.read_at(position);
                Ok(Some(found))
            }
            Err(Stopped::Refused { code, why }) => {
                self.copy.leave_out(part, &code, &why);
                self.first.get_or_insert((code, why));
                Ok(None)
            }
            Err(Stopped::Failed(error)) => Err(error),
        }
    }

    async fn person(&mut self) -> Result<(), CliError> {
        output::note("reading the person");
        let request = GetPersonRequest {
            person_id: self.person.clone(),
            min_position: 0,
        };
        let answer = patiently(&request, |request| {
            let mut roster = self.client.roster();
            async move { roster.get_person(request).await }
        });
        let answer = answer.await.map(|found| {
            let found = found.into_inner();
            let position = found.position;
            (found, position)
        });
        let Some(mut found) = self.read("person", answer.map_err(Stopped::from))? else {
            return Ok(());
        };
        protect::person(self.whose, &mut found);
        let children = self.forms.list(&found.children)?;
        let person = found.person.unwrap_or_default();
        let person = self.forms.value(&person)?;
        let person = json!({ "person": person, "children": children });
        self.copy.add("person", person);
        Ok(())
    }

    /// All plans through the widest eyes that fit: of a guardian's copy those of guardians, of another
    /// one those of staff, or else those of the student.
    async fn plans(&mut self) -> Result<(), CliError> {
        output::note("reading the plans");
        let eyes: &[(Viewer, &str)] = match self.whose {
            For::Itself => &[
                (Viewer::Staff, "plans, as staff see them"),
                (Viewer::Student, "plans"),
            ],
            For::Guardian => &[(Viewer::Guardians, "plans")],
            For::Records => &[(Viewer::Staff, "plans")],
        };
        for (viewer, part) in eyes {
            let request = GetCollectedViewRequest {
                student_id: self.person.clone(),
                viewer: (*viewer).into(),
                min_position: self.copy.position(),
                at: None,
            };
            let answer = patiently(&request, |request| {
                let mut plans = self.client.plans();
                async move { plans.get_collected_view(request).await }
            });
            let answer = answer.await.map(|found| {
                let found = found.into_inner();
                (found.view.unwrap_or_default(), found.position)
            });
            if let Some(view) = self.read(part, answer.map_err(Stopped::from))? {
                let view = self.forms.value(&view)?;
                self.copy.add("plans", view);
                self.copy.seen_as(viewer.as_str_name());
                break;
            }
        }
        Ok(())
    }

    /// Teams, what the person owns, what suggests that they have left, and recoveries.
    async fn roster(&mut self) -> Result<(), CliError> {
        output::note("reading teams and what the person owns");
        let (client, person, at) = (
            self.client.clone(),
            self.person.clone(),
            self.copy.position(),
        );
        let teams = lists::teams(&client, &person, at).await;
        if let Some(mut teams) = self.read("teams", teams)? {
            for team in &mut teams {
                protect::team(self.whose, &person, team);
            }
            let teams = self.forms.list(&teams)?;
            self.copy.add("teams", teams);
            self.copy.limited("teams");
        }
        let owned = lists::owned(&client, &person, at).await;
        if let Some(owned) = self.read("owned", owned)? {
            let owned = self.forms.list(&owned)?;
            self.copy.add("owned", owned);
        }
        self.suggestions(&client, at).await?;
        let recoveries = lists::recoveries(&client, &person, at).await;
        if let Some(recoveries) = self.read("recoveries", recoveries)? {
            let recoveries = self.forms.list(&recoveries)?;
            self.copy.add("recoveries", recoveries);
            self.copy.limited("recoveries");
        }
        Ok(())
    }

    /// Suggestions are listed by institution, so the places of the person must be known.
    async fn suggestions(&mut self, client: &Client, at: u64) -> Result<(), CliError> {
        let Some(institutions) = self.institutions() else {
            if let Some((code, _)) = self.first.clone() {
                let why = "the institutions of the person are not known without the person";
                self.copy.leave_out("suggestions", &code, why);
            }
            return Ok(());
        };
        let mut all = Vec::new();
        for institution in institutions {
            let found = lists::suggestions(client, &institution, at).await;
            let part = format!("{AT_INSTITUTION}{institution}");
            let found = self.read(&part, found)?;
            let found = found.into_iter().flatten();
            all.extend(found.filter(|one| one.person_id == self.person));
        }
        let all = self.forms.list(&all)?;
        self.copy.add("suggestions", all);
        self.copy.limited("suggestions");
        Ok(())
    }

    /// Where the person has a place; `None` if the person was not read.
    fn institutions(&self) -> Option<BTreeSet<String>> {
        let person = self.copy.section("person")?;
        let places = person.pointer("/person/affiliations");
        let places = places.and_then(Value::as_array).into_iter().flatten();
        let institutions = places.filter_map(|place| place.get("institutionId")?.as_str());
        Some(institutions.map(str::to_owned).collect())
    }

    /// The history of the person and the plans, and what the person did elsewhere.
    async fn recorded(&mut self, whole_ledger: bool) -> Result<(), CliError> {
        output::note("reading the history");
        let at = self.copy.position();
        let about: EventFilter = lists::about(&self.person);
        let events = lists::events(&self.client, Some(about), at, Some).await;
        if let Some(events) = self.read("events", events)? {
            let events = self.forms.list(&events)?;
            self.copy.add("events", events);
        }
        if !whole_ledger {
            let why = "the whole ledger was not read; --whole-ledger does that";
            self.copy.leave_out("acts", NOT_ASKED, why);
            return Ok(());
        }
        output::note("reading the whole ledger");
        let person = self.person.clone();
        let acts = lists::events(&self.client, None, at, |event| act(&event, &person)).await;
        if let Some(acts) = self.read("acts", acts)? {
            self.copy.add("acts", Value::Array(acts));
        }
        Ok(())
    }

    /// Grants, redactions and erasures.
    async fn decided(&mut self) -> Result<(), CliError> {
        output::note("reading grants and erasures");
        let at = self.copy.position();
        let grantee = actor::Actor::PersonId(self.person.clone());
        let grantee = Actor {
            actor: Some(grantee),
        };
        let grants = lists::grants(&self.client, Some(grantee), at).await;
        if let Some(grants) = self.read("grants", grants)? {
            let grants = self.forms.list(&grants)?;
            self.copy.add("grants", grants);
        }
        let grants = lists::grants(&self.client, None, at).await;
        if let Some(mut grants) = self.read("grantsAbout", grants)? {
            retain_about(&mut grants, &self.person);
            let grants = self.forms.list(&grants)?;
            self.copy.add("grantsAbout", grants);
            self.copy.limited("grantsAbout");
        }
        let erasures = lists::erasures(&self.client, at).await;
        if let Some(mut erasures) = self.read("erasures", erasures)? {
            let streams = self.streams();
            erasures.retain(|erasure| concerns(erasure, &self.person, &streams));
            let erasures = self.forms.list(&erasures)?;
            self.copy.add("erasures", erasures);
        }
        Ok(())
    }

    /// The person's own stream and the plans.
    fn streams(&self) -> Vec<String> {
        let plans = self.copy.section("plans");
        let plans = plans.and_then(|view| view.get("plans")?.as_array());
        let plans = plans.into_iter().flatten();
        let plans = plans.filter_map(|plan| plan.get("planId")?.as_str());
        let plans = plans.map(|id| format!("plan/{id}"));
        plans.chain([format!("person/{}", self.person)]).collect()
    }

    async fn readers(&mut self) -> Result<(), CliError> {
        output::note("reading who has read the plans");
        let at = self.copy.position();
        let readers = lists::readers(&self.client, &self.person, at).await;
        if let Some((mut reads, complete_since)) = self.read("readers", readers)? {
            self.copy.readers_complete_since(complete_since);
            let done = protect::readers(&self.client, self.whose, &self.person, &mut reads).await;
            self.read("readers, by name", done.map(|()| ((), at)))?;
            let reads = self.forms.list(&reads)?;
            self.copy.add("readers", reads);
        }
        Ok(())
    }
}

/// What an event has to do with a person: without its content, which may be about others.
fn act(event: &Event, person: &str) -> Option<Value> {
    let stream = format!("person/{person}");
    let is_named = match &event.content {
        Some(event::Content::Payload(payload)) => payload.contains(person),
        Some(event::Content::Unreadable(_)) | None => false,
    };
    let ways = [
        ("actor", event.actor == stream),
        ("onBehalfOf", event.on_behalf_of == stream),
        ("named", is_named),
    ];
    let ways: Vec<_> = ways.iter().filter(|way| way.1).map(|way| way.0).collect();
    if ways.is_empty() {
        return None;
    }
    let at = event.recorded_at.as_ref();
    let at = at.and_then(|at| jiff::Timestamp::new(at.seconds, at.nanos).ok());
    Some(json!({
        "position": event.position.to_string(),
        "stream": event.stream,
        "type": event.r#type,
        "recordedAt": at.map(|at| at.to_string()),
        "as": ways,
    }))
}

/// Keeps the grants that somebody holds for this student.
fn retain_about(all: &mut Vec<Grants>, person: &str) {
    for one in all.iter_mut() {
        one.grants.retain(|grant| {
            let details = grant.details.as_ref();
            let scope = details.and_then(|details| details.scope.as_ref()?.scope.as_ref());
            match scope {
                Some(grant_scope::Scope::StudentId(id)) => id == person,
                Some(
                    grant_scope::Scope::Municipality(_)
                    | grant_scope::Scope::InstitutionId(_)
                    | grant_scope::Scope::TeamId(_),
                )
                | None => false,
            }
        });
    }
    all.retain(|one| !one.grants.is_empty());
}

fn concerns(erasure: &Erasure, person: &str, streams: &[String]) -> bool {
    let target = erasure.target.as_ref();
    match target.and_then(|target| target.target.as_ref()) {
        Some(erasure_target::Target::PersonId(id)) => id == person,
        Some(erasure_target::Target::ReadsBefore(_)) => false,
        Some(erasure_target::Target::Event(place)) => streams.contains(&place.stream),
        None => false,
    }
}
