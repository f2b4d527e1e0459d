//! Other formats than OneRoster 1.1 bulk.

use std::collections::BTreeMap;

use planledger_core::domain::Command;
use planledger_core::domain::person::{PersonCommand, Role};
use planledger_core::domain::team::{StaffRole, TeamCommand};

use super::export::{Export, export, person, team};

fn files(files: &[(&'static str, &str)]) -> Export {
    Export(
        files
            .iter()
            .map(|(name, text)| (*name, text.as_bytes().to_vec()))
            .collect(),
    )
}

/// The small export as OneRoster 1.2.
pub(super) fn one_two() -> Export {
    let mut changed = export().replace("manifest.csv", "version,1.1", "version,1.2");
    changed.0.insert(
        "users.csv",
        "sourcedId,status,enabledUser,givenName,familyName,agentSourcedIds,grades,\
         userMasterIdentifier,primaryOrgSourcedId\n\
         e1,active,true,Åse,Ærø,\"f1,l1\",07,m1,sk1\n\
         f1,inactive,true,Carl,Ærø,,,m2,\n\
         l1,active,true,Nora,Bach,,,m3,sk1\n"
            .into(),
    );
    changed.0.insert(
        "roles.csv",
        "sourcedId,status,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId\n\
         r1,active,e1,primary,student,2026-08-01,,sk1,\n\
         r2,active,f1,primary,parent,,,sk1,\n\
         r3,active,l1,secondary,teacher,,,sk1,\n\
         r4,active,l1,primary,principal,,,kom,\n\
         r5,active,l1,secondary,aide,,2026-11-23,kom,\n\
         r6,tobedeleted,l1,secondary,proctor,,,kom,\n"
            .into(),
    );
    changed.0.insert(
        "userProfiles.csv",
        "sourcedId,userSourcedId,username\n".into(),
    );
    changed.0.insert(
        "enrollments.csv",
        "sourcedId,status,classSourcedId,userSourcedId,role,primary,endDate\n\
         n1,active,7b,e1,student,false,\n\
         n2,active,7b,l1,teacher,true,\n"
            .into(),
    );
    changed
}

pub(super) fn affiliations(export: &Export, who: &str) -> Vec<(Role, Option<String>)> {
    let found = export
        .bodies()
        .into_iter()
        .find_map(|command| match command {
            Command::Person(
                id,
                PersonCommand::Put {
                    affiliations,
                    departed,
                    ..
                },
            ) if id == person(who) => {
                assert!(!departed);
                Some(affiliations)
            }
            _ => None,
        });
    let found = found.expect("the person is imported").into_iter();
    let found = found.map(|place| (place.role, place.grade.map(|grade| grade.to_string())));
    let mut found: Vec<_> = found.collect();
    found.sort();
    found
}

#[test]
fn roles_of_1_2_are_per_institution_and_end_with_their_last_day() {
    let roster = one_two();
    assert_eq!(roster.passed_over(), [] as [&str; 0]);
    assert_eq!(
        affiliations(&roster, "e1"),
        [(Role::Student, Some("07".to_owned()))]
    );
    let mut teacher = [(Role::Teacher, None), (Role::Leader, None)];
    teacher.sort();
    assert_eq!(affiliations(&roster, "l1"), teacher);
    let summary = roster.open().unwrap().summary();
    assert_eq!(
        (summary.leaders, summary.teachers, summary.guardianships),
        (1, 0, 2)
    );
    let commands = roster.commands();
    let TeamCommand::Put { staff, owner, .. } = team(&commands, "7.b dansk") else {
        unreachable!()
    };
    assert_eq!(*staff, [(person("l1"), StaffRole::Teacher)].into());
    assert_eq!(*owner, Some(person("l1")));
    let notes = roster.open().unwrap().notes();
    assert!(notes.iter().any(|note| note == "read as OneRoster 1.2"));
    assert!(!notes.iter().any(|note| note.contains("userProfiles")));
}

#[test]
fn a_user_without_a_role_or_with_a_bad_one_is_left_alone() {
    let none = one_two().replace("roles.csv", "r2,active,f1", "r2,active,f2");
    assert_eq!(
        none.passed_over(),
        [
            "bad REFERENCE_DANGLING users.csv:3 sourcedId",
            "part ROW_PASSED_OVER users.csv:2 agentSourcedIds",
            "bad REFERENCE_DANGLING roles.csv:3 userSourcedId",
        ]
    );
    let bad = one_two().replace("roles.csv", "primary,student", "primary,elev");
    assert_eq!(
        bad.passed_over(),
        [
            "bad VALUE_UNKNOWN roles.csv:2 role",
            "bad ROW_PASSED_OVER users.csv:2 sourcedId",
            "bad ROW_PASSED_OVER enrollments.csv:2 userSourcedId",
        ]
    );
    let mut missing = one_two();
    missing.0.remove("roles.csv");
    assert_eq!(missing.faults(), ["FILE_MISSING roles.csv"]);
}

#[test]
fn without_a_manifest_the_version_is_found_by_what_the_files_hold() {
    let mut roster = one_two();
    roster.0.remove("manifest.csv");
    assert_eq!(roster.bodies(), one_two().bodies());
    assert_eq!(
        roster.open().unwrap().notes().first().unwrap(),
        "no version is given: read as OneRoster 1.2"
    );
}

pub(super) fn sds() -> Export {
    files(&[
        (
            "orgs.csv",
            "sourcedId,name,type,parentSourcedId\nsk1,Åskolen,school,\n",
        ),
        (
            "users.csv",
            "sourcedId,username,givenName,familyName,password,activeDirectoryMatchId,email,phone,sms\n\
             e1,e1@x.dk,Åse,Ærø,,,,,\nf1,,Carl,Ærø,,,c@x.dk,,\nl1,l1@x.dk,Nora,Bach,,,,,\n",
        ),
        (
            "roles.csv",
            "userSourcedId,orgSourcedId,role,sessionSourcedId,grade,isPrimary,roleStartDate,roleEndDate\n\
             e1,sk1,student,y1,7,TRUE,2026-08-10,2027-06-25\nl1,sk1,professor,,,,,\n",
        ),
        (
            "relationships.csv",
            "userSourcedId,relationshipUserSourcedId,relationshipRole\ne1,f1,guardian\n",
        ),
        (
            "academicSessions.csv",
            "sourcedId,title,type,schoolYear,startDate,endDate\ny1,2026/27,schoolYear,2026,2026-08-10,2027-06-25\n",
        ),
        (
            "courses.csv",
            "sourcedId,orgSourcedId,title,code,schoolYearSourcedId,subject,grade\ndan,sk1,Dansk,DAN,y1,,7\n",
        ),
        (
            "classes.csv",
            "sourcedId,orgSourcedId,title,sessionSourcedIds,courseSourcedId\n7b,sk1,7.b dansk,y1,dan\n",
        ),
        (
            "enrollments.csv",
            "classSourcedId,userSourcedId,role\n7b,e1,student\n7b,l1,professor\n",
        ),
    ])
}

/// An export of School Data Sync, or the next one: a student changes class and gets another guardian, a
/// teacher stops guarding a child and another one changes class.
pub(super) fn two_classes(is_next: bool) -> Export {
    let now = |first: &'static str, next: &'static str| if is_next { next } else { first };
    let tables = [
        ("orgs.csv", "sourcedId,name,type", "sk1,Åskolen,school"),
        (
            "academicSessions.csv",
            "sourcedId,title,type,startDate,endDate",
            "y1,2026/27,schoolYear,2026-08-10,2027-06-25",
        ),
        (
            "users.csv",
            "sourcedId,username,givenName,familyName",
            "e1,e1@x,Åse,Ærø\ne2,e2@x,Bo,Dam\nf1,,Carl,Ærø\nf2,,Dora,Dam\nl1,l1@x,Nora,Bach\n\
             l2,l2@x,Emil,Gram",
        ),
        (
            "roles.csv",
            "userSourcedId,orgSourcedId,role,grade,roleEndDate",
            "e1,sk1,student,7,\ne2,sk1,student,8,\nl1,sk1,professor,,\nl2,sk1,teacher,,2027-06-25",
        ),
        (
            "relationships.csv",
            "userSourcedId,relationshipUserSourcedId,relationshipRole",
            now(
                "e1,f1,parent\ne1,l1,guardian\ne2,f2,relative",
                "e1,f1,parent\ne2,f1,guardian\ne2,f2,relative",
            ),
        ),
        (
            "classes.csv",
            "sourcedId,orgSourcedId,title,sessionSourcedIds",
            "7b,sk1,7.b dansk,y1\n8c,sk1,8.c,y1",
        ),
        (
            "enrollments.csv",
            "classSourcedId,userSourcedId,role",
            now(
                "7b,e1,student\n7b,l1,professor\n8c,e2,student\n8c,l2,teacher",
                "7b,e1,student\n7b,l1,professor\n7b,e2,student\n7b,l2,teacher",
            ),
        ),
    ];
    let tables = tables.map(|(file, header, rows)| (file, format!("{header}\n{rows}\n").into()));
    Export(tables.into())
}

#[test]
fn school_data_sync_2_1_goes_in_with_its_guardians() {
    let roster = sds();
    assert_eq!(roster.passed_over(), [] as [&str; 0]);
    assert_eq!(
        affiliations(&roster, "e1"),
        [(Role::Student, Some("7".to_owned()))]
    );
    assert_eq!(affiliations(&roster, "f1"), []);
    let commands = roster.commands();
    let TeamCommand::Put {
        details,
        members,
        staff,
        ..
    } = team(&commands, "7.b dansk")
    else {
        unreachable!()
    };
    assert!(details.school_year.is_some());
    assert_eq!(details.code.as_ref().unwrap().as_str(), "DAN");
    assert!(members.contains(&person("e1")));
    assert_eq!(*staff, BTreeMap::from([(person("l1"), StaffRole::Teacher)]));
    let summary = roster.open().unwrap().summary();
    assert_eq!((summary.guardianships, summary.guardians), (1, 1));
}

/// The default values that Microsoft lists for the role of a user, apart from `student`.
#[test]
fn every_role_that_school_data_sync_lists_is_known() {
    for (words, role, staff) in [
        (
            "teacher professor adjunct lecturer faculty instructor substitute",
            Role::Teacher,
            Some(StaffRole::Teacher),
        ),
        (
            "paraprofessional teacherAssistant assistant",
            Role::Pedagogue,
            Some(StaffRole::Pedagogue),
        ),
        ("principal administrator", Role::Leader, None),
        (
            "chair researcher affiliate occupationalTherapist physicalTherapist speechTherapist \
             visionTherapist specialServices advisor proctor nurse officeStaff itAdmin staff coach alumni \
             other",
            Role::Other,
            None,
        ),
    ] {
        for word in words.split(' ') {
            let changed = sds().replace("roles.csv", "professor", word);
            // No class lists somebody as these.
            let in_class = !["principal", "other"].contains(&word);
            let changed = match in_class {
                true => changed.replace("enrollments.csv", "professor", word),
                false => changed,
            };
            assert_eq!(affiliations(&changed, "l1"), [(role, None)], "{word}");
            if in_class {
                assert_eq!(changed.passed_over(), [""; 0], "{word}");
                let commands = changed.commands();
                let TeamCommand::Put { staff: found, .. } = team(&commands, "7.b dansk") else {
                    unreachable!()
                };
                assert_eq!(found.get(&person("l1")), staff.as_ref(), "{word}");
            }
        }
    }
}

#[test]
fn school_data_sync_2_goes_in_without_roles_and_sessions() {
    let roster = files(&[
        (
            "orgs.csv",
            "sourcedId,name,type,parentSourcedId\nkom,Ministeriet,ministryofeducation,\nsk1,Åskolen,school,kom\n",
        ),
        (
            "users.csv",
            "sourcedId,orgSourcedIds,givenName,familyName,username,password,role,grade\n\
             e1,sk1,Åse,Ærø,a,,Student,7\nl1,sk1,Nora,Bach,n,,Teacher,\n",
        ),
        (
            "classes.csv",
            "sourcedId,orgSourcedId,title\n7b,sk1,7.b dansk\n",
        ),
        (
            "enrollments.csv",
            "classSourcedId,userSourcedId,role\n7b,e1,Student\n7b,l1,Teacher\n",
        ),
    ]);
    assert_eq!(roster.passed_over(), [] as [&str; 0]);
    assert_eq!(
        affiliations(&roster, "e1"),
        [(Role::Student, Some("7".to_owned()))]
    );
    assert_eq!(roster.open().unwrap().summary().memberships, 1);
}

#[test]
fn an_export_of_changes_changes_what_it_names_and_nothing_else() {
    let delta = files(&[
        (
            "manifest.csv",
            "propertyName,value\noneroster.version,1.1\nfile.users,delta\nfile.enrollments,delta\nfile.classes,absent\n",
        ),
        (
            "users.csv",
            "sourcedId,status,enabledUser,orgSourcedIds,role,givenName,familyName,agentSourcedIds,grades\n\
             e1,active,true,sk1,student,Åse,Ny,f1,07\n",
        ),
        (
            "enrollments.csv",
            "sourcedId,status,classSourcedId,userSourcedId,role,primary,endDate\n\
             n1,active,7b,e1,student,false,\n\
             n2,tobedeleted,7b,e2,student,false,\n\
             n3,active,9x,l1,teacher,true,\n",
        ),
    ]);
    assert_eq!(delta.passed_over(), [] as [&str; 0]);
    let bodies = delta.bodies();
    assert_eq!(
        bodies.len(),
        4,
        "one person, guardians, two teams: {bodies:?}"
    );
    let places = bodies.iter().filter_map(|command| match command {
        Command::Team(
            _,
            TeamCommand::PutPart {
                details: None,
                members,
                staff,
                gone,
                unsaid: None,
                closed: None,
                ..
            },
        ) => Some((members.clone(), staff.len(), gone.clone())),
        _ => None,
    });
    let of = |who: &[&str]| who.iter().map(|who| person(who)).collect();
    assert_eq!(
        places.collect::<Vec<_>>(),
        [(of(&["e1"]), 0, of(&["e2"])), (of(&[]), 1, of(&[]))]
    );
    assert_eq!(delta.open().unwrap().summary().commands, 4);
}
