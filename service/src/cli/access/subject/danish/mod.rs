//! The Danish words of the page: for every value of an enum, every member of a message, every type of
//! event and every part of a copy. Texts that people wrote, ids and codes have no other words.
//!
//! A test goes through the description of the API, so that nothing new comes without a word.

mod events;
mod members;
mod parts;
mod values;

use std::str::FromStr as _;

use planledger_core::ids::{StreamId, StreamKind};

pub(super) use self::parts::{part, way, why};

/// Where a word stands in a table of words.
fn find(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    let mut words = table.iter();
    words.find(|(known, _)| *known == name).map(|word| word.1)
}

/// The word for a value of an enum of the API. Words that are no such value stay.
pub(super) fn value(words: &str) -> String {
    if let Some(code) = words.strip_prefix(values::CODES) {
        return code.to_owned();
    }
    match find(values::VALUES, words) {
        Some(word) => word.to_owned(),
        None if words.ends_with("_UNSPECIFIED") => "ikke angivet".to_owned(),
        None => words.to_owned(),
    }
}

/// The word for a member of a message. A member that this version does not know keeps its name.
pub(super) fn member(name: &str) -> &str {
    find(members::MEMBERS, name).unwrap_or(name)
}

/// What a type of event says.
pub(super) fn event(name: &str) -> &str {
    find(events::EVENTS, name).unwrap_or(name)
}

/// A stream, as `plan/UUID`, with the word for its kind. Other words stay.
pub(super) fn stream(words: &str) -> String {
    match StreamId::from_str(words) {
        Ok(stream) => format!("{} {}", kind(stream.kind), stream.id),
        Err(_) => words.to_owned(),
    }
}

const fn kind(kind: StreamKind) -> &'static str {
    match kind {
        StreamKind::Institution => "institution",
        StreamKind::SchoolYear => "skoleår",
        StreamKind::Person => "person",
        StreamKind::Team => "hold",
        StreamKind::YearPlan => "årsplan",
        StreamKind::Plan => "elevplan",
        StreamKind::Catalogue => "katalog",
        StreamKind::Ledger => "journal",
        StreamKind::Recovery => "overdragelse",
        StreamKind::RosterSource => "kilde",
        StreamKind::System => "system",
        StreamKind::Grants => "roller til",
        StreamKind::Erasure => "sletning",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use planledger_core::domain::EventType;
    use planledger_proto::FILE_DESCRIPTOR_SET;
    use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

    use super::*;

    /// The messages that stand on the page member by member.
    const WHOLE: [&str; 8] = [
        "Person",
        "Child",
        "Team",
        "OwnedItem",
        "DepartureSuggestion",
        "Recovery",
        "Grants",
        "Erasure",
    ];
    /// Those of which it shows chosen members.
    const CHOSEN: [&str; 3] = ["CollectedView", "Event", "PlanRead"];

    #[derive(Default)]
    struct Reached {
        messages: BTreeSet<String>,
        members: BTreeSet<String>,
        values: BTreeSet<String>,
    }

    impl Reached {
        fn from(names: &[&str]) -> Self {
            let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
            let mut reached = Self::default();
            for name in names {
                let name = format!("planledger.v1.{name}");
                reached.add(&pool.get_message_by_name(&name).unwrap());
            }
            reached
        }

        fn add(&mut self, message: &MessageDescriptor) {
            if !self.messages.insert(message.full_name().to_owned()) {
                return;
            }
            for field in message.fields() {
                self.members.insert(field.json_name().to_owned());
                match field.kind() {
                    Kind::Enum(found) => {
                        let names = found.values().map(|value| value.name().to_owned());
                        self.values.extend(names);
                    }
                    Kind::Message(inner) if inner.package_name() == "planledger.v1" => {
                        self.add(&inner);
                    }
                    _ => {}
                }
            }
        }
    }

    fn names(table: &[(&str, &str)]) -> BTreeSet<String> {
        let names: BTreeSet<_> = table.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names.len(), table.len(), "a name has two words");
        assert!(table.iter().all(|(_, word)| !word.is_empty()));
        names
    }

    #[test]
    fn every_value_has_a_word_and_every_word_a_value() {
        let mut reached = Reached::from(&[&WHOLE[..], &CHOSEN[..]].concat()).values;
        // Codes are the same in every language, and what is not given has one word.
        reached.retain(|name| !name.starts_with(values::CODES) && !name.ends_with("_UNSPECIFIED"));
        assert_eq!(names(values::VALUES), reached);
    }

    #[test]
    fn every_member_has_a_word_and_every_word_a_member() {
        let mut reached = Reached::from(&WHOLE).members;
        // The copy itself has these.
        reached.extend(["person", "children"].map(str::to_owned));
        assert_eq!(names(members::MEMBERS), reached);
    }

    #[test]
    fn every_type_of_event_has_a_word_and_every_word_a_type() {
        let types = EventType::ALL.iter().map(|known| known.name.to_owned());
        assert_eq!(names(events::EVENTS), types.collect());
    }

    #[test]
    fn words_that_people_wrote_stay() {
        let wrote = "VIEWER_STAFF og ROLE_STUDENT";
        assert_eq!(value(wrote), wrote);
        assert_eq!(value("VIEWER_STAFF"), "personale");
        assert_eq!(value("ROLE_UNSPECIFIED"), "ikke angivet");
        assert_eq!(value("ERROR_REASON_OWNER_CHANGED"), "OWNER_CHANGED");
        assert_eq!(stream("i går/i dag"), "i går/i dag");
        let id = "31313131-3131-3131-3131-313131313131";
        assert_eq!(stream(&format!("year_plan/{id}")), format!("årsplan {id}"));
    }
}
