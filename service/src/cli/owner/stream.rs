//! A stream, `team/UUID`, as people read it.

/// A kind as people read it: "year plan" for "year_plan/…".
pub(super) fn kind(stream: &str) -> String {
    let (kind, _) = stream.split_once('/').unwrap_or((stream, ""));
    kind.replace('_', " ")
}

/// The id in a stream.
pub(super) fn id(stream: &str) -> &str {
    stream.split_once('/').map_or(stream, |(_, id)| id)
}
