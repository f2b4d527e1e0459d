//! Says who and what is not in an export, although an earlier one of its source had it.

use serde_json::{Value, json};

use crate::cli::output;
use crate::client::Client;
use crate::upload::{Absences, Absent, LISTED};
use crate::wire::proto::{GetPersonRequest, GetTeamRequest};

/// The absent, with the names of the first ones.
pub(super) struct Missing {
    persons: Part,
    classes: Part,
}

/// The absent persons or classes.
struct Part {
    count: u64,
    /// How many of them no earlier import has noted.
    new: u64,
    /// The first of them, with what the ledger calls them. `None` if the caller may not read that.
    first: Vec<(Absent, Option<String>)>,
}

impl Missing {
    /// Asks what the ledger calls the first ones: they are not in the files.
    pub(super) async fn named(client: &Client, absences: &Absences) -> Self {
        let mut roster = client.roster();
        let mut persons = Part::of(&absences.persons);
        for (absent, name) in &mut persons.first {
            let request = GetPersonRequest {
                person_id: absent.id.clone(),
                ..GetPersonRequest::default()
            };
            let answer = roster.get_person(request).await.ok();
            *name = answer.and_then(|answer| Some(answer.into_inner().person?.name));
        }
        let mut classes = Part::of(&absences.teams);
        for (absent, name) in &mut classes.first {
            let request = GetTeamRequest {
                team_id: absent.id.clone(),
                ..GetTeamRequest::default()
            };
            let answer = roster.get_team(request).await.ok();
            *name = answer.and_then(|answer| Some(answer.into_inner().team?.details?.title));
        }
        Self { persons, classes }
    }

    /// Prints it. `say` prints a line.
    pub(super) fn show(&self, say: impl Fn(String)) {
        for (what, part) in [("persons", &self.persons), ("classes", &self.classes)] {
            if part.count == 0 {
                continue;
            }
            say(format!(
                "{} {what} of earlier exports are not in this one, {} of them for the first time; \
                 nothing of theirs is deleted:",
                part.count, part.new
            ));
            for (absent, name) in &part.first {
                let name = name.as_deref().unwrap_or("-");
                let since = match &absent.noted {
                    Some(day) => format!(", last seen on {day}"),
                    None => String::new(),
                };
                say(format!("  {}  {name}{since}", absent.id));
            }
            let more = part.count - part.first.len() as u64;
            if more > 0 {
                say(format!("  and {more} more"));
            }
        }
        if self.persons.count > 0 {
            say(format!(
                "{} persons may have left: owner suggestions list INSTITUTION shows them, and a \
                 leader confirms or dismisses it",
                self.persons.count
            ));
        }
    }

    pub(super) fn note(&self) {
        self.show(output::note);
    }

    pub(super) fn json(&self) -> Value {
        json!({ "persons": self.persons.json(), "classes": self.classes.json() })
    }
}

impl Part {
    fn of(all: &[Absent]) -> Self {
        let new = all.iter().filter(|absent| absent.noted.is_none()).count();
        // The new ones come first.
        let mut sorted: Vec<_> = all.iter().collect();
        sorted.sort_by_key(|absent| absent.noted.is_some());
        Self {
            count: all.len() as u64,
            new: new as u64,
            first: sorted
                .into_iter()
                .take(LISTED)
                .map(|absent| (absent.clone(), None))
                .collect(),
        }
    }

    fn json(&self) -> Value {
        let first = self.first.iter().map(
            |(absent, name)| json!({ "id": absent.id, "name": name, "last_seen": absent.noted }),
        );
        json!({ "count": self.count, "new": self.new, "first": first.collect::<Value>() })
    }
}
