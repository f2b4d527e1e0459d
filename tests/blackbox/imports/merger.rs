//! A school is closed and everybody goes on at another one. What a teacher who has left owned there is
//! taken over by a colleague, on each of the ways that there are.

use std::path::Path;

use planledger_proto::v1::*;

use super::export::{Export, Seen};
use crate::support::*;

/// A ledger after the merger: the teacher Asta, who had a year plan and a plan at Birkeskolen, has left,
/// Birkeskolen is closed, and the teacher Bo has her team at Lindeskolen.
struct Merged {
    server: Running,
    voice: Voice,
    seen: Seen,
    closed: String,
    successor: String,
    year_plan: String,
    plan: String,
}

fn import(server: &Running, folder: &str) {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("blackbox/imports/merger-files");
    let path = files.join(folder);
    let path = path.to_str().unwrap();
    run(["import", "roster", path, "--server", &server.url]).done();
}

async fn institution_called(voice: &Voice, name: &str) -> Institution {
    let found = voice.ask(ListInstitutionsRequest::default()).await.unwrap();
    let mut found = found.institutions.into_iter();
    let called = |it: &Institution| it.details.as_ref().is_some_and(|its| its.name == name);
    found.find(called).unwrap()
}

async fn merged() -> Merged {
    let (server, voice) = Home::new().serve().await;
    import(&server, "before");
    let seen = Seen::of(&voice).await;
    let closed = institution_called(&voice, "Birkeskolen").await;
    let successor = institution_called(&voice, "Lindeskolen").await;
    let years = voice.ask(ListSchoolYearsRequest::default()).await.unwrap();
    let (year_plan_id, plan_id) = (new_id(), new_id());
    let create = CreateYearPlan {
        details: Some(YearPlanDetails {
            kind: YearPlanKind::Subject.into(),
            institution_id: closed.institution_id.clone(),
            team_id: seen.team("7.A").team_id.clone(),
            school_year_id: years.school_years[0].school_year_id.clone(),
            title: "Dansk i 7.A".to_owned(),
            subjects: vec!["Dansk".to_owned()],
        }),
        owner_id: seen.id("Asta"),
    };
    let asta = voice.person(&seen.id("Asta"));
    asta.all([
        year_plan(&year_plan_id, OnYearPlan::CreateYearPlan(create)),
        open_plan(&plan_id, &seen.id("Emil"), &year_plan_id),
    ])
    .await;
    import(&server, "after");
    let seen = Seen::of(&voice).await;
    assert!(!seen.is_there("Asta"));
    let closed = institution_called(&voice, "Birkeskolen").await;
    assert!(closed.closed);
    Merged {
        server,
        voice,
        seen,
        closed: closed.institution_id,
        successor: successor.institution_id,
        year_plan: year_plan_id,
        plan: plan_id,
    }
}

impl Merged {
    fn owner(&self, arguments: &[&str]) -> Ran {
        run([&["owner"], arguments, &["--server", &self.server.url]].concat())
    }

    fn streams(&self) -> [String; 2] {
        [
            format!("plan/{}", self.plan),
            format!("year_plan/{}", self.year_plan),
        ]
    }

    /// Of the year plan and the plan, those that Bo owns.
    async fn taken_over(&self) -> Vec<String> {
        let owned = self.voice.owned(&self.seen.id("Bo")).await;
        let mut streams: Vec<_> = owned.into_iter().map(|item| item.stream).collect();
        streams.retain(|stream| !stream.starts_with("team/"));
        streams.sort();
        streams
    }

    async fn institution_of_year_plan(&self, id: &str) -> String {
        let request = GetYearPlanRequest {
            year_plan_id: id.to_owned(),
            viewer: Viewer::Staff.into(),
            min_position: 0,
        };
        let found = self.voice.ask(request).await.unwrap().year_plan.unwrap();
        found.details.unwrap().institution_id
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_colleague_of_the_team_takes_over_although_the_school_is_closed() {
    let merged = merged().await;
    let (asta, bo) = (merged.seen.id("Asta"), merged.seen.id("Bo"));
    for stream in merged.streams() {
        let could = merged.owner(&["successors", &stream]).done();
        assert!(could.stdout.contains("Bo Clausen"), "{}", could.stdout);
    }
    let [to, by_team] = [&["--to", &bo][..], &["--to-team"][..]];
    for rule in [to, by_team] {
        let id = new_id();
        let transfer = ["transfer", "--from", &asta, "--yes", "--recovery-id", &id];
        merged.owner(&[&transfer, rule].concat()).done();
        assert_eq!(merged.taken_over().await, merged.streams());
        merged.owner(&["undo", &id, "--yes"]).done();
        assert!(merged.taken_over().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_year_plan_is_rebuilt_at_the_successor() {
    let merged = merged().await;
    let (bo, rebuilt) = (merged.seen.id("Bo"), new_id());
    let rebuild = [
        "restore",
        "--rebuild",
        &merged.year_plan,
        "--rebuild-as",
        &rebuilt,
        "--give-to",
        &bo,
        "--yes",
    ];
    let refused = merged.owner(&rebuild);
    assert!(refused.stdout.contains("is closed"), "{refused:?}");
    let at = ["--at", merged.successor.as_str()];
    merged.owner(&[&rebuild[..], &at].concat()).done();
    let expected = [
        format!("plan/{}", merged.plan),
        format!("year_plan/{rebuilt}"),
    ];
    assert_eq!(merged.taken_over().await, expected);
    assert_eq!(
        merged.institution_of_year_plan(&rebuilt).await,
        merged.successor
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_command_carries_everything_over_and_is_taken_back() {
    let merged = merged().await;
    let id = new_id();
    let (from, to) = (merged.closed.as_str(), merged.successor.as_str());
    let merge = ["merge", "--from", from, "--to", to];
    let with = |more: &[&str]| merged.owner(&[&merge, more].concat());
    let dry = with(&["--dry-run"]).done();
    for said in [
        "move to institution",
        "its institution is closed",
        "to Bo Clausen",
    ] {
        assert!(dry.stdout.contains(said), "{said}: {}", dry.stdout);
    }
    assert_eq!(merged.voice.ownerless(from).await.len(), 2);
    let done = with(&["--yes", "--recovery-id", &id, "--reason", "Lagt sammen"]).done();
    assert!(done.stdout.contains("0 left out"), "{}", done.stdout);
    assert_eq!(merged.taken_over().await, merged.streams());
    assert_eq!(
        merged.institution_of_year_plan(&merged.year_plan).await,
        merged.successor
    );
    assert!(merged.voice.ownerless(from).await.is_empty());
    // The roster says the same again, and changes nothing of it.
    import(&merged.server, "after");
    assert_eq!(merged.taken_over().await, merged.streams());

    let shown = merged.owner(&["recoveries", &id]).done();
    assert!(
        shown.stdout.contains("move to institution"),
        "{}",
        shown.stdout
    );
    merged.owner(&["undo", &id, "--yes"]).done();
    assert_eq!(
        merged.institution_of_year_plan(&merged.year_plan).await,
        merged.closed
    );
    assert_eq!(merged.voice.ownerless(from).await.len(), 2);
    let wrong = merged.owner(&["merge", "--from", to, "--to", from, "--dry-run"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("NOT_CLOSED"), "{}", wrong.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_successor_asks_about_who_had_the_last_place_at_the_closed_school() {
    let merged = merged().await;
    let (from, to) = (merged.closed.as_str(), merged.successor.as_str());
    let gerda = merged.seen.id("Gerda");
    let place = |at: &str, role: Role| Affiliation {
        institution_id: at.to_owned(),
        role: role.into(),
        grade: None,
    };
    let end = |at: &Affiliation| {
        let end = EndAffiliation {
            institution_id: at.institution_id.clone(),
            role: at.role,
        };
        person(&gerda, OnPerson::EndAffiliation(end))
    };
    let last = place(from, Role::Other);
    let set = SetAffiliation {
        affiliation: Some(last.clone()),
    };
    let commands = [
        person(&gerda, OnPerson::SetAffiliation(set)),
        end(&place(to, Role::Guardian)),
        end(&last),
    ];
    merged.voice.all(commands).await;
    let asking = || {
        [from, to].map(|at| {
            let list = merged.owner(&["suggestions", "list", at]).done();
            list.stdout.contains("Gerda Ege")
        })
    };
    assert_eq!(asking(), [true, false]);
    let id = new_id();
    let merge = ["merge", "--from", from, "--to", to];
    let with = |more: &[&str]| merged.owner(&[&merge, more].concat()).done();
    let dry = with(&["--dry-run"]);
    assert!(dry.stdout.contains("be succeeded by"), "{}", dry.stdout);
    with(&["--yes", "--recovery-id", &id]);
    assert_eq!(asking(), [false, true]);
    let closed = institution_called(&merged.voice, "Birkeskolen").await;
    assert_eq!(closed.succeeded_by_id.as_deref(), Some(to));
    merged.owner(&["undo", &id, "--yes"]).done();
    assert_eq!(asking(), [true, false]);
    // What somebody decides at the successor is decided.
    with(&["--yes", "--recovery-id", &new_id()]);
    let list = merged.owner(&["suggestions", "list", to]).done();
    let decide = list.stdout.lines().find(|row| row.contains("Gerda Ege"));
    let (_, flags) = decide.unwrap().split_once(&gerda).unwrap();
    let flags: Vec<_> = flags.split_whitespace().collect();
    merged
        .owner(&[&["suggestions", "dismiss", &gerda], &flags[..]].concat())
        .done();
    assert_eq!(asking(), [false, false]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_single_year_plan_moves() {
    let merged = merged().await;
    let (year_plan, to) = (merged.year_plan.as_str(), merged.successor.as_str());
    let team = merged.seen.team("7.B").team_id.clone();
    let relocate = |more: &[&str]| {
        let relocate = ["move", year_plan, "--to", to];
        merged.owner(&[&relocate, more].concat())
    };
    relocate(&["--team", &team]).done();
    assert_eq!(merged.institution_of_year_plan(year_plan).await, to);
    let again = relocate(&[]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("ALREADY_THERE"), "{}", again.stderr);
    let last = merged.voice.all_events().await.pop().unwrap();
    assert_eq!(last.r#type, "year_plan.moved");
}

/// A school whose team 4.x has a colleague who works for the district only. The teacher who owned the
/// team, a year plan and a plan has left.
async fn left_to_the_district() -> (Running, Voice, Seen, [String; 3]) {
    let (server, voice) = Home::new().serve().await;
    let export = Export::new()
        .with("users.csv", "da,,,true,k,teacher,da,,Dagny,Elm,,,,,,,,")
        .with("users.csv", "db,,,true,k,teacher,db,,Dorthe,Lind,,,,,,,,")
        .with("enrollments.csv", "n6,,,c1,s,da,teacher,false,2026-08-10,");
    export.import(&server, "").done();
    let seen = Seen::of(&voice).await;
    let district = institution_called(&voice, "Øby Kommune")
        .await
        .institution_id;
    let places = &seen.person("Dagny").affiliations;
    assert!(places.len() == 1 && places[0].institution_id == district);
    let team = seen.team("4.x");
    let institution_id = team.details.clone().unwrap().institution_id;
    assert_ne!(institution_id, district);
    let years = voice.ask(ListSchoolYearsRequest::default()).await.unwrap();
    let (year_plan_id, plan_id) = (new_id(), new_id());
    let create = CreateYearPlan {
        details: Some(YearPlanDetails {
            kind: YearPlanKind::Subject.into(),
            institution_id,
            team_id: team.team_id.clone(),
            school_year_id: years.school_years[0].school_year_id.clone(),
            title: "Dansk i 4.x".to_owned(),
            subjects: vec!["Dansk".to_owned()],
        }),
        owner_id: seen.id("Tove"),
    };
    let tove = voice.person(&seen.id("Tove"));
    tove.all([
        year_plan(&year_plan_id, OnYearPlan::CreateYearPlan(create)),
        open_plan(&plan_id, &seen.id("Ebbe"), &year_plan_id),
    ])
    .await;
    let gone = "ta,tobedeleted,,true,s,teacher,ta,,Tove,Ask,,,,,,,,";
    export.but("users.csv", gone).import(&server, "").done();
    let streams = [
        format!("plan/{plan_id}"),
        format!("team/{}", team.team_id),
        format!("year_plan/{year_plan_id}"),
    ];
    (server, voice, seen, streams)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_colleague_who_works_for_the_district_only_takes_over() {
    let (server, voice, seen, streams) = left_to_the_district().await;
    let (tove, dagny) = (seen.id("Tove"), seen.id("Dagny"));
    let owner =
        |arguments: &[&str]| run([&["owner"], arguments, &["--server", &server.url]].concat());
    let owned = async || {
        let owned = voice.owned(&dagny).await.into_iter();
        let mut streams: Vec<_> = owned.map(|item| item.stream).collect();
        streams.sort();
        streams
    };
    for stream in &streams {
        let could = owner(&["successors", stream]).done();
        assert!(could.stdout.contains("Dagny Elm"), "{}", could.stdout);
    }
    for rule in [&["--to", &dagny][..], &["--to-team"]] {
        let id = new_id();
        let transfer = ["transfer", "--from", &tove, "--yes", "--recovery-id", &id];
        let done = owner(&[&transfer, rule].concat()).done();
        assert!(done.stdout.contains("0 left out"), "{}", done.stdout);
        assert_eq!(owned().await, streams);
        owner(&["undo", &id, "--yes"]).done();
        assert!(owned().await.is_empty());
    }

    // Somebody of the district who is not on the team's staff may not.
    let dorthe = seen.id("Dorthe");
    let refused = owner(&["transfer", "--from", &tove, "--to", &dorthe, "--yes"]);
    assert!(
        refused.stdout.contains("is not on the staff"),
        "{refused:?}"
    );
    assert!(voice.owned(&dorthe).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_institution_that_a_leader_closed_stays_closed_and_the_import_says_so() {
    let (server, voice) = Home::new().serve().await;
    let export = Export::new();
    export.import(&server, "").done();
    let school = institution_called(&voice, "Ærøskolen").await.institution_id;
    let leader = voice.person(&Seen::of(&voice).await.id("Lone"));
    let close = OnInstitution::CloseInstitution(CloseInstitution { reason: None });
    leader.execute(institution(&school, close)).await;
    let again = export.import(&server, "").done();
    let said = "whether it is closed";
    assert!(again.stderr.contains(said), "{}", again.stderr);
    let school = institution_called(&voice, "Ærøskolen").await;
    assert!(school.closed);
    assert_eq!(school.decided_by_hand[0].kind(), RosterFactKind::Closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_guardian_who_has_left_is_not_listed_until_they_are_back() {
    let (server, voice) = Home::new().serve().await;
    Export::new().import(&server, "").done();
    let seen = Seen::of(&voice).await;
    let (gorm, ebbe) = (seen.id("Gorm"), seen.id("Ebbe"));
    let listed = async || {
        let request = |id: &str| GetPersonRequest {
            person_id: id.to_owned(),
            ..GetPersonRequest::default()
        };
        let child = voice.ask(request(&ebbe)).await.unwrap().person.unwrap();
        let children = voice.ask(request(&gorm)).await.unwrap().children;
        let mut guardians = child.guardians.iter();
        let guards = guardians.any(|guardian| guardian.guardian_id == gorm);
        assert_eq!(guards, !children.is_empty());
        let found = voice.ask(LookupPersonRequest {
            id: "ea".to_owned(),
            ..LookupPersonRequest::default()
        });
        let found = found.await.unwrap().persons.remove(0);
        assert_eq!(found.guardians.len(), child.guardians.len());
        // So it is in lists.
        let seen = Seen::of(&voice).await;
        assert_eq!(seen.guardians("Ebbe").contains(&gorm), guards);
        guards
    };
    assert!(listed().await);
    let depart = OnPerson::DepartPerson(DepartPerson::default());
    voice.execute(person(&gorm, depart)).await;
    assert!(!listed().await);
    // The same roster changes nothing of it.
    voice
        .execute(person(&gorm, OnPerson::ReturnPerson(ReturnPerson {})))
        .await;
    assert!(listed().await);
}
