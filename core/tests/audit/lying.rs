//! Bundles of a server that lies and has the signing key: what it wrote is in its tree, signed, and
//! proved. What contradicts itself is found; what does not is named in `core/AUDITING.md`.

use planledger_core::audit::{FaultKind, Line, Report, Scope, VerifyOptions, verify_bundle};
use planledger_core::domain::Event;
use planledger_core::domain::ledger::LedgerEvent;
use planledger_core::domain::plan::PlanEvent;
use planledger_core::heads::StreamHead;
use planledger_core::ids::{KeyId, Position, Revision};
use planledger_core::notary::Notary;
use planledger_core::note::rotation_text;
use planledger_core::time::Timestamp;
use planledger_core::tlog::{Algorithm, Note, Policy, Signer};
use planledger_fixtures::evidence::believing;

use crate::audit::forge::{Bundle, Log, Written, heads_tree};
use crate::audit::school::{
    CLASSMATE, NotarisedSchool, ORIGIN, PLAN, SECOND, STUDENT, policy, signer,
};
use planledger_fixtures::place::TempLedger;

fn check_by(bundle: &Bundle, policy: Policy) -> Result<Report, FaultKind> {
    let options = believing(policy);
    let text = bundle.text();
    let checked = verify_bundle(&mut text.as_bytes(), &options, &mut |_, _| {});
    checked.map_err(|fault| fault.fault.kind)
}

fn check(bundle: &Bundle) -> Result<Report, FaultKind> {
    check_by(bundle, policy())
}

fn whole(log: &Log) -> Scope {
    let (from, to) = (Position::new(1), Position::new(log.size()));
    Scope::Range { from, to }
}

fn is_written(written: &Written) -> bool {
    matches!(written.event, Event::Plan(PlanEvent::StatusWritten { .. }))
}

/// A root of heads that ends a plan early: who is shown the whole plan, or the whole log, finds it.
/// Who is shown only what fits the lie cannot.
#[test]
fn heads_that_lie_are_found_by_whoever_sees_what_they_hide() {
    let school = NotarisedSchool::new();
    let mut log = Log::of(&school);
    let places = log.of_stream(PLAN);
    let through = Position::new(log.size() - 1);
    let mut heads = log.heads(through);
    let early = log.heads(Position::new(places[2] as u64 + 1));
    let of_plan = |head: &&StreamHead| head.stream == PLAN.into();
    let short = *early.iter().find(of_plan).unwrap();
    assert_eq!(short.revision, Revision::new(3));
    heads
        .iter_mut()
        .filter(|head| head.stream == PLAN.into())
        .for_each(|head| *head = short);
    if let LedgerEvent::HeadsRecorded { root, .. } = log.record() {
        *root = heads_tree(&heads).root();
    }
    log.seal_anew();
    let plan = log.bundle_with(Scope::Plan(PLAN), &signer(), &heads);
    assert_eq!(check(&plan), Err(FaultKind::Head));
    assert_eq!(
        check(&log.bundle(whole(&log), &signer())),
        Err(FaultKind::Head)
    );
    let mut fitting = plan;
    let last = Position::new(places[3] as u64 + 1);
    fitting.retain(|line| !matches!(line, Line::Event(event) if event.position == last));
    assert_eq!(check(&fitting).unwrap().events, 3);
}

/// A head of a plan that is not in the log, of a stream that is not there, and none of one that is.
#[test]
fn heads_of_other_events_are_found() {
    let school = NotarisedSchool::new();
    let sound = Log::of(&school);
    let through = Position::new(sound.size() - 1);
    for change in 0..4 {
        let mut log = sound.clone();
        let mut heads = log.heads(through);
        let at = heads
            .iter()
            .position(|head| head.stream == PLAN.into())
            .unwrap();
        match change {
            0 => heads[at].link[0] ^= 1,
            1 => heads[at].revision = heads[at].revision.next(),
            2 => drop(heads.remove(at)),
            _ => heads[at].key = KeyId::from_bytes([1; 16]),
        }
        if let LedgerEvent::HeadsRecorded { root, .. } = log.record() {
            *root = heads_tree(&heads).root();
        }
        log.seal_anew();
        let plan = check(&log.bundle_with(Scope::Plan(PLAN), &signer(), &heads));
        assert_eq!(plan, Err(FaultKind::Head), "{change}");
        assert_eq!(
            check(&log.bundle(whole(&log), &signer())),
            Err(FaultKind::Head)
        );
    }
}

#[test]
fn heads_are_recorded_for_a_position_that_was_there() {
    let school = NotarisedSchool::new();
    let mut log = Log::of(&school);
    let size = log.size();
    for at in [size, size + 1, u64::MAX] {
        if let LedgerEvent::HeadsRecorded { through, .. } = log.record() {
            *through = Position::new(at);
        }
        log.seal_anew();
        let heads = log.heads(Position::new(size - 1));
        let bundle = log.bundle_with(Scope::Plan(PLAN), &signer(), &heads);
        assert_eq!(check(&bundle), Err(FaultKind::Head));
    }
}

#[test]
fn events_that_changed_places_or_times_are_found_though_all_is_signed_anew() {
    let school = NotarisedSchool::new();
    let sound = Log::of(&school);
    let places = sound.of_stream(PLAN);
    let mut swapped = sound.clone();
    swapped.events.swap(places[1], places[2]);
    swapped.record_heads();
    assert_eq!(
        check(&swapped.bundle(Scope::Plan(PLAN), &signer())),
        Err(FaultKind::Revision)
    );
    // With times and revisions that fit their new places, it is another history: no bundle alone
    // shows that there was one before it, an earlier checkpoint does.
    let mut rewritten = swapped.clone();
    let (a, b) = (places[1], places[2]);
    let first = rewritten.events[a].entry.clone();
    let second = rewritten.events[b].entry.clone();
    (
        rewritten.events[a].entry.revision,
        rewritten.events[b].entry.revision,
    ) = (second.revision, first.revision);
    (
        rewritten.events[a].entry.recorded_at,
        rewritten.events[b].entry.recorded_at,
    ) = (second.recorded_at, first.recorded_at);
    rewritten.record_heads();
    let mut bundle = rewritten.bundle(Scope::Plan(PLAN), &signer());
    check(&bundle).unwrap();
    let held = school.checkpoint();
    for given in [None, Some(rewritten.since(held.checkpoint.size))] {
        bundle.header().since = given;
        let options = VerifyOptions {
            policy: policy(),
            since: Some(held.clone()),
        };
        let text = bundle.text();
        let checked = verify_bundle(&mut text.as_bytes(), &options, &mut |_, _| {});
        assert_eq!(checked.unwrap_err().fault.kind, FaultKind::Growth);
    }
    let mut dated = sound.clone();
    let early = dated.events[places[0]].entry.recorded_at;
    dated.events[places[2]].entry.recorded_at = early;
    dated.record_heads();
    assert_eq!(
        check(&dated.bundle(Scope::Plan(PLAN), &signer())),
        Err(FaultKind::Time)
    );
}

#[test]
fn a_revision_that_is_missing_or_there_twice_is_found() {
    let school = NotarisedSchool::new();
    let sound = Log::of(&school);
    let at = sound.of_stream(PLAN)[2];
    for revision in [1, 2, 4, u64::MAX] {
        let mut log = sound.clone();
        log.events[at].entry.revision = Revision::new(revision);
        log.record_heads();
        assert_eq!(
            check(&log.bundle(Scope::Plan(PLAN), &signer())),
            Err(FaultKind::Revision)
        );
        assert_eq!(
            check(&log.bundle(whole(&log), &signer())),
            Err(FaultKind::Revision)
        );
    }
}

#[test]
fn a_plan_is_sealed_under_its_students_key_and_no_other() {
    let school = NotarisedSchool::new();
    let sound = Log::of(&school);
    let mut log = sound.clone();
    let at = log.of_stream(PLAN)[2];
    log.events[at].entry.key = KeyId::from_bytes([1; 16]);
    log.record_heads();
    for scope in [Scope::Plan(PLAN), whole(&log)] {
        assert_eq!(check(&log.bundle(scope, &signer())), Err(FaultKind::Key));
    }
    // Another student's plan under this one's key, to stand among this one's.
    let mut log = sound.clone();
    let opened = log.find(|written| {
        written.entry.stream == SECOND.into()
            && matches!(written.event, Event::Plan(PlanEvent::Opened { .. }))
    });
    if let Event::Plan(PlanEvent::Opened { student, .. }) = &mut log.events[opened].event {
        *student = CLASSMATE;
    }
    log.record_heads();
    let bundle = log.bundle(Scope::Student(STUDENT), &signer());
    assert_eq!(check(&bundle), Err(FaultKind::Event));
}

#[test]
fn what_is_sealed_is_an_event_of_its_streams_kind() {
    let school = NotarisedSchool::new();
    let mut log = Log::of(&school);
    let at = log.find(is_written);
    let other = log.find(|written| matches!(written.event, Event::Person(_)));
    log.events[at].event = log.events[other].event.clone();
    log.record_heads();
    assert_eq!(
        check(&log.bundle(Scope::Plan(PLAN), &signer())),
        Err(FaultKind::Event)
    );
    log.events[at].entry.event_type = log.events[other].entry.event_type;
    log.events[at].entry.schema = log.events[other].entry.schema;
    log.record_heads();
    assert_eq!(
        check(&log.bundle(Scope::Plan(PLAN), &signer())),
        Err(FaultKind::Event)
    );
}

/// A ledger whose key was rotated, with what both keys signed.
fn rotated(to: &Signer) -> Log {
    let NotarisedSchool {
        place,
        ledger,
        notary,
        ..
    } = NotarisedSchool::new();
    notary.checkpoint().unwrap();
    drop(notary);
    let notary = Notary::open(ledger.clone(), place.path(), signer()).unwrap();
    notary.rotate(to).unwrap();
    drop(ledger);
    let ledger = TempLedger::open_in(place.path());
    let notary = Notary::open(ledger.clone(), place.path(), to.clone()).unwrap();
    let school = NotarisedSchool::around(place, ledger, notary);
    Log::of(&school)
}

fn next_signer() -> Signer {
    Signer::new(ORIGIN, Algorithm::Ed25519, [0x6E; 32]).unwrap()
}

fn rotation(log: &mut Log) -> &mut LedgerEvent {
    let at =
        log.find(|written| matches!(written.event, Event::Ledger(LedgerEvent::KeyRotated { .. })));
    match &mut log.events[at].event {
        Event::Ledger(event) => event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_believes_the_old_key_believes_the_new_one_and_the_old_one_no_more() {
    let log = rotated(&next_signer());
    let scope = Scope::Plan(PLAN);
    let by_new = log.bundle(scope, &next_signer());
    let report = check(&by_new).unwrap();
    assert_eq!(report.witnessed.log, next_signer().verifier());
    let new_only = || Policy::of_logs(vec![next_signer().verifier()]);
    check_by(&by_new, new_only()).unwrap();
    // A thief of the old key signs on.
    let by_old = log.bundle(scope, &signer());
    assert_eq!(check(&by_old), Err(FaultKind::Signature));
    assert_eq!(check_by(&by_old, new_only()), Err(FaultKind::Signature));
    let both = Policy::of_logs(vec![signer().verifier(), next_signer().verifier()]);
    assert_eq!(check_by(&by_old, both), Err(FaultKind::Signature));
}

#[test]
fn a_key_that_the_one_before_did_not_hand_over_to_is_not_believed() {
    let thief = Signer::new(ORIGIN, Algorithm::Ed25519, [0x7E; 32]).unwrap();
    let sound = rotated(&next_signer());
    let scope = Scope::Plan(PLAN);
    let old = signer().verifier();
    let note = |text: String, by: &Signer| {
        let signature = by.sign(&text, Timestamp::default());
        Note::new(text, vec![signature]).to_string()
    };
    let text = |to: &Signer| rotation_text(&old, &to.verifier());
    let other_name = Signer::new("other.example", Algorithm::Ed25519, [0x7E; 32]).unwrap();
    let other_kind = Signer::new(ORIGIN, Algorithm::Cosignature, [0x7E; 32]).unwrap();
    for (taker, note) in [
        (&thief, note(text(&thief), &thief)),
        (&thief, note(text(&next_signer()), &signer())),
        (&thief, note(format!("{}\n", text(&thief)), &signer())),
        (&thief, String::new()),
        (&other_name, note(text(&other_name), &signer())),
        (&other_kind, note(text(&other_kind), &signer())),
    ] {
        let mut log = sound.clone();
        if let LedgerEvent::KeyRotated { to, statement, .. } = rotation(&mut log) {
            (*to, *statement) = (taker.verifier(), note);
        }
        log.record_heads();
        assert_eq!(check(&log.bundle(scope, taker)), Err(FaultKind::Signature));
    }
    // The event left out of the bundle, or one from a key that was not on record.
    let mut without = sound.bundle(scope, &next_signer());
    without.0.remove(2);
    assert_eq!(check(&without), Err(FaultKind::Signature));
    let mut log = sound.clone();
    if let LedgerEvent::KeyRotated { from, .. } = rotation(&mut log) {
        *from = thief.verifier();
    }
    log.record_heads();
    assert_eq!(
        check(&log.bundle(scope, &next_signer())),
        Err(FaultKind::Event)
    );
}
