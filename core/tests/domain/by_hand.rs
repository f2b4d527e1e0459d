//! What a person decided stays, whatever an import says, until the roster says the same (P8).

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::institution::{InstitutionCommand, InstitutionEvent, InstitutionFact};
use planledger_core::domain::person::{
    Affiliation, Guardianship, Person, PersonCommand, PersonEvent, PersonFact, Role,
};
use planledger_core::domain::team::{
    StaffRole, Team, TeamCommand, TeamDetails, TeamEvent, TeamFact,
};
use planledger_core::domain::{Actor, Aggregate, RosterFact};
use planledger_core::ids::PersonId;
use planledger_fixtures::Memory;
use planledger_fixtures::school::*;
use proptest::prelude::*;

use crate::domain::harness::{Given, given};

fn guardians(named: &[PersonId], today: i8) -> PersonCommand {
    let named = named.iter().map(|guardian| Guardianship {
        guardian: *guardian,
        last_day: None,
    });
    PersonCommand::PutGuardians {
        guardians: named.collect(),
        last_day_of_others: day(11, today),
    }
}

fn put(roles: &[Affiliation], departed: bool) -> PersonCommand {
    PersonCommand::Put {
        name: name("Læreren"),
        affiliations: roles.iter().cloned().collect(),
        departed,
        record: None,
    }
}

fn teacher() -> Affiliation {
    affiliation(SCHOOL, Role::Teacher)
}

fn put_team(team: &Team, members: &[PersonId], staff: &[PersonId], closed: bool) -> TeamCommand {
    TeamCommand::Put {
        details: team.details.clone(),
        members: members.iter().copied().collect(),
        staff: staff
            .iter()
            .map(|person| (*person, StaffRole::Teacher))
            .collect(),
        owner: None,
        closed,
        source: None,
    }
}

fn person(given: &Given, id: PersonId) -> Person {
    match given.state(id) {
        Aggregate::Person(person) => person.clone(),
        other => panic!("{other:?}"),
    }
}

fn team(given: &Given) -> Team {
    match given.state(TEAM) {
        Aggregate::Team(team) => team.clone(),
        other => panic!("{other:?}"),
    }
}

fn kept(fact: PersonFact) -> [RosterFact; 1] {
    [RosterFact::Person(fact)]
}

fn kept_of_team(fact: TeamFact) -> [RosterFact; 1] {
    [RosterFact::Team(fact)]
}

fn left(fact: PersonFact) -> [PersonEvent; 1] {
    let facts = BTreeSet::from([fact]);
    [PersonEvent::LeftToRoster { facts }]
}

const NO_EVENTS: [PersonEvent; 0] = [];

#[test]
fn a_guardianship_that_a_leader_ended_stays_ended_until_the_roster_dropped_and_named_it_anew() {
    let fact = PersonFact::Guardian(GUARDIAN);
    let end = PersonCommand::EndGuardianship {
        guardian: GUARDIAN,
        last_day: day(11, 1),
    };
    let named_again = PersonEvent::GuardianshipSet(Guardianship {
        guardian: GUARDIAN,
        last_day: None,
    });
    let ended = given(a_school())
        .when(SYSTEM, (STUDENT, guardians(&[GUARDIAN], 1)))
        .then([named_again.clone()])
        .when(LEADER, (STUDENT, end))
        .then([PersonEvent::GuardianshipEnded {
            guardian: GUARDIAN,
            last_day: day(11, 1),
        }])
        .when(SYSTEM, (STUDENT, guardians(&[GUARDIAN], 2)))
        .then_keeping(kept(fact), NO_EVENTS)
        .when(SYSTEM, (STUDENT, guardians(&[GUARDIAN], 3)))
        .then_keeping(kept(fact), NO_EVENTS);
    assert!(!person(&ended, STUDENT).guardian_on(GUARDIAN, day(11, 4)));
    let dropped = ended
        .when(SYSTEM, (STUDENT, guardians(&[], 4)))
        .then(left(fact));
    assert_eq!(person(&dropped, STUDENT).by_hand, BTreeSet::new());
    dropped
        .when(SYSTEM, (STUDENT, guardians(&[GUARDIAN], 5)))
        .then([named_again]);
}

#[test]
fn a_guardian_whom_a_leader_added_stays_although_the_roster_names_nobody() {
    let fact = PersonFact::Guardian(GUARDIAN);
    let set = Guardianship {
        guardian: GUARDIAN,
        last_day: None,
    };
    let added = given(a_school())
        .when(
            LEADER,
            (STUDENT, PersonCommand::SetGuardianship(set.clone())),
        )
        .then([PersonEvent::GuardianshipSet(set)])
        .when(SYSTEM, (STUDENT, guardians(&[], 2)))
        .then_keeping(kept(fact), NO_EVENTS);
    assert!(person(&added, STUDENT).guardian_on(GUARDIAN, day(12, 1)));
    // The roster follows, and later drops the guardian.
    added
        .when(SYSTEM, (STUDENT, guardians(&[GUARDIAN], 3)))
        .then(left(fact))
        .when(SYSTEM, (STUDENT, guardians(&[], 4)))
        .then([PersonEvent::GuardianshipEnded {
            guardian: GUARDIAN,
            last_day: day(11, 4),
        }]);
}

#[test]
fn a_departure_that_an_import_brought_is_taken_back_by_one_whoever_ran_them() {
    let returned = || PersonEvent::Returned {};
    let departed = || PersonEvent::Departed {
        last_day: None,
        reason: None,
    };
    let left = || PersonEvent::LeftToRoster {
        facts: BTreeSet::from([PersonFact::Departure]),
    };
    let gone = given(a_school())
        .when(LEADER, (TEACHER, put(&[teacher()], true)))
        .then([departed(), left()]);
    gone.when(SYSTEM, (TEACHER, put(&[teacher()], false)))
        .then([returned()])
        .when(LEADER, (TEACHER, put(&[teacher()], true)))
        .then([departed(), left()])
        .when(LEADER, (TEACHER, put(&[teacher()], false)))
        .then([returned(), left()]);
}

#[test]
fn an_institution_that_a_leader_closed_stays_closed_until_the_roster_has_said_so() {
    let fact = RosterFact::Institution(InstitutionFact::Closed);
    let details = || institution_details("Nordvestskolen");
    let put = |closed| {
        let details = details();
        InstitutionCommand::Put { details, closed }
    };
    let no_events: [InstitutionEvent; 0] = [];
    let left = || InstitutionEvent::LeftToRoster {
        facts: BTreeSet::from([InstitutionFact::Closed]),
    };
    let reason = why("Lagt sammen");
    let close = InstitutionCommand::Close {
        reason: reason.clone(),
    };
    given(a_school())
        .when(LEADER, (SCHOOL, close))
        .then([InstitutionEvent::Closed { reason }])
        .when(SYSTEM, (SCHOOL, put(false)))
        .then_keeping([fact], no_events.clone())
        .when(SYSTEM, (SCHOOL, put(true)))
        .then([left()])
        .when(SYSTEM, (SCHOOL, put(false)))
        .then([InstitutionEvent::Reopened {}])
        // What a leader reopened stays open just so.
        .when(SYSTEM, (SCHOOL, put(true)))
        .then([InstitutionEvent::Closed { reason: None }])
        .when(LEADER, (SCHOOL, InstitutionCommand::Reopen))
        .then([InstitutionEvent::Reopened {}])
        .when(SYSTEM, (SCHOOL, put(true)))
        .then_keeping([fact], no_events)
        .when(LEADER, (SCHOOL, put(false)))
        .then([left()]);
}

#[test]
fn a_system_that_acts_for_a_person_decides_by_hand() {
    let depart = PersonCommand::Depart {
        on: None,
        reason: None,
    };
    given(a_school())
        .when_for(SYSTEM, Actor::Person(LEADER), (TEACHER, depart))
        .then([PersonEvent::Departed {
            last_day: None,
            reason: None,
        }])
        .when(SYSTEM, (TEACHER, put(&[teacher()], false)))
        .then_keeping(kept(PersonFact::Departure), NO_EVENTS);
}

#[test]
fn somebody_whom_a_leader_took_back_does_not_leave_again_by_the_same_roster() {
    given(a_school())
        .when(SYSTEM, (TEACHER, put(&[teacher()], true)))
        .then([PersonEvent::Departed {
            last_day: None,
            reason: None,
        }])
        .when(LEADER, (TEACHER, PersonCommand::Return))
        .then([PersonEvent::Returned {}])
        .when(SYSTEM, (TEACHER, put(&[teacher()], true)))
        .then_keeping(kept(PersonFact::Departure), NO_EVENTS);
}

#[test]
fn a_role_that_a_leader_added_or_ended_stays() {
    let leads = affiliation(OTHER_SCHOOL, Role::Leader);
    let fact = |at: &Affiliation| PersonFact::Affiliation {
        institution: at.institution,
        role: at.role,
    };
    let end = PersonCommand::EndAffiliation {
        institution: SCHOOL,
        role: Role::Teacher,
    };
    given(a_school())
        .when(
            LEADER,
            (TEACHER, PersonCommand::SetAffiliation(leads.clone())),
        )
        .then([PersonEvent::AffiliationSet(leads.clone())])
        .when(LEADER, (TEACHER, end))
        .then([PersonEvent::AffiliationEnded {
            institution: SCHOOL,
            role: Role::Teacher,
        }])
        .when(SYSTEM, (TEACHER, put(&[teacher()], false)))
        .then_keeping(
            [fact(&teacher()), fact(&leads)].map(RosterFact::Person),
            NO_EVENTS,
        )
        .when(SYSTEM, (TEACHER, put(std::slice::from_ref(&leads), false)))
        .then([PersonEvent::LeftToRoster {
            facts: BTreeSet::from([fact(&teacher()), fact(&leads)]),
        }]);
}

#[test]
fn a_substitute_whom_a_leader_added_and_a_team_that_a_leader_closed_stay_so() {
    let before = given(a_team());
    let school = team(&before);
    let members: Vec<_> = school.members.iter().copied().collect();
    let staff: Vec<_> = school.staff.keys().copied().collect();
    assert!(!staff.contains(&LEADER) && !school.closed);
    let import =
        |members: &[_], staff: &[_], closed| (TEAM, put_team(&school, members, staff, closed));
    let add = TeamCommand::AddStaff {
        person: LEADER,
        role: StaffRole::Teacher,
    };
    let none: [TeamEvent; 0] = [];
    let by_hand = before
        .when(SYSTEM, import(&members, &staff, false))
        .then_nothing()
        .when(LEADER, (TEAM, add))
        .then([TeamEvent::StaffAdded {
            person: LEADER,
            role: StaffRole::Teacher,
        }])
        .when(LEADER, (TEAM, TeamCommand::Close { reason: None }))
        .then([TeamEvent::Closed { reason: None }])
        .when(SYSTEM, import(&members, &staff, false))
        .then_keeping(
            [TeamFact::Staff(LEADER), TeamFact::Closed].map(RosterFact::Team),
            none.clone(),
        );
    let now = team(&by_hand);
    assert!(now.closed && now.staff.contains_key(&LEADER));
    // The roster follows in one of them.
    let with_leader: Vec<_> = staff.iter().copied().chain([LEADER]).collect();
    by_hand
        .when(SYSTEM, import(&members, &with_leader, false))
        .then_keeping(
            kept_of_team(TeamFact::Closed),
            [TeamEvent::LeftToRoster {
                facts: BTreeSet::from([TeamFact::Staff(LEADER)]),
            }],
        )
        .when(SYSTEM, import(&members, &staff, false))
        .then_keeping(
            kept_of_team(TeamFact::Closed),
            [TeamEvent::StaffRemoved { person: LEADER }],
        );
}

#[test]
fn a_student_whom_a_leader_removed_stays_removed_until_the_roster_follows() {
    let before = given(a_team());
    let school = team(&before);
    let members: Vec<_> = school.members.iter().copied().collect();
    let staff: Vec<_> = school.staff.keys().copied().collect();
    assert!(members.contains(&STUDENT));
    let others: Vec<_> = members
        .iter()
        .copied()
        .filter(|it| *it != STUDENT)
        .collect();
    let fact = TeamFact::Member(STUDENT);
    let import = |members: &[_]| (TEAM, put_team(&school, members, &staff, false));
    before
        .when(SYSTEM, import(&members))
        .then_nothing()
        .when(
            LEADER,
            (TEAM, TeamCommand::RemoveMember { student: STUDENT }),
        )
        .then([TeamEvent::MemberRemoved { student: STUDENT }])
        .when(SYSTEM, import(&members))
        .then_keeping(kept_of_team(fact), [] as [TeamEvent; 0])
        .when(SYSTEM, import(&others))
        .then([TeamEvent::LeftToRoster {
            facts: BTreeSet::from([fact]),
        }])
        .when(SYSTEM, import(&members))
        .then([TeamEvent::MemberAdded { student: STUDENT }]);
}

/// What a roster, or a person, says of the guardian, the teacher's presence and the team.
#[derive(Clone, Copy, Debug)]
struct Word {
    guardian: bool,
    there: bool,
    member: bool,
    open: bool,
}

impl Word {
    fn of(memory: &Memory) -> Self {
        let person = |id| match memory.state(id) {
            Some(Aggregate::Person(person)) => person.clone(),
            other => panic!("{other:?}"),
        };
        let Some(Aggregate::Team(team)) = memory.state(TEAM) else {
            panic!("no team");
        };
        Self {
            guardian: person(STUDENT).guardian_on(GUARDIAN, day(12, 1)),
            there: person(TEACHER).departed.is_none(),
            member: team.members.contains(&STUDENT),
            open: !team.closed,
        }
    }

    fn each(self) -> [bool; 4] {
        [self.guardian, self.there, self.member, self.open]
    }
}

fn imported(memory: &mut Memory, runs: Actor, word: Word) {
    let Some(Aggregate::Team(team)) = memory.state(TEAM).cloned() else {
        panic!("no team");
    };
    let staff: BTreeMap<_, _> = team.staff.clone();
    let named: &[PersonId] = if word.guardian { &[GUARDIAN] } else { &[] };
    let members = if word.member {
        BTreeSet::from([STUDENT])
    } else {
        BTreeSet::new()
    };
    let details: TeamDetails = team.details;
    let put_team = TeamCommand::Put {
        details,
        members,
        staff,
        owner: None,
        closed: !word.open,
        source: None,
    };
    memory.does(runs, (STUDENT, guardians(named, 2)));
    memory.does(runs, (TEACHER, put(&[teacher()], !word.there)));
    memory.does(runs, (TEAM, put_team));
}

/// A person makes one thing otherwise than it is.
fn changed_by_hand(memory: &mut Memory, which: usize) {
    let now = Word::of(memory).each()[which];
    let set = Guardianship {
        guardian: GUARDIAN,
        last_day: None,
    };
    let student = STUDENT;
    match (which, now) {
        (0, true) => {
            let end = PersonCommand::EndGuardianship {
                guardian: GUARDIAN,
                last_day: day(11, 1),
            };
            memory.does(LEADER, (STUDENT, end));
        }
        (0, false) => memory.does(LEADER, (STUDENT, PersonCommand::SetGuardianship(set))),
        (1, true) => {
            let depart = PersonCommand::Depart {
                on: None,
                reason: None,
            };
            memory.does(LEADER, (TEACHER, depart));
        }
        (1, false) => memory.does(LEADER, (TEACHER, PersonCommand::Return)),
        (2, true) => memory.does(LEADER, (TEAM, TeamCommand::RemoveMember { student })),
        (2, false) => memory.does(LEADER, (TEAM, TeamCommand::AddMember { student })),
        (_, true) => memory.does(LEADER, (TEAM, TeamCommand::Close { reason: None })),
        (_, false) => memory.does(LEADER, (TEAM, TeamCommand::Reopen)),
    }
}

proptest! {
    /// Against a naive account of each fact: what is so, and whether a person decided it against the
    /// roster's word.
    #[test]
    fn an_import_changes_what_the_roster_decides_and_nothing_that_a_person_decided(
        steps in prop::collection::vec(
            prop_oneof![
                (any::<[bool; 4]>(), any::<bool>()).prop_map(Ok),
                (0usize..4).prop_map(Err),
            ],
            1..24,
        ),
    ) {
        let mut memory = given(a_team()).world();
        let mut expected = Word::of(&memory).each().map(|now| (now, false));
        for step in steps {
            match step {
                Ok(([guardian, there, member, open], by_a_person)) => {
                    let runs = if by_a_person { Actor::Person(LEADER) } else { SYSTEM };
                    let word = Word { guardian, there, member, open };
                    imported(&mut memory, runs, word);
                    for ((now, by_hand), says) in expected.iter_mut().zip(word.each()) {
                        match *by_hand {
                            // The roster follows.
                            true if *now == says => *by_hand = false,
                            true => {}
                            false => *now = says,
                        }
                    }
                }
                Err(which) => {
                    changed_by_hand(&mut memory, which);
                    let (now, _) = expected[which];
                    expected[which] = (!now, true);
                }
            }
            prop_assert_eq!(Word::of(&memory).each(), expected.map(|(now, _)| now));
        }
    }
}

fn part(gone: &[PersonId], unsaid: Option<&[PersonId]>) -> TeamCommand {
    TeamCommand::PutPart {
        details: None,
        members: BTreeSet::new(),
        staff: BTreeMap::new(),
        gone: gone.iter().copied().collect(),
        unsaid: unsaid.map(|unsaid| unsaid.iter().copied().collect()),
        owner: None,
        closed: None,
        source: None,
    }
}

#[test]
fn an_import_that_says_nothing_of_a_person_leaves_their_place_in_a_team() {
    let before = team(&given(a_team()));
    assert!(before.members.contains(&STUDENT));
    let nobody = given(a_team())
        .when(SYSTEM, (TEAM, part(&[], None)))
        .then([] as [TeamEvent; 0])
        .when(SYSTEM, (TEAM, part(&[], Some(&everybody(&before)))))
        .then([] as [TeamEvent; 0]);
    assert_eq!(team(&nobody), before);
    let others: Vec<_> = everybody(&before)
        .into_iter()
        .filter(|person| *person != STUDENT)
        .collect();
    let removed = [TeamEvent::MemberRemoved { student: STUDENT }];
    given(a_team())
        .when(SYSTEM, (TEAM, part(&[], Some(&others))))
        .then(removed.clone());
    given(a_team())
        .when(SYSTEM, (TEAM, part(&[STUDENT], None)))
        .then(removed);
}

fn everybody(team: &Team) -> Vec<PersonId> {
    let staff = team.staff.keys();
    team.members.iter().chain(staff).copied().collect()
}

#[test]
fn an_import_that_says_nothing_of_a_guardian_leaves_the_guardianship() {
    let put = |unsaid: &[PersonId]| PersonCommand::PutSomeGuardians {
        guardians: BTreeSet::new(),
        unsaid: unsaid.iter().copied().collect(),
        others_unsaid: false,
        ended: BTreeSet::new(),
        last_day_of_others: day(11, 2),
    };
    given(a_school())
        .when(SYSTEM, (STUDENT, guardians(&[GUARDIAN], 1)))
        .then([PersonEvent::GuardianshipSet(Guardianship {
            guardian: GUARDIAN,
            last_day: None,
        })])
        .when(SYSTEM, (STUDENT, put(&[GUARDIAN])))
        .then(NO_EVENTS)
        .when(SYSTEM, (STUDENT, put(&[])))
        .then([PersonEvent::GuardianshipEnded {
            guardian: GUARDIAN,
            last_day: day(11, 2),
        }]);
}

#[test]
fn an_import_tells_every_link_that_it_ends_and_none_that_it_keeps() {
    let dropped = PersonFact::Guardian(GUARDIAN);
    given(a_school())
        .when(SYSTEM, (STUDENT, guardians(&[GUARDIAN], 1)))
        .then_dropping([])
        .when(SYSTEM, (STUDENT, guardians(&[], 2)))
        .then_dropping(kept(dropped))
        .when(SYSTEM, (STUDENT, guardians(&[], 3)))
        .then_dropping([]);
    let set = Guardianship {
        guardian: GUARDIAN,
        last_day: None,
    };
    given(a_school())
        .when(LEADER, (STUDENT, PersonCommand::SetGuardianship(set)))
        .then_dropping([])
        .when(SYSTEM, (STUDENT, guardians(&[], 2)))
        .then_dropping([]);
}
