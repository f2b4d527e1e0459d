//! Which elements of an export are read. Elements are known by their local names, because each version
//! of the format has namespaces of its own. What is not named here is never looked at: the CPR numbers,
//! addresses and telephone numbers of the larger packages stay in the file.
//!
//! In version 7 the UNI-Login of somebody is a value of `Person`. Before, it stood beside it, in an
//! element `UNILogin`.

/// What somebody is at an institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Student,
    Employee,
    Extern,
}

/// What says who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    UserId,
    LoginName,
    FirstName,
    FamilyName,
    AliasFirstName,
    AliasFamilyName,
}

/// A value that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    InstitutionNumber,
    InstitutionName,
    GroupId,
    GroupName,
    GroupType,
    FromDate,
    ToDate,
    /// Of a person at the institution.
    Person(Naming),
    Level,
    EmployeeRole,
    /// A group that the person belongs to.
    In(Part),
    /// Of a contact person.
    Contact(Naming),
}

/// An element, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// Around the export: the envelope and the body of SOAP.
    Outside,
    /// The export.
    Export,
    ImportSource,
    Institution,
    Group,
    InstitutionPerson,
    UniLogin,
    Person,
    Role(Part),
    /// Somebody whom the school may turn to about a student, in the full package.
    ContactPerson,
    ContactLogin,
    ContactName,
    Value(Field),
    /// Anything else, with everything in it.
    Passed,
}

impl Element {
    /// The element with this local name inside of `self`.
    pub(super) fn child(self, name: &str) -> Self {
        use Element::{
            ContactLogin, ContactName, ContactPerson, Export, Group, ImportSource, Institution,
            InstitutionPerson, Outside, Passed, Person, Role, UniLogin, Value,
        };
        match (self, name) {
            (Outside, name) if name.starts_with("UNILoginExport") => Export,
            (Outside, _) => Outside,
            (Export, "ImportSource") => ImportSource,
            (Export, "Institution") => Institution,
            (Institution, "InstitutionNumber") => Value(Field::InstitutionNumber),
            (Institution, "InstitutionName") => Value(Field::InstitutionName),
            (Institution, "Group") => Group,
            (Institution, "InstitutionPerson") => InstitutionPerson,
            (Group, "GroupId") => Value(Field::GroupId),
            (Group, "GroupName") => Value(Field::GroupName),
            (Group, "GroupType") => Value(Field::GroupType),
            (Group, "FromDate") => Value(Field::FromDate),
            (Group, "ToDate") => Value(Field::ToDate),
            (InstitutionPerson, "UNILogin") => UniLogin,
            (InstitutionPerson, "Person") => Person,
            (InstitutionPerson, "Student") => Role(Part::Student),
            (InstitutionPerson, "Employee") => Role(Part::Employee),
            (InstitutionPerson, "Extern") => Role(Part::Extern),
            (ContactPerson, "UNILogin") => ContactLogin,
            (ContactPerson, "Person") => ContactName,
            (UniLogin, name) => login(name).map_or(Passed, |name| Value(Field::Person(name))),
            (Person, name) => person(name).map_or(Passed, |name| Value(Field::Person(name))),
            (ContactLogin, name) => login(name).map_or(Passed, |name| Value(Field::Contact(name))),
            (ContactName, name) => person(name).map_or(Passed, |name| Value(Field::Contact(name))),
            (Role(Part::Student), "Level") => Value(Field::Level),
            (Role(Part::Student), "MainGroupId") => Value(Field::In(Part::Student)),
            (Role(Part::Student), "ContactPerson") => ContactPerson,
            (Role(Part::Employee), "Role") => Value(Field::EmployeeRole),
            (Role(part), "GroupId") => Value(Field::In(part)),
            _ => Passed,
        }
    }
}

/// A value of an element `UNILogin`.
fn login(name: &str) -> Option<Naming> {
    match name {
        "UserId" => Some(Naming::UserId),
        "Name" => Some(Naming::LoginName),
        _ => None,
    }
}

/// A value of an element `Person`.
fn person(name: &str) -> Option<Naming> {
    match name {
        "UserId" => Some(Naming::UserId),
        "FirstName" => Some(Naming::FirstName),
        "FamilyName" => Some(Naming::FamilyName),
        "AliasFirstName" => Some(Naming::AliasFirstName),
        "AliasFamilyName" => Some(Naming::AliasFamilyName),
        _ => None,
    }
}
