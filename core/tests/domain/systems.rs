//! Systems: how they prove who they are, and when that is refused.

use planledger_core::access::{system_of_certificate, system_of_client};
use planledger_core::domain::Reason;
use planledger_core::domain::grants::GrantsCommand;
use planledger_core::domain::system::{
    Fingerprint, SystemCommand, SystemDetails, SystemEvent, SystemIdentity, SystemKind,
};
use planledger_core::ids::{GrantId, GrantsId, SystemId};
use planledger_core::text::IdentityText;
use planledger_fixtures::school::*;
use planledger_fixtures::{Fact, Memory};

use crate::domain::harness::{given, refusals};

pub(super) const PLATFORM: SystemId = SystemId::from_bytes([0xAB; 16]);
const PORTAL: SystemId = SystemId::from_bytes([0xAC; 16]);

fn identity(text: &str) -> IdentityText {
    IdentityText::new(text).unwrap()
}

fn dns(text: &str) -> SystemIdentity {
    SystemIdentity::Dns(identity(text))
}

fn client() -> SystemIdentity {
    SystemIdentity::Client {
        issuer: identity("https://login.example"),
        client: identity("platform"),
    }
}

pub(super) fn platform(identities: &[SystemIdentity]) -> SystemDetails {
    SystemDetails {
        name: name("Platformen"),
        kind: SystemKind::LearningPlatform,
        identities: identities.iter().cloned().collect(),
        may_act_for_people: true,
        may_name_person_in_header: false,
    }
}

pub(super) fn registered() -> Vec<Fact> {
    let mut facts = a_school();
    facts.push(
        (
            PLATFORM,
            SystemEvent::Registered(platform(&[dns("a.example"), client()])),
        )
            .into(),
    );
    facts
}

fn revoked() -> Vec<Fact> {
    let mut facts = registered();
    facts.push((PLATFORM, SystemEvent::Revoked { reason: None }).into());
    facts
}

#[test]
fn a_system_is_registered_changed_and_revoked() {
    let first = platform(&[dns("a.example")]);
    let next = platform(&[dns("b.example"), client()]);
    given(vec![])
        .when(SYSTEM, (PLATFORM, SystemCommand::Register(first.clone())))
        .then([SystemEvent::Registered(first)])
        .when(SYSTEM, (PLATFORM, SystemCommand::Change(next.clone())))
        .then([SystemEvent::Changed(next.clone())])
        .when(SYSTEM, (PLATFORM, SystemCommand::Change(next)))
        .then::<SystemEvent>([])
        .when(
            SYSTEM,
            (
                PLATFORM,
                SystemCommand::Revoke {
                    reason: why("Slut"),
                },
            ),
        )
        .then([SystemEvent::Revoked {
            reason: why("Slut"),
        }]);
}

#[test]
fn the_identity_of_a_revoked_system_can_be_given_to_another_one() {
    let details = platform(&[dns("a.example")]);
    given(revoked())
        .when(SYSTEM, (PORTAL, SystemCommand::Register(details.clone())))
        .then([SystemEvent::Registered(details)]);
}

#[test]
fn a_system_is_found_by_what_it_proves() {
    let memory = Memory::of(registered());
    let of = |shown: &[SystemIdentity]| {
        let found = system_of_certificate(&memory, shown).unwrap();
        found.map(|(id, _)| id)
    };
    let digits = SystemIdentity::Fingerprint(Fingerprint::from_bytes([7; 32]));
    assert_eq!(of(&[digits, dns("a.example")]), Some(PLATFORM));
    assert_eq!(of(&[dns("b.example")]), None);
    // A certificate is no token.
    assert_eq!(of(&[client()]), None);
    let (issuer, id) = (identity("https://login.example"), identity("platform"));
    let found = system_of_client(&memory, &issuer, &id).unwrap();
    assert_eq!(found.map(|(id, _)| id), Some(PLATFORM));
    let other = identity("https://other.example");
    assert_eq!(system_of_client(&memory, &other, &id).unwrap(), None);
}

#[test]
fn a_certificate_that_shows_two_systems_is_neither_and_a_revoked_one_gives_way() {
    let mut memory = Memory::of(registered());
    let portal = platform(&[dns("b.example")]);
    memory.does(SYSTEM, (PORTAL, SystemCommand::Register(portal)));
    let both = [dns("a.example"), dns("b.example")];
    assert_eq!(system_of_certificate(&memory, &both).unwrap(), None);
    memory.does(SYSTEM, (PLATFORM, SystemCommand::Revoke { reason: None }));
    let found = system_of_certificate(&memory, &both).unwrap();
    assert_eq!(found.map(|(id, _)| id), Some(PORTAL));
    let (id, system) = system_of_certificate(&memory, &both[..1]).unwrap().unwrap();
    assert!(id == PLATFORM && system.revoked);
}

#[test]
fn a_fingerprint_is_read_with_and_without_colons() {
    let digits = "ab".repeat(32);
    let with_colons = vec!["AB"; 32].join(":");
    let read: Fingerprint = digits.parse().unwrap();
    assert_eq!(with_colons.parse(), Ok(read));
    assert_eq!(read.to_string(), digits);
    assert!(digits[1..].parse::<Fingerprint>().is_err());
}

fn with_administrator() -> Vec<Fact> {
    let mut facts = registered();
    let grantee = planledger_core::domain::Actor::System(PLATFORM);
    let mut memory = Memory::of(facts.clone());
    let bootstrap = GrantsCommand::Bootstrap {
        grant: GrantId::from_bytes([1; 16]),
        grantee,
    };
    memory.does(SYSTEM, (GrantsId::of(grantee), bootstrap));
    let event = memory.recorded().last().unwrap().event.clone();
    facts.push(Fact {
        stream: GrantsId::of(grantee).into(),
        actor: SYSTEM,
        on_behalf_of: None,
        event,
    });
    facts
}

pub(crate) fn refusals() -> Vec<Reason> {
    let register = |identities: &[SystemIdentity]| SystemCommand::Register(platform(identities));
    let revoke = || SystemCommand::Revoke { reason: None };
    let spiffe = SystemIdentity::Spiffe(identity("platform"));
    refusals! {
        given(registered()), SYSTEM, (PLATFORM, register(&[dns("a.example")])) => AlreadyExists at Target;
        given(vec![]), SYSTEM, (PLATFORM, revoke()) => SystemNotFound at Target;
        given(revoked()), SYSTEM, (PLATFORM, revoke()) => SystemRevoked at Target;
        given(revoked()), SYSTEM, (PLATFORM, SystemCommand::Change(platform(&[dns("c.example")])))
            => SystemRevoked at Target;
        given(registered()), SYSTEM, (PORTAL, register(&[client()]))
            => SystemIdentityTaken at DetailsIdentities;
        given(vec![]), SYSTEM, (PLATFORM, register(&[])) => SystemIdentityInvalid at DetailsIdentities;
        given(vec![]), SYSTEM, (PLATFORM, register(&[dns("*.example")]))
            => SystemIdentityInvalid at DetailsIdentities;
        given(vec![]), SYSTEM, (PLATFORM, register(&[spiffe]))
            => SystemIdentityInvalid at DetailsIdentities;
        given(with_administrator()), SYSTEM, (PLATFORM, revoke()) => LastAdministrator;
    }
}
