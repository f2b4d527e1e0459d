//! Which cells a record becomes. What planledger does not read of a person is not written: passwords,
//! addresses, numbers of telephones.

use serde_json::Value;

use super::pages::Record;
use crate::import::fault::{FaultCode, Problem};

/// How a cell is made from a record.
#[derive(Clone, Copy)]
pub(super) enum Cell {
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
    /// The id of the record that it is part of, or another text that was made for it.
    Made(&'static str),
}

/// A collection, the table that it becomes, and the columns of the table.
pub(super) struct Collection {
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    pub(super) columns: &'static [(&'static str, Cell)],
}

use Cell::{Made, Reference, References, Text, Texts, UserIds};

const ID: (&str, Cell) = ("sourcedId", Text("sourcedId"));
const STATUS: (&str, Cell) = ("status", Text("status"));
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

fn id_of(record: &Record) -> &str {
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

impl Cell {
    /// Where in a record it stands.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Text(name)
            | Self::Texts(name)
            | Self::Reference(name)
            | Self::References(name)
            | Self::UserIds(name)
            | Self::Made(name) => name,
        }
    }

    /// The cell of a record. An absent field is an empty cell; a field of another type is a fault,
    /// because reading it as empty could end a guardianship.
    pub(super) fn of(self, record: &Record) -> Result<String, Problem> {
        let value = record.get(self.field()).unwrap_or(&Value::Null);
        match self {
            Self::Text(_) | Self::Made(_) => text(value),
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
