//! `access grant` and `access revoke`.

use clap::Args;
use jiff::civil::Date;
use planledger_core::access::{Purpose, Role, Scope};
use planledger_core::domain::grants::{GrantDetails, GrantsCommand};
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{GrantId, GrantsId, InstitutionId, PersonId, TeamId};
use planledger_core::text::ReasonText;
use uuid::Uuid;

use super::super::error::CliError;
use super::super::id::id;
use super::Send;
use super::list::all_grants;
use super::names::actor_name;
use crate::settings::File;

#[derive(Debug, Args)]
pub(in crate::cli) struct Grant {
    /// Who gets the role: person/UUID or system/UUID
    #[arg(value_name = "GRANTEE", value_parser = id::<Actor>())]
    grantee: Actor,
    /// The role, such as auditor or learning_platform
    #[arg(value_parser = role)]
    role: Role,
    #[command(flatten)]
    scope: ScopeArgs,
    /// The first day on which it holds [default: at once]
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<Date>,
    /// The last day on which it holds [default: it has no end]
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<Date>,
    /// What it is for [default: everything that the role may do]
    #[arg(long, value_parser = purpose)]
    purpose: Option<Purpose>,
    /// The reason; it is recorded. Do not write any names
    #[arg(long, value_name = "TEXT")]
    reason: Option<ReasonText>,
    /// Id of the new grant [default: a random one]
    #[arg(long, value_name = "UUID", value_parser = id::<GrantId>())]
    id: Option<GrantId>,
    #[command(flatten)]
    send: Send,
}

/// Where a grant holds: in the whole municipality if nothing is named.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct ScopeArgs {
    /// Only at this institution
    #[arg(long, value_name = "UUID", value_parser = id::<InstitutionId>())]
    institution: Option<InstitutionId>,
    /// Only for this team: its students, year plans and plans
    #[arg(long, value_name = "UUID", value_parser = id::<TeamId>())]
    team: Option<TeamId>,
    /// Only for this student
    #[arg(long, value_name = "UUID", value_parser = id::<PersonId>())]
    student: Option<PersonId>,
}

impl ScopeArgs {
    fn scope(&self) -> Scope {
        let institution = self.institution.map(Scope::Institution);
        let team = self.team.map(Scope::Team);
        let student = self.student.map(Scope::Student);
        institution
            .or(team)
            .or(student)
            .unwrap_or(Scope::Municipality)
    }
}

impl Grant {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let new = || GrantId::from_uuid(Uuid::new_v4());
        let grant = self.id.unwrap_or_else(new);
        let details = GrantDetails {
            role: self.role,
            scope: self.scope.scope(),
            first_day: self.from,
            last_day: self.until,
            purpose: self.purpose,
            reason: self.reason,
        };
        let command = GrantsCommand::Grant {
            grant,
            grantee: self.grantee,
            details,
        };
        let command = Command::Grants(GrantsId::of(self.grantee), command);
        let said = format!("grant {grant}: {} is {}", self.grantee, self.role.name());
        let client = self.send.connect(file).await?;
        self.send.send(&client, command, &said).await
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Revoke {
    /// The grant, as `access list` prints it
    #[arg(value_name = "GRANT", value_parser = id::<GrantId>())]
    grant: GrantId,
    /// Who has it: person/UUID or system/UUID [default: it is looked for]
    #[arg(long, value_name = "GRANTEE", value_parser = id::<Actor>())]
    of: Option<Actor>,
    /// The reason; it is recorded. Do not write any names
    #[arg(long, value_name = "TEXT")]
    reason: Option<ReasonText>,
    #[command(flatten)]
    send: Send,
}

impl Revoke {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.send.connect(file).await?;
        let grant = self.grant;
        let grantee = match self.of {
            Some(grantee) => grantee,
            None => {
                let wanted = grant.to_string();
                let all = all_grants(&client, None).await?;
                let mut all = all.iter();
                let found = all.find(|one| one.grants.iter().any(|has| has.grant_id == wanted));
                let found = found.map(|one| actor_name(one.grantee.as_ref()));
                let found = found.and_then(|name| name.parse().ok());
                found.ok_or_else(|| CliError::Refused(format!("there is no grant {grant}")))?
            }
        };
        let command = GrantsCommand::Revoke {
            grant,
            grantee,
            reason: self.reason,
        };
        let command = Command::Grants(GrantsId::of(grantee), command);
        let said = format!("grant {grant} of {grantee} is revoked");
        self.send.send(&client, command, &said).await
    }
}

/// Reads the name of a role.
fn role(name: &str) -> Result<Role, String> {
    let mut all = Role::ALL.into_iter();
    let found = all.find(|role| role.name() == name);
    found.ok_or_else(|| one_of(Role::ALL.into_iter().map(Role::name)))
}

/// Reads the name of a purpose.
fn purpose(name: &str) -> Result<Purpose, String> {
    let mut all = Purpose::ALL.into_iter();
    let found = all.find(|purpose| purpose.name() == name);
    found.ok_or_else(|| one_of(Purpose::ALL.into_iter().map(Purpose::name)))
}

fn one_of(names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<_> = names.collect();
    format!("must be one of {}", names.join(", "))
}
