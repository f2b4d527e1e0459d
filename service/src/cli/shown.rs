//! Shows text that people wrote as text. What comes from a ledger, a server or a file may hold
//! characters that a terminal obeys, that turn the direction of what follows, or that nobody sees.
//! They are shown by their numbers: `\u{202e}`. Everything that the command line prints goes through
//! here, because only [`output`](super::output) prints.
//!
//! A text of several lines is printed as [`Lines`], which whoever makes the output builds line by line.
//! So a new line in a comment cannot look like another line of a table or a timeline.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

/// Whether a character is shown by its number. Joiners are not among them, because names are spelt
/// with them, nor are selectors of emoji.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A text on one line, with all that is hidden in it shown.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |c| match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        c => format!("\\u{{{:x}}}", u32::from(c)),
    })
}

/// The most characters of a line of a message.
const MOST_LINE: usize = 2_000;

/// A text of somebody who may lie, among the sentences of a report: on one line, at most `most`
/// characters, and without the marks that the report puts before what it has checked. A line that is
/// too long for a terminal goes on at the beginning of the next one, and could look like the report.
pub(super) fn foreign(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (count, c) in text.chars().enumerate() {
        if count >= most {
            let more = text.chars().count() - most;
            shown.push_str(&format!("… ({more} more characters)"));
            break;
        }
        match c {
            '✓' | '✗' => shown.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => shown.push_str(&one_line(c.encode_utf8(&mut [0; 4]))),
        }
    }
    shown
}

/// A message of several lines. Those after the first are indented, so that none of them looks like a
/// message of its own.
pub(super) fn message(text: &str) -> String {
    let mut shown = String::new();
    for (index, line) in text.trim_end().lines().enumerate() {
        match (index, line.starts_with("  ")) {
            (0, _) => {}
            (_, true) => shown.push('\n'),
            (_, false) => shown.push_str("\n  "),
        }
        match line.char_indices().nth(MOST_LINE) {
            Some((end, _)) => {
                shown.push_str(&one_line(line.get(..end).unwrap_or_default()));
                shown.push('…');
            }
            None => shown.push_str(&one_line(line)),
        }
    }
    shown
}

/// JSON in which what is hidden stands as JSON writes it: `\u202e`. It says the same as before. Outside
/// of its texts it holds nothing hidden but line feeds, which stay.
pub(super) fn json(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| c != '\n' && is_hidden(c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut units = [0; 2];
    for c in text.chars() {
        match c != '\n' && is_hidden(c) {
            false => shown.push(c),
            true => {
                for unit in c.encode_utf16(&mut units) {
                    // Writing to a string does not fail.
                    let _ = write!(shown, "\\u{unit:04x}");
                }
            }
        }
    }
    Cow::Owned(shown)
}

fn escaped(text: &str, escape: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_hidden(c) {
            true => shown.push_str(&escape(c)),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Several lines to print.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<String>);

impl Lines {
    /// Adds a line. New lines in it are shown as what they are.
    pub(super) fn push(&mut self, line: impl Display) {
        self.0.push(line.to_string());
    }

    /// Adds each line of a text that somebody wrote, with something before it that tells them from all
    /// other lines.
    pub(super) fn quote(&mut self, before: &str, text: &str) {
        for line in text.lines() {
            self.push(format_args!("{before}{line}"));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_or_nobody_sees_is_shown_by_its_number() {
        assert_eq!(one_line("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(one_line("a\u{9b}31mb\u{7f}"), "a\\u{9b}31mb\\u{7f}");
        assert_eq!(
            one_line("\u{202e}nesnaH\u{2066}"),
            "\\u{202e}nesnaH\\u{2066}"
        );
        assert_eq!(one_line("a\u{200b}b\u{e0041}"), "a\\u{200b}b\\u{e0041}");
        assert_eq!(
            one_line("one\ntwo\r\tthree\u{2028}"),
            "one\\ntwo\\r\\tthree\\u{2028}"
        );
    }

    #[test]
    fn what_people_read_stays_as_it_is() {
        for text in [
            "Åse Ærø",
            "علی\u{200c}رضا",
            "👩\u{200d}🏫",
            "❤\u{fe0f}",
            "a – b “c”",
        ] {
            assert!(matches!(one_line(text), Cow::Borrowed(shown) if shown == text));
        }
    }

    #[test]
    fn a_message_cannot_look_like_two() {
        let shown = message("not accepted\nerror: all is lost\n  field: too long\n");
        assert_eq!(
            shown,
            "not accepted\n  error: all is lost\n  field: too long"
        );
    }

    #[test]
    fn a_line_of_a_message_is_bounded() {
        let shown = message(&format!("{}\nnext", "a".repeat(5_000)));
        assert_eq!(shown, format!("{}…\n  next", "a".repeat(MOST_LINE)));
    }

    #[test]
    fn what_somebody_else_wrote_cannot_imitate_a_report() {
        let text = "x\n  ✓ witness w\r\u{202e}✗\u{1b}[1A";
        assert_eq!(
            foreign(text, 100),
            "x\\n  \\u{2713} witness w\\r\\u{202e}\\u{2717}\\u{1b}[1A"
        );
        assert_eq!(foreign(&"æ".repeat(7), 7), "æ".repeat(7));
        assert_eq!(foreign("æøåæøå", 4), "æøåæ… (2 more characters)");
    }

    #[test]
    fn json_says_the_same_as_before() {
        let before = serde_json::json!({ "name": "a\u{202e}b\u{e0041}\u{9b}c" });
        let shown = serde_json::to_string_pretty(&before).unwrap();
        let shown = json(&shown);
        assert!(!shown.contains(|c| c != '\n' && is_hidden(c)), "{shown}");
        assert!(shown.contains("\\u202e"), "{shown}");
        let after: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(after, before);
    }
}
