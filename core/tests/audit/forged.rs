//! Bundles whose maker lies about a log that is sound and not theirs: whatever they take from it,
//! leave off, or put beside it, the checker does not say what is not so.

use planledger_core::audit::{
    Bytes, Disclosure, EventLine, ExportRequest, FaultKind, Line, Report, Scope, VerifyOptions,
    verify_bundle,
};
use planledger_core::entry::Entry;
use planledger_core::ids::{KeyId, LedgerId, Position, StreamId};
use planledger_fixtures::evidence::{believing, range, readable};

use crate::audit::forge::{Bundle, Log};
use crate::audit::school::{
    CLASSMATE, NotarisedSchool, OTHERS, PLAN, SECOND, STUDENT, policy, signer,
};

fn check(text: &str) -> Result<Report, FaultKind> {
    let options = believing(policy());
    let checked = verify_bundle(&mut text.as_bytes(), &options, &mut |_, _| {});
    checked.map_err(|fault| fault.fault.kind)
}

fn kind(bundle: &Bundle) -> FaultKind {
    check(&bundle.text()).unwrap_err()
}

/// What the forger makes is what the exporter makes, so what is found in it is what was changed.
#[test]
fn the_forger_writes_what_the_exporter_writes() {
    let school = NotarisedSchool::new();
    let log = Log::of(&school);
    for scope in [
        Scope::Plan(PLAN),
        Scope::Plan(OTHERS),
        Scope::Student(STUDENT),
        Scope::Student(CLASSMATE),
        range(1, log.size()),
        range(5, 9),
    ] {
        let exported = school.export(scope);
        assert_eq!(log.bundle(scope, &signer()).text(), exported);
        check(&exported).unwrap();
    }
    let mut anew = log.clone();
    anew.seal_anew();
    assert_eq!(anew.checkpoint(), log.checkpoint());
}

/// Both records of heads are in the log; the older one leaves what came after it unsaid.
#[test]
fn an_older_record_of_heads_does_not_let_the_newest_events_be_left_off() {
    let mut school = NotarisedSchool::new();
    let before = Log::of(&school);
    school.write(PLAN, "læser højt");
    let log = Log::of(&school);
    let mut bundle = log.bundle_with(
        Scope::Plan(PLAN),
        &signer(),
        &before.heads(Position::new(before.size() - 1)),
    );
    let record = log.line(before.events.len() - 1, true);
    let newest = Position::new(log.size());
    for line in &mut bundle.0 {
        if matches!(line, Line::Ledger(line) if line.position == newest) {
            *line = Line::Ledger(record.clone());
        }
    }
    bundle
        .retain(|line| !matches!(line, Line::Event(event) if event.position.get() > before.size()));
    assert_eq!(bundle.events().len(), 4);
    assert_eq!(kind(&bundle), FaultKind::Head);
    // Nor beside the newest one, before or behind it.
    for behind in [0, 1] {
        let mut both = log.bundle(Scope::Plan(PLAN), &signer());
        let newest = both
            .0
            .iter()
            .position(|line| matches!(line, Line::Ledger(line) if line.position == newest));
        both.0
            .insert(newest.unwrap() + behind, Line::Ledger(record.clone()));
        assert_eq!(kind(&both), FaultKind::Head);
    }
}

#[test]
fn a_range_is_of_the_ledger_that_it_says() {
    let school = NotarisedSchool::new();
    let log = Log::of(&school);
    let sound = log.bundle(range(3, 9), &signer());
    let mut renamed = sound.clone();
    renamed.header().ledger = LedgerId::from_bytes([1; 16]);
    assert_eq!(kind(&renamed), FaultKind::Format);
    renamed.retain(|line| !matches!(line, Line::Ledger(_)));
    assert_eq!(kind(&renamed), FaultKind::Missing);
    let mut without = sound;
    without.0.remove(1);
    assert_eq!(kind(&without), FaultKind::Missing);
}

#[test]
fn a_range_has_no_gap_and_begins_and_ends_where_it_says() {
    let school = NotarisedSchool::new();
    let log = Log::of(&school);
    let sound = log.bundle(range(3, 9), &signer());
    for at in 0..7 {
        let mut gap = sound.clone();
        let position = Position::new(3 + at);
        gap.retain(|line| !matches!(line, Line::Event(event) if event.position == position));
        assert!(matches!(kind(&gap), FaultKind::Order | FaultKind::Missing));
        // The events behind it moved up, to look whole.
        let renumber = |event: &mut &mut EventLine| {
            if event.position > position {
                event.position = Position::new(event.position.get() - 1);
            }
        };
        gap.events().iter_mut().for_each(renumber);
        gap.header().scope = range(3, 8);
        assert!(check(&gap.text()).is_err());
    }
    for (from, to) in [
        (2, 9),
        (4, 9),
        (3, 8),
        (3, 10),
        (0, 9),
        (9, 3),
        (3, u64::MAX),
    ] {
        let mut moved = sound.clone();
        moved.header().scope = range(from, to);
        assert!(check(&moved.text()).is_err(), "{from} to {to}");
    }
    for change in 0..4 {
        let mut changed = sound.clone();
        let header = changed.header();
        match change {
            0 => header.peaks.clear(),
            1 => header.peaks.push([7; 32].into()),
            2 => header.growth.clear(),
            _ => header.growth[0] = [7; 32].into(),
        }
        assert!(check(&changed.text()).is_err(), "{change}");
    }
}

#[test]
fn one_plans_events_are_not_taken_for_anothers() {
    let school = NotarisedSchool::new();
    let log = Log::of(&school);
    let mut renamed = log.bundle(Scope::Plan(PLAN), &signer());
    renamed.header().scope = Scope::Plan(SECOND);
    assert_eq!(kind(&renamed), FaultKind::Format);
    // Another student's plan among the student's own, in its place.
    let mut more = log.bundle(Scope::Student(STUDENT), &signer());
    let others = log
        .of_stream(OTHERS)
        .into_iter()
        .map(|at| log.line(at, true));
    more.0.extend(others.map(Line::Event));
    more.0.sort_by_key(|line| match line {
        Line::Event(event) => event.position.get(),
        Line::End(_) => u64::MAX,
        _ => 0,
    });
    more.count();
    assert_eq!(kind(&more), FaultKind::Event);
    // Without its texts, by the key that it is sealed under.
    more.header().disclosure = Disclosure::Integrity;
    for event in more.events() {
        event.key = None;
    }
    assert_eq!(kind(&more), FaultKind::Key);
    // All of another student's, under the student's name.
    let mut of_another = log.bundle(Scope::Student(CLASSMATE), &signer());
    of_another.header().scope = Scope::Student(STUDENT);
    assert_eq!(kind(&of_another), FaultKind::Format);
    let person = StreamId::from(CLASSMATE);
    of_another.retain(|line| {
        let entry = |line: &EventLine| line.entry.array().unwrap();
        !matches!(line, Line::Event(line) if Entry::decode(&entry(line)).unwrap().stream == person)
    });
    assert_eq!(kind(&of_another), FaultKind::Event);
    of_another.header().disclosure = Disclosure::Integrity;
    for event in of_another.events() {
        event.key = None;
    }
    assert_eq!(kind(&of_another), FaultKind::Missing);
}

#[test]
fn heads_are_those_of_the_scope_and_there_once() {
    let school = NotarisedSchool::new();
    let log = Log::of(&school);
    let sound = log.bundle(Scope::Student(STUDENT), &signer());
    let of_another = log
        .bundle(Scope::Student(CLASSMATE), &signer())
        .heads()
        .clone();
    let mut another = sound.clone();
    *another.heads() = of_another.clone();
    assert!(matches!(
        kind(&another),
        FaultKind::Missing | FaultKind::Key
    ));
    let mut none = sound.clone();
    none.retain(|line| !matches!(line, Line::Heads(_)));
    assert_eq!(kind(&none), FaultKind::Missing);
    let mut two = sound.clone();
    let at = two
        .0
        .iter()
        .position(|line| matches!(line, Line::Heads(_)))
        .unwrap();
    two.0.insert(at, Line::Heads(of_another));
    assert_eq!(kind(&two), FaultKind::Format);
    for key in [None, Some(KeyId::from_bytes([1; 16]))] {
        let mut said = sound.clone();
        said.heads().key = key;
        assert_eq!(kind(&said), FaultKind::Key);
    }
    for change in 0..5 {
        let mut changed = sound.clone();
        let heads = changed.heads();
        match change {
            0 => heads.heads.0.truncate(73),
            1 => heads.heads.0.truncate(72),
            2 => heads.heads.0.clear(),
            3 => heads.bucket ^= 1,
            _ => drop(heads.path.pop()),
        }
        assert!(matches!(
            kind(&changed),
            FaultKind::Head | FaultKind::Format
        ));
    }
}

#[test]
fn a_text_is_the_one_that_was_sealed_and_no_other() {
    let school = NotarisedSchool::new();
    let log = Log::of(&school);
    let sound = log.bundle(Scope::Plan(PLAN), &signer());
    let swap = |what: fn(&mut EventLine) -> &mut Option<Bytes>| {
        let mut swapped = sound.clone();
        let mut events = swapped.events();
        let (first, second) = (what(events[1]).clone(), what(events[2]).clone());
        (*what(events[1]), *what(events[2])) = (second, first);
        kind(&swapped)
    };
    assert_eq!(swap(|event| &mut event.sealed), FaultKind::Payload);
    assert_eq!(swap(|event| &mut event.key), FaultKind::Key);
    let mut silent = sound.clone();
    silent.events()[1].key = None;
    assert_eq!(kind(&silent), FaultKind::Missing);
    // Left off altogether it is withheld: no act took it.
    let mut withheld = sound.clone();
    (withheld.events()[1].sealed, withheld.events()[1].key) = (None, None);
    assert_eq!(kind(&withheld), FaultKind::Withheld);
    // A bundle that says it has no keys has none.
    let request = ExportRequest {
        disclosure: Disclosure::Integrity,
        ..readable(Scope::Plan(PLAN))
    };
    let mut integrity = Bundle::parse(&school.export_as(request));
    let keys = sound
        .clone()
        .events()
        .iter()
        .map(|event| event.key.clone())
        .collect::<Vec<_>>();
    integrity.events()[2].key.clone_from(&keys[2]);
    assert_eq!(kind(&integrity), FaultKind::Format);
    let mut relabelled = Bundle::parse(&school.export_as(request));
    relabelled.header().disclosure = Disclosure::Events;
    assert_eq!(kind(&relabelled), FaultKind::Missing);
}

#[test]
fn growth_is_proved_from_the_checkpoint_that_the_auditor_holds() {
    let mut school = NotarisedSchool::new();
    let held = school.checkpoint();
    school.write(PLAN, "læser højt");
    let log = Log::of(&school);
    let options = VerifyOptions {
        policy: policy(),
        since: Some(held.clone()),
    };
    let size = held.checkpoint.size;
    let mut sound = log.bundle(Scope::Plan(PLAN), &signer());
    sound.header().since = Some(log.since(size));
    let check = |bundle: &Bundle| {
        let text = bundle.text();
        let checked = verify_bundle(&mut text.as_bytes(), &options, &mut |_, _| {});
        checked
            .map(|report| report.since)
            .map_err(|fault| fault.fault.kind)
    };
    assert_eq!(check(&sound), Ok(Some(size)));
    for other in [size - 1, size + 1, log.size(), 0] {
        let mut elsewhere = sound.clone();
        elsewhere.header().since = Some(log.since(other));
        assert_eq!(check(&elsewhere), Err(FaultKind::Missing));
        // A proof from there, said to be from here.
        elsewhere.header().since.as_mut().unwrap().size = size;
        assert_eq!(check(&elsewhere), Err(FaultKind::Growth));
    }
    // What the auditor holds is newer than the bundle.
    let mut log = log;
    for at in log.of_stream(OTHERS).into_iter().rev() {
        log.events.remove(at);
    }
    log.record_heads();
    assert!(log.size() < size);
    for since in [None, Some(log.since(log.size()))] {
        let mut older = log.bundle(Scope::Plan(PLAN), &signer());
        older.header().since = since;
        assert_eq!(check(&older), Err(FaultKind::Growth));
    }
}

/// JSON that other readers might take for something else.
#[test]
fn a_line_has_one_meaning() {
    let school = NotarisedSchool::new();
    let text = school.export(Scope::Plan(PLAN));
    let line = text
        .lines()
        .find(|line| line.starts_with("{\"event\""))
        .unwrap();
    let position = line.split("\"position\":").nth(1).unwrap();
    let position = position.split(',').next().unwrap();
    let number = format!("\"position\":{position}");
    let changed = |to: String| text.replacen(line, &to, 1);
    let numbers = [
        format!("{position}.0"),
        format!("{position}e0"),
        format!("\"{position}\""),
        format!("-{position}"),
        format!("0{position}"),
        format!("+{position}"),
        "null".to_owned(),
        "18446744073709551616".to_owned(),
    ];
    for other in numbers {
        let to = line.replacen(&number, &format!("\"position\":{other}"), 1);
        assert_ne!(to, line);
        assert_eq!(check(&changed(to)), Err(FaultKind::Format), "{other}");
    }
    for to in [
        line.replacen(&number, &format!("{number},{number}"), 1),
        line.replacen(&number, &format!("\"position\":1,{number}"), 1),
        line.replacen(&number, &format!("\"Position\":1,{number}"), 1),
        line.replacen(&number, &format!("\"note\":\"\",{number}"), 1),
        line.replacen("{\"event\":", "{\"event\":{},\"event\":", 1),
        line.replacen("\"back\"", "\"b\\u0061ck\":0,\"back\"", 1),
        format!("{line}{line}"),
        format!("{line} {{}}"),
        format!("\u{feff}{line}"),
        format!("{line}\0"),
        format!("[{line}]"),
        "[".repeat(100_000),
        format!("{{\"event\":{}", "{\"a\":".repeat(100_000)),
        line.replacen("{\"event\"", "{\"Event\"", 1),
    ] {
        let to: String = changed(to);
        assert_eq!(
            check(&to),
            Err(FaultKind::Format),
            "{}",
            &to[..to.len().min(300)]
        );
    }
    // A line that never ends is not read to its end.
    let endless = changed(format!("{{\"event\":\"{}", "A".repeat(40 << 20)));
    assert_eq!(check(&endless), Err(FaultKind::Format));
    // Base64 has one form too.
    let path = line
        .split("\"path\":[\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    for other in [
        path.trim_end_matches('=').to_owned(),
        format!("{path}="),
        format!(" {path}"),
        path.replacen(&path[..4], &format!("{}\\n", &path[..4]), 1),
    ] {
        let to = line.replacen(path, &other, 1);
        assert_eq!(check(&changed(to)), Err(FaultKind::Format), "{other}");
    }
}
