//! `audit export`: writes evidence to a file. The export first goes to a partial file beside the
//! requested one. The partial file gets the requested name when it is complete. A later export
//! continues an unfinished partial file.

use std::fs::{self, File as Output, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use planledger_core::audit::{Disclosure, ExportRequest, Header, Line, Scope};
use planledger_core::ids::{PersonId, PlanId, Position};
use planledger_core::tlog::SignedCheckpoint;

use super::super::error::CliError;
use super::super::output;
use super::super::remote::Remote;
use crate::settings::File;
use crate::wire;

#[derive(Debug, Args)]
pub(in super::super) struct Export {
    #[command(flatten)]
    of: Of,
    /// The last position to export; the newest if not given
    #[arg(long, value_name = "POSITION", requires = "from")]
    #[arg(conflicts_with_all = ["plan", "student"])]
    to: Option<u64>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave out the keys: readers can check that the log is intact, but cannot read the texts
    #[arg(long)]
    integrity_only: bool,
    /// Also prove that the log has only grown since an earlier checkpoint: its file, or its size
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
    /// One student: the person's own stream and all plans of that student
    #[arg(long, value_name = "PERSON")]
    student: Option<PersonId>,
    /// All events from this position on
    #[arg(long, value_name = "POSITION")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    from: Option<u64>,
}

/// What an unfinished partial file holds.
struct Part {
    header: Header,
    size: u64,
    last: Position,
    length: u64,
}

impl Export {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let partial = partial_of(&self.out);
        if self.out.exists() {
            let out = self.out.display();
            return Err(CliError::Refused(format!(
                "{out} already exists; choose another file name"
            )));
        }
        let part = read_part(&partial).map_err(|error| at(&partial, &error))?;
        let since = self.since.as_deref().map(since_size).transpose()?;
        let since = since.filter(|size| *size > 0);
        let part = part.filter(|part| self.is_of(part, since));
        let request = wire::export_message(&self.request(part.as_ref(), since)?);
        let client = self.remote.connect(file).await?;
        let mut bundle = client.audit().export_bundle(request).await?.into_inner();
        let mut output_file =
            begin(&partial, part.as_ref()).map_err(|error| at(&partial, &error))?;
        if let Some(part) = &part {
            let last = part.last;
            output::note(format!(
                "continuing the unfinished export after position {last}"
            ));
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
            output::value(&serde_json::json!({ "file": out, "events": events }));
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

    /// Whether an unfinished partial file belongs to the export that is asked for now.
    fn is_of(&self, part: &Part, since: Option<u64>) -> bool {
        let same_scope = match (self.scope(), part.header.scope) {
            (Some(Scope::Range { from, to }), Scope::Range { from: f, to: t }) => {
                from == f && (to == t || to == Position::ZERO)
            }
            (asked, found) => asked == Some(found),
        };
        // The proof of growth is in the header, and the partial file already has its header.
        let same_since = part.header.since.as_ref().map(|since| since.size) == since;
        same_scope && same_since && part.header.disclosure == self.disclosure()
    }

    fn request(&self, part: Option<&Part>, since: Option<u64>) -> Result<ExportRequest, CliError> {
        let scope = match (self.scope(), part.map(|part| part.header.scope)) {
            (None, _) => {
                return Err(CliError::Usage(
                    "name what to export: give --plan, --student or --from".to_owned(),
                ));
            }
            // A range without an end keeps the end that it had when the partial file was begun.
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

/// The path of the partial file, which is used until the bundle is complete. The suffix follows the
/// whole file name, so two bundles in one folder never share a partial file.
fn partial_of(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

fn at(path: &Path, error: &io::Error) -> CliError {
    CliError::Refused(format!("{}: {error}", path.display()))
}

/// Reads a size, or takes the size of the checkpoint in the named file.
fn since_size(text: &str) -> Result<u64, CliError> {
    if let Ok(size) = text.parse() {
        return Ok(size);
    }
    let bytes = fs::read(text).map_err(|error| at(Path::new(text), &error))?;
    let signed = SignedCheckpoint::parse(&bytes)
        .map_err(|error| CliError::Refused(format!("{text}: {error}")))?;
    Ok(signed.checkpoint.size)
}

/// Reads the complete lines of an unfinished partial file. Returns `None` if there is no header to
/// continue from.
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
            (Ok(Line::Ledger(_) | Line::Heads(_) | Line::Act(_)), Some(part)) => {
                part.length += read as u64;
            }
            // The file ends here, or the next line is not a line of a bundle. Everything before it
            // is kept.
            _ => return Ok(part.filter(|part| part.last > Position::ZERO)),
        }
    }
}

/// Opens the partial file at the end of its complete lines, or creates a new one.
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
