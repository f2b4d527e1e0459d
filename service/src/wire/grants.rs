//! Grants.

use jiff::civil::Date;
use planledger_core::domain::Actor;
use planledger_core::domain::grants::{
    GrantDetails, Granted, Grants, GrantsCommand, Revocation, Scope,
};
use planledger_core::ids::{GrantId, GrantsId, Revision};

use super::actor::{read_actor, write_actor};
use super::choice::Choice;
use super::fields::Fields;
use super::instant::{timestamp, write_date};
use super::proto;
use super::proto::grants_command::Operation;
use super::scalar::string;

pub(super) fn read(
    fields: &mut Fields,
    command: proto::GrantsCommand,
) -> Option<(GrantsId, GrantsCommand)> {
    let grantee = fields.message("grantee", command.grantee, read_actor);
    let name = command.operation.as_ref().map_or("operation", operation);
    let operation = fields.message(name, command.operation, |fields, operation| {
        read_operation(fields, operation, grantee)
    });
    Some((GrantsId::of(grantee?), operation?))
}

/// The name of the message field that holds an operation.
pub(super) const fn operation(operation: &Operation) -> &'static str {
    match operation {
        Operation::GrantRole(_) => "grant_role",
        Operation::RevokeGrant(_) => "revoke_grant",
    }
}

fn read_operation(
    fields: &mut Fields,
    operation: Operation,
    grantee: Option<Actor>,
) -> Option<GrantsCommand> {
    match operation {
        Operation::GrantRole(m) => {
            let grant = fields.id("grant_id", &m.grant_id);
            let details = fields.message("details", m.details, read_details);
            Some(GrantsCommand::Grant {
                grant: grant?,
                grantee: grantee?,
                details: details?,
            })
        }
        Operation::RevokeGrant(m) => {
            let grant = fields.id("grant_id", &m.grant_id);
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(GrantsCommand::Revoke {
                grant: grant?,
                grantee: grantee?,
                reason: reason?,
            })
        }
    }
}

fn read_details(fields: &mut Fields, details: proto::GrantDetails) -> Option<GrantDetails> {
    let role = fields.choice("role", details.role);
    let scope = fields.message("scope", details.scope, read_scope);
    let first_day = fields.optional_date("first_day", details.first_day.as_deref());
    let last_day = fields.optional_date("last_day", details.last_day.as_deref());
    let purpose = fields.optional(details.purpose, |fields, purpose| {
        fields.choice("purpose", purpose)
    });
    let reason = fields.optional_text("reason", details.reason.as_deref());
    Some(GrantDetails {
        role: role?,
        scope: scope?,
        first_day: first_day?,
        last_day: last_day?,
        purpose: purpose?,
        reason: reason?,
    })
}

fn read_scope(fields: &mut Fields, scope: proto::GrantScope) -> Option<Scope> {
    use proto::grant_scope::Scope as Wire;
    match scope.scope {
        Some(Wire::Municipality(_)) => Some(Scope::Municipality),
        Some(Wire::InstitutionId(id)) => fields.id("institution_id", &id).map(Scope::Institution),
        Some(Wire::TeamId(id)) => fields.id("team_id", &id).map(Scope::Team),
        Some(Wire::StudentId(id)) => fields.id("student_id", &id).map(Scope::Student),
        None => fields.missing("scope"),
    }
}

/// Writes a command. `None` for the one that clients may not send.
pub(super) fn write(command: &GrantsCommand) -> Option<proto::GrantsCommand> {
    let (grantee, operation) = match command {
        GrantsCommand::Bootstrap { .. } => return None,
        GrantsCommand::Grant {
            grant,
            grantee,
            details,
        } => {
            let grant = proto::GrantRole {
                grant_id: grant.to_string(),
                details: Some(write_details(details)),
            };
            (*grantee, Operation::GrantRole(grant))
        }
        GrantsCommand::Revoke {
            grant,
            grantee,
            reason,
        } => {
            let revoke = proto::RevokeGrant {
                grant_id: grant.to_string(),
                reason: string(reason.as_ref()),
            };
            (*grantee, Operation::RevokeGrant(revoke))
        }
    };
    Some(proto::GrantsCommand {
        grantee: Some(write_actor(grantee)),
        operation: Some(operation),
    })
}

fn write_details(details: &GrantDetails) -> proto::GrantDetails {
    proto::GrantDetails {
        role: details.role.number(),
        scope: Some(write_scope(details.scope)),
        first_day: details.first_day.map(write_date),
        last_day: details.last_day.map(write_date),
        purpose: details.purpose.map(Choice::number),
        reason: string(details.reason.as_ref()),
    }
}

fn write_scope(scope: Scope) -> proto::GrantScope {
    use proto::grant_scope::Scope as Wire;
    let scope = match scope {
        Scope::Municipality => Wire::Municipality(proto::Municipality {}),
        Scope::Institution(id) => Wire::InstitutionId(id.to_string()),
        Scope::Team(id) => Wire::TeamId(id.to_string()),
        Scope::Student(id) => Wire::StudentId(id.to_string()),
    };
    proto::GrantScope { scope: Some(scope) }
}

/// The grants of a person or system as they are on a day. Only those that `wanted` picks.
pub fn grants(
    revision: Revision,
    grants: &Grants,
    day: Date,
    wanted: impl Fn(&Granted) -> bool,
) -> proto::Grants {
    let chosen = grants.grants.iter().filter(|(_, grant)| wanted(grant));
    proto::Grants {
        grantee: Some(write_actor(grants.grantee)),
        revision: revision.get(),
        grants: chosen
            .map(|(id, grant)| write_grant(*id, grant, day))
            .collect(),
    }
}

fn write_grant(id: GrantId, grant: &Granted, day: Date) -> proto::Grant {
    proto::Grant {
        grant_id: id.to_string(),
        details: Some(write_details(&grant.details)),
        granted_by: Some(write_actor(grant.by)),
        on_behalf_of: grant.on_behalf_of.map(write_actor),
        granted_at: Some(timestamp(grant.at)),
        bootstrap: grant.bootstrap,
        holds: grant.holds_on(day),
        revocation: grant.revoked.as_ref().map(write_revocation),
    }
}

fn write_revocation(revocation: &Revocation) -> proto::GrantRevocation {
    proto::GrantRevocation {
        revoked_by: Some(write_actor(revocation.by)),
        on_behalf_of: revocation.on_behalf_of.map(write_actor),
        revoked_at: Some(timestamp(revocation.at)),
        reason: string(revocation.reason.as_ref()),
    }
}
