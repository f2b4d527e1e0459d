//! Who looks as if they had left is suggested, with the evidence, and a leader decides about it.

use planledger_proto::v1::departure_evidence::Evidence;
use planledger_proto::v1::*;

use super::export::{Export, Seen};
use crate::support::*;

async fn suggested(voice: &Voice, institution: &str) -> Vec<DepartureSuggestion> {
    let request = ListSuggestionsRequest {
        institution_id: institution.to_owned(),
        ..ListSuggestionsRequest::default()
    };
    voice.ask(request).await.unwrap().suggestions
}

async fn ownerless(voice: &Voice, institution: &str) -> Vec<OwnedItem> {
    let request = ListOwnerlessRequest {
        institution_id: institution.to_owned(),
        ..ListOwnerlessRequest::default()
    };
    voice.ask(request).await.unwrap().items
}

/// A school whose newest roster does not have the teacher Tove, who owns a team.
struct Case {
    server: Running,
    voice: Voice,
    after: Export,
    institution: String,
    team: String,
    tove: String,
    last_seen: String,
    leader: String,
}

impl Case {
    async fn new() -> Self {
        let (server, voice) = Home::new().serve().await;
        let before = Export::new();
        before.import(&server, "").done();
        let after = before
            .without("users.csv", "ta")
            .without("enrollments.csv", "n1");
        let done = after.import(&server, "").done();
        let said = "1 persons may have left: owner suggestions list INSTITUTION";
        assert!(done.stderr.contains(said), "{}", done.stderr);
        let seen = Seen::of(&voice).await;
        let team = seen.team("4.x");
        Self {
            institution: team.details.clone().unwrap().institution_id,
            team: team.team_id.clone(),
            tove: seen.id("Tove"),
            last_seen: seen.person("Tove").absences[0].last_seen.clone(),
            leader: format!("person/{}", seen.id("Lone")),
            server,
            voice,
            after,
        }
    }

    /// Decides about the absence on the command line.
    fn decide(&self, what: &str) {
        let about = [&self.tove, "--absent", "default", "--last-seen"];
        let mut arguments = vec!["owner", "suggestions", what];
        arguments.extend(about);
        arguments.extend([&self.last_seen[..], "--as", &self.leader]);
        arguments.extend(["--server", &self.server.url]);
        run(arguments).done();
    }

    async fn reasons(&self) -> Vec<(String, OwnerlessReason)> {
        let items = ownerless(&self.voice, &self.institution).await;
        let items = items.iter();
        let reason = |item: &OwnedItem| (item.stream.clone(), item.ownerless_reason());
        items.map(reason).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_absence_that_a_leader_confirms_is_a_departure() {
    let case = Case::new().await;
    let team = format!("team/{}", case.team);
    let doubt = (team.clone(), OwnerlessReason::AbsentFromRoster);
    assert_eq!(case.reasons().await, [doubt]);
    let found = suggested(&case.voice, &case.institution).await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0].person_id, &found[0].name[..]),
        (&case.tove, "Tove Ask")
    );
    assert_eq!(found[0].owned.unwrap().teams, 1);
    let evidence = Evidence::AbsentFromRoster(AbsenceEvidence {
        source: "default".to_owned(),
        last_seen: case.last_seen.clone(),
    });
    assert_eq!(found[0].evidence[0].evidence, Some(evidence));
    let list = ["owner", "suggestions", "list", &case.institution];
    let listed = run([&list[..], &["--server", &case.server.url]].concat()).done();
    assert!(listed.stdout.contains("Tove Ask"), "{}", listed.stdout);

    case.decide("confirm");
    assert!(!Seen::of(&case.voice).await.is_there("Tove"));
    assert_eq!(case.reasons().await, [(team, OwnerlessReason::Departed)]);
    assert!(suggested(&case.voice, &case.institution).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_absence_that_a_leader_dismisses_does_not_come_back_with_the_same_export() {
    let case = Case::new().await;
    case.decide("dismiss");
    for _ in 0..2 {
        assert!(suggested(&case.voice, &case.institution).await.is_empty());
        assert!(case.reasons().await.is_empty());
        assert!(Seen::of(&case.voice).await.is_there("Tove"));
        case.after.import(&case.server, "").done();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_owner_who_works_at_another_school_now_may_still_be_an_owner() {
    let (server, voice) = Home::new().serve().await;
    let before = Export::new().with("orgs.csv", "s2,,,Lindeskolen,school,700002,k");
    before.import(&server, "").done();
    let seen = Seen::of(&voice).await;
    let institution = seen.team("4.x").details.clone().unwrap().institution_id;
    let (tove, leader) = (seen.id("Tove"), format!("person/{}", seen.id("Lone")));
    let after = before
        .but("users.csv", "ta,,,true,s2,teacher,ta,,Tove,Ask,,,,,,,,")
        .without("enrollments.csv", "n1")
        .with("enrollments.csv", "n20,,,c1,s,tb,teacher,true,2026-08-10,");
    after.import(&server, "").done();
    let found = suggested(&voice, &institution).await;
    assert_eq!(found.len(), 1);
    let evidence = Evidence::OwnerElsewhere(OwnerElsewhereEvidence {
        institution_id: institution.clone(),
    });
    assert_eq!(found[0].evidence[0].evidence, Some(evidence));
    assert_eq!(ownerless(&voice, &institution).await.len(), 1);

    let about = [&tove[..], "--elsewhere", &institution, "--as", &leader];
    let dismiss = ["owner", "suggestions", "dismiss", "--server", &server.url];
    let dismiss = [&dismiss[..], &about].concat();
    run(dismiss.clone()).done();
    for _ in 0..2 {
        assert!(suggested(&voice, &institution).await.is_empty());
        assert!(ownerless(&voice, &institution).await.is_empty());
        after.import(&server, "").done();
    }
    let refused = run(dismiss);
    assert!(
        refused.stderr.contains("nothing suggests"),
        "{}",
        refused.stderr
    );
}

/// What a dry run or an import says of who may have left although the export has them.
fn foreseen(said: &Ran) -> [serde_json::Value; 2] {
    let all = said.json();
    ["no_place_left", "owner_elsewhere"].map(|part| all["suggested"][part].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dry_run_foresees_who_has_no_place_left_and_which_owners_work_elsewhere() {
    let (server, voice) = Home::new().serve().await;
    let before = Export::new().with("orgs.csv", "s2,,,Lindeskolen,school,700002,k");
    let before = before.in_1_2();
    before.import(&server, "").done();
    let seen = Seen::of(&voice).await;
    let (tove, troels) = (seen.id("Tove"), seen.id("Troels"));
    let institution = seen.team("4.x").details.clone().unwrap().institution_id;

    // Tove works at another school now and Troels at none. Both own a team, and Tove's has a new
    // teacher, Thea, who comes with this export.
    let after = before
        .but("roles.csv", "r-ta,,,ta,primary,teacher,s2,,")
        .but("roles.csv", "r-tb,,,tb,primary,teacher,s,,2020-01-31")
        .with("users.csv", "tc,,,true,s,teacher,tc,,Thea,Lund,,,,,,,,")
        .with("roles.csv", "r-tc,,,tc,primary,teacher,s,,")
        .without("enrollments.csv", "n1")
        .without("enrollments.csv", "n4")
        .with("enrollments.csv", "n20,,,c1,s,tc,teacher,true,2026-08-10,");
    let position = voice.position().await;
    let json = ["--dry-run", "--json"];
    let would = foreseen(&after.import_with(&server, &json).done());
    assert_eq!(voice.position().await, position);
    let person = |id: &str, name: &str| {
        serde_json::json!({ "count": 1, "first": [
            { "id": id, "name": name, "institution_id": institution },
        ] })
    };
    assert_eq!(
        would,
        [person(&troels, "Troels Bøg"), person(&tove, "Tove Ask")]
    );
    let table = after.import_with(&server, &["--dry-run"]).done().stdout;
    for said in [
        "1 persons may have left, because they have no place at any institution any more:",
        "1 persons may have left, because they work at other institutions",
    ] {
        assert!(table.contains(said), "{table}");
    }

    let done = foreseen(&after.import_with(&server, &["--json"]).done());
    assert_eq!(done, would);
    // The same export again foresees what is so by now.
    assert_eq!(foreseen(&after.import_with(&server, &json).done()), done);

    // Tove is on the staff of the team again, so nothing is foreseen of her.
    let back = after.with("enrollments.csv", "n21,,,c1,s,ta,teacher,false,2026-08-10,");
    let would = foreseen(&back.import_with(&server, &json).done());
    assert_eq!(
        (&would[0]["count"], &would[1]["count"]),
        (&1.into(), &0.into())
    );
    assert_eq!(
        foreseen(&back.import_with(&server, &["--json"]).done()),
        would
    );
    // Nobody decides about what is not listed.
    let leader = format!("person/{}", seen.id("Lone"));
    let decide = [
        "owner",
        "suggestions",
        "dismiss",
        &tove,
        "--elsewhere",
        &institution,
    ];
    let rest = ["--as", &leader, "--server", &server.url];
    let refused = run([&decide[..], &rest].concat());
    assert!(
        refused.stderr.contains("nothing suggests"),
        "{}",
        refused.stderr
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn somebody_without_a_place_is_suggested_where_the_last_one_was() {
    let (server, voice) = Home::new().serve().await;
    Export::new().import(&server, "").done();
    let seen = Seen::of(&voice).await;
    let tove = seen.person("Tove").clone();
    let at = tove.affiliations[0].clone();
    let end = OnPerson::EndAffiliation(EndAffiliation {
        institution_id: at.institution_id.clone(),
        role: at.role,
    });
    let leader = voice.person(&seen.id("Lone"));
    leader.execute(person(&tove.person_id, end)).await;
    let found = suggested(&voice, &at.institution_id).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].person_id, tove.person_id);
    let Some(Evidence::NoPlaceLeft(left)) = found[0].evidence[0].evidence.clone() else {
        panic!("{found:?}");
    };
    assert_eq!(left.institution_id, at.institution_id);
    assert!(seen.is_there("Tove"));
    let about = ["owner", "suggestions", "dismiss", &tove.person_id];
    let place = ["--no-place", &left.institution_id, "--since", &left.since];
    let as_leader = format!("person/{}", seen.id("Lone"));
    let rest = ["--as", &as_leader, "--server", &server.url];
    run([&about[..], &place, &rest].concat()).done();
    assert!(suggested(&voice, &at.institution_id).await.is_empty());
    let request = GetPersonRequest {
        person_id: tove.person_id,
        ..GetPersonRequest::default()
    };
    let now = voice.ask(request).await.unwrap().person.unwrap();
    assert!(now.departure.is_none());
}

/// A student who was in one class, and whose school has them in none any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_student_who_is_in_no_class_any_more_is_suggested_until_somebody_decides_about_it() {
    let (server, voice) = Home::new().serve().await;
    let before = Export::new();
    before.import(&server, "").done();
    let after = before.clone().without("enrollments.csv", "n2");
    let seen = Seen::of(&voice).await;
    let (ebbe, leader) = (seen.person("Ebbe"), format!("person/{}", seen.id("Lone")));
    assert_eq!(ebbe.records[0].enrolled, Some(true));
    let institution = ebbe.affiliations[0].institution_id.clone();
    assert!(suggested(&voice, &institution).await.is_empty());

    let lines = [
        "1 persons are in no class any more, 1 of them for the first time:",
        "1 persons may have left: owner suggestions list INSTITUTION",
    ];
    let would = after.import_with(&server, &["--dry-run"]).done();
    let done = after.import(&server, "").done();
    for line in lines {
        assert!(would.stdout.contains(line), "{}", would.stdout);
        assert!(done.stderr.contains(line), "{}", done.stderr);
    }
    let found = suggested(&voice, &institution).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].person_id, ebbe.person_id);
    let Some(Evidence::NoEnrolmentLeft(left)) = found[0].evidence[0].evidence.clone() else {
        panic!("{found:?}");
    };
    assert!(Seen::of(&voice).await.is_there("Ebbe"));
    let again = after.import(&server, "").done();
    let said = "1 persons are in no class any more, 0 of them for the first time:";
    assert!(again.stderr.contains(said), "{}", again.stderr);

    let dismiss = ["owner", "suggestions", "dismiss", &ebbe.person_id];
    let evidence = ["--no-enrolment", "--since", &left.since];
    let rest = ["--as", &leader, "--server", &server.url];
    let dismiss = [&dismiss[..], &evidence, &rest].concat();
    run(dismiss.clone()).done();
    for _ in 0..2 {
        assert!(suggested(&voice, &institution).await.is_empty());
        let again = after.import(&server, "").done();
        assert!(!again.stderr.contains("no class"), "{}", again.stderr);
    }
    let refused = run(dismiss);
    let said = "nothing suggests";
    assert!(refused.stderr.contains(said), "{}", refused.stderr);
    before.import(&server, "").done();
    let ebbe = seen.person("Ebbe").person_id.clone();
    let now = Seen::of(&voice).await;
    assert_eq!(now.person("Ebbe").person_id, ebbe);
    assert_eq!(now.person("Ebbe").records[0].enrolled, Some(true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_has_no_place_left_is_named_as_one_who_may_have_left() {
    let export = Export::new();
    let (server, voice) = Home::new().serve().await;
    export.import(&server, "").done();
    let seen = Seen::of(&voice).await;
    let tove = seen.person("Tove");
    let place = &tove.affiliations[0];
    let end = OnPerson::EndAffiliation(EndAffiliation {
        institution_id: place.institution_id.clone(),
        role: place.role,
    });
    let leader = voice.person(&seen.id("Lone"));
    leader.execute(person(&tove.person_id, end)).await;
    let done = export.import_with(&server, &["--json"]).done();
    let suggested = &done.json()["suggested"];
    assert_eq!(suggested["no_place_left"]["count"], 1, "{suggested}");
    assert_eq!(suggested["no_place_left"]["first"][0]["name"], "Tove Ask");
    assert!(done.stderr.contains("no place at any institution any more"));
}
