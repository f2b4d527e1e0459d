//! Pieces of a page. Every text goes through [`text`], so that what people wrote stays text.

use std::collections::HashMap;
use std::fmt::Write as _;

use planledger_core::text::REDACTED;
use serde_json::Value;

use super::super::super::shown;
use super::danish;

/// Names by the ids of persons.
pub(super) type Names = HashMap<String, String>;

/// A text as HTML: what a browser would obey is escaped, what turns the direction of what follows or
/// that nobody sees is shown by its number, and lines stay lines. What stands for a text that was redacted
/// is said in the language of the page.
pub(super) fn text(text: &str) -> String {
    if text == REDACTED {
        return "[teksten er fjernet]".to_owned();
    }
    let mut safe = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            safe.push('\n');
        }
        for c in shown::one_line(line).chars() {
            match c {
                '&' => safe.push_str("&amp;"),
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '"' => safe.push_str("&quot;"),
                '\'' => safe.push_str("&#39;"),
                c => safe.push(c),
            }
        }
    }
    safe
}

/// A heading; the level is 2, 3 or 4.
pub(super) fn heading(page: &mut String, level: u8, words: &str) {
    // Writing to a string does not fail, here and below.
    let _ = writeln!(page, "<h{level}>{}</h{level}>", text(words));
}

/// A paragraph.
pub(super) fn paragraph(page: &mut String, words: &str) {
    let _ = writeln!(page, "<p>{}</p>", text(words));
}

/// A text that somebody wrote.
pub(super) fn quote(page: &mut String, words: &str) {
    let _ = writeln!(page, "<blockquote>{}</blockquote>", text(words));
}

/// A table. The cells are texts.
pub(super) fn table(page: &mut String, heads: &[&str], rows: &[Vec<String>]) {
    if rows.is_empty() {
        paragraph(page, "Ingen.");
        return;
    }
    page.push_str("<table>\n<thead><tr>");
    for head in heads {
        let _ = write!(page, "<th scope=\"col\">{}</th>", text(head));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        page.push_str("<tr>");
        for cell in row {
            let _ = write!(page, "<td>{}</td>", text(cell));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n");
}

/// Any value, with the name of each member: whatever has no form of its own on the page.
pub(super) fn whole(page: &mut String, value: &Value, names: &Names) {
    match value {
        Value::Null => page.push('–'),
        Value::Bool(true) => page.push_str("ja"),
        Value::Bool(false) => page.push_str("nej"),
        Value::Number(number) => page.push_str(&text(&number.to_string())),
        Value::String(words) => page.push_str(&text(&said(words, names))),
        Value::Array(values) if values.is_empty() => page.push_str("Ingen."),
        Value::Array(values) => {
            page.push_str("<ul>\n");
            for value in values {
                page.push_str("<li>");
                whole(page, value, names);
                page.push_str("</li>\n");
            }
            page.push_str("</ul>\n");
        }
        Value::Object(members) => {
            page.push_str("<dl>\n");
            for (name, value) in members {
                let _ = write!(page, "<dt>{}</dt><dd>", text(danish::member(name)));
                whole(page, value, names);
                page.push_str("</dd>\n");
            }
            page.push_str("</dl>\n");
        }
    }
}

/// A value as the page says it: an instant in Danish time, a person by name, a stream by its kind, a value
/// of an enum by its word. A text that somebody wrote is none of these, and stays.
fn said(words: &str, names: &Names) -> String {
    let changes: [fn(&str, &Names) -> String; 3] = [
        |words, _| instant(words),
        place,
        |words, _| danish::value(words),
    ];
    let said = changes.iter().map(|change| change(words, names));
    let mut said = said.filter(|said| said != words);
    said.next().unwrap_or_else(|| words.to_owned())
}

/// A stream: a person by name, if it is known, and others by the word for their kind.
pub(super) fn place(words: &str, names: &Names) -> String {
    match person(words, names) {
        named if named != words => named,
        _ => danish::stream(words),
    }
}

/// The name and id of a person whose name is known, or the words as they are. `person/` may be before
/// the id.
pub(super) fn person(words: &str, names: &Names) -> String {
    let id = words.strip_prefix("person/").unwrap_or(words);
    match names.get(id) {
        Some(name) => format!("{name} ({id})"),
        None => words.to_owned(),
    }
}

/// The text of a member, or nothing.
pub(super) fn word(value: &Value, path: &str) -> String {
    let found = match path.starts_with('/') {
        true => value.pointer(path),
        false => value.get(path),
    };
    match found {
        Some(Value::String(words)) => words.clone(),
        Some(Value::Bool(true)) => "ja".to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(false) | Value::Null | Value::Array(_) | Value::Object(_)) | None => {
            String::new()
        }
    }
}

/// The members of a list, or none.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let found = value.get(name).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

/// Who acted: a person by name, if it is known, or a system.
pub(super) fn actor(value: &Value, name: &str, names: &Names) -> String {
    let Some(actor) = value.get(name) else {
        return String::new();
    };
    match (actor.get("personId"), actor.get("systemId")) {
        (Some(Value::String(id)), _) => person(id, names),
        (_, Some(Value::String(id))) => format!("system {id}"),
        (_, _) => String::new(),
    }
}

/// An instant of the copy in Danish time.
pub(super) fn instant(words: &str) -> String {
    let zone = jiff::tz::TimeZone::get(crate::system::COPENHAGEN);
    match (words.parse::<jiff::Timestamp>(), zone) {
        (Ok(at), Ok(zone)) => {
            let at = at.to_zoned_datetime(zone);
            at.strftime("%Y-%m-%d %H:%M:%S").to_string()
        }
        (Ok(_) | Err(_), Ok(_) | Err(_)) => words.to_owned(),
    }
}

/// The instant of a member.
pub(super) fn time(value: &Value, name: &str) -> String {
    instant(&word(value, name))
}

/// The word for the value of an enum; nothing if there is none.
pub(super) fn plain(value: &Value, name: &str) -> String {
    danish::value(&word(value, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_stays_text() {
        assert_eq!(
            text("<script>alert('x')</script> & \"y\""),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;"
        );
        assert_eq!(text("a\u{202e}b\u{200b}c"), "a\\u{202e}b\\u{200b}c");
        assert_eq!(text("Åse Ærø\nnæste"), "Åse Ærø\nnæste");
        assert_eq!(text("[redacted]"), "[teksten er fjernet]");
    }

    #[test]
    fn names_of_members_and_cells_are_text_too() {
        let mut page = String::new();
        let value = serde_json::json!({ "<b>": ["<i>"] });
        whole(&mut page, &value, &Names::new());
        table(&mut page, &["<u>"], &[vec!["<s>".to_owned()]]);
        heading(&mut page, 2, "<h>");
        paragraph(&mut page, "<p1>");
        quote(&mut page, "<q>");
        for tag in ["<b>", "<i>", "<u>", "<s>", "<h>", "<p1>", "<q>"] {
            assert!(!page.contains(tag), "{tag}: {page}");
        }
    }

    #[test]
    fn members_values_instants_and_streams_have_danish_words() {
        let id = "31313131-3131-3131-3131-313131313131";
        let names = Names::from([(id.to_owned(), "Inge Holm".to_owned())]);
        let mut page = String::new();
        let value = serde_json::json!({
            "lastDay": "2026-07-01",
            "grantedAt": "2026-07-01T10:00:00Z",
            "role": "ACCESS_ROLE_LEADER",
            "personId": id,
            "stream": format!("team/{id}x"),
            "reason": "Flytter til ROLE_OTHER",
        });
        whole(&mut page, &value, &names);
        for said in [
            "<dt>Sidste dag</dt><dd>2026-07-01</dd>",
            "<dt>Givet</dt><dd>2026-07-01 12:00:00</dd>",
            "<dt>Rolle</dt><dd>leder</dd>",
            &format!("<dt>Person</dt><dd>Inge Holm ({id})</dd>"),
            "<dt>Begrundelse</dt><dd>Flytter til ROLE_OTHER</dd>",
        ] {
            assert!(page.contains(said), "{said}: {page}");
        }
        assert_eq!(
            place(&format!("team/{id}"), &Names::new()),
            format!("hold {id}")
        );
        assert_eq!(
            place(&format!("person/{id}"), &names),
            format!("Inge Holm ({id})")
        );
    }

    #[test]
    fn an_instant_is_in_danish_time() {
        assert_eq!(instant("2026-07-01T10:00:00Z"), "2026-07-01 12:00:00");
        assert_eq!(instant("i går"), "i går");
    }
}
