//! `erasure propose`: asks for the erasure of whoever is due by retention classes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;
use planledger_proto::v1::erasure_command::Operation;
use planledger_proto::v1::erasure_target::Target;
use planledger_proto::v1::{
    self as proto, DueErasure, DueErasureStanding, ErasureState, ListDueErasuresRequest,
    ListDueErasuresResponse, RetentionTerm,
};
use tonic_types::StatusExt;

use super::super::error::{CliError, words};
use super::super::output;
use super::super::remote::Remote;
use super::{command, list};
use crate::client::Client;
use crate::settings::File;
use crate::wire;

const PAGE: i32 = 1_000;
/// So many requests are made without a word. More of them may be the work of one wrong import.
const FEW: usize = 200;

#[derive(Debug, Args)]
pub(in crate::cli) struct Propose {
    /// The retention classes, as TOML; service/samples/retention-example.toml shows the form
    #[arg(long, value_name = "FILE")]
    classes: PathBuf,
    /// Only show who is due; ask for nothing
    #[arg(long)]
    dry_run: bool,
    /// Who is due on this day (2026-02-22), as things stand now; a day to come only with --dry-run
    /// [default: today]
    #[arg(long, value_name = "DAY")]
    as_of: Option<Date>,
    /// Also ask again where the same request was taken back
    #[arg(long)]
    again: bool,
    /// Ask for up to this many erasures at once
    #[arg(long, value_name = "COUNT", default_value_t = FEW)]
    accept_many: usize,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON: who is due, and how far each erasure has come after the command
    #[arg(long)]
    json: bool,
}

impl Propose {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let classes = read_classes(&self.classes)?;
        let client = self.remote.connect(file).await?;
        let terms = terms(&classes);
        let mut found = self.due(&client, classes).await?;
        // Days of one form are in the order of their texts.
        if !self.dry_run && found.day > found.today {
            let what = "whoever is due on a day to come is not due yet: add --dry-run";
            return Err(CliError::Usage(what.to_owned()));
        }
        let wanted = found.due.iter().filter(|one| self.is_wanted(one)).count();
        let mut failed = None;
        if !self.dry_run && wanted <= self.accept_many {
            failed = self.ask(&client, &terms, &mut found.due).await.err();
        }
        match self.json {
            true => output::json(&found)?,
            false => show(&found),
        }
        if self.as_of.is_none() {
            tell_outdated(&client, &found).await?;
        }
        if let Some(failed) = failed {
            return Err(failed);
        }
        match (self.dry_run, wanted <= self.accept_many) {
            (true, _) => output::note(format!(
                "nothing is asked for; without --dry-run it would be {wanted} erasures"
            )),
            (false, true) => output::note(
                "nothing is destroyed before another records officer has approved it: erasure approve",
            ),
            (false, false) => return Err(too_many(wanted, self.accept_many)),
        }
        Ok(())
    }

    fn is_wanted(&self, one: &DueErasure) -> bool {
        match one.standing() {
            DueErasureStanding::New => true,
            DueErasureStanding::TakenBack => self.again,
            DueErasureStanding::Requested
            | DueErasureStanding::Approved
            | DueErasureStanding::Unspecified => false,
        }
    }

    /// Everybody who is due.
    async fn due(
        &self,
        client: &Client,
        classes: Vec<proto::RetentionClass>,
    ) -> Result<ListDueErasuresResponse, CliError> {
        let mut request = ListDueErasuresRequest {
            classes,
            as_of: self.as_of.map(|day| day.to_string()),
            page_size: PAGE,
            ..ListDueErasuresRequest::default()
        };
        let mut all = ListDueErasuresResponse::default();
        loop {
            let page = client.access().list_due_erasures(request.clone()).await?;
            let page = page.into_inner();
            all.due.extend(page.due);
            for more in page.not_due {
                let mut known = all.not_due.iter_mut();
                match known.find(|known| known.reason == more.reason) {
                    Some(known) => known.count += more.count,
                    None => all.not_due.push(more),
                }
            }
            (all.day, all.today, all.position) = (page.day, page.today, page.position);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Asks for the erasure of everybody who is wanted, one by one.
    async fn ask(
        &self,
        client: &Client,
        terms: &Terms,
        due: &mut [DueErasure],
    ) -> Result<(), CliError> {
        let mut made = 0_usize;
        for one in due.iter_mut().filter(|one| self.is_wanted(one)) {
            let request = Operation::RequestErasure(proto::RequestErasure {
                basis: one.basis.clone(),
                reason: one.reason.clone(),
                retention: terms.get(&one.class_name).cloned(),
            });
            let request = proto::ExecuteRequest {
                command: Some(command(
                    None,
                    Target::PersonId(one.person_id.clone()),
                    request,
                )),
            };
            match client.commands().execute(request).await {
                Ok(_) => {
                    made += 1;
                    one.set_standing(DueErasureStanding::Requested);
                }
                // Somebody else has asked for it, or erased the person, since the list was read.
                Err(status) if is_for(&status, &["ERASURE_UNDER_WAY", "PERSON_ERASED"]) => {
                    one.set_standing(DueErasureStanding::Requested);
                }
                // The person is back since.
                Err(status) if is_for(&status, &["ERASURE_NOT_DUE"]) => {
                    let (person, words) = (&one.person_id, words(&status));
                    output::note(format!("not asked for: person/{person}: {words}"));
                }
                Err(status) => {
                    let what = words(&status);
                    return Err(CliError::Refused(format!(
                        "{what}\n  {made} erasures were asked for before that"
                    )));
                }
            }
        }
        output::note(format!("{made} erasures are asked for"));
        Ok(())
    }
}

/// Whether something was refused for one of these reasons.
fn is_for(status: &tonic::Status, reasons: &[&str]) -> bool {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.as_str());
    reason.is_some_and(|reason| reasons.contains(&reason))
}

/// The time of each class, by its name.
type Terms = HashMap<String, RetentionTerm>;

fn terms(classes: &[proto::RetentionClass]) -> Terms {
    let terms = classes.iter().map(|class| {
        let term = RetentionTerm {
            start: class.start,
            keep: class.keep.clone(),
        };
        (class.name.clone(), term)
    });
    terms.collect()
}

fn too_many(wanted: usize, accepted: usize) -> CliError {
    CliError::Refused(format!(
        "{wanted} erasures would be asked for, and at most {accepted} are accepted, because one wrong \
         import can make many people look as if they had left: nothing is asked for; look at the list, \
         then say --accept-many {wanted}"
    ))
}

fn read_classes(path: &Path) -> Result<Vec<proto::RetentionClass>, CliError> {
    let usage =
        |error: &dyn std::fmt::Display| CliError::Usage(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| usage(&error))?;
    wire::retention_classes_of_toml(&text).map_err(|error| usage(&error))
}

fn show(found: &ListDueErasuresResponse) {
    let heads = [
        "person",
        "class",
        "kept until",
        "due since",
        "events",
        "plans",
        "erasure",
    ];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(found.due.iter().map(|one| {
        vec![
            one.person_id.clone(),
            one.class_name.clone(),
            one.kept_until.clone(),
            one.due_since.clone(),
            one.event_count.to_string(),
            one.plan_count.to_string(),
            word(one.standing().as_str_name(), "DUE_ERASURE_STANDING_"),
        ]
    }));
    output::table(&rows);
    for count in &found.not_due {
        let why = word(count.reason().as_str_name(), "NOT_DUE_REASON_");
        output::note(format!("not due, {why}: {}", count.count));
    }
    output::note(format!(
        "{} due on {}; as of position {}",
        found.due.len(),
        found.day,
        found.position
    ));
}

fn word(name: &str, prefix: &str) -> String {
    let word = name.strip_prefix(prefix).unwrap_or(name);
    word.to_ascii_lowercase().replace('_', " ")
}

/// Names the requests of earlier runs for people who are not due any more: they are back, or a class or
/// a day has changed.
async fn tell_outdated(client: &Client, found: &ListDueErasuresResponse) -> Result<(), CliError> {
    for one in list::all(client).await? {
        let target = one.target.as_ref().and_then(|it| it.target.as_ref());
        let Some(Target::PersonId(person)) = target else {
            continue;
        };
        let is_open = one.state() == ErasureState::Requested
            && one.reason.starts_with(wire::RETENTION_REASON);
        let mut due = found.due.iter();
        if is_open && !due.any(|due| due.person_id == *person && due.reason == one.reason) {
            output::note(format!(
                "asked for earlier, and not due for that reason now: person/{person}; take it back \
                 with erasure withdraw --person {person}"
            ));
        }
    }
    Ok(())
}
