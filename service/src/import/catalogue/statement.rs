//! The words of an item as text. CASE lets a `fullStatement` hold HTML, and publishers do.
//!
//! Tags go, line breaks stay, character references become what they stand for. This is done once, on
//! import, so that what is stored, compared and shown is text and no page has to take markup out of
//! it. The result is not read for markup a second time: `&lt;b&gt;` becomes `<b>`, three characters
//! that mean themselves. LaTeX and Markdown stay as they are; nothing here or later runs them.

use super::formulas::formula;
use super::raised::Raised;
use super::tag::{BLOCKS, DROPPED, Tag};

/// Names of the characters from U+00A0 on.
const LATIN: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn \
    sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde \
    Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde \
    Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil \
    egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave \
    uacute ucirc uuml yacute thorn yuml";
/// Other names that are met in goals, each followed by its character.
const NAMED: &str = "amp& lt< gt> quot\" apos' ndash– mdash— lsquo‘ rsquo’ sbquo‚ ldquo“ rdquo” bdquo„ bull• hellip… euro€ \
    minus− le≤ ge≥ ne≠ asymp≈ infin∞ radic√ sum∑ rarr→ larr← alphaα betaβ gammaγ deltaδ thetaθ lambdaλ muμ piπ \
    sigmaσ omegaω DeltaΔ SigmaΣ OmegaΩ";

/// A statement as text. Text without tags and character references comes back as it is.
pub(super) fn plain(statement: &str) -> String {
    let mut reader = Reader::default();
    let mut rest = statement;
    while let Some(at) = rest.find(['<', '&', '$', '\\']) {
        let (before, from) = rest.split_at(at);
        reader.text.push_str(before);
        rest = match formula(from) {
            Some((formula, behind)) => {
                reader.formula(formula);
                behind
            }
            None => reader.markup(from),
        };
    }
    reader.text.push_str(rest);
    if reader.blocks {
        lines(&reader.text)
    } else {
        reader.text
    }
}

#[derive(Default)]
struct Reader {
    text: String,
    raised: Raised,
    /// Whether there were tags that begin lines: then line breaks of the source mean nothing.
    blocks: bool,
    /// Ends that do not come any more, so that none is looked for again.
    missing: Vec<&'static str>,
}

/// Stands for a line break that a tag makes, until those of the source are gone. No text may hold it,
/// and references to it are not resolved.
const BREAK: char = '\u{1}';

impl Reader {
    /// Takes a formula. Only references in it are resolved: HTML writes `<` as one.
    fn formula(&mut self, formula: &str) {
        let mut rest = formula;
        while let Some(at) = rest.find('&') {
            let (before, from) = rest.split_at(at);
            self.text.push_str(before);
            rest = match reference(from) {
                Some((character, behind)) => {
                    self.text.push(character);
                    behind
                }
                None => {
                    self.text.push('&');
                    from.get(1..).unwrap_or_default()
                }
            };
        }
        self.text.push_str(rest);
    }

    /// Takes what begins with `<` or `&`; gives what comes after.
    fn markup<'t>(&mut self, from: &'t str) -> &'t str {
        if let Some(comment) = from.strip_prefix("<!--") {
            if let Some(rest) = self.behind(comment, "-->") {
                return rest;
            }
        } else if let Some((character, rest)) = reference(from) {
            self.text.push(character);
            return rest;
        } else if let Some((tag, rest)) = Tag::read(from) {
            return self.tag(&tag, rest);
        }
        let (character, rest) = from.split_at(1);
        self.text.push_str(character);
        rest
    }

    fn tag<'t>(&mut self, tag: &Tag<'_>, rest: &'t str) -> &'t str {
        let name = tag.name.as_str();
        if BLOCKS.contains(&name) {
            self.blocks = true;
            self.text.push(BREAK);
        }
        if tag.closes {
            self.raised.close(name, &mut self.text);
            return rest;
        }
        match name {
            "li" => self.text.push_str("- "),
            "mspace" => self.text.push(' '),
            _ => {}
        }
        if tag.is_empty && !name.starts_with('m') {
            return rest;
        }
        self.raised.open(name, tag.attributes, &mut self.text);
        if tag.is_empty {
            // In MathML it is a part, of which nothing is seen.
            self.raised.close(name, &mut self.text);
            return rest;
        }
        let dropped = DROPPED.iter().find(|(dropped, _)| *dropped == name);
        let behind = dropped.and_then(|(_, end)| self.behind(rest, end));
        behind.unwrap_or(rest)
    }

    /// What comes after `end`.
    fn behind<'t>(&mut self, text: &'t str, end: &'static str) -> Option<&'t str> {
        if self.missing.contains(&end) {
            return None;
        }
        let mut windows = text.as_bytes().windows(end.len());
        let at = windows.position(|bytes| bytes.eq_ignore_ascii_case(end.as_bytes()));
        if at.is_none() {
            self.missing.push(end);
        }
        text.get(at? + end.len()..)
    }
}

/// The character that a reference such as `&aring;` or `&#229;` stands for, and what comes after.
fn reference(from: &str) -> Option<(char, &str)> {
    let rest = from.strip_prefix('&')?;
    let end = rest.bytes().take(10).position(|byte| byte == b';')?;
    let (name, rest) = (rest.get(..end)?, rest.get(end + 1..)?);
    if name.is_empty() {
        return None;
    }
    let character = match name.strip_prefix('#') {
        Some(number) => numbered(number)?,
        None => called(name)?,
    };
    match character {
        // It only says that no line may break here.
        '\u{a0}' => Some((' ', rest)),
        character => Some((character, rest)),
    }
}

fn numbered(number: &str) -> Option<char> {
    let value = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
        None => number.parse(),
    };
    char::from_u32(value.ok()?).filter(|c| !c.is_control())
}

fn called(name: &str) -> Option<char> {
    let latin = LATIN.split_whitespace().position(|latin| latin == name);
    match latin.and_then(|at| u32::try_from(at).ok()) {
        Some(at) => char::from_u32(0xA0 + at),
        None => NAMED.split_whitespace().find_map(|entry| {
            let mut character = entry.strip_prefix(name)?.chars();
            character
                .next()
                .filter(|c| !c.is_ascii_alphabetic() && character.next().is_none())
        }),
    }
}

/// Single spaces, and line breaks where tags made them.
fn lines(text: &str) -> String {
    let lines = text.split(BREAK);
    let lines = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    // An item of a list whose words are in a paragraph of their own.
    let mut told = String::new();
    for line in lines.filter(|line| !line.is_empty()) {
        if !told.is_empty() && !told.ends_with("- ") {
            told.push('\n');
        }
        told.push_str(&line);
        if line == "-" {
            told.push(' ');
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::plain;

    #[test]
    fn html_becomes_text_and_text_stays_as_it_is() {
        let cases = [
            ("Eleven kan læse", "Eleven kan læse"),
            ("to\nlinjer  og **fed**", "to\nlinjer  og **fed**"),
            ("<p>Eleven kan\n l&aelig;se</p>", "Eleven kan læse"),
            (
                "<P CLASS=\"x > y\" id=a>Et</P><p>To<br/>Tre</p>",
                "Et\nTo\nTre",
            ),
            (
                "Kan:<ul><li>l&#230;se</li><li><p>skrive&#xE5;</p></li></ul>",
                "Kan:\n- læse\n- skriveå",
            ),
            ("x<sup>2</sup> + H<sub>2</sub>O", "x^2 + H_2O"),
            ("x<sup>n + 1</sup>, y<sub>i,j</sub>", "x^(n + 1), y_(i,j)"),
            (
                "<math><mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><msup><mi>b</mi><mn>2</mn></msup></mfrac></math>",
                "(a+1)/(b^2)",
            ),
            (
                "<msqrt><mi>x</mi></msqrt> <mfrac><mi>a</mi></mfrac>",
                "√x a",
            ),
            ("x<sup>2 uden ende", "x^2 uden ende"),
            (
                "<msubsup><mi>x</mi><mn>1</mn><mrow><mi>n</mi><mo>+</mo><mn>1</mn></mrow></msubsup>",
                "x_1^(n+1)",
            ),
            ("<mover><mi>x</mi><mo>¯</mo></mover>", "x¯"),
            ("<mover><mi>x</mi><mi>n</mi></mover>", "x^n"),
            ("<munder><mi>lim</mi><mi>n</mi></munder>", "lim_n"),
            (
                "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover>",
                "∑_(i=1)^n",
            ),
            (
                "<mtable><mtr><mtd><mi>a</mi></mtd><mtd><mn>-1</mn></mtd></mtr><mtr><mtd>c</mtd><mtd>d</mtd></mtr></mtable>",
                "[a, -1; c, d]",
            ),
            ("f<mfenced><mi>x</mi><mi>y</mi></mfenced>", "f(x, y)"),
            (
                "<mfenced open=\"[\" close='|' separators=\";\"><mi>x</mi><mi>y</mi></mfenced>",
                "[x; y|",
            ),
            ("<mroot><mi>x</mi><mn>3</mn></mroot>", "x^(1/3)"),
            ("<mn>3</mn><mspace width=\"1em\"/><mi>m</mi>", "3 m"),
            ("<mn>3</mn><mspace></mspace><mi>m</mi>", "3 m"),
            (
                "<mfrac><mstyle displaystyle='true'><mi>a</mi></mstyle><mi>b</mi></mfrac>",
                "a/b",
            ),
            (
                "<math><semantics><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><annotation encoding=\"x\">a+b \\text{&lt;}</annotation></semantics></math>",
                "a+b",
            ),
            (
                "<semantics><mi>a</mi><annotation-xml><ci>a</ci></annotation-xml></semantics>!",
                "a!",
            ),
            (
                "<mml:semantics><mml:mi>a</mml:mi><mml:annotation>b</mml:annotation></mml:semantics>!",
                "a!",
            ),
            (
                "se <iframe src='u'>Dit program viser ingen rammer</iframe>her",
                "se her",
            ),
            ("se <video><source src=u>Ingen film</video>her", "se her"),
            ("hør <audio controls>Ingen lyd</audio>her", "hør her"),
            ("se <iframe src='u'/>her", "se her"),
            ("se <iframe src='u'>her", "se her"),
            ("<iframe>a <script>b</script>c", "a c"),
            ("et<o:p></o:p> to<o:p>&nbsp;</o:p>", "et to "),
            (
                "<w:sdt id=\"1\">a</w:sdt> <st1:place w:st=\"on\">b</st1:place>",
                "a b",
            ),
            (
                "<mml:mfrac><mml:mi>a</mml:mi><mml:mi>b</mml:mi></mml:mfrac>",
                "a/b",
            ),
            (
                "<http://a.example> <a:> <:b> <1:a> <a:b:c> <mailto:x@y> <tal: 1>",
                "<http://a.example> <a:> <:b> <1:a> <a:b:c> <mailto:x@y> <tal: 1>",
            ),
            ("<b>fed</b> og <a href='u'>led</a>", "fed og led"),
            (
                "a<script>alert(1)</SCRIPT>b<style>p{}</style><!-- < -->c",
                "abc",
            ),
            (
                "R&D &amp; 1 &lt; 2 &ukendt; &#0; &#1; &;",
                "R&D & 1 < 2 &ukendt; &#0; &#1; &;",
            ),
            ("&amp;lt;b&amp;gt; &lt;b&gt;", "&lt;b&gt; <b>"),
            (
                "a < b og b>c, <elev> <3 <b <",
                "a < b og b>c, <elev> <3 <b <",
            ),
            (
                "$a<b$ \\(x>0\\) \\frac{1}{2} a & b",
                "$a<b$ \\(x>0\\) \\frac{1}{2} a & b",
            ),
            (
                "\\input{/etc/passwd} $$\\sum_{i<n}$$",
                "\\input{/etc/passwd} $$\\sum_{i<n}$$",
            ),
            ("uden ende <!-- her <script>", "uden ende <!-- her "),
            // In a formula an angle bracket is no tag, and a dollar is not always a formula.
            (
                "<p>Løs $a<b>c$ og \\(x<i>y\\), $$p<q&lt;r$$</p>",
                "Løs $a<b>c$ og \\(x<i>y\\), $$p<q<r$$",
            ),
            ("koster $5 <b>eller</b> $6", "koster $5 eller $6"),
            ("$x\\ uden <b>ende</b> \\(", "$x\\ uden ende \\("),
            ("fem&nbsp;&ndash;&nbsp;seks", "fem – seks"),
        ];
        for (html, text) in cases {
            assert_eq!(plain(html), text, "{html}");
        }
    }

    /// Each of these made a reader look through the rest again and again.
    #[test]
    fn openings_without_an_end_cost_no_more_than_their_length() {
        for opening in [
            "<!--",
            "<script>",
            "<a b='",
            "<a b=\"<a c='",
            "<a ",
            "<",
            "&",
            "&amp",
            "<sup>",
            "<mfrac><mi>",
            "<mtable><mtr><mtd>",
            "<mfenced open='",
            "<iframe>",
            "<annotation><video>",
            "<o:p>",
            "<o:",
            "$",
            "$a ",
            "\\(",
        ] {
            let text = opening.repeat(400_000 / opening.len());
            assert!(plain(&text).len() <= text.len());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_gets_no_longer_than_lists_make_it(text in "[<>&;/a-b #1lipsu='\"!-]{0,80}") {
            prop_assert!(plain(&text).chars().count() <= text.chars().count());
        }

        #[test]
        fn a_text_without_markup_is_the_same_text(text in "[^<&]{0,80}") {
            prop_assert_eq!(plain(&text), text);
        }
    }
}
