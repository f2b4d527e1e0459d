//! The same from the command line.

use planledger_core::time::Timestamp;
use planledger_proto::v1::*;

use super::depart;
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_administrator_sees_hands_over_and_takes_back() {
    let (server, voice) = Home::new().serve().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    let owner = |more: &[&str]| {
        let connection = ["--server", &server.url];
        run([&["owner"], more, &connection].concat())
    };
    let teacher = school.teacher.as_str();

    let listed = owner(&["list", teacher]).done();
    for said in ["7.b dansk", "Dansk i 7.b", "in use", &plan_id, "year plan"] {
        assert!(listed.stdout.contains(said), "{said}: {}", listed.stdout);
    }
    let stream = format!("team/{}", school.team);
    let warned = owner(&["deletion", &stream]).done();
    assert!(warned.stdout.contains("1 plans of 1 students belong to it"));
    assert!(warned.stdout.contains(STUDENT) && warned.stdout.contains(&plan_id));
    let could = owner(&["successors", &stream]).done();
    assert!(could.stdout.contains("Kåre Sømand"));

    let left = owner(&[
        "leave",
        teacher,
        "--on",
        "2026-11-24",
        "--reason",
        "Ny stilling",
    ])
    .done();
    assert!(
        left.stdout
            .contains("these have no present owner now: 1 teams, 1 year plans, 1 plans")
    );
    let again = owner(&["leave", teacher]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("ALREADY_DEPARTED"));
    let ownerless = owner(&["list", "--ownerless", &school.institution]).done();
    assert!(ownerless.stdout.contains("without an owner"));
    assert!(ownerless.stdout.contains(TEACHER));
    let json = owner(&["list", "--ownerless", &school.institution, "--json"]).done();
    assert_eq!(json.json()["items"].as_array().unwrap().len(), 3);

    let position = voice.position().await;
    let everything = ["transfer", "--from", teacher, "--to-team"];
    let with = |more: &[&str]| owner(&[&everything, more].concat());
    let unasked = with(&[]);
    assert_eq!(unasked.code, Some(2));
    assert!(unasked.stderr.contains("--dry-run"));
    let dry = with(&["--dry-run"]).done();
    let step = format!("go from {TEACHER} to Kåre Sømand");
    assert_eq!(dry.stdout.matches(&step).count(), 3, "{}", dry.stdout);
    assert!(dry.stdout.contains("3 can be done, 0 cannot; digest "));
    assert_eq!(voice.position().await, position);
    let digest = with(&["--dry-run", "--json"]).done().json()["digest"].clone();
    let digest = digest.as_str().unwrap();
    let stale = with(&["--yes", "--digest", &"0".repeat(32)]);
    assert_eq!(stale.code, Some(1));
    assert!(stale.stderr.contains("DRY_RUN_STALE"));
    let id = new_id();
    let done = with(&["--yes", "--digest", digest, "--recovery-id", &id]).done();
    assert!(
        done.stdout.contains("3 of 3 steps done, 0 left out"),
        "{}",
        done.stdout
    );
    assert_eq!(voice.owned(&school.pedagogue).await.len(), 3);
    let shown = owner(&["recoveries", &id]).done();
    assert_eq!(shown.stdout.matches("done").count(), 3, "{}", shown.stdout);
    let all = owner(&["recoveries"]).done();
    assert!(all.stdout.contains("finished") && all.stdout.contains(&id));

    let dry = owner(&["undo", &id, "--dry-run"]).done();
    assert!(dry.stdout.contains(&step));
    let undone = owner(&["undo", &id, "--yes", "--json"]).done();
    assert_eq!(undone.json()["phase"], "RECOVERY_PHASE_UNDONE");
    assert_eq!(voice.owned(teacher).await.len(), 3);
    owner(&["return", teacher]).done();
    assert!(voice.ownerless(&school.institution).await.is_empty());

    // What cannot be done is said, item by item.
    let team = school.team.as_str();
    let nothing = owner(&["restore", "--team", team, "--yes"]);
    assert_eq!(nothing.code, Some(1));
    assert!(nothing.stdout.contains("is not deleted"), "{nothing:?}");
    voice.execute(super::delete_team(team)).await;
    let back = owner(&["restore", "--team", team, "--with-contents", "--yes"]).done();
    assert!(back.stdout.contains("1 of 1 steps done"));
    for wrong in [
        &["list"][..],
        &["list", "010203-1234"],
        &["transfer", "--from", teacher],
        &["transfer", "--to-team"],
        &["transfer", "--from", teacher, "--to", teacher, "--to-team"],
        &["restore"],
        &["transfer", "--from", teacher, "--per-team", "010203-1234=1"],
    ] {
        let ran = owner(wrong);
        assert_eq!(ran.code, Some(2), "{wrong:?}: {ran:?}");
        assert!(!ran.stderr.contains("010203-1234'"), "{}", ran.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_was_owned_is_shown_as_of_a_position() {
    let (server, voice) = Home::new().serve().await;
    let school = School::found(&voice).await;
    let then = voice.position().await.to_string();
    voice.execute(depart(&school.teacher)).await;
    let give = give(&[&format!("team/{}", school.team)], &school.leader);
    voice.fulfil(give).await;
    let list = |more: &[&str]| {
        let asked = ["owner", "list", &school.teacher, "--server", &server.url];
        run([&asked, more].concat()).done().stdout
    };
    assert_eq!(list(&[]), "nothing\n");
    let past = list(&["--at", &then]);
    assert!(
        past.starts_with(&format!("as of position {then}\n")),
        "{past}"
    );
    assert!(past.contains("in use"), "{past}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_leaves_on_a_day_ahead_is_the_owner_until_then_and_is_listed_as_coming() {
    let (server, voice) = Home::new().serve().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    let owner = |more: &[&str]| {
        let connection = ["--server", &server.url];
        run([&["owner"], more, &connection].concat())
    };
    let teacher = school.teacher.as_str();
    // Two days ahead, so that a midnight during the test changes nothing.
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    let today = Timestamp::from_nanos(since.as_nanos() as u64).day_in_denmark();
    let on = today.tomorrow().unwrap().tomorrow().unwrap().to_string();
    let left = owner(&["leave", teacher, "--on", &on]).done();
    assert!(left.stdout.contains(&format!("leaves on {on}")));
    assert!(
        left.stdout
            .contains("these need a new owner by then: 1 teams")
    );

    let request = GetPersonRequest {
        person_id: school.teacher.clone(),
        ..GetPersonRequest::default()
    };
    let person = voice.ask(request).await.unwrap().person.unwrap();
    assert_eq!(
        (person.departure, person.leaving_on),
        (None, Some(on.clone()))
    );
    assert!(!voice.plan(&plan_id, Viewer::Staff).await.owner_departed);
    let acting = voice.person(&school.teacher);
    acting.execute(write_status(&plan_id, "Læser")).await;

    let coming = owner(&["list", "--ownerless", &school.institution]).done();
    assert!(coming.stdout.contains(&format!("leaves on {on}")));
    assert!(!coming.stdout.contains("without an owner"));
    let json = owner(&["list", "--ownerless", &school.institution, "--json"]).done();
    let items = json.json()["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 3);
    assert!(
        items
            .iter()
            .all(|item| item["ownerLeavingOn"] == on.as_str())
    );

    // Handing over is prepared, and whoever leaves can still take something over.
    let dry = owner(&["transfer", "--from", teacher, "--to-team", "--dry-run"]).done();
    assert!(dry.stdout.contains("3 can be done, 0 cannot"));
    let hand_over = |to: &str| {
        let transfer = TransferPlanOwnership {
            to_person_id: to.to_owned(),
            reason: None,
        };
        plan(&plan_id, OnPlan::TransferPlanOwnership(transfer))
    };
    voice.execute(hand_over(&school.pedagogue)).await;
    voice.execute(hand_over(teacher)).await;

    // It is taken back, and then it is over.
    owner(&["return", teacher]).done();
    let staying = owner(&["list", "--ownerless", &school.institution]).done();
    assert!(!staying.stdout.contains("leaves on"));
    let yesterday = today.yesterday().unwrap().to_string();
    owner(&["leave", teacher, "--on", &yesterday]).done();
    assert!(voice.plan(&plan_id, Viewer::Staff).await.owner_departed);
    assert_eq!(voice.ownerless(&school.institution).await.len(), 3);
}
