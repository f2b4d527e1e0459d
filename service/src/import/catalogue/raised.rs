//! Raised, lowered and stacked parts of a statement, written on one line so that they keep their meaning:
//! `x<sup>n+1</sup>` becomes `x^(n+1)`, and the fraction of MathML `a/b`.

/// Elements that are followed, because they are written in another way or are parts of such.
const FOLLOWED: &[&str] = &[
    "sup",
    "sub",
    "msup",
    "msub",
    "msubsup",
    "mover",
    "munder",
    "munderover",
    "mfrac",
    "msqrt",
    "mroot",
    "mfenced",
    "mtable",
    "mtr",
    "mtd",
    "mi",
    "mn",
    "mo",
    "ms",
    "mrow",
    "mtext",
    "mstyle",
    "mpadded",
    "menclose",
    "semantics",
];
/// Most elements within each other that are followed, so that a rewriting costs no more than this many
/// times the text.
const DEEPEST: usize = 32;

/// An element that has begun.
struct Open {
    name: String,
    /// What stands before and after its content, and between its parts, if it says so itself.
    fence: Option<[String; 3]>,
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
    pub(super) fn open(&mut self, name: &str, attributes: &str, text: &mut String) {
        match name {
            // "x2" would be another number.
            "sup" => text.push('^'),
            "sub" => text.push('_'),
            _ => {}
        }
        if FOLLOWED.contains(&name) && self.0.len() < DEEPEST {
            self.0.push(Open {
                name: name.to_owned(),
                fence: (name == "mfenced").then(|| fence(attributes)),
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
        // Those within it that have no end of their own end here.
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
        let whole = || text.get(self.start..);
        match self.name.as_str() {
            "sup" | "sub" => Some(together(whole()?)),
            "msqrt" => Some(format!("√{}", together(whole()?))),
            "mfrac" => self.joined(text, ["/"]),
            "msup" => self.joined(text, ["^"]),
            "msub" | "munder" => self.joined(text, ["_"]),
            "msubsup" | "munderover" => self.joined(text, ["_", "^"]),
            "mover" => self.over(text),
            "mroot" => {
                let [base, index] = self.parts(text)?;
                Some(format!("{}^(1/{})", together(base), together(index)))
            }
            "mfenced" => {
                let [open, close, between] = self.fence.as_ref()?;
                let listed = self.listed(text, between)?;
                Some(format!("{open}{listed}{close}"))
            }
            "mtable" => Some(format!("[{}]", self.listed(text, "; ")?)),
            "mtr" => self.listed(text, ", "),
            _ => None,
        }
    }

    /// Its parts, if there are as many.
    fn parts<'t, const N: usize>(&self, text: &'t str) -> Option<[&'t str; N]> {
        self.all_parts(text).try_into().ok()
    }

    fn all_parts<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut from = self.start;
        let parts = self.ends.iter().filter_map(|end| {
            let part = text.get(from..*end);
            from = *end;
            part
        });
        parts.collect()
    }

    /// Its parts with these signs between them.
    fn joined<const N: usize>(&self, text: &str, signs: [&str; N]) -> Option<String> {
        let parts = self.all_parts(text);
        if parts.len() != N + 1 {
            return None;
        }
        let mut parts = parts.into_iter();
        let mut written = together(parts.next()?);
        for (sign, part) in signs.into_iter().zip(parts) {
            written.push_str(sign);
            written.push_str(&together(part));
        }
        Some(written)
    }

    /// What has something above it: a sign such as a bar or an arrow, or a bound.
    fn over(&self, text: &str) -> Option<String> {
        let [base, above] = self.parts(text)?;
        let mut sign = above.trim().chars();
        match (sign.next(), sign.next()) {
            (Some(sign), None) if !sign.is_alphanumeric() => {
                Some(format!("{}{sign}", together(base)))
            }
            _ => self.joined(text, ["^"]),
        }
    }

    /// Its parts one after the other. `None` if it has none that is known.
    fn listed(&self, text: &str, between: &str) -> Option<String> {
        let parts = self.all_parts(text);
        let parts: Vec<&str> = parts.into_iter().map(str::trim).collect();
        (!parts.is_empty()).then(|| parts.join(between))
    }
}

/// What stands before, after and between the parts of `mfenced`.
fn fence(attributes: &str) -> [String; 3] {
    /// The longest of these that is taken.
    const LONGEST: usize = 4;
    let said = |name: &str, else_is: &str| {
        let said = value(attributes, name).filter(|said| said.len() <= LONGEST);
        said.unwrap_or(else_is).to_owned()
    };
    let mut between = said("separators", ",").trim().to_owned();
    between.push(' ');
    [said("open", "("), said("close", ")"), between]
}

/// The value of an attribute in quotation marks.
fn value<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut words = attributes.split_whitespace();
    let value = words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = value.strip_prefix(quote)?;
    value.split(quote).next()
}

/// Several signs in parentheses, so that they stay together.
fn together(part: &str) -> String {
    let part = part.trim();
    match part.chars().all(char::is_alphanumeric) || part.chars().count() == 1 {
        true => part.to_owned(),
        false => format!("({part})"),
    }
}
