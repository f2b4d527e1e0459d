//! Prints the parts of a stream's name, such as `team/UUID`, for people.

/// A stream's kind in plain words: "year plan" for "year_plan/…".
pub(super) fn kind(stream: &str) -> String {
    let (kind, _) = stream.split_once('/').unwrap_or((stream, ""));
    kind.replace('_', " ")
}

/// The id in a stream's name.
pub(super) fn id(stream: &str) -> &str {
    stream.split_once('/').map_or(stream, |(_, id)| id)
}
