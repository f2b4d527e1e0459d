//! Places in teams and guardianships that no bulk export can name, because somebody or something at
//! one end of them is absent from it. They stay.

use std::collections::{HashMap, HashSet};

use planledger_proto::v1::{ListRosterLinksRequest, RosterFactKind, RosterLink};
use tonic::Status;

use super::{Absences, Absent, LINKS};
use crate::client::Client;

/// Of how many absent persons or teams one request asks the links. It holds up a server for a moment
/// only.
const ASKED: usize = 200;
/// Of how many persons, and of how many teams, whose absence an earlier import has noted the links are
/// looked up. The classes of earlier school years are among them: there are more every year.
const NOTED: usize = 1_000;

/// The links that are missing in an export because of an absence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MissingLinks {
    /// How many places in teams are missing.
    pub enrolments: u64,
    /// How many guardianships are missing.
    pub guardianships: u64,
    /// The first of these links: those of whoever is absent for the first time come first.
    pub links: Vec<MissingLink>,
    /// How many persons and teams were not looked at. An earlier import has noted their absences.
    pub not_looked_at: u64,
    by_absent: HashMap<String, (u64, u64)>,
}

/// A link that is missing in an export because of an absence.
#[derive(Clone, Debug, PartialEq)]
pub struct MissingLink {
    /// Who or what is absent: "person/…" or "team/…".
    pub absent: String,
    /// The link.
    pub link: RosterLink,
}

impl MissingLink {
    /// Whether it is a guardianship; else it is a place in a team.
    pub fn is_guardianship(&self) -> bool {
        let fact = self.link.fact.as_ref();
        fact.is_some_and(|fact| fact.kind() == RosterFactKind::Guardian)
    }
}

impl MissingLinks {
    /// Asks for the links of those who are absent. A link between two of them counts once. `told`
    /// hears of each.
    ///
    /// # Errors
    /// The status of the call that failed.
    pub async fn find(
        client: &Client,
        source: &str,
        absences: &Absences,
        mut told: impl FnMut(&MissingLink),
    ) -> Result<Self, Status> {
        let (asked, not_looked_at) = asked(absences);
        let mut missing = Self {
            not_looked_at,
            ..Self::default()
        };
        let all: HashSet<&str> = asked.iter().map(String::as_str).collect();
        for part in asked.chunks(ASKED) {
            let request = ListRosterLinksRequest {
                source: source.to_owned(),
                streams: part.to_vec(),
                ..ListRosterLinksRequest::default()
            };
            let mut found = client
                .roster()
                .list_roster_links(request)
                .await?
                .into_inner();
            while let Some(of) = found.message().await? {
                for link in of.links {
                    let absent = of.stream.clone();
                    missing.add(MissingLink { absent, link }, &all, &mut told);
                }
            }
        }
        Ok(missing)
    }

    /// How many places in teams and how many guardianships a person or team has.
    pub fn of(&self, stream: &str) -> (u64, u64) {
        self.by_absent.get(stream).copied().unwrap_or_default()
    }

    fn add(
        &mut self,
        missing: MissingLink,
        all: &HashSet<&str>,
        told: &mut impl FnMut(&MissingLink),
    ) {
        let is_guardianship = missing.is_guardianship();
        let (enrolments, guardianships) = match self.by_absent.get_mut(&missing.absent) {
            Some(counts) => counts,
            None => self.by_absent.entry(missing.absent.clone()).or_default(),
        };
        *enrolments += u64::from(!is_guardianship);
        *guardianships += u64::from(is_guardianship);
        // A team or child that is absent too says it itself.
        if missing.link.stream != missing.absent && all.contains(missing.link.stream.as_str()) {
            return;
        }
        self.enrolments += u64::from(!is_guardianship);
        self.guardianships += u64::from(is_guardianship);
        told(&missing);
        if self.links.len() < LINKS {
            self.links.push(missing);
        }
    }
}

/// Whose links are looked up, in this order, and how many are left out.
fn asked(absences: &Absences) -> (Vec<String>, u64) {
    let mut asked = Vec::new();
    let kinds = [("team", &absences.teams), ("person", &absences.persons)];
    let is_new = |absent: &&Absent| absent.noted.is_none();
    for (kind, all) in kinds {
        let new = all.iter().filter(is_new);
        asked.extend(new.map(|absent| format!("{kind}/{}", absent.id)));
    }
    for (kind, all) in kinds {
        let noted = all.iter().filter(|absent| !is_new(absent));
        asked.extend(
            noted
                .take(NOTED)
                .map(|absent| format!("{kind}/{}", absent.id)),
        );
    }
    let left_out = absences.persons.len() + absences.teams.len() - asked.len();
    (asked, left_out as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_newly_absent_is_looked_up_and_a_bounded_number_of_the_others() {
        let absent = |number: usize| Absent {
            id: number.to_string(),
            noted: (number > 0).then(|| "2026-08-10".to_owned()),
        };
        let absences = Absences {
            persons: (0..NOTED + 3).map(absent).collect(),
            teams: (0..2).map(absent).collect(),
            ..Absences::default()
        };
        let (asked, left_out) = asked(&absences);
        let first: Vec<_> = asked.iter().take(4).map(String::as_str).collect();
        assert_eq!(first, ["team/0", "person/0", "team/1", "person/1"]);
        assert_eq!(asked.len(), 2 + 1 + NOTED);
        assert_eq!(left_out, 2);
    }

    #[test]
    fn a_link_between_two_who_are_absent_counts_once() {
        let link = |absent: &str| MissingLink {
            absent: absent.to_owned(),
            link: RosterLink {
                stream: "team/1".to_owned(),
                ..RosterLink::default()
            },
        };
        let mut missing = MissingLinks::default();
        let all = HashSet::from(["team/1", "person/2"]);
        let mut heard = 0;
        for absent in ["team/1", "person/2"] {
            missing.add(link(absent), &all, &mut |_| heard += 1);
        }
        assert_eq!((missing.enrolments, missing.links.len(), heard), (1, 1, 1));
        assert_eq!(missing.of("person/2"), (1, 0));
        assert_eq!(missing.of("team/1"), (1, 0));
    }
}
