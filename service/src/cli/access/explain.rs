//! `access explain`.

use clap::Args;
use planledger_core::ids::PersonId;
use planledger_proto::v1::access_thing::Thing;
use planledger_proto::v1::{
    AccessGround, AccessPurpose, AccessThing, ExplainAccessRequest, Municipality, as_of,
};

use super::super::error::CliError;
use super::super::id::id;
use super::super::moment::{self, as_of};
use super::super::output;
use super::super::remote::Remote;
use super::names::role_name;
use crate::settings::File;
use crate::wire::{NamedActor, action_named, purpose_named};

#[derive(Debug, Args)]
pub(in crate::cli) struct Explain {
    /// Who would act: person/UUID or system/UUID
    #[arg(value_name = "WHO", value_parser = id::<NamedActor>())]
    who: NamedActor,
    /// What they would do, such as read_plan_as_staff; SECURITY.md lists every action
    #[arg(value_parser = action_named)]
    action: String,
    /// What it is about: municipality, or institution/UUID, team/UUID, year_plan/UUID, plan/UUID,
    /// student/UUID, person/UUID or system/UUID
    #[arg(value_parser = thing, value_name = "THING")]
    thing: Thing,
    /// The person for whom a system would act
    #[arg(long = "for", value_name = "PERSON", value_parser = id::<PersonId>())]
    acts_for: Option<PersonId>,
    /// What the request would be for
    #[arg(long, value_parser = purpose_named)]
    purpose: Option<AccessPurpose>,
    /// The moment to ask about: a position, a day or an instant [default: now]
    #[arg(long, value_name = "MOMENT", value_parser = moment::moment)]
    at: Option<as_of::Moment>,
    #[command(flatten)]
    remote: Remote,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn thing(text: &str) -> Result<Thing, String> {
    if text == "municipality" {
        return Ok(Thing::Municipality(Municipality {}));
    }
    let make = match text.split_once('/') {
        Some(("institution", id)) => (Thing::InstitutionId as fn(String) -> Thing, id),
        Some(("team", id)) => (Thing::TeamId as fn(String) -> Thing, id),
        Some(("year_plan", id)) => (Thing::YearPlanId as fn(String) -> Thing, id),
        Some(("plan", id)) => (Thing::PlanId as fn(String) -> Thing, id),
        Some(("student", id)) => (Thing::StudentId as fn(String) -> Thing, id),
        Some(("person", id)) => (Thing::PersonId as fn(String) -> Thing, id),
        Some(("system", id)) => (Thing::SystemId as fn(String) -> Thing, id),
        Some(_) | None => {
            return Err("must be municipality, or a kind, a slash and a UUID".to_owned());
        }
    };
    let (make, id) = make;
    Ok(make(id.to_owned()))
}

impl Explain {
    pub(super) async fn run(self, file: &File) -> Result<(), CliError> {
        let client = self.remote.connect(file).await?;
        let request = ExplainAccessRequest {
            actor: Some(self.who.0),
            on_behalf_of_person_id: self.acts_for.map(|id| id.to_string()),
            action: self.action,
            about: Some(AccessThing {
                thing: Some(self.thing),
            }),
            purpose: self.purpose.map(Into::into),
            at: self.at.map(as_of),
            min_position: 0,
        };
        let answer = client.access().explain_access(request).await?.into_inner();
        if self.json {
            return output::json(&answer);
        }
        match &answer.ground {
            Some(ground) => output::line(format!("allowed: {}", told(ground))),
            None => output::line(format!("not allowed: {}", answer.why_not)),
        }
        Ok(())
    }
}

fn told(ground: &AccessGround) -> String {
    let by = |grant: Option<&String>| match grant {
        Some(grant) => format!("by grant {grant}"),
        None => "by the roster".to_owned(),
    };
    let own = format!(
        "as {}, {}, through the relation {}",
        role_name(ground.role()),
        by(ground.grant_id.as_ref()),
        ground.relation
    );
    let both = match ground.system_role {
        None => own,
        Some(_) => format!(
            "{own}; the system as {}, {}",
            role_name(ground.system_role()),
            by(ground.system_grant_id.as_ref())
        ),
    };
    match ground.one_hand {
        false => both,
        true => format!("{both}; whoever granted it gave the system an identity too"),
    }
}
