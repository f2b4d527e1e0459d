//! The copy as a page to read and to print, in Danish: one file, without scripts and without anything
//! from elsewhere.

use serde_json::Value;

use super::html::{self, Names, list, plain, time, word};
use super::{danish, plans};

const STYLE: &str = "\
body{font-family:system-ui,sans-serif;line-height:1.4;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}
h2{border-bottom:2px solid #444;margin-top:2.5rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{border:1px solid #999;padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere;white-space:pre-wrap}
td{min-width:6rem}
th{overflow-wrap:normal}
thead{display:table-header-group}
blockquote{white-space:pre-wrap;overflow-wrap:anywhere;border-left:4px solid #999;margin:.5rem 0;padding:.2rem 1rem}
dt{font-weight:bold}
dd{overflow-wrap:anywhere;white-space:pre-wrap}
dd:has(>dl,>ul){white-space:normal}
@media print{body{max-width:none;margin:0;font-size:10pt}h2,h3,h4{break-after:avoid}tr,blockquote{break-inside:avoid}}
";

/// Sections that are shown with the name of each member.
const OTHERS: [&str; 8] = [
    "person",
    "teams",
    "owned",
    "suggestions",
    "recoveries",
    "grants",
    "grantsAbout",
    "erasures",
];

/// The page of a copy.
pub(super) fn page(copy: &Value) -> String {
    let none = Value::Null;
    let sections = copy.get("sections").unwrap_or(&none);
    let names = names(sections);
    let mut page = String::from("<!DOCTYPE html>\n<html lang=\"da\">\n<head>\n");
    page.push_str("<meta charset=\"utf-8\">\n");
    page.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width\">\n");
    page.push_str("<title>Indsigt i egne oplysninger</title>\n<style>\n");
    page.push_str(STYLE);
    page.push_str("</style>\n</head>\n<body>\n<h1>Indsigt i oplysninger om en person</h1>\n");
    about(&mut page, copy, &names);
    left_out(&mut page, copy);
    if let Some(view) = sections.get("plans") {
        html::heading(&mut page, 2, &danish::part("plans"));
        plans::plans(&mut page, view, &names);
    }
    for name in OTHERS {
        if let Some(section) = sections.get(name) {
            html::heading(&mut page, 2, &danish::part(name));
            html::whole(&mut page, section, &names);
        }
    }
    timeline(&mut page, sections, &names);
    acts(&mut page, sections, &names);
    readers(&mut page, copy, sections, &names);
    page.push_str("</body>\n</html>");
    page
}

/// The names that the copy holds anyway.
fn names(sections: &Value) -> Names {
    let mut names = Names::new();
    let mut learn = |id: String, name: String| {
        if !id.is_empty() && !name.is_empty() {
            names.insert(id, name);
        }
    };
    let none = Value::Null;
    for read in list(sections, "readers") {
        learn(word(read, "/actor/personId"), word(read, "actorName"));
        let behalf = word(read, "/onBehalfOf/personId");
        learn(behalf, word(read, "onBehalfOfName"));
    }
    let view = sections.get("plans").unwrap_or(&none);
    for plan in list(view, "plans") {
        learn(word(plan, "ownerId"), word(plan, "ownerName"));
    }
    learn(word(view, "studentId"), word(view, "studentName"));
    let person = sections.pointer("/person/person").unwrap_or(&none);
    learn(word(person, "personId"), word(person, "name"));
    names
}

fn about(page: &mut String, copy: &Value, names: &Names) {
    let whose = match word(copy, "for").as_str() {
        "self" => "personen selv",
        "guardian" => "en forælder",
        _ => "dem der fører arkivet",
    };
    let rows = [
        ("Person", html::person(&word(copy, "person"), names)),
        ("Til", whose.to_owned()),
        ("Lavet", time(copy, "madeAt")),
        ("Med alt til og med position", word(copy, "position")),
        ("Planer set som", plain(copy, "viewer")),
        ("Format", word(copy, "format")),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
    html::table(page, &["Hvad", "Værdi"], &rows);
    html::paragraph(page, "Tider er dansk tid.");
}

fn left_out(page: &mut String, copy: &Value) {
    html::heading(page, 2, "Hvad der ikke er med");
    let row = |entry: &Value| {
        let code = word(entry, "code");
        let why = danish::why(&code).to_owned();
        vec![danish::part(&word(entry, "part")), code, why]
    };
    let rows: Vec<_> = list(copy, "leftOut").iter().map(row).collect();
    html::table(page, &["Del", "Kode", "Hvorfor"], &rows);
    let limited = list(copy, "limitedToReader").iter();
    let limited: Vec<_> = limited
        .filter_map(Value::as_str)
        .map(danish::part)
        .collect();
    if !limited.is_empty() {
        let limited = limited.join(", ");
        let said = "Disse lister har kun det med, som den der bad om kopien må se:";
        html::paragraph(page, &format!("{said} {limited}."));
    }
}

fn timeline(page: &mut String, sections: &Value, names: &Names) {
    if sections.get("events").is_none() {
        return;
    }
    html::heading(page, 2, &danish::part("events"));
    html::paragraph(page, "Indholdet står, som det er gemt.");
    let row = |event: &Value| {
        let content = match event.get("payload") {
            Some(payload) => payload.as_str().unwrap_or_default().to_owned(),
            None => plain(event, "unreadable"),
        };
        vec![
            time(event, "recordedAt"),
            html::place(&word(event, "actor"), names),
            html::place(&word(event, "onBehalfOf"), names),
            danish::event(&word(event, "type")).to_owned(),
            html::place(&word(event, "stream"), names),
            content,
        ]
    };
    let rows: Vec<_> = list(sections, "events").iter().map(row).collect();
    let heads = ["Hvornår", "Hvem", "For", "Hvad", "Hvor", "Indhold"];
    html::table(page, &heads, &rows);
}

fn acts(page: &mut String, sections: &Value, names: &Names) {
    if sections.get("acts").is_none() {
        return;
    }
    html::heading(page, 2, &danish::part("acts"));
    let row = |act: &Value| {
        let ways = list(act, "as").iter().filter_map(Value::as_str);
        let ways: Vec<_> = ways.map(danish::way).collect();
        vec![
            time(act, "recordedAt"),
            danish::event(&word(act, "type")).to_owned(),
            html::place(&word(act, "stream"), names),
            ways.join(", "),
        ]
    };
    let rows: Vec<_> = list(sections, "acts").iter().map(row).collect();
    html::table(page, &["Hvornår", "Hvad", "Hvor", "Som"], &rows);
}

fn readers(page: &mut String, copy: &Value, sections: &Value, names: &Names) {
    if sections.get("readers").is_none() {
        return;
    }
    html::heading(page, 2, &danish::part("readers"));
    let since = time(copy, "readersCompleteSince");
    let complete = match since.is_empty() {
        true => "Serveren siger ikke, fra hvornår listen er fuldstændig.".to_owned(),
        false => format!("Listen er fuldstændig fra {since}."),
    };
    html::paragraph(page, &complete);
    let row = |read: &Value| {
        vec![
            time(read, "readAt"),
            html::actor(read, "actor", names),
            html::actor(read, "onBehalfOf", names),
            plain(read, "kind"),
            plain(read, "viewer"),
            word(read, "planId"),
            plain(read, "purpose"),
        ]
    };
    let rows: Vec<_> = list(sections, "readers").iter().map(row).collect();
    let heads = [
        "Hvornår", "Hvem", "For", "Hvad", "Set som", "Plan", "Formål",
    ];
    html::table(page, &heads, &rows);
}
