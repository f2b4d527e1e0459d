//! What a command of an import is about, for people.

use planledger_proto::v1::Command;
use planledger_proto::v1::command::Command as Of;
use planledger_proto::v1::institution_command::Operation as OnInstitution;
use planledger_proto::v1::person_command::Operation as OnPerson;
use planledger_proto::v1::school_year_command::Operation as OnSchoolYear;
use planledger_proto::v1::team_command::Operation as OnTeam;

use super::Source;

/// What a command is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A school year.
    SchoolYear,
    /// An institution.
    Institution,
    /// A person.
    Person,
    /// Accounts of a person in other systems, in an import that does not hold all of them.
    Profiles,
    /// Who guards a child.
    Guardians,
    /// A team.
    Team,
    /// A catalogue.
    Catalogue,
    /// Anything else. No import sends it.
    #[default]
    Other,
}

impl Kind {
    /// Every kind, in the order in which imports bring them.
    pub const ALL: [Self; 8] = [
        Self::SchoolYear,
        Self::Institution,
        Self::Person,
        Self::Profiles,
        Self::Guardians,
        Self::Team,
        Self::Catalogue,
        Self::Other,
    ];

    /// The kind of what a command is about.
    pub fn of(command: &Command) -> Self {
        match &command.command {
            Some(Of::SchoolYear(_)) => Self::SchoolYear,
            Some(Of::Institution(_)) => Self::Institution,
            Some(Of::Person(of)) => match &of.operation {
                Some(OnPerson::PutGuardians(_) | OnPerson::PutSomeGuardians(_)) => Self::Guardians,
                Some(OnPerson::PutSomeProfiles(_)) => Self::Profiles,
                _ => Self::Person,
            },
            Some(Of::Team(_)) => Self::Team,
            Some(Of::Catalogue(_)) => Self::Catalogue,
            _ => Self::Other,
        }
    }

    /// A word for JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SchoolYear => "school_years",
            Self::Institution => "institutions",
            Self::Person => "persons",
            Self::Profiles => "profiles_of_persons",
            Self::Guardians => "guardians_of_students",
            Self::Team => "teams",
            Self::Catalogue => "catalogues",
            Self::Other => "others",
        }
    }

    /// The same for people.
    pub fn shown(self) -> String {
        self.word().replace('_', " ")
    }
}

/// What a command is about, and the row that it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The row.
    pub source: Source,
    /// What sort of thing it is.
    pub kind: Kind,
    /// The id (UUID).
    pub id: String,
    /// What the operator's own files call it: the name of a person, the title of a team. It is shown
    /// to the operator and to nobody else.
    pub name: Option<String>,
    /// What the operator's own files give as the number of an institution.
    pub code: Option<String>,
    /// Of a person who is there: whether the export has them in a class. `None` if it does not say.
    pub enrolled: Option<bool>,
}

impl Subject {
    /// What a command is about, and the row that it comes from.
    pub fn of(command: &Command, source: Source) -> Self {
        let (id, name) = match &command.command {
            Some(Of::SchoolYear(of)) => {
                let details = match &of.operation {
                    Some(OnSchoolYear::DefineSchoolYear(define)) => define.details.as_ref(),
                    Some(OnSchoolYear::PutSchoolYear(put)) => put.details.as_ref(),
                    None => None,
                };
                let name = details.map(|details| details.title.clone());
                (&of.school_year_id, name)
            }
            Some(Of::Institution(of)) => {
                let name = match &of.operation {
                    Some(OnInstitution::PutInstitution(put)) => {
                        put.details.as_ref().map(|details| details.name.clone())
                    }
                    _ => None,
                };
                (&of.institution_id, name)
            }
            Some(Of::Person(of)) => match &of.operation {
                Some(OnPerson::PutPerson(put)) => (&of.person_id, Some(put.name.clone())),
                _ => (&of.person_id, None),
            },
            Some(Of::Team(of)) => {
                let name = match &of.operation {
                    Some(OnTeam::PutTeam(put)) => {
                        put.details.as_ref().map(|details| details.title.clone())
                    }
                    Some(OnTeam::PutTeamPart(put)) => {
                        put.details.as_ref().map(|details| details.title.clone())
                    }
                    _ => None,
                };
                (&of.team_id, name)
            }
            Some(Of::Catalogue(of)) => (&of.catalogue_id, None),
            _ => {
                return Self {
                    source,
                    ..Self::default()
                };
            }
        };
        Self {
            source,
            kind: Kind::of(command),
            id: id.clone(),
            name,
            code: code(command),
            enrolled: enrolled(command),
        }
    }
}

/// The number that a command gives an institution.
fn code(command: &Command) -> Option<String> {
    let Some(Of::Institution(of)) = &command.command else {
        return None;
    };
    match &of.operation {
        Some(OnInstitution::PutInstitution(put)) => put.details.as_ref()?.code.clone(),
        _ => None,
    }
}

/// Whether a command says that somebody who is there is in a class.
fn enrolled(command: &Command) -> Option<bool> {
    let Some(Of::Person(of)) = &command.command else {
        return None;
    };
    match &of.operation {
        Some(OnPerson::PutPerson(put)) if !put.departed => put.record.as_ref()?.enrolled,
        _ => None,
    }
}
