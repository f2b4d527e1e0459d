//! How the values of grants are printed.

use planledger_proto::v1::{AccessPurpose, AccessRole, Actor, GrantScope, actor, grant_scope};

/// The name of an enum value of the API, without what all of them have in front.
pub(super) fn role_name(role: AccessRole) -> String {
    let name = role.as_str_name();
    let name = name.strip_prefix("ACCESS_ROLE_").unwrap_or(name);
    name.to_ascii_lowercase()
}

pub(super) fn purpose_name(purpose: AccessPurpose) -> String {
    let name = purpose.as_str_name();
    let name = name.strip_prefix("ACCESS_PURPOSE_").unwrap_or(name);
    name.to_ascii_lowercase()
}

pub(super) fn actor_name(actor: Option<&Actor>) -> String {
    match actor.and_then(|actor| actor.actor.as_ref()) {
        Some(actor::Actor::PersonId(id)) => format!("person/{id}"),
        Some(actor::Actor::SystemId(id)) => format!("system/{id}"),
        None => "-".to_owned(),
    }
}

pub(super) fn scope_name(scope: Option<&GrantScope>) -> String {
    match scope.and_then(|scope| scope.scope.as_ref()) {
        Some(grant_scope::Scope::Municipality(_)) => "municipality".to_owned(),
        Some(grant_scope::Scope::InstitutionId(id)) => format!("institution/{id}"),
        Some(grant_scope::Scope::TeamId(id)) => format!("team/{id}"),
        Some(grant_scope::Scope::StudentId(id)) => format!("student/{id}"),
        None => "-".to_owned(),
    }
}

/// The first row of a table.
pub(super) fn heads(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
