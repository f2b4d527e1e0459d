//! Exports of STIL (UNI-Login) go in as every roster does.

use std::fs;
use std::path::Path;

use planledger_proto::v1::*;

use super::export::Seen;
use crate::support::*;

/// One school with a class, a teacher and two pupils. All names are invented.
const EXPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<UNILoginExportSmall xmlns="https://brugerdatabasen.stil.dk/bpi/wsieksport/7/small"
    exportDateTime="2026-11-20T17:00:00" accessLevel="small">
  <ImportSource sourceDateTime="2026-11-19T17:00:00" source="Elevsystem" schoolYear="2026-2027"/>
  <Institution>
    <InstitutionNumber>700001</InstitutionNumber>
    <InstitutionName>Ærøskolen</InstitutionName>
    <Group><GroupId>4x</GroupId><GroupName>4. x</GroupName><GroupType>Hovedgruppe</GroupType></Group>
    <InstitutionPerson source="Elevsystem">
      <UNILogin><UserId>ebbe1234</UserId></UNILogin>
      <Person><FirstName>Ebbe</FirstName><FamilyName>Rønn</FamilyName></Person>
      <Student><Role>Elev</Role><Level>4</Level><MainGroupId>4x</MainGroupId></Student>
    </InstitutionPerson>
    <InstitutionPerson source="Elevsystem">
      <UNILogin><UserId>esther12</UserId></UNILogin>
      <Person><FirstName>Esther</FirstName><FamilyName>Bøg</FamilyName></Person>
      <Student><Role>Elev</Role><Level>4</Level><MainGroupId>4x</MainGroupId></Student>
    </InstitutionPerson>
    <InstitutionPerson source="Elevsystem">
      <UNILogin><UserId>tove1234</UserId></UNILogin>
      <Person><FirstName>Tove</FirstName><FamilyName>Ask</FamilyName></Person>
      <Employee><Role>Lærer</Role><GroupId>4x</GroupId></Employee>
    </InstitutionPerson>
  </Institution>
</UNILoginExportSmall>
"#;

fn import(server: &Running, file: &Path) -> Ran {
    let path = file.to_str().unwrap();
    run(["import", "roster", path, "--server", &server.url])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_export_of_stil_goes_in_and_its_people_are_found_by_their_uni_login() {
    let home = Home::new();
    let server = home.start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("700001.xml");
    fs::write(&file, EXPORT).unwrap();
    import(&server, &file).done();

    let voice = server.voice().await;
    let request = LookupPersonRequest {
        source: "UNI-Login 700001".to_owned(),
        id: "ebbe1234".to_owned(),
        min_position: 0,
    };
    let found = voice.ask(request).await.unwrap().persons;
    assert_eq!((found[0].name.as_str(), found.len()), ("Ebbe Rønn", 1));
    let ids = &found[0].records[0].user_ids;
    assert_eq!(
        (ids[0].kind(), ids[0].id.as_str()),
        ("unilogin", "ebbe1234")
    );
    assert_eq!(found[0].affiliations[0].grade(), "4");
    let seen = Seen::of(&voice).await;
    assert!(seen.is_there("Esther") && seen.is_there("Tove"));

    // The same export again changes nothing, and one that is cut is refused before anything is sent.
    let before = voice.position().await;
    import(&server, &file).done();
    let cut = EXPORT.rfind("</Institution>").unwrap();
    fs::write(&file, &EXPORT[..cut]).unwrap();
    let refused = import(&server, &file);
    assert!(
        refused.stderr.contains("FILE_CUT_SHORT"),
        "{}",
        refused.stderr
    );
    assert_eq!(voice.position().await, before);
}

/// A full package of version 7: siblings, their guardian, who is a contact person of both, and a contact
/// person without custody.
const FULL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<UNILoginExportFull xmlns="https://brugerdatabasen.stil.dk/bpi/wsieksport/7/full"
    exportDateTime="2026-11-20T17:00:00" accessLevel="full">
  <ImportSource sourceDateTime="2026-11-19T17:00:00" source="Elevsystem" schoolYear="2026-2027"/>
  <Institution>
    <InstitutionNumber>700001</InstitutionNumber>
    <InstitutionName>Ærøskolen</InstitutionName>
    <Group><GroupId>4x</GroupId><GroupName>4. x</GroupName><GroupType>Hovedgruppe</GroupType></Group>
    <InstitutionPerson source="Elevsystem">
      <Person protected="false"><FirstName>Ebbe</FirstName><FamilyName>Rønn</FamilyName><UserId>ebbe1234</UserId></Person>
      <Student><Role>Elev</Role><Level>4</Level><MainGroupId>4x</MainGroupId>
        <ContactPerson relation="Mor" childCustody="true" accessLevel="2">
          <Person protected="false"><FirstName>Gry</FirstName><FamilyName>Rønn</FamilyName><UserId>gry12345</UserId></Person>
        </ContactPerson>
        <ContactPerson relation="Andet" childCustody="false" accessLevel="1">
          <Person protected="false"><FirstName>Per</FirstName><FamilyName>Holm</FamilyName><UserId>per12345</UserId></Person>
        </ContactPerson>
      </Student>
    </InstitutionPerson>
    <InstitutionPerson source="Elevsystem">
      <Person protected="false"><FirstName>Esther</FirstName><FamilyName>Rønn</FamilyName><UserId>esther12</UserId></Person>
      <Student><Role>Elev</Role><Level>4</Level><MainGroupId>4x</MainGroupId>
        <ContactPerson relation="Mor" childCustody="true" accessLevel="2">
          <Person protected="false"><FirstName>Gry</FirstName><FamilyName>Rønn</FamilyName><UserId>gry12345</UserId></Person>
        </ContactPerson>
      </Student>
    </InstitutionPerson>
    <InstitutionPerson source="Elevsystem">
      <Person protected="false"><FirstName>Tove</FirstName><FamilyName>Ask</FamilyName><UserId>tove1234</UserId></Person>
      <Employee><Role>Lærer</Role><GroupId>4x</GroupId></Employee>
    </InstitutionPerson>
  </Institution>
</UNILoginExportFull>
"#;

/// The contact person of the first child, up to whether she has custody, and her login.
const MOTHER: &str = r#"relation="Mor" childCustody="true""#;
const LOGIN: &str = "<UserId>gry12345</UserId>";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_guardians_of_a_full_export_go_in_and_end_only_when_an_export_says_so() {
    let home = Home::new();
    let server = home.start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("700001.xml");
    let take = |text: &str| {
        fs::write(&file, text).unwrap();
        import(&server, &file)
    };
    let voice = server.voice().await;
    let said = take(FULL);
    assert!(
        said.stderr
            .contains("1 contact persons do not have custody"),
        "{}",
        said.stderr
    );
    said.done();
    let seen = Seen::of(&voice).await;
    for child in ["Ebbe", "Esther"] {
        assert_eq!(seen.guardians(child), [seen.id("Gry")]);
    }

    // A small package names no contact persons, and so ends nothing. Nor is she missing.
    let said = take(EXPORT);
    assert!(!said.stderr.contains("may have left"), "{}", said.stderr);
    said.done();
    // Nor does a contact person whom nobody can tell, whatever became of the other one.
    let nobody = FULL.replace(LOGIN, "");
    let said = take(&nobody);
    assert_eq!(
        said.stderr.matches("no UNI-Login").count(),
        2,
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains("700001.xml, line 12, column UserId"),
        "{}",
        said.stderr
    );
    said.done();
    let seen = Seen::of(&voice).await;
    for child in ["Ebbe", "Esther"] {
        assert_eq!(seen.guardians(child), [seen.id("Gry")]);
    }

    // She no longer has custody of the first child.
    let ended = FULL.replacen(MOTHER, r#"relation="Mor" childCustody="false""#, 1);
    take(&ended).done();
    let seen = Seen::of(&voice).await;
    assert!(seen.guardians("Ebbe").is_empty());
    assert_eq!(seen.guardians("Esther"), [seen.id("Gry")]);

    // A guardian without a login is passed over, and the one beside them goes in.
    let begin = "<ContactPerson relation=\"Mor\"";
    let father = "<ContactPerson relation=\"Far\" childCustody=\"true\" accessLevel=\"2\">\
                  <Person protected=\"false\"><FirstName>Gorm</FirstName></Person></ContactPerson>";
    let said = take(&FULL.replacen(begin, &format!("{father}{begin}"), 1));
    assert!(said.stderr.contains("no UNI-Login"), "{}", said.stderr);
    said.done();
    let seen = Seen::of(&voice).await;
    assert_eq!(seen.guardians("Ebbe"), [seen.id("Gry")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dry_run_of_an_export_of_stil_says_what_it_would_do_and_writes_nothing() {
    let (server, voice) = Home::new().serve().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("700001.xml");
    let dry = |text: &str, more: &[&str]| {
        fs::write(&file, text).unwrap();
        let path = file.to_str().unwrap();
        let dry = [
            "import",
            "roster",
            path,
            "--dry-run",
            "--server",
            &server.url,
        ];
        run([&dry, more].concat()).done()
    };
    let seen = dry(FULL, &["--json"]).json();
    assert_eq!(seen["written"], false);
    for (kind, added) in [("institutions", 1), ("persons", 4), ("teams", 1)] {
        assert_eq!(seen["counts"][kind]["added"], added, "{kind}");
    }
    assert_eq!(seen["counts"]["guardians_of_students"]["changed"], 2);
    let table = dry(FULL, &[]).stdout;
    for said in ["7: would be added", "Ebbe Rønn", "4. x"] {
        assert!(table.contains(said), "{said}: {table}");
    }
    assert_eq!(voice.position().await, 0);
    let sources = voice.ask(ListRosterSourcesRequest::default()).await;
    assert!(sources.unwrap().sources.is_empty());

    // What would end is said too.
    fs::write(&file, FULL).unwrap();
    import(&server, &file).done();
    let position = voice.position().await;
    let ended = FULL.replacen(MOTHER, r#"relation="Mor" childCustody="false""#, 1);
    let seen = dry(&ended, &["--json"]).json();
    assert_eq!(seen["dropped"]["count"], 1);
    assert_eq!(seen["dropped"]["first"][0]["fact"], "GUARDIAN");
    let table = dry(&ended, &[]).stdout;
    for said in ["1: links would end", "Gry Rønn is no longer a guardian"] {
        assert!(table.contains(said), "{said}: {table}");
    }
    assert_eq!(voice.position().await, position);
}

/// The line on which something of a text stands.
fn line_of(text: &str, wanted: &str) -> usize {
    1 + text.lines().position(|line| line.contains(wanted)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whatever_is_said_of_a_row_names_the_file_that_there_is() {
    let home = Home::new();
    let server = home.start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("700001.xml");
    let report = folder.path().join("report.csv");
    let take = |text: &str, more: &[&str]| {
        fs::write(&file, text).unwrap();
        let (path, report) = (file.to_str().unwrap(), report.to_str().unwrap());
        let import = [
            "import",
            "roster",
            path,
            "--report",
            report,
            "--server",
            &server.url,
        ];
        run([&import, more].concat())
    };
    let report = || fs::read_to_string(&report).unwrap();
    let line = |name: &str| format!("700001.xml:{}", line_of(FULL, name) - 1);

    // In a dry run: what would be added, in the table and as JSON.
    let table = take(FULL, &["--dry-run"]).done();
    let said = format!("{}{}{}", table.stdout, table.stderr, report());
    assert!(!said.contains(".csv"), "{said}");
    for name in ["Ebbe", "Esther", "Tove"] {
        let (place, mut lines) = (line(&format!(">{name}<")), table.stdout.lines());
        let is_there = lines.any(|row| row.contains(name) && row.starts_with(&place));
        assert!(is_there, "{name}, {place}: {said}");
    }
    let seen = take(FULL, &["--dry-run", "--json"]).done().json();
    let first = seen["added"]["first"].as_array().unwrap();
    for line in first {
        let source = line["source"].as_str().unwrap();
        assert!(source.starts_with("700001.xml:"), "{line}");
    }
    take(FULL, &[]).done();

    // A child of whom nobody can tell who it is.
    let nobody = FULL.replace("<UserId>esther12</UserId>", "");
    let ran = take(&nobody, &["--bad-rows", "100", "--json"]).done();
    let said = format!("{}{}{}", ran.stdout, ran.stderr, report());
    assert!(!said.contains(".csv"), "{said}");
    let child = line_of(&nobody, ">Esther<") - 1;
    let place = format!("700001.xml, line {child}, column UserId");
    assert!(said.contains(&place), "{said}");
    // The import says as the dry run does how much it does not use.
    let passed_over = ran.json()["passed_over"]["count"].as_u64();
    assert!(passed_over > Some(0), "{passed_over:?}");
    let dry = take(&nobody, &["--bad-rows", "100", "--json", "--dry-run"]).done();
    assert_eq!(dry.json()["passed_over"]["count"].as_u64(), passed_over);

    // A teacher who has left the class.
    let class = "<Employee><Role>Lærer</Role><GroupId>4x</GroupId></Employee>";
    let changed = FULL.replace(class, "<Employee><Role>Lærer</Role></Employee>");
    let ran = take(&changed, &["--json"]).done();
    let said = format!("{}{}{}", ran.stdout, ran.stderr, report());
    assert!(!said.contains(".csv"), "{said}");
    let group = line_of(&changed, "<Group>");
    let dropped = format!("dropped,700001.xml,{group},,STAFF");
    assert!(said.contains(&dropped), "{said}");
    let first = &ran.json()["dropped_links"][0];
    assert_eq!(first["source"], format!("700001.xml:{group}"));
}
