//! How long an export takes: four times the rows take about four times as long, whatever table they
//! stand in and whatever they name. Quadratic work would take sixteen times as long.

use std::fmt::Write;
use std::time::Instant;

use planledger_core::ids::RosterSourceId;
use planledger_core::text::SourceName;

use super::super::reader::layout::{
    CLASSES, COURSES, Column, ENROLLMENTS, MANIFEST, ORGS, PROFILES_1_2, RELATIONSHIPS_SDS,
    ROLES_1_2, ROLES_SDS, SESSIONS, USERS, USERS_1_2,
};
use super::super::{Origin, Terms};
use super::TODAY;
use super::export::{Export, all};
use super::forms::{read, windows};

/// How many times as long four times the work may take. Caches and lists that grow cost a little more
/// than in proportion.
const BOUND: f64 = 8.0;

/// Whether something takes time in proportion to its size. Another program may take the processor away,
/// but not every time.
fn is_linear(mut work: impl FnMut(bool)) -> bool {
    let mut time = |large| {
        let start = Instant::now();
        work(large);
        start.elapsed().as_secs_f64()
    };
    (0..5).any(|_| {
        // If only the small one is disturbed, quadratic work looks linear. So the least of three counts.
        let small = (0..3).map(|_| time(false)).fold(f64::MAX, f64::min);
        time(true) / small < BOUND
    })
}

/// The tests below prove something only if they would fail. Eight times the work here, so that a busy
/// machine does not hide it.
#[test]
fn quadratic_work_is_noticed() {
    let mut found = 0_u64;
    let mut look_through_all = |large: bool| {
        let all: Vec<u64> = (0..if large { 4_000 } else { 500 }).collect();
        for one in &all {
            found += all.iter().filter(|other| *other % 7 == one % 7).count() as u64;
        }
    };
    assert!(!is_linear(&mut look_through_all));
    assert!(found > 0);
}

#[test]
fn every_table_is_read_in_time_in_proportion_to_its_size() {
    let cell = |column: Column, row: usize| match column {
        Column::SourcedId => format!("æ{row}"),
        Column::StartDate | Column::EndDate => format!("8/{}/2026", row % 30 + 1),
        _ => "\"a \"\"b\"\"\nc\"".to_owned(),
    };
    for layout in [
        &MANIFEST,
        &ORGS,
        &SESSIONS,
        &COURSES,
        &CLASSES,
        &USERS,
        &USERS_1_2,
        &ENROLLMENTS,
        &ROLES_1_2,
        &ROLES_SDS,
        &RELATIONSHIPS_SDS,
        &PROFILES_1_2,
    ] {
        let table = |rows: usize, shorter: usize| {
            let columns = &layout.columns[..layout.columns.len() - shorter];
            let header: Vec<&str> = layout
                .columns
                .iter()
                .map(|column| column.header())
                .collect();
            let mut text = header.join(";") + "\n";
            for row in 0..rows {
                let cells: Vec<String> = columns.iter().map(|column| cell(*column, row)).collect();
                text.push_str(&(cells.join(";") + "\n"));
            }
            windows(&text)
        };
        for shorter in [0, 1] {
            let tables = [table(2_000, shorter), table(8_000, shorter)];
            let once = |large| drop(read(layout, tables[usize::from(large)].clone()));
            assert!(is_linear(once), "{}: more than in proportion", layout.file);
        }
    }
}

/// Rows of a table, numbered from 0.
fn rows(header: &str, count: usize, row: impl Fn(usize) -> String) -> Vec<u8> {
    let mut text = header.to_owned();
    for number in 0..count {
        write!(text, "\n{}", row(number)).unwrap();
    }
    (text + "\n").into_bytes()
}

/// `many(3, "p")` is `"p0,p1,p2"`.
fn many(count: usize, prefix: &str) -> String {
    let all: Vec<String> = (0..count)
        .map(|number| format!("{prefix}{number}"))
        .collect();
    format!("\"{}\"", all.join(","))
}

const STUDENTS: &str =
    "sourcedId,status,enabledUser,givenName,familyName,agentSourcedIds,grades,username";
const ROLES: &str = "sourcedId,status,userSourcedId,roleType,role,orgSourcedId,endDate";
const CLASS: &str =
    "sourcedId,status,title,courseSourcedId,classCode,schoolSourcedId,termSourcedIds,subjects";
const PROFILES: &str = "sourcedId,status,userSourcedId,profileType,vendorId,username";
const PLACES: &str = "sourcedId,status,classSourcedId,userSourcedId,role,primary,endDate";

/// An export of OneRoster 1.2 in which there are so many of everything. Each student is the guardian of
/// the one before, and each session is part of the one before.
fn many_of_all(count: usize, mode: &str) -> Export {
    let last = count - 1;
    let manifest = format!("propertyName,value\noneroster.version,1.2\nfile.users,{mode}\n");
    let orgs = rows("sourcedId,status,name,type,identifier", count, |n| {
        format!("o{n},,Skole {n},school,{n}")
    });
    let sessions = "sourcedId,status,title,type,startDate,endDate,parentSourcedId";
    let sessions = rows(sessions, count, |n| match n {
        0 => "t0,,2026/27,schoolYear,2026-08-10,2027-06-25,".to_owned(),
        _ => format!("t{n},,Del {n},term,2026-08-10,2027-06-25,t{}", n - 1),
    });
    let courses = "sourcedId,status,schoolYearSourcedId,courseCode,subjects";
    let courses = rows(courses, count, |n| format!("f{n},,t0,F{n},Dansk"));
    let classes = rows(CLASS, count, |n| {
        format!("c{n},,Hold {n},f{n},C{n},o{n},t{n},")
    });
    let users = rows(STUDENTS, count, |n| {
        format!("p{n},,true,Åse,Ærø,p{},07,bruger{n}", (n + 1) % count)
    });
    let roles = rows(ROLES, count, |n| {
        format!("r{n},,p{n},primary,student,o{n},")
    });
    let places = rows(PLACES, count, |n| {
        format!("n{n},,c{},p{n},student,false,", last - n)
    });
    let profiles = rows(PROFILES, count, |n| {
        format!("u{n},,p{},skole,A,navn{n}", last - n)
    });
    Export(
        [
            ("manifest.csv", manifest.into_bytes()),
            ("orgs.csv", orgs),
            ("academicSessions.csv", sessions),
            ("courses.csv", courses),
            ("classes.csv", classes),
            ("users.csv", users),
            ("roles.csv", roles),
            ("enrollments.csv", places),
            ("userProfiles.csv", profiles),
        ]
        .into(),
    )
}

/// A small export of OneRoster 1.2 with so many people, and one table of its own.
fn one_large(people: usize, mode: &str, file: &'static str, table: Vec<u8>) -> Export {
    let mut export = many_of_all(1, mode);
    let users = rows(STUDENTS, people, |n| {
        format!("p{n},,true,Åse,Ærø,,07,bruger{n}")
    });
    let roles = rows(ROLES, people, |n| format!("r{n},,p{n},primary,student,o0,"));
    export.0.insert("users.csv", users);
    export.0.insert("roles.csv", roles);
    export.0.insert(file, table);
    export
}

/// An export of School Data Sync in which everybody is the guardian of the next one, or of the first.
fn relationships(count: usize, all_of_one: bool) -> Export {
    let mut export = many_of_all(count, "bulk");
    for file in [
        "manifest.csv",
        "userProfiles.csv",
        "academicSessions.csv",
        "courses.csv",
    ] {
        export.0.remove(file);
    }
    let users = rows("sourcedId,givenName,familyName", count, |n| {
        format!("p{n},Åse,Ærø")
    });
    let roles = "userSourcedId,orgSourcedId,role";
    let roles = rows(roles, count, |n| format!("p{n},o{n},student"));
    let classes = "sourcedId,orgSourcedId,title";
    let classes = rows(classes, count, |n| format!("c{n},o{n},Hold {n}"));
    let places = "classSourcedId,userSourcedId,role";
    let places = rows(places, count, |n| format!("c{n},p{n},student"));
    let guards = rows("userSourcedId,relationshipUserSourcedId", count, |n| {
        let child = if all_of_one { 0 } else { (n + 1) % count };
        format!("p{child},p{n}")
    });
    export.0.insert("users.csv", users);
    export.0.insert("roles.csv", roles);
    export.0.insert("classes.csv", classes);
    export.0.insert("enrollments.csv", places);
    export.0.insert("relationships.csv", guards);
    export
}

/// Exports of a size in which there is much of everything, or one has much to do with many.
fn spread(count: usize) -> Vec<(&'static str, Export)> {
    let places = |row: &dyn Fn(usize) -> String| {
        one_large(count, "bulk", "enrollments.csv", rows(PLACES, count, row))
    };
    let profiles = |mode, row: &dyn Fn(usize) -> String| {
        one_large(count, mode, "userProfiles.csv", rows(PROFILES, count, row))
    };
    let agents = |n| match n {
        0 => format!("p0,,true,Åse,Ærø,{},07,x", many(count, "p")),
        _ => format!("p{n},,true,Åse,Ærø,,07,x"),
    };
    let agents = one_large(count, "bulk", "users.csv", rows(STUDENTS, count, agents));
    vec![
        ("everything", many_of_all(count, "bulk")),
        ("changes of everything", many_of_all(count, "delta")),
        ("relationships", relationships(count, false)),
        ("guardians by relationships", relationships(count, true)),
        ("guardians by agents", agents),
        (
            "places",
            places(&|n| format!("n{n},,c0,p{n},student,false,")),
        ),
        (
            "places with one id",
            places(&|n| format!("n,,c0,p{n},student,false,")),
        ),
        (
            "bad places",
            places(&|n| format!("n{n},,c0,p{n},pupil,false,")),
        ),
        (
            "changed profiles",
            profiles("delta", &|n| format!("u{n},,p{n},,A,navn{n}")),
        ),
        (
            "deleted profiles",
            profiles("delta", &|n| format!("u{n},tobedeleted,p{n},,,")),
        ),
        (
            "profiles with one id",
            profiles("bulk", &|n| format!("u0,,p{n},,A,navn")),
        ),
    ]
}

/// Exports of a size in which one has much, and there is nothing else. So little work is linear, and
/// quadratic work shows soon.
fn of_one(count: usize) -> Vec<(&'static str, Export)> {
    let one = |mode, file, header, row: &dyn Fn(usize) -> String| {
        one_large(1, mode, file, rows(header, count, row))
    };
    let place = |n| format!("n{n},,c0,p0,student,false,");
    let profile = |n| format!("u{n},,p0,skole,A,navn{n}");
    let role = |n| format!("r{n},,p0,primary,student,o{n},");
    let gone = |n| format!("u{n},tobedeleted,p0,,,");
    let everything = many_of_all(count, "bulk").0;
    let mut roles = one("bulk", "roles.csv", ROLES, &role);
    let mut terms = one("bulk", "enrollments.csv", PLACES, &|n| {
        format!("n{n},,c0,p0,x,,")
    });
    let class = format!("c0,,Hold,f0,C,o0,{},", many(count, "t"));
    terms
        .0
        .insert("classes.csv", rows(CLASS, 1, |_| class.clone()));
    for (export, file) in [
        (&mut roles, "orgs.csv"),
        (&mut terms, "academicSessions.csv"),
    ] {
        export.0.insert(file, everything[file].clone());
    }
    vec![
        (
            "places of one",
            one("bulk", "enrollments.csv", PLACES, &place),
        ),
        (
            "profiles of one",
            one("bulk", "userProfiles.csv", PROFILES, &profile),
        ),
        (
            "changed profiles of one",
            one("delta", "userProfiles.csv", PROFILES, &profile),
        ),
        (
            "deleted profiles of one",
            one("delta", "userProfiles.csv", PROFILES, &gone),
        ),
        ("roles of one", roles),
        ("terms of one", terms),
    ]
}

fn assert_linear(what: &str, small: &Export, large: &Export) {
    let once = |is_large| {
        let export = if is_large { large } else { small };
        let terms = Terms {
            bad_rows: 100,
            ..TODAY.into()
        };
        let mut roster = export.open_on(terms).unwrap();
        roster.set_origin(Origin {
            name: SourceName::new("Kommune A").unwrap(),
            id: RosterSourceId::FIRST,
        });
        let commands = all(&mut roster).len() as u64;
        assert_eq!(commands, roster.summary().commands, "{what}");
    };
    assert!(is_linear(once), "{what}: more than in proportion");
}

#[test]
fn every_table_becomes_commands_in_time_in_proportion_to_its_size() {
    for ((what, small), (_, large)) in spread(500).into_iter().zip(spread(2_000)) {
        assert_linear(what, &small, &large);
    }
}

#[test]
fn whoever_has_much_takes_time_in_proportion_to_it() {
    for ((what, small), (_, large)) in of_one(4_000).into_iter().zip(of_one(16_000)) {
        assert_linear(what, &small, &large);
    }
}
