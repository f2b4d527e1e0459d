//! Reverts a plan. The server reads the plan as it was, and the domain's rules decide what changes.

use std::collections::BTreeSet;

use planledger_core::domain::plan::{PlanCommand, Revert, Reverting, WrittenContent};
use planledger_core::domain::view::Viewer;
use planledger_core::domain::world::Context;
use planledger_core::domain::{Aggregate, Command, Reason, Stop};
use planledger_core::ids::{PlanId, Position, Revision};
use planledger_core::ledger::{Envelope, Ledger, Reading, Receipt};

use super::api::{Api, moment};
use super::auth::{Access, Caller};
use super::identity::agreed;
use super::writing::Writing;
use crate::wire::Failure;
use crate::wire::revert::RevertPlan;

/// What a revert did, or would do in a dry run.
pub(super) struct Outcome {
    /// The receipt of the command; `None` in a dry run.
    pub(super) receipt: Option<Receipt>,
    /// The position of the moment that the revert goes back to.
    pub(super) to: Position,
    /// The plan's revision that the revert was decided on.
    pub(super) revision: Revision,
    /// What the revert changes, and what stays as it is.
    pub(super) reverting: Reverting,
}

/// A revert with everything that the rules need to decide it.
#[derive(Clone)]
struct Asked {
    context: Context,
    plan: PlanId,
    revert: Revert,
    expected_revision: Option<Revision>,
}

impl Api {
    pub(super) async fn revert(
        &self,
        caller: &Caller,
        writing: &Writing,
        request: RevertPlan,
    ) -> Result<Outcome, Failure> {
        let (id, dry_run) = (request.id, request.dry_run);
        let on_behalf_of = agreed(caller, request.on_behalf_of)?;
        let context = Context {
            actor: caller.actor,
            on_behalf_of,
            at: self.ledger.now(),
        };
        let (asked, envelope) = self
            .gated(caller, move |ledger, gate| {
                gate.require(&Access::ReadPlan {
                    plan: request.plan,
                    viewer: Viewer::Staff,
                    at: Some(request.to),
                })?;
                let asked = ask(ledger, context, request.clone())?;
                let envelope = Envelope {
                    id,
                    expected_revision: asked.expected_revision,
                    on_behalf_of,
                    discard_if_unchanged: false,
                    unseen: BTreeSet::new(),
                    command: asked.command(),
                };
                gate.require(&Access::Execute {
                    envelope: &envelope,
                    before: &[],
                })?;
                Ok((asked, envelope))
            })
            .await?;
        let to = asked.revert.to;
        let receipt = match dry_run {
            true => None,
            false => Some(self.carry_out(caller, writing, envelope, 0).await?),
        };
        let outcome = receipt.clone();
        let (reverting, revision) = self
            .blocking(move |ledger| match receipt {
                None => asked.before_now(ledger),
                Some(receipt) => asked.before(ledger, &receipt),
            })
            .await?;
        Ok(Outcome {
            receipt: outcome,
            to,
            revision,
            reverting,
        })
    }
}

/// Reads the plan as it was at the requested moment.
fn ask(ledger: &Ledger, context: Context, request: RevertPlan) -> Result<Asked, Failure> {
    let plan = request.plan;
    let to = moment(ledger, "to", request.to)?;
    let written = |reading: &Reading<'_>| {
        let found = reading.stream(plan)?;
        Ok(match found.as_ref().map(|(state, _)| &**state) {
            Some(Aggregate::Plan(plan)) => Some(WrittenContent::of(plan)),
            _ => None,
        })
    };
    let (then, to) = ledger.read_at(to, written).map_err(Failure::of_reading)?;
    let then = match then {
        Some(then) => then,
        None => {
            let (now, _) = ledger.read(written).map_err(Failure::of_reading)?;
            let reason = Reason::PlanNotFound;
            return Err(match now {
                None => Failure::no_stream(reason, "plan_id", plan),
                Some(_) => {
                    let message = format!("plan {plan} did not exist at position {to}");
                    Failure::not_found(reason, "to", message).with("position", to)
                }
            });
        }
    };
    let reason = request.reason;
    Ok(Asked {
        context,
        plan,
        revert: Revert { to, then, reason },
        expected_revision: request.expected_revision,
    })
}

impl Asked {
    fn command(&self) -> Command {
        let revert = Box::new(self.revert.clone());
        Command::Plan(self.plan, PlanCommand::Revert(revert))
    }

    /// What the revert would do now.
    fn before_now(&self, ledger: &Ledger) -> Result<(Reverting, Revision), Failure> {
        let read = |reading: &Reading<'_>| self.weigh(reading);
        let ((reverting, revision), _) = ledger.read(read)?;
        match self.expected_revision {
            Some(expected) if expected != revision => {
                Err(Failure::conflict(self.plan.into(), expected, revision))
            }
            Some(_) | None => Ok((reverting, revision)),
        }
    }

    /// What the revert did. The server works it out again at the position just before the revert's
    /// events, where the revert was decided. This also holds when the client sent the command twice
    /// and the receipt is that of the first time.
    fn before(&self, ledger: &Ledger, receipt: &Receipt) -> Result<(Reverting, Revision), Failure> {
        let events = u64::from(receipt.events);
        let position = Position::new(receipt.position.get().saturating_sub(events));
        let read = |reading: &Reading<'_>| self.weigh(reading);
        let (weighed, _) = ledger.read_at(position, read)?;
        Ok(weighed)
    }

    fn weigh(&self, reading: &Reading<'_>) -> Result<(Reverting, Revision), Failure> {
        let found = reading.stream(self.plan)?;
        let revision = found.map(|(_, revision)| revision).unwrap_or_default();
        match self.revert.weigh(reading, &self.context, self.plan) {
            Ok(reverting) => Ok((reverting, revision)),
            Err(Stop::Refused(refusal)) => Err(Failure::of_refusal(&refusal, &self.command())),
            Err(Stop::Unread(error)) => Err(error.into()),
        }
    }
}
