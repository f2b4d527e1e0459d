//! Taking evidence away. What is written goes to a file beside the one that is asked for, and takes
//! its name when it is whole; a file that was cut off is gone on with.

use std::fs::{self, File as Output, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use planledger_core::audit::{Disclosure, ExportRequest, Header, Line, Scope};
use planledger_core::ids::{PersonId, PlanId, Position};
use planledger_core::tlog::SignedCheckpoint;

use super::super::failure::Failure;
use super::super::output;
use super::super::remote::Remote;
use crate::client::Client;
use crate::settings::File;
use crate::wire;

#[derive(Debug, Args)]
pub(in super::super) struct Export {
    #[command(flatten)]
    of: Of,
    /// Every event up to this position; the newest if not given
    #[arg(long, value_name = "POSITION", requires = "from")]
    #[arg(conflicts_with_all = ["plan", "student"])]
    to: Option<u64>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave out the keys: the log's soundness can be checked, the texts not read
    #[arg(long)]
    integrity_only: bool,
    /// Also prove growth from an earlier checkpoint: its file, or its size
    #[arg(long, value_name = "CHECKPOINT")]
    since: Option<String>,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Of {
    /// One plan
    #[arg(long)]
    plan: Option<PlanId>,
    /// A student: the person's own stream and every plan
    #[arg(long, value_name = "PERSON")]
    student: Option<PersonId>,
    /// Every event from this position on
    #[arg(long, value_name = "POSITION")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    from: Option<u64>,
}

/// What stands in a file that was cut off.
struct Part {
    header: Header,
    size: u64,
    last: Position,
    length: u64,
}

impl Export {
    pub(super) async fn run(self, file: &File) -> Result<(), Failure> {
        let partial = partial_of(&self.out);
        if self.out.exists() {
            let out = self.out.display();
            return Err(Failure::Refused(format!("{out} is there already")));
        }
        let part = read_part(&partial).map_err(|error| at(&partial, &error))?;
        let since = self.since.as_deref().map(since_size).transpose()?;
        let since = since.filter(|size| *size > 0);
        let part = part.filter(|part| self.is_of(part, since));
        let request = wire::export_message(&self.request(part.as_ref(), since)?);
        let client = Client::connect(&self.remote.url(file), &self.remote.actor).await?;
        let mut bundle = client.audit().export_bundle(request).await?.into_inner();
        let mut output_file =
            begin(&partial, part.as_ref()).map_err(|error| at(&partial, &error))?;
        if let Some(part) = &part {
            let last = part.last;
            output::note(format!("going on after position {last} with what is there"));
        }
        let bar = output::progress(0, "exporting");
        let mut events = 0;
        while let Some(response) = bundle.message().await? {
            let written = output_file.write_all(response.lines.as_bytes());
            written.map_err(|error| at(&partial, &error))?;
            events = response.written_events;
            bar.set_length(response.total_events);
            bar.set_position(events);
        }
        bar.finish_and_clear();
        let finished = output_file
            .sync_all()
            .and_then(|()| fs::rename(&partial, &self.out));
        finished.map_err(|error| at(&self.out, &error))?;
        let out = self.out.display();
        if self.json {
            let out = out.to_string();
            output::line(serde_json::json!({ "file": out, "events": events }));
        } else {
            output::line(format!("{events} events in {out}"));
        }
        Ok(())
    }

    fn scope(&self) -> Option<Scope> {
        let of = &self.of;
        (of.plan.map(Scope::Plan))
            .or_else(|| of.student.map(Scope::Student))
            .or_else(|| {
                let (from, to) = (Position::new(of.from?), Position::new(self.to.unwrap_or(0)));
                Some(Scope::Range { from, to })
            })
    }

    fn disclosure(&self) -> Disclosure {
        match self.integrity_only {
            true => Disclosure::Integrity,
            false => Disclosure::Events,
        }
    }

    /// Whether a file that was cut off is of what is asked for now.
    fn is_of(&self, part: &Part, since: Option<u64>) -> bool {
        let same_scope = match (self.scope(), part.header.scope) {
            (Some(Scope::Range { from, to }), Scope::Range { from: f, to: t }) => {
                from == f && (to == t || to == Position::ZERO)
            }
            (asked, found) => asked == Some(found),
        };
        // What is proved of growth stands in the header, which is there already.
        let same_since = part.header.since.as_ref().map(|since| since.size) == since;
        same_scope && same_since && part.header.disclosure == self.disclosure()
    }

    fn request(&self, part: Option<&Part>, since: Option<u64>) -> Result<ExportRequest, Failure> {
        let scope = match (self.scope(), part.map(|part| part.header.scope)) {
            (None, _) => return Err(Failure::Usage("say of what".to_owned())),
            // A range that is open at its end goes on to where it went before.
            (Some(Scope::Range { from, .. }), Some(Scope::Range { to, .. })) => {
                Scope::Range { from, to }
            }
            (Some(scope), _) => scope,
        };
        Ok(ExportRequest {
            scope,
            disclosure: self.disclosure(),
            since,
            resume: part.map(|part| (part.size, part.last)),
        })
    }
}

/// Where a bundle is written until it is whole. Behind the whole name, so that two bundles beside
/// each other never share it.
fn partial_of(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

fn at(path: &Path, error: &io::Error) -> Failure {
    Failure::Refused(format!("{}: {error}", path.display()))
}

/// A size, or the size of the checkpoint in a file.
fn since_size(text: &str) -> Result<u64, Failure> {
    if let Ok(size) = text.parse() {
        return Ok(size);
    }
    let bytes = fs::read(text).map_err(|error| at(Path::new(text), &error))?;
    let signed = SignedCheckpoint::parse(&bytes)
        .map_err(|error| Failure::Refused(format!("{text}: {error}")))?;
    Ok(signed.checkpoint.size)
}

/// Reads a file that was cut off, as far as its lines are whole. Without a header there is nothing
/// to go on with.
fn read_part(path: &Path) -> io::Result<Option<Part>> {
    let input = match Output::open(path) {
        Ok(input) => input,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut input = BufReader::new(input);
    let mut part: Option<Part> = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Ok(part.filter(|part| part.last > Position::ZERO));
        }
        match (Line::parse(&line), &mut part) {
            (Ok(Line::Header(header)), None) => {
                let signed = SignedCheckpoint::parse(header.checkpoint.as_bytes());
                let Ok(signed) = signed else { return Ok(None) };
                part = Some(Part {
                    header: *header,
                    size: signed.checkpoint.size,
                    last: Position::ZERO,
                    length: read as u64,
                });
            }
            (Ok(Line::Event(event)), Some(part)) => {
                part.last = event.position;
                part.length += read as u64;
            }
            (Ok(Line::Ledger(_) | Line::Heads(_)), Some(part)) => part.length += read as u64,
            // The end, or something that is no line of a bundle: what is before it is kept.
            _ => return Ok(part.filter(|part| part.last > Position::ZERO)),
        }
    }
}

/// Opens the file to write on where its whole lines end, or anew.
fn begin(path: &Path, part: Option<&Part>) -> io::Result<Output> {
    match part {
        Some(part) => {
            let output = OpenOptions::new().append(true).open(path)?;
            output.set_len(part.length)?;
            Ok(output)
        }
        None => Output::create(path),
    }
}
