//! Systems.

use planledger_core::domain::system::{System, SystemCommand, SystemDetails, SystemIdentity};
use planledger_core::ids::{Revision, SystemId};

use super::choice::Choice;
use super::fields::{Fields, ViolationReason};
use super::proto;
use super::proto::system_command::Operation;
use super::scalar::string;

/// Most ways in which one system proves who it is.
const MOST_IDENTITIES: usize = 20;

pub(super) fn read(
    fields: &mut Fields,
    command: proto::SystemCommand,
) -> Option<(SystemId, SystemCommand)> {
    let id = fields.id("system_id", &command.system_id);
    let name = command.operation.as_ref().map_or("operation", operation);
    let operation = fields.message(name, command.operation, read_operation);
    Some((id?, operation?))
}

/// The name of the message field that holds an operation.
pub(super) const fn operation(operation: &Operation) -> &'static str {
    match operation {
        Operation::RegisterSystem(_) => "register_system",
        Operation::ChangeSystem(_) => "change_system",
        Operation::RevokeSystem(_) => "revoke_system",
    }
}

fn read_operation(fields: &mut Fields, operation: Operation) -> Option<SystemCommand> {
    match operation {
        Operation::RegisterSystem(m) => fields
            .message("details", m.details, read_details)
            .map(SystemCommand::Register),
        Operation::ChangeSystem(m) => fields
            .message("details", m.details, read_details)
            .map(SystemCommand::Change),
        Operation::RevokeSystem(m) => fields
            .optional_text("reason", m.reason.as_deref())
            .map(|reason| SystemCommand::Revoke { reason }),
    }
}

fn read_details(fields: &mut Fields, details: proto::SystemDetails) -> Option<SystemDetails> {
    let name = fields.text("name", &details.name);
    let kind = fields.choice("kind", details.kind);
    let identities = match details.identities.len() {
        0..=MOST_IDENTITIES => fields.list("identities", details.identities, read_identity),
        count => {
            let description =
                format!("has {count} items, but at most {MOST_IDENTITIES} are allowed");
            fields.violate("identities", ViolationReason::OutOfRange, description);
            None
        }
    };
    Some(SystemDetails {
        name: name?,
        kind: kind?,
        identities: identities?.into_iter().collect(),
        may_act_for_people: details.may_act_for_people,
        may_name_person_in_header: details.may_name_person_in_header,
    })
}

fn read_identity(fields: &mut Fields, identity: proto::SystemIdentity) -> Option<SystemIdentity> {
    use proto::system_identity::Identity;
    match identity.identity {
        Some(Identity::SpiffeId(id)) => fields.text("spiffe_id", &id).map(SystemIdentity::Spiffe),
        Some(Identity::DnsName(name)) => fields.text("dns_name", &name).map(SystemIdentity::Dns),
        Some(Identity::Fingerprint(digits)) => match digits.parse() {
            Ok(fingerprint) => Some(SystemIdentity::Fingerprint(fingerprint)),
            Err(error) => {
                let reason = ViolationReason::MalformedId;
                fields.violate("fingerprint", reason, error.to_string());
                None
            }
        },
        Some(Identity::Client(client)) => fields.within("client", |fields| {
            let issuer = fields.text("issuer", &client.issuer);
            let client = fields.text("client_id", &client.client_id);
            Some(SystemIdentity::Client {
                issuer: issuer?,
                client: client?,
            })
        }),
        None => fields.missing("identity"),
    }
}

pub(super) fn write(id: SystemId, command: &SystemCommand) -> proto::SystemCommand {
    let operation = match command {
        SystemCommand::Register(details) => Operation::RegisterSystem(proto::RegisterSystem {
            details: Some(write_details(details)),
        }),
        SystemCommand::Change(details) => Operation::ChangeSystem(proto::ChangeSystem {
            details: Some(write_details(details)),
        }),
        SystemCommand::Revoke { reason } => Operation::RevokeSystem(proto::RevokeSystem {
            reason: string(reason.as_ref()),
        }),
    };
    proto::SystemCommand {
        system_id: id.to_string(),
        operation: Some(operation),
    }
}

fn write_details(details: &SystemDetails) -> proto::SystemDetails {
    proto::SystemDetails {
        name: details.name.to_string(),
        kind: details.kind.number(),
        identities: details.identities.iter().map(write_identity).collect(),
        may_act_for_people: details.may_act_for_people,
        may_name_person_in_header: details.may_name_person_in_header,
    }
}

fn write_identity(identity: &SystemIdentity) -> proto::SystemIdentity {
    use proto::system_identity::Identity;
    let identity = match identity {
        SystemIdentity::Spiffe(id) => Identity::SpiffeId(id.to_string()),
        SystemIdentity::Dns(name) => Identity::DnsName(name.to_string()),
        SystemIdentity::Fingerprint(digits) => Identity::Fingerprint(digits.to_string()),
        SystemIdentity::Client { issuer, client } => Identity::Client(proto::TokenClient {
            issuer: issuer.to_string(),
            client_id: client.to_string(),
        }),
    };
    proto::SystemIdentity {
        identity: Some(identity),
    }
}

/// A system as it is now.
pub fn system(id: SystemId, revision: Revision, system: &System) -> proto::System {
    proto::System {
        system_id: id.to_string(),
        revision: revision.get(),
        details: Some(write_details(&system.details)),
        revoked: system.revoked,
    }
}
