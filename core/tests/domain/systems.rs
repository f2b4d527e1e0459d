//! Systems: how they prove who they are, and when that is refused.

use planledger_core::access::review::{Finding, review};
use planledger_core::access::{system_of_certificate, system_of_client};
use planledger_core::domain::grants::{GrantDetails, GrantsCommand, GrantsEvent, Role};
use planledger_core::domain::system::{
    Fingerprint, SystemCommand, SystemDetails, SystemEvent, SystemIdentity, SystemKind,
};
use planledger_core::domain::world::Context;
use planledger_core::domain::{Actor, Aggregate, Command, Reason};
use planledger_core::ids::{GrantId, GrantsId, PersonId, Revision, SystemId};
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
    let grantee = Actor::System(PLATFORM);
    let mut memory = Memory::of(facts.clone());
    let bootstrap = GrantsCommand::Bootstrap {
        grant: GrantId::from_bytes([1; 16]),
        grantee,
        instead_of: None,
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

/// A person who is administrator, and gave the platform its identity.
fn registered_by(actor: Actor) -> Vec<Fact> {
    let mut facts = a_school();
    let event = SystemEvent::Registered(platform(&[dns("a.example")]));
    facts.push(Fact {
        actor,
        ..Fact::from((PLATFORM, event))
    });
    facts
}

/// Grants the platform its role.
fn admit(memory: &mut Memory, by: PersonId) -> Result<(), Reason> {
    let grantee = Actor::System(PLATFORM);
    let command = GrantsCommand::Grant {
        grant: GrantId::from_bytes([7; 16]),
        grantee,
        details: GrantDetails {
            role: Role::LearningPlatform,
            ..GrantDetails::first_administrator()
        },
    };
    let command = Command::Grants(GrantsId::of(grantee), command);
    let context = Context::new(Actor::Person(by), Memory::NOW);
    let done = memory.execute_in(&context, &command);
    done.map(drop).map_err(|refusal| refusal.reason)
}

fn administrator(memory: &mut Memory, id: PersonId, by: Option<PersonId>) {
    let grantee = Actor::Person(id);
    let grant = GrantId::from_bytes([by.map_or(1, |_| 2); 16]);
    let details = GrantDetails::first_administrator();
    match by {
        None => memory.does(
            SYSTEM,
            (
                GrantsId::of(grantee),
                GrantsCommand::Bootstrap {
                    grant,
                    grantee,
                    instead_of: None,
                },
            ),
        ),
        Some(by) => memory.does(
            by,
            (
                GrantsId::of(grantee),
                GrantsCommand::Grant {
                    grant,
                    grantee,
                    details,
                },
            ),
        ),
    };
}

fn one_hand(memory: &Memory) -> bool {
    let grants = GrantsId::of(Actor::System(PLATFORM));
    let Aggregate::Grants(grants) = memory.state(grants).unwrap() else {
        panic!("no grants");
    };
    let today = Memory::NOW.day_in_denmark();
    let found = review(memory, Revision::new(1), grants, today, 60)
        .unwrap()
        .unwrap();
    let mut findings = found.findings.iter();
    findings.any(|(finding, grant)| *finding == Finding::OneHand && grant.is_some())
}

#[test]
fn whoever_registers_a_system_does_not_grant_it_its_role_while_somebody_else_can() {
    let mut memory = Memory::of(registered_by(Actor::Person(LEADER)));
    administrator(&mut memory, LEADER, None);
    // A ledger with one administrator has nobody else. The review names it.
    let mut alone = memory.clone();
    assert_eq!(admit(&mut alone, LEADER), Ok(()));
    assert!(one_hand(&alone));

    administrator(&mut memory, CLERK, Some(LEADER));
    assert_eq!(admit(&mut memory, LEADER), Err(Reason::GrantToOwnSystem));
    assert_eq!(admit(&mut memory, CLERK), Ok(()));
    assert!(!one_hand(&memory));
}

#[test]
fn a_system_that_grants_is_in_the_hands_of_whoever_gave_it_an_identity() {
    // The leader registers a system, which becomes administrator; then that one admits another one of
    // the leader's.
    let mut memory = Memory::of(registered_by(Actor::Person(LEADER)));
    let details = platform(&[dns("b.example")]);
    memory.does(LEADER, (PORTAL, SystemCommand::Register(details)));
    administrator(&mut memory, LEADER, None);
    administrator(&mut memory, CLERK, Some(LEADER));
    let grantee = Actor::System(PORTAL);
    let grant = GrantsCommand::Grant {
        grant: GrantId::from_bytes([3; 16]),
        grantee,
        details: GrantDetails::first_administrator(),
    };
    memory.does(CLERK, (GrantsId::of(grantee), grant));
    let grantee = Actor::System(PLATFORM);
    let command = GrantsCommand::Grant {
        grant: GrantId::from_bytes([7; 16]),
        grantee,
        details: GrantDetails {
            role: Role::LearningPlatform,
            ..GrantDetails::first_administrator()
        },
    };
    let command = Command::Grants(GrantsId::of(grantee), command);
    let context = Context::new(Actor::System(PORTAL), Memory::NOW);
    let refused = memory.execute_in(&context, &command).unwrap_err();
    assert_eq!(refused.reason, Reason::GrantToOwnSystem);
}

#[test]
fn an_identity_stays_the_one_of_whoever_gave_it_first() {
    let mut memory = Memory::of(registered_by(Actor::Person(LEADER)));
    administrator(&mut memory, LEADER, None);
    administrator(&mut memory, CLERK, Some(LEADER));
    let changed = |identities: &[SystemIdentity]| SystemCommand::Change(platform(identities));
    // The clerk adds one: now the system is in the hands of both, and neither may grant.
    let both = [dns("a.example"), dns("b.example")];
    memory.does(CLERK, (PLATFORM, changed(&both)));
    // With nobody else there, either of them can, and the review names it.
    let mut alone = memory.clone();
    assert_eq!(admit(&mut alone, LEADER), Ok(()));
    assert!(one_hand(&alone));
    memory.does(CLERK, (PLATFORM, changed(&both[1..])));
    assert_eq!(admit(&mut memory, CLERK), Err(Reason::GrantToOwnSystem));
    assert_eq!(admit(&mut memory, LEADER), Ok(()));
    assert!(!one_hand(&memory));
}

/// The platform with its role.
fn admitted() -> Vec<Fact> {
    let mut facts = registered();
    let grantee = Actor::System(PLATFORM);
    let event = GrantsEvent::Granted {
        grant: GrantId::from_bytes([7; 16]),
        grantee,
        details: GrantDetails {
            role: Role::LearningPlatform,
            ..GrantDetails::first_administrator()
        },
    };
    facts.push((GrantsId::of(grantee), event).into());
    facts
}

#[test]
fn a_system_that_holds_grants_can_lose_an_identity_and_get_none() {
    let fewer = platform(&[dns("a.example")]);
    let named = SystemDetails {
        name: name("Portalen"),
        ..fewer.clone()
    };
    given(admitted())
        .when(SYSTEM, (PLATFORM, SystemCommand::Change(fewer.clone())))
        .then([SystemEvent::Changed(fewer)])
        .when(SYSTEM, (PLATFORM, SystemCommand::Change(named.clone())))
        .then([SystemEvent::Changed(named)]);
    let grantee = Actor::System(PLATFORM);
    let revoke = GrantsCommand::Revoke {
        grant: GrantId::from_bytes([7; 16]),
        grantee,
        reason: None,
    };
    let mut memory = Memory::of(admitted());
    memory.does(SYSTEM, (GrantsId::of(grantee), revoke));
    let other = platform(&[dns("b.example")]);
    memory.does(SYSTEM, (PLATFORM, SystemCommand::Change(other)));
}

pub(crate) fn refusals() -> Vec<Reason> {
    let register = |identities: &[SystemIdentity]| SystemCommand::Register(platform(identities));
    let revoke = || SystemCommand::Revoke { reason: None };
    let spiffe = SystemIdentity::Spiffe(identity("platform"));
    let by_header = SystemDetails {
        may_name_person_in_header: true,
        ..platform(&[dns("a.example"), client()])
    };
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
        given(admitted()), SYSTEM, (PLATFORM, SystemCommand::Change(platform(&[dns("b.example"), client()])))
            => SystemHoldsGrants at DetailsIdentities;
        given(admitted()), SYSTEM, (PLATFORM, SystemCommand::Change(by_header))
            => SystemHoldsGrants at Target;
    }
}
