use planledger_fixtures::events::departed;
use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::institution::InstitutionEvent;
use planledger_core::domain::team::{StaffRole, Team, TeamCommand, TeamDetails, TeamEvent};
use planledger_core::domain::{Actor, Aggregate, Reason};
use planledger_core::ids::{InstitutionId, PersonId, SchoolYearId, TeamId};

use crate::domain::harness::{Given, given, refusals};
use planledger_fixtures::school::*;

const NEW: TeamId = TeamId::from_bytes([0x42; 16]);

fn create(owner: Option<PersonId>) -> TeamCommand {
    TeamCommand::Create {
        details: team_details(),
        owner,
    }
}

fn deleted() -> TeamEvent {
    TeamEvent::Deleted { reason: None }
}

fn closed() -> TeamEvent {
    TeamEvent::Closed { reason: None }
}

fn transfer(to: PersonId) -> TeamCommand {
    TeamCommand::TransferOwnership { to, reason: None }
}

fn put(
    details: TeamDetails,
    members: &[PersonId],
    staff: &[(PersonId, StaffRole)],
    owner: Option<PersonId>,
    closed: bool,
) -> TeamCommand {
    TeamCommand::Put {
        details,
        members: members.iter().copied().collect(),
        staff: staff.iter().copied().collect(),
        owner,
        closed,
        source: None,
    }
}

fn state(given: &Given) -> Team {
    match given.state(TEAM) {
        Aggregate::Team(team) => team.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_team_is_created_with_or_without_an_owner() {
    for owner in [None, Some(TEACHER), Some(PEDAGOGUE), Some(LEADER)] {
        given(a_school())
            .when(TEACHER, (TEAM, create(owner)))
            .then([TeamEvent::Created {
                details: team_details(),
                owner,
            }]);
    }
}

#[test]
fn a_team_is_revised_when_something_changes() {
    let mut details = team_details();
    given(a_team())
        .when(TEACHER, (TEAM, TeamCommand::Revise(details.clone())))
        .then_nothing();
    details.title = title("8.b dansk");
    let after = given(a_team())
        .when(TEACHER, (TEAM, TeamCommand::Revise(details.clone())))
        .then([TeamEvent::Revised(details.clone())]);
    assert_eq!(state(&after).details, details);
}

#[test]
fn students_join_and_leave_a_team() {
    let add = TeamCommand::AddMember { student: CLASSMATE };
    let after = given(a_team())
        .when(TEACHER, (TEAM, add.clone()))
        .then([TeamEvent::MemberAdded { student: CLASSMATE }])
        .when(TEACHER, (TEAM, add))
        .then_nothing()
        .when(
            TEACHER,
            (TEAM, TeamCommand::RemoveMember { student: STUDENT }),
        )
        .then([TeamEvent::MemberRemoved { student: STUDENT }]);
    assert_eq!(state(&after).members, BTreeSet::from([CLASSMATE]));
}

#[test]
fn staff_join_change_role_and_leave() {
    let add = |role| TeamCommand::AddStaff {
        person: PEDAGOGUE,
        role,
    };
    let added = |role| TeamEvent::StaffAdded {
        person: PEDAGOGUE,
        role,
    };
    let after = given(a_team())
        .when(TEACHER, (TEAM, add(StaffRole::Pedagogue)))
        .then([added(StaffRole::Pedagogue)])
        .when(TEACHER, (TEAM, add(StaffRole::Pedagogue)))
        .then_nothing()
        .when(TEACHER, (TEAM, add(StaffRole::Teacher)))
        .then([added(StaffRole::Teacher)])
        .when(
            TEACHER,
            (TEAM, TeamCommand::RemoveStaff { person: TEACHER }),
        )
        .then([TeamEvent::StaffRemoved { person: TEACHER }]);
    assert_eq!(
        state(&after).staff,
        BTreeMap::from([(PEDAGOGUE, StaffRole::Teacher)])
    );
}

#[test]
fn closing_a_team_can_be_taken_back() {
    given(a_team())
        .when(TEACHER, (TEAM, TeamCommand::Close { reason: None }))
        .then([closed()])
        .when(TEACHER, (TEAM, TeamCommand::Reopen))
        .then([TeamEvent::Reopened {}]);
}

#[test]
fn a_deleted_team_says_when_by_whom_and_why_and_comes_back_as_it_was() {
    let before = state(&given(a_team()));
    let delete = TeamCommand::Delete {
        reason: why("Holdet findes ikke mere"),
    };
    let after = given(a_team())
        .when(TEACHER, (TEAM, delete))
        .then([TeamEvent::Deleted {
            reason: why("Holdet findes ikke mere"),
        }]);
    let deletion = state(&after).deleted.unwrap();
    assert_eq!(deletion.by, Actor::Person(TEACHER));
    assert_eq!(deletion.reason, why("Holdet findes ikke mere"));
    let last = after.clone().world().recorded().last().unwrap().meta;
    assert_eq!(deletion.at, last.recorded_at);
    let after = after
        .when(TEACHER, (TEAM, TeamCommand::Undelete))
        .then([TeamEvent::Undeleted {}]);
    assert_eq!(state(&after), before);
}

#[test]
fn a_team_changes_hands_also_when_it_is_deleted_or_its_owner_has_left() {
    let transferred = TeamEvent::OwnershipTransferred {
        from: Some(TEACHER),
        to: PEDAGOGUE,
        reason: None,
    };
    let after = given(a_team())
        .and((TEAM, deleted()))
        .and((TEACHER, departed()))
        .when(LEADER, (TEAM, transfer(PEDAGOGUE)))
        .then([transferred]);
    assert_eq!(state(&after).owner, Some(PEDAGOGUE));
}

#[test]
fn an_ownerless_team_gets_its_first_owner() {
    let created = TeamEvent::Created {
        details: team_details(),
        owner: None,
    };
    given(a_school())
        .and((TEAM, created))
        .when(LEADER, (TEAM, transfer(TEACHER)))
        .then([TeamEvent::OwnershipTransferred {
            from: None,
            to: TEACHER,
            reason: None,
        }]);
}

#[test]
fn an_import_of_a_team_records_differences_only() {
    let teacher = (TEACHER, StaffRole::Teacher);
    let pedagogue = (PEDAGOGUE, StaffRole::Pedagogue);
    let same = put(team_details(), &[STUDENT], &[teacher], None, false);
    given(a_team()).when(SYSTEM, (TEAM, same)).then_nothing();
    let mut details = team_details();
    details.title = title("8.b dansk");
    let other = put(details.clone(), &[CLASSMATE], &[pedagogue], None, true);
    given(a_team())
        .when(SYSTEM, (TEAM, other.clone()))
        .then([
            TeamEvent::Revised(details),
            TeamEvent::MemberRemoved { student: STUDENT },
            TeamEvent::MemberAdded { student: CLASSMATE },
            TeamEvent::StaffRemoved { person: TEACHER },
            TeamEvent::StaffAdded {
                person: PEDAGOGUE,
                role: StaffRole::Pedagogue,
            },
            closed(),
        ])
        .when(SYSTEM, (TEAM, other))
        .then_nothing();
}

#[test]
fn an_import_without_a_school_year_leaves_the_one_that_is_known() {
    let teacher = (TEACHER, StaffRole::Teacher);
    let mut details = team_details();
    assert!(details.school_year.take().is_some());
    let import = put(details, &[STUDENT], &[teacher], None, false);
    given(a_team()).when(SYSTEM, (TEAM, import)).then_nothing();
}

#[test]
fn an_import_makes_a_team_also_in_a_closed_institution() {
    let closing = InstitutionEvent::Closed { reason: None };
    given(a_school())
        .and((SCHOOL, closing))
        .when(
            SYSTEM,
            (
                TEAM,
                put(team_details(), &[STUDENT], &[], Some(CLERK), false),
            ),
        )
        .then([
            TeamEvent::Created {
                details: team_details(),
                owner: Some(CLERK),
            },
            TeamEvent::MemberAdded { student: STUDENT },
        ]);
}

#[test]
fn an_import_never_changes_an_owner_and_never_undeletes() {
    let teacher = (TEACHER, StaffRole::Teacher);
    let import = put(team_details(), &[STUDENT], &[teacher], Some(LEADER), false);
    let after = given(a_team())
        .and((TEAM, deleted()))
        .when(SYSTEM, (TEAM, import.clone()))
        .then_nothing();
    assert!(state(&after).deleted.is_some());
    let created = TeamEvent::Created {
        details: team_details(),
        owner: None,
    };
    given(a_school())
        .and((TEAM, created))
        .and((TEAM, TeamEvent::MemberAdded { student: STUDENT }))
        .and((
            TEAM,
            TeamEvent::StaffAdded {
                person: TEACHER,
                role: StaffRole::Teacher,
            },
        ))
        .when(SYSTEM, (TEAM, import))
        .then([TeamEvent::OwnershipTransferred {
            from: None,
            to: LEADER,
            reason: None,
        }]);
}

#[test]
fn the_rest_is_refused() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let mut nowhere = team_details();
    nowhere.institution = InstitutionId::from_bytes([1; 16]);
    let mut never = team_details();
    never.school_year = Some(SchoolYearId::from_bytes([1; 16]));
    let with = |details: &TeamDetails| TeamCommand::Create {
        details: details.clone(),
        owner: None,
    };
    let member = |student| TeamCommand::AddMember { student };
    let staff = |person| TeamCommand::AddStaff {
        person,
        role: StaffRole::Teacher,
    };
    let remove = |person| TeamCommand::RemoveStaff { person };
    let removed = |student| TeamCommand::RemoveMember { student };
    let close = TeamCommand::Close { reason: None };
    let delete = TeamCommand::Delete { reason: None };
    let mut seen = refusals! {
        given(a_team()), TEACHER, (TEAM, create(None)) => AlreadyExists at Target;
        // A team belongs to an institution that is known and, when it is new, in use.
        given(a_school()), TEACHER, (TEAM, with(&nowhere))
            => InstitutionNotFound at DetailsInstitution;
        given(a_school()).and((SCHOOL, InstitutionEvent::Closed { reason: None })), TEACHER,
            (TEAM, create(None)) => InstitutionClosed at DetailsInstitution;
        given(a_team()), TEACHER, (TEAM, TeamCommand::Revise(nowhere.clone()))
            => InstitutionNotFound at DetailsInstitution;
        given(a_team()), SYSTEM, (NEW, put(nowhere, &[], &[], None, false))
            => InstitutionNotFound at DetailsInstitution;
        // Its school year is known.
        given(a_school()), TEACHER, (TEAM, with(&never)) => SchoolYearNotFound at DetailsSchoolYear;
        given(a_team()), TEACHER, (TEAM, TeamCommand::Revise(never.clone()))
            => SchoolYearNotFound at DetailsSchoolYear;
        given(a_team()), SYSTEM, (TEAM, put(never, &[], &[], None, false))
            => SchoolYearNotFound at DetailsSchoolYear;
        // Owners are staff who have not left.
        given(a_school()), TEACHER, (TEAM, create(Some(NOBODY))) => PersonNotFound at Owner;
        given(a_school()), TEACHER, (TEAM, create(Some(CLERK))) => NotStaff at Owner;
        given(a_school()).and((TEACHER, departed())), LEADER, (TEAM, create(Some(TEACHER)))
            => PersonDeparted at Owner;
        given(a_team()), TEACHER, (TEAM, transfer(TEACHER)) => AlreadyOwner at NewOwner;
        given(a_team()), TEACHER, (TEAM, transfer(STUDENT)) => NotStaff at NewOwner;
        given(a_team()).and((PEDAGOGUE, departed())), TEACHER, (TEAM, transfer(PEDAGOGUE))
            => PersonDeparted at NewOwner;
        given(a_team()), SYSTEM, (NEW, put(team_details(), &[], &[], Some(NOBODY), false))
            => PersonNotFound at Owner;
        // Members are students, staff are staff.
        given(a_team()), TEACHER, (TEAM, member(PEDAGOGUE)) => NotAStudent at Student;
        given(a_team()), TEACHER, (TEAM, member(NOBODY)) => PersonNotFound at Student;
        given(a_team()), TEACHER, (TEAM, staff(CLASSMATE)) => NotStaff at StaffPerson;
        given(a_team()), TEACHER, (TEAM, removed(CLASSMATE)) => MemberNotFound at Student;
        given(a_team()), TEACHER, (TEAM, remove(PEDAGOGUE)) => StaffNotFound at Person;
        // An import names people who are known; what they are is the other system's affair.
        given(a_team()), SYSTEM, (TEAM, put(team_details(), &[NOBODY], &[], None, false))
            => PersonNotFound at Members;
        given(a_team()), SYSTEM,
            (TEAM, put(team_details(), &[], &[(NOBODY, StaffRole::Teacher)], None, false))
            => PersonNotFound at StaffPerson;
        given(a_team()).and((TEAM, closed())), TEACHER, (TEAM, close.clone()) => AlreadyClosed;
        given(a_team()), TEACHER, (TEAM, TeamCommand::Reopen) => NotClosed;
        given(a_team()), TEACHER, (TEAM, TeamCommand::Undelete) => NotDeleted;
    };
    // A deleted team takes nothing but being undeleted, transferred and imported.
    for command in [
        TeamCommand::Revise(team_details()),
        member(CLASSMATE),
        removed(STUDENT),
        staff(PEDAGOGUE),
        remove(TEACHER),
        close.clone(),
        TeamCommand::Reopen,
        delete.clone(),
    ] {
        seen.extend(refusals! {
            given(a_team()).and((TEAM, deleted())), TEACHER, (TEAM, command) => TeamDeleted;
        });
    }
    for command in [
        TeamCommand::Revise(team_details()),
        member(STUDENT),
        removed(STUDENT),
        staff(TEACHER),
        remove(TEACHER),
        close,
        TeamCommand::Reopen,
        delete,
        TeamCommand::Undelete,
        transfer(TEACHER),
    ] {
        seen.extend(refusals! {
            given(a_school()), TEACHER, (TEAM, command) => TeamNotFound at Target;
        });
    }
    seen
}
