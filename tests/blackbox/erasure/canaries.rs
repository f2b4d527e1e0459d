//! After an erasure or a redaction, what was destroyed stands in no byte of the directory: in no file of
//! the journal, the keys, the derived state, what crashes left, or the access log.

use std::fs;
use std::path::{Path, PathBuf};

use planledger::settings::master::kept_beside;
use planledger_proto::v1::*;

use super::secrets::{Secrets, disclosed};
use super::{REDACTED, carried_out, erasures, unreadable};
use crate::support::*;

const NAME: &str = "Ægidius Kanariefågl-Øllgård";
/// What is written of the student, each in another place.
const TEXTS: [&str; 6] = [
    "Kanariefuglene på Ærø sang højt hele dåseøllets dag",
    "Gråspurvens idé: blåbærgrød på Ålborgvejens café",
    "Rørdrummen tør nu læse højt, også Søren Kierkegård",
    "Skægmejsen måler æbleskiver på brøkstregernes måde",
    "Hærfuglen øver sig på cæsurer i ældre lyrikkens år",
    "Blåmejsen spørger selv efter flere børnebøgers råd",
];
/// Of whoever stays.
const KEPT: &str = "Solsorten læser stadig alene";

fn follow_up(id: &str, text: &str) -> Command {
    let text = text.to_owned();
    let follow_up_on = None;
    let write = WriteFollowUp { text, follow_up_on };
    plan(id, OnPlan::WriteFollowUp(write))
}

/// A student with two plans, with a canary in each kind of text, and a classmate with one.
struct Birds {
    school: School,
    plans: [String; 2],
    others: String,
}

impl Birds {
    async fn hatch(voice: &Voice) -> Self {
        let (school, course, first) = School::with_plan(voice).await;
        let teacher = voice.person(&school.teacher);
        let second = school.course(&teacher, YearPlanKind::Subject).await;
        let plans = [first, school.plan(&teacher, &second).await];
        let others = school.plan_of(&teacher, &school.classmate, &course).await;
        let rename = RenamePerson {
            name: NAME.to_owned(),
        };
        let goal = &course.subject_goal;
        let evaluate =
            |comment| course.evaluate(&plans[0], &new_id(), goal, assessment(1, comment));
        let commands = [
            person(&school.student, OnPerson::RenamePerson(rename)),
            write_status(&plans[0], TEXTS[0]),
            write_status(&plans[0], TEXTS[1]),
            write_status(&plans[1], TEXTS[2]),
            follow_up(&plans[0], TEXTS[3]),
            follow_up(&plans[1], TEXTS[4]),
            evaluate(TEXTS[5]),
            write_status(&others, KEPT),
        ];
        teacher.all(commands).await;
        // So that the access log has something to say.
        for plan in &plans {
            assert!(teacher.plan(plan, Viewer::Staff).await.status.is_some());
        }
        Self {
            school,
            plans,
            others,
        }
    }

    fn streams(&self) -> [&str; 3] {
        [&self.school.student, &self.plans[0], &self.plans[1]]
    }

    async fn reads(&self, voice: &Voice) -> Vec<PlanRead> {
        let request = ListReadersRequest {
            student_id: self.school.student.clone(),
            ..ListReadersRequest::default()
        };
        voice.ask(request).await.unwrap().reads
    }

    /// A bundle of everything of the student.
    async fn bundle(&self, voice: &Voice) -> String {
        voice.new_checkpoint().await;
        let student = self.school.student.clone();
        let scope = export_bundle_request::Scope::StudentId(student);
        voice.export(bundle_of(scope)).await.unwrap()
    }

    /// The slot of the student's key.
    fn slot(&self, home: &Home) -> Vec<u8> {
        let student: uuid::Uuid = self.school.student.parse().unwrap();
        let slots = fs::read(home.path().join("keys/keys.log")).unwrap();
        let mut slots = slots.chunks(256);
        let slot = slots.find(|slot| slot[5] == 3 && slot[6..22] == *student.as_bytes());
        slot.expect("a key").to_vec()
    }
}

/// Leaves the disk as crashes and repairs do: an unfinished key at the end of the key store, an
/// unfinished copy of it, and derived state that cannot be used.
fn disturb(home: &Home, slot: &[u8]) {
    let keys = home.path().join("keys/keys.log");
    let whole = fs::read(&keys).unwrap();
    fs::write(home.path().join("keys/keys.tmp"), &whole).unwrap();
    fs::write(&keys, [&whole, &slot[..200]].concat()).unwrap();
    let generations = fs::read_dir(home.path().join("derived")).unwrap();
    for generation in generations {
        let register = generation.unwrap().path().join("register");
        let bytes = fs::read(&register).unwrap();
        fs::write(&register, &bytes[..bytes.len() / 2]).unwrap();
    }
}

fn stands_below(places: &[PathBuf], folder: &str) -> bool {
    places.iter().any(|place| place.starts_with(folder))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_erasure_neither_key_nor_text_nor_document_of_the_person_is_in_any_byte() {
    let home = Home::new();
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    let birds = Birds::hatch(&voice).await;
    let key = voice.verifier_key().await;
    let before = birds.bundle(&voice).await;
    let said = texts(&before, &key).concat();
    for text in TEXTS.iter().chain([&NAME]) {
        assert!(said.contains(text), "{text}");
    }
    let reads = birds.reads(&voice).await;
    drop(voice);
    serving.stop();
    let recipient = "11".repeat(32);
    let dir = home.path().to_str().unwrap();
    run(["keys", "add-rescue-recipient", &recipient, "--dir", dir]).done();

    let mut secrets = Secrets::default();
    TEXTS.iter().for_each(|text| secrets.add_text(text));
    secrets.add_text(NAME);
    let slot = birds.slot(&home);
    secrets.add_slot(&slot, kept_beside(home.path()).unwrap().as_bytes());
    secrets.add_documents("document", &home, &birds.streams());
    assert!(secrets.count("document") >= 3);
    for (number, key) in disclosed(&before).iter().enumerate() {
        secrets.add_key(&format!("key of event {number}"), key);
    }
    disturb(&home, &slot);
    let serving = Serving::start_with(home.path(), &["--log", "trace"]);
    let found = secrets.found(home.path());
    for file in ["keys/keys.log", "keys/keys.tmp", "keys/keys.torn"] {
        assert!(stands_below(&found["wrapped key"], file), "{found:?}");
    }
    let documents = found
        .iter()
        .filter(|(what, _)| what.starts_with("document"));
    let aside = documents.filter(|(_, places)| stands_below(places, "derived.set-aside"));
    assert!(aside.count() >= 3, "{found:?}");
    // Derived state that is in use is of no use after the erasure, and is set aside too.
    serving.stop();
    secrets.add_documents("present document", &home, &birds.streams());
    let serving = Serving::start_with(home.path(), &["--log", "trace"]);
    let found = secrets.found(home.path());
    assert!(found.keys().any(|what| what.starts_with("present")));

    let voice = serving.voice().await;
    let (one, other) = (
        voice.person(&birds.school.teacher),
        voice.person(&birds.school.leader),
    );
    let target = || erasure_of(&birds.school.student);
    one.execute(request_erasure(target())).await;
    let receipt = other.execute(approve_erasure(target())).await;
    carried_out(&voice, &receipt).await;
    // The server that did it, and every one after it, says that the texts are gone.
    is_told(&voice, &birds, &key, &before, &reads).await;
    drop((one, other, voice));
    let log = serving.stop();
    for text in TEXTS.iter().chain([&NAME]) {
        assert!(!log.contains(text), "{text}");
    }
    assert_eq!(secrets.found(home.path()), Default::default());
    run(["ledger", "verify", "--dir", dir]).done();

    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    is_told(&voice, &birds, &key, &before, &reads).await;
    drop(voice);
    serving.stop();
    assert_eq!(secrets.found(home.path()), Default::default());
    assert!(Path::new(dir).join("erasures/acts.txt").exists());
}

/// Every way to read says that the person was erased; evidence of before and after holds; what is
/// others' is there.
async fn is_told(voice: &Voice, birds: &Birds, key: &str, before: &str, reads: &[PlanRead]) {
    for plan in &birds.plans {
        let refused = voice.try_plan(plan, Viewer::Staff, None).await;
        assert_eq!(refused.unwrap_err().reason, "PERSON_ERASED");
        let history = voice.history(plan).await;
        assert!(!history.is_empty());
        for event in history {
            assert_eq!(event.content, unreadable(Unreadable::Erased));
        }
    }
    let stays = voice.plan(&birds.others, Viewer::Staff).await;
    assert_eq!(stays.status.unwrap().text, KEPT);
    let was = checked(before, key);
    assert_eq!((was.opened, was.redacted), (was.events, 0));
    let after = birds.bundle(voice).await;
    let is = checked(&after, key);
    assert_eq!((is.events, is.opened), (was.events, 0));
    assert_eq!((is.redacted, is.erased), (0, was.events));
    assert_eq!(disclosed(&after), Vec::<Vec<u8>>::new());
    // It stays known who has read, and when; what they read does not.
    let now = birds.reads(voice).await;
    assert!(now.len() >= reads.len());
    for read in reads {
        let same = now.iter().find(|one| one.number == read.number).unwrap();
        assert_eq!((&same.actor, &same.read_at), (&read.actor, &read.read_at));
        assert_eq!(
            (same.kind(), same.method.as_str()),
            (PlanReadKind::Unspecified, "")
        );
        assert_eq!(same.plan_id, None);
    }
    assert!(erasures(voice, 0).await.iter().all(|one| {
        one.state() == ErasureState::CarriedOut
            && one.target == Some(erasure_of(&birds.school.student))
    }));
}

/// The person stays, and so does the key. Whatever was made of the text while it could be read goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_redaction_neither_payload_nor_document_with_the_text_is_in_any_byte() {
    let home = Home::new();
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    let birds = Birds::hatch(&voice).await;
    let plan = birds.plans[0].clone();
    let key = voice.verifier_key().await;
    let before = birds.bundle(&voice).await;
    let history = voice.history(&plan).await;
    let wrote = history
        .iter()
        .rfind(|event| event.r#type == "plan.follow_up_written");
    let wrote = wrote.unwrap().clone();
    drop(voice);
    serving.stop();
    let mut secrets = Secrets::default();
    secrets.add_text(TEXTS[3]);
    secrets.add_documents("document", &home, &[&plan]);
    let documents = secrets.count("document");
    assert!(documents >= 1);
    secrets.add("payload", &payload(&before, wrote.position));
    disturb(&home, &birds.slot(&home));
    let serving = Serving::start(home.path());
    let found = secrets.found(home.path());
    assert!(stands_below(&found["payload"], "journal"), "{found:?}");
    let aside = found
        .values()
        .filter(|places| stands_below(places, "derived.set-aside"));
    assert_eq!(aside.count(), documents, "{found:?}");
    serving.stop();
    secrets.add_documents("present document", &home, &[&plan]);
    let serving = Serving::start(home.path());
    let found = secrets.found(home.path());
    assert!(found.keys().any(|what| what.starts_with("present")));

    let voice = serving.voice().await;
    let target = || redaction_of(&format!("plan/{plan}"), wrote.position, wrote.revision);
    let (one, other) = (
        voice.person(&birds.school.teacher),
        voice.person(&birds.school.leader),
    );
    one.execute(request_erasure(target())).await;
    let receipt = other.execute(approve_erasure(target())).await;
    carried_out(&voice, &receipt).await;
    let view = voice.plan(&plan, Viewer::Staff).await;
    assert_eq!(view.follow_up.unwrap().text, REDACTED);
    assert_eq!(view.status.unwrap().text, TEXTS[1]);
    for event in voice.history(&plan).await {
        let is_it = event.position == wrote.position;
        assert_eq!(event.redacted, is_it);
        let Some(event::Content::Payload(payload)) = event.content else {
            panic!("everything but the text is left")
        };
        assert_eq!(payload.contains(REDACTED), is_it);
        assert!(!payload.contains(TEXTS[3]));
    }
    let after = birds.bundle(&voice).await;
    let (was, is) = (checked(&before, &key), checked(&after, &key));
    assert_eq!(
        (is.events, is.opened, is.redacted),
        (was.events, was.events - 1, 1)
    );
    let said = texts(&after, &key).concat();
    assert!(!said.contains(TEXTS[3]) && said.contains(TEXTS[4]));
    drop((one, other, voice));
    serving.stop();
    assert_eq!(secrets.found(home.path()), Default::default());
    let dir = home.path().to_str().unwrap();
    run(["ledger", "verify", "--dir", dir]).done();
}

/// The sealed payload of an event in a bundle.
fn payload(bundle: &str, position: u64) -> Vec<u8> {
    use base64::Engine;
    let lines = bundle
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let mut lines = lines.map(|mut line: serde_json::Value| line["event"].take());
    let line = lines.find(|line| line["position"] == position).unwrap();
    let sealed = line["sealed"].as_str().unwrap();
    base64::prelude::BASE64_STANDARD.decode(sealed).unwrap()
}
