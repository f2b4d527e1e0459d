//! `planledger plan`.

use planledger_proto::v1::*;

use crate::support::*;

/// A server with one plan that guardians see some of.
async fn planned(server: &Running) -> (School, Course, String, u64) {
    let voice = server.voice().await;
    let (school, course, plan_id) = School::with_plan(&voice).await;
    let teacher = voice.person(&school.teacher);
    let goal = &course.reflection_goal;
    let before = teacher
        .execute(write_status(&plan_id, "Læser en smule"))
        .await;
    teacher
        .all([
            course.evaluate(&plan_id, &new_id(), goal, assessment(1, "Tør læse højt")),
            write_status(&plan_id, "Læser med stigende lyst"),
            show_section(&plan_id, Section::Status),
            plan(&plan_id, OnPlan::SharePlan(SharePlan {})),
            set_visibility(&plan_id, Audience::Guardians, true),
        ])
        .await;
    (school, course, plan_id, before.position)
}

fn plan_command(server: &Running, arguments: &[&str]) -> Ran {
    let server = ["--server", &server.url];
    run([&["plan"], arguments, &server].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_plan_is_shown_to_people_and_as_json_as_each_viewer_sees_it_now_and_then() {
    let server = Home::new().start();
    let (_, _, plan_id, before) = planned(&server).await;
    let show = |more: &[&str]| plan_command(&server, &[&["show", &plan_id], more].concat());

    let sheet = show(&[]).done();
    for words in [
        STUDENT,
        TEACHER,
        "Læser med stigende lyst",
        REFLECTION_GOAL,
        "Tør læse højt",
    ] {
        assert!(sheet.stdout.contains(words), "{words}: {}", sheet.stdout);
    }
    assert!(sheet.stderr.contains("as of position"), "{}", sheet.stderr);
    let sheet = show(&["--viewer", "guardians"]).done();
    assert!(sheet.stdout.contains("Læser med stigende lyst"));
    assert!(!sheet.stdout.contains("Tør læse højt"), "{}", sheet.stdout);

    let position = before.to_string();
    let then = show(&["--at", &position, "--json"]).done().json();
    assert_eq!(then["plan"]["status"]["text"], "Læser en smule");
    assert_eq!(then["position"], position);
    let now = show(&["--json"]).done().json();
    assert_eq!(now["plan"]["planId"], plan_id);
    assert_eq!(now["plan"]["studentName"], STUDENT);
    assert_eq!(now["plan"]["visibleTo"][0], "AUDIENCE_GUARDIANS");

    for (more, reason) in [
        (&["--viewer", "others"][..], "PLAN_NOT_FOUND"),
        (&["--at", "1"], "PLAN_NOT_FOUND"),
        (&["--at", "1000000"], "POSITION_AHEAD"),
        (&["--at", "2200-01-01"], "INSTANT_AHEAD"),
    ] {
        let ran = show(&[more, &["--json"]].concat());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.contains(reason), "{}", ran.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn why_something_was_deleted_and_who_did_it_is_printed_for_staff_only() {
    let home = Home::new();
    let server = home.start();
    let (school, course, plan_id, _) = planned(&server).await;
    let voice = server.voice().await;
    let before = voice.position().await.to_string();
    let delete = DeleteTeam {
        reason: Some("INTERN: skændes med Ib".to_owned()),
    };
    let delete_team = team(&school.team, OnTeam::DeleteTeam(delete));
    let leader = voice.person(&school.leader);
    leader.all([course.delete(), delete_team]).await;
    let show = ["show", &plan_id];
    let diff = ["diff", &plan_id, "--from", &before];
    for command in [&show[..], &diff] {
        for json in [&[][..], &["--json"]] {
            let print = |viewer: &str| {
                let viewer = ["--viewer", viewer];
                let ran = plan_command(&server, &[command, json, &viewer].concat());
                ran.done().stdout
            };
            let staff = print("staff");
            for words in ["INTERN: skændes med Ib", "oprydning på årsplanerne"] {
                assert!(staff.contains(words), "{words}: {staff}");
            }
            let guardians = print("guardians");
            assert!(guardians.contains("delet"), "{guardians}");
            let leader = school.leader.as_str();
            for words in ["INTERN", "oprydning", "Bodil", leader] {
                assert!(!guardians.contains(words), "{words}: {guardians}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_plans_log_tells_all_that_happened_and_who_did_it() {
    let server = Home::new().start();
    let (_, _, plan_id, _) = planned(&server).await;
    let log = plan_command(&server, &["log", &plan_id]).done();
    for words in [
        "opened",
        "unit included",
        "status written",
        "Læser en smule",
        TEACHER,
    ] {
        assert!(log.stdout.contains(words), "{words}: {}", log.stdout);
    }
    let log = plan_command(&server, &["log", &plan_id, "--json"])
        .done()
        .json();
    let types = log["events"].as_array().unwrap().iter();
    let types: Vec<_> = types.map(|event| event["type"].as_str().unwrap()).collect();
    let first = ["plan.opened", "plan.unit_included", "plan.status_written"];
    assert_eq!(types[..3], first);
    let ran = plan_command(&server, &["log", &new_id(), "--json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("PLAN_NOT_FOUND"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn plans_are_listed_by_student_owner_team_and_year_plan() {
    let server = Home::new().start();
    let (school, course, plan_id, _) = planned(&server).await;
    for (by, id) in [
        ("--student", &school.student),
        ("--owner", &school.teacher),
        ("--team", &school.team),
        ("--year-plan", &course.year_plan),
    ] {
        let list = plan_command(&server, &["list", by, id, "--json"])
            .done()
            .json();
        assert_eq!(list["plans"].as_array().unwrap().len(), 1, "{by}");
        assert_eq!(list["plans"][0]["planId"], plan_id);
        let list = plan_command(&server, &["list", by, id]).done();
        assert!(list.stdout.contains(&plan_id) && list.stdout.contains(STUDENT));
    }
    let list = plan_command(&server, &["list", "--student", &school.classmate, "--json"]);
    assert!(list.done().json().get("plans").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_actor_that_is_none_is_turned_away_by_the_server() {
    let server = Home::new().start();
    let ran = plan_command(&server, &["list", "--student", &new_id(), "--as", "nobody"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("ACTOR_INVALID"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_people_wrote_is_shown_as_text_whatever_it_holds() {
    let server = Home::new().start();
    let (school, course, plan_id, _) = planned(&server).await;
    let teacher = server.voice().await.person(&school.teacher);
    let forged = "Fint\n6  2026-08-11 09:00:00  Rektor  withdrawn\r\u{202e}tsil";
    let goal = &course.reflection_goal;
    let comment = assessment(1, forged);
    teacher
        .all([
            course.evaluate(&plan_id, &new_id(), goal, comment),
            write_status(&plan_id, "Godt\nGoals\n\u{200b}\u{2067}slut"),
        ])
        .await;
    for arguments in [
        &["show"][..],
        &["log"],
        &["diff", "--from", "1"],
        &["show", "--json"],
    ] {
        let (verb, more) = arguments.split_first().unwrap();
        let ran = plan_command(&server, &[&[*verb, &plan_id], more].concat()).done();
        let hidden =
            |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{2067}\u{200b}".contains(c));
        assert!(!ran.stdout.contains(hidden), "{:?}", ran.stdout);
        let forged = ran
            .stdout
            .lines()
            .find(|line| line.trim_start().starts_with("6  2026"));
        assert_eq!(
            forged.filter(|line| line.starts_with('6')),
            None,
            "{}",
            ran.stdout
        );
        let goals = ran.stdout.lines().filter(|line| *line == "Goals");
        assert!(goals.count() <= 1, "{}", ran.stdout);
    }
    let shown = plan_command(&server, &["show", &plan_id, "--json"])
        .done()
        .json();
    assert_eq!(
        shown["plan"]["status"]["text"],
        "Godt\nGoals\n\u{200b}\u{2067}slut"
    );
    let sheet = plan_command(&server, &["show", &plan_id]).done().stdout;
    assert!(sheet.contains("Fint\\n6  2026"), "{sheet}");
    assert!(sheet.contains("\\u{202e}"), "{sheet}");
}
