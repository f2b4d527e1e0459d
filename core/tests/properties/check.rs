//! Running a property, with a seed that shows a failure again.

use std::fmt::Debug;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseResult, TestRunner};

/// Tries a property on so many cases, unless `PROPTEST_CASES` says otherwise.
pub(crate) fn check<S>(cases: u32, strategy: &S, property: impl Fn(S::Value) -> TestCaseResult)
where
    S: Strategy<Value: Debug>,
{
    let mut config = Config {
        failure_persistence: None,
        max_shrink_iters: 400,
        max_shrink_time: 60_000,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).unwrap();
            u64::from_ne_bytes(bytes)
        }
    };
    config.rng_seed = RngSeed::Fixed(seed);
    if let Err(error) = TestRunner::new(config).run(strategy, property) {
        panic!("{error}\nTo see it again: PROPTEST_RNG_SEED={seed}");
    }
}

#[test]
#[should_panic(expected = "To see it again: PROPTEST_RNG_SEED=")]
fn a_failure_names_the_seed_that_shows_it_again() {
    check(50, &(0..1_000_u32), |number| {
        proptest::prop_assert!(number < 500);
        Ok(())
    });
}
