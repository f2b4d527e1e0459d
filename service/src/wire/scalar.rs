//! Scalars: texts that may be left out, and counts.

/// Anything that may be left out, printed.
pub(super) fn string<T: ToString>(value: Option<&T>) -> Option<String> {
    value.map(ToString::to_string)
}

/// How many, as far as the API counts.
pub(super) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
