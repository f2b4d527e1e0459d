//! No bytes bring the reader of STIL's exports down, whatever passes its check imports whole, and reading
//! is repeatable.

use planledger::import::Roster;

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 24);

pub(crate) fn check(bytes: &[u8]) {
    match (
        Roster::from_stil(bytes, TODAY),
        Roster::from_stil(bytes, TODAY),
    ) {
        (Ok(mut first), Ok(mut second)) => {
            let commands = first.commands().map(|item| item.expect("it passed the check"));
            let commands: Vec<_> = commands.collect();
            assert_eq!(commands.len() as u64, first.summary().commands);
            let again = second.commands().map(|item| item.expect("as before"));
            assert_eq!(commands, again.collect::<Vec<_>>());
            assert_eq!(first.passed_over(), second.passed_over());
        }
        (first, second) => {
            let (first, second) = (first.err(), second.err());
            assert!(first.is_some() && first == second);
        }
    }
}
