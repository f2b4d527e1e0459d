//! Whether a collection came whole.

use planledger_fixtures::footprint;
use planledger_fixtures::http::{Answer, Asked, Server};
use serde_json::{Value, json};

use super::super::client::Client;
use super::super::pages::{self, Place, Question};
use crate::import::fault::{FaultCode, ImportFault};

const ORGS: Question<'static> = Question {
    collection: "orgs",
    id: "sourcedId",
    filter: "",
};

/// The ids that come of a service, each with its place.
fn fetched(answer: fn(&Asked, usize) -> Answer) -> Result<Vec<(String, Place)>, ImportFault> {
    let server = Server::start(move |asked| {
        let offset = asked.query("offset").unwrap();
        answer(asked, offset.parse().unwrap())
    });
    let mut client = Client::new(&server.url("/v1p1"), None)
        .unwrap()
        .waiting(|_| {});
    let mut ids = Vec::new();
    pages::each(&mut client, ORGS, |record, place| {
        let id = record.get("sourcedId").and_then(Value::as_str);
        ids.push((id.unwrap_or("none").to_owned(), place));
        Ok(())
    })?;
    Ok(ids)
}

fn codes(answer: fn(&Asked, usize) -> Answer) -> Result<usize, FaultCode> {
    fetched(answer)
        .map(|ids| ids.len())
        .map_err(|fault| fault.code)
}

/// The records with these numbers.
fn page(numbers: std::ops::Range<usize>, total: usize) -> Answer {
    let records = numbers.map(|number| json!({"sourcedId": format!("o{number}")}));
    let records: Vec<Value> = records.collect();
    Answer::json(json!({"orgs": records})).header("X-Total-Count", &total.to_string())
}

/// Of six records the first is deleted once the first page is read. The second page begins one too late:
/// record 3 is on neither page.
#[test]
fn a_record_that_is_deleted_between_two_pages_hides_no_other() {
    let fault = fetched(|_, offset| match offset {
        0 => page(0..3, 6),
        _ => page(4..7, 5),
    })
    .unwrap_err();
    assert_eq!(fault.code, FaultCode::RestIncomplete);
    assert!(
        fault.to_string().contains("run the import again"),
        "{fault}"
    );
    // One that was added.
    let added = codes(|_, offset| match offset {
        0 => page(0..3, 6),
        _ => page(2..7, 7),
    });
    assert_eq!(added, Err(FaultCode::RestIncomplete));
    // Only the first page says how many there are, and the last one is not there.
    let gone = codes(|_, offset| match offset {
        0 => page(0..3, 6),
        _ => Answer::status(404),
    });
    assert_eq!(gone, Err(FaultCode::RestIncomplete));
    let whole = codes(|_, offset| page(offset..(offset + 3).min(6), 6));
    assert_eq!(whole, Ok(6));
}

/// A page of six records that names a next one.
fn linked(numbers: std::ops::Range<usize>, asked: &Asked, next: usize) -> Answer {
    let link = format!("<{}?offset={next}>; rel=\"next\"", asked.path);
    page(numbers, 6).header("Link", &link)
}

#[test]
fn a_collection_is_whole_also_if_its_last_page_names_a_next_one() {
    // The last page names itself, then an empty one, then one that is not there.
    let itself = codes(|asked, offset| linked(offset..offset + 3, asked, 3));
    assert_eq!(itself, Ok(6));
    let empty =
        codes(|asked, offset| linked(offset..(offset + 3).min(6).max(offset), asked, offset + 3));
    assert_eq!(empty, Ok(6));
    let nothing = codes(|asked, offset| match offset {
        0 | 3 => linked(offset..offset + 3, asked, offset + 3),
        _ => Answer::status(404),
    });
    assert_eq!(nothing, Ok(6));
    // A next page with more than the server says that it has counts, too.
    let more = codes(|asked, offset| match offset {
        0 | 3 => linked(offset..offset + 3, asked, offset + 3),
        _ => page(6..8, 6),
    });
    assert_eq!(more, Ok(8));
    // Less than it says is never whole.
    let less = codes(|asked, _| linked(0..3, asked, 3));
    assert_eq!(less, Err(FaultCode::RestPagesEndless));
}

#[test]
fn records_without_an_id_come_with_their_places_and_never_end_the_search_too_early() {
    let ids = fetched(|_, offset| match offset {
        0 => Answer::json(json!([{"name": "a"}, {"sourcedId": "b"}, {"name": "a"}])),
        3 => Answer::json(json!([{"sourcedId": 7}])),
        _ => Answer::json(json!([])),
    })
    .unwrap();
    let place = |page, number| Place { page, number };
    let expected = [
        ("none", place(1, 1)),
        ("b", place(1, 2)),
        ("none", place(2, 1)),
    ];
    assert_eq!(ids, expected.map(|(id, place)| (id.to_owned(), place)));
}

const MEASURED: &str = "PLANLEDGER_MEASURED_PAGE";

/// As JSON values most of these take more than 256 MiB.
#[test]
fn a_page_takes_hardly_any_memory_whatever_it_holds() {
    if std::env::var(MEASURED).is_err() {
        let name = "import::rest::tests::paging::\
                    a_page_takes_hardly_any_memory_whatever_it_holds";
        return footprint::in_its_own_process(name, MEASURED, "1");
    }
    let many = |begin: &str, element: &str, end: &str| {
        let mut page = begin.to_owned();
        page.reserve(17 << 20);
        while page.len() < 16 << 20 {
            page.push_str(element);
        }
        page.pop();
        page + end
    };
    let mut told = Vec::new();
    for (begin, element, end) in [
        ("{\"orgs\":[", "0,", "]}"),
        ("[", "{},", "]"),
        ("{\"orgs\":[{\"sourcedId\":\"a\",\"x\":[", "0,", "]}]}"),
        ("{\"orgs\":[[", "0,", "]]}"),
        ("{\"others\":[", "0,", "],\"orgs\":[]}"),
    ] {
        let page = many(begin, element, end);
        let (read, more) = footprint::more_mib(|| {
            let mut kinds = Vec::new();
            let count = pages::records(page.as_bytes(), "orgs", &mut |number, element| {
                if number < 3 {
                    kinds.push(element.map(|element| element.is_object()));
                }
                Ok(())
            });
            (count.is_ok(), kinds)
        });
        assert!(more < 16, "{more}");
        told.push(read);
    }
    let some = |is_object| Some(is_object);
    assert_eq!(
        told,
        [
            (true, vec![some(false), some(false)]),
            (true, vec![some(true), some(true)]),
            (true, vec![None]),
            (true, vec![None]),
            (true, vec![]),
        ]
    );
}
