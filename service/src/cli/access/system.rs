//! `access system`: registers, changes, revokes and lists systems.

use clap::{Args, Subcommand, ValueEnum};
use planledger_core::domain::Command;
use planledger_core::domain::system::{
    Fingerprint, SystemCommand, SystemDetails, SystemIdentity, SystemKind,
};
use planledger_core::ids::SystemId;
use planledger_core::text::{IdentityText, Name, ReasonText};
use uuid::Uuid;

use super::super::error::CliError;
use super::super::id::id;
use super::{Send, systems};
use crate::settings::File;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum System {
    /// Register a system, and how it proves who it is; what it may do is granted
    Register(Register),
    /// Change what is known of a system; what is not given again is dropped
    Change(Change),
    /// Revoke a system: it may act no more, and cannot come back under its id
    Revoke(Revoke),
    /// List systems
    List(systems::List),
}

impl System {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        match self {
            Self::Register(register) => register.run(file).await,
            Self::Change(change) => change.run(file).await,
            Self::Revoke(revoke) => revoke.run(file).await,
            Self::List(list) => list.run(file).await,
        }
    }
}

/// What is known of a system.
#[derive(Debug, Args)]
pub(super) struct Details {
    /// Name of the system
    #[arg(long = "name", value_name = "NAME")]
    name: Name,
    /// What it is for
    #[arg(long, value_enum, default_value_t = Kind::Other)]
    kind: Kind,
    #[command(flatten)]
    proofs: Proofs,
    /// It may act on behalf of people; it still needs a grant, and the person the right
    #[arg(long)]
    acts_for_people: bool,
    /// It may name the person in a header of the request, and not only by a token
    #[arg(long, requires = "acts_for_people")]
    names_person_in_header: bool,
}

/// How a system proves who it is.
#[derive(Debug, Args)]
pub(super) struct Proofs {
    /// SPIFFE id in its certificate; may be given more than once
    #[arg(long, value_name = "spiffe://…")]
    spiffe: Vec<IdentityText>,
    /// DNS name in its certificate; may be given more than once
    #[arg(long, value_name = "NAME")]
    dns: Vec<IdentityText>,
    /// SHA-256 fingerprint of its certificate; may be given more than once
    #[arg(long, value_name = "HEX")]
    fingerprint: Vec<Fingerprint>,
    /// Issuer of its tokens
    #[arg(long, value_name = "URL", requires = "client")]
    issuer: Option<IdentityText>,
    /// Its client id at the issuer
    #[arg(long, value_name = "ID", requires = "issuer")]
    client: Option<IdentityText>,
}

impl Proofs {
    fn identities(&self) -> impl Iterator<Item = SystemIdentity> {
        let client = self.issuer.clone().zip(self.client.clone());
        let client = client.map(|(issuer, client)| SystemIdentity::Client { issuer, client });
        let spiffe = self.spiffe.iter().cloned().map(SystemIdentity::Spiffe);
        let dns = self.dns.iter().cloned().map(SystemIdentity::Dns);
        let fingerprints = self.fingerprint.iter().copied();
        let fingerprints = fingerprints.map(SystemIdentity::Fingerprint);
        spiffe.chain(dns).chain(fingerprints).chain(client)
    }

    /// A system of any kind with this name that proves itself so.
    pub(super) fn details(&self, name: Name) -> SystemDetails {
        SystemDetails {
            name,
            kind: SystemKind::Other,
            identities: self.identities().collect(),
            may_act_for_people: false,
            may_name_person_in_header: false,
        }
    }
}

impl Details {
    fn details(self) -> SystemDetails {
        SystemDetails {
            kind: self.kind.into(),
            may_act_for_people: self.acts_for_people,
            may_name_person_in_header: self.names_person_in_header,
            ..self.proofs.details(self.name.clone())
        }
    }
}

/// What a system is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    LearningPlatform,
    Portal,
    Roster,
    Other,
}

impl From<Kind> for SystemKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::LearningPlatform => Self::LearningPlatform,
            Kind::Portal => Self::Portal,
            Kind::Roster => Self::Roster,
            Kind::Other => Self::Other,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Register {
    /// Id of the new system [default: a random one]
    #[arg(value_name = "SYSTEM", value_parser = id::<SystemId>())]
    system: Option<SystemId>,
    #[command(flatten)]
    details: Details,
    #[command(flatten)]
    send: Send,
}

impl Register {
    async fn run(self, file: &File) -> Result<(), CliError> {
        let new = || SystemId::from_uuid(Uuid::new_v4());
        let system = self.system.unwrap_or_else(new);
        let command = SystemCommand::Register(self.details.details());
        let said = format!("system/{system} is registered");
        let client = self.send.connect(file).await?;
        let command = Command::System(system, command);
        self.send.send(&client, command, &said).await
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Change {
    /// The system
    #[arg(value_name = "SYSTEM", value_parser = id::<SystemId>())]
    system: SystemId,
    #[command(flatten)]
    details: Details,
    #[command(flatten)]
    send: Send,
}

impl Change {
    async fn run(self, file: &File) -> Result<(), CliError> {
        let command = SystemCommand::Change(self.details.details());
        let said = format!("system/{} is changed", self.system);
        let client = self.send.connect(file).await?;
        let command = Command::System(self.system, command);
        self.send.send(&client, command, &said).await
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Revoke {
    /// The system
    #[arg(value_name = "SYSTEM", value_parser = id::<SystemId>())]
    system: SystemId,
    /// The reason; it is recorded. Do not write any names
    #[arg(long, value_name = "TEXT")]
    reason: Option<ReasonText>,
    #[command(flatten)]
    send: Send,
}

impl Revoke {
    async fn run(self, file: &File) -> Result<(), CliError> {
        let reason = self.reason.clone();
        let command = Command::System(self.system, SystemCommand::Revoke { reason });
        let said = format!("system/{} is revoked", self.system);
        let client = self.send.connect(file).await?;
        self.send.send(&client, command, &said).await
    }
}
