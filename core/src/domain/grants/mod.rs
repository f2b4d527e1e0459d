//! Grants: which roles a person or system has been given, where and until when.
//!
//! What most people may do follows from the roster and needs no grant: teachers and pedagogues of a
//! student's team, guardians, the student, leaders, owners. A grant gives somebody more.

pub(in crate::domain) mod administrators;
mod apply;
mod decide;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::ids::{GrantId, GrantsId, InstitutionId, PersonId, TeamId};
use crate::text::ReasonText;

impl GrantsId {
    /// The stream of everything that is granted to a person or system.
    pub const fn of(grantee: Actor) -> Self {
        match grantee {
            Actor::Person(id) => Self::from_uuid(id.uuid()),
            Actor::System(id) => Self::from_uuid(id.uuid()),
        }
    }
}

/// What can be asked about the grants of one person or system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantsCommand {
    /// Gives the first administrator of the ledger the right to grant. Refused if there is another
    /// administrator than the one who is named. Clients cannot send it: it is for whoever has the
    /// ledger's directory.
    Bootstrap {
        /// The id of the new grant, chosen by the sender.
        grant: GrantId,
        /// Who becomes administrator.
        grantee: Actor,
        /// The last administrator, if nobody can reach them any more: somebody who has gone without
        /// making another one. `None` if there is no administrator.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead_of: Option<Actor>,
    },
    /// Gives a role. Nobody may give one to themselves.
    Grant {
        /// The id of the new grant, chosen by the sender.
        grant: GrantId,
        /// Who gets it.
        grantee: Actor,
        /// What is granted.
        details: GrantDetails,
    },
    /// Takes a grant back. The last administrator's cannot be taken back.
    Revoke {
        /// The grant.
        grant: GrantId,
        /// Who has it.
        grantee: Actor,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<ReasonText>,
    },
}

/// What happened to the grants of one person or system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantsEvent {
    /// The ledger got its first administrator, at its directory and not over the network.
    Bootstrapped {
        /// The grant.
        grant: GrantId,
        /// Who became administrator.
        grantee: Actor,
    },
    /// A role was granted.
    Granted {
        /// The grant.
        grant: GrantId,
        /// Who got it.
        grantee: Actor,
        /// What was granted.
        details: GrantDetails,
    },
    /// A grant was taken back.
    Revoked {
        /// The grant.
        grant: GrantId,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonText>,
    },
}

/// What is granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantDetails {
    /// The role.
    pub role: Role,
    /// Where it holds.
    pub scope: Scope,
    /// The first day in Copenhagen on which it holds; `None` if it holds at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_day: Option<Date>,
    /// The last day in Copenhagen on which it holds; `None` if it has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_day: Option<Date>,
    /// What it is for; `None` if it is for everything that the role may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// The reason that was given; `None` if none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonText>,
}

/// What somebody is, where access is concerned. Most people have a role through the roster, and some
/// have one through a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// *Elev*. Through the roster only.
    Student,
    /// *Forælder*, or whoever else has custody.
    Guardian,
    /// *Lærer*.
    Teacher,
    /// *Pædagog*.
    Pedagogue,
    /// *Ledelse*.
    Leader,
    /// Keeps systems, grants and the roster in order, and reads no plan.
    Administrator,
    /// Carries out redaction and erasure. Never an administrator as well.
    RecordsOfficer,
    /// Reads everything and writes nothing.
    Auditor,
    /// Checks the journal without reading a text.
    IntegrityAuditor,
    /// A system in which teachers and students work. It acts on behalf of people only.
    LearningPlatform,
    /// A system in which guardians and students read. It acts on behalf of people only.
    Portal,
    /// A system that brings rosters.
    RosterSystem,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 12] = [
        Self::Student,
        Self::Guardian,
        Self::Teacher,
        Self::Pedagogue,
        Self::Leader,
        Self::Administrator,
        Self::RecordsOfficer,
        Self::Auditor,
        Self::IntegrityAuditor,
        Self::LearningPlatform,
        Self::Portal,
        Self::RosterSystem,
    ];

    /// Its name in reports and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Guardian => "guardian",
            Self::Teacher => "teacher",
            Self::Pedagogue => "pedagogue",
            Self::Leader => "leader",
            Self::Administrator => "administrator",
            Self::RecordsOfficer => "records_officer",
            Self::Auditor => "auditor",
            Self::IntegrityAuditor => "integrity_auditor",
            Self::LearningPlatform => "learning_platform",
            Self::Portal => "portal",
            Self::RosterSystem => "roster_system",
        }
    }

    /// Where the role can be granted. Empty if it cannot be granted at all.
    pub const fn scopes(self) -> &'static [ScopeKind] {
        use ScopeKind::{Institution, Municipality, Student, Team};
        match self {
            Self::Student => &[],
            Self::Guardian => &[Student],
            Self::Teacher | Self::Pedagogue => &[Team, Student],
            Self::Leader => &[Institution],
            // People whom a roster brings belong to no institution yet.
            Self::Administrator
            | Self::RecordsOfficer
            | Self::IntegrityAuditor
            | Self::RosterSystem => &[Municipality],
            Self::Auditor | Self::LearningPlatform | Self::Portal => &[Municipality, Institution],
        }
    }

    /// Whether the role is for persons, for systems, or for both.
    pub const fn is_for(self, grantee: Actor) -> bool {
        match (self, grantee) {
            (
                Self::Student
                | Self::Guardian
                | Self::Teacher
                | Self::Pedagogue
                | Self::Leader
                | Self::RecordsOfficer,
                Actor::Person(_),
            )
            | (Self::LearningPlatform | Self::Portal | Self::RosterSystem, Actor::System(_))
            | (Self::Administrator | Self::Auditor | Self::IntegrityAuditor, _) => true,
            (
                Self::Student
                | Self::Guardian
                | Self::Teacher
                | Self::Pedagogue
                | Self::Leader
                | Self::RecordsOfficer,
                Actor::System(_),
            )
            | (Self::LearningPlatform | Self::Portal | Self::RosterSystem, Actor::Person(_)) => {
                false
            }
        }
    }
}

/// Where a grant holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everywhere in the ledger.
    Municipality,
    /// At one institution.
    Institution(InstitutionId),
    /// For one team: its students, year plans and plans.
    Team(TeamId),
    /// For one student.
    Student(PersonId),
}

/// The kind of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeKind {
    /// Everywhere.
    Municipality,
    /// One institution.
    Institution,
    /// One team.
    Team,
    /// One student.
    Student,
}

impl Scope {
    /// Its kind.
    pub const fn kind(self) -> ScopeKind {
        match self {
            Self::Municipality => ScopeKind::Municipality,
            Self::Institution(_) => ScopeKind::Institution,
            Self::Team(_) => ScopeKind::Team,
            Self::Student(_) => ScopeKind::Student,
        }
    }
}

/// What a grant or a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Teaching and the daily work with plans.
    Teaching,
    /// Help with one student, such as by the municipality's psychologists.
    Counselling,
    /// Supervision of schools.
    Supervision,
    /// An audit.
    Audit,
    /// Help to users of the systems.
    Support,
    /// Exchange between systems.
    Integration,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 6] = [
        Self::Teaching,
        Self::Counselling,
        Self::Supervision,
        Self::Audit,
        Self::Support,
        Self::Integration,
    ];

    /// Its name in reports and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Teaching => "teaching",
            Self::Counselling => "counselling",
            Self::Supervision => "supervision",
            Self::Audit => "audit",
            Self::Support => "support",
            Self::Integration => "integration",
        }
    }
}

/// The grants of one person or system as they are now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Whose they are.
    pub grantee: Actor,
    /// Every grant there ever was, by id.
    pub grants: BTreeMap<GrantId, Granted>,
}

/// One grant as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// What is granted.
    pub details: GrantDetails,
    /// Who granted it.
    pub by: Actor,
    /// For whom the granter acted; `None` if for nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Actor>,
    /// When.
    pub at: crate::time::Timestamp,
    /// Whether it was given by [`GrantsCommand::Bootstrap`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bootstrap: bool,
    /// Who took it back, when and why; `None` unless it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// Who took a grant back, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Who took it back.
    pub by: Actor,
    /// For whom that actor acted; `None` if for nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Actor>,
    /// When.
    pub at: crate::time::Timestamp,
    /// The reason that was given; `None` if none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonText>,
}

impl Granted {
    /// Whether the grant has ended by a day in Copenhagen. One that is still to begin has not.
    pub fn is_over_on(&self, day: Date) -> bool {
        self.revoked.is_some() || self.details.last_day.is_some_and(|last| last < day)
    }

    /// Whether the grant holds on a day in Copenhagen. It ends by itself with its last day.
    pub fn holds_on(&self, day: Date) -> bool {
        let first_day = self.details.first_day;
        !self.is_over_on(day) && first_day.is_none_or(|first| first <= day)
    }
}
