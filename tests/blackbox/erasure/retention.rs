//! `planledger erasure propose`, and the list that it reads: who is due by retention classes, asked for
//! by one person and approved by another.

use std::fs;
use std::path::PathBuf;

use planledger_proto::v1::*;
use tempfile::TempDir;

use super::{carried_out, erasures};
use crate::support::*;

/// The last day of the students here, and of their school year.
const LAST: &str = "2019-06-28";

/// A school whose only year is long over, with a plan of each of two students.
async fn old_school(voice: &Voice) -> School {
    let (school, course, _) = School::with_plan(voice).await;
    school.plan_of(voice, &school.classmate, &course).await;
    let details = SchoolYearDetails {
        title: "2018/19".to_owned(),
        first_day: "2018-08-13".to_owned(),
        last_day: LAST.to_owned(),
    };
    let define = DefineSchoolYear {
        details: Some(details),
    };
    let define = OnSchoolYear::DefineSchoolYear(define);
    voice
        .execute(school_year(&school.school_year, define))
        .await;
    school
}

fn leaves(id: &str, last_day: &str) -> Command {
    let depart = DepartPerson {
        last_day: Some(last_day.to_owned()),
        reason: None,
    };
    person(id, OnPerson::DepartPerson(depart))
}

fn returns(id: &str) -> Command {
    person(id, OnPerson::ReturnPerson(ReturnPerson {}))
}

fn asked(classes: &[RetentionClass]) -> ListDueErasuresRequest {
    ListDueErasuresRequest {
        classes: classes.to_vec(),
        ..ListDueErasuresRequest::default()
    }
}

fn who(due: &[DueErasure]) -> Vec<String> {
    due.iter().map(|one| one.person_id.clone()).collect()
}

fn not_due(answer: &ListDueErasuresResponse) -> Vec<(NotDueReason, u64)> {
    let counts = answer.not_due.iter();
    counts.map(|one| (one.reason(), one.count)).collect()
}

/// A file of classes, and the program with a person who acts.
struct Officer<'s> {
    serving: &'s Serving,
    id: String,
    folder: TempDir,
}

impl<'s> Officer<'s> {
    fn new(serving: &'s Serving, id: &str) -> Self {
        Self {
            serving,
            id: id.to_owned(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, keep: &str) -> PathBuf {
        let path = self.folder.path().join(format!("{keep}.toml"));
        let text = format!(
            "[[class]]\nname = \"Planer\"\nfrom = \"later\"\nkeep = \"{keep}\"\nbasis = \"Afgørelse\"\n"
        );
        fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let who = format!("person/{}", self.id);
        let remote = ["--server", &self.serving.url, "--as", &who];
        run([&["erasure"], arguments, &remote].concat())
    }

    fn propose(&self, keep: &str, more: &[&str]) -> Ran {
        let file = self.file(keep);
        let words = ["propose", "--classes", file.to_str().unwrap()];
        self.run(&[&words, more].concat())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_asks_for_whoever_is_due_and_another_person_approves() {
    let home = Home::new();
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    let school = old_school(&voice).await;
    let (student, classmate) = (&school.student, &school.classmate);
    voice
        .all([
            leaves(student, LAST),
            leaves(classmate, LAST),
            leaves(&school.pedagogue, LAST),
            returns(classmate),
        ])
        .await;
    let one = Officer::new(&serving, &school.teacher);
    let other = Officer::new(&serving, &school.leader);

    // A dry run asks for nothing.
    let found = one.propose("5y", &["--dry-run", "--json"]).done();
    let due = found.json();
    let due = due["due"].as_array().unwrap();
    assert_eq!(due.len(), 1, "{found:?}");
    assert_eq!(due[0]["personId"], **student);
    assert_eq!(due[0]["keptUntil"], "2024-06-28");
    assert_eq!(due[0]["dueSince"], "2024-06-29");
    assert!(found.stderr.contains("it would be 1 erasures"), "{found:?}");
    assert!(erasures(&voice, 0).await.is_empty());
    // Nor does one for a day to come, or one that would ask for more than is accepted.
    let early = one.propose("20y", &["--as-of", "2040-01-01"]);
    assert_eq!(early.code, Some(2), "{early:?}");
    let early = one.propose("20y", &["--as-of", "2040-01-01", "--dry-run"]);
    assert!(early.done().stdout.contains(&**student));
    let many = one.propose("5y", &["--accept-many", "0"]);
    assert_eq!(many.code, Some(1), "{many:?}");
    assert!(many.stderr.contains("say --accept-many 1"), "{many:?}");
    assert!(erasures(&voice, 0).await.is_empty());
    let kept = one.propose("20y", &[]).done();
    assert!(kept.stderr.contains("not due, kept: 1"), "{kept:?}");
    assert!(erasures(&voice, 0).await.is_empty());

    // The requests are those of whoever runs it.
    let run = one.propose("5y", &[]).done();
    assert!(run.stderr.contains("1 erasures are asked for"), "{run:?}");
    let acts = erasures(&voice, 0).await;
    let [act] = &acts[..] else { panic!("{acts:?}") };
    assert_eq!(act.state(), ErasureState::Requested);
    assert_eq!(act.basis, "Afgørelse");
    let reason = "Retention class \"Planer\": kept for 5y, from 2019-06-28 until 2024-06-28";
    assert_eq!(act.reason, reason);
    let by = act.requested.as_ref().unwrap().actor.clone();
    assert_eq!(by, Some(actor_person(&school.teacher)));
    let run = one.propose("5y", &[]).done();
    assert!(run.stdout.contains("requested"), "{run:?}");
    assert!(run.stderr.contains("0 erasures are asked for"), "{run:?}");

    // What was taken back is not asked for again, unless that is wanted or the reason is another.
    other.run(&["withdraw", "--person", student]).done();
    let run = one.propose("5y", &[]).done();
    assert!(run.stdout.contains("taken back"), "{run:?}");
    assert_eq!(
        erasures(&voice, 0).await[0].state(),
        ErasureState::Withdrawn
    );
    one.propose("4y", &[]).done();
    assert_eq!(
        erasures(&voice, 0).await[0].state(),
        ErasureState::Requested
    );
    other.run(&["withdraw", "--person", student]).done();
    one.propose("4y", &["--again"]).done();
    assert_eq!(
        erasures(&voice, 0).await[0].state(),
        ErasureState::Requested
    );

    let alone = one.run(&["approve", "--person", student]);
    assert!(
        alone.stderr.contains("ERASURE_NEEDS_ANOTHER_PERSON"),
        "{alone:?}"
    );
    let approved = other.run(&["approve", "--json", "--person", student]);
    let approved = approved.done().json();
    let at = approved["receipt"]["position"].as_str().unwrap();
    let approval = Receipt {
        position: at.parse().unwrap(),
        stream: format!("erasure/{student}"),
        ..Receipt::default()
    };
    carried_out(&voice, &approval).await;
    let run = one.propose("5y", &[]).done();
    assert!(run.stderr.contains("0 due on"), "{run:?}");
}

/// Weeks may lie between a request and its approval.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_says_which_earlier_requests_do_not_hold_any_more() {
    let home = Home::new();
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    let school = old_school(&voice).await;
    let (student, classmate) = (&school.student, &school.classmate);
    voice
        .all([leaves(student, LAST), leaves(classmate, LAST)])
        .await;
    let one = Officer::new(&serving, &school.teacher);
    let other = Officer::new(&serving, &school.leader);
    let run = one.propose("5y", &[]).done();
    assert!(run.stderr.contains("2 erasures are asked for"), "{run:?}");
    voice.execute(returns(student)).await;
    let run = one.propose("5y", &[]).done();
    let said = format!("erasure withdraw --person {student}");
    assert!(run.stderr.contains(&said), "{run:?}");
    let said = format!("erasure withdraw --person {classmate}");
    assert!(!run.stderr.contains(&said), "{run:?}");

    // Whoever is back is not erased by an approval of what was asked before.
    let late = other.run(&["approve", "--person", student]);
    assert!(late.stderr.contains("ERASURE_NOT_DUE"), "{late:?}");
    assert!(late.stderr.contains("is back"), "{late:?}");
    let both = ["--person", &**student, "--person", &**classmate];
    let late = other.run(&[&["approve"], &both[..]].concat());
    assert!(late.stderr.contains("ERASURE_NOT_DUE"), "{late:?}");
    let open = erasures(&voice, 0).await;
    let five_years = RetentionTerm {
        start: RetentionStart::Later.into(),
        keep: "5y".to_owned(),
    };
    for act in open {
        assert_eq!(act.state(), ErasureState::Requested);
        assert_eq!(act.retention.as_ref(), Some(&five_years));
    }

    // Several are decided at once: all of them, or none.
    let id = new_id();
    let with_id = [&["approve", "--command-id", &id], &both[..]].concat();
    assert_eq!(other.run(&with_id).code, Some(2));
    let nobody = new_id();
    let none = other.run(&["approve", "--person", classmate, "--person", &nobody]);
    assert!(none.stderr.contains("ERASURE_NOT_FOUND"), "{none:?}");
    let acts = erasures(&voice, 0).await;
    assert!(
        acts.iter()
            .all(|act| act.state() == ErasureState::Requested)
    );
    let all = other.run(&[&["withdraw"], &both[..]].concat()).done();
    assert!(all.stdout.starts_with("2 of 2: "), "{all:?}");
    let acts = erasures(&voice, 0).await;
    assert!(
        acts.iter()
            .all(|act| act.state() == ErasureState::Withdrawn)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_list_goes_page_by_page_and_counts_who_is_not_due() {
    let (_server, voice) = Home::new().serve().await;
    let school = old_school(&voice).await;
    let (student, classmate) = (&school.student, &school.classmate);
    voice
        .all([
            leaves(student, LAST),
            leaves(classmate, LAST),
            leaves(&school.pedagogue, LAST),
            leaves(&school.guardian, "2037-06-26"),
        ])
        .await;
    let classes = [retention_class("Planer", "5y")];
    let whole = voice.ask(asked(&classes)).await.unwrap();
    let mut expected = vec![student.clone(), classmate.clone()];
    expected.sort();
    assert_eq!(who(&whole.due), expected);
    // The guardian's day is still to come, and the pedagogue never was a student.
    let others = [(NotDueReason::StillHere, 1), (NotDueReason::NoStudent, 1)];
    assert_eq!(not_due(&whole), others);
    for one in &whole.due {
        assert_eq!(one.standing(), DueErasureStanding::New);
        assert_eq!(one.plan_count, 1);
        assert!(one.event_count > 1);
    }
    // Page by page, everybody comes once and is counted once.
    let (mut due, mut counted) = (Vec::new(), 0);
    let mut request = ListDueErasuresRequest {
        page_size: 1,
        ..asked(&classes)
    };
    loop {
        let page = voice.ask(request.clone()).await.unwrap();
        assert!(page.due.len() <= 1);
        counted += page.not_due.iter().map(|one| one.count).sum::<u64>();
        due.extend(page.due);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!((&due, counted), (&whole.due, 2));
    // A token is of one set of classes and one day.
    let page = ListDueErasuresRequest {
        page_size: 1,
        ..asked(&classes)
    };
    let token = voice.ask(page.clone()).await.unwrap().next_page_token;
    for other in [
        asked(&[retention_class("Planer", "4y")]),
        ListDueErasuresRequest {
            as_of: Some("2026-01-01".to_owned()),
            ..asked(&classes)
        },
    ] {
        let page_token = token.clone();
        let other = ListDueErasuresRequest {
            page_token,
            ..other
        };
        let refused = voice.ask(other).await.unwrap_err();
        assert_eq!(refused.reason, "PAGE_TOKEN_MISMATCH");
    }
    // On an earlier day nobody was due; a hold keeps one back.
    let before = ListDueErasuresRequest {
        as_of: Some("2024-06-28".to_owned()),
        ..asked(&classes)
    };
    let before = voice.ask(before).await.unwrap();
    assert_eq!((before.due.len(), &*before.day), (0, "2024-06-28"));
    assert!(not_due(&before).contains(&(NotDueReason::Kept, 2)));
    let hold = RetentionHold {
        why: "Arkivet".to_owned(),
        student_ids: vec![student.clone()],
        ..RetentionHold::default()
    };
    let held = RetentionClass {
        holds: vec![hold],
        ..classes[0].clone()
    };
    let held = voice.ask(asked(&[held])).await.unwrap();
    assert_eq!(who(&held.due), std::slice::from_ref(classmate));
    assert!(not_due(&held).contains(&(NotDueReason::Held, 1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn classes_that_cannot_be_meant_are_named_field_by_field() {
    let (_server, voice) = Home::new().serve().await;
    let class = retention_class("Planer", "5y");
    let wrong = RetentionClass {
        name: String::new(),
        start: 9,
        keep: "5 hours".to_owned(),
        basis: "030303-1234".to_owned(),
        institution_ids: vec!["skolen".to_owned()],
        holds: vec![RetentionHold {
            until: Some("i morgen".to_owned()),
            ..RetentionHold::default()
        }],
    };
    let request = ListDueErasuresRequest {
        as_of: Some("28-06-2024".to_owned()),
        ..asked(&[class.clone(), wrong, class.clone()])
    };
    let refused = voice.ask(request).await.unwrap_err();
    let expected = [
        "classes[1].name",
        "classes[1].start",
        "classes[1].keep",
        "classes[1].basis",
        "classes[1].institution_ids[0]",
        "classes[1].holds[0].why",
        "classes[1].holds[0].until",
        "classes[2].name",
        "as_of",
    ];
    assert_eq!(refused.paths(), expected);
    let refused = voice.ask(asked(&vec![class; 21])).await.unwrap_err();
    assert_eq!(refused.paths(), ["classes"]);
}
