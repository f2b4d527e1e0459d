//! Prints the output of the command line. Only this module writes to standard output. Whatever it
//! prints is [`shown`](super::shown) as text first.
#![allow(clippy::print_stderr, reason = "it is what this module is for")]

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use planledger_proto::FILE_DESCRIPTOR_SET;
use prost_reflect::{DescriptorPool, DynamicMessage};
use prost_types::Timestamp;

use super::error::CliError;
use super::shown::{self, Lines};
use crate::settings::log::LogFormat;

/// Prints a line of data. New lines in it are shown, not obeyed.
pub(crate) fn line(text: impl std::fmt::Display) {
    print(&shown::one_line(&text.to_string()));
}

/// Prints several lines of data.
pub(crate) fn lines(lines: &Lines) {
    lines.iter().for_each(line);
}

/// Prints a value as JSON on one line.
pub(crate) fn value(value: &serde_json::Value) {
    print(&shown::json(&value.to_string()));
}

/// Prints data as it is. A reader may close the pipe early (`| head`): then what follows is dropped,
/// and only the exit code tells the result. Any other failed write would lose data, so it ends the
/// program.
fn print(text: &str) {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            complain(&format!("cannot write to standard output: {error}"));
            std::process::exit(1);
        }
        Ok(()) | Err(_) => {}
    }
}

/// Prints a heading with an empty line before it.
pub(crate) fn heading(text: &str) {
    let text = shown::one_line(text);
    print(&format!("\n{text}\n{}", "─".repeat(text.chars().count())));
}

/// Whether notes and errors are JSON, like the lines of the log between which they stand.
static JSON: AtomicBool = AtomicBool::new(false);

/// Says how notes and errors are written from now on.
pub(super) fn write_notes_as(format: LogFormat) {
    JSON.store(format == LogFormat::Json, Ordering::Relaxed);
}

/// Prints what is not data on standard error.
fn say(level: &str, text: &str, shown: &str) {
    if !JSON.load(Ordering::Relaxed) {
        eprintln!("{shown}");
        return;
    }
    let line = serde_json::json!({
        "timestamp": jiff::Timestamp::now().to_string(),
        "level": level,
        "fields": {"message": text},
        "target": "planledger",
    });
    eprintln!("{}", shown::json(&line.to_string()));
}

/// Prints a note on standard error, because it is not data.
pub(crate) fn note(text: impl std::fmt::Display) {
    let text = text.to_string();
    let text = shown::one_line(&text);
    say("INFO", &text, &text);
}

/// Prints an error message on standard error. It may have several lines.
pub(crate) fn complain(message: &str) {
    let text = shown::message(message);
    say("ERROR", &text, &format!("error: {text}"));
}

/// Prints a message of the API as canonical protobuf JSON, the same JSON that any other client
/// would show.
pub(crate) fn json<M: prost::Message + prost::Name>(message: &M) -> Result<(), CliError> {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).map_err(CliError::refused)?;
    let descriptor = pool
        .get_message_by_name(&M::full_name())
        .ok_or_else(|| CliError::Refused(format!("{} is not described", M::full_name())))?;
    let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())
        .map_err(CliError::refused)?;
    let text = serde_json::to_string_pretty(&message).map_err(CliError::refused)?;
    print(&shown::json(&text));
    Ok(())
}

/// A progress bar. It appears on a terminal only when the work takes more than a second.
pub(crate) fn progress(total: u64, what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
    let style = "{msg} {bar:32} {human_pos}/{human_len} {per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.set_message(what);
    let late = bar.downgrade();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(1));
        if let Some(bar) = late.upgrade().filter(|bar| !bar.is_finished()) {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    });
    bar
}

/// An instant in Copenhagen time, to the second.
pub(crate) fn instant(at: Option<&Timestamp>) -> String {
    let Some(at) = at.and_then(|at| jiff::Timestamp::new(at.seconds, at.nanos).ok()) else {
        return "-".to_owned();
    };
    match jiff::tz::TimeZone::get(crate::system::COPENHAGEN) {
        Ok(zone) => at
            .to_zoned_datetime(zone)
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        Err(_) => at.to_string(),
    }
}

/// Prints a table with aligned columns. The first row is the heading.
pub(crate) fn table(rows: &[Vec<String>]) {
    let shown = |row: &Vec<String>| -> Vec<String> {
        let cells = row.iter().map(|cell| shown::one_line(cell).into_owned());
        cells.collect()
    };
    let rows: Vec<_> = rows.iter().map(shown).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        line(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}
