//! `planledger import roster`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use planledger_core::text::SourceName;

use super::done::{self, Before};
use super::foreseen::Seen;
use super::missing::Missing;
use super::report::Report;
use super::sending::{Sending, send};
use super::told::{count, failed_looking};
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::remote::Remote;
use crate::cli::rest::RosterService;
use crate::client::Client;
use crate::import::roster::Terms;
use crate::import::{ImportFault, ImportFaults, Roster, RosterSummary};
use crate::import_source;
use crate::settings::File;
use crate::system::today;
use crate::upload::{
    Absences, Bounds, Classless, Foresight, Kind, LISTED, Leaving, Listing, MissingLink,
    MissingLinks, StatedFact, Subject, any_institution_known, halts, preview_with_leaving, turn,
};
use crate::wire::proto::{RosterFact, RosterImportMode};

#[derive(Debug, Args)]
pub(in crate::cli) struct RosterImport {
    /// The folder or file to import
    #[arg(required_unless_present = "rest")]
    path: Option<PathBuf>,
    #[command(flatten)]
    service: RosterService,
    #[command(flatten)]
    remote: Remote,
    /// The system that the roster comes from: two systems may use the same ids for different people
    /// [default: source.systemCode of the manifest, else "default"]
    #[arg(long, value_name = "NAME")]
    source: Option<SourceName>,
    /// Only say what the import would do; nothing is written
    #[arg(long)]
    dry_run: bool,
    /// How many percent of enrolments, people, classes, guardianships or roles at institutions that are
    /// gone the import may end without being asked; fewer than 20 are asked about only if they are more
    /// than half of all roles
    #[arg(long, value_name = "PERCENT", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
    removal_limit: u8,
    /// Go on although the import ends more than that, or a table is empty
    #[arg(long)]
    accept_removals: bool,
    /// Go on although the import changes the names of unusually many people
    #[arg(long)]
    accept_names: bool,
    /// How many percent of a table's rows may be bad before the import stops
    #[arg(long, value_name = "PERCENT", default_value_t = Terms::BAD_ROWS)]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
    bad_rows: u8,
    /// Write every row that is passed over and every link that the import ends to a CSV file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The name of a source that nobody names.
const DEFAULT_SOURCE: &str = "default";

impl RosterImport {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        // The files are checked first. The user learns about wrong files without a server, and
        // before anything is sent.
        let mut roster = self.open()?;
        let found = roster.summary();
        if !self.json {
            show(&found);
        }
        let mut report = Report::create(self.report.as_deref())?;
        tell(&roster, &mut report);
        let client = Client::connect(&self.remote.url(file), &self.remote.actor).await?;
        let named = self.source.clone().or_else(|| roster.system_code());
        let name = match named {
            Some(name) => name,
            None => SourceName::new(DEFAULT_SOURCE).map_err(CliError::refused)?,
        };
        let source = import_source::find(&client, name).await?;
        let origin = source.origin;
        let name = origin.name.as_str();
        roster.set_origin(origin.clone());
        let mode = match roster.is_delta() {
            true => RosterImportMode::Delta,
            false => RosterImportMode::Bulk,
        };
        let last_import = source.last_bulk.map(|import| import.day);
        // An export of changes says nothing of whom it does not name.
        let mut absences = match last_import.is_some() && !roster.is_delta() {
            true => absences(&client, name, &roster).await?,
            false => Absences::default(),
        };
        let hides_guardians = roster.hides_guardians();
        let mut sending = Sending::new(roster);
        let institutions = institutions(&sending).map_err(CliError::refused)?;
        if hides_guardians && !absences.persons.is_empty() {
            absences.leave_guardians(&client, &institutions).await?;
        }
        let notes = last_import.map(|last_seen| absences.notes(name, &last_seen));
        sending.notes = Arc::new(notes.unwrap_or_default());
        let number = found.commands + sending.notes.len() as u64;
        let links = missing_links(&client, name, &absences, &mut report).await?;
        let (mut ending, mut turning) = (Listing::default(), Listing::default());
        // Deltas and empty tables name no institution.
        let is_known = source.is_known || any_institution_known(&client, &institutions).await?;
        if self.dry_run || is_known {
            let seen = &mut absences.classless;
            let lists = match self.dry_run {
                true => Lists::All,
                false => Lists::Turns,
            };
            let looking = look(&client, &sending, number, seen, (&mut report, lists));
            let (foresight, settled, leaving) = looking.await?;
            sending.settled = Arc::new(settled);
            let halts = halts(&foresight, &self.bounds(&found, mode));
            if self.dry_run || !halts.is_empty() {
                if !self.dry_run && report.is_written() {
                    // An import that goes on reports what it did. This one reports what it would have
                    // done, which is known only now that it stops.
                    let seen = &mut Classless::default();
                    look(&client, &sending, number, seen, (&mut report, Lists::Links)).await?;
                }
                for halt in &halts {
                    report.halt(halt);
                }
                let seen = Seen {
                    foresight,
                    missing: Some(
                        Missing::named(&client, &absences, links)
                            .await
                            .with(leaving),
                    ),
                    passed_over: found.passed_over(),
                    halts,
                };
                seen.show(self.json);
                report.finish()?;
                return seen.verdict();
            }
            (ending, turning) = (foresight.dropped, foresight.turned);
        }
        let missing = Missing::named(&client, &absences, links).await;
        let position = import_source::register(&client, &origin).await?;
        let mut uploaded = send(&client, &sending, number, &mut report).await?;
        uploaded.position = uploaded.position.max(position);
        report.finish()?;
        if uploaded.refused == 0 {
            import_source::finish(&client, &origin, mode, &found).await?;
        }
        // The import is written. That this cannot be read must not hide what it did.
        let missing = match Leaving::find(&client, uploaded.position).await {
            Ok(leaving) => missing.with(Some(leaving)),
            Err(status) => {
                let why = status.message();
                output::note(format!("who may have left could not be read: {why}"));
                missing
            }
        };
        let before = Before::new(&missing, &ending, &turning);
        done::report(&uploaded, &before, "roster", self.json)
    }

    /// Opens the files, or fetches the roster from the service that is named.
    fn open(&self) -> Result<Roster, CliError> {
        let terms = Terms {
            today: today(),
            bad_rows: self.bad_rows,
        };
        let path = self.path.as_deref().unwrap_or(Path::new(""));
        let fetched = self.service.fetch(terms, |faults| self.refused(faults));
        fetched.unwrap_or_else(|| Roster::open(path, terms).map_err(|faults| self.refused(&faults)))
    }

    /// The error of files with faults. The report gets all that is known of them.
    fn refused(&self, faults: &ImportFaults) -> CliError {
        let written = Report::create(self.report.as_deref()).and_then(|mut report| {
            report.refused(faults);
            report.finish()
        });
        match written {
            Ok(()) => CliError::refused(faults),
            Err(CliError::Refused(error)) => CliError::Refused(format!("{faults}\n{error}")),
            Err(error) => error,
        }
    }

    fn bounds(&self, found: &RosterSummary, mode: RosterImportMode) -> Bounds {
        // An export of changes need not hold anything of a kind.
        let holds_all = mode != RosterImportMode::Delta;
        Bounds {
            removal_percent: self.removal_limit.into(),
            accept_removals: self.accept_removals,
            accept_names: self.accept_names,
            is_whole: holds_all,
            no_users: holds_all && found.persons() == 0,
            no_classes: holds_all && found.teams == 0,
            no_enrolments: holds_all && found.memberships + found.staff == 0,
        }
    }
}

fn show(found: &RosterSummary) {
    output::table(&[
        count("school years", found.school_years),
        count("institutions", found.institutions),
        count("persons", found.persons()),
        count("guardianships", found.guardianships),
        count(
            "agents who guard nobody, passed over",
            found.agents_passed_over,
        ),
        count("teams", found.teams),
        count("memberships", found.memberships),
        count("staff", found.staff),
        count("rows that are gone, passed over", found.gone_passed_over),
        count("bad rows, passed over", found.bad_passed_over),
        count("single values, passed over", found.values_passed_over),
    ]);
}

/// Says what was assumed about the files, and which rows are passed over.
fn tell(roster: &Roster, report: &mut Report) {
    for note in roster.notes() {
        output::note(note);
    }
    let passed = roster.passed_over();
    for one in passed {
        report.passed_over(one);
    }
    for one in passed.iter().take(LISTED) {
        output::note(format!("passed over: {}", one.fault));
    }
    if let Some(more) = passed.len().checked_sub(LISTED).filter(|more| *more > 0) {
        output::note(format!("and {more} more; --report FILE lists all"));
    }
}

/// Finds who and what earlier imports of the source brought and the export does not have.
async fn absences(client: &Client, source: &str, roster: &Roster) -> Result<Absences, CliError> {
    let mut absences = Absences::find(client, source, &roster.members()).await?;
    if roster.hides_persons() && !absences.persons.is_empty() {
        output::note(
            "rows of users.csv that were passed over have no id that can be read: nobody is noted as \
             missing",
        );
        absences.persons.clear();
    }
    if roster.hides_classes() && !absences.teams.is_empty() {
        output::note(
            "rows of classes.csv that were passed over have no id that can be read: no class is noted as \
             missing",
        );
        absences.teams.clear();
    }
    Ok(absences)
}

/// Finds the links that are missing because one of their ends is. The report gets all of them, and
/// who and what is not in the export.
async fn missing_links(
    client: &Client,
    source: &str,
    absences: &Absences,
    report: &mut Report,
) -> Result<MissingLinks, CliError> {
    report.absent(absences);
    let told = |link: &MissingLink| report.missing(link);
    Ok(MissingLinks::find(client, source, absences, told).await?)
}

/// The ids of the institutions that a roster names. They come before everything that there is much
/// of, so little is read.
fn institutions(sending: &Sending) -> Result<Vec<String>, ImportFault> {
    let mut institutions = Vec::new();
    sending.commands()(&mut |command, source| {
        let subject = Subject::of(&command, source);
        match subject.kind {
            Kind::Institution => institutions.push(subject.id),
            Kind::SchoolYear => {}
            Kind::Person
            | Kind::Profiles
            | Kind::Guardians
            | Kind::Team
            | Kind::Catalogue
            | Kind::Other => return false,
        }
        true
    })?;
    Ok(institutions)
}

/// What `look` writes to the report.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lists {
    /// Who has left or is back, and what is closed or open again, because the export says so.
    Turns,
    /// The links that the import would end, and what would stay.
    Links,
    All,
}

/// What the import would do, which commands change nothing and need not be sent, and who would look as
/// if they had left. `classless` gets who is in no class any more.
async fn look(
    client: &Client,
    sending: &Sending,
    number: u64,
    classless: &mut Classless,
    (report, lists): (&mut Report, Lists),
) -> Result<(Foresight, Vec<bool>, Option<Leaving>), CliError> {
    let bar = output::progress(number, "comparing");
    let mut foresight = Foresight::default();
    let mut settled = Vec::new();
    let looked = preview_with_leaving(client, sending.commands(), |looked| {
        bar.inc(1);
        settled.push(looked.is_settled());
        classless.see(&looked.subject);
        let source = &looked.subject.source;
        let preview = looked.outcome.as_ref().ok();
        if let Some((preview, turn)) = preview.and_then(|it| Some((it, turn(it)?)))
            && lists != Lists::Links
        {
            report.turned(source, &preview.stream, turn);
        }
        if let Some(preview) = preview.filter(|_| lists != Lists::Turns) {
            let stated = |fact: &RosterFact| StatedFact {
                source: source.clone(),
                stream: preview.stream.clone(),
                fact: fact.clone(),
            };
            for fact in &preview.dropped {
                report.dropped(&stated(fact));
            }
            for fact in &preview.kept {
                report.kept(&stated(fact));
            }
        }
        foresight.add(looked);
    });
    let looked = looked.await;
    bar.finish_and_clear();
    let leaving = looked.map_err(|error| failed_looking(&error))?;
    Ok((foresight, settled, leaving))
}
