//! Finds LaTeX formulas in statements.

/// The LaTeX formula that begins here, and what comes after. In a formula `<` means less than: in
/// `$a<b>c$` there is no tag. A dollar sign opens a formula, not a price, if no space follows it, and the one
/// that closes it comes on the same line, after no space and before no digit.
pub(super) fn formula(from: &str) -> Option<(&str, &str)> {
    // Longer formulas than this are none: so that openings without an end cost no more than their length.
    const LONGEST: usize = 2_000;
    let (open, close) = FORMULAS.iter().find(|(open, _)| from.starts_with(open))?;
    let inner = from.get(open.len()..)?;
    let mut window = inner.len().min(LONGEST);
    while !inner.is_char_boundary(window) {
        window -= 1;
    }
    let length = inner.get(..window)?.find(close)?;
    let (words, behind) = inner.split_at(length);
    let behind = behind.get(close.len()..)?;
    if *open == "$" {
        let spaced = words.starts_with(char::is_whitespace) || words.ends_with(char::is_whitespace);
        let price = behind.starts_with(|c: char| c.is_ascii_digit());
        if words.is_empty() || spaced || price || words.contains('\n') {
            return None;
        }
    }
    Some((from.get(..from.len() - behind.len())?, behind))
}

/// How LaTeX formulas begin and end.
const FORMULAS: &[(&str, &str)] = &[("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")];
