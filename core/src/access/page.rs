//! Prints the table of who may do what, for `SECURITY.md`.

use std::fmt::Write as _;

use super::{Action, Relation, Role, may};

/// The table as Markdown: a row for each action, with the roles that may do it and the relation that
/// each needs. Roles that need the same relations stand together.
pub fn page() -> String {
    let mut page =
        String::from("| Action | What it is | Who may, in which relation |\n|---|---|---|\n");
    for action in Action::ALL {
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            action.name(),
            action.what(),
            who(*action)
        );
    }
    page
}

fn who(action: Action) -> String {
    let mut groups: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for role in Role::ALL {
        let relations = Relation::ALL.into_iter();
        let relations = relations.filter(|relation| may(role, *relation, action));
        let relations: Vec<_> = relations.map(Relation::name).collect();
        if relations.is_empty() {
            continue;
        }
        match groups.iter_mut().find(|(_, known)| *known == relations) {
            Some((roles, _)) => roles.push(role.name()),
            None => groups.push((vec![role.name()], relations)),
        }
    }
    let groups = groups.into_iter();
    let groups = groups.map(|(roles, relations)| {
        let roles = match roles.len() == Role::ALL.len() {
            true => "everybody".to_owned(),
            false => roles.join(", "),
        };
        format!("{roles}: *{}*", relations.join(", "))
    });
    let groups: Vec<_> = groups.collect();
    match groups.is_empty() {
        true => "nobody".to_owned(),
        false => groups.join("; "),
    }
}
