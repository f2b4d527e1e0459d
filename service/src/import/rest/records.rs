//! Which cells a record becomes. What planledger does not read of a person is not written: passwords,
//! addresses, numbers of telephones.

use serde_json::Value;

use super::pages::Record;
use crate::import::fault::{FaultCode, Problem};

/// How a cell is made from a record.
#[derive(Clone, Copy)]
pub(super) enum Cell {
    /// The record's own id, which is a text.
    Id(&'static str),
    /// A text, a number, or `true` and `false`.
    Text(&'static str),
    /// The texts of a list.
    Texts(&'static str),
    /// The id that a reference holds.
    Reference(&'static str),
    /// The ids that a list of references holds.
    References(&'static str),
    /// User identifiers with their types: `{type:id},{type:id}`.
    UserIds(&'static str),
    /// Whether the record has the field at all, empty or not.
    Given(&'static str),
    /// The id of the record that it is part of, or another text that was made for it.
    Made(&'static str),
}

/// A collection, the table that it becomes, and the columns of the table.
pub(super) struct Collection {
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    pub(super) columns: &'static [(&'static str, Cell)],
}

use Cell::{Given, Id, Made, Reference, References, Text, Texts, UserIds};

const ID: (&str, Cell) = ("sourcedId", Id("sourcedId"));
const STATUS: (&str, Cell) = ("status", Text("status"));
/// Whether the service says anything of a user's agents. If it does so of none, it does not have them.
const AGENTS_GIVEN: (&str, Cell) = ("metadata.agentsGiven", Given("agents"));
const MODIFIED: (&str, Cell) = ("dateLastModified", Text("dateLastModified"));

const ORGS: Collection = Collection {
    name: "orgs",
    file: "orgs.csv",
    columns: &[
        ID,
        STATUS,
        MODIFIED,
        ("name", Text("name")),
        ("type", Text("type")),
        ("identifier", Text("identifier")),
        ("parentSourcedId", Reference("parent")),
    ],
};

const SESSIONS: Collection = Collection {
    name: "academicSessions",
    file: "academicSessions.csv",
    columns: &[
        ID,
        STATUS,
        MODIFIED,
        ("title", Text("title")),
        ("type", Text("type")),
        ("startDate", Text("startDate")),
        ("endDate", Text("endDate")),
        ("parentSourcedId", Reference("parent")),
        ("schoolYear", Text("schoolYear")),
    ],
};

const COURSES: Collection = Collection {
    name: "courses",
    file: "courses.csv",
    columns: &[
        ID,
        STATUS,
        MODIFIED,
        ("schoolYearSourcedId", Reference("schoolYear")),
        ("title", Text("title")),
        ("courseCode", Text("courseCode")),
        ("grades", Texts("grades")),
        ("orgSourcedId", Reference("org")),
        ("subjects", Texts("subjects")),
        ("subjectCodes", Texts("subjectCodes")),
    ],
};

const CLASSES: Collection = Collection {
    name: "classes",
    file: "classes.csv",
    columns: &[
        ID,
        STATUS,
        MODIFIED,
        ("title", Text("title")),
        ("grades", Texts("grades")),
        ("courseSourcedId", Reference("course")),
        ("classCode", Text("classCode")),
        ("classType", Text("classType")),
        ("location", Text("location")),
        ("schoolSourcedId", Reference("school")),
        ("termSourcedIds", References("terms")),
        ("subjects", Texts("subjects")),
        ("subjectCodes", Texts("subjectCodes")),
        ("periods", Texts("periods")),
    ],
};

const USERS: Collection = Collection {
    name: "users",
    file: "users.csv",
    columns: &[
        ID,
        STATUS,
        MODIFIED,
        ("enabledUser", Text("enabledUser")),
        ("orgSourcedIds", References("orgs")),
        ("role", Text("role")),
        ("username", Text("username")),
        ("userIds", UserIds("userIds")),
        ("givenName", Text("givenName")),
        ("familyName", Text("familyName")),
        ("middleName", Text("middleName")),
        ("identifier", Text("identifier")),
        ("agentSourcedIds", References("agents")),
        ("grades", Texts("grades")),
        AGENTS_GIVEN,
    ],
};

/// Users of OneRoster 1.2, whose roles stand in a table of their own.
const USERS_1_2: Collection = Collection {
    name: "users",
    file: "users.csv",
    columns: &[
        ID,
        STATUS,
        MODIFIED,
        ("enabledUser", Text("enabledUser")),
        ("userMasterIdentifier", Text("userMasterIdentifier")),
        ("username", Text("username")),
        ("userIds", UserIds("userIds")),
        ("givenName", Text("givenName")),
        ("familyName", Text("familyName")),
        ("middleName", Text("middleName")),
        ("preferredGivenName", Text("preferredFirstName")),
        ("preferredMiddleName", Text("preferredMiddleName")),
        ("preferredFamilyName", Text("preferredLastName")),
        ("identifier", Text("identifier")),
        ("agentSourcedIds", References("agents")),
        ("grades", Texts("grades")),
        ("primaryOrgSourcedId", Reference("primaryOrg")),
        AGENTS_GIVEN,
    ],
};

/// The roles in a user of OneRoster 1.2.
pub(super) const ROLES: Collection = Collection {
    name: "roles",
    file: "roles.csv",
    columns: &[
        ("sourcedId", Made("sourcedId")),
        ("status", Made("status")),
        ("dateLastModified", Made("dateLastModified")),
        ("userSourcedId", Made("userSourcedId")),
        ("roleType", Text("roleType")),
        ("role", Text("role")),
        ("beginDate", Text("beginDate")),
        ("endDate", Text("endDate")),
        ("orgSourcedId", Reference("org")),
        ("userProfileSourcedId", Text("userProfile")),
    ],
};

/// The profiles in a user of OneRoster 1.2: a record for each user name. Passwords stand beside the user
/// names and are not written.
pub(super) const PROFILES: Collection = Collection {
    name: "userProfiles",
    file: "userProfiles.csv",
    columns: &[
        ("sourcedId", Made("sourcedId")),
        ("userSourcedId", Made("userSourcedId")),
        ("profileType", Text("profileType")),
        ("vendorId", Text("vendorId")),
        ("username", Text("username")),
    ],
};

const ENROLLMENTS: Collection = Collection {
    name: "enrollments",
    file: "enrollments.csv",
    columns: &[
        ID,
        STATUS,
        MODIFIED,
        ("classSourcedId", Reference("class")),
        ("schoolSourcedId", Reference("school")),
        ("userSourcedId", Reference("user")),
        ("role", Text("role")),
        ("primary", Text("primary")),
        ("beginDate", Text("beginDate")),
        ("endDate", Text("endDate")),
    ],
};

/// What is fetched of a OneRoster 1.1 service, in the order of the tables.
pub(super) const VERSION_1_1: [Collection; 6] =
    [ORGS, SESSIONS, COURSES, CLASSES, USERS, ENROLLMENTS];

/// The same for OneRoster 1.2.
pub(super) const VERSION_1_2: [Collection; 6] =
    [ORGS, SESSIONS, COURSES, CLASSES, USERS_1_2, ENROLLMENTS];

/// The roles of a user of OneRoster 1.2, each as a record of its own.
pub(super) fn roles(user: &Record) -> Result<Vec<Record>, Problem> {
    let id = id_of(user);
    // Nobody can tell whose roles they are, and they are nobody else's. The row of the user is bad.
    if id.is_empty() {
        return Ok(Vec::new());
    }
    let roles = (1..).zip(list(user, "roles")?.into_iter().flatten());
    let roles = roles.map(|(number, role)| {
        let mut role = role.as_object().cloned().ok_or_else(wrong_type)?;
        role.insert("sourcedId".to_owned(), format!("{id}:{number}").into());
        role.insert("userSourcedId".to_owned(), id.into());
        for same in ["status", "dateLastModified"] {
            role.insert(same.to_owned(), user.get(same).cloned().unwrap_or_default());
        }
        Ok(role)
    });
    roles.collect()
}

/// The profiles of a user of OneRoster 1.2, with a record of its own for each user name. `None` if the
/// service says nothing of the user's profiles.
pub(super) fn profiles(user: &Record) -> Result<Option<Vec<Record>>, Problem> {
    let id = id_of(user);
    let Some(all) = list(user, "userProfiles")? else {
        return Ok(None);
    };
    let mut records = Vec::new();
    for profile in all {
        let profile = profile.as_object().ok_or_else(wrong_type)?;
        for credential in list(profile, "credentials")?.into_iter().flatten() {
            let credential = credential.as_object().ok_or_else(wrong_type)?;
            let same = |from: &Record, name: &str| {
                let value = from.get(name).cloned().unwrap_or_default();
                (name.to_owned(), value)
            };
            let number = records.len() + 1;
            let record = [
                ("sourcedId".to_owned(), format!("{id}:{number}").into()),
                ("userSourcedId".to_owned(), id.into()),
                same(profile, "profileType"),
                same(profile, "vendorId"),
                same(credential, "username"),
            ];
            records.push(record.into_iter().collect());
        }
    }
    Ok(Some(records))
}

/// The id of a record; empty if it has none.
pub(super) fn id_of(record: &Record) -> &str {
    let id = record.get("sourcedId").and_then(Value::as_str);
    id.unwrap_or_default()
}

/// A list in a record. `None` if the record does not have it.
fn list<'r>(record: &'r Record, name: &str) -> Result<Option<&'r Vec<Value>>, Problem> {
    match record.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(_) => Err(wrong_type()),
    }
}

/// What is wrong with a record.
pub(super) struct Wrong {
    pub(super) problem: Problem,
    /// The field that it is about.
    pub(super) field: &'static str,
}

impl Wrong {
    pub(super) fn new(problem: Problem, field: &'static str) -> Self {
        Self { problem, field }
    }
}

/// The row that a record becomes.
pub(super) struct Cells {
    /// Cells that cannot be made are empty.
    pub(super) cells: Vec<String>,
    /// Why the record cannot be used.
    pub(super) wrong: Option<Wrong>,
}

impl Collection {
    /// The row that a record becomes.
    pub(super) fn cells(&self, record: &Record) -> Cells {
        let mut wrong = None;
        let cells = self.columns.iter().map(|(_, cell)| {
            let made = cell.of(record);
            made.unwrap_or_else(|problem| {
                let field = cell.field();
                wrong.get_or_insert(Wrong { problem, field });
                String::new()
            })
        });
        let cells = cells.collect();
        Cells { cells, wrong }
    }

    /// The place of a column.
    pub(super) fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|(name, _)| *name == column)
    }
}

impl Cell {
    /// Where in a record it stands.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Id(name)
            | Self::Text(name)
            | Self::Texts(name)
            | Self::Reference(name)
            | Self::References(name)
            | Self::UserIds(name)
            | Self::Given(name)
            | Self::Made(name) => name,
        }
    }

    /// The cell of a record. An absent field is an empty cell; a field of another type is a fault,
    /// because reading it as empty could end a guardianship.
    pub(super) fn of(self, record: &Record) -> Result<String, Problem> {
        let value = record.get(self.field()).unwrap_or(&Value::Null);
        match self {
            Self::Id(_) => id(value),
            Self::Text(_) | Self::Made(_) => text(value),
            Self::Given(_) => Ok((!value.is_null()).to_string()),
            Self::Texts(_) => joined(value, |entry| Ok(text(entry)?.replace(',', " "))),
            Self::Reference(_) => reference(value),
            Self::References(_) => joined(value, reference),
            Self::UserIds(_) => joined(value, user_id),
        }
    }
}

fn wrong_type() -> Problem {
    Problem::new(
        FaultCode::TypeWrong,
        "the value is of the wrong JSON type; the server must give it as the OneRoster standard says",
    )
}

fn id(value: &Value) -> Result<String, Problem> {
    match value {
        Value::String(id) if !id.trim().is_empty() => Ok(id.clone()),
        Value::Null | Value::String(_) => Err(Problem::new(
            FaultCode::ValueMissing,
            "the record has no sourcedId; the server must give each record one",
        )),
        _ => Err(wrong_type()),
    }
}

fn text(value: &Value) -> Result<String, Problem> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Array(_) | Value::Object(_) => Err(wrong_type()),
    }
}

/// `{"href": …, "sourcedId": …, "type": …}`
fn reference(value: &Value) -> Result<String, Problem> {
    let id = match value {
        Value::Null => return Ok(String::new()),
        Value::Object(object) => object.get("sourcedId").and_then(Value::as_str),
        _ => None,
    };
    match id {
        // A comma stands between the ids of a list.
        Some(id) if !id.contains(',') => Ok(id.to_owned()),
        Some(_) | None => Err(wrong_type()),
    }
}

/// `{"type": …, "identifier": …}`
fn user_id(value: &Value) -> Result<String, Problem> {
    let object = value.as_object().ok_or_else(wrong_type)?;
    let part = |name| text(object.get(name).unwrap_or(&Value::Null));
    let (kind, id) = (part("type")?, part("identifier")?);
    Ok(format!("{{{kind}:{id}}}"))
}

fn joined(
    value: &Value,
    entry: impl Fn(&Value) -> Result<String, Problem>,
) -> Result<String, Problem> {
    let list = match value {
        Value::Null => return Ok(String::new()),
        Value::Array(list) => list,
        _ => return Err(wrong_type()),
    };
    let entries: Result<Vec<String>, Problem> = list.iter().map(entry).collect();
    Ok(entries?.join(","))
}

#[cfg(test)]
mod tests {
    use planledger_core::domain::Command;
    use planledger_core::domain::person::PersonCommand;
    use planledger_fixtures::http::{Answer, Server};
    use serde_json::{Value, json};

    use super::super::client::Client;
    use crate::import::Roster;

    const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 24);

    /// A service with a student, whose agents are these, and the agent.
    fn service(version: &str, agents: Option<Value>) -> Roster {
        let is_1_2 = version == "v1p2";
        let user = move |id: &str, role: &str, agents: Option<Value>| {
            let mut user = json!({
                "sourcedId": id, "status": "active", "enabledUser": true, "username": id,
                "givenName": "Åse", "familyName": "Ærø", "grades": [],
            });
            let org = json!({"sourcedId": "s1"});
            match is_1_2 {
                true => {
                    user["roles"] = json!([{"roleType": "primary", "role": role, "org": org}]);
                }
                false => {
                    user["role"] = json!(role);
                    user["orgs"] = json!([org]);
                }
            }
            if let Some(agents) = agents {
                user["agents"] = agents;
            }
            user
        };
        let server = Server::start(move |asked| {
            let collection = asked.path.rsplit('/').next().unwrap();
            let school = json!({
                "sourcedId": "s1", "status": "active", "name": "Åskolen", "type": "school",
            });
            let records = match collection {
                "orgs" => json!([school]),
                "users" => json!([
                    user("e1", "student", agents.clone()),
                    user("f1", "parent", None)
                ]),
                _ => json!([]),
            };
            let total = records.as_array().unwrap().len().to_string();
            Answer::json(json!({ collection: records })).header("X-Total-Count", &total)
        });
        let base = server.url(&format!("/ims/oneroster/{version}"));
        Roster::fetch(&mut Client::new(&base, None).unwrap(), None, TODAY).unwrap()
    }

    #[test]
    fn a_service_that_says_nothing_of_any_users_agents_ends_no_guardianship() {
        for version in ["v1p1", "v1p2"] {
            for (agents, says, number) in [
                (None, false, 0),
                (Some(Value::Null), false, 0),
                (Some(json!([])), true, 0),
                (Some(json!([{"sourcedId": "f1"}])), true, 1),
            ] {
                let mut roster = service(version, agents);
                let commands: Vec<_> = roster.commands().map(Result::unwrap).collect();
                assert_eq!(commands.len() as u64, roster.summary().commands);
                let guardians = commands
                    .iter()
                    .filter_map(|imported| match &imported.command {
                        Command::Person(_, PersonCommand::PutGuardians { guardians, .. }) => {
                            Some(guardians.len())
                        }
                        _ => None,
                    });
                let expected = says.then_some(number);
                assert_eq!(guardians.collect::<Vec<_>>(), Vec::from_iter(expected));
                let mut notes = roster.notes().into_iter();
                assert_eq!(notes.any(|note| note.contains("agents")), !says);
                assert_eq!(roster.hides_guardians(), !says);
            }
        }
    }
}
