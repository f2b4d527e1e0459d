//! When an import stops before anything is written: it would end or rename an unusual share.

use std::fmt;

use super::{Foresight, Share};

/// Below this number nothing is an unusual share.
const FEW: u64 = 20;
/// The share of people whose names may change, in percent.
const NAMES_PERCENT: u64 = 10;
/// In a small school this many changed names or ended roles are unusual, if they are more than half.
const FEW_PEOPLE: u64 = 3;

const ROLES: &str = "roles";

/// What an import may do without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How much of each kind may end, in percent.
    pub removal_percent: u64,
    /// Whether more may end.
    pub accept_removals: bool,
    /// Whether the names of more people may change.
    pub accept_names: bool,
    /// Of the institutions of a source that is new, those that the ledger has from others.
    pub met: Share,
    /// The export holds everything, and not changes only.
    pub is_whole: bool,
    /// The export has no person, because `users.csv` holds none.
    pub no_users: bool,
    /// The export has no class.
    pub no_classes: bool,
    /// The export has no enrolment.
    pub no_enrolments: bool,
}

/// Why an import stops, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HaltCode {
    /// It would end an unusual share.
    Removals,
    /// It would end something because a table is empty.
    EmptyTable,
    /// It would change the names of an unusual share.
    Names,
    /// Its source is new, and another one has brought its institutions.
    NewSource,
}

impl HaltCode {
    /// The code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Removals => "REMOVALS_UNUSUAL",
            Self::EmptyTable => "TABLE_EMPTY",
            Self::Names => "NAMES_UNUSUAL",
            Self::NewSource => "SOURCE_NEW",
        }
    }
}

/// One reason to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halt {
    /// Why.
    pub code: HaltCode,
    /// What would end or change: "enrolments".
    pub kind: &'static str,
    /// How many would, of how many.
    pub share: Share,
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Share { ending, of } = self.share;
        let kind = self.kind;
        let percent = (ending * 100).checked_div(of).unwrap_or(100);
        match self.code {
            HaltCode::Removals if kind == ROLES => write!(
                f,
                "it would end {ending} of {of} {kind} ({percent} %) at institutions that are not in \
                 the export: their ids may be new; if the export is whole, go on with \
                 --accept-removals"
            ),
            HaltCode::Removals => write!(
                f,
                "it would end {ending} of {of} {kind} ({percent} %); if the export is whole, go on \
                 with --accept-removals"
            ),
            HaltCode::EmptyTable => write!(
                f,
                "the export holds no {}, and it would end {ending} of {of} {kind}; export again, or \
                 go on with --accept-removals",
                match kind {
                    "persons" | "guardianships" => "user",
                    "classes" => "class",
                    _ => "enrolment",
                }
            ),
            HaltCode::NewSource => write!(
                f,
                "the source is new, and the ledger has {ending} of its {of} {kind} from another source: \
                 everybody would be there twice; name the source as before with --source, or go on \
                 with --new-source if it is another system"
            ),
            HaltCode::Names => write!(
                f,
                "it would change the names of {ending} of {of} {kind} ({percent} %); this may be \
                 another source: give it a name of its own with --source, after an import of the one \
                 that filled the ledger if no source has a name yet; or go on with --accept-names"
            ),
        }
    }
}

/// Why an import with this outcome should stop before anything is written. Empty if it may go on.
pub fn halts(foresight: &Foresight, bounds: &Bounds) -> Vec<Halt> {
    let mut halts = Vec::new();
    if bounds.met.ending > 0 {
        halts.push(Halt {
            code: HaltCode::NewSource,
            kind: "institutions",
            share: bounds.met,
        });
    }
    let kinds = [
        ("persons", foresight.persons, bounds.no_users),
        ("classes", foresight.classes, bounds.no_classes),
        (
            "enrolments",
            foresight.enrolments,
            bounds.no_enrolments || bounds.no_classes,
        ),
        ("guardianships", foresight.guardianships, bounds.no_users),
    ];
    for (kind, share, is_empty) in kinds {
        let code = match () {
            () if bounds.accept_removals => None,
            () if is_empty && share.ending > 0 => Some(HaltCode::EmptyTable),
            () if is_unusual(share, bounds.removal_percent) => Some(HaltCode::Removals),
            () => None,
        };
        halts.extend(code.map(|code| Halt { code, kind, share }));
    }
    let roles = foresight.roles;
    let is_odd = is_unusual(roles, bounds.removal_percent) || is_most_of_a_small_school(roles);
    // An export of changes need not name every institution.
    if bounds.is_whole && !bounds.accept_removals && is_odd {
        halts.push(Halt {
            code: HaltCode::Removals,
            kind: ROLES,
            share: roles,
        });
    }
    let schools = foresight.institutions;
    if !bounds.accept_names && schools.ending * 2 > schools.of {
        halts.push(Halt {
            code: HaltCode::Names,
            kind: "institutions",
            share: schools,
        });
    }
    let names = foresight.names;
    let is_odd = is_unusual(names, NAMES_PERCENT) || is_most_of_a_small_school(names);
    if !bounds.accept_names && is_odd {
        halts.push(Halt {
            code: HaltCode::Names,
            kind: "persons",
            share: names,
        });
    }
    halts
}

fn is_unusual(share: Share, percent: u64) -> bool {
    share.ending >= FEW && share.ending * 100 > share.of * percent
}

fn is_most_of_a_small_school(share: Share) -> bool {
    share.ending >= FEW_PEOPLE && share.ending * 2 > share.of
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        removal_percent: 10,
        accept_removals: false,
        accept_names: false,
        met: Share { ending: 0, of: 0 },
        is_whole: true,
        no_users: false,
        no_classes: false,
        no_enrolments: false,
    };

    fn codes(foresight: &Foresight, bounds: &Bounds) -> Vec<&'static str> {
        let halts = halts(foresight, bounds).into_iter();
        halts.map(|halt| halt.code.code()).collect()
    }

    #[test]
    fn more_than_the_limit_and_at_least_twenty_stop_the_import() {
        let ends = |ending, of| Foresight {
            enrolments: Share { ending, of },
            ..Foresight::default()
        };
        for (ending, of, stops) in [
            (19, 19, false),
            (20, 199, true),
            (20, 200, false),
            (21, 200, true),
            (0, 0, false),
        ] {
            let halts = codes(&ends(ending, of), &BOUNDS);
            assert_eq!(!halts.is_empty(), stops, "{ending} of {of}");
        }
        let accepted = Bounds {
            accept_removals: true,
            ..BOUNDS
        };
        assert!(codes(&ends(200, 200), &accepted).is_empty());
        let wider = Bounds {
            removal_percent: 50,
            ..BOUNDS
        };
        assert!(codes(&ends(100, 200), &wider).is_empty());
    }

    #[test]
    fn an_empty_table_stops_the_import_as_soon_as_one_thing_would_end() {
        let one = Foresight {
            enrolments: Share { ending: 1, of: 9 },
            ..Foresight::default()
        };
        let empty = Bounds {
            no_enrolments: true,
            ..BOUNDS
        };
        assert_eq!(codes(&one, &empty), ["TABLE_EMPTY"]);
        assert!(codes(&one, &BOUNDS).is_empty());
        assert!(codes(&Foresight::default(), &empty).is_empty());
    }

    #[test]
    fn roles_that_end_at_institutions_that_are_gone_stop_a_whole_export_only() {
        for (ending, of, stops) in [
            (2, 2, false),
            (3, 5, true),
            (3, 6, false),
            (20, 100, true),
            (20, 200, false),
        ] {
            let moved = Foresight {
                roles: Share { ending, of },
                ..Foresight::default()
            };
            let of_changes = Bounds {
                is_whole: false,
                ..BOUNDS
            };
            let halts = codes(&moved, &BOUNDS);
            assert_eq!(!halts.is_empty(), stops, "{ending} of {of}");
            assert!(codes(&moved, &of_changes).is_empty(), "{ending} of {of}");
        }
    }

    #[test]
    fn institutions_that_another_source_has_brought_stop_a_new_source() {
        let met = Bounds {
            met: Share { ending: 1, of: 9 },
            ..BOUNDS
        };
        assert_eq!(codes(&Foresight::default(), &met), ["SOURCE_NEW"]);
    }

    #[test]
    fn unusually_many_new_names_stop_the_import_and_few_in_a_small_school_do_too() {
        let named = |ending, of| Foresight {
            names: Share { ending, of },
            ..Foresight::default()
        };
        for (ending, of, stops) in [
            (2, 2, false),
            (3, 5, true),
            (3, 6, false),
            (19, 100, false),
            (20, 100, true),
            (20, 200, false),
        ] {
            let halts = codes(&named(ending, of), &BOUNDS);
            assert_eq!(!halts.is_empty(), stops, "{ending} of {of}");
        }
        for (ending, of, stops) in [(1, 2, false), (2, 2, true), (1, 1, true), (0, 0, false)] {
            let renamed = Foresight {
                institutions: Share { ending, of },
                ..Foresight::default()
            };
            let halts = codes(&renamed, &BOUNDS);
            assert_eq!(!halts.is_empty(), stops, "{ending} of {of} institutions");
        }
        let accepted = Bounds {
            accept_names: true,
            ..BOUNDS
        };
        assert!(codes(&named(9, 9), &accepted).is_empty());
    }
}
