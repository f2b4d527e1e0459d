//! The program on a ledger that an earlier version wrote, without a start of a server in between: it checks it, says
//! that nothing is wrong, and backs it up; then a server starts on it. `core/tests/upgrade` has every version.

use planledger_fixtures::earlier;

use super::damaged::{examine, private};
use crate::support::*;

#[test]
fn a_ledger_of_an_earlier_version_is_checked_examined_and_backed_up_before_its_first_start() {
    for earlier in [earlier::WITHOUT_REGISTER, earlier::REGISTER_9] {
        let home = Home::new();
        earlier.unpack(home.path());
        private(home.path());
        let dir = home.path().to_str().unwrap();
        let ran = run(["ledger", "verify", "--dir", dir]).done();
        assert!(ran.stderr.contains("no fault was found"), "{}", ran.stderr);
        let found = examine(&home, Some(0));
        assert!(
            found.values().all(|it| it["weight"] == "note"),
            "{found:#?}"
        );
        let place = tempfile::tempdir().unwrap();
        let to = place.path().join("backups");
        let (to, keys) = (to.to_str().unwrap(), place.path().join("keys"));
        let keys = keys.to_str().unwrap();
        run(["backup", "create", to, "--keys-to", keys, "--dir", dir]).done();
        run(["backup", "verify", to, "--keys-from", keys]).done();
        Serving::start(home.path()).stop();
        run(["ledger", "verify", "--dir", dir]).done();
    }
}
