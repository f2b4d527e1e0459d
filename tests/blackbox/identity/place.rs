//! A ledger whose server finds out who asks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use planledger::client::{Client, ConnectError, Target};
use planledger::server::auth::Authorizer;
use planledger::settings::identity::{Identity, Tls};
use planledger_core::domain::system::{SystemCommand, SystemDetails, SystemIdentity, SystemKind};
use planledger_core::domain::{Actor as Acting, Command as Inner};
use planledger_core::ids::{CommandId, SystemId};
use planledger_core::ledger::{Envelope, Ledger};
use planledger_core::text::IdentityText;
use planledger_proto::v1::*;
use prost_reflect::{DynamicMessage, ReflectMessage};
use tempfile::TempDir;
use tonic::Request;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic_prost::ProstCodec;

use super::authority::{Authority, file};
use super::provider::{Provider, SOURCE};
use crate::support::*;

/// A server with TLS, and what its clients need.
pub(super) struct Place {
    pub(super) server: Running,
    pub(super) authority: Authority,
    pub(super) dir: TempDir,
    pub(super) tls: Tls,
}

/// How the server is set up.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) identity: Identity,
    /// Whether it believes everybody instead of finding out who asks.
    pub(super) believes: bool,
    /// What is registered before it starts.
    pub(super) systems: Vec<Program>,
    /// What decides who may do what; everybody may do everything if there is none.
    pub(super) authorizer: Option<Arc<dyn Authorizer>>,
    pub(super) limits: Option<planledger::server::Limits>,
    /// Whether it gives evidence.
    pub(super) notary: bool,
}

/// The settings of a server that trusts a provider, with a ledger that knows these systems.
pub(super) fn trusting(provider: &Provider, systems: Vec<Program>) -> Asked {
    Asked {
        identity: Identity {
            issuers: vec![provider.issuer()],
            ..Identity::default()
        },
        systems,
        ..Asked::default()
    }
}

/// A system that the ledger knows.
pub(super) struct Program {
    pub(super) id: String,
    pub(super) proof: SystemIdentity,
    pub(super) acts_for_people: bool,
    pub(super) names_person_in_header: bool,
}

/// A system that may act for people whom its token names.
pub(super) fn system(id: &str, proof: SystemIdentity) -> Program {
    Program {
        id: id.to_owned(),
        proof,
        acts_for_people: true,
        names_person_in_header: false,
    }
}

/// A system with a client id at a provider.
pub(super) fn client_of(provider: &Provider, id: &str, client: &str) -> Program {
    let proof = SystemIdentity::Client {
        issuer: identity_text(&provider.url()),
        client: identity_text(client),
    };
    system(id, proof)
}

pub(super) fn identity_text(text: &str) -> IdentityText {
    IdentityText::new(text).unwrap()
}

/// Makes systems known, while no server has the ledger.
fn register(home: &Home, systems: Vec<Program>) {
    if systems.is_empty() {
        return;
    }
    let ledger = Ledger::open(home.options()).unwrap();
    let itself = Acting::System(SystemId::from_uuid(ledger.status().ledger.uuid()));
    for system in systems {
        let details = SystemDetails {
            name: "System".parse().unwrap(),
            kind: SystemKind::Other,
            identities: [system.proof].into(),
            may_act_for_people: system.acts_for_people,
            may_name_person_in_header: system.names_person_in_header,
        };
        let id = system.id.parse().unwrap();
        let command = Inner::System(id, SystemCommand::Register(details));
        let envelope = Envelope::new(CommandId::from_uuid(uuid::Uuid::new_v4()), command);
        ledger.execute(itself, envelope).unwrap();
    }
}

impl Place {
    /// Starts a server in production mode.
    pub(super) fn start(home: &Home, asked: Asked) -> Self {
        register(home, asked.systems);
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let (certificate, key) = authority.server().write(dir.path(), "server");
        let ca = file(dir.path(), "ca.pem", &authority.pem());
        let tls = Tls {
            certificate,
            key,
            client_ca: Some(ca),
        };
        let usual = Setup::default();
        let setup = Setup {
            limits: asked.limits.unwrap_or(usual.limits),
            authorizer: asked.authorizer.unwrap_or(usual.authorizer),
            notary: asked.notary,
            secured: Some(Secured {
                tls: tls.clone(),
                identity: (!asked.believes).then_some(asked.identity),
            }),
            ..usual
        };
        let server = setup.start(home);
        Self {
            server,
            authority,
            dir,
            tls,
        }
    }

    /// How a client reaches it, with nothing that shows who asks.
    pub(super) fn target(&self) -> Target {
        Target {
            url: self.server.url.clone(),
            ca_file: Some(self.dir.path().join("ca.pem")),
            ..Target::default()
        }
    }

    /// Connects with a token.
    pub(super) async fn with_token(&self, token: &str) -> Voice {
        self.with_token_for(token, None).await
    }

    /// Connects with a token, and names a person for whom it is.
    pub(super) async fn with_token_for(&self, token: &str, person: Option<&str>) -> Voice {
        let name = format!("{}.jwt", new_id());
        let target = Target {
            token_file: Some(file(self.dir.path(), &name, token)),
            on_behalf_of: person.map(|id| format!("person/{id}")),
            ..self.target()
        };
        connect(&target).await.unwrap()
    }

    /// Connects with a certificate.
    pub(super) async fn with_certificate(
        &self,
        files: (PathBuf, PathBuf),
    ) -> Result<Voice, ConnectError> {
        let target = Target {
            identity: Some(files),
            ..self.target()
        };
        connect(&target).await
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }
}

pub(super) async fn connect(target: &Target) -> Result<Voice, ConnectError> {
    let client = Client::connect_to(target).await?;
    Ok(Voice { client })
}

/// What a server says to a token that does not count.
pub(super) async fn refused(place: &Place, token: &str) -> Refused {
    let voice = place.with_token(token).await;
    let refused = voice.ask(GetStatusRequest::default()).await.unwrap_err();
    assert!(!refused.whole.contains(token), "the token is repeated");
    refused
}

/// A connection without anything that shows who asks.
pub(super) async fn channel(place: &Place) -> Channel {
    let ca = Certificate::from_pem(place.authority.pem());
    let endpoint = Endpoint::from_shared(place.server.url.clone()).unwrap();
    let endpoint = endpoint.tls_config(ClientTlsConfig::new().ca_certificate(ca));
    endpoint.unwrap().connect().await.unwrap()
}

/// What every method of the API says to a token, by its path; `None` where it answers.
pub(super) async fn every_method(channel: &Channel, token: &str) -> Vec<(String, Option<Refused>)> {
    let mut said = Vec::new();
    for (path, request) in requests() {
        let mut grpc = Grpc::new(channel.clone());
        grpc.ready().await.unwrap();
        let codec = ProstCodec::<DynamicMessage, ()>::default();
        let message = request.descriptor().full_name().to_owned();
        let mut request = Request::new(request);
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
        let to = path.parse::<PathAndQuery>().unwrap();
        let refused = grpc.server_streaming(request, to, codec).await.err();
        said.push((path, refused.map(|status| Refused::new(&status, &message))));
    }
    said
}

/// A ledger that knows people by the ids that their identity provider has for them. Gives their ids
/// in the ledger.
pub(super) async fn ledger_with(people: &[&str]) -> (Home, Vec<String>) {
    let home = Home::new();
    let (server, voice) = home.serve().await;
    let school = new_id();
    voice.execute(register_institution(&school, "Skolen")).await;
    let mut ids = Vec::new();
    for uid in people {
        let id = new_id();
        let affiliation = Affiliation {
            institution_id: school.clone(),
            role: Role::Teacher.into(),
            grade: None,
        };
        let record = RosterRecord {
            source: SOURCE.to_owned(),
            sourced_id: (*uid).to_owned(),
            enabled: true,
            ..RosterRecord::default()
        };
        let put = PutPerson {
            name: "Tove".to_owned(),
            affiliations: vec![affiliation],
            departed: false,
            record: Some(record),
        };
        voice.execute(person(&id, OnPerson::PutPerson(put))).await;
        ids.push(id);
    }
    drop(voice);
    server.stop();
    (home, ids)
}

/// Who is recorded as the actor of the last event, and for whom.
pub(super) async fn last_actor(voice: &Voice) -> (String, String) {
    let position = voice.position().await;
    let request = ReadEventsRequest {
        after_position: position - 1,
        ..ReadEventsRequest::default()
    };
    let (events, _) = voice.read_events(request).await.unwrap();
    let last = events.last().unwrap();
    (last.actor.clone(), last.on_behalf_of.clone())
}
