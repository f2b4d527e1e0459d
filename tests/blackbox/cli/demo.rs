//! `planledger demo`.

use crate::support::*;

#[test]
fn the_demonstration_keeps_every_promise_that_it_shows_and_leaves_a_sound_ledger() {
    let home = Home::new();
    let dir = home.path().to_str().unwrap();
    let ran = run(["demo", "--dir", dir]).done();
    assert!(ran.stdout.contains("promises held"), "{}", ran.stdout);
    assert!(!ran.stdout.contains('✗'), "{}", ran.stdout);
    run(["ledger", "verify", "--dir", dir]).done();
    // It needs a fresh directory, and says so.
    let again = run(["demo", "--dir", dir]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(2), ""));
    assert!(again.stderr.contains(dir), "{}", again.stderr);
}
