//! What an import would do as a whole: counts, and the first rows of each sort.

use std::collections::{BTreeMap, HashMap, HashSet};

use planledger_proto::v1::{Preview, RosterCounts, RosterFact, RosterFactKind};
use uuid::Uuid;

use super::{Kind, LINKS, LISTED, Looked, Subject};

/// How many of one kind would be added, changed or end, and how many stay as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Things that the ledger does not have yet.
    pub added: u64,
    /// Things that would change.
    pub changed: u64,
    /// Things that stay as they are.
    pub unchanged: u64,
}

/// How many of those that the ledger has now would end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Those that would end.
    pub ending: u64,
    /// Those that there are now, of what the export speaks for.
    pub of: u64,
}

/// A number, and the first rows of what was counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// The number.
    pub count: u64,
    /// The first rows.
    pub lines: Vec<Line>,
}

impl Listing {
    fn push(&mut self, line: impl FnOnce() -> Line) {
        self.push_up_to(LISTED, line);
    }

    fn push_up_to(&mut self, most: usize, line: impl FnOnce() -> Line) {
        self.count += 1;
        if self.lines.len() < most {
            self.lines.push(line());
        }
    }
}

/// One row of a listing.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The row of the files, and the thing.
    pub subject: Subject,
    /// The fact that would end or stay; `None` if the line is about the thing itself.
    pub fact: Option<RosterFact>,
    /// What the files call the person whom the fact names, if they name them.
    pub of: Option<String>,
    /// Whether the fact would stay, because a person decided it; else it would end.
    pub stays: bool,
    /// What would happen to the thing itself, or why not.
    pub what: String,
}

/// What an import would do.
#[derive(Debug, Default)]
pub struct Foresight {
    /// How many of each kind would be added and changed.
    pub counts: BTreeMap<Kind, Counts>,
    /// What would be added.
    pub added: Listing,
    /// What would change, departures and closings too.
    pub changed: Listing,
    /// Who would leave or be back, and what would close or open again: each because the export says so.
    pub turned: Listing,
    /// Links that would end.
    pub dropped: Listing,
    /// What would stay as a person decided it.
    pub kept: Listing,
    /// Commands that would be refused.
    pub refused: Listing,
    /// Persons who would be noted as having left or as absent.
    pub persons: Share,
    /// Teams that would close or be noted as absent.
    pub classes: Share,
    /// Places of students and staff in teams.
    pub enrolments: Share,
    /// Guardianships.
    pub guardianships: Share,
    /// Roles, of which those end that are at institutions that the export does not have.
    pub roles: Share,
    /// Persons who would get another name.
    pub names: Share,
    /// Institutions that would get another name or code.
    pub institutions: Share,
    pub(super) called: HashMap<Uuid, Box<str>>,
    /// The institutions of the export. It names them before its persons.
    pub(super) named: HashSet<String>,
}

impl Foresight {
    /// Weighs what an export of changes ends against everything that the last export of its source
    /// held: what such an export names is but a small part.
    pub fn widen(&mut self, held: &RosterCounts) {
        for (share, held) in [
            (&mut self.persons, held.persons),
            (&mut self.classes, held.teams),
            (&mut self.enrolments, held.enrolments),
            (&mut self.guardianships, held.guardianships),
        ] {
            share.of = share.of.max(held);
        }
    }

    /// Adds what one command would do.
    pub fn add(&mut self, looked: Looked) {
        let Looked { subject, outcome } = looked;
        if let (Kind::Person, Some(name)) = (subject.kind, &subject.name)
            && let Ok(id) = Uuid::parse_str(&subject.id)
        {
            self.called.insert(id, name.as_str().into());
        }
        if subject.kind == Kind::Institution {
            self.named.insert(subject.id.clone());
        }
        match outcome {
            Ok(preview) => self.add_preview(&subject, preview),
            Err(error) => self.refused.push_up_to(LINKS, || Line {
                subject,
                fact: None,
                of: None,
                stays: false,
                what: format!("{}: {}", error.reason, error.message),
            }),
        }
    }

    fn add_preview(&mut self, subject: &Subject, preview: Preview) {
        self.weigh(subject.kind, &preview);
        if let Some(turn) = turn(&preview) {
            self.turned.push_up_to(LINKS, || Line {
                subject: subject.clone(),
                fact: None,
                of: None,
                stays: false,
                what: turn.to_owned(),
            });
        }
        let counts = self.counts.entry(subject.kind).or_default();
        let of_itself = |what: String| Line {
            subject: subject.clone(),
            fact: None,
            of: None,
            stays: false,
            what,
        };
        match (preview.event_types.is_empty(), preview.creates) {
            (true, _) => counts.unchanged += 1,
            (false, true) => {
                counts.added += 1;
                self.added.push(|| of_itself(String::new()));
            }
            (false, false) => {
                counts.changed += 1;
                self.changed
                    .push(|| of_itself(changes(&preview.event_types)));
            }
        }
        for (facts, listing, most, stays) in [
            (preview.dropped, &mut self.dropped, LINKS, false),
            (preview.kept, &mut self.kept, LINKS, true),
        ] {
            for fact in facts {
                let id = fact.person_id.as_deref().unwrap_or_default();
                let called = || self.called.get(&Uuid::parse_str(id).ok()?);
                let of = called().map(|name| name.to_string());
                let own = || self.called.get(&Uuid::parse_str(&subject.id).ok()?);
                listing.push_up_to(most, || Line {
                    subject: Subject {
                        name: subject
                            .name
                            .clone()
                            .or_else(|| own().map(|name| name.to_string())),
                        ..subject.clone()
                    },
                    fact: Some(fact.clone()),
                    of,
                    stays,
                    what: String::new(),
                });
            }
        }
    }

    /// Adds to the shares that decide whether the import stops.
    fn weigh(&mut self, kind: Kind, preview: &Preview) {
        let happens = |event: &str| preview.event_types.iter().any(|it| it == event);
        let dropped = |kinds: &[RosterFactKind]| {
            let facts = preview.dropped.iter();
            facts.filter(|fact| kinds.contains(&fact.kind())).count() as u64
        };
        let is_there = u64::from(!preview.creates);
        match kind {
            Kind::Person => {
                self.persons.of += is_there;
                let gone = happens("person.departed") || happens("person.absent_from_roster");
                self.persons.ending += is_there * u64::from(gone);
                // A note of an absence says nothing of a name.
                self.names.of += is_there * u64::from(!happens("person.absent_from_roster"));
                self.names.ending += u64::from(preview.renames);
                self.roles.of += preview.link_count;
                let ended = preview
                    .dropped
                    .iter()
                    .filter_map(|fact| fact.institution_id.as_ref());
                let unnamed = ended.filter(|institution| !self.named.contains(*institution));
                self.roles.ending += unnamed.count() as u64;
            }
            Kind::Institution => {
                self.institutions.of += is_there;
                self.institutions.ending += is_there * u64::from(happens("institution.revised"));
            }
            Kind::Guardians => {
                self.guardianships.of += preview.link_count;
                self.guardianships.ending += dropped(&[RosterFactKind::Guardian]);
            }
            Kind::Team => {
                self.classes.of += is_there;
                let gone = happens("team.closed") || happens("team.absent_from_roster");
                self.classes.ending += is_there * u64::from(gone);
                self.enrolments.of += preview.link_count;
                self.enrolments.ending += dropped(&[RosterFactKind::Member, RosterFactKind::Staff]);
            }
            Kind::SchoolYear | Kind::Profiles | Kind::Catalogue | Kind::Other => {}
        }
    }
}

/// What a command says of somebody or something that the ledger has: that it is gone, or there again.
/// No link needs to end with that, so nothing else says it.
pub fn turn(preview: &Preview) -> Option<&'static str> {
    let turn = |event: &String| match event.as_str() {
        "person.departed" => Some("has left"),
        "person.returned" => Some("is back"),
        "team.closed" | "institution.closed" => Some("is closed"),
        "team.reopened" | "institution.reopened" => Some("is open again"),
        _ => None,
    };
    let mut events = preview.event_types.iter();
    events.find_map(turn).filter(|_| !preview.creates)
}

/// The types of events for people, each once: "renamed, affiliation set (2)".
fn changes(types: &[String]) -> String {
    let mut counted: Vec<(String, u32)> = Vec::new();
    for event in types {
        let (_, name) = event.split_once('.').unwrap_or(("", event));
        let name = name.replace('_', " ");
        match counted.iter_mut().find(|(known, _)| *known == name) {
            Some((_, number)) => *number += 1,
            None => counted.push((name, 1)),
        }
    }
    let said = counted.into_iter().map(|(name, number)| match number {
        1 => name,
        number => format!("{name} ({number})"),
    });
    said.collect::<Vec<_>>().join(", ")
}
