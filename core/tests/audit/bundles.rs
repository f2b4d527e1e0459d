//! Bundles: sound ones prove what they should, and whatever is changed, left off or taken from
//! elsewhere is named.

use planledger_fixtures::evidence::{believing, export, range, readable};
use std::sync::Arc;

use planledger_core::audit::{
    BundleFault, Disclosure, Export, ExportRequest, FaultKind, Report, Scope, VerifyOptions,
    verify_bundle,
};
use planledger_core::domain::Event;
use planledger_core::domain::plan::PlanEvent;
use planledger_core::ids::Position;
use planledger_core::ledger::Ledger;
use planledger_core::notary::Notary;
use planledger_core::time::Timestamp;
use planledger_core::tlog::{Algorithm, Policy, SignedCheckpoint, Signer};

use crate::audit::school::{
    NotarisedSchool, ORIGIN, OTHERS, PLAN, SECOND, STUDENT, policy, signer,
};

fn options(since: Option<SignedCheckpoint>) -> VerifyOptions {
    VerifyOptions {
        policy: policy(),
        since,
    }
}

fn check(bundle: &str) -> Result<Report, BundleFault> {
    check_with(bundle, &options(None))
}

fn check_with(bundle: &str, options: &VerifyOptions) -> Result<Report, BundleFault> {
    verify_bundle(&mut bundle.as_bytes(), options, &mut |_, _| {})
}

fn kind(bundle: &str) -> FaultKind {
    check(bundle).unwrap_err().fault.kind
}

fn lines(bundle: &str) -> Vec<String> {
    bundle.lines().map(str::to_owned).collect()
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn is_event(line: &str) -> bool {
    line.starts_with("{\"event\"")
}

#[test]
fn a_plan_is_proved_whole_and_read() {
    let mut school = NotarisedSchool::new();
    let bundle = school.export(Scope::Plan(PLAN));
    let mut texts = Vec::new();
    let report = verify_bundle(&mut bundle.as_bytes(), &options(None), &mut |_, event| {
        if let Event::Plan(PlanEvent::StatusWritten { text }) = event {
            texts.push(text.to_string());
        }
    })
    .unwrap();
    assert_eq!(texts, ["begynder at læse", "læser med lyst"]);
    assert_eq!((report.events, report.opened, report.redacted), (4, 4, 0));
    let last = school.ledger.position();
    assert_eq!(report.checkpoint.size, last.get());
    let plan = &report.streams[0];
    assert_eq!(plan.stream, PLAN.into());
    // The record of heads is the event behind everything that it covers.
    assert_eq!(plan.complete_through, Some(Position::new(last.get() - 1)));
    // Again, with nothing new, it is the same to the byte; with something new it goes on.
    assert_eq!(school.export(Scope::Plan(PLAN)), bundle);
    school.write(PLAN, "læser højt");
    assert_eq!(check(&school.export(Scope::Plan(PLAN))).unwrap().events, 5);
}

#[test]
fn a_student_is_proved_with_every_plan() {
    let school = NotarisedSchool::new();
    let bundle = school.export(Scope::Student(STUDENT));
    let report = check(&bundle).unwrap();
    let streams: Vec<_> = report.streams.iter().map(|found| found.stream).collect();
    assert_eq!(streams, [STUDENT.into(), PLAN.into(), SECOND.into()]);
    assert!(report.streams.iter().all(|s| s.complete_through.is_some()));
    // A plan that is left out altogether.
    let plan = school.export(Scope::Plan(SECOND));
    let of_second: Vec<_> = lines(&plan)
        .into_iter()
        .filter(|line| is_event(line))
        .collect();
    let mut without = lines(&bundle);
    without.retain(|line| !of_second.contains(line));
    let end = without.len() - 1;
    let events = without.iter().filter(|line| is_event(line)).count();
    without[end] = format!("{{\"end\":{{\"events\":{events}}}}}");
    let fault = check(&joined(&without)).unwrap_err().fault;
    assert_eq!(fault.kind, FaultKind::Head, "{fault}");
    assert!(fault.what.contains(&SECOND.to_string()), "{fault}");
}

#[test]
fn a_range_is_proved_without_a_path_for_each_event() {
    let school = NotarisedSchool::new();
    let last = school.checkpoint().checkpoint.size;
    for (from, to) in [(1, last), (1, 1), (last, last), (4, 9), (7, last - 1)] {
        let bundle = school.export(range(from, to));
        let report = check(&bundle).unwrap();
        assert_eq!(report.events, to + 1 - from);
        let mut all = lines(&bundle);
        let middle = all.iter().position(|line| is_event(line)).unwrap();
        all.remove(middle);
        assert!(check(&joined(&all)).is_err());
    }
}

#[test]
fn without_keys_the_log_is_proved_and_nothing_can_be_read() {
    let school = NotarisedSchool::new();
    let request = ExportRequest {
        disclosure: Disclosure::Integrity,
        ..readable(Scope::Student(STUDENT))
    };
    let bundle = school.export_as(request);
    let report = check(&bundle).unwrap();
    assert_eq!(report.opened, 0);
    assert!(report.events > 4);
    let of_events = bundle.lines().filter(|line| is_event(line));
    assert!(of_events.clone().count() > 4);
    assert!(of_events.into_iter().all(|line| !line.contains("\"key\"")));
}

#[test]
fn growth_from_an_earlier_checkpoint_is_proved_and_a_fork_is_not() {
    let mut school = NotarisedSchool::new();
    let earlier = school.checkpoint();
    school.write(PLAN, "læser højt");
    let request = ExportRequest {
        since: Some(earlier.checkpoint.size),
        ..readable(Scope::Plan(PLAN))
    };
    let bundle = school.export_as(request);
    let report = check_with(&bundle, &options(Some(earlier.clone()))).unwrap();
    assert_eq!(report.since, Some(earlier.checkpoint.size));
    // Without the proof it cannot be told, and that is said.
    let plain = school.export(Scope::Plan(PLAN));
    let fault = check_with(&plain, &options(Some(earlier.clone())))
        .unwrap_err()
        .fault;
    assert_eq!(fault.kind, FaultKind::Missing);
    assert!(fault.what.contains("--since"), "{fault}");
    // Another history of the same size, signed by the same key.
    let mut forked = earlier.checkpoint.clone();
    forked.root[0] ^= 1;
    let forked = SignedCheckpoint::sign(forked, &signer(), school.ledger.now());
    let fault = check_with(&bundle, &options(Some(forked)))
        .unwrap_err()
        .fault;
    assert_eq!(fault.kind, FaultKind::Growth);
}

#[test]
fn the_newest_events_of_a_plan_cannot_be_left_off() {
    let school = NotarisedSchool::new();
    let bundle = school.export(Scope::Plan(PLAN));
    let mut all = lines(&bundle);
    let last = all.len() - 2;
    assert!(is_event(&all[last]));
    all.remove(last);
    let end = all.len() - 1;
    all[end] = "{\"end\":{\"events\":3}}".to_owned();
    let fault = check(&joined(&all)).unwrap_err().fault;
    assert_eq!(fault.kind, FaultKind::Head);
    assert!(fault.what.contains("newest events are missing"), "{fault}");
}

#[test]
fn a_bundle_is_of_one_log_and_signed_by_whom_is_believed() {
    let school = NotarisedSchool::new();
    let bundle = school.export(Scope::Plan(PLAN));
    let stranger = Signer::new(ORIGIN, Algorithm::Ed25519, [9; 32]).unwrap();
    let strange = believing(Policy::of_logs(vec![stranger.verifier()]));
    let fault = check_with(&bundle, &strange).unwrap_err().fault;
    assert_eq!(fault.kind, FaultKind::Signature);
    let witness = Signer::new("w.example", Algorithm::Cosignature, [8; 32]).unwrap();
    let demanding = format!(
        "log {}\nwitness w {}\nquorum w\n",
        signer().verifier(),
        witness.verifier()
    );
    let demanding = believing(demanding.parse().unwrap());
    let fault = check_with(&bundle, &demanding).unwrap_err().fault;
    assert_eq!(fault.kind, FaultKind::Quorum);
    let signed = school.checkpoint();
    let signature = witness.sign(signed.note.text(), school.ledger.now());
    school
        .notary
        .add_cosignatures(signed.checkpoint.size, [signature])
        .unwrap();
    let cosigned = school.export(Scope::Plan(PLAN));
    let report = check_with(&cosigned, &demanding).unwrap();
    assert_eq!(report.witnessed.witnesses.len(), 1);
}

#[test]
fn a_bundle_that_was_cut_off_is_noticed_and_gone_on_with() {
    let school = NotarisedSchool::new();
    let scope = Scope::Student(STUDENT);
    let whole = school.export(scope);
    let size = school.checkpoint().checkpoint.size;
    for cut in 0..whole.len() {
        if whole.is_char_boundary(cut) {
            assert!(check(&whole[..cut]).is_err(), "{cut}");
        }
    }
    let all = lines(&whole);
    for kept in 1..all.len() {
        let last = all[..kept].iter().rev().find(|line| is_event(line));
        let Some(last) = last else { continue };
        let value: serde_json::Value = serde_json::from_str(last).unwrap();
        let position = value["event"]["position"].as_u64().unwrap();
        let rest = school.export_as(ExportRequest {
            resume: Some((size, Position::new(position))),
            ..readable(scope)
        });
        assert_eq!(joined(&all[..kept]) + &rest, whole, "{kept}");
    }
}

#[test]
fn every_changed_character_is_found_or_without_effect() {
    let school = NotarisedSchool::new();
    let bundle = school.export(Scope::Plan(PLAN));
    let whole = check(&bundle).unwrap();
    let (mut found, mut without) = (0, 0);
    for at in (0..bundle.len()).filter(|at| bundle.is_char_boundary(*at)) {
        let mut bytes = bundle.clone().into_bytes();
        bytes[at] = match bytes[at] {
            b'A' => b'B',
            b'0' => b'1',
            _ => b'A',
        };
        match verify_bundle(&mut bytes.as_slice(), &options(None), &mut |_, _| {}) {
            Err(_) => found += 1,
            // Base64 has no spare bits here, so what is left is what means the same.
            Ok(report) => {
                assert_eq!(report, whole, "byte {at}");
                without += 1;
            }
        }
    }
    assert!(
        found > 100 * without,
        "{found} found, {without} without effect"
    );
}

#[test]
fn what_is_no_bundle_is_refused_with_its_line() {
    let school = NotarisedSchool::new();
    let bundle = school.export(Scope::Plan(PLAN));
    let all = lines(&bundle);
    assert_eq!(kind(""), FaultKind::Missing);
    assert_eq!(kind("\n"), FaultKind::Format);
    assert_eq!(kind("{}\n"), FaultKind::Format);
    assert_eq!(kind(&joined(&all[1..])), FaultKind::Format);
    for more in ["more\n", "m", "\n"] {
        assert_eq!(kind(&format!("{bundle}{more}")), FaultKind::Format);
    }
    let mut swapped = all.clone();
    let first = swapped.iter().position(|line| is_event(line)).unwrap();
    swapped.swap(first, first + 1);
    assert_eq!(kind(&joined(&swapped)), FaultKind::Revision);
    let doubled = [&all[..=first], &all[first..]].concat();
    assert_eq!(kind(&joined(&doubled)), FaultKind::Order);
    let mixed = lines(&school.export(Scope::Plan(OTHERS)));
    let mut foreign = all.clone();
    foreign[first].clone_from(&mixed[first]);
    assert_eq!(kind(&joined(&foreign)), FaultKind::Format);
    let fault = check(&joined(&foreign)).unwrap_err();
    assert_eq!(fault.line, first as u64 + 1);
}

/// Each bundle asks for a checkpoint of its own, and only the newest one's heads are kept.
#[test]
fn bundles_that_are_made_at_the_same_time_are_sound() {
    let mut school = NotarisedSchool::new();
    let make = |ledger: Ledger, notary: Arc<Notary>| {
        let mut bundles = Vec::new();
        for scope in [Scope::Plan(PLAN), Scope::Student(STUDENT)].repeat(3) {
            bundles.push(export(&ledger, &notary, readable(scope)));
        }
        bundles
    };
    std::thread::scope(|threads| {
        let making: Vec<_> = (0..4)
            .map(|_| {
                let (ledger, notary) = (school.ledger.clone(), school.notary.clone());
                threads.spawn(move || make(ledger, notary))
            })
            .collect();
        let mut pages = 0;
        while !making.iter().all(|making| making.is_finished()) {
            pages += 1;
            school.write(PLAN, &format!("læser side {pages}"));
        }
        assert!(pages > 1);
        for bundle in making.into_iter().flat_map(|making| making.join().unwrap()) {
            check(&bundle).unwrap();
        }
    });
}

/// A checkpoint is made for the bundle and cosigned after; otherwise no policy with witnesses could
/// ever be met.
#[test]
fn cosignatures_of_its_checkpoint_are_in_a_bundle() {
    let school = NotarisedSchool::new();
    let witness = Signer::new("w.example/1", Algorithm::Cosignature, [2; 32]).unwrap();
    let (log, by) = (signer().verifier(), witness.verifier());
    let policy = format!("log {log}\nwitness w {by}\nquorum w\n");
    let options = believing(policy.parse().unwrap());
    let request = readable(Scope::Plan(PLAN));
    let mut export = Export::new(school.ledger.clone(), school.notary.clone(), request).unwrap();
    let signed = school.checkpoint();
    let cosignature = witness.sign(signed.note.text(), Timestamp::from_nanos(7_000_000_000));
    let size = signed.checkpoint.size;
    school.notary.add_cosignatures(size, [cosignature]).unwrap();
    export.take_cosignatures().unwrap();
    let bundle: String = export.map(Result::unwrap).collect();
    let report = check_with(&bundle, &options).unwrap();
    assert_eq!(report.witnessed.witnesses, [("w".to_owned(), 7)]);
}
