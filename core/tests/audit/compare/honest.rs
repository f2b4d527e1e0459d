//! An honest ledger never contradicts itself, whatever is kept of it.

use planledger_core::audit::{Disclosure, ExportRequest, Scope};
use planledger_core::ids::Position;
use proptest::prelude::*;

use super::*;
use crate::audit::school::{NotarisedSchool, OTHERS, PLAN, SECOND, STUDENT};

/// What happens, and what somebody keeps of it.
#[derive(Clone, Debug)]
enum Act {
    Write(usize),
    Keep,
    Export {
        scope: usize,
        from: u64,
        to: u64,
        readable: bool,
        since: Option<prop::sample::Index>,
    },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let since = prop::option::of(any::<prop::sample::Index>());
    let act = prop_oneof![
        3 => (0usize..3).prop_map(Act::Write),
        2 => Just(Act::Keep),
        3 => (0usize..5, any::<u64>(), any::<u64>(), any::<bool>(), since).prop_map(
            |(scope, from, to, readable, since)| Act::Export { scope, from, to, readable, since }
        ),
    ];
    prop::collection::vec(act, 4..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_two_pieces_of_an_honest_ledger_contradict_each_other(acts in acts()) {
        let mut school = NotarisedSchool::new();
        let first = school.checkpoint();
        let mut sizes = vec![first.checkpoint.size];
        let mut pieces = vec![first.note.to_string().into_bytes()];
        for act in acts {
            match act {
                Act::Write(plan) => {
                    school.write([PLAN, SECOND, OTHERS][plan], "skriver videre");
                }
                Act::Keep => {
                    let kept = school.checkpoint();
                    sizes.push(kept.checkpoint.size);
                    pieces.push(kept.note.to_string().into_bytes());
                }
                Act::Export { scope, from, to, readable, since } => {
                    let size = school.checkpoint().checkpoint.size;
                    let scope = match scope {
                        0 => Scope::Plan(PLAN),
                        1 => Scope::Plan(OTHERS),
                        2 => Scope::Student(STUDENT),
                        3 => Scope::Range { from: Position::new(1), to: Position::new(size) },
                        _ => {
                            let (from, to) = (from % size + 1, to % size + 1);
                            let (from, to) = (from.min(to), from.max(to));
                            Scope::Range { from: Position::new(from), to: Position::new(to) }
                        }
                    };
                    let disclosure = match readable {
                        true => Disclosure::Events,
                        false => Disclosure::Integrity,
                    };
                    let since = since.map(|since| *since.get(&sizes));
                    let request = ExportRequest { scope, disclosure, since, resume: None };
                    pieces.push(school.export_as(request).into_bytes());
                }
            }
        }
        pieces.push(school.export(Scope::Student(STUDENT)).into_bytes());
        let found = compared(&pieces);
        prop_assert_eq!(kinds(&found), Vec::<&str>::new());
        prop_assert!(found.events > 0 && found.streams > 0 && found.heads > 0);
        // A bundle of everything connects all checkpoints.
        let to = school.checkpoint().checkpoint.position();
        pieces.push(school.export(Scope::Range { from: Position::new(1), to }).into_bytes());
        let found = compared(&pieces);
        prop_assert_eq!(kinds(&found), Vec::<&str>::new());
        prop_assert_eq!(found.unconnected, 0);
    }
}
