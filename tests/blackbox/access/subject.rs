//! `planledger access subject`: one copy of everything that is held on a person.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use planledger::server::Limits;
use planledger::server::granted::Granted;
use planledger_proto::v1::*;
use serde_json::Value;

use super::schema::faults;
use crate::support::*;

/// What everybody sees: what a browser would obey, letters of Danish, and an override of direction.
const SEEN: &str = "Åse & <script>alert('æøå')</script>\n\u{202e}vendt";
const OTHER_GUARDIAN: &str = "Ditte Ukendt-Værge";
const CLASSMATE: &str = "Ib Låsby";
/// A text behind each gate.
const UNSHARED: &str = "bag den første port: planen er ikke delt";
const EXCLUDED: &str = "bag den anden port: forløbet er ikke med";
const HIDDEN_SECTION: &str = "bag den tredje port: afsnittet er skjult";
const HIDDEN_ITEM: &str = "bag den tredje port: vurderingen er skjult";
const FOR_STUDENT: &str = "bag den fjerde port: kun eleven ser planen";
/// Why the year plan was deleted, which staff alone see.
const REASON: &str = "oprydning på årsplanerne";

const HIDDEN_FROM_ALL: [&str; 4] = [UNSHARED, EXCLUDED, HIDDEN_SECTION, HIDDEN_ITEM];

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let path = samples().join("../schema/subject-access-v1.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
});

/// A school with texts behind every gate, on a server that asks about each right.
struct World {
    server: Running,
    school: School,
    officer: String,
    other_guardian: String,
    folder: tempfile::TempDir,
}

/// What a run wrote.
struct Written {
    ran: Ran,
    json: Value,
    page: String,
    folder: PathBuf,
}

impl Written {
    /// Both files, as one text without any escapes.
    fn holds(&self, text: &str) -> bool {
        let json = serde_json::to_string(text).unwrap();
        let whole = self.json.to_string();
        whole.contains(json.trim_matches('"')) || self.page.contains(text)
    }

    /// The codes of what is left out, by part.
    fn left_out(&self, part: &str) -> Vec<String> {
        let entries = self.json["leftOut"].as_array().unwrap().iter();
        let of_part = entries.filter(|entry| entry["part"] == part);
        of_part
            .map(|entry| entry["code"].as_str().unwrap().to_owned())
            .collect()
    }

    fn section(&self, name: &str) -> &[Value] {
        let section = &self.json["sections"][name];
        section.as_array().map_or(&[], Vec::as_slice)
    }
}

impl World {
    async fn new() -> Self {
        Self::within(Limits::default()).await
    }

    async fn within(limits: Limits) -> Self {
        let home = Home::new();
        let (school, officer, other_guardian) = {
            let (_server, voice) = home.serve().await;
            let (school, course, plan_id) = School::with_plan(&voice).await;
            let (officer, other) = (new_id(), new_id());
            people(&voice, &school, &officer, &other).await;
            gates(&voice, &school, &course, &plan_id).await;
            // In development mode anybody reads anything.
            for who in [&school.classmate, &school.teacher, &other] {
                voice.person(who).plan(&plan_id, Viewer::Guardians).await;
            }
            (school, officer, other)
        };
        let setup = Setup {
            authorizer: Arc::new(Granted),
            limits,
            ..Setup::default()
        };
        Self {
            server: setup.start(&home),
            school,
            officer,
            other_guardian,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    async fn run(&self, who: &str, person: &str, out: &str, more: &[&str]) -> (PathBuf, Ran) {
        let folder = self.folder.path().join(out);
        let who = format!("person/{who}");
        let out = folder.to_str().unwrap();
        let words = [
            "access",
            "subject",
            "--server",
            &self.server.url,
            "--as",
            &who,
        ];
        let words = [&words[..], &["--person", person, "--out", out], more].concat();
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let ran = tokio::task::spawn_blocking(move || run(words))
            .await
            .unwrap();
        (folder, ran)
    }

    /// A copy that is made, and that the published schema describes.
    async fn copy(&self, who: &str, person: &str, out: &str, more: &[&str]) -> Written {
        let (folder, ran) = self.run(who, person, out, more).await;
        let ran = ran.done();
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let json = serde_json::from_str(&read("subject-access.json")).unwrap();
        assert_eq!(faults(&SCHEMA, &json), Vec::<String>::new());
        Written {
            ran,
            json,
            page: read("subject-access.html"),
            folder,
        }
    }
}

async fn people(voice: &Voice, school: &School, officer: &str, other: &str) {
    let guardianship = Some(Guardianship {
        guardian_id: other.to_owned(),
        last_day: None,
    });
    let grant = grant_details(AccessRole::RecordsOfficer, municipality());
    let commands = [
        put_person(officer, "Arkivar Ø", &school.institution, Role::Other),
        put_person(other, OTHER_GUARDIAN, &school.institution, Role::Guardian),
        person(
            &school.student,
            OnPerson::SetGuardianship(SetGuardianship { guardianship }),
        ),
        grant_role(&new_id(), actor_person(officer), grant),
    ];
    voice.all(commands).await;
}

/// Puts a text behind each gate, and one before all of them.
async fn gates(voice: &Voice, school: &School, course: &Course, plan_id: &str) {
    let teacher = voice.person(&school.teacher);
    let share = |id: &str| plan(id, OnPlan::SharePlan(SharePlan {}));
    let (evaluation, goal) = (new_id(), &course.subject_goal);
    let seen = assessment(1, "Fin fremgang");
    let follow_up = WriteFollowUp {
        text: HIDDEN_SECTION.to_owned(),
        follow_up_on: None,
    };
    let hide = HideItem {
        item: Some(Item {
            item: Some(item::Item::EvaluationId(evaluation.clone())),
        }),
    };
    let commands = [
        write_status(plan_id, SEEN),
        plan(plan_id, OnPlan::WriteFollowUp(follow_up)),
        course.evaluate(plan_id, &new_id(), goal, seen),
        course.evaluate(plan_id, &evaluation, goal, assessment(0, HIDDEN_ITEM)),
        show_section(plan_id, Section::Status),
        show_section(plan_id, Section::Goals),
        plan(plan_id, OnPlan::HideItem(hide)),
        share(plan_id),
        set_visibility(plan_id, Audience::Student, true),
        set_visibility(plan_id, Audience::Guardians, true),
        course.delete(),
    ];
    teacher.all(commands).await;
    for (text, is_shared, guardians) in [(UNSHARED, false, true), (FOR_STUDENT, true, false)] {
        let course = school.course(voice, YearPlanKind::Subject).await;
        let id = school.plan(voice, &course).await;
        let mut commands = vec![
            write_status(&id, text),
            show_section(&id, Section::Status),
            set_visibility(&id, Audience::Student, true),
            set_visibility(&id, Audience::Guardians, guardians),
        ];
        commands.extend(is_shared.then(|| share(&id)));
        teacher.all(commands).await;
    }
    let course = school.course(voice, YearPlanKind::Subject).await;
    let id = school.plan(voice, &course).await;
    let exclude = ExcludeUnit {
        unit: Some(course.unit()),
    };
    let commands = [
        course.evaluate(
            &id,
            &new_id(),
            &course.subject_goal,
            assessment(0, EXCLUDED),
        ),
        plan(&id, OnPlan::ExcludeUnit(exclude)),
        show_section(&id, Section::Goals),
        share(&id),
        set_visibility(&id, Audience::Student, true),
        set_visibility(&id, Audience::Guardians, true),
    ];
    teacher.all(commands).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_records_officer_copies_everything_and_is_told_what_is_not_there() {
    let world = World::new().await;
    let (officer, student) = (&world.officer, &world.school.student);
    let records = ["--for", "records"];
    let written = world.copy(officer, student, "all", &records).await;
    for text in HIDDEN_FROM_ALL
        .iter()
        .chain([&FOR_STUDENT, &REASON, &CLASSMATE])
    {
        assert!(written.holds(text), "{text}");
    }
    let json = &written.json;
    assert_eq!(json["viewer"], "VIEWER_STAFF");
    assert_eq!(json["for"], "records");
    assert_eq!(json["person"], student.as_str());
    let plans = json.pointer("/sections/plans/plans").unwrap();
    assert_eq!(plans.as_array().unwrap().len(), 4);
    let guardians = json.pointer("/sections/person/person/guardians").unwrap();
    assert_eq!(guardians.as_array().unwrap().len(), 2);
    assert_eq!(written.section("teams").len(), 1);
    assert_eq!(
        written.section("teams")[0]["memberIds"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // What was read for the copy is itself on record.
    let by_officer = written.section("readers").iter();
    let by_officer = by_officer.filter(|read| read["actor"]["personId"] == officer.as_str());
    assert!(by_officer.count() >= 2);
    // Records officers may not read who owns what: the copy says so, and so does the program.
    assert_eq!(written.left_out("owned"), ["ACCESS_DENIED"]);
    assert_eq!(written.left_out("acts"), ["NOT_ASKED"]);
    assert!(written.page.contains("ACCESS_DENIED"));
    assert!(
        written
            .ran
            .stderr
            .contains("left out: owned (ACCESS_DENIED"),
        "{:?}",
        written.ran
    );
    page_is_safe(&written.page);
    page_is_danish(&written);

    for name in ["subject-access.json", "subject-access.html"] {
        let metadata = fs::metadata(written.folder.join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
    assert_eq!(fs::read_dir(&written.folder).unwrap().count(), 2);
    for name in ["subject-access.json", "subject-access.html"] {
        fs::write(written.folder.join(name), "før").unwrap();
        let (_, again) = world.run(officer, student, "all", &records).await;
        assert_eq!(again.code, Some(1), "{again:?}");
        assert!(again.stderr.contains("already exists"), "{again:?}");
        assert_eq!(
            fs::read_to_string(written.folder.join(name)).unwrap(),
            "før"
        );
        fs::remove_file(written.folder.join(name)).unwrap();
    }
}

/// The page has nothing that a browser runs or fetches, and shows texts as they were written.
fn page_is_safe(page: &str) {
    assert!(page.contains("<html lang=\"da\">"));
    for word in [
        "<script", "http://", "https://", "src=", "@import", "url(", "\u{202e}",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    let shown = "Åse &amp; &lt;script&gt;alert(&#39;æøå&#39;)&lt;/script&gt;\n\\u{202e}vendt";
    assert!(page.contains(shown), "{page}");
}

/// What the program itself says on the page is Danish: names of members, values of enums, types of events,
/// parts that are left out and why.
fn page_is_danish(written: &Written) {
    let page = &written.page;
    for english in [
        "VIEWER_",
        "ROLE_",
        "_KIND_",
        "AUDIENCE_",
        "EVALUATOR_",
        "ERASURE_STATE_",
        "<dt>name<",
        "<dt>personId<",
        "<dt>affiliations<",
        "<dt>memberIds<",
        "<td>plan.",
        "<td>person.",
        "<td>team.",
        "<td>staff<",
        "<td>guardians<",
        "<td>collected view<",
        "<td>teaching<",
    ] {
        assert!(!page.contains(english), "{english}");
    }
    for entry in written.json["leftOut"].as_array().unwrap() {
        for member in ["part", "why"] {
            let english = format!("<td>{}</td>", entry[member].as_str().unwrap());
            assert!(!page.contains(&english), "{english}");
        }
    }
    assert!(page.contains("<td>Planer set som</td>"));
    assert!(
        page.contains("<td>alle planer</td>"),
        "the readers of this copy"
    );
    // The access log of the world is as old as its server.
    let since = written.json["readersCompleteSince"].as_str().unwrap();
    assert!(since.ends_with('Z'), "{since}");
    assert!(page.contains("<p>Listen er fuldstændig fra 20"));
}

/// More requests than the server takes at once from one person.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_waits_when_the_server_says_that_it_asks_too_often() {
    let world = World::within(Limits {
        requests_per_second_of_person: 1,
        ..Limits::default()
    });
    let world = world.await;
    let records = ["--for", "records"];
    let written = world
        .copy(&world.officer, &world.school.student, "slow", &records)
        .await;
    assert!(!written.json.to_string().contains("RATE_LIMITED"));
    assert!(!written.section("readers").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guardians_copy_has_nothing_from_behind_a_gate_and_nobody_elses_family() {
    let world = World::new().await;
    let school = &world.school;
    let student = &school.student;
    let guardian = ["--for", "guardian"];
    let by_officer = world
        .copy(&world.officer, student, "officer", &guardian)
        .await;
    let by_guardian = world
        .copy(&school.guardian, student, "own", &guardian)
        .await;
    for written in [&by_officer, &by_guardian] {
        page_is_safe(&written.page);
        page_is_danish(written);
        assert_eq!(written.json["viewer"], "VIEWER_GUARDIANS");
        for text in [SEEN, "Fin fremgang", STUDENT, TEACHER] {
            assert!(
                written
                    .json
                    .to_string()
                    .contains(&serde_json::to_string(text).unwrap()),
                "{text}"
            );
        }
        let protected = [
            OTHER_GUARDIAN,
            CLASSMATE,
            &school.classmate,
            FOR_STUDENT,
            REASON,
        ];
        for text in HIDDEN_FROM_ALL.iter().copied().chain(protected) {
            assert!(!written.holds(text), "{text}");
        }
        assert!(!written.holds(&world.other_guardian));
        for part in ["events", "grantsAbout", "erasures", "teams"] {
            assert_eq!(written.left_out(part), ["PROTECTED"], "{part}");
        }
        // Staff who have read are named.
        let mut readers = written.section("readers").iter();
        assert!(readers.any(|read| read["actorName"] == TEACHER));
    }
    // Guardians may not look into the roster at all.
    assert_eq!(by_guardian.left_out("person"), ["ACCESS_DENIED"]);
    assert_eq!(by_officer.left_out("person"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_person_asks_alone_or_has_it_done_and_strangers_get_no_file() {
    let world = World::new().await;
    let school = &world.school;
    let student = &school.student;
    let own = world.copy(student, student, "own", &[]).await;
    assert_eq!(own.json["viewer"], "VIEWER_STUDENT");
    assert!(own.holds(FOR_STUDENT));
    for text in HIDDEN_FROM_ALL.iter().chain([&REASON, &CLASSMATE]) {
        assert!(!own.holds(text), "{text}");
    }
    for part in ["plans, as staff see them", "events", "person", "owned"] {
        assert_eq!(own.left_out(part), ["ACCESS_DENIED"], "{part}");
    }
    // With the help of an officer it is everything, but for others.
    let helped = world
        .copy(&world.officer, student, "helped", &["--for", "self"])
        .await;
    assert_eq!(helped.json["viewer"], "VIEWER_STAFF");
    for text in HIDDEN_FROM_ALL {
        assert!(helped.holds(text), "{text}");
    }
    assert!(!helped.holds(CLASSMATE) && !helped.holds(&school.classmate));
    let team = &helped.section("teams")[0];
    assert_eq!(team["memberIds"], serde_json::json!([student]));

    // What a teacher did is told from the whole ledger, if that is asked for.
    let whole = ["--for", "records", "--whole-ledger", "--json"];
    let teacher = world
        .copy(&world.officer, &school.teacher, "teacher", &whole)
        .await;
    assert_eq!(teacher.ran.json()["position"], teacher.json["position"]);
    let acts = teacher.section("acts").iter();
    let evaluated = acts.filter(|act| {
        act["type"] == "plan.evaluation_recorded" && act["as"] == serde_json::json!(["actor"])
    });
    assert_eq!(evaluated.count(), 3);
    let acts = teacher.section("acts");
    let owns = serde_json::json!(["named"]);
    assert!(
        acts.iter()
            .any(|act| act["type"] == "team.created" && act["as"] == owns)
    );
    assert!(!teacher.holds(HIDDEN_ITEM));

    for (who, person) in [(&school.classmate, student), (&world.officer, &new_id())] {
        let (folder, refused) = world.run(who, person, "none", &[]).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
    }
}
