//! Many cases, several at a time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

use crate::derived::case::{Care, What, run};
use crate::derived::history::Size;
use crate::derived::reference::{Copies, Reference};
use crate::derived::tally::{Fault, Report, Tally};

/// A case takes a fraction of a second.
const LIMIT: Duration = Duration::from_secs(60);

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

/// Runs so many cases, unless the environment says otherwise, and says how it went.
pub(crate) fn check(
    test: &str,
    cases: u64,
    kinds: Vec<What>,
    reference: Arc<Reference>,
    care: Care,
) {
    let wanted = std::env::var("PLANLEDGER_KIND").unwrap_or_default();
    let (first, cases) = match number("PLANLEDGER_SEED") {
        Some(seed) => (seed, 1),
        None => {
            let mut bytes = [0; 4];
            getrandom::fill(&mut bytes).unwrap();
            let first = number("PLANLEDGER_FIRST").unwrap_or(u32::from_ne_bytes(bytes).into());
            (first, number("PLANLEDGER_CASES").unwrap_or(cases))
        }
    };
    let kind_of = |seed: u64| kinds[seed as usize % kinds.len()];
    let chosen = (first..).filter(|seed| kind_of(*seed).name().contains(&wanted));
    let chosen: Vec<_> = match number("PLANLEDGER_SEED") {
        Some(seed) => vec![seed],
        None => chosen.take(cases as usize).collect(),
    };
    let next = AtomicU64::new(0);
    let tally = Mutex::new(Tally::default());
    let began = Instant::now();
    let threads = match kinds.as_slice() {
        // It starves the whole process.
        [What::Starved] => 1,
        _ => std::thread::available_parallelism().map_or(2, usize::from),
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(seed) = chosen.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    let what = kind_of(*seed);
                    let report = watched(&reference, what, *seed, care);
                    tally.lock().unwrap().add(what.name(), *seed, &report);
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    println!("{tally}");
    let (cases, failed) = (tally.cases(), tally.failed());
    println!("{cases} cases from seed {first} in {:?}", began.elapsed());
    assert!(
        failed == 0,
        "{failed} of {cases} cases failed, see above; one of them alone: \
         PLANLEDGER_SEED=… cargo test -p planledger-core --test core -- --nocapture {test}"
    );
}

/// On a thread of its own, which is left alone if it does not end.
fn watched(reference: &Arc<Reference>, what: What, seed: u64, care: Care) -> Report {
    let (done, outcome) = mpsc::channel();
    let reference = reference.clone();
    let thread = std::thread::Builder::new().name(format!("case-{seed}"));
    let thread = thread.spawn(move || {
        // Nobody waits any more if it took too long.
        let _ = done.send(run(&reference, what, seed, care));
    });
    let mut report = Report::default();
    match outcome.recv_timeout(LIMIT) {
        Ok(found) => report = found,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            report.fault(Fault::Hung, format!("no end after {LIMIT:?}"));
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let panic = thread.unwrap().join().unwrap_err();
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            report.fault(Fault::Panicked, said.unwrap_or_default());
        }
    }
    report
}

/// The one reference of all tests here.
pub(crate) fn reference() -> Arc<Reference> {
    static REFERENCE: OnceLock<Arc<Reference>> = OnceLock::new();
    let run = || {
        let size = Size {
            students: 12,
            classes: 3,
            days: 3,
            edits: 30,
            of_one_plan: 36,
            longest: 30,
        };
        let copies = Copies {
            every: 6,
            close: 2,
            wait: 5,
        };
        Arc::new(Reference::run(size, copies))
    };
    REFERENCE.get_or_init(run).clone()
}

#[test]
fn whatever_derived_state_says_receipts_revisions_and_answers_stay_the_same() {
    let care = Care {
        verify_one_in: 8,
        past: 2,
        points_on: 6,
        again_one_in: 1,
        asked_one_in: 2,
    };
    check(
        "whatever_derived_state",
        400,
        What::all(),
        reference(),
        care,
    );
}
