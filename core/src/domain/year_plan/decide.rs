use std::collections::BTreeSet;

use super::{
    GoalDetails, GoalRevision, Scale, ScaleChoice, UnitDetails, Wording, WordingChoice, YearPlan,
    YearPlanCommand, YearPlanDetails, YearPlanEvent, YearPlanKind,
};
use super::{Place, UnitRef};
use crate::domain::refusing::{exists, not_found, refuse};
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::{GoalId, PersonId, UnitId, YearPlanId};
use crate::text::{self, Name};

const ID: &str = "year_plan_id";

impl YearPlanCommand {
    // This function is longer than a screen because it has one arm for each command. Which refusal a
    // sender gets depends on the order of the checks in an arm, so each arm is read as a whole.
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: YearPlanId,
    ) -> Result<Vec<YearPlanEvent>, Stop> {
        let state = ask.load(id)?;
        let now = match state.as_deref() {
            Some(Aggregate::YearPlan(now)) => Some(now),
            _ => None,
        };
        let there = || {
            now.ok_or_else(|| {
                not_found(Reason::YearPlanNotFound, "year plan", ID, id, Field::Target)
            })
        };
        // Refuses commands that a deleted year plan does not accept. A deleted year plan can still
        // be undeleted and given to another owner.
        let live = || match there()? {
            YearPlan {
                deleted: Some(_), ..
            } => {
                let message = format!("year plan {id} is deleted; undelete it first");
                refuse(Refusal::new(Reason::YearPlanDeleted, message).with(ID, id))
            }
            plan => Ok(plan),
        };
        match self {
            Self::Create { details, owner } => match now {
                None => create(ask, details, *owner),
                Some(_) => exists("year plan", ID, id, Field::Target),
            },
            Self::Retitle { title } if live()?.details.title == *title => Ok(Vec::new()),
            Self::Retitle { title } => Ok(vec![YearPlanEvent::Retitled {
                title: title.clone(),
            }]),
            Self::AddSubject { subject } => live()?.add_subject(id, subject),
            Self::RemoveSubject { subject } => live()?.remove_subject(id, subject),
            Self::AddUnit { unit, details } => {
                let plan = live()?;
                if plan.unit(*unit).is_some() {
                    return exists("unit", "unit_id", unit, Field::Unit);
                }
                plan.check_subject(details, Field::DetailsSubject)?;
                Ok(vec![YearPlanEvent::UnitAdded {
                    unit: *unit,
                    details: details.clone(),
                }])
            }
            Self::CopyUnit { unit, from, goals } => live()?.copy_unit(ask, *unit, *from, goals),
            Self::ReviseUnit { unit, details } => {
                let plan = live()?;
                if plan.live_unit(*unit, Field::Unit)?.details == *details {
                    return Ok(Vec::new());
                }
                plan.check_subject(details, Field::DetailsSubject)?;
                Ok(vec![YearPlanEvent::UnitRevised {
                    unit: *unit,
                    details: details.clone(),
                }])
            }
            Self::DeleteUnit { unit, reason } => {
                live()?.live_unit(*unit, Field::Unit)?;
                Ok(vec![YearPlanEvent::UnitDeleted {
                    unit: *unit,
                    reason: reason.clone(),
                }])
            }
            Self::UndeleteUnit { unit } => match live()?.any_unit(*unit, Field::Unit)?.deleted {
                Some(_) => Ok(vec![YearPlanEvent::UnitUndeleted { unit: *unit }]),
                None => {
                    let message = format!("unit {unit} is not deleted");
                    refuse(Refusal::new(Reason::NotDeleted, message).with("unit_id", unit))
                }
            },
            Self::AddGoal {
                unit,
                goal,
                details,
            } => live()?.add_goal_to(ask, *unit, *goal, details),
            Self::ReviseGoal {
                goal,
                wording,
                scale,
            } => live()?.revise_goal(ask, *goal, wording, scale),
            Self::RetireGoal { goal, reason } => {
                live()?.used_goal(*goal, Field::Goal)?;
                Ok(vec![YearPlanEvent::GoalRetired {
                    goal: *goal,
                    reason: reason.clone(),
                }])
            }
            Self::Delete { reason } => {
                live()?;
                Ok(vec![YearPlanEvent::Deleted {
                    reason: reason.clone(),
                }])
            }
            Self::Undelete if there()?.deleted.is_some() => Ok(vec![YearPlanEvent::Undeleted {}]),
            Self::Undelete => {
                let message = format!("year plan {id} is not deleted");
                refuse(Refusal::new(Reason::NotDeleted, message).with(ID, id))
            }
            Self::TransferOwnership { to, reason } => {
                let plan = there()?;
                let (from, place) = (plan.owner, plan.details.place());
                ask.next_owner(Some(from), *to, place, Field::NewOwner)?;
                Ok(handed(from, *to, reason))
            }
            Self::HandOver { from, to, reason } => {
                let plan = there()?;
                if !ask.needs_transfer(Some(plan.owner), Some(*from), Some(*to))? {
                    return Ok(Vec::new());
                }
                ask.successor(*to, plan.details.place(), Field::NewOwner)?;
                Ok(handed(*from, *to, reason))
            }
            Self::HandBack { from, to, reason } => {
                match ask.needs_transfer(Some(there()?.owner), Some(*from), Some(*to))? {
                    true => Ok(handed(*from, *to, reason)),
                    false => Ok(Vec::new()),
                }
            }
            Self::MoveToInstitution { to, team, reason } => {
                let from = there()?.details.place();
                let to = Place {
                    institution: *to,
                    team: team.unwrap_or(from.team),
                };
                if from == to {
                    let message = "the year plan already belongs to this institution and team";
                    let refusal = Refusal::new(Reason::AlreadyThere, message);
                    let refusal = refusal.field(Field::NewInstitution);
                    return refuse(refusal.with("institution_id", to.institution));
                }
                check_place(ask, from, to)?;
                Ok(moved(from, to, reason))
            }
            Self::Move { from, to, reason } => {
                if !needs_move(there()?, *from, *to)? {
                    return Ok(Vec::new());
                }
                check_place(ask, *from, *to)?;
                Ok(moved(*from, *to, reason))
            }
            Self::MoveBack { from, to, reason } => {
                if !needs_move(there()?, *from, *to)? {
                    return Ok(Vec::new());
                }
                ask.institution(to.institution, Field::NewInstitution)?;
                ask.team(to.team, Field::NewTeam, |_| Ok(()))?;
                Ok(moved(*from, *to, reason))
            }
        }
    }
}

fn handed(from: PersonId, to: PersonId, reason: &Option<text::ReasonText>) -> Vec<YearPlanEvent> {
    vec![YearPlanEvent::OwnershipTransferred {
        from,
        to,
        reason: reason.clone(),
    }]
}

fn moved(from: Place, to: Place, reason: &Option<text::ReasonText>) -> Vec<YearPlanEvent> {
    vec![YearPlanEvent::Moved {
        from,
        to,
        reason: reason.clone(),
    }]
}

/// Whether the year plan has to move. Refused if it is somewhere else than expected.
fn needs_move(plan: &YearPlan, from: Place, to: Place) -> Result<bool, Stop> {
    let now = plan.details.place();
    if now == to {
        return Ok(false);
    }
    if now == from {
        return Ok(true);
    }
    let message = format!(
        "the year plan was moved to institution {} and team {} in the meantime",
        now.institution, now.team
    );
    let refusal = Refusal::new(Reason::MovedMeanwhile, message);
    let refusal = refusal.with("institution_id", now.institution);
    refuse(refusal.with("team_id", now.team))
}

/// Refuses a move to a closed institution, and to another team that is deleted or belongs to another
/// institution. A year plan may keep its team, wherever the team is: often the roster has moved the
/// team already.
fn check_place(ask: &RuleContext<'_>, from: Place, to: Place) -> Result<(), Stop> {
    ask.open_institution(to.institution, Field::NewInstitution)?;
    if from.team == to.team {
        return Ok(());
    }
    ask.live_team(to.team, Field::NewTeam, |team| {
        let there = team.details.institution;
        if there == to.institution {
            return Ok(());
        }
        let message = format!(
            "team {} belongs to institution {there}, and not to institution {}",
            to.team, to.institution
        );
        let refusal = Refusal::new(Reason::TeamElsewhere, message).field(Field::NewTeam);
        let refusal = refusal.with("team_id", to.team);
        refuse(refusal.with("institution_id", there))
    })
}

fn create(
    ask: &RuleContext<'_>,
    details: &YearPlanDetails,
    owner: PersonId,
) -> Result<Vec<YearPlanEvent>, Stop> {
    let count = details.subjects.len();
    let fits = match details.kind {
        YearPlanKind::Subject => count == 1,
        YearPlanKind::Combined => count >= 1,
    };
    if !fits {
        let message = format!(
            "a subject year plan needs exactly one subject, and a combined year plan at least one; \
            this one has {count}"
        );
        return refuse(
            Refusal::new(Reason::SubjectCountInvalid, message).field(Field::DetailsSubjects),
        );
    }
    ask.open_institution(details.institution, Field::DetailsInstitution)?;
    ask.school_year(details.school_year, Field::DetailsSchoolYear)?;
    ask.live_team(details.team, Field::DetailsTeam, |_| Ok(()))?;
    ask.new_owner(owner, Field::Owner)?;
    Ok(vec![YearPlanEvent::Created {
        details: details.clone(),
        owner,
    }])
}

/// The scale that a goal gets. The levels of a catalogue are copied, so that they stay whatever happens to
/// the catalogue. `own` and `chosen` are where the command names the teacher's levels or the catalogue's.
fn scale(
    ask: &RuleContext<'_>,
    choice: &ScaleChoice,
    own: Field,
    chosen: Field,
) -> Result<Scale, Stop> {
    match choice {
        ScaleChoice::Own(scale) => {
            check_scale(scale, own)?;
            Ok(scale.clone())
        }
        ScaleChoice::Catalogue { catalogue, item } => {
            let state = ask.load(*catalogue)?;
            let Some(Aggregate::Catalogue(found)) = state.as_deref() else {
                let (reason, key) = (Reason::CatalogueNotFound, "catalogue_id");
                return Err(not_found(reason, "catalogue", key, catalogue, chosen));
            };
            if !found.items.contains_key(item) {
                let (reason, what) = (Reason::CatalogueItemNotFound, "current catalogue item");
                return Err(not_found(reason, what, "item_id", item, chosen));
            }
            let Some(scale) = found.scales().scale(*item) else {
                let message = format!(
                    "catalogue item {item} is no scale: it has no levels, or its criteria have \
                     different ones; choose one of the catalogue's scales, or write your own"
                );
                let refusal = Refusal::new(Reason::ScaleInvalid, message).field(chosen);
                return refuse(refusal.with("item_id", item));
            };
            check_scale(&scale, chosen)?;
            Ok(scale)
        }
    }
}

fn check_scale(scale: &Scale, field: Field) -> Result<(), Stop> {
    if scale.is_sound() {
        return Ok(());
    }
    let distinct: BTreeSet<_> = scale.levels.iter().collect();
    let message = format!(
        "a scale needs two to ten levels, all different; this one has {} levels, of which {} are \
        different",
        scale.levels.len(),
        distinct.len()
    );
    refuse(Refusal::new(Reason::ScaleInvalid, message).field(field))
}

/// The words that a goal gets. The words of a catalogue's item are copied, so that they stay
/// whatever happens to the catalogue.
fn word(ask: &RuleContext<'_>, choice: &WordingChoice, field: Field) -> Result<Wording, Stop> {
    match choice {
        WordingChoice::Own { text } => Ok(Wording::Own { text: text.clone() }),
        WordingChoice::Catalogue { catalogue, item } => match ask.load(*catalogue)?.as_deref() {
            Some(Aggregate::Catalogue(found)) => match found.items.get(item) {
                Some(details) => {
                    let text = details.text.clone();
                    Ok(Wording::Catalogue {
                        catalogue: *catalogue,
                        item: *item,
                        text,
                    })
                }
                None => {
                    let (reason, what) = (Reason::CatalogueItemNotFound, "current catalogue item");
                    Err(not_found(reason, what, "item_id", item, field))
                }
            },
            _ => {
                let (reason, key) = (Reason::CatalogueNotFound, "catalogue_id");
                Err(not_found(reason, "catalogue", key, catalogue, field))
            }
        },
    }
}

impl YearPlan {
    fn any_unit(&self, id: UnitId, field: Field) -> Result<&super::Unit, Stop> {
        self.unit(id)
            .ok_or_else(|| not_found(Reason::UnitNotFound, "unit", "unit_id", id, field))
    }

    fn live_unit(&self, id: UnitId, field: Field) -> Result<&super::Unit, Stop> {
        let unit = self.any_unit(id, field)?;
        match unit.deleted {
            None => Ok(unit),
            Some(_) => {
                let message = format!("unit {id} is deleted; undelete it first");
                refuse(
                    Refusal::new(Reason::UnitDeleted, message)
                        .field(field)
                        .with("unit_id", id),
                )
            }
        }
    }

    fn used_goal(&self, id: GoalId, field: Field) -> Result<&super::Goal, Stop> {
        let goal = self
            .goals
            .get(&id)
            .ok_or_else(|| not_found(Reason::GoalNotFound, "goal", "goal_id", id, field))?;
        if goal.retired {
            let message = format!("goal {id} is retired; choose another goal");
            return refuse(
                Refusal::new(Reason::GoalRetired, message)
                    .field(field)
                    .with("goal_id", id),
            );
        }
        self.live_unit(goal.unit, field)?;
        Ok(goal)
    }

    fn check_combined(&self, id: YearPlanId) -> Result<(), Stop> {
        match self.details.kind {
            YearPlanKind::Combined => Ok(()),
            YearPlanKind::Subject => {
                let message = format!(
                    "year plan {id} is a subject year plan; subjects can be added and removed only \
                    in a combined year plan"
                );
                refuse(Refusal::new(Reason::NotCombined, message).with(ID, id))
            }
        }
    }

    fn add_subject(&self, id: YearPlanId, subject: &Name) -> Result<Vec<YearPlanEvent>, Stop> {
        self.check_combined(id)?;
        Ok(match self.details.subjects.contains(subject) {
            true => Vec::new(),
            false => vec![YearPlanEvent::SubjectAdded {
                subject: subject.clone(),
            }],
        })
    }

    fn remove_subject(&self, id: YearPlanId, subject: &Name) -> Result<Vec<YearPlanEvent>, Stop> {
        const FIELD: Field = Field::Subject;
        self.check_combined(id)?;
        if !self.details.subjects.contains(subject) {
            let message = format!("year plan {id} does not have this subject");
            let refusal = Refusal::new(Reason::SubjectNotFound, message);
            return refuse(refusal.field(FIELD).with(ID, id));
        }
        if let Some(unit) = self
            .units
            .iter()
            .find(|unit| unit.details.subject.as_ref() == Some(subject))
        {
            let message = format!(
                "unit {} still uses this subject; give the unit another subject first",
                unit.id
            );
            let refusal = Refusal::new(Reason::SubjectInUse, message).field(FIELD);
            return refuse(refusal.with("unit_id", unit.id));
        }
        if self.details.subjects.len() == 1 {
            let message =
                format!("this is the only subject of year plan {id}, which needs at least one");
            return refuse(Refusal::new(Reason::SubjectCountInvalid, message).field(FIELD));
        }
        Ok(vec![YearPlanEvent::SubjectRemoved {
            subject: subject.clone(),
        }])
    }

    fn check_subject(&self, details: &UnitDetails, field: Field) -> Result<(), Stop> {
        match &details.subject {
            Some(subject) if !self.details.subjects.contains(subject) => {
                let message = "the year plan does not have the subject of the unit; add the \
                               subject to the year plan first";
                refuse(Refusal::new(Reason::SubjectNotFound, message).field(field))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn copy_unit(
        &self,
        ask: &RuleContext<'_>,
        unit: UnitId,
        from: UnitRef,
        goals: &[(GoalId, GoalId)],
    ) -> Result<Vec<YearPlanEvent>, Stop> {
        if self.unit(unit).is_some() {
            return Ok(Vec::new());
        }
        let state = ask.load(from.year_plan)?;
        let Some(Aggregate::YearPlan(source)) = state.as_deref() else {
            let (reason, id) = (Reason::YearPlanNotFound, from.year_plan);
            return Err(not_found(
                reason,
                "year plan",
                ID,
                id,
                Field::CopiedYearPlan,
            ));
        };
        let mut details = source
            .any_unit(from.unit, Field::CopiedUnit)?
            .details
            .clone();
        details
            .subject
            .take_if(|subject| !self.details.subjects.contains(subject));
        let mut events = vec![YearPlanEvent::UnitAdded { unit, details }];
        for (copied, goal) in goals {
            let Some(found) = source.goals.get(copied).filter(|goal| !goal.retired) else {
                continue;
            };
            if let Some(GoalRevision { wording, scale }) = found.present().cloned() {
                let details = GoalDetails {
                    kind: found.kind,
                    area: found.area,
                    wording,
                    scale,
                };
                let goal = *goal;
                events.push(YearPlanEvent::GoalAdded {
                    unit,
                    goal,
                    details,
                });
            }
        }
        Ok(events)
    }

    fn add_goal_to(
        &self,
        ask: &RuleContext<'_>,
        unit: UnitId,
        goal: GoalId,
        details: &GoalDetails<WordingChoice, ScaleChoice>,
    ) -> Result<Vec<YearPlanEvent>, Stop> {
        self.live_unit(unit, Field::Unit)?;
        if self.goals.contains_key(&goal) {
            return exists("goal", "goal_id", goal, Field::Goal);
        }
        let (own, chosen) = (Field::DetailsScaleLevels, Field::DetailsCatalogueScale);
        let scale = scale(ask, &details.scale, own, chosen)?;
        let details = GoalDetails {
            kind: details.kind,
            area: details.area,
            wording: word(ask, &details.wording, Field::DetailsWording)?,
            scale,
        };
        Ok(vec![YearPlanEvent::GoalAdded {
            unit,
            goal,
            details,
        }])
    }

    fn revise_goal(
        &self,
        ask: &RuleContext<'_>,
        id: GoalId,
        wording: &WordingChoice,
        choice: &ScaleChoice,
    ) -> Result<Vec<YearPlanEvent>, Stop> {
        let goal = self.used_goal(id, Field::Goal)?;
        let scale = scale(ask, choice, Field::ScaleLevels, Field::CatalogueScale)?;
        let wording = word(ask, wording, Field::Wording)?;
        let revised = GoalRevision { wording, scale };
        if goal.present() == Some(&revised) {
            return Ok(Vec::new());
        }
        let GoalRevision { wording, scale } = revised;
        Ok(vec![YearPlanEvent::GoalRevised {
            goal: id,
            wording,
            scale,
        }])
    }
}
