//! A person is found by the user names of other systems: `userProfiles.csv` of OneRoster 1.2.

use std::collections::BTreeMap;
use std::fs;

use planledger_proto::v1::*;

use crate::support::*;

const PROFILES: &str = "sourcedId,status,dateLastModified,userSourcedId,profileType,vendorId,applicationId,\
                        description,credentialType,username,password\n";

/// The tables of an export of OneRoster 1.2, by name.
#[derive(Clone)]
struct Tables(BTreeMap<&'static str, String>);

impl Tables {
    /// A school with one student, and no word of profiles.
    fn bulk() -> Self {
        let tables = [
            (
                "orgs.csv",
                "sourcedId,status,name,type,identifier\ns,,Ærøskolen,school,700001\n",
            ),
            (
                "academicSessions.csv",
                "sourcedId,status,title,type,startDate,endDate,parentSourcedId\n\
                 y,,Skoleåret,schoolYear,2026-08-10,2099-06-25,\n",
            ),
            (
                "classes.csv",
                "sourcedId,status,title,courseSourcedId,classCode,schoolSourcedId,termSourcedIds,subjects\n\
                 c1,,4.x dansk,,C1,s,y,Dansk\n",
            ),
            (
                "users.csv",
                "sourcedId,status,enabledUser,givenName,familyName,agentSourcedIds,grades\n\
                 ea,,true,Ebbe,Rønn,,04\n",
            ),
            (
                "roles.csv",
                "sourcedId,status,userSourcedId,roleType,role,orgSourcedId,endDate\n\
                 r1,,ea,primary,student,s,\n",
            ),
            (
                "enrollments.csv",
                "sourcedId,status,classSourcedId,userSourcedId,role,primary\nn1,,c1,ea,student,false\n",
            ),
        ];
        let tables = tables.map(|(name, text)| (name, text.to_owned()));
        Self(tables.into()).saying("bulk")
    }

    fn saying(mut self, mode: &str) -> Self {
        let manifest = format!("propertyName,value\noneroster.version,1.2\nfile.users,{mode}\n");
        self.0.insert("manifest.csv", manifest);
        self
    }

    /// Only the named tables, as changes.
    fn changes(mut self, names: &[&str]) -> Self {
        self.0.retain(|name, _| names.contains(name));
        self.saying("delta")
    }

    fn with_profiles(mut self, rows: &str) -> Self {
        self.0
            .insert("userProfiles.csv", format!("{PROFILES}{rows}"));
        self
    }

    fn import(&self, server: &Running) -> Ran {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in &self.0 {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let path = folder.path().to_str().unwrap();
        run([
            "import",
            "roster",
            path,
            "--source",
            "Kommune A",
            "--server",
            &server.url,
        ])
    }
}

/// Which of these user names find the student. Each finds nobody else.
async fn found(voice: &Voice) -> Vec<&'static str> {
    let mut found = Vec::new();
    for id in ["ebbe.a", "ebbe.b", "ebbe.c"] {
        let request = LookupPersonRequest {
            source: "Kommune A".to_owned(),
            id: id.to_owned(),
            min_position: 0,
        };
        let persons = voice.ask(request).await.unwrap().persons;
        let names: Vec<_> = persons.iter().map(|person| person.name.as_str()).collect();
        assert!(
            names.is_empty() || names == ["Ebbe Rønn"],
            "{id}: {names:?}"
        );
        found.extend((!names.is_empty()).then_some(id));
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_person_is_found_by_user_names_until_a_roster_that_says_all_of_them_drops_them() {
    let home = Home::new();
    let server = home.start();
    let voice = server.voice().await;
    let rows = "p1,,,ea,skole,Platform A,,,SSO,ebbe.a,hemmelig\n\
                p2,,,ea,skole,Platform B,,,SSO,ebbe.b,hemmelig\n";
    let bulk = Tables::bulk();
    bulk.clone().with_profiles(rows).import(&server).done();
    assert_eq!(found(&voice).await, ["ebbe.a", "ebbe.b"]);
    let shown = run([
        "person",
        "lookup",
        "ebbe.b",
        "--json",
        "--server",
        &server.url,
    ]);
    let shown = shown.done().stdout;
    assert!(
        shown.contains("Platform B") && !shown.contains("hemmelig"),
        "{shown}"
    );

    // Changes that hold the person and no profiles, and profiles alone.
    bulk.clone()
        .changes(&["users.csv", "roles.csv"])
        .import(&server)
        .done();
    assert_eq!(found(&voice).await, ["ebbe.a", "ebbe.b"]);
    let alone = bulk.clone().changes(&[]);
    let alone = alone.with_profiles("p3,active,,ea,,,,,,ebbe.c,\np2,tobedeleted,,ea,,,,,,,\n");
    alone.import(&server).done();
    assert_eq!(found(&voice).await, ["ebbe.a", "ebbe.c"]);

    // An export without the table says nothing of profiles, and one with it says all.
    bulk.import(&server).done();
    assert_eq!(found(&voice).await, ["ebbe.a", "ebbe.c"]);
    let again = bulk
        .clone()
        .with_profiles("p3,,,ea,,Platform C,,,,ebbe.c,\n");
    again.import(&server).done();
    assert_eq!(found(&voice).await, ["ebbe.c"]);
    let before = voice.position().await;
    again.import(&server).done();
    assert_eq!(voice.position().await, before);
    bulk.with_profiles("").import(&server).done();
    assert!(found(&voice).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dry_run_counts_profiles_apart_and_the_report_names_those_that_are_passed_over() {
    let home = Home::new();
    let server = home.start();
    let bulk = Tables::bulk();
    bulk.import(&server).done();
    let folder = tempfile::tempdir().unwrap();
    let alone = bulk
        .changes(&[])
        .with_profiles("p1,active,,ea,,,,,,ebbe.a,\np2,active,,ea,,,,,,010203-1234,\n");
    for (name, text) in &alone.0 {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let report = elsewhere.path().join("report.csv");
    let shown = run([
        "import",
        "roster",
        folder.path().to_str().unwrap(),
        "--source",
        "Kommune A",
        "--dry-run",
        "--json",
        "--report",
        report.to_str().unwrap(),
        "--server",
        &server.url,
    ]);
    let shown: serde_json::Value = serde_json::from_str(&shown.done().stdout).unwrap();
    assert_eq!(
        shown["counts"]["profiles_of_persons"]["changed"], 1,
        "{shown}"
    );
    assert!(shown["counts"].get("persons").is_none(), "{shown}");
    let report = fs::read_to_string(report).unwrap();
    assert!(
        report.contains("bad,userProfiles.csv,3,username,CPR_FOUND"),
        "{report}"
    );
    assert!(!report.contains("010203"), "{report}");
}
