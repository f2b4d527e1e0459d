//! What a copy holds.

use clap::ValueEnum;
use serde_json::{Map, Value, json};

/// What the first member of the JSON says.
const FORMAT: &str = "planledger subject access v1";

/// The code of a part that others' rights protect.
pub(super) const PROTECTED: &str = "PROTECTED";
/// The code of a part that nobody asked for.
pub(super) const NOT_ASKED: &str = "NOT_ASKED";

/// How a part begins that is the suggestions at one institution.
pub(super) const AT_INSTITUTION: &str = "suggestions at institution/";

/// For whom a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum For {
    /// The person.
    #[value(name = "self")]
    Itself,
    /// A guardian of the person: what guardians see of the plans, and who has read them.
    Guardian,
    /// The records officers: also what others' rights protect.
    Records,
}

impl For {
    const fn name(self) -> &'static str {
        match self {
            Self::Itself => "self",
            Self::Guardian => "guardian",
            Self::Records => "records",
        }
    }
}

/// A copy as far as it has been read.
#[derive(Debug)]
pub(super) struct Copy {
    person: String,
    whose: For,
    made_at: String,
    position: u64,
    viewer: Option<&'static str>,
    readers_complete_since: Option<String>,
    sections: Map<String, Value>,
    left_out: Vec<Value>,
    limited: Vec<Value>,
}

impl Copy {
    pub(super) fn new(person: &str, whose: For) -> Self {
        Self {
            person: person.to_owned(),
            whose,
            made_at: jiff::Timestamp::now().to_string(),
            position: 0,
            viewer: None,
            readers_complete_since: None,
            sections: Map::new(),
            left_out: Vec::new(),
            limited: Vec::new(),
        }
    }

    /// Everything up to here is in the copy; 0 as long as nothing has been read.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// The first answer decides up to where the copy holds: no later answer is older.
    pub(super) fn read_at(&mut self, position: u64) {
        if self.position == 0 {
            self.position = position;
        }
    }

    /// Through whose eyes plans are shown.
    pub(super) fn seen_as(&mut self, viewer: &'static str) {
        self.viewer = Some(viewer);
    }

    /// Since when the access log is complete, as an instant; `None` if the server does not know.
    pub(super) fn readers_complete_since(&mut self, since: Option<String>) {
        self.readers_complete_since = since;
    }

    pub(super) fn add(&mut self, section: &str, value: Value) {
        self.sections.insert(section.to_owned(), value);
    }

    pub(super) fn section(&self, section: &str) -> Option<&Value> {
        self.sections.get(section)
    }

    /// Says that the list in a section holds only what whoever asked may see.
    pub(super) fn limited(&mut self, section: &str) {
        self.limited.push(section.into());
    }

    pub(super) fn leave_out(&mut self, part: &str, code: &str, why: &str) {
        let entry = json!({ "part": part, "code": code, "why": why });
        self.left_out.push(entry);
    }

    /// Each part that is left out, in a line.
    pub(super) fn left_out(&self) -> impl Iterator<Item = String> {
        let word = |entry: &Value, name: &str| {
            let word = entry.get(name).and_then(Value::as_str);
            word.unwrap_or_default().to_owned()
        };
        let line = move |entry| {
            let (part, code, why) = (word(entry, "part"), word(entry, "code"), word(entry, "why"));
            format!("{part} ({code}: {why})")
        };
        self.left_out.iter().map(line)
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "format": FORMAT,
            "madeAt": self.made_at,
            "position": self.position.to_string(),
            "person": self.person,
            "for": self.whose.name(),
            "viewer": self.viewer,
            "readersCompleteSince": self.readers_complete_since,
            "leftOut": self.left_out,
            "limitedToReader": self.limited,
            "sections": self.sections,
        })
    }
}
