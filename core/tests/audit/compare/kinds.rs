//! Each kind of contradiction, by a server that has the signing key. Every bundle here is well signed;
//! where it is said, it passes as sound by itself.

use planledger_core::audit::{Line, Scope, verify_bundle};
use planledger_core::domain::Event;
use planledger_core::domain::ledger::LedgerEvent;
use planledger_core::domain::plan::PlanEvent;
use planledger_core::ids::{Position, Revision};
use planledger_core::notary::Notary;
use planledger_core::note::{Rotation, VerifierKey};
use planledger_core::time::Timestamp;
use planledger_core::tlog::{Algorithm, Policy, Signer};
use planledger_fixtures::evidence::believing;

use super::*;
use crate::audit::forge::heads_tree;
use crate::audit::school::{NotarisedSchool, ORIGIN, PLAN, SECOND, STUDENT};

fn honest() -> Log {
    Log::of(&NotarisedSchool::new())
}

fn is_sound(bundle: &[u8]) -> bool {
    let mut bundle = bundle;
    verify_bundle(&mut bundle, &believing(policy()), &mut |_, _| {}).is_ok()
}

/// The same history in which one status of the plan says something else.
fn retold(log: &Log) -> Log {
    let mut other = log.clone();
    let at = log.of_stream(PLAN)[1];
    match &mut other.events[at].event {
        Event::Plan(PlanEvent::StatusWritten { text, .. }) => *text = "læser ikke".parse().unwrap(),
        event => panic!("{event:?}"),
    }
    other.record_heads();
    other
}

/// A log in which the plan's last revision was recorded twice: bundles of the plan with one of them
/// each, of which each passes, and the whole log.
pub(super) fn forked() -> (Vec<u8>, Vec<u8>, Log) {
    let first = honest();
    let places = first.of_stream(PLAN);
    let [.., before, last] = places[..] else {
        panic!("{places:?}")
    };
    let mut log = first.clone();
    let record = log.events.len() - 1;
    let (mut twin, mut heads) = (log.events[last].clone(), log.events[record].clone());
    let time = |after: u64| Timestamp::from_nanos(heads.entry.recorded_at.nanos() + after);
    (twin.entry.recorded_at, heads.entry.recorded_at) = (time(1), time(2));
    heads.entry.revision = heads.entry.revision.next();
    log.events.extend([twin, heads]);
    let follows = [(record + 1, before)];
    log.seal_following(&follows);
    let at = Position::new(record as u64 + 2);
    let recorded = log.heads(at);
    if let LedgerEvent::HeadsRecorded { through, root } = log.record() {
        (*through, *root) = (at, heads_tree(&recorded).root());
    }
    log.seal_following(&follows);
    let one = first.bundle(Scope::Plan(PLAN), &signer());
    let mut other = log.bundle(Scope::Plan(PLAN), &signer());
    let hidden = Position::new(last as u64 + 1);
    other.retain(|line| !matches!(line, Line::Event(event) if event.position == hidden));
    (text(&one), text(&other), log)
}

#[test]
fn two_checkpoints_of_one_size_and_two_roots_are_found() {
    let log = honest();
    let found = compared(&[checkpoint(&log), checkpoint(&retold(&log))]);
    assert_eq!(kinds(&found), ["ROOTS"]);
    assert_eq!((found.checkpoints, found.unconnected), (2, 0));
    let same = compared(&[checkpoint(&log), checkpoint(&log)]);
    assert_eq!((kinds(&same), same.checkpoints), (vec![], 1));
}

/// For each size of the smaller checkpoint, which may be a power of two and may not, and for whole logs,
/// parts of them, and single proofs of growth.
#[test]
fn a_checkpoint_that_is_no_beginning_of_a_larger_one_is_found() {
    let log = honest();
    let other = retold(&log);
    let size = log.size();
    let changed = log.of_stream(PLAN)[1];
    let part = Scope::Range {
        from: Position::new(6),
        to: Position::new(size - 2),
    };
    let bundles = [
        log.bundle(whole(&log), &signer()),
        log.bundle(part, &signer()),
    ];
    for (smaller, which) in (1..size).flat_map(|size| [(size, 0), (size, 1)]) {
        let bundle = text(&bundles[which]);
        let [honest, lying] = [&log, &other].map(|log| {
            let smaller = beginning(log, smaller as usize);
            compared(&[bundle.clone(), checkpoint(&smaller)])
        });
        assert_eq!(kinds(&honest), [""; 0], "{smaller}");
        let is_changed = smaller > changed as u64;
        // The part begins with the sixth event, and has the peaks before it.
        let known = honest.unconnected == 0;
        assert!(
            known || which == 1 && !(5..=size - 2).contains(&smaller),
            "{smaller}"
        );
        let expected = if is_changed && known {
            vec!["GROWTH"]
        } else {
            vec![]
        };
        assert_eq!(kinds(&lying), expected, "{smaller}");
        let mut with_since = log.bundle(Scope::Plan(PLAN), &signer());
        with_since.header().since = Some(log.since(smaller));
        let smaller = beginning(&other, smaller as usize);
        let found = compared(&[text(&with_since), checkpoint(&smaller)]);
        // The proof of growth from a power of two holds only together with the right root.
        let expected = is_changed && !smaller.size().is_power_of_two();
        assert!(found.found.len() as u64 + found.unconnected > 0 || !is_changed);
        if expected {
            assert_eq!(kinds(&found), ["GROWTH"], "{}", smaller.size());
        }
    }
}

#[test]
fn two_entries_at_one_position_are_found_under_checkpoints_that_nothing_connects() {
    let log = honest();
    let mut longer = retold(&log);
    let last = longer.events[longer.events.len() - 1].clone();
    for n in 1..4 {
        let mut record = last.clone();
        record.entry.revision = Revision::new(last.entry.revision.get() + n);
        let time = last.entry.recorded_at.nanos() + n;
        record.entry.recorded_at = Timestamp::from_nanos(time);
        longer.events.push(record);
    }
    longer.record_heads();
    let pieces = [&log, &longer].map(|log| text(&log.bundle(Scope::Plan(PLAN), &signer())));
    let found = compared(&pieces);
    assert_eq!(found.checkpoints, 2);
    let (found, _) = of_kind(&found, "POSITION");
    let position = log.of_stream(PLAN)[1] + 1;
    assert!(
        found
            .finding
            .to_string()
            .contains(&format!("at position {position} ")),
        "{}",
        found.finding
    );
}

#[test]
fn a_fork_inside_the_log_is_found_from_two_bundles_that_each_pass() {
    let (one, other, log) = forked();
    assert!(is_sound(&one));
    assert!(is_sound(&other));
    let found = compared(&[one.clone(), other.clone()]);
    assert!(kinds(&found).contains(&"REVISION"), "{:?}", kinds(&found));
    assert!(kinds(&found).contains(&"HEADS"), "{:?}", kinds(&found));
    // Which of both committed to what shows against each of the events, too.
    assert!(kinds(&found).contains(&"HEAD"), "{:?}", kinds(&found));
    let (revision, _) = of_kind(&found, "REVISION");
    assert!(revision.finding.meaning().contains("ledger forks"));
    // A range with the hidden event shows it against each of the bundles.
    let part = Scope::Range {
        from: Position::new(log.size() - 1),
        to: Position::new(log.size()),
    };
    let part = text(&log.bundle(part, &signer()));
    let with = compared(&[one, part.clone()]);
    assert!(kinds(&with).contains(&"REVISION"), "{:?}", kinds(&with));
    assert_eq!(kinds(&compared(&[other, part])), [""; 0]);
}

#[test]
fn an_event_that_does_not_link_to_the_one_before_it_is_found() {
    let (one, _, forked) = forked();
    // After the hidden branch comes an event that links to it.
    let mut log = forked;
    let (twin, record) = (log.events.len() - 2, log.events.len() - 1);
    let (mut next, mut heads) = (log.events[twin].clone(), log.events[record].clone());
    let time = |after: u64| Timestamp::from_nanos(heads.entry.recorded_at.nanos() + after);
    (next.entry.recorded_at, heads.entry.recorded_at) = (time(1), time(2));
    next.entry.revision = next.entry.revision.next();
    heads.entry.revision = heads.entry.revision.next();
    log.events.extend([next, heads]);
    let before = log.of_stream(PLAN);
    log.seal_following(&[(twin, before[before.len() - 4])]);
    let only = |at: usize| Scope::Range {
        from: Position::new(at as u64 + 1),
        to: Position::new(at as u64 + 1),
    };
    let part = text(&log.bundle(only(record + 1), &signer()));
    assert_eq!(kinds(&compared(&[one, part])), ["LINK", "HEAD"]);
}

#[test]
fn a_time_that_goes_back_is_found_between_plans_that_each_pass() {
    let mut log = honest();
    let places = log.of_stream(PLAN);
    let (before, late) = (places[1], places[2]);
    assert!(
        log.of_stream(SECOND)
            .iter()
            .any(|at| (before..late).contains(at))
    );
    let early = log.events[before].entry.recorded_at.nanos() + 1;
    log.events[late].entry.recorded_at = Timestamp::from_nanos(early);
    log.record_heads();
    let pieces = [PLAN, SECOND].map(|plan| text(&log.bundle(Scope::Plan(plan), &signer())));
    assert!(pieces.iter().all(|piece| is_sound(piece)));
    assert_eq!(kinds(&compared(&pieces)), ["TIME"]);
}

#[test]
fn a_stream_that_goes_back_or_changes_its_key_is_found() {
    let log = honest();
    let places = log.of_stream(PLAN);
    let only = |log: &Log, at: usize| {
        let at = Position::new(at as u64 + 1);
        text(&log.bundle(Scope::Range { from: at, to: at }, &signer()))
    };
    let mut back = log.clone();
    back.events[places[2]].entry.revision = Revision::new(7);
    back.record_heads();
    let found = compared(&[only(&back, places[2]), only(&back, places[3])]);
    assert_eq!(kinds(&found), ["ORDER"]);
    let mut keys = log.clone();
    keys.events[places[2]].entry.key = log.events[log.of_stream(crate::audit::school::OTHERS)[0]]
        .entry
        .key;
    keys.record_heads();
    let found = compared(&[only(&keys, places[1]), only(&keys, places[2])]);
    assert_eq!(kinds(&found), ["KEY"]);
}

/// Ends the plan early in the newest record of heads. The bundle leaves off what the heads hide.
fn shortened(log: &Log) -> (Log, Bundle) {
    let mut lying = log.clone();
    let places = log.of_stream(PLAN);
    let through = Position::new(log.size() - 1);
    let mut heads = log.heads(through);
    let early = log.heads(Position::new(places[2] as u64 + 1));
    let short = early.iter().find(|head| head.stream == PLAN.into());
    let short = *short.unwrap();
    let of_plan = heads.iter_mut().find(|head| head.stream == PLAN.into());
    *of_plan.unwrap() = short;
    if let LedgerEvent::HeadsRecorded { root, .. } = lying.record() {
        *root = heads_tree(&heads).root();
    }
    lying.seal_anew();
    let mut bundle = lying.bundle_with(Scope::Plan(PLAN), &signer(), &heads);
    let hidden = Position::new(places[2] as u64 + 1);
    bundle.retain(|line| !matches!(line, Line::Event(event) if event.position > hidden));
    (lying, bundle)
}

#[test]
fn heads_that_hide_an_event_are_found_by_whoever_has_the_event() {
    let (log, bundle) = shortened(&honest());
    let bundle = text(&bundle);
    assert!(is_sound(&bundle));
    let range = text(&log.bundle(whole(&log), &signer()));
    assert_eq!(kinds(&compared(&[bundle, range])), ["HEAD"]);
}

/// Once lied, then healed: the later heads do not mend what the earlier ones said.
#[test]
fn heads_that_lied_once_are_found_by_heads_from_before_and_from_later() {
    let sound = honest();
    let (lying, bundle) = shortened(&sound);
    let mut healed = lying.clone();
    let mut record = healed.events[healed.events.len() - 1].clone();
    record.entry.revision = record.entry.revision.next();
    let time = record.entry.recorded_at.nanos() + 1;
    record.entry.recorded_at = Timestamp::from_nanos(time);
    healed.events.push(record);
    healed.record_heads();
    let later = text(&healed.bundle(Scope::Student(STUDENT), &signer()));
    assert!(is_sound(&later));
    assert_eq!(kinds(&compared(&[text(&bundle), later.clone()])), ["HEAD"]);
    // The truth and the lie as of one position.
    let before = text(&sound.bundle(Scope::Plan(PLAN), &signer()));
    let found = compared(&[before, text(&bundle)]);
    let found = kinds(&found);
    for kind in ["ROOTS", "HEADS_ROOT", "HEADS", "HEAD"] {
        assert!(found.contains(&kind), "{kind}: {found:?}");
    }
}

#[test]
fn heads_that_name_another_event_or_none_are_found() {
    let log = honest();
    for change in 0..3 {
        let mut lying = log.clone();
        let mut heads = log.heads(Position::new(log.size() - 1));
        let at = heads.iter().position(|head| head.stream == PLAN.into());
        let at = at.unwrap();
        match change {
            0 => heads[at].link[0] ^= 1,
            1 => heads[at].revision = heads[at].revision.next(),
            _ => drop(heads.remove(at)),
        }
        if let LedgerEvent::HeadsRecorded { root, .. } = lying.record() {
            *root = heads_tree(&heads).root();
        }
        lying.seal_anew();
        let bundle = text(&lying.bundle_with(Scope::Plan(PLAN), &signer(), &heads));
        let range = text(&lying.bundle(whole(&lying), &signer()));
        let found = compared(&[bundle, range]);
        // Heads that are ahead contradict nothing that is there.
        let expected = if change == 1 { vec![] } else { vec!["HEAD"] };
        assert_eq!(kinds(&found), expected, "{change}");
    }
}

/// A ledger whose key was rotated.
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
    let ledger = planledger_fixtures::place::TempLedger::open_in(place.path());
    let notary = Notary::open(ledger.clone(), place.path(), to.clone()).unwrap();
    Log::of(&NotarisedSchool::around(place, ledger, notary))
}

fn next_signer(seed: u8) -> Signer {
    Signer::new(ORIGIN, Algorithm::Ed25519, [seed; 32]).unwrap()
}

/// The key that a change of key hands over from and to, and the statement.
fn rotation(log: &mut Log) -> (&mut VerifierKey, &mut VerifierKey, &mut String) {
    let is = |event: &Event| matches!(event, Event::Ledger(LedgerEvent::KeyRotated { .. }));
    let at = log.find(|written| is(&written.event));
    match &mut log.events[at].event {
        Event::Ledger(LedgerEvent::KeyRotated {
            from,
            to,
            statement,
        }) => (from, to, statement),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_that_hands_over_to_two_keys_is_found_by_whoever_knows_the_first() {
    let (one, two) = (next_signer(0x6E), next_signer(0x7E));
    let log = rotated(&one);
    let mut other = log.clone();
    let signed = Rotation::sign(&signer(), &two.verifier(), Timestamp::default()).unwrap();
    let (_, to, statement) = rotation(&mut other);
    (*to, *statement) = (two.verifier(), signed.statement().to_owned());
    other.record_heads();
    let bundles = [(&log, &one), (&other, &two)];
    let bundles = bundles.map(|(log, by)| text(&log.bundle(Scope::Plan(PLAN), by)));
    assert!(bundles.iter().all(|bundle| is_sound(bundle)));
    let found = compared(&bundles);
    let (rotation, proof) = of_kind(&found, "ROTATION");
    assert_eq!(rotation.signed_by, [one.verifier(), two.verifier()]);
    // Both statements are in the proof, so the first key is enough to check it; a later one is not.
    let later = Policy::of_logs(vec![one.verifier()]);
    assert!(check_misbehaviour(proof.as_bytes(), &later).is_err());
    // One of them alone is no contradiction.
    assert_eq!(
        kinds(&compared(&[bundles[0].clone(), bundles[0].clone()])),
        [""; 0]
    );
}

#[test]
fn a_key_that_hands_over_and_is_not_on_record_is_found() {
    let one = next_signer(0x6E);
    let mut log = rotated(&one);
    let thief = next_signer(0x7E);
    let signed = Rotation::sign(&thief, &one.verifier(), Timestamp::default()).unwrap();
    let (from, _, statement) = rotation(&mut log);
    (*from, *statement) = (thief.verifier(), signed.statement().to_owned());
    log.record_heads();
    let bundle = text(&log.bundle(Scope::Plan(PLAN), &signer()));
    let found = compared(&[bundle.clone(), bundle]);
    assert_eq!(kinds(&found), ["ROTATION"]);
}

/// A key that gets the log back and hands over once more has signed two changes, and may have.
#[test]
fn a_key_that_got_the_log_back_may_hand_over_again() {
    let NotarisedSchool {
        place,
        ledger,
        notary,
        ..
    } = NotarisedSchool::new();
    notary.checkpoint().unwrap();
    drop((ledger, notary));
    let (one, two) = (next_signer(0x6E), next_signer(0x7E));
    let path = place.path().to_owned();
    for (by, to) in [
        (signer(), one.clone()),
        (one, signer()),
        (signer(), two.clone()),
    ] {
        let ledger = planledger_fixtures::place::TempLedger::open_in(&path);
        let notary = Notary::open(ledger, &path, by).unwrap();
        notary.rotate(&to).unwrap();
    }
    let ledger = planledger_fixtures::place::TempLedger::open_in(&path);
    let notary = Notary::open(ledger.clone(), &path, two).unwrap();
    let school = NotarisedSchool::around(place, ledger, notary);
    let pieces = [Scope::Plan(PLAN), Scope::Student(STUDENT)];
    let pieces = pieces.map(|scope| school.export(scope).into_bytes());
    assert_eq!(kinds(&compared(&pieces)), [""; 0]);
}

#[test]
fn what_is_no_evidence_is_refused_and_named() {
    let log = honest();
    let sound = text(&log.bundle(Scope::Plan(PLAN), &signer()));
    let refused = |piece: &[u8]| {
        let error = compared_by(&[sound.clone(), piece.to_vec()], &policy()).unwrap_err();
        assert_eq!(error.piece(), Some(1), "{error}");
        error.to_string()
    };
    assert!(refused(b"").contains("CHECKPOINT"));
    assert!(refused(b"{}\n").contains("neither a bundle nor a checkpoint"));
    let mut cut = log.bundle(Scope::Plan(PLAN), &signer());
    cut.0.pop();
    assert!(refused(&text(&cut)).contains("MISSING"));
    let mut other = log.bundle(Scope::Plan(PLAN), &signer());
    other.events()[1].entry.0[40] ^= 1;
    assert!(refused(&text(&other)).starts_with("line 6: LEAF at position "));
    let mut range = log.bundle(whole(&log), &signer());
    range.events()[4].entry.0[40] ^= 1;
    assert!(refused(&text(&range)).contains("LEAF"));
    let by_other = log.bundle(Scope::Plan(PLAN), &next_signer(0x7E));
    assert!(refused(&text(&by_other)).contains("SIGNATURE"));
    let one = compared_by(std::slice::from_ref(&sound), &policy());
    assert!(matches!(one, Err(CompareError::Few)));
    // Another log that is believed as well.
    let elsewhere = Signer::new("other.example", Algorithm::Ed25519, [9; 32]).unwrap();
    let both = Policy::of_logs(vec![signer().verifier(), elsewhere.verifier()]);
    let mut of_other = log.checkpoint();
    of_other.origin = "other.example".to_owned();
    let signed = SignedCheckpoint::sign(of_other, &elsewhere, Timestamp::default());
    let pieces = [sound.clone(), signed.note.to_string().into_bytes()];
    let two = compared_by(&pieces, &both);
    assert!(
        matches!(two, Err(CompareError::TwoLogs { piece: 1, .. })),
        "{two:?}"
    );
}
