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
