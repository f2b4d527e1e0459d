//! Lies about where streams ended, by a server that holds the signing key. Each is first shown to pass
//! for whoever knows too little, and then by whom it is found, at which position and as what.

use planledger_core::audit::{
    BundleFault, FaultKind, HeadsChecked, Line, LogFold, Report, Scope, VerifyOptions,
    verify_bundle,
};
use planledger_core::domain::Event;
use planledger_core::domain::ledger::{LedgerEvent, RecordedHeads};
use planledger_core::domain::plan::PlanEvent;
use planledger_core::ids::{LedgerId, Position, Revision};
use planledger_core::time::Timestamp;
use planledger_core::tlog::SignedCheckpoint;
use planledger_fixtures::evidence::{believing, range};

use crate::audit::forge::{Bundle, Log, heads_tree};
use crate::audit::school::{NotarisedSchool, PLAN, policy, signer};

fn check(bundle: &Bundle) -> Result<Report, BundleFault> {
    check_with(bundle, &believing(policy()))
}

fn check_with(bundle: &Bundle, options: &VerifyOptions) -> Result<Report, BundleFault> {
    verify_bundle(&mut bundle.text().as_bytes(), options, &mut |_, _| {})
}

/// Where a fault was found, and as what.
type Found = (Position, FaultKind);

fn found(bundle: &Bundle) -> Found {
    let fault = check(bundle).unwrap_err().fault;
    (fault.position, fault.kind)
}

fn written(text: &str) -> Event {
    let text = text.parse().unwrap();
    Event::Plan(PlanEvent::StatusWritten { text })
}

fn whole(log: &Log) -> Bundle {
    log.bundle(range(1, log.size()), &signer())
}

/// Follows a whole log as a monitor does, with every record of heads.
fn followed(log: &Log) -> Result<LogFold, Found> {
    let mut fold = LogFold::new();
    for (position, written) in (1..).map(Position::new).zip(&log.events) {
        let checked = match &written.event {
            Event::Ledger(LedgerEvent::HeadsRecorded { through, root }) => {
                let (through, root) = (*through, *root);
                fold.check_heads(position, &RecordedHeads { through, root })
            }
            _ => Ok(()),
        };
        let taken = checked.and_then(|()| fold.take(written.bytes()));
        taken.map_err(|fault| (fault.position, fault.kind))?;
    }
    Ok(fold)
}

fn at(place: usize) -> Position {
    Position::new(place as u64 + 1)
}

/// Two events of a plan at one revision. One record of heads commits to the first, the next one to the
/// second. Each side gets a bundle with its own branch.
#[test]
fn a_fork_inside_the_log_passes_for_each_side_alone_and_is_found_by_whoever_has_the_whole_log() {
    let school = NotarisedSchool::new();
    let mut log = Log::of(&school);
    let fourth = log.of_stream(PLAN)[3];
    let one = log.append(fourth, written("læser godt"));
    log.append_record();
    let told_one = log.bundle(Scope::Plan(PLAN), &signer());
    let checkpoint = SignedCheckpoint::sign(log.checkpoint(), &signer(), Timestamp::default());
    let other = log.append_from(fourth, written("læser dårligt"));
    log.append_record();
    let both = log.bundle(Scope::Plan(PLAN), &signer());
    let mut told_other = both.clone();
    told_other.retain(|line| !matches!(line, Line::Event(event) if event.position == at(one)));

    // Each passes alone, and the second also for somebody who kept the checkpoint of the first.
    let report = check(&told_one).unwrap();
    assert_eq!((report.events, report.opened), (5, 5));
    let since = log.since(checkpoint.checkpoint.size);
    told_other.header().since = Some(since);
    let options = VerifyOptions {
        since: Some(checkpoint),
        ..believing(policy())
    };
    let report = check_with(&told_other, &options).unwrap();
    assert_eq!((report.events, report.opened), (5, 5));
    assert!(report.since.is_some());
    // It says on whose word that rests.
    assert_eq!(report.heads, HeadsChecked::Believed);

    // The whole log, with or without texts, and a monitor.
    let here = (at(other), FaultKind::Revision);
    assert_eq!(found(&both), here);
    let mut range = whole(&log);
    assert_eq!(found(&range), here);
    range.without_keys(log.ledger);
    assert_eq!(found(&range), here);
    assert_eq!(followed(&log).err(), Some(here));
    // A part in which both stand.
    let part = log.bundle(
        planledger_fixtures::evidence::range(2, log.size()),
        &signer(),
    );
    assert_eq!(found(&part), here);
    // Who lays both bundles side by side sees two events at one revision of one stream.
    let places = [one, other].map(|place| {
        let entry = &log.events[place].entry;
        (entry.stream, entry.revision)
    });
    assert_eq!(places[0], places[1]);
    assert_ne!(log.events[one].bytes(), log.events[other].bytes());
}

/// The last record of heads says of a plan that it ended earlier, or is as of an earlier position.
#[test]
fn heads_that_leave_off_the_newest_events_pass_with_a_bundle_that_does_too_and_are_found_in_the_whole_log()
 {
    let school = NotarisedSchool::new();
    let mut log = Log::of(&school);
    let places = log.of_stream(PLAN);
    let record = Position::new(log.size());
    let mut heads = log.heads(Position::new(log.size() - 1));
    let early = log.heads(at(places[2]));
    let of_plan = |head: &&planledger_core::heads::StreamHead| head.stream == PLAN.into();
    let short = *early.iter().find(of_plan).unwrap();
    heads
        .iter_mut()
        .filter(|head| head.stream == PLAN.into())
        .for_each(|head| *head = short);
    if let LedgerEvent::HeadsRecorded { root, .. } = log.record() {
        *root = heads_tree(&heads).root();
    }
    log.seal_anew();
    let mut plan = log.bundle_with(Scope::Plan(PLAN), &signer(), &heads);
    plan.retain(|line| !matches!(line, Line::Event(event) if event.position == at(places[3])));
    let report = check(&plan).unwrap();
    assert_eq!(report.events, 3);
    assert_eq!(report.heads, HeadsChecked::Believed);
    let here = (record, FaultKind::Head);
    let mut range = whole(&log);
    assert_eq!(found(&range), here);
    range.without_keys(log.ledger);
    assert_eq!(found(&range), here);
    assert_eq!(followed(&log).err(), Some(here));
}

/// A record is right, but as of long ago: the bundle says how far it is complete, and no further.
#[test]
fn a_record_as_of_an_earlier_position_proves_completeness_up_to_there_and_not_before_the_last_record()
 {
    let mut school = NotarisedSchool::new();
    school.checkpoint();
    school.write(PLAN, "læser højt");
    let sound = Log::of(&school);
    let records: Vec<u64> = (1..)
        .zip(&sound.events)
        .filter(|(_, written)| {
            matches!(
                written.event,
                Event::Ledger(LedgerEvent::HeadsRecorded { .. })
            )
        })
        .map(|(position, _)| position)
        .collect();
    let [before, last] = records[..] else {
        panic!("there are two records")
    };
    let as_of = |position: u64| {
        let mut log = sound.clone();
        let heads = log.heads(Position::new(position));
        if let LedgerEvent::HeadsRecorded { through, root } = log.record() {
            (*through, *root) = (Position::new(position), heads_tree(&heads).root());
        }
        log.seal_anew();
        let mut plan = log.bundle(Scope::Plan(PLAN), &signer());
        let newest = at(*log.of_stream(PLAN).last().unwrap());
        plan.retain(|line| !matches!(line, Line::Event(event) if event.position == newest));
        (log, plan)
    };
    let (log, plan) = as_of(before);
    let report = check(&plan).unwrap();
    assert_eq!(report.heads_through, Position::new(before));
    assert_eq!(
        report.streams[0].complete_through,
        Some(Position::new(before))
    );
    // Others may record events while the server makes a record, so that alone is no fault.
    let report = check(&whole(&log)).unwrap();
    let heads = HeadsChecked::Recomputed {
        records: 2,
        unread: 0,
    };
    assert_eq!(report.heads, heads);
    followed(&log).unwrap();
    // Before the last record it is.
    let (log, plan) = as_of(before - 1);
    check(&plan).unwrap();
    let here = (Position::new(last), FaultKind::Head);
    assert_eq!(found(&whole(&log)), here);
    assert_eq!(followed(&log).err(), Some(here));
    let part = log.bundle(range(2, log.size()), &signer());
    assert_eq!(found(&part), here);
}

/// One record lies, the next one is right again.
#[test]
fn heads_that_lie_once_and_are_healed_later_are_found_in_the_whole_log() {
    let school = NotarisedSchool::new();
    let mut log = Log::of(&school);
    let lie = Position::new(log.size());
    let early = log.heads(at(log.of_stream(PLAN)[2]));
    if let LedgerEvent::HeadsRecorded { root, .. } = log.record() {
        *root = heads_tree(&early).root();
    }
    log.seal_anew();
    log.append(log.of_stream(PLAN)[3], written("læser højt"));
    log.append_record();
    // The last record is right, and so is everything that rests on it.
    let report = check(&log.bundle(Scope::Plan(PLAN), &signer())).unwrap();
    assert_eq!(report.events, 5);
    let here = (lie, FaultKind::Head);
    let mut all = whole(&log);
    assert_eq!(found(&all), here);
    all.without_keys(log.ledger);
    assert_eq!(found(&all), here);
    assert_eq!(followed(&log).err(), Some(here));
    // Without its first events nobody can recompute it, and an older bundle has no keys of records. Both
    // are said.
    let part = check(&log.bundle(range(2, log.size()), &signer())).unwrap();
    let in_order = HeadsChecked::InOrder {
        records: 2,
        unread: 0,
    };
    assert_eq!(part.heads, in_order);
    all.as_before();
    let older = check(&all).unwrap();
    let last_only = HeadsChecked::Recomputed {
        records: 1,
        unread: 1,
    };
    assert_eq!(older.heads, last_only);
}

/// Who leaves out the key of a record of heads leaves out the check of it.
#[test]
fn a_record_of_heads_comes_with_its_key_in_every_range() {
    let school = NotarisedSchool::new();
    school.checkpoint();
    let mut school = school;
    school.write(PLAN, "læser højt");
    let log = Log::of(&school);
    let record = log.find(|written| {
        matches!(
            written.event,
            Event::Ledger(LedgerEvent::HeadsRecorded { .. })
        )
    });
    for from in [1, 2] {
        let mut bundle = log.bundle(range(from, log.size()), &signer());
        bundle.without_keys(log.ledger);
        check(&bundle).unwrap();
        for line in bundle.events() {
            if line.position == at(record) {
                line.key = None;
            }
        }
        assert_eq!(found(&bundle), (at(record), FaultKind::Missing));
    }
    assert_eq!(log.events[record].entry.revision, Revision::new(1));
}

/// A second stream of heads beside the ledger's, for a bundle that says that it is of another ledger with
/// the same key.
#[test]
fn a_stream_of_another_ledger_in_the_log_is_found_in_every_range_that_has_it() {
    let school = NotarisedSchool::new();
    let mut log = Log::of(&school);
    let keys = log.of_stream(log.ledger)[0];
    let event = log.events[keys].event.clone();
    let second = log.append(keys, event);
    let entry = &mut log.events[second].entry;
    entry.stream = LedgerId::from_bytes([9; 16]).into();
    entry.revision = Revision::new(1);
    log.append_record();
    check(&log.bundle(Scope::Plan(PLAN), &signer())).unwrap();
    for from in [1, 2] {
        let mut bundle = log.bundle(range(from, log.size()), &signer());
        assert_eq!(found(&bundle), (at(second), FaultKind::Event));
        bundle.without_keys(log.ledger);
        assert_eq!(found(&bundle), (at(second), FaultKind::Event));
    }
}
