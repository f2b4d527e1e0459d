//! Which elements of an export are read. Elements are known by their local names, because each version
//! of the format has namespaces of its own. What is not named here is never looked at: the CPR numbers,
//! addresses and telephone numbers of the larger packages stay in the file.

/// What somebody is at an institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Student,
    Employee,
    Extern,
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
    UserId,
    LoginName,
    FirstName,
    FamilyName,
    AliasFirstName,
    AliasFamilyName,
    Level,
    EmployeeRole,
    /// A group that the person belongs to.
    In(Part),
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
    /// A guardian, in the full package.
    ContactPerson,
    Value(Field),
    /// Anything else, with everything in it.
    Passed,
}

impl Element {
    /// The element with this local name inside of `self`.
    pub(super) fn child(self, name: &str) -> Self {
        use Element::{
            ContactPerson, Export, Group, ImportSource, Institution, InstitutionPerson, Outside,
            Passed, Person, Role, UniLogin, Value,
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
            (UniLogin, "UserId") => Value(Field::UserId),
            (UniLogin, "Name") => Value(Field::LoginName),
            (Person, "FirstName") => Value(Field::FirstName),
            (Person, "FamilyName") => Value(Field::FamilyName),
            (Person, "AliasFirstName") => Value(Field::AliasFirstName),
            (Person, "AliasFamilyName") => Value(Field::AliasFamilyName),
            (Role(Part::Student), "Level") => Value(Field::Level),
            (Role(Part::Student), "MainGroupId") => Value(Field::In(Part::Student)),
            (Role(Part::Student), "ContactPerson") => ContactPerson,
            (Role(Part::Employee), "Role") => Value(Field::EmployeeRole),
            (Role(part), "GroupId") => Value(Field::In(part)),
            _ => Passed,
        }
    }
}
