//! Characters that nobody sees, and that change how the rest of a text is shown or what it is equal to.
//!
//! They are refused where a text stands on one line among other texts, such as a name in a list: there
//! they could make one person look like another, or hide what is written. What a script needs to be
//! spelt is not among them: joiners (U+200C, U+200D) and marks of direction (U+200E, U+200F, U+061C),
//! and selectors of variants.

/// Whether a text of one line may not hold this character.
pub const fn is_unseen(character: char) -> bool {
    is_direction(character)
        || is_separator(character)
        || is_tag(character)
        || is_without_width(character)
}

/// Spaces without width, hyphens that are shown only at the end of a line, marks of the order of bytes,
/// fillers, and signs that say how a program lays the text out. With them two names can look alike and be
/// different.
const fn is_without_width(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{200b}'
        | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}')
}

/// Embeddings, overrides and isolates of the bidirectional algorithm.
const fn is_direction(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

const fn is_separator(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}')
}

const fn is_tag(character: char) -> bool {
    matches!(character, '\u{e0000}'..='\u{e0fff}')
}

/// What such a character is called: by its number, and by what it does.
pub(super) fn called(character: char) -> String {
    let number = format!("U+{:04X}", u32::from(character));
    match character {
        _ if is_separator(character) => format!("a line break ({number})"),
        _ if is_direction(character) => {
            format!("the invisible character {number}, which changes the direction of what follows")
        }
        _ => format!("the invisible character {number}"),
    }
}
