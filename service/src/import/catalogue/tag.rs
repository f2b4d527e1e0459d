//! Tags in statements: which there are, and how they are written.

/// Elements that begin a new line.
pub(super) const BLOCKS: &[&str] = &[
    "address",
    "article",
    "blockquote",
    "br",
    "caption",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
];
/// Elements within a line. Other names in angle brackets are taken for words, unless a prefix stands
/// before them, as in `<o:p>`: so programs write what they keep for themselves.
const INLINE: &[&str] = &[
    "a",
    "abbr",
    "b",
    "bdi",
    "bdo",
    "big",
    "cite",
    "code",
    "del",
    "dfn",
    "em",
    "embed",
    "font",
    "i",
    "img",
    "ins",
    "kbd",
    "label",
    "maction",
    "mark",
    "math",
    "menclose",
    "merror",
    "mfenced",
    "mfrac",
    "mi",
    "mn",
    "mo",
    "mover",
    "mpadded",
    "mphantom",
    "mroot",
    "mrow",
    "ms",
    "mspace",
    "msqrt",
    "mstyle",
    "msub",
    "msubsup",
    "msup",
    "mtable",
    "mtd",
    "mtext",
    "mtr",
    "munder",
    "munderover",
    "noscript",
    "param",
    "picture",
    "q",
    "s",
    "samp",
    "semantics",
    "small",
    "source",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "svg",
    "track",
    "tt",
    "u",
    "var",
    "wbr",
];
/// Elements whose content is no words of the statement, each with its end. That of the media is shown
/// only by what cannot play them, and that of an annotation says once more what stands before it.
pub(super) const DROPPED: &[(&str, &str)] = &[
    ("annotation", "</annotation>"),
    ("annotation-xml", "</annotation-xml>"),
    ("m:annotation", "</m:annotation>"),
    ("mml:annotation", "</mml:annotation>"),
    ("mml:annotation-xml", "</mml:annotation-xml>"),
    ("audio", "</audio>"),
    ("iframe", "</iframe>"),
    ("object", "</object>"),
    ("script", "</script>"),
    ("style", "</style>"),
    ("video", "</video>"),
];
/// The longest name of an element, with its prefix.
const LONGEST_NAME: usize = 32;

/// A tag of a known element, with attributes as HTML writes them.
pub(super) struct Tag<'t> {
    /// Its name in small letters, without the prefix of MathML.
    pub(super) name: String,
    pub(super) attributes: &'t str,
    pub(super) closes: bool,
    /// Whether it ends in itself: `<br/>`.
    pub(super) is_empty: bool,
}

impl<'t> Tag<'t> {
    /// Reads a tag; gives what comes after it.
    pub(super) fn read(from: &'t str) -> Option<(Self, &'t str)> {
        let rest = from.strip_prefix('<')?;
        let (closes, rest) = match rest.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-');
        let end = rest.find(|c: char| !named(c))?;
        let (name, behind_name) = rest.split_at(end);
        let name = element(name)?;
        let mut rest = behind_name;
        loop {
            let inner = rest.trim_start();
            let length = behind_name.len() - inner.len();
            let attributes = behind_name.get(..length).unwrap_or_default();
            for (end, is_empty) in [("/>", true), (">", false)] {
                if let Some(rest) = inner.strip_prefix(end) {
                    let tag = Self {
                        name,
                        attributes,
                        closes,
                        is_empty,
                    };
                    return Some((tag, rest));
                }
            }
            if inner.len() == rest.len() {
                return None;
            }
            rest = attribute(inner)?;
        }
    }
}

/// The element of this name; `None` if it is taken for words.
fn element(name: &str) -> Option<String> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let is_known = |name: &str| {
        BLOCKS.contains(&name)
            || INLINE.contains(&name)
            || DROPPED.iter().any(|(dropped, _)| *dropped == name)
    };
    match name.split_once(':') {
        None => is_known(&name).then_some(name),
        Some((prefix, local)) => {
            let begins = |part: &str| part.starts_with(|c: char| c.is_ascii_alphabetic());
            if !begins(prefix) || !begins(local) || local.contains(':') {
                return None;
            }
            // MathML in a document of another kind is MathML.
            let is_math = matches!(prefix, "m" | "mml" | "math") && INLINE.contains(&local);
            Some(if is_math { local.to_owned() } else { name })
        }
    }
}

/// What comes after an attribute.
fn attribute(from: &str) -> Option<&str> {
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':');
    let rest = from.trim_start_matches(named);
    if rest.len() == from.len() {
        return None;
    }
    let Some(value) = rest.strip_prefix('=') else {
        return Some(rest);
    };
    for quote in ['"', '\''] {
        if let Some(value) = value.strip_prefix(quote) {
            return value.split_once(quote).map(|(_, rest)| rest);
        }
    }
    let bare = |c: char| !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | '\'' | '=');
    Some(value.trim_start_matches(bare))
}
