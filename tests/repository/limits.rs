//! Numbers that pages quote are those of the program.

use std::time::Duration;

use planledger::notary::WITNESS_TIMEOUT;
use planledger::server::{COMMANDS_OF_A_STREAM, KEEPALIVE, KEEPALIVE_TIMEOUT, Limits};
use planledger::settings::{
    DEFAULT_CHECKPOINT_SECONDS, DEFAULT_DIR, DEFAULT_LISTEN, DEFAULT_SERVER, File,
    limits as settings,
};
use planledger_core::entry::{ENTRY_LEN, TAG_LEN};
use planledger_core::journal::{
    CHECKSUM_LEN, COMMAND_LEN, HEADER_LEN, MAX_COMMANDS, MAX_ENTRIES, MAX_FRAME_LEN, RECORD_LEN,
    SEGMENT_HEADER_LEN, SegmentOptions,
};
use planledger_core::ledger::limits::*;

use crate::pages::{flowing, page, table};

/// 1,048,576
fn number(value: impl TryInto<u64>) -> String {
    let digits = value.try_into().ok().unwrap().to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn mebibytes(bytes: impl TryInto<u64>) -> String {
    let bytes = bytes.try_into().ok().unwrap();
    assert_eq!(bytes % (1 << 20), 0);
    format!("{} MiB", bytes >> 20)
}

fn seconds(time: Duration) -> String {
    format!("{} seconds", time.as_secs())
}

/// Each of these stands in the page as it is, but for the ends of lines.
fn says(path: &str, sentences: &[String]) {
    let text = flowing(&page(path));
    let missing: Vec<_> = sentences.iter().filter(|s| !text.contains(*s)).collect();
    assert!(missing.is_empty(), "{path} should say: {missing:#?}");
}

#[test]
fn the_table_of_limits_is_what_the_server_keeps_to() {
    let limits = Limits::default();
    let expected = [
        (
            "connections at once / from one address",
            format!(
                "{}, or 256 fewer than the process may open files / {}, or half of that; a new one \
                 takes the place of the oldest on which nobody said who they are, or else of the one \
                 on which nothing was asked for longest; if all are needed, the server closes it at \
                 once. A network of IPv6 (64 bits) is one address",
                number(limits.connections),
                number(limits.connections_of_address)
            ),
        ),
        (
            "a TLS handshake, and then the first bytes of HTTP/2",
            format!("{} each", seconds(limits.handshake)),
        ),
        (
            "a connection until a request has come whose sender is known / on which nothing is asked \
             after that",
            format!(
                "{} / {}; then the server ends it, and says so first",
                seconds(limits.identify),
                seconds(limits.idle)
            ),
        ),
        (
            "requests at once, streams included",
            format!(
                "{}; the server refuses more with `OVERLOADED`",
                number(limits.requests)
            ),
        ),
        (
            "requests at once of one connection",
            format!(
                "{}; further requests wait",
                number(limits.requests_of_connection)
            ),
        ),
        (
            "requests at once of one caller, streams apart: not answered, or the answer not read",
            format!(
                "{}; the server refuses more with `RATE_LIMITED`",
                number(limits.requests_of_caller as u64)
            ),
        ),
        (
            "commands of one caller that wait for the disk",
            format!(
                "{}; streams wait beyond that, single requests for {}, then `RATE_LIMITED`",
                number(limits.commands_of_caller as u64),
                seconds(limits.patience)
            ),
        ),
        (
            "a request / an answer",
            format!(
                "{} / {}",
                mebibytes(limits.request_bytes as u64),
                mebibytes(limits.answer_bytes as u64)
            ),
        ),
        (
            "the body of a request, and each message of a stream of requests",
            format!("{}; then `BODY_TOO_SLOW`", seconds(limits.body)),
        ),
        (
            "requests that are kept at once, of all callers / of one",
            format!(
                "{} / {}; the server refuses more with `OVERLOADED`",
                mebibytes(limits.kept_bytes as u64),
                mebibytes(limits.kept_bytes_of_caller as u64)
            ),
        ),
        (
            "streams at once / of one connection / of one caller",
            format!(
                "{} / {} / {}; the server refuses more with `TOO_MANY_STREAMS`",
                number(limits.streams),
                number(limits.streams_of_connection),
                number(limits.streams_of_caller)
            ),
        ),
        (
            "what waits for clients of streams, of all / of one",
            format!(
                "{} / {}",
                mebibytes(limits.unread_bytes as u64),
                mebibytes(limits.unread_bytes_of_stream as u64)
            ),
        ),
        (
            "answers over 64 KiB that clients have not read, of all callers / of one",
            format!(
                "{} / {}, or one answer; the server refuses more with `OVERLOADED`",
                mebibytes(limits.unread_bytes as u64),
                mebibytes(limits.kept_bytes_of_caller as u64)
            ),
        ),
        (
            "a stream whose client reads nothing of it",
            format!(
                "{}; then `SLOW_READER`, and after ten times as long it is reset",
                seconds(limits.reading)
            ),
        ),
        (
            "another answer whose client reads nothing of it / has not read all of it",
            format!(
                "{} / {}; then it is reset",
                seconds(limits.reading),
                seconds(limits.reading * 10)
            ),
        ),
        (
            "requests in a second of one person / of one system, on average",
            format!(
                "{} / {}; ten times as many at once; the server refuses more with `RATE_LIMITED`. In \
                 development mode no limit",
                number(limits.requests_per_second_of_person),
                number(limits.requests_per_second_of_system)
            ),
        ),
        (
            "commands of one stream that wait for an answer",
            number(COMMANDS_OF_A_STREAM as u64),
        ),
        (
            "a commit",
            format!(
                "{} commands, {} events, {}",
                number(COMMANDS_OF_A_COMMIT as u64),
                number(EVENTS_OF_A_COMMIT as u64),
                mebibytes(BYTES_OF_A_COMMIT as u64)
            ),
        ),
        (
            "a read that waits for `min_position`",
            seconds(limits.patience),
        ),
        (
            "keepalive",
            format!(
                "a ping every {}, answered within {}",
                seconds(KEEPALIVE),
                KEEPALIVE_TIMEOUT.as_secs()
            ),
        ),
        ("time for requests at a stop", seconds(limits.grace)),
        (
            "commands that are recognised for certain when they are sent again",
            format!("the last {} commands", number(KNOWN_COMMANDS)),
        ),
    ];
    let rows = table(&page("service/OPERATING.md"), "| Limit | |");
    let expected: Vec<Vec<String>> = expected
        .into_iter()
        .map(|(limit, value)| vec![limit.to_owned(), value])
        .collect();
    assert_eq!(rows, expected, "service/OPERATING.md, the table of limits");
}

#[test]
fn every_limit_that_can_be_set_is_listed_with_its_default() {
    let rows = table(&page("service/OPERATING.md"), "| Name | Default | |");
    let listed: Vec<_> = rows
        .iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    assert_eq!(listed, settings::Limits::names());
    let usual = Limits::default();
    let dir = tempfile::tempdir().unwrap();
    for row in rows {
        let name = row[0].trim_matches('`');
        let value: u64 = row[1].replace(',', "").parse().unwrap();
        let set = |value: u64| -> Limits {
            let path = dir.path().join("planledger.toml");
            std::fs::write(&path, format!("[limits]\n{name} = {value}")).unwrap();
            usual.with(&File::read(Some(&path)).unwrap().limits)
        };
        assert_eq!(set(value), usual, "{name}");
        assert_ne!(set(value + 1), usual, "{name}");
    }
}

#[test]
fn what_operators_are_told_of_memory_and_disk_is_so() {
    let command = HEADER_LEN + CHECKSUM_LEN + COMMAND_LEN;
    let batch = HEADER_LEN + CHECKSUM_LEN;
    says(
        "service/OPERATING.md",
        &[
            format!(
                "{}, {} and {} of caches, up to {} of documents that wait for the disk, up to {} ids of \
                 recent commands, up to {} requests or {} of them that wait",
                mebibytes(CACHED_DOCUMENTS),
                mebibytes(CACHED_PAST),
                mebibytes(CACHED_BY_SLED),
                mebibytes(WAITING_DOCUMENTS),
                number(KNOWN_COMMANDS_IN_MEMORY),
                number(WAITING_REQUESTS as u64),
                mebibytes(WAITING_BYTES as u64)
            ),
            format!(
                "| a command | {command}: frame header {HEADER_LEN}, checksum {CHECKSUM_LEN}, \
                 command record {COMMAND_LEN}. In a batch {COMMAND_LEN}, and {batch} for the batch |"
            ),
            format!(
                "| an event | {} and its JSON: entry record {RECORD_LEN}, seal {TAG_LEN} |",
                RECORD_LEN + TAG_LEN
            ),
            format!(
                "sealed events, {} a file",
                mebibytes(SegmentOptions::default().segment_bytes)
            ),
        ],
    );
}

#[test]
fn what_operators_are_told_of_times_and_defaults_is_so() {
    let longest = LONGEST_PAUSE_OF_RESTORING.as_secs() / 60;
    says(
        "service/OPERATING.md",
        &[
            format!(
                "The server tries again after {}, then after twice as long each time, up to {longest} minutes",
                seconds(FIRST_PAUSE_OF_RESTORING)
            ),
            format!("holds that up for up to {}", seconds(WITNESS_TIMEOUT)),
            format!(
                "After the stop, a client kept a request open for longer than {}",
                seconds(Limits::default().grace)
            ),
            format!("| `dir` | `{DEFAULT_DIR}` |"),
            format!("| `listen` | `{DEFAULT_LISTEN}` |"),
            format!("| `server` | `{DEFAULT_SERVER}` |"),
            format!("| `checkpoint-seconds` | {DEFAULT_CHECKPOINT_SECONDS} |"),
        ],
    );
}

#[test]
fn what_clients_are_told_is_so() {
    let limits = Limits::default();
    assert_eq!(limits.patience, Duration::from_secs(5));
    // A heartbeat is on its way in time for the promise of the API.
    assert!(limits.heartbeat < Duration::from_secs(15));
    says(
        "proto/README.md",
        &[
            format!(
                "one command, up to {} as one",
                number(COMMANDS_OF_A_COMMIT as u64)
            ),
            format!("at least the last {} commands", number(KNOWN_COMMANDS)),
            "The server waits up to five seconds for it".to_owned(),
            "A heartbeat comes at least every 15 seconds".to_owned(),
            format!(
                "A request may have {}, an answer {}",
                mebibytes(limits.request_bytes as u64),
                mebibytes(limits.answer_bytes as u64)
            ),
        ],
    );
}

#[test]
fn the_page_of_formats_quotes_the_limits_of_a_frame() {
    says(
        "core/DESIGN.md",
        &[
            format!("## Entry (version 1, {ENTRY_LEN} bytes)"),
            format!(
                "A frame has at most {}, {} commands and {} entries",
                mebibytes(MAX_FRAME_LEN as u64),
                number(MAX_COMMANDS as u64),
                number(MAX_ENTRIES as u64)
            ),
            format!("A header of {SEGMENT_HEADER_LEN} bytes"),
        ],
    );
}
