//! Says who and what is not in an export, or not in a class of it, although an earlier one of its source
//! had it.

use serde_json::{Value, json};

use super::fact;
use crate::cli::output;
use crate::client::Client;
use crate::upload::{
    Absences, Absent, LISTED, Leaving, MissingLink, MissingLinks, Suggested, Unrecorded,
};
use crate::wire::proto::{GetPersonRequest, GetTeamRequest, RosterFact};

/// The absent, with the names of the first ones, and the links that are missing because of them.
pub(super) struct Missing {
    persons: Part,
    classes: Part,
    /// Those who are in the export, and in no class any more.
    classless: Part,
    links: MissingLinks,
    /// Who may have left for other reasons, now or once the import is written. `None` if nobody knows.
    leaving: Option<Leaving>,
    /// Who and what came before sources had names and is not in the first export of one.
    unrecorded: Unrecorded,
}

/// The absent persons or classes.
struct Part {
    /// What the id of a stream begins with: "person".
    stream: &'static str,
    count: u64,
    /// How many of them no earlier import has noted.
    new: u64,
    /// The first of them, with what the ledger calls them. `None` if the caller may not read that.
    first: Vec<(Absent, Option<String>)>,
}

impl Missing {
    /// Asks what the ledger calls the first ones: they are not in the files.
    pub(super) async fn named(client: &Client, absences: &Absences, links: MissingLinks) -> Self {
        let mut roster = client.roster();
        let mut persons = Part::of("person", &absences.persons);
        for (absent, name) in &mut persons.first {
            let request = GetPersonRequest {
                person_id: absent.id.clone(),
                ..GetPersonRequest::default()
            };
            let answer = roster.get_person(request).await.ok();
            *name = answer.and_then(|answer| Some(answer.into_inner().person?.name));
        }
        let mut classes = Part::of("team", &absences.teams);
        for (absent, name) in &mut classes.first {
            let request = GetTeamRequest {
                team_id: absent.id.clone(),
                ..GetTeamRequest::default()
            };
            let answer = roster.get_team(request).await.ok();
            *name = answer.and_then(|answer| Some(answer.into_inner().team?.details?.title));
        }
        let classless = Part::of_named("person", &absences.classless.found);
        Self {
            persons,
            classes,
            classless,
            links,
            leaving: None,
            unrecorded: Unrecorded::default(),
        }
    }

    /// Adds who and what came before sources had names and is not in the export.
    pub(super) fn without_record(mut self, unrecorded: Unrecorded) -> Self {
        self.unrecorded = unrecorded;
        self
    }

    /// Adds who may have left for other reasons.
    pub(super) fn with(mut self, leaving: Option<Leaving>) -> Self {
        self.leaving = leaving;
        self
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
            self.list(part, "last seen on", &say);
        }
        self.show_links(&say);
        if self.classless.count > 0 {
            say(format!(
                "{} persons are in no class any more, {} of them for the first time:",
                self.classless.count, self.classless.new
            ));
            self.list(&self.classless, "since", &say);
        }
        let may_have_left = self.persons.count + self.classless.count;
        if may_have_left > 0 {
            say(format!(
                "{may_have_left} persons may have left: owner suggestions list INSTITUTION shows them, \
                 and a leader confirms or dismisses it"
            ));
        }
        self.show_leaving(&say);
        if let Some(said) = unrecorded(self.unrecorded) {
            say(said);
        }
    }

    /// Prints the first ones of a part. `since` says what their day is.
    fn list(&self, part: &Part, since: &str, say: &impl Fn(String)) {
        for (absent, name) in &part.first {
            let name = name.as_deref().unwrap_or("-");
            let since = match &absent.noted {
                Some(day) => format!(", {since} {day}"),
                None => String::new(),
            };
            let links = self.links_of(part, absent);
            say(format!("  {}  {name}{since}{links}", absent.id));
        }
        let more = part.count - part.first.len() as u64;
        if more > 0 {
            say(format!("  and {more} more"));
        }
    }

    /// Prints who may have left although nobody is missing.
    fn show_leaving(&self, say: &impl Fn(String)) {
        for (_, what, part) in self.leaving.iter().flat_map(leaving) {
            if part.count == 0 {
                continue;
            }
            say(format!(
                "{} persons may have left, because {what}:",
                part.count
            ));
            for found in &part.first {
                say(format!(
                    "  {}  {}: owner suggestions list {}",
                    found.person_id, found.name, found.institution_id
                ));
            }
            let more = part.count - part.first.len() as u64;
            if more > 0 {
                say(format!("  and {more} more"));
            }
        }
    }

    /// How many links somebody or something has: ", 2 enrolments, 1 guardianships".
    fn links_of(&self, part: &Part, absent: &Absent) -> String {
        let (enrolments, guardianships) = self.links.of(&part.stream_of(absent));
        let counts = [(enrolments, "enrolments"), (guardianships, "guardianships")];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        counts
            .map(|(count, what)| format!(", {count} {what}"))
            .collect()
    }

    /// Prints the links that are missing.
    fn show_links(&self, say: &impl Fn(String)) {
        let kinds = [
            ("enrolments", false, self.links.enrolments),
            ("guardianships", true, self.links.guardianships),
        ];
        for (what, guardianships, count) in kinds.into_iter().filter(|(.., count)| *count > 0) {
            say(format!(
                "{count} {what} are missing with them; they stay as they are:"
            ));
            let links = self.links_that(guardianships);
            for missing in links.take(LISTED) {
                say(format!("  {}", shown(missing)));
            }
            if let Some(more) = count.checked_sub(LISTED as u64).filter(|more| *more > 0) {
                say(format!("  and {more} more; --report FILE lists all"));
            }
        }
        if self.links.not_looked_at > 0 {
            say(format!(
                "enrolments and guardianships of {} who were noted by earlier imports are not \
                 listed again",
                self.links.not_looked_at
            ));
        }
    }

    fn links_that(&self, guardianships: bool) -> impl Iterator<Item = &MissingLink> {
        let links = self.links.links.iter();
        links.filter(move |missing| missing.is_guardianship() == guardianships)
    }

    pub(super) fn note(&self) {
        self.show(output::note);
    }

    pub(super) fn json(&self) -> Value {
        let mut all = self.json_of_export();
        if let Some(all) = all.as_object_mut() {
            for (key, _, part) in self.leaving.iter().flat_map(leaving) {
                let first = part.first.iter().map(|found| {
                    json!({
                        "id": found.person_id,
                        "name": found.name,
                        "institution_id": found.institution_id,
                    })
                });
                let part = json!({ "count": part.count, "first": first.collect::<Value>() });
                all.insert(key.to_owned(), part);
            }
        }
        all
    }

    fn json_of_export(&self) -> Value {
        let links = |guardianships: bool, count: u64| {
            let all = self.links_that(guardianships).map(link_json);
            json!({ "count": count, "first": all.collect::<Value>() })
        };
        json!({
            "persons": self.persons.json("last_seen", Some(&self.links)),
            "classes": self.classes.json("last_seen", Some(&self.links)),
            "in_no_class": self.classless.json("since", None),
            "enrolments": links(false, self.links.enrolments),
            "guardianships": links(true, self.links.guardianships),
            "not_looked_at": self.links.not_looked_at,
            "without_source": {
                "persons": self.unrecorded.persons,
                "classes": self.unrecorded.classes,
            },
        })
    }
}

/// Who and what came before sources had names, in words. `None` if there is nobody and nothing.
pub(super) fn unrecorded(found: Unrecorded) -> Option<String> {
    let Unrecorded { persons, classes } = found;
    (persons + classes > 0).then(|| {
        format!(
            "{persons} persons and {classes} classes of the ledger came before this source had a \
             name and are not in this export; no import will name them: look for them once by hand"
        )
    })
}

/// What each part is called in JSON and in words.
fn leaving(leaving: &Leaving) -> [(&'static str, &'static str, &Suggested); 2] {
    [
        (
            "no_place_left",
            "they have no place at any institution any more",
            &leaving.no_place,
        ),
        (
            "owner_elsewhere",
            "they work at other institutions than the one of what they own",
            &leaving.elsewhere,
        ),
    ]
}

impl Part {
    fn of(stream: &'static str, all: &[Absent]) -> Self {
        let unnamed: Vec<_> = all.iter().map(|absent| (absent.clone(), None)).collect();
        Self::of_named(stream, &unnamed)
    }

    fn of_named(stream: &'static str, all: &[(Absent, Option<String>)]) -> Self {
        let is_new = |(absent, _): &&(Absent, _)| absent.noted.is_none();
        let new = all.iter().filter(is_new).count();
        // The new ones come first.
        let mut sorted: Vec<_> = all.iter().collect();
        sorted.sort_by_key(|one| !is_new(one));
        Self {
            stream,
            count: all.len() as u64,
            new: new as u64,
            first: sorted.into_iter().take(LISTED).cloned().collect(),
        }
    }

    fn stream_of(&self, absent: &Absent) -> String {
        format!("{}/{}", self.stream, absent.id)
    }

    /// `day` is what the day of each is called. With each stand counts of the links that are missing
    /// with it, if there may be some.
    fn json(&self, day: &str, links: Option<&MissingLinks>) -> Value {
        let first = self.first.iter().map(|(absent, name)| {
            let (id, since) = (&absent.id, &absent.noted);
            match links.map(|links| links.of(&self.stream_of(absent))) {
                None => json!({ "id": id, "name": name, day: since }),
                Some((enrolments, guardianships)) => json!({
                    "id": id,
                    "name": name,
                    day: since,
                    "enrolments": enrolments,
                    "guardianships": guardianships,
                }),
            }
        });
        json!({ "count": self.count, "new": self.new, "first": first.collect::<Value>() })
    }
}

/// A link in words, with the ids of both ends.
fn shown(missing: &MissingLink) -> String {
    let (link, person) = (&missing.link, person_of(missing));
    let who = format!("{} (person {person})", link.person_name);
    let is = link.fact.as_ref().map(|fact| fact::is(fact, &who));
    format!("{}  {}: {}", link.stream, link.name, is.unwrap_or(who))
}

fn link_json(missing: &MissingLink) -> Value {
    let link = &missing.link;
    json!({
        "stream": link.stream,
        "name": link.name,
        "fact": link.fact.as_ref().map(fact::code),
        "person_id": person_of(missing),
        "person_name": link.person_name,
        "absent": missing.absent,
    })
}

fn person_of(missing: &MissingLink) -> &str {
    let fact: Option<&RosterFact> = missing.link.fact.as_ref();
    fact.and_then(|fact| fact.person_id.as_deref())
        .unwrap_or_default()
}
