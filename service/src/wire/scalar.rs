//! Writes scalars: texts that may be absent, and counts.

/// Writes the text of a value that may be absent.
pub(super) fn string<T: ToString>(value: Option<&T>) -> Option<String> {
    value.map(ToString::to_string)
}

/// Writes a count. A count that does not fit into 32 bits becomes the largest number that does.
pub(super) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
