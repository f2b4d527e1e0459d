//! Texts that are missing. Only an act that two people decided takes a text; whoever leaves one out of a
//! bundle is found out.

use planledger_core::audit::{
    BundleFault, Disclosure, EventLine, Export, ExportError, ExportRequest, FaultKind, Gone, Line,
    Report, Scope, verify_bundle,
};
use planledger_core::domain::erasure::{ErasureEvent, EventPlace, Target};
use planledger_core::domain::plan::PlanEvent;
use planledger_core::domain::{Actor, Event};
use planledger_core::ids::{ErasureId, PersonId, Position, StreamId};
use planledger_fixtures::evidence::{believing, range, readable};
use planledger_fixtures::school::{CLERK, LEADER};

use crate::audit::forge::{Bundle, Log};
use crate::audit::school::{
    CLASSMATE, NotarisedSchool, OTHERS, PLAN, SECOND, STUDENT, policy, signer,
};
use crate::erasure::{decide, place};

fn check(bundle: &Bundle) -> Result<Report, BundleFault> {
    let text = bundle.text();
    verify_bundle(&mut text.as_bytes(), &believing(policy()), &mut |_, _| {})
}

fn found(bundle: &Bundle) -> (Position, FaultKind) {
    let fault = check(bundle).unwrap_err().fault;
    (fault.position, fault.kind)
}

fn at(place: usize) -> Position {
    Position::new(place as u64 + 1)
}

/// Takes the text out of the line of an event.
fn withhold(bundle: &mut Bundle, position: Position, why: Option<Gone>) {
    for line in bundle.events() {
        if line.position == position {
            (line.sealed, line.key, line.gone) = (None, None, why);
        }
    }
}

#[test]
fn a_withheld_text_passes_for_nothing() {
    let school = NotarisedSchool::new();
    let log = Log::of(&school);
    let text = at(log.of_stream(PLAN)[1]);
    for scope in [
        Scope::Plan(PLAN),
        Scope::Student(STUDENT),
        range(1, log.size()),
        range(2, log.size()),
    ] {
        for why in [None, Some(Gone::Redacted), Some(Gone::Erased)] {
            let mut bundle = log.bundle(scope, &signer());
            check(&bundle).unwrap();
            withhold(&mut bundle, text, why);
            assert_eq!(found(&bundle), (text, FaultKind::Withheld));
            bundle.without_keys(log.ledger);
            assert_eq!(found(&bundle), (text, FaultKind::Withheld));
            // Bundles of before could not prove why a text is missing, so that is not believed.
            bundle.as_before();
            assert_eq!(found(&bundle), (text, FaultKind::Withheld));
        }
    }
}

/// What the ledger's own exporter gives of texts that are gone.
fn exported(school: &NotarisedSchool, scope: Scope, disclosure: Disclosure) -> Bundle {
    Bundle::parse(&school.export_as(ExportRequest {
        disclosure,
        ..readable(scope)
    }))
}

fn acts(bundle: &Bundle) -> Vec<EventLine> {
    let acts = bundle.0.iter().filter_map(|line| match line {
        Line::Act(line) => Some(line.clone()),
        _ => None,
    });
    acts.collect()
}

/// Without any one of the lines of the act, the text is withheld.
fn rests_on_each_act_line(bundle: &Bundle, count: usize) {
    assert_eq!(acts(bundle).len(), count);
    for left_out in 0..count {
        let mut without = bundle.clone();
        let mut number = 0;
        without.0.retain(|line| {
            number += usize::from(matches!(line, Line::Act(_)));
            !matches!(line, Line::Act(_)) || number != left_out + 1
        });
        check(&without).unwrap_err();
    }
    let mut without = bundle.clone();
    without.0.retain(|line| !matches!(line, Line::Act(_)));
    assert_eq!(found(&without).1, FaultKind::Withheld);
}

#[test]
fn a_redaction_comes_with_the_act_that_proves_it_and_shows_no_reason() {
    let mut school = NotarisedSchool::new();
    let receipt = school.write(PLAN, "stod i den forkerte plan");
    decide(&school.ledger, place(&school.ledger, receipt.position));
    school.ledger.carry_out_erasures().unwrap();
    let last = school.checkpoint().checkpoint.size;
    for scope in [
        Scope::Plan(PLAN),
        Scope::Student(STUDENT),
        range(1, last),
        range(receipt.position.get(), receipt.position.get()),
    ] {
        for disclosure in [Disclosure::Events, Disclosure::Integrity] {
            let bundle = exported(&school, scope, disclosure);
            let report = check(&bundle).unwrap();
            assert_eq!((report.redacted, report.erased), (1, 0));
            let act = &report.acts[0];
            assert_eq!(act.act, ErasureId::of_event(receipt.position).into());
            assert_eq!(act.requested.by, Actor::Person(LEADER));
            assert_eq!(act.approved.by, Actor::Person(CLERK));
            assert_eq!(act.texts, 1);
            for line in acts(&bundle) {
                assert_eq!((line.sealed, line.key), (None, None));
            }
            rests_on_each_act_line(&bundle, 4);
        }
    }
    // Where the text is not in scope, neither is the act.
    let other = exported(&school, Scope::Plan(OTHERS), Disclosure::Events);
    assert!(acts(&other).is_empty());
    let part = exported(&school, range(1, 5), Disclosure::Events);
    assert!(acts(&part).is_empty());
}

#[test]
fn an_erasure_comes_with_the_act_that_proves_it_and_with_whose_key_it_was() {
    let school = NotarisedSchool::new();
    decide(&school.ledger, Target::Person(STUDENT));
    school.ledger.carry_out_erasures().unwrap();
    let last = school.checkpoint().checkpoint.size;
    for scope in [
        Scope::Plan(PLAN),
        Scope::Plan(SECOND),
        Scope::Student(STUDENT),
        range(1, last),
    ] {
        let bundle = exported(&school, scope, Disclosure::Events);
        let report = check(&bundle).unwrap();
        assert!(report.erased > 0);
        assert_eq!(report.redacted, 0);
        assert_eq!(report.acts[0].act, ErasureId::of_person(STUDENT).into());
        assert_eq!(report.acts[0].texts, report.erased);
        // The first entry of the person says whose key it was.
        rests_on_each_act_line(&bundle, 4);
        for line in acts(&bundle) {
            assert_eq!((line.sealed, line.key), (None, None));
        }
        // Without texts, what was sealed is still there, so nothing is missing.
        let sealed = exported(&school, scope, Disclosure::Integrity);
        assert!(acts(&sealed).is_empty());
        assert_eq!(check(&sealed).unwrap().erased, 0);
    }
    let other = exported(&school, Scope::Plan(OTHERS), Disclosure::Events);
    assert!(acts(&other).is_empty());
}

/// The act is not in the checkpoint of the bundle, so the bundle could not prove why the text is missing.
#[test]
fn a_text_that_is_destroyed_while_a_bundle_is_made_ends_it_and_a_new_one_has_the_act() {
    let mut school = NotarisedSchool::new();
    let text = school.write(PLAN, "stod i den forkerte plan").position;
    let request = readable(Scope::Plan(PLAN));
    let begin = |request| Export::new(school.ledger.clone(), school.notary.clone(), request);
    let mut export = begin(request).unwrap();
    let size = school.checkpoint().checkpoint.size;
    decide(&school.ledger, place(&school.ledger, text));
    // Nothing is destroyed yet.
    assert_eq!(
        check(&exported(&school, Scope::Plan(PLAN), Disclosure::Events))
            .unwrap()
            .redacted,
        0
    );
    school.ledger.carry_out_erasures().unwrap();
    let failed = export.find_map(Result::err).unwrap();
    assert!(
        matches!(failed, ExportError::Destroyed(at) if at == text),
        "{failed}"
    );
    assert!(export.next().is_none());
    let resumed = begin(ExportRequest {
        resume: Some((size, Position::ZERO)),
        ..request
    });
    let failed = resumed.err().unwrap();
    assert!(
        matches!(failed, ExportError::Destroyed(at) if at == text),
        "{failed}"
    );
    let anew = exported(&school, Scope::Plan(PLAN), Disclosure::Events);
    assert_eq!(check(&anew).unwrap().redacted, 1);
}

/// An act that the journal had lost, and that was carried out again.
#[test]
fn an_act_that_was_carried_out_again_after_a_restore_proves_it_too() {
    let school = NotarisedSchool::new();
    school.ledger.settle();
    let place = school.close();
    let copy = tempfile::tempdir().unwrap();
    planledger_fixtures::place::copy(place.path(), copy.path());
    let ledger = place.open();
    decide(&ledger, Target::Person(STUDENT));
    ledger.carry_out_erasures().unwrap();
    drop(ledger);
    let acts_file = "erasures/acts.txt";
    std::fs::create_dir_all(copy.path().join("erasures")).unwrap();
    std::fs::copy(place.path().join(acts_file), copy.path().join(acts_file)).unwrap();
    let ledger = crate::erasure::reapplied(copy.path());
    let notary =
        planledger_core::notary::Notary::open(ledger.clone(), copy.path(), signer()).unwrap();
    let bundle = planledger_fixtures::evidence::export(
        &ledger,
        &std::sync::Arc::new(notary),
        readable(Scope::Student(STUDENT)),
    );
    let bundle = Bundle::parse(&bundle);
    let report = check(&bundle).unwrap();
    assert!(report.erased > 0);
    assert_eq!(report.acts[0].requested.by, Actor::Person(LEADER));
    assert_eq!(report.acts[0].approved.by, Actor::Person(CLERK));
    assert_eq!(acts(&bundle).len(), 2);
}

/// A log in which a redaction of an event is written as the forger wants it.
struct Forged {
    log: Log,
    text: Position,
    /// The places of the act's events.
    act: Vec<usize>,
}

impl Forged {
    /// The act is asked for and approved by two people, and carried out.
    fn new() -> Self {
        let mut school = NotarisedSchool::new();
        let text = school.write(PLAN, "stod i den forkerte plan").position;
        decide(&school.ledger, place(&school.ledger, text));
        let mut log = Log::of(&school);
        let mut act = log.of_stream(ErasureId::of_event(text));
        let done = Event::Erasure(ErasureEvent::CarriedOut { key: None });
        act.push(log.append(act[0], done));
        log.append_record();
        Self { log, text, act }
    }

    /// A bundle of the plan without the text, and with the act.
    fn bundle(&mut self) -> Bundle {
        self.log.record_heads();
        let mut bundle = self.log.bundle(Scope::Plan(PLAN), &signer());
        withhold(&mut bundle, self.text, Some(Gone::Redacted));
        let first = bundle
            .0
            .iter()
            .position(|line| matches!(line, Line::Event(_)))
            .unwrap();
        for (number, place) in self.act.iter().enumerate() {
            let line = EventLine {
                sealed: None,
                key: None,
                ..self.log.line(*place, true)
            };
            bundle.0.insert(first + number, Line::Act(line));
        }
        bundle
    }
}

#[test]
fn an_act_that_two_people_did_not_decide_takes_no_text() {
    let report = check(&Forged::new().bundle()).unwrap();
    assert_eq!(report.redacted, 1);
    let withheld = |forged: &mut Forged| {
        let found = found(&forged.bundle());
        assert_eq!(found, (forged.text, FaultKind::Withheld));
    };
    // Approved by who asked, by somebody who acted for who asked, or by no person at all.
    let [one, two] = [LEADER, CLERK].map(Actor::Person);
    let system = Actor::System(planledger_core::ids::SystemId::from_bytes([7; 16]));
    for (asks, approves) in [
        ((one, None), (one, None)),
        ((one, None), (two, Some(one))),
        ((system, Some(one)), (one, None)),
        ((one, None), (system, None)),
        ((system, None), (one, None)),
    ] {
        let mut forged = Forged::new();
        for (place, (actor, on_behalf_of)) in forged.act.clone().into_iter().zip([asks, approves]) {
            let entry = &mut forged.log.events[place].entry;
            (entry.actor, entry.on_behalf_of) = (actor, on_behalf_of);
        }
        withheld(&mut forged);
    }
    // Not carried out yet.
    let mut forged = Forged::new();
    forged.act.pop();
    withheld(&mut forged);
    // The act is about another event, or is no act.
    for stream in [
        ErasureId::of_event(forged.text.next()).into(),
        ErasureId::of_person(STUDENT).into(),
    ] {
        let mut forged = Forged::new();
        for place in &forged.act {
            forged.log.events[*place].entry.stream = stream;
        }
        withheld(&mut forged);
    }
    let mut forged = Forged::new();
    for place in &forged.act {
        forged.log.events[*place].entry.stream = StreamId::from(OTHERS);
    }
    assert_eq!(found(&forged.bundle()).1, FaultKind::Format);
}

/// Steps of an act in an order that no act has.
#[test]
fn the_events_of_an_act_come_in_the_order_of_an_act() {
    let with = |events: [ErasureEvent; 3]| {
        let mut forged = Forged::new();
        for (place, event) in forged.act.clone().into_iter().zip(events) {
            let event = Event::Erasure(event);
            let written = &mut forged.log.events[place];
            let event_type = event.event_type();
            (written.entry.event_type, written.entry.schema) = (event_type.code, event_type.schema);
            written.event = event;
        }
        found(&forged.bundle()).1
    };
    let requested = || ErasureEvent::Requested {
        target: Target::Event(EventPlace {
            position: Position::new(1),
            stream: PLAN.into(),
            revision: planledger_core::ids::Revision::new(1),
        }),
        basis: "Artikel 17".parse().unwrap(),
        reason: "Bedt om".parse().unwrap(),
        retention: None,
    };
    let approved = || ErasureEvent::Approved { reason: None };
    let withdrawn = || ErasureEvent::Withdrawn { reason: None };
    let carried_out = || ErasureEvent::CarriedOut { key: None };
    for events in [
        [approved(), requested(), carried_out()],
        [requested(), carried_out(), approved()],
        [requested(), withdrawn(), carried_out()],
        [requested(), withdrawn(), approved()],
        [requested(), requested(), approved()],
        [carried_out(), requested(), approved()],
    ] {
        assert_eq!(with(events), FaultKind::Event);
    }
}

/// An act takes what was there when it was decided, not what came after.
#[test]
fn an_act_takes_no_text_that_is_newer() {
    let mut forged = Forged::new();
    let text = "skrevet bagefter".parse().unwrap();
    let newest = *forged.log.of_stream(PLAN).last().unwrap();
    let newer = forged
        .log
        .append(newest, Event::Plan(PlanEvent::StatusWritten { text }));
    forged.log.append_record();
    forged.text = at(newer);
    for place in &forged.act {
        forged.log.events[*place].entry.stream = ErasureId::of_event(at(newer)).into();
    }
    let found = found(&forged.bundle());
    assert_eq!(found, (at(newer), FaultKind::Withheld));
}

/// An erasure takes the texts under the key of its person, and no others.
#[test]
fn an_erasure_of_somebody_else_takes_no_text() {
    let school = NotarisedSchool::new();
    decide(&school.ledger, Target::Person(CLASSMATE));
    let mut log = Log::of(&school);
    let mut act = log.of_stream(ErasureId::of_person(CLASSMATE));
    // Whatever key the act names.
    let key = Some(log.events[log.of_stream(STUDENT)[0]].entry.key);
    let done = Event::Erasure(ErasureEvent::CarriedOut { key });
    act.push(log.append(act[0], done));
    log.append_record();
    let without_texts = |plan, person: PersonId| {
        let mut bundle = log.bundle(Scope::Plan(plan), &signer());
        let texts: Vec<_> = bundle.events().iter().map(|line| line.position).collect();
        for text in texts {
            withhold(&mut bundle, text, Some(Gone::Erased));
        }
        let first = bundle
            .0
            .iter()
            .position(|line| matches!(line, Line::Event(_)))
            .unwrap();
        let mut lines = vec![log.of_stream(person)[0]];
        lines.extend(&act);
        for (number, place) in lines.into_iter().enumerate() {
            let mut line = log.line(place, true);
            (line.sealed, line.key) = (None, None);
            bundle.0.insert(first + number, Line::Act(line));
        }
        check(&bundle).map_err(|fault| fault.fault.kind)
    };
    assert!(without_texts(OTHERS, CLASSMATE).unwrap().erased > 0);
    for person in [CLASSMATE, STUDENT] {
        let found = without_texts(PLAN, person);
        assert_eq!(found.err(), Some(FaultKind::Withheld));
    }
}
