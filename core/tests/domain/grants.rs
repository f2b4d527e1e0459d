//! Grants: who can be given what, and the last administrator.

use planledger_core::domain::erasure::{ErasureCommand, ErasureEvent, Target};
use planledger_core::domain::grants::{GrantDetails, GrantsCommand, GrantsEvent, Role, Scope};
use planledger_core::domain::person::{Evidence, PersonCommand, PersonEvent, RosterRecord};
use planledger_core::domain::{Actor, Reason};
use planledger_core::ids::{GrantId, GrantsId, PersonId, TeamId};
use planledger_core::text::{ExternalId, SourceName};
use planledger_fixtures::school::*;
use planledger_fixtures::{Fact, IntoCommand, Memory};

use super::systems::{PLATFORM, registered};
use crate::domain::harness::{Given, given, refusals};

const CHIEF: Actor = Actor::Person(LEADER);
const HELPER: Actor = Actor::Person(CLERK);

fn id(number: u8) -> GrantId {
    GrantId::from_bytes([number; 16])
}

fn bootstrap(grantee: Actor) -> (GrantsId, GrantsCommand) {
    let grant = id(1);
    (
        GrantsId::of(grantee),
        GrantsCommand::Bootstrap {
            grant,
            grantee,
            instead_of: None,
        },
    )
}

fn details(role: Role, scope: Scope) -> GrantDetails {
    GrantDetails {
        role,
        scope,
        ..GrantDetails::first_administrator()
    }
}

fn grant(number: u8, grantee: Actor, details: GrantDetails) -> (GrantsId, GrantsCommand) {
    let grant = id(number);
    let command = GrantsCommand::Grant {
        grant,
        grantee,
        details,
    };
    (GrantsId::of(grantee), command)
}

fn revoke(number: u8, grantee: Actor) -> (GrantsId, GrantsCommand) {
    let command = GrantsCommand::Revoke {
        grant: id(number),
        grantee,
        reason: None,
    };
    (GrantsId::of(grantee), command)
}

/// A school whose leader is administrator, after these commands of the leader.
fn with(commands: Vec<(GrantsId, GrantsCommand)>) -> Vec<Fact> {
    let mut facts = registered();
    facts.extend(a_team().into_iter().skip(a_school().len()));
    let mut memory = Memory::of(facts.clone());
    let known = memory.recorded().len();
    memory.does(SYSTEM, bootstrap(CHIEF));
    for command in commands {
        memory.does(LEADER, command);
    }
    facts.extend(memory.recorded().iter().skip(known).map(|recorded| Fact {
        stream: recorded.meta.stream,
        actor: recorded.meta.actor,
        on_behalf_of: None,
        event: recorded.event.clone(),
    }));
    facts
}

fn everywhere(role: Role) -> GrantDetails {
    details(role, Scope::Municipality)
}

#[test]
fn the_first_administrator_is_made_at_the_directory_and_grants_the_rest() {
    let audits = everywhere(Role::Auditor);
    given(registered())
        .when(SYSTEM, bootstrap(CHIEF))
        .then([GrantsEvent::Bootstrapped {
            grant: id(1),
            grantee: CHIEF,
        }])
        .when(LEADER, grant(2, HELPER, audits.clone()))
        .then([GrantsEvent::Granted {
            grant: id(2),
            grantee: HELPER,
            details: audits,
        }])
        .when(LEADER, revoke(2, HELPER))
        .then([GrantsEvent::Revoked {
            grant: id(2),
            reason: None,
        }]);
}

#[test]
fn a_ledger_whose_administrators_have_all_left_can_get_a_first_one_again() {
    // Such a ledger is older than the rule that its last administrator stays.
    let departed = PersonEvent::Departed {
        last_day: None,
        reason: None,
    };
    given(with(vec![]))
        .and((LEADER, departed))
        .when(SYSTEM, bootstrap(HELPER))
        .then([GrantsEvent::Bootstrapped {
            grant: id(1),
            grantee: HELPER,
        }]);
}

fn instead_of(administrator: Actor) -> (GrantsId, GrantsCommand) {
    let command = GrantsCommand::Bootstrap {
        grant: id(7),
        grantee: Actor::System(PLATFORM),
        instead_of: Some(administrator),
    };
    (GrantsId::of(Actor::System(PLATFORM)), command)
}

#[test]
fn another_one_is_made_at_the_directory_instead_of_the_last_administrator_only() {
    let second = || grant(2, HELPER, everywhere(Role::Administrator));
    given(with(vec![]))
        .when(SYSTEM, instead_of(HELPER))
        .then_refused(Reason::AdministratorExists, None);
    given(with(vec![second()]))
        .when(SYSTEM, instead_of(CHIEF))
        .then_refused(Reason::AdministratorExists, None);
    given(with(vec![]))
        .when(SYSTEM, instead_of(CHIEF))
        .then([GrantsEvent::Bootstrapped {
            grant: id(7),
            grantee: Actor::System(PLATFORM),
        }])
        .when(SYSTEM, revoke(1, CHIEF))
        .then([GrantsEvent::Revoked {
            grant: id(1),
            reason: None,
        }]);
}

fn office() -> RosterRecord {
    RosterRecord {
        source: SourceName::new("Kommune A").unwrap(),
        sourced_id: ExternalId::new("c1").unwrap(),
        user_ids: Default::default(),
        enabled: true,
        enrolled: None,
        profiles: None,
    }
}

fn absent() -> Evidence {
    Evidence::AbsentFromRoster {
        source: office().source,
        last_seen: day(9, 1),
    }
}

/// A school whose leader is administrator, was in a roster, and is not in its newest one. With another
/// administrator, or without.
fn with_absent(commands: Vec<(GrantsId, GrantsCommand)>) -> Given {
    let lost = PersonEvent::AbsentFromRoster {
        source: office().source,
        last_seen: day(9, 1),
    };
    given(with(commands))
        .and((LEADER, PersonEvent::RecordedInRoster(office())))
        .and((LEADER, lost))
}

/// Everything that says that the leader has left, or will.
fn departures() -> Vec<PersonCommand> {
    let next_year = Memory::NOW
        .day_in_denmark()
        .saturating_add(jiff::ToSpan::days(300));
    let leaves = |on| PersonCommand::Depart { on, reason: None };
    let put = PersonCommand::Put {
        name: name("En anden chef"),
        affiliations: Default::default(),
        departed: true,
        record: Some(office()),
    };
    let source = office().source;
    let confirm = PersonCommand::DecideSuggestion {
        evidence: absent(),
        confirmed: true,
        last_day: None,
        reason: None,
    };
    vec![
        leaves(None),
        leaves(Some(next_year)),
        put,
        PersonCommand::PutGone { source },
        confirm,
    ]
}

#[test]
fn the_last_administrator_does_not_leave_whoever_says_so() {
    let second = || grant(2, HELPER, everywhere(Role::Administrator));
    for command in departures() {
        for actor in [SYSTEM, HELPER] {
            with_absent(vec![])
                .when(actor, (LEADER, command.clone()))
                .then_refused(Reason::LastAdministrator, None);
        }
        let with_two = with_absent(vec![second()]).world();
        let left = with_two.decide(SYSTEM, &(LEADER, command.clone()).into_command());
        assert!(left.is_ok(), "{command:?}: {left:?}");
    }
    // Somebody who is no administrator leaves as before.
    with_absent(vec![])
        .when(SYSTEM, (CLERK, departures().swap_remove(0)))
        .then([PersonEvent::Departed {
            last_day: None,
            reason: None,
        }]);
}

/// Whoever is erased cannot prove who they are.
#[test]
fn the_last_administrator_is_not_erased() {
    let text = |words| planledger_core::text::ReasonText::new(words).unwrap();
    let request = || ErasureEvent::Requested {
        target: Target::Person(LEADER),
        basis: text("Afgørelse"),
        reason: text("Bedt om det"),
        retention: None,
    };
    let act = planledger_core::ids::ErasureId::of_person(LEADER);
    let approve = || (act, ErasureCommand::Approve { reason: None });
    let asked = |commands| given(with(commands)).and(Fact::from((act, request())).by(TEACHER));
    asked(vec![])
        .when(CLERK, approve())
        .then_refused(Reason::LastAdministrator, None);
    asked(vec![grant(
        2,
        Actor::System(PLATFORM),
        everywhere(Role::Administrator),
    )])
    .when(CLERK, approve())
    .then([ErasureEvent::Approved { reason: None }]);
}

#[test]
fn an_administrator_can_go_when_another_one_is_there() {
    let second = grant(2, HELPER, everywhere(Role::Administrator));
    given(with(vec![second]))
        .when(CLERK, revoke(1, CHIEF))
        .then([GrantsEvent::Revoked {
            grant: id(1),
            reason: None,
        }])
        .when(CLERK, revoke(2, HELPER))
        .then_refused(Reason::LastAdministrator, None);
}

#[test]
fn an_administrator_who_is_still_to_begin_is_none_yet() {
    let today = Memory::NOW.day_in_denmark();
    let later = GrantDetails {
        first_day: Some(today.tomorrow().unwrap()),
        ..everywhere(Role::Administrator)
    };
    given(with(vec![grant(2, HELPER, later)]))
        .when(CLERK, revoke(1, CHIEF))
        .then_refused(Reason::LastAdministrator, None);
}

/// A school with two administrators, of whom the second is as somebody says.
fn with_second(details: GrantDetails, becomes: Option<PersonCommand>) -> Memory {
    let mut memory = Memory::of(with(vec![grant(2, HELPER, details)]));
    if let Some(command) = becomes {
        memory.does(SYSTEM, (CLERK, command));
    }
    memory
}

#[test]
fn the_last_administrator_is_the_last_one_who_stays() {
    let today = Memory::NOW.day_in_denmark();
    let next_year = today.saturating_add(jiff::ToSpan::days(300));
    let leaves = PersonCommand::Depart {
        on: Some(next_year),
        reason: None,
    };
    let closed = PersonCommand::Put {
        name: name("Kontor"),
        affiliations: Default::default(),
        departed: false,
        record: Some(RosterRecord {
            source: SourceName::new("Kommune A").unwrap(),
            sourced_id: ExternalId::new("c1").unwrap(),
            user_ids: Default::default(),
            enabled: false,
            enrolled: None,
            profiles: None,
        }),
    };
    let until = GrantDetails {
        last_day: Some(next_year),
        ..everywhere(Role::Administrator)
    };
    let always = || everywhere(Role::Administrator);
    let refused = |memory: &Memory, (stream, command): (GrantsId, GrantsCommand)| {
        let command = planledger_core::domain::Command::Grants(stream, command);
        let refused = memory.decide(SYSTEM, &command).err();
        refused.map(|refusal| refusal.reason) == Some(Reason::LastAdministrator)
    };
    let stays = with_second(always(), None);
    assert!(!refused(&stays, revoke(1, CHIEF)));
    for (details, becomes) in [
        (until, None),
        (always(), Some(leaves)),
        (always(), Some(closed)),
    ] {
        let memory = with_second(details, becomes);
        assert!(
            refused(&memory, revoke(1, CHIEF)),
            "{:?}",
            memory.recorded().last()
        );
        // The other one may go.
        assert!(!refused(&memory, revoke(2, HELPER)));
    }
}

#[test]
fn nobody_grants_for_somebody_to_that_somebody() {
    let audits = everywhere(Role::Auditor);
    given(with(vec![]))
        .when_for(SYSTEM, CLERK, grant(2, HELPER, audits))
        .then_refused(Reason::GrantToOneself, None);
}

#[test]
fn every_role_can_be_granted_in_its_scopes_and_in_no_other() {
    let scopes = [
        Scope::Municipality,
        Scope::Institution(SCHOOL),
        Scope::Team(TEAM),
        Scope::Student(STUDENT),
    ];
    let memory = Memory::of(with(vec![]));
    for role in Role::ALL {
        for grantee in [HELPER, Actor::System(PLATFORM)] {
            for scope in scopes {
                let (stream, command) = grant(2, grantee, details(role, scope));
                let command = planledger_core::domain::Command::Grants(stream, command);
                let done = memory.decide(LEADER, &command).is_ok();
                let expected = role.is_for(grantee) && role.scopes().contains(&scope.kind());
                assert_eq!(done, expected, "{} {grantee} {scope:?}", role.name());
            }
        }
    }
}

pub(crate) fn refusals() -> Vec<Reason> {
    let today = Memory::NOW.day_in_denmark();
    let yesterday = today.yesterday().unwrap();
    let over = GrantDetails {
        last_day: Some(yesterday),
        ..everywhere(Role::Auditor)
    };
    let far = GrantDetails {
        last_day: Some(jiff::civil::date(2099, 1, 1)),
        ..everywhere(Role::Auditor)
    };
    let officer = || everywhere(Role::RecordsOfficer);
    let system = Actor::System(PLATFORM);
    let stranger = Actor::Person(PersonId::from_bytes([0x3E; 16]));
    let nowhere = Scope::Team(TeamId::from_bytes([0x4F; 16]));
    let helps = || vec![grant(2, HELPER, officer())];
    let ended = || {
        let second = grant(2, HELPER, officer());
        vec![second, revoke(2, HELPER)]
    };
    let second = || grant(2, HELPER, everywhere(Role::Administrator));
    refusals! {
        given(with(vec![])), SYSTEM, bootstrap(HELPER) => AdministratorExists;
        given(registered()), SYSTEM, bootstrap(stranger) => PersonNotFound at Target;
        given(with(vec![])), LEADER, grant(2, CHIEF, everywhere(Role::Auditor)) => GrantToOneself;
        given(with(vec![])), LEADER, grant(2, stranger, officer()) => PersonNotFound at Target;
        given(a_school()), LEADER, grant(2, system, officer()) => SystemNotFound at Target;
        given(with(vec![])), LEADER, grant(2, system, officer()) => RoleNotForGrantee at DetailsRole;
        given(with(vec![])), LEADER, grant(2, HELPER, details(Role::Student, Scope::Student(STUDENT)))
            => RoleNotForGrantee at DetailsRole;
        given(with(vec![])), LEADER, grant(2, HELPER, details(Role::Leader, Scope::Team(TEAM)))
            => ScopeNotForRole at DetailsScope;
        given(with(vec![])), LEADER, grant(2, HELPER, details(Role::Teacher, nowhere))
            => TeamNotFound at DetailsScope;
        given(with(vec![])), LEADER, grant(2, HELPER, over) => DatesReversed at DetailsLastDay;
        given(with(vec![])), LEADER, grant(2, HELPER, far) => DateOutOfRange at DetailsLastDay;
        given(with(helps())), LEADER, grant(3, HELPER, everywhere(Role::Administrator))
            => RolesIncompatible at DetailsRole;
        given(with(helps())), LEADER, grant(2, HELPER, officer()) => AlreadyExists at Grant;
        given(with(vec![])), LEADER, revoke(9, CHIEF) => GrantNotFound at Grant;
        given(with(ended())), LEADER, revoke(2, HELPER) => GrantRevoked at Grant;
        given(with(vec![])), LEADER, revoke(1, CHIEF) => LastAdministrator;
        given(with(vec![second()])), SYSTEM, grant(3, system, everywhere(Role::LearningPlatform))
            => GrantToOwnSystem at Target;
    }
}
