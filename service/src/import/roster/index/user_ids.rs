//! The ids of a person's account: a user name, an identifier and others.

use planledger_core::domain::person::UserId;
use planledger_core::text::{Code, ExternalId, TextError};

use super::super::reader::layout::Column;
use super::super::reader::row::Row;

/// The user name, the identifier and the other ids of an account, each with its column. OneRoster writes
/// the latter as `{type:id}`. Of an id that may not be stored, why not.
pub(crate) fn user_ids<'r>(
    row: &Row<'r>,
) -> impl Iterator<Item = (Column, Result<UserId, TextError>)> {
    let own = [
        (Column::Username, "username", row.text(Column::Username)),
        (
            Column::Identifier,
            "identifier",
            row.text(Column::Identifier),
        ),
    ];
    let others = row.list(Column::UserIds).map(|text| {
        let text = text.trim_start_matches('{').trim_end_matches('}');
        let (kind, id) = text.split_once(':').unwrap_or(("", text));
        (Column::UserIds, kind, id.trim())
    });
    let all = own.into_iter().chain(others);
    let all = all.filter(|(_, _, id)| !id.is_empty());
    all.map(|(column, kind, id)| {
        let kind = Code::new(kind).ok();
        (column, ExternalId::new(id).map(|id| UserId { kind, id }))
    })
}
