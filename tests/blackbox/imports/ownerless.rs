//! What an import leaves without an owner is listed, with the reason.

use planledger_proto::v1::*;

use super::export::{Export, Seen};
use crate::support::*;

/// The reasons for which something of an institution has no owner.
async fn reasons(voice: &Voice, institution: &str) -> Vec<OwnerlessReason> {
    let request = ListOwnerlessRequest {
        institution_id: institution.to_owned(),
        ..ListOwnerlessRequest::default()
    };
    let items = voice.ask(request).await.unwrap().items;
    items.iter().map(OwnedItem::ownerless_reason).collect()
}

/// Tove owns a team, a year plan and a plan. Then another export says something else of her.
async fn after_tove(row: &str) -> (Running, Voice, String) {
    let before = Export::new().with("orgs.csv", "s2,,,Lindeskolen,school,700002,k");
    let (server, voice) = Home::new().serve().await;
    before.import(&server, "").done();
    let seen = Seen::of(&voice).await;
    let team = seen.team("4.x");
    let institution = team.details.clone().unwrap().institution_id;
    let years = voice.ask(ListSchoolYearsRequest::default()).await.unwrap();
    let school = School {
        institution: institution.clone(),
        school_year: years.school_years[0].school_year_id.clone(),
        teacher: seen.id("Tove"),
        student: seen.id("Ebbe"),
        team: team.team_id.clone(),
        ..School::nobody()
    };
    let course = school.course(&voice, YearPlanKind::Subject).await;
    school.plan(&voice, &course).await;
    assert_eq!(team.owner_id.as_ref(), Some(&school.teacher));
    assert!(reasons(&voice, &institution).await.is_empty());

    let after = before
        .but("users.csv", row)
        .without("enrollments.csv", "n1")
        .with("enrollments.csv", "n20,,,c1,s,tb,teacher,true,2026-08-10,");
    after.import(&server, "").done();
    (server, voice, institution)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_belongs_to_a_teacher_who_moved_to_another_school_is_listed() {
    let row = "ta,,,true,s2,teacher,ta,,Tove,Ask,,,,,,,,";
    let (server, voice, institution) = after_tove(row).await;
    let found = reasons(&voice, &institution).await;
    assert_eq!(found, [OwnerlessReason::Elsewhere; 3]);
    let list = ["owner", "list", "--ownerless", &institution];
    let listed = run([&list[..], &["--server", &server.url]].concat()).done();
    let said = listed.stdout.matches("no longer staff here").count();
    assert_eq!(said, 3, "{}", listed.stdout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_belongs_to_a_teacher_who_is_only_a_guardian_now_is_listed() {
    let row = "ta,,,true,s,guardian,ta,,Tove,Ask,,,,,,,,";
    let (_server, voice, institution) = after_tove(row).await;
    let found = reasons(&voice, &institution).await;
    assert_eq!(found, [OwnerlessReason::NotStaff; 3]);
}
