//! Finds the tables among the paths of a folder or archive.
//!
//! Programs that make archives put a folder on top, change capital letters, or add `__MACOSX`. The
//! tables may stand in any one folder. If they stand in more than one, nobody knows which are meant.

use std::collections::BTreeMap;

use crate::import::fault::{FaultCode, ImportFault};

/// Where the tables stand.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// The number of each table's path.
    pub(super) tables: Vec<(&'static str, usize)>,
    /// Whether they stand in a folder of their own.
    pub(super) in_folder: bool,
}

/// Finds the tables of these `names`. `whole` is what a fault calls the folder or archive.
pub(super) fn find<'p>(
    paths: impl IntoIterator<Item = &'p str>,
    names: &[&'static str],
    whole: &str,
) -> Result<Places, ImportFault> {
    let mut folders: BTreeMap<&str, Vec<(&'static str, usize)>> = BTreeMap::new();
    for (number, path) in paths.into_iter().enumerate() {
        // Some programs for Windows write paths their own way.
        let start = path.rfind(['/', '\\']).map_or(0, |at| at + 1);
        let (folder, name) = path.split_at(start);
        if is_elsewhere(folder) {
            continue;
        }
        let known = names.iter().find(|known| known.eq_ignore_ascii_case(name));
        if let Some(name) = known {
            folders.entry(folder).or_default().push((*name, number));
        }
    }
    if folders.len() > 1 {
        let fault = ImportFault::new(FaultCode::FoldersSeveral, whole.to_owned());
        return Err(fault);
    }
    let Some((folder, mut tables)) = folders.pop_first() else {
        return Ok(Places::default());
    };
    tables.sort_unstable();
    let mut pairs = tables.iter().zip(tables.iter().skip(1));
    if let Some((twice, _)) = pairs.find(|(one, next)| one.0 == next.0) {
        return Err(ImportFault::new(FaultCode::FileDuplicated, twice.0));
    }
    Ok(Places {
        tables,
        in_folder: !folder.is_empty(),
    })
}

/// Whether a folder is none of the export: what macOS adds, and what leads out of the archive.
fn is_elsewhere(folder: &str) -> bool {
    let starts_outside = folder.starts_with(['/', '\\']) || folder.contains(':');
    let mut parts = folder.split(['/', '\\']);
    starts_outside || parts.any(|part| part == ".." || part.eq_ignore_ascii_case("__MACOSX"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["orgs.csv", "users.csv"];

    fn found(paths: &[&str]) -> Result<(Vec<usize>, bool), FaultCode> {
        let places = find(paths.iter().copied(), NAMES, "the zip file");
        let places = places.map_err(|fault| fault.code)?;
        let numbers = places.tables.into_iter().map(|(_, number)| number);
        Ok((numbers.collect(), places.in_folder))
    }

    #[test]
    fn tables_are_found_at_the_top_or_in_one_folder_in_capital_or_small_letters() {
        let top = Ok((vec![1, 0], false));
        assert_eq!(found(&["users.csv", "orgs.csv"]), top);
        assert_eq!(found(&["Users.CSV", "ORGS.csv", "readme.txt"]), top);
        let folder = Ok((vec![2, 1], true));
        assert_eq!(found(&["e/", "e/users.csv", "e/orgs.csv"]), folder);
        assert_eq!(found(&["a/e/", "a/e/Users.csv", "a/e/orgs.csv"]), folder);
        assert_eq!(found(&["e\\x", "e\\users.csv", "e\\orgs.csv"]), folder);
        assert_eq!(found(&["e/old.csv", "x/notes.txt"]), Ok((vec![], false)));
    }

    #[test]
    fn what_macos_adds_and_what_leads_out_of_the_archive_is_not_looked_at() {
        for other in [
            "__MACOSX/",
            "__MACOSX/e/",
            "../",
            "e/../",
            "/",
            "C:\\",
            "C:/",
        ] {
            let path = format!("{other}users.csv");
            let found = found(&["e/users.csv", "e/._users.csv", "e/orgs.csv", &path]);
            assert_eq!(found, Ok((vec![2, 0], true)), "{other}");
        }
    }

    #[test]
    fn tables_in_two_folders_and_two_of_one_name_are_refused() {
        let several = Err(FaultCode::FoldersSeveral);
        assert_eq!(found(&["users.csv", "old/users.csv"]), several);
        assert_eq!(found(&["a/users.csv", "b/orgs.csv"]), several);
        let twice = Err(FaultCode::FileDuplicated);
        assert_eq!(found(&["e/users.csv", "e/Users.csv"]), twice);
        assert_eq!(found(&["users.csv", "users.csv"]), twice);
    }
}
