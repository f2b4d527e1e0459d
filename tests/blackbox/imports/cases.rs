//! Cases that went wrong for people who do this work: each with its own files and its right value.
//!
//! Most files of most cases are those of one school. `case-files/school` has them once, and the folder
//! of a case has only the files that differ. A folder with a manifest of its own is a whole export. The
//! case of the merged schools (16) is in [`super::merger`].

use std::path::{Path, PathBuf};

use planledger::system::today;
use planledger_fixtures::place::copy;
use planledger_proto::v1::overview_count::Count;
use planledger_proto::v1::*;
use tempfile::TempDir;

use super::export::Seen;
use crate::support::*;

const SCHOOL: &str = "school";

fn case_file(name: &str) -> PathBuf {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("blackbox/imports/case-files");
    files.join(name)
}

/// The folder of an export: all its files.
fn export(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    if !case_file(name).join("manifest.csv").is_file() {
        copy(&case_file(SCHOOL), folder.path());
    }
    copy(&case_file(name), folder.path());
    folder
}

/// A ledger that a case is tried with.
struct Tried {
    server: Running,
    voice: Voice,
}

impl Tried {
    async fn new() -> Self {
        let (server, voice) = Home::new().serve().await;
        Self { server, voice }
    }

    /// A ledger that has imported these exports, one after another.
    async fn after(names: &[&str]) -> Self {
        let tried = Self::new().await;
        for name in names {
            tried.import(name, &[]).done();
        }
        tried
    }

    fn import(&self, name: &str, flags: &[&str]) -> Ran {
        let folder = export(name);
        let path = folder.path().to_str().unwrap();
        let import = ["import", "roster", path, "--server", &self.server.url];
        run([&import[..], flags].concat())
    }

    /// The texts of the items of a catalogue, in the order in which they are listed.
    async fn catalogue(&self, file: &str) -> Vec<String> {
        let path = case_file(file);
        let path = path.to_str().unwrap();
        run(["import", "catalogue", path, "--server", &self.server.url]).done();
        let found = self.voice.ask(ListCataloguesRequest::default()).await;
        let request = ListCatalogueItemsRequest {
            catalogue_id: found.unwrap().catalogues[0].catalogue_id.clone(),
            page_size: 100,
            ..ListCatalogueItemsRequest::default()
        };
        let items = self.voice.ask(request).await.unwrap().items;
        items.into_iter().map(|item| item.text).collect()
    }

    async fn seen(&self) -> Seen {
        Seen::of(&self.voice).await
    }

    /// The leader of the school.
    async fn leader(&self) -> (Voice, String) {
        let id = self.seen().await.id("Lis");
        (self.voice.person(&id), format!("person/{id}"))
    }

    /// The school, with a year plan and a plan of Emil's that Asta owns.
    async fn with_plan_of_asta(&self) -> School {
        let seen = self.seen().await;
        let team = seen.team("7.A");
        let years = self.voice.ask(ListSchoolYearsRequest::default()).await;
        let school = School {
            institution: team.details.clone().unwrap().institution_id,
            school_year: years.unwrap().school_years[0].school_year_id.clone(),
            teacher: seen.id("Asta"),
            student: seen.id("Emil"),
            team: team.team_id.clone(),
            ..School::nobody()
        };
        let course = school.course(&self.voice, YearPlanKind::Subject).await;
        school.plan(&self.voice, &course).await;
        school
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_01_a_teacher_whose_class_ended_with_its_term_is_there() {
    let tried = Tried::after(&["01-term-teacher-departs/export"]).await;
    let seen = tried.seen().await;
    assert!(seen.is_there("Kaj"));
    assert!(!seen.has_staff("7.A sløjd", "Kaj"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_02_a_teacher_whose_class_is_cancelled_is_there() {
    let case = "02-cancelled-class-departs-teacher";
    let tried = Tried::after(&[&format!("{case}/before"), &format!("{case}/after")]).await;
    let seen = tried.seen().await;
    assert!(seen.is_there("Kaj") && seen.team("Valgfag film").closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_04_whoever_may_not_log_in_is_there_has_a_place_and_is_counted() {
    let tried = Tried::after(&["04-enabledUser-false/export"]).await;
    let seen = tried.seen().await;
    for name in ["Emil", "Asta"] {
        assert!(seen.is_there(name));
        assert!(!seen.person(name).records[0].enabled);
    }
    assert!(seen.has_member("7.A dansk", "Emil") && seen.has_staff("7.A dansk", "Asta"));
    let request = GetOverviewRequest {
        as_of: Some(today().to_string()),
        ..GetOverviewRequest::default()
    };
    let (leader, _) = tried.leader().await;
    let total = leader.ask(request).await.unwrap().total.unwrap();
    assert_eq!(total.students.unwrap().count, Some(Count::Exact(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_05_only_a_departure_that_a_person_noted_stays() {
    let tried = Tried::after(&[SCHOOL]).await;
    let (leader, actor) = tried.leader().await;
    let gone = "05-sticky-departure/gone";
    tried.import(gone, &["--as", &actor]).done();
    assert!(!tried.seen().await.is_there("Asta"));
    tried.import(SCHOOL, &[]).done();
    let seen = tried.seen().await;
    assert!(seen.is_there("Asta"));

    let depart = OnPerson::DepartPerson(DepartPerson::default());
    leader.execute(person(&seen.id("Asta"), depart)).await;
    tried.import(SCHOOL, &[]).done();
    assert!(!tried.seen().await.is_there("Asta"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_06_who_is_not_in_a_bulk_export_is_named_and_what_she_owned_is_listed() {
    let tried = Tried::after(&[SCHOOL]).await;
    let done = tried.import("06-absent-from-bulk/after", &[]).done();
    assert!(done.stderr.contains("Asta Berg"), "{}", done.stderr);
    let seen = tried.seen().await;
    assert!(seen.is_there("Asta") && seen.has_staff("7.A", "Asta"));
    let team = seen.team("7.A");
    let institution = &team.details.as_ref().unwrap().institution_id;
    let listed = tried.voice.ownerless(institution).await;
    assert_eq!(listed, [format!("team/{}", team.team_id)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_07_enrolments_with_a_header_only_empty_no_team() {
    let tried = Tried::after(&[SCHOOL]).await;
    let stopped = tried.import("07-header-only-enrollments/after", &[]);
    assert_eq!(stopped.code, Some(1));
    assert!(stopped.stderr.contains("TABLE_EMPTY"), "{}", stopped.stderr);
    let seen = tried.seen().await;
    assert!(seen.has_member("7.A", "Emil") && seen.has_staff("7.B", "Bo"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_10_a_guardianship_that_a_leader_ended_stays_ended() {
    let tried = Tried::after(&[SCHOOL]).await;
    let seen = tried.seen().await;
    let (leader, _) = tried.leader().await;
    let end = OnPerson::EndGuardianship(EndGuardianship {
        guardian_id: seen.id("Hans"),
        last_day: today().yesterday().unwrap().to_string(),
    });
    leader.execute(person(&seen.id("Emil"), end)).await;
    tried.import(SCHOOL, &[]).done();
    assert_eq!(tried.seen().await.guardians("Emil"), [seen.id("Gerda")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_11_a_guardian_who_is_gone_guards_nobody() {
    let tried = Tried::after(&[SCHOOL, "11-departed-guardian-stays/after"]).await;
    let seen = tried.seen().await;
    assert_eq!(seen.guardians("Emil"), [seen.id("Gerda")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_12_a_teacher_is_a_guardian_of_her_child() {
    let tried = Tried::after(&["12-teacher-who-is-parent/export"]).await;
    let seen = tried.seen().await;
    assert_eq!(seen.guardians("Freja"), [seen.id("Bo")]);
    assert!(seen.has_staff("7.B", "Bo"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_14_two_municipalities_with_the_same_numbers_never_meet() {
    let tried = Tried::after(&[SCHOOL]).await;
    tried.with_plan_of_asta().await;
    let before = tried.seen().await.id("Emil");
    let other = "14-two-sources-same-ids/kommune-b";
    let stopped = tried.import(other, &[]);
    assert_eq!(stopped.code, Some(1));
    assert!(stopped.stderr.contains("--source"), "{}", stopped.stderr);
    tried.import(other, &["--source", "Anden Kommune"]).done();
    let seen = tried.seen().await;
    assert_eq!(seen.person("Emil").name, "Emil Ege");
    assert_eq!(seen.id("Emil"), before);
    assert_ne!(seen.id("Oskar"), before);
    let found = tried.voice.ask(ListInstitutionsRequest::default()).await;
    let institutions = found.unwrap().institutions;
    let mut names: Vec<_> = institutions
        .iter()
        .map(|it| it.details.as_ref().unwrap().name.as_str())
        .collect();
    names.sort_unstable();
    let both = ["Anden Kommune", "Birkeskolen", "Egeskolen"];
    let expected = [&both[..], &["Lindeskolen"; 2], &["Prøve Kommune"]].concat();
    assert_eq!(names, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_15_what_an_owner_left_who_works_elsewhere_is_listed() {
    for now in ["moved", "guardian-now"] {
        let tried = Tried::after(&[SCHOOL]).await;
        let school = tried.with_plan_of_asta().await;
        let none = tried.voice.ownerless(&school.institution).await;
        assert!(none.is_empty());
        let after = format!("15-owner-works-elsewhere-not-listed/{now}");
        tried.import(&after, &[]).done();
        let listed = tried.voice.ownerless(&school.institution).await;
        let kinds = listed.iter().filter_map(|stream| stream.split('/').next());
        let mut kinds: Vec<_> = kinds.collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["plan", "team", "year_plan"], "{now}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_18_a_danish_production_unit_number_is_no_cpr_number() {
    let tried = Tried::new().await;
    let done = tried
        .import("18-p-number-is-no-cpr/export", &["--json"])
        .done();
    assert_eq!(done.json()["refused"], 0);
    assert!(tried.seen().await.is_there("Emil"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_19_rows_that_are_gone_and_dangle_or_are_blank_are_passed_over() {
    for (part, file) in [
        ("export", "enrollments.csv, line 7"),
        ("blank_user", "users.csv, line 9"),
    ] {
        let tried = Tried::new().await;
        let done = tried.import(&format!("19-gone-rows-that-dangle/{part}"), &[]);
        let said = done.done().stderr;
        assert!(said.contains(&format!("passed over: {file}")), "{said}");
        assert!(tried.seen().await.has_member("7.A", "Emil"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_21_what_a_danish_excel_saves_is_read() {
    let tried = Tried::new().await;
    let done = tried
        .import("21-danish-excel-semicolons/export", &[])
        .done();
    for said in ["separated by semicolons", "Windows-1252"] {
        assert!(done.stderr.contains(said), "{}", done.stderr);
    }
    assert_eq!(tried.seen().await.guardians("Emil").len(), 2);
    let years = tried.voice.ask(ListSchoolYearsRequest::default()).await;
    let details = years.unwrap().school_years[0].details.clone();
    assert_eq!(details.unwrap().title, "Skoleåret 2026/27");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_22_classes_without_courses_have_their_own_terms_and_subjects() {
    let tried = Tried::after(&["22-no-courses-file/export"]).await;
    let seen = tried.seen().await;
    for title in ["7.A dansk", "7.B dansk"] {
        let details = seen.team(title).details.clone().unwrap();
        assert_eq!(details.subject.as_deref(), Some("Dansk"));
        assert!(details.school_year_id.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_24_a_substitute_and_a_closing_stay() {
    let tried = Tried::after(&[SCHOOL]).await;
    let seen = tried.seen().await;
    let (leader, _) = tried.leader().await;
    let staff = Some(TeamStaff {
        person_id: seen.id("Bo"),
        role: StaffRole::Teacher.into(),
    });
    let add = OnTeam::AddTeamStaff(AddTeamStaff { staff });
    let close = OnTeam::CloseTeam(CloseTeam { reason: None });
    leader
        .all([
            team(&seen.team("7.A").team_id, add),
            team(&seen.team("7.B").team_id, close),
        ])
        .await;
    let done = tried.import(SCHOOL, &[]).done();
    assert!(done.stderr.contains("2 things stay"), "{}", done.stderr);
    let seen = tried.seen().await;
    assert!(seen.has_staff("7.A", "Bo") && seen.team("7.B").closed);
}

fn numbered_goals() -> Vec<String> {
    (1..=6).map(|number| format!("Mål nr {number}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_25_goals_are_listed_in_the_publishers_order() {
    let tried = Tried::new().await;
    let listed = tried.catalogue("25-case-order-lost/order.json").await;
    assert_eq!(listed, numbered_goals());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_26_a_wrapped_package_goes_in() {
    let tried = Tried::new().await;
    let mut listed = tried
        .catalogue("26-case-wrapped-package/wrapped.json")
        .await;
    listed.sort();
    assert_eq!(listed, numbered_goals());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_28_a_book_number_and_a_binary_number_are_no_cpr_numbers() {
    let tried = Tried::new().await;
    let listed = tried.catalogue("28-case-isbn-binary/isbn.json").await;
    assert_eq!(listed.len(), 2);
    for number in ["0306406152", "1010101010"] {
        assert!(listed.iter().any(|text| text.contains(number)));
    }
}
