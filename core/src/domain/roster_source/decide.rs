use super::{RosterSource, RosterSourceCommand, RosterSourceEvent};
use crate::domain::refusing::{not_found, refuse};
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::RosterSourceId;
use crate::text::SourceName;

const ID: &str = "roster_source_id";

impl RosterSourceCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: RosterSourceId,
    ) -> Result<Vec<RosterSourceEvent>, Stop> {
        let state = ask.load(id)?;
        let now = match state.as_deref() {
            Some(Aggregate::RosterSource(now)) => Some(now),
            _ => None,
        };
        match self {
            Self::Register { name } => register(ask, id, now, name),
            Self::RecordImport(import) => match now {
                Some(now) if now.last_import == Some(*import) => Ok(Vec::new()),
                Some(_) => Ok(vec![RosterSourceEvent::Imported(*import)]),
                None => Err(not_found(
                    Reason::RosterSourceNotFound,
                    "source",
                    ID,
                    id,
                    Field::Target,
                )),
            },
        }
    }
}

fn register(
    ask: &RuleContext<'_>,
    id: RosterSourceId,
    now: Option<&RosterSource>,
    name: &SourceName,
) -> Result<Vec<RosterSourceEvent>, Stop> {
    let named = RosterSourceId::named(name);
    // The two places where a source with this name may stand.
    let other = match id {
        RosterSourceId::FIRST => named,
        id if id == named => RosterSourceId::FIRST,
        _ => {
            let message = format!(
                "source {id} cannot have this name; its id follows from its name, unless it is the \
                 first source of the ledger"
            );
            return refuse(
                Refusal::new(Reason::SourceIdInvalid, message)
                    .field(Field::Target)
                    .with(ID, id),
            );
        }
    };
    let taken = |by: RosterSourceId| {
        let message = format!("source {by} is registered already; another name and id are needed");
        let refusal = Refusal::new(Reason::SourceNameTaken, message);
        refuse(refusal.field(Field::Name).with(ID, by))
    };
    match now {
        Some(now) if now.name == *name => return Ok(Vec::new()),
        Some(_) => return taken(id),
        None => {}
    }
    match ask.load(other)?.as_deref() {
        Some(Aggregate::RosterSource(there)) if there.name == *name => taken(other),
        _ => Ok(vec![RosterSourceEvent::Registered { name: name.clone() }]),
    }
}
