//! The overview of a whole city: 38,000 students in 76 schools, three plans each, after 100 days of
//! work on them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use criterion::Criterion;
use planledger::system::SystemClock;
use planledger_benches::place;
use planledger_benches::school::School;
use planledger_core::domain::school_year::SchoolYear;
use planledger_core::ledger::{Ledger, Options};
use planledger_core::overview::{By, OverviewQuery};
use planledger_core::time::Clock;

const STUDENTS: u64 = 38_000;
const DAYS: u64 = 100;
const A_DAY: u64 = 2_000;
const NANOS_OF_A_DAY: u64 = 86_400_000_000_000;

/// A city, and a ledger whose clock is some days ahead.
fn founded() -> (tempfile::TempDir, School, Ledger, u64) {
    let dir = tempfile::tempdir().unwrap();
    let days = Arc::new(AtomicU64::new(0));
    let passed = days.clone();
    let options = Options {
        clock: Arc::new(move || {
            let ahead = passed.load(Ordering::Relaxed) * NANOS_OF_A_DAY;
            SystemClock.now().plus(ahead)
        }),
        ..place::options(dir.path()).unwrap()
    };
    let ledger = Ledger::open(options).unwrap();
    let school = School::new(1, STUDENTS);
    let mut number = 0;
    let mut carry_out = |commands: Vec<_>| {
        let many = commands.len() as u64;
        place::carry_out(&ledger, &school, number, commands.into_iter().map(Ok)).unwrap();
        number += many;
    };
    carry_out(school.foundation().unwrap());
    for nth in 1..=2 {
        carry_out(school.another_plan(nth).unwrap());
    }
    for day in 0..DAYS {
        days.store(day, Ordering::Relaxed);
        let work = day * A_DAY..(day + 1) * A_DAY;
        carry_out(work.map(|number| school.work(number).unwrap()).collect());
    }
    ledger.settle();
    (dir, school, ledger, DAYS)
}

fn ask(ledger: &Ledger, school: &School, by: By, days_ago: i64) -> OverviewQuery {
    let (year, institutions) = school.places();
    let now = planledger_core::overview::Day::of(ledger.now()).to_string();
    let today: jiff::civil::Date = now.parse().unwrap();
    let state = SchoolYear {
        title: "2026/27".parse().unwrap(),
        first_day: jiff::civil::date(2026, 8, 1),
        last_day: jiff::civil::date(2027, 7, 31),
    };
    OverviewQuery {
        institutions,
        school_year: (year, state),
        by,
        day: today - jiff::Span::new().days(days_ago),
        untouched_months: Some(3),
        rules: None,
    }
}

pub(crate) fn city(criterion: &mut Criterion) {
    let (_dir, school, ledger, days) = founded();
    let mut group = criterion.benchmark_group("overview of a city");
    group.sample_size(20);
    for (name, by) in [
        ("by institution", By::Institution),
        ("by grade", By::Grade),
        ("by team", By::Team),
    ] {
        for (when, days_ago) in [("now", 0), ("half way back", days as i64 / 2)] {
            let ask = ask(&ledger, &school, by, days_ago);
            group.bench_function(format!("{name}, {when}"), |bencher| {
                bencher.iter(|| {
                    let (report, _) = ledger.read(|reading| reading.overview(&ask)).unwrap();
                    assert_eq!(report.total[..2], [STUDENTS, STUDENTS]);
                });
            });
        }
    }
    group.finish();
}
