//! Sound bundles with lines and bytes that were changed, moved, doubled and dropped. Nothing brings
//! the checker down; a refusal names a line that is there; and whatever is believed says nothing
//! that the ledger does not.

use planledger_fixtures::evidence::believing;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use planledger_core::audit::{BundleFault, Report, Scope, verify_bundle};
use planledger_core::domain::Event;
use planledger_core::ids::Position;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::audit::school::{NotarisedSchool, PLAN, STUDENT, policy};

struct Sound {
    bundles: Vec<String>,
    /// What the ledger says.
    truth: BTreeMap<Position, Event>,
}

fn sound() -> &'static Sound {
    static SOUND: OnceLock<Sound> = OnceLock::new();
    SOUND.get_or_init(|| {
        let school = NotarisedSchool::new();
        let to = school.checkpoint().checkpoint.position();
        let range = |from, to| Scope::Range {
            from: Position::new(from),
            to,
        };
        let scopes = [
            range(1, to),
            range(5, Position::new(9)),
            Scope::Plan(PLAN),
            Scope::Student(STUDENT),
        ];
        let bundles: Vec<_> = scopes.map(|scope| school.export(scope)).into();
        let mut truth = BTreeMap::new();
        check(bundles[0].as_bytes(), &mut truth).unwrap();
        assert_eq!(truth.len() as u64, to.get());
        Sound { bundles, truth }
    })
}

fn check(bundle: &[u8], told: &mut BTreeMap<Position, Event>) -> Result<Report, BundleFault> {
    let options = believing(policy());
    verify_bundle(&mut &*bundle, &options, &mut |recorded, event| {
        told.insert(recorded.position, event.clone());
    })
}

#[derive(Clone, Debug)]
enum Edit {
    Drop(Index),
    Double(Index, Index),
    Swap(Index, Index),
    /// A line of another bundle of the same log.
    Take(Index, usize, Index),
    Byte(Index, Index, u8),
    /// A number that occurs in a line, changed.
    Number(Index, Index, u64),
    Cut(Index, Index),
}

fn edits() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        at().prop_map(Edit::Drop),
        (at(), at()).prop_map(|(a, b)| Edit::Double(a, b)),
        (at(), at()).prop_map(|(a, b)| Edit::Swap(a, b)),
        (at(), 0usize..4, at()).prop_map(|(a, n, b)| Edit::Take(a, n, b)),
        (at(), at(), any::<u8>()).prop_map(|(a, b, byte)| Edit::Byte(a, b, byte)),
        (at(), at(), prop_oneof![0u64..30, any::<u64>()])
            .prop_map(|(a, b, number)| Edit::Number(a, b, number)),
        (at(), at()).prop_map(|(a, b)| Edit::Cut(a, b)),
    ]
}

fn edit(lines: &mut Vec<Vec<u8>>, edit: &Edit) {
    let count = lines.len();
    match edit {
        _ if count == 0 => {}
        Edit::Drop(at) => drop(lines.remove(at.index(count))),
        Edit::Double(from, to) => {
            let line = lines[from.index(count)].clone();
            lines.insert(to.index(count), line);
        }
        Edit::Swap(a, b) => lines.swap(a.index(count), b.index(count)),
        Edit::Take(to, bundle, from) => {
            let others: Vec<_> = sound().bundles[*bundle].lines().collect();
            lines[to.index(count)] = others[from.index(others.len())].as_bytes().to_vec();
        }
        Edit::Byte(line, at, byte) => {
            let line = &mut lines[line.index(count)];
            if !line.is_empty() {
                let at = at.index(line.len());
                line[at] = *byte;
            }
        }
        Edit::Number(line, at, number) => {
            let line = &mut lines[line.index(count)];
            let starts: Vec<_> = (1..line.len())
                .filter(|at| line[*at].is_ascii_digit() && line[at - 1] == b':')
                .collect();
            if !starts.is_empty() {
                let start = starts[at.index(starts.len())];
                let digits = line[start..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit());
                let end = start + digits.count();
                line.splice(start..end, number.to_string().into_bytes());
            }
        }
        Edit::Cut(line, at) => {
            let line = &mut lines[line.index(count)];
            let at = at.index(line.len() + 1);
            line.truncate(at);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn whatever_is_believed_is_what_the_ledger_says(
        which in 0usize..4, edits in prop::collection::vec(edits(), 1..4),
    ) {
        let Sound { bundles, truth } = sound();
        let lines = bundles[which].lines().map(|line| line.as_bytes().to_vec());
        let mut lines: Vec<_> = lines.collect();
        edits.iter().for_each(|change| edit(&mut lines, change));
        let mut bundle = lines.join(&b'\n');
        bundle.push(b'\n');
        let mut told = BTreeMap::new();
        match check(&bundle, &mut told) {
            Ok(report) => {
                prop_assert_eq!(report.opened, told.len() as u64);
                for (position, event) in &told {
                    prop_assert_eq!(truth.get(position), Some(event));
                }
                // Nothing is left out: every event of the streams is there, with its text or without.
                let (whole, plain) = (check(bundles[which].as_bytes(), &mut BTreeMap::new()), report);
                let whole = whole.unwrap();
                if plain.scope == whole.scope {
                    prop_assert_eq!(plain.events, whole.events);
                    prop_assert_eq!(plain.streams, whole.streams);
                    prop_assert_eq!(plain.checkpoint, whole.checkpoint);
                }
            }
            Err(fault) => {
                let lines = bundle.split(|byte| *byte == b'\n').count() as u64;
                prop_assert!((1..=lines).contains(&fault.line));
                prop_assert!(!fault.fault.kind.code().is_empty());
                prop_assert!(!fault.fault.what.is_empty());
            }
        }
    }
}
