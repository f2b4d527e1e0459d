//! `planledger import roster`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use planledger_core::ids::RosterSourceId;
use planledger_core::text::SourceName;
use serde_json::json;

use super::done::{self, Before};
use super::foreseen::Seen;
use super::missing::{Missing, unrecorded as unrecorded_in_words};
use super::report::{self, Report, spare};
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
    Absences, Bounds, Classless, Foresight, Kind, KnownInstitutions, Leaving, Listing, MissingLink,
    MissingLinks, Share, StatedFact, Subject, Unrecorded, halts, preview_with_leaving, turn,
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
    /// Go on although the source is new and another one has brought the same institutions
    #[arg(long)]
    new_source: bool,
    /// How many percent of a table's rows may be bad before the import stops
    #[arg(long, value_name = "PERCENT", default_value_t = Terms::BAD_ROWS)]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
    bad_rows: u8,
    /// Write every row that is passed over, every link that the import ends and every command that the
    /// server refuses to a CSV file, which must not stand in the export
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
        spare(self.report.as_deref(), self.path.as_deref())?;
        // The files are checked first. The user learns about wrong files without a server, and
        // before anything is sent.
        let mut roster = self.open()?;
        let found = roster.summary();
        if !self.json {
            show(&found);
        }
        let mut report = Report::create(self.report.as_deref())?;
        tell(&roster, &mut report);
        let name = self.source_of(&mut roster)?;
        let client = self.remote.connect(file).await?;
        let source = import_source::find(&client, name).await?;
        let origin = source.origin;
        let name = origin.name.as_str();
        roster.set_origin(origin.clone());
        let commands = roster.summary().commands;
        let mode = match roster.is_delta() {
            true => RosterImportMode::Delta,
            false => RosterImportMode::Bulk,
        };
        // An export of changes says nothing of whom it does not name.
        let compares = source.last_bulk.is_some() && mode == RosterImportMode::Bulk;
        let mut absences = match compares {
            true => absences(&client, name, &roster).await?,
            false => Absences::default(),
        };
        let known = KnownInstitutions::read(&client).await?;
        let is_upgrade = !source.is_known && origin.id == RosterSourceId::FIRST;
        let unrecorded = match is_upgrade && mode == RosterImportMode::Bulk {
            true => unrecorded(&client, &known, &roster, &mut report).await?,
            false => Unrecorded::default(),
        };
        let hides_guardians = roster.hides_guardians();
        let mut sending = Sending::new(roster);
        let institutions = institutions(&sending).map_err(CliError::refused)?;
        if hides_guardians && !absences.persons.is_empty() {
            let ids: Vec<_> = institutions.iter().map(|it| it.id.clone()).collect();
            absences.leave_guardians(&client, &ids).await?;
        }
        // Whoever was not in that import was noted as absent by it, or it held changes only, and they
        // were still there.
        let last_import = source.last_import.as_ref();
        let notes = last_import.map(|last| absences.notes(name, &last.day));
        sending.notes = Arc::new(notes.unwrap_or_default());
        let number = commands + sending.notes.len() as u64;
        let links = missing_links(&client, name, &absences, &mut report).await?;
        let (mut ending, mut turning) = (Listing::default(), Listing::default());
        let may_meet = !source.is_known && source.has_others;
        let met = self.met(may_meet, &known, &institutions);
        // Deltas and empty tables name no institution. The first source that gets a name has the ids
        // of everything that the ledger got before, whoever sent that.
        let meets_others = source.is_known
            || met.ending > 0
            || known.has_any(&institutions)
            || (is_upgrade && known.may_be_any());
        if self.dry_run || meets_others {
            let seen = &mut absences.classless;
            let lists = match self.dry_run {
                true => Lists::All,
                false => Lists::Turns,
            };
            let looking = look(&client, &sending, number, seen, (&mut report, lists));
            let (mut foresight, settled, leaving) = looking.await?;
            let held = source.last_bulk.as_ref().and_then(|it| it.counts.as_ref());
            if let (RosterImportMode::Delta, Some(held)) = (mode, held) {
                foresight.widen(held);
            }
            sending.settled = Arc::new(settled);
            let halts = halts(&foresight, &self.bounds(&found, mode, met));
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
                            .without_record(unrecorded)
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
        sending.is_first = !meets_others && sending.notes.is_empty();
        let missing = Missing::named(&client, &absences, links).await;
        let missing = missing.without_record(unrecorded);
        let position = import_source::register(&client, &origin).await?;
        let mut uploaded = send(&client, &sending, number, &mut report).await?;
        uploaded.position = uploaded.position.max(position);
        report.finish()?;
        // An import of which something was refused does not count as whole: `done` says what follows.
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
        let before = Before::new(&missing, &ending, &turning)
            .passing_over(json!({ "count": found.passed_over() }));
        done::report(&uploaded, &before, "roster", self.json)
    }

    /// The name of the source. One that cannot be used is not taken for none: everybody would be there
    /// twice.
    fn source_of(&self, roster: &mut Roster) -> Result<SourceName, CliError> {
        let named = match &self.source {
            Some(name) => Some(name.clone()),
            None => roster.system_code().map_err(|fault| {
                CliError::Refused(format!(
                    "{fault}\nno source can have this name; name it with --source"
                ))
            })?,
        };
        named.map_or_else(
            || SourceName::new(DEFAULT_SOURCE).map_err(CliError::refused),
            Ok,
        )
    }

    /// Opens the files, or fetches the roster from the service that is named.
    fn open(&self) -> Result<Roster, CliError> {
        let terms = Terms {
            today: today(),
            bad_rows: self.bad_rows,
        };
        let path = self.path.as_deref().unwrap_or(Path::new(""));
        let refused = |faults: &ImportFaults| report::refuse(self.report.as_deref(), faults);
        let fetched = self.service.fetch(terms, refused);
        fetched.unwrap_or_else(|| Roster::open(path, terms).map_err(|faults| refused(&faults)))
    }

    /// Of the institutions of a source that is new, those that the ledger has from others. Whoever
    /// names the source means it.
    fn met(&self, may_meet: bool, known: &KnownInstitutions, named: &[Subject]) -> Share {
        match may_meet && !self.new_source && self.source.is_none() {
            true => Share {
                ending: known.meet(named),
                of: named.len() as u64,
            },
            false => Share::default(),
        }
    }

    fn bounds(&self, found: &RosterSummary, mode: RosterImportMode, met: Share) -> Bounds {
        // An export of changes need not hold anything of a kind.
        let holds_all = mode != RosterImportMode::Delta;
        Bounds {
            removal_percent: self.removal_limit.into(),
            accept_removals: self.accept_removals,
            accept_names: self.accept_names,
            met,
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
    report.tell(roster.passed_over());
}

/// Finds who and what earlier imports of the source brought and the export does not have.
async fn absences(client: &Client, source: &str, roster: &Roster) -> Result<Absences, CliError> {
    let export = (&roster.members(), roster.files());
    let mut absences = Absences::find(client, source, export).await?;
    if roster.hides_persons() && !absences.persons.is_empty() {
        output::note(format!(
            "rows of {} that were passed over have no id that can be read: nobody is noted as missing",
            absences.files.persons
        ));
        absences.persons.clear();
    }
    if roster.hides_classes() && !absences.teams.is_empty() {
        output::note(format!(
            "{0} is not there, or rows of it that were passed over have no id that can be read: \
             no class is noted as missing",
            absences.files.classes
        ));
        absences.teams.clear();
    }
    Ok(absences)
}

/// Counts who came before sources had names and is not in the export. The report gets the numbers.
async fn unrecorded(
    client: &Client,
    known: &KnownInstitutions,
    roster: &Roster,
    report: &mut Report,
) -> Result<Unrecorded, CliError> {
    let found = Unrecorded::find(client, known, &roster.members()).await?;
    if let Some(said) = unrecorded_in_words(found) {
        report.without_source(&said);
    }
    Ok(found)
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
    let told = |link: &MissingLink| report.missing(link, &absences.files);
    Ok(MissingLinks::find(client, source, absences, told).await?)
}

/// The institutions that a roster names. They come before everything that there is much
/// of, so little is read.
fn institutions(sending: &Sending) -> Result<Vec<Subject>, ImportFault> {
    let mut institutions = Vec::new();
    sending.commands()(&mut |command, source| {
        let subject = Subject::of(&command, source);
        match subject.kind {
            Kind::Institution => institutions.push(subject),
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
    /// The links that the import would end, what would stay, and what would be refused.
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
        if let (Err(error), true) = (&looked.outcome, lists != Lists::Turns) {
            report.refused_command(source, error);
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
