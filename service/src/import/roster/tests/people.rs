//! What good rows become.

use planledger_core::domain::Command;
use planledger_core::domain::institution::InstitutionCommand;
use planledger_core::domain::person::{PersonCommand, Role};
use planledger_core::domain::team::{StaffRole, TeamCommand};
use planledger_core::ids::PersonId;

use super::super::{Roster, RosterSummary};
use super::TODAY;
use super::export::{all, export, person, team};
use crate::import::sample;

#[test]
fn every_kind_of_row_becomes_its_command_after_what_it_names() {
    let mut roster = export().open().unwrap();
    let all = all(&mut roster);
    let kinds = all
        .iter()
        .map(|imported| (imported.file.as_ref(), imported.row));
    let kinds: Vec<(&str, u64)> = kinds.collect();
    let mut expected = vec![("academicSessions.csv", 3)];
    expected.extend((2..=4).map(|row| ("orgs.csv", row)));
    expected.extend((2..=10).map(|row| ("users.csv", row)));
    expected.extend((2..=4).map(|row| ("users.csv", row)));
    expected.extend((2..=3).map(|row| ("classes.csv", row)));
    assert_eq!(kinds, expected);
    let summary = RosterSummary {
        school_years: 1,
        institutions: 3,
        students: 3,
        guardians: 1,
        teachers: 2,
        pedagogues: 1,
        leaders: 1,
        others: 1,
        departed: 2,
        guardianships: 2,
        agents_passed_over: 0,
        teams: 2,
        memberships: 1,
        staff: 4,
        gone_passed_over: 0,
        bad_passed_over: 0,
        values_passed_over: 0,
        commands: 18,
    };
    assert_eq!(roster.summary(), summary);
}

#[test]
fn names_keep_their_danish_letters_and_places_their_roles() {
    let commands = export().commands();
    let put = |id: &str| {
        commands
            .iter()
            .find_map(|imported| match &imported.command {
                Command::Person(
                    found,
                    PersonCommand::Put {
                        name,
                        affiliations,
                        departed,
                        ..
                    },
                ) if *found == person(id) => {
                    Some((name.as_str().to_owned(), affiliations.clone(), *departed))
                }
                _ => None,
            })
    };
    let (name, places, departed) = put("e1").unwrap();
    assert_eq!(name, "Åse Ærø");
    assert!(!departed);
    assert_eq!(
        places.first().unwrap().grade.as_ref().unwrap().as_str(),
        "07"
    );
    let (_, places, _) = put("f1").unwrap();
    assert_eq!(places.len(), 2);
    assert!(
        places
            .iter()
            .all(|place| place.role == Role::Guardian && place.grade.is_none())
    );
    assert_eq!(put("e2").unwrap().0, "Bo");
    assert!(put("e3").unwrap().2, "tobedeleted has left");
    assert!(put("l2").unwrap().2, "tobedeleted has left");
    assert!(
        !put("e2").unwrap().2,
        "a student who may not log in is there"
    );
}

#[test]
fn every_agent_who_is_there_is_a_guardian_whatever_else_they_are() {
    let puts: Vec<_> = export()
        .bodies()
        .into_iter()
        .filter_map(|command| match command {
            Command::Person(
                id,
                PersonCommand::PutGuardians {
                    guardians,
                    last_day_of_others,
                },
            ) => {
                assert_eq!(last_day_of_others, TODAY);
                Some((
                    id,
                    guardians
                        .into_iter()
                        .map(|g| g.guardian)
                        .collect::<Vec<_>>(),
                ))
            }
            _ => None,
        })
        .collect();
    let expected = [
        (person("e1"), sorted([person("f1"), person("l1")])),
        (person("e2"), vec![]),
        (person("e3"), vec![]),
    ];
    assert_eq!(puts, expected);
}

#[test]
fn a_team_has_who_is_enrolled_today_and_the_primary_teacher_who_is_still_there() {
    let commands = export().commands();
    let TeamCommand::Put {
        details,
        members,
        staff,
        owner,
        closed,
        ..
    } = team(&commands, "7.b dansk")
    else {
        unreachable!()
    };
    assert_eq!(members.iter().collect::<Vec<_>>(), [&person("e1")]);
    let expected = [
        (person("l1"), StaffRole::Teacher),
        (person("p1"), StaffRole::Pedagogue),
    ]
    .into();
    assert_eq!(*staff, expected);
    assert_eq!(*owner, Some(person("l1")));
    assert!(!closed);
    assert_eq!(details.subject.as_ref().unwrap().as_str(), "Dansk");
    assert_eq!(details.code.as_ref().unwrap().as_str(), "DAN");
    assert!(details.school_year.is_some(), "of its term");
}

#[test]
fn a_class_that_is_gone_closes_and_never_deletes() {
    let commands = export().commands();
    let TeamCommand::Put {
        details,
        members,
        staff,
        owner,
        closed,
        ..
    } = team(&commands, "9.x")
    else {
        unreachable!()
    };
    assert!(closed);
    assert!(members.is_empty(), "the enrolment ended yesterday");
    assert_eq!(*staff, [(person("l1"), StaffRole::Teacher)].into());
    assert_eq!(*owner, None);
    assert_eq!(
        details.subject.as_ref().unwrap().as_str(),
        "Historie, Samfundsfag"
    );
    assert_eq!(details.code.as_ref().unwrap().as_str(), "9X");
    assert!(details.school_year.is_some(), "of its course");
    let closed_orgs = commands.iter().filter(|imported| {
        matches!(
            imported.command,
            Command::Institution(_, InstitutionCommand::Put { closed: true, .. })
        )
    });
    assert_eq!(closed_orgs.count(), 1);
}

#[test]
fn the_sample_holds_what_its_readme_says() {
    let mut roster = Roster::from_files(sample::roster(), TODAY).unwrap();
    let summary = roster.summary();
    assert_eq!(
        (summary.institutions, summary.school_years, summary.teams),
        (3, 1, 122)
    );
    assert_eq!(
        (summary.students, summary.leaders, summary.departed),
        (60, 2, 0)
    );
    assert_eq!(summary.persons(), 220);
    assert_eq!(summary.memberships + summary.staff, 528);
    assert_eq!(all(&mut roster).len() as u64, summary.commands);
}

#[test]
fn an_enrolment_that_ends_or_a_class_that_is_cancelled_is_no_departure() {
    let enrolments = "enrollments.csv";
    let ended = export().replace(
        enrolments,
        "n6,active,7b,p1,aide,true,",
        "n6,active,7b,p1,aide,true,2026-11-23",
    );
    let deleted = export().replace(enrolments, "n6,active,7b,p1", "n6,tobedeleted,7b,p1");
    let cancelled = export().replace("classes.csv", "7b,active", "7b,tobedeleted");
    for export in [ended, deleted, cancelled] {
        let departed = export.bodies().iter().find_map(|command| match command {
            Command::Person(found, PersonCommand::Put { departed, .. })
                if *found == person("p1") =>
            {
                Some(*departed)
            }
            _ => None,
        });
        assert_eq!(departed, Some(false));
    }
}

#[test]
fn an_agent_who_has_left_and_the_agent_of_an_adult_are_passed_over_and_counted() {
    let gone = export().replace("users.csv", "f1,active", "f1,tobedeleted");
    let summary = gone.open().unwrap().summary();
    assert_eq!((summary.guardianships, summary.agents_passed_over), (1, 1));
    let adult = export().replace("users.csv", "Kjær,,", "Kjær,f1,");
    let summary = adult.open().unwrap().summary();
    assert_eq!((summary.guardianships, summary.agents_passed_over), (2, 1));
}

fn sorted(mut ids: [PersonId; 2]) -> Vec<PersonId> {
    ids.sort();
    ids.to_vec()
}
