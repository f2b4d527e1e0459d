//! Raised, lowered and stacked parts of a statement, written on one line so that they keep their meaning:
//! `x<sup>n+1</sup>` becomes `x^(n+1)`, and the fraction of MathML `a/b`.

/// Elements that are followed. Only the first six change the text; the others are parts of them.
const FOLLOWED: &[&str] = &[
    "sup", "sub", "msup", "msub", "mfrac", "msqrt", "mi", "mn", "mo", "mrow", "mtext",
];
/// Most elements within each other that are followed, so that a rewriting costs no more than this many
/// times the text.
const DEEPEST: usize = 32;

/// An element that has begun.
struct Open {
    name: String,
    /// Where its content begins in the text.
    start: usize,
    /// Where each part of it ends.
    ends: Vec<usize>,
}

/// The elements that have begun and not ended.
#[derive(Default)]
pub(super) struct Raised(Vec<Open>);

impl Raised {
    /// An element begins at the end of the text.
    pub(super) fn open(&mut self, name: &str, text: &mut String) {
        match name {
            // "x2" would be another number.
            "sup" => text.push('^'),
            "sub" => text.push('_'),
            _ => {}
        }
        if FOLLOWED.contains(&name) && self.0.len() < DEEPEST {
            self.0.push(Open {
                name: name.to_owned(),
                start: text.len(),
                ends: Vec::new(),
            });
        }
    }

    /// An element ends at the end of the text.
    pub(super) fn close(&mut self, name: &str, text: &mut String) {
        let Some(at) = self.0.iter().rposition(|open| open.name == name) else {
            return;
        };
        let Some(open) = self.0.drain(at..).next() else {
            return;
        };
        if let Some(written) = open.written(text) {
            text.truncate(open.start);
            text.push_str(&written);
        }
        if let Some(outer) = self.0.last_mut() {
            outer.ends.push(text.len());
        }
    }
}

impl Open {
    /// Its content on one line; `None` if it stays as it is.
    fn written(&self, text: &str) -> Option<String> {
        let sign = match self.name.as_str() {
            "sup" | "sub" => return Some(together(text.get(self.start..)?)),
            "msqrt" => return Some(format!("√{}", together(text.get(self.start..)?))),
            "mfrac" => '/',
            "msup" => '^',
            "msub" => '_',
            _ => return None,
        };
        let [first, _] = self.ends.as_slice() else {
            return None;
        };
        let first_part = together(text.get(self.start..*first)?);
        let second_part = together(text.get(*first..)?);
        Some(format!("{first_part}{sign}{second_part}"))
    }
}

/// Several signs in parentheses, so that they stay together.
fn together(part: &str) -> String {
    let part = part.trim();
    match part.chars().all(char::is_alphanumeric) || part.chars().count() == 1 {
        true => part.to_owned(),
        false => format!("({part})"),
    }
}
