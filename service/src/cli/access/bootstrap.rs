//! `access bootstrap`: makes the first administrator of a ledger, at its directory.

use std::collections::BTreeSet;

use clap::Args;
use planledger_core::derived::Term;
use planledger_core::domain::grants::{GrantsCommand, Role};
use planledger_core::domain::person::{PersonCommand, RosterRecord};
use planledger_core::domain::system::SystemCommand;
use planledger_core::domain::{Actor, Aggregate, Command, World};
use planledger_core::few::Few;
use planledger_core::ids::{CommandId, GrantId, GrantsId, PersonId, RosterSourceId, SystemId};
use planledger_core::ledger::{Envelope, ReadError, Reading};
use planledger_core::text::{CprContext, ExternalId, Name, ReasonText, SourceName};
use serde_json::json;
use uuid::Uuid;

use super::super::error::CliError;
use super::super::id::id;
use super::super::output;
use super::super::place::LedgerPlace;
use super::system::Proofs;
use crate::import::Origin;
use crate::settings::File;
use crate::settings::master::Keeping;

/// Why the grants of an administrator end in whose place another one comes.
const INSTEAD: &str = "another administrator was made at the ledger's directory";

#[derive(Debug, Args)]
pub(in crate::cli) struct Bootstrap {
    /// A person whom the ledger knows
    #[arg(long, value_name = "UUID", value_parser = id::<PersonId>())]
    #[arg(conflicts_with_all = ["source", "external_id", "system"])]
    person: Option<PersonId>,
    /// The source that knows the person by the id that `--id` names
    #[arg(long, value_name = "NAME", requires = "external_id")]
    source: Option<SourceName>,
    /// The id of the person in that source. If the ledger does not know the person yet, `--name` is
    /// needed too; a later roster of the source finds the same person
    #[arg(
        long = "id",
        value_name = "ID",
        requires = "source",
        conflicts_with = "system"
    )]
    external_id: Option<String>,
    /// A system; if the ledger does not know it yet, `--name` and how it proves itself are needed too
    #[arg(long, value_name = "UUID", value_parser = id::<SystemId>())]
    system: Option<SystemId>,
    /// Name of a person or system whom the ledger does not know yet
    #[arg(long, value_name = "NAME")]
    name: Option<Name>,
    #[command(flatten)]
    proofs: Proofs,
    /// The last administrator, person/UUID or system/UUID, if nobody can reach them any more; their
    /// grants as administrator end
    #[arg(long, value_name = "ADMINISTRATOR", value_parser = id::<Actor>())]
    instead_of: Option<Actor>,
    #[command(flatten)]
    place: LedgerPlace,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Who becomes administrator, and what makes them known if they are not.
struct Chosen {
    grantee: Actor,
    first: Option<Command>,
}

impl Bootstrap {
    pub(super) fn run(self, file: &File) -> Result<(), CliError> {
        // It may be what makes the ledger, and then its master key: where the server will look for it.
        let keeping = match file.identity {
            Some(_) => Keeping::Apart,
            None => Keeping::Anywhere,
        };
        let options = self.place.options_with(file, keeping)?;
        let ledger = self.place.open(options)?;
        let (chosen, _) = ledger.read(|reading| self.chosen(reading))?;
        let (ended, _) = ledger.read(|reading| self.ended(reading))?;
        // The ledger itself acts: nobody has proved who they are.
        let actor = Actor::System(SystemId::from_uuid(ledger.status().ledger.uuid()));
        let grant = GrantId::from_uuid(Uuid::new_v4());
        let grantee = chosen.grantee;
        let bootstrap = GrantsCommand::Bootstrap {
            grant,
            grantee,
            instead_of: self.instead_of,
        };
        let bootstrap = Command::Grants(GrantsId::of(grantee), bootstrap);
        // Together, so that nobody is made known who is then refused.
        let commands = chosen.first.into_iter().chain([bootstrap]).chain(ended);
        let new = |command| Envelope::new(CommandId::from_uuid(Uuid::new_v4()), command);
        let receipts = ledger.execute_batch(actor, commands.map(new).collect());
        let receipts = receipts.map_err(CliError::refused)?;
        let position = receipts.last().map_or(0, |receipt| receipt.position.get());
        if self.json {
            output::value(&json!({
                "grantee": grantee.to_string(),
                "grantId": grant.to_string(),
                "position": position,
            }));
            return Ok(());
        }
        output::line(format!("{grantee} is administrator by grant {grant}"));
        Ok(())
    }

    fn chosen(&self, reading: &Reading<'_>) -> Result<Chosen, CliError> {
        if let Some(person) = self.person {
            let grantee = Actor::Person(person);
            return Ok(Chosen {
                grantee,
                first: None,
            });
        }
        if let Some(system) = self.system {
            return self.system(reading, system);
        }
        match (&self.source, &self.external_id) {
            (Some(source), Some(id)) => self.by_id(reading, source, id),
            (Some(_) | None, Some(_) | None) => Err(CliError::Usage(
                "say who becomes administrator: --person, --source and --id, or --system"
                    .to_owned(),
            )),
        }
    }

    /// What ends the grants of the administrator in whose place another one comes.
    fn ended(&self, reading: &Reading<'_>) -> Result<Vec<Command>, CliError> {
        let Some(grantee) = self.instead_of else {
            return Ok(Vec::new());
        };
        let stream = GrantsId::of(grantee);
        let state = reading.stream(stream)?;
        let grants = match state.as_ref().map(|(state, _)| &**state) {
            Some(Aggregate::Grants(all)) => Some(&all.grants),
            Some(_) | None => None,
        };
        let today = reading.day();
        let reason = ReasonText::new(INSTEAD).map_err(CliError::refused)?;
        let open = grants.into_iter().flatten().filter(|(_, grant)| {
            grant.details.role == Role::Administrator && !grant.is_over_on(today)
        });
        let ended = open.map(|(id, _)| {
            let revoke = GrantsCommand::Revoke {
                grant: *id,
                grantee,
                reason: Some(reason.clone()),
            };
            Command::Grants(stream, revoke)
        });
        match ended.collect::<Vec<_>>() {
            none if none.is_empty() => Err(CliError::Refused(format!(
                "{grantee} is no administrator; leave --instead-of out, or name the last administrator"
            ))),
            ended => Ok(ended),
        }
    }

    fn system(&self, reading: &Reading<'_>, system: SystemId) -> Result<Chosen, CliError> {
        let grantee = Actor::System(system);
        let is_known = reading.stream(system)?.is_some();
        let first = match (is_known, &self.name) {
            (true, _) => None,
            (false, Some(name)) => {
                let details = self.proofs.details(name.clone());
                Some(Command::System(system, SystemCommand::Register(details)))
            }
            (false, None) => return Err(unnamed("system")),
        };
        Ok(Chosen { grantee, first })
    }

    fn by_id(
        &self,
        reading: &Reading<'_>,
        source: &SourceName,
        id: &str,
    ) -> Result<Chosen, CliError> {
        let known_by = ExternalId::new_in(id, CprContext::OrganisationId);
        let known_by = known_by.map_err(|error| CliError::Usage(format!("the id {error}")))?;
        let persons = find(reading, source, &known_by)?;
        match (persons.as_slice(), &self.name) {
            ([person], _) => Ok(Chosen {
                grantee: Actor::Person(*person),
                first: None,
            }),
            ([], Some(name)) => {
                let origin = origin(reading, source)?;
                let person = origin.person(id);
                let record = RosterRecord {
                    source: source.clone(),
                    sourced_id: known_by,
                    user_ids: Few::default(),
                    enabled: true,
                    enrolled: None,
                    profiles: None,
                };
                let put = PersonCommand::Put {
                    name: name.clone(),
                    affiliations: BTreeSet::new(),
                    departed: false,
                    record: Some(record),
                };
                Ok(Chosen {
                    grantee: Actor::Person(person),
                    first: Some(Command::Person(person, put)),
                })
            }
            ([], None) => Err(unnamed("person")),
            (_, _) => Err(CliError::Refused(
                "the source knows several persons by this id; name one with --person".to_owned(),
            )),
        }
    }
}

fn unnamed(what: &str) -> CliError {
    CliError::Usage(format!(
        "the ledger does not know this {what} yet; give the {what} a --name"
    ))
}

/// The persons whom a source knows by an id.
fn find(
    reading: &Reading<'_>,
    source: &SourceName,
    id: &ExternalId,
) -> Result<Vec<PersonId>, ReadError> {
    let mut found = Vec::new();
    for stream in reading.find(Term::external_id(id))?.iter() {
        if let Some((state, _)) = reading.stream(*stream)?
            && let Aggregate::Person(person) = &*state
            && let Some(record) = person.records.get(source)
            && record.ids().any(|known| known == id)
        {
            found.push(PersonId::from_uuid(stream.id));
        }
    }
    Ok(found)
}

/// How an import of the source will make its ids: as the first source of the ledger if there is none
/// yet.
fn origin(reading: &Reading<'_>, source: &SourceName) -> Result<Origin, ReadError> {
    let first = reading.stream(RosterSourceId::FIRST)?;
    let id = match first.as_ref().map(|(state, _)| &**state) {
        None => RosterSourceId::FIRST,
        Some(Aggregate::RosterSource(first)) if first.name == *source => RosterSourceId::FIRST,
        Some(_) => RosterSourceId::named(source),
    };
    let name = source.clone();
    Ok(Origin { name, id })
}
