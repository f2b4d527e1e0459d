//! The dry run: what a transfer or a restore would do, item by item, with reasons.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::owned::owned;
use super::rebuild::Rebuild;
use super::school::{Ownable, RosterQueries};
use super::trial::DryRun;
use crate::domain::recovery::too_many;
use crate::domain::recovery::{MOST_STEPS, Step};
use crate::domain::{Aggregate, Field, Reason, Refusal, RequestField, Stop, can_own};
use crate::ids::{InstitutionId, PersonId, PlanId, StreamId, TeamId, UnitId, YearPlanId};
use crate::ledger::{ReadError, Reading};
use crate::text::{self, Name};

const DIGEST_CONTEXT: &str = "planledger v1 2026-11-25 proposal";

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecoveryRequest {
    /// That things get other owners.
    Transfer(Transfer),
    /// That things come back.
    Restore(Restore),
}

/// Which things get which owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Which things.
    pub what: What,
    /// Who gets them.
    pub rule: Rule,
    /// Who gets what the rule gives nobody.
    pub fallback: Fallback,
    /// Why.
    pub reason: Option<text::Reason>,
}

/// Which things are transferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Everything that a person owns, at one institution or at all.
    Everything {
        /// Who.
        of: PersonId,
        /// Where.
        institution: Option<InstitutionId>,
    },
    /// These teams, year plans and plans.
    Items(BTreeSet<StreamId>),
}

/// Who gets a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// One person gets everything.
    To(PersonId),
    /// Of the staff of the thing's team, who evaluates there most.
    Team,
    /// Somebody for each team.
    PerTeam(BTreeMap<TeamId, PersonId>),
    /// Somebody for each subject; of a thing with several, the first one that has somebody.
    PerSubject(BTreeMap<Name, PersonId>),
}

/// Who gets what a rule gives nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nobody: it stays where it is.
    Nobody,
    /// This person.
    To(PersonId),
    /// A leader of the institution; of several, the one with the lowest id.
    Leader,
}

/// Which things come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// Which.
    pub what: Vec<RestoreItem>,
    /// Who owns teams and year plans that come back from then on; who did, if nobody is given.
    pub give_to: Option<PersonId>,
    /// Why.
    pub reason: Option<text::Reason>,
}

/// One thing that comes back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RestoreItem {
    /// A team; with its year plans and their units, if it is so wanted.
    Team {
        /// Which.
        team: TeamId,
        /// Whether deleted year plans of it and deleted units of those come back too.
        with_contents: bool,
    },
    /// A year plan; with its units, if it is so wanted.
    YearPlan {
        /// Which.
        year_plan: YearPlanId,
        /// Whether deleted units of it come back too.
        with_contents: bool,
    },
    /// A unit.
    Unit {
        /// Of which year plan.
        year_plan: YearPlanId,
        /// Which.
        unit: UnitId,
    },
    /// A withdrawn plan.
    Plan {
        /// Which.
        plan: PlanId,
    },
    /// A plan is hung on another year plan.
    Move {
        /// Which.
        plan: PlanId,
        /// The year plan.
        to: YearPlanId,
    },
    /// A year plan is made anew of what plans hold, and they are hung on it.
    Rebuild(Rebuild),
}

/// What would be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Every item, in the order in which it would be done.
    pub items: Vec<Proposed>,
    /// Changes when anything changes that the steps rest on.
    pub digest: [u8; 16],
}

impl Proposal {
    fn new(items: Vec<Proposed>) -> Self {
        let steps = items.iter().filter_map(|item| item.step.as_ref().ok());
        let digest = digest(steps);
        Self { items, digest }
    }

    /// What can be done of it.
    pub fn steps(&self) -> Vec<Step> {
        let steps = self.items.iter().filter_map(|item| item.step.as_ref().ok());
        steps.cloned().collect()
    }
}

/// What tells lists of steps apart.
pub(super) fn digest<'s>(steps: impl IntoIterator<Item = &'s Step>) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key(DIGEST_CONTEXT);
    let steps: Vec<_> = steps.into_iter().collect();
    // Steps serialize: they are recorded.
    hasher.update(&serde_json::to_vec(&steps).unwrap_or_default());
    let mut digest = [0; 16];
    hasher.finalize_xof().fill(&mut digest);
    digest
}

/// One item of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// What it is about.
    pub stream: StreamId,
    /// What would be done, or why nothing can be.
    pub step: Result<Step, Refusal>,
    /// Why it is this.
    pub why: Why,
}

/// Why an item is in a proposal as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It was asked for so.
    Asked,
    /// Of the team's staff, this person evaluated most there.
    EvaluatesMost {
        /// How many evaluations.
        evaluations: u32,
    },
    /// This person is on the team's staff; nobody evaluated yet.
    SharesTeam,
    /// This person was named for the team.
    NamedForTeam,
    /// This person was named for the subject.
    NamedForSubject,
    /// The rule gave nobody.
    Fallback,
    /// It belongs to something that comes back.
    HangsOn(StreamId),
}

/// What would be done to fulfil a wish.
///
/// # Errors
/// [`Stop::Refused`] when nothing of it can be.
pub fn propose(reading: &Reading<'_>, wish: &RecoveryRequest) -> Result<Proposal, Stop> {
    let school = RosterQueries { reading };
    let mut items = match wish {
        RecoveryRequest::Transfer(transfer) => school.transfer(transfer)?,
        RecoveryRequest::Restore(restore) => school.restore(restore)?,
    };
    if items.is_empty() {
        let message = "there is nothing to do";
        return Err(Refusal::new(Reason::NothingToDo, message).into());
    }
    if items.len() > MOST_STEPS {
        return Err(too_many(items.len()).into());
    }
    let mut trial = DryRun::new(reading);
    for item in &mut items {
        if let Ok(step) = &item.step
            && let Err(refusal) = Stop::verdict(trial.attempt(step))?
        {
            item.step = Err(refusal);
        }
    }
    Ok(Proposal::new(items))
}

fn refused(reason: Reason, message: impl Into<String>) -> Refusal {
    Refusal::new(reason, message)
}

/// Who gets a thing, and why this person.
type Heir = (PersonId, Why);

impl RosterQueries<'_, '_> {
    fn transfer(&self, wish: &Transfer) -> Result<Vec<Proposed>, Stop> {
        let streams = match &wish.what {
            What::Everything { of, institution } => {
                if self.person(*of, |_| ())?.is_none() {
                    let field = Field::Request(RequestField::TransferFrom);
                    return Err(unknown(*of, field).into());
                }
                let all = owned(self.reading, *of)?;
                let mut streams = Vec::with_capacity(all.len());
                for stream in all {
                    let thing = self.thing(stream)?;
                    if thing.is_some_and(|thing| {
                        institution.is_none_or(|wanted| wanted == thing.institution)
                    }) {
                        streams.push(stream);
                    }
                }
                streams
            }
            What::Items(streams) => streams.iter().copied().collect(),
        };
        if let (What::Everything { of, .. }, Rule::To(to)) = (&wish.what, &wish.rule)
            && of == to
        {
            let message = format!("person {to} cannot hand over to themselves");
            let refusal = Refusal::new(Reason::AlreadyOwner, message);
            let refusal = refusal.field(Field::Request(RequestField::TransferTo));
            return Err(refusal.with("person_id", to).into());
        }
        for (person, field) in named(wish) {
            can_own(self.reading, person, None, field)?;
        }
        let mut leaders = BTreeMap::new();
        let mut items = Vec::with_capacity(streams.len());
        for stream in streams {
            let item = match self.thing(stream)? {
                Some(thing) => self.hand(wish, stream, &thing, &mut leaders)?,
                None => Proposed {
                    stream,
                    step: Err(absent(stream)),
                    why: Why::Asked,
                },
            };
            items.push(item);
        }
        Ok(items)
    }

    fn hand(
        &self,
        wish: &Transfer,
        stream: StreamId,
        thing: &Ownable,
        leaders: &mut BTreeMap<InstitutionId, Vec<PersonId>>,
    ) -> Result<Proposed, ReadError> {
        let mut heir = Stop::verdict(self.heir(&wish.rule, stream, thing))?;
        // Whom everything is to go to is not replaced by somebody else in silence.
        if heir.is_err() && !matches!(wish.rule, Rule::To(_)) {
            let fallback = match wish.fallback {
                Fallback::Nobody => None,
                Fallback::To(person) => Some(person),
                Fallback::Leader => {
                    let all = match leaders.entry(thing.institution) {
                        Entry::Occupied(known) => known.into_mut(),
                        Entry::Vacant(new) => new.insert(self.leaders(thing.institution)?),
                    };
                    // Things of one institution have different owners.
                    let mut all = all.iter().copied();
                    all.find(|leader| Some(*leader) != thing.owner)
                }
            };
            if let Some(person) = fallback {
                heir = Stop::verdict(self.fit(person, thing, Why::Fallback))?;
            }
        }
        let (step, why) = match heir {
            Ok((to, why)) => (owner_step(stream, thing, to), why),
            Err(refusal) => (Err(refusal), Why::Asked),
        };
        Ok(Proposed { stream, step, why })
    }

    /// Who gets a thing by a rule.
    fn heir(&self, rule: &Rule, stream: StreamId, thing: &Ownable) -> Result<Heir, Stop> {
        let none = |what: String| Err(refused(Reason::NoSuccessor, what).into());
        match rule {
            Rule::To(person) => self.fit(*person, thing, Why::Asked),
            Rule::Team => {
                let mut found = self.suggestions(stream, thing)?.into_iter();
                match found.find(|found| found.on_team) {
                    Some(found) if found.evaluations > 0 => {
                        let evaluations = found.evaluations;
                        Ok((found.person, Why::EvaluatesMost { evaluations }))
                    }
                    Some(found) => Ok((found.person, Why::SharesTeam)),
                    None => none(format!("nobody else on the staff of team {}", thing.team)),
                }
            }
            Rule::PerTeam(persons) => match persons.get(&thing.team) {
                Some(person) => self.fit(*person, thing, Why::NamedForTeam),
                None => none(format!("nobody is named for team {}", thing.team)),
            },
            Rule::PerSubject(persons) => {
                let mut subjects = thing.subjects.iter();
                match subjects.find_map(|subject| persons.get(subject)) {
                    Some(person) => self.fit(*person, thing, Why::NamedForSubject),
                    None => none("nobody is named for its subjects".to_owned()),
                }
            }
        }
    }

    /// Somebody as the next owner of a thing, if the rules allow it.
    fn fit(&self, person: PersonId, thing: &Ownable, why: Why) -> Result<Heir, Stop> {
        if thing.owner == Some(person) {
            let message = format!("person {person} is the owner already");
            let refusal = Refusal::new(Reason::AlreadyOwner, message);
            return Err(refusal.with("person_id", person).into());
        }
        can_own(
            self.reading,
            person,
            Some(thing.institution),
            Field::NewOwner,
        )?;
        Ok((person, why))
    }

    fn restore(&self, wish: &Restore) -> Result<Vec<Proposed>, Stop> {
        if let Some(person) = wish.give_to {
            let field = Field::Request(RequestField::RestoreGiveTo);
            can_own(self.reading, person, None, field)?;
        }
        let mut items = Vec::new();
        for item in &wish.what {
            let from = items.len();
            self.bring_back(item, wish.give_to, &mut items)?;
            let Some(heir) = wish.give_to else {
                continue;
            };
            let back: Vec<_> = items.iter().skip(from).map(|item| item.stream).collect();
            let back: BTreeSet<_> = back.into_iter().collect();
            for stream in back {
                if let Some(thing) = self.thing(stream)?
                    && !matches!(&*thing.state, Aggregate::Plan(_))
                    && thing.owner != Some(heir)
                {
                    let fit = Stop::verdict(self.fit(heir, &thing, Why::Asked))?;
                    let step = fit.and_then(|(to, _)| owner_step(stream, &thing, to));
                    let why = Why::Asked;
                    items.push(Proposed { stream, step, why });
                }
            }
        }
        // The same thing may be asked for twice, or belong to two that are.
        let mut seen = BTreeSet::new();
        items.retain(|item| match &item.step {
            Ok(step) => seen.insert(format!("{step:?}")),
            Err(_) => true,
        });
        Ok(items)
    }

    fn bring_back(
        &self,
        item: &RestoreItem,
        give_to: Option<PersonId>,
        items: &mut Vec<Proposed>,
    ) -> Result<(), ReadError> {
        let from = items.len();
        let (stream, why) = (item.stream(), Why::Asked);
        let mut add = |step| items.push(Proposed { stream, step, why });
        match *item {
            RestoreItem::Rebuild(ref wish) => return self.rebuild(wish, give_to, items),
            RestoreItem::Team {
                team,
                with_contents,
            } => {
                match self.team(team, |team| team.deleted.is_some())? {
                    Some(true) => add(Ok(Step::UndeleteTeam { team })),
                    Some(false) => {}
                    None => add(Err(absent(stream))),
                }
                if with_contents {
                    for year_plan in self.year_plans_of(team)? {
                        self.undelete_year_plan(year_plan, Why::HangsOn(stream), true, items)?;
                    }
                }
            }
            RestoreItem::YearPlan {
                year_plan,
                with_contents,
            } => match self.year_plan(year_plan, |_| ())? {
                Some(()) => self.undelete_year_plan(year_plan, why, with_contents, items)?,
                None => add(Err(absent(stream))),
            },
            RestoreItem::Unit { year_plan, unit } => {
                add(Ok(Step::UndeleteUnit { year_plan, unit }))
            }
            RestoreItem::Plan { plan } => add(Ok(Step::RestorePlan { plan })),
            RestoreItem::Move { plan, to } => match self.plan(plan, |plan| plan.year_plan)? {
                Some(from) if from == to => {
                    let message = format!("plan {plan} hangs on year plan {to} already");
                    let refusal = Refusal::new(Reason::AlreadyThere, message);
                    add(Err(refusal.with("year_plan_id", to)));
                }
                Some(from) => add(Ok(Step::MovePlan { plan, from, to })),
                None => add(Err(absent(stream))),
            },
        }
        if items.len() == from {
            let message = format!("{stream} is not deleted");
            let step = Err(refused(Reason::NotDeleted, message));
            items.push(Proposed { stream, step, why });
        }
        Ok(())
    }

    fn undelete_year_plan(
        &self,
        year_plan: YearPlanId,
        why: Why,
        with_contents: bool,
        items: &mut Vec<Proposed>,
    ) -> Result<(), ReadError> {
        let stream = year_plan.into();
        let found = self.year_plan(year_plan, |plan| {
            let units = plan.units.iter().filter(|unit| unit.deleted.is_some());
            let units: Vec<_> = units.map(|unit| unit.id).collect();
            (plan.deleted.is_some(), units)
        })?;
        let Some((deleted, units)) = found else {
            return Ok(());
        };
        if deleted {
            let step = Ok(Step::UndeleteYearPlan { year_plan });
            items.push(Proposed { stream, step, why });
        }
        for unit in units.into_iter().filter(|_| with_contents) {
            let step = Ok(Step::UndeleteUnit { year_plan, unit });
            let why = Why::HangsOn(stream);
            items.push(Proposed { stream, step, why });
        }
        Ok(())
    }
}

impl RestoreItem {
    /// The stream that it is about.
    pub fn stream(&self) -> StreamId {
        match self {
            Self::Team { team, .. } => (*team).into(),
            Self::YearPlan { year_plan, .. } | Self::Unit { year_plan, .. } => (*year_plan).into(),
            Self::Plan { plan } | Self::Move { plan, .. } => (*plan).into(),
            Self::Rebuild(rebuild) => rebuild.year_plan.into(),
        }
    }
}

/// Persons whom a wish names, with the fields that do.
fn named(wish: &Transfer) -> Vec<(PersonId, Field)> {
    let fallback = match wish.fallback {
        Fallback::To(person) => Some((person, Field::Request(RequestField::TransferFallback))),
        Fallback::Nobody | Fallback::Leader => None,
    };
    let by_rule: Vec<_> = match &wish.rule {
        Rule::To(person) => vec![(*person, Field::Request(RequestField::TransferTo))],
        Rule::Team => Vec::new(),
        Rule::PerTeam(persons) => {
            let persons = persons.values();
            persons
                .map(|person| (*person, Field::Request(RequestField::TransferHeirOfTeam)))
                .collect()
        }
        Rule::PerSubject(persons) => {
            let persons = persons.values();
            persons
                .map(|person| (*person, Field::Request(RequestField::TransferHeirOfSubject)))
                .collect()
        }
    };
    by_rule.into_iter().chain(fallback).collect()
}

fn owner_step(stream: StreamId, thing: &Ownable, to: PersonId) -> Result<Step, Refusal> {
    match (&*thing.state, thing.owner) {
        (Aggregate::Team(_), from) => Ok(Step::TeamOwner {
            team: thing.team,
            from,
            to,
        }),
        (Aggregate::YearPlan(_), Some(from)) => Ok(Step::YearPlanOwner {
            year_plan: YearPlanId::from_uuid(stream.id),
            from,
            to,
        }),
        (Aggregate::Plan(_), Some(from)) => Ok(Step::PlanOwner {
            plan: PlanId::from_uuid(stream.id),
            from,
            to,
        }),
        _ => Err(absent(stream)),
    }
}

fn unknown(person: PersonId, field: Field) -> Refusal {
    let message = format!("there is no person {person}");
    Refusal::new(Reason::PersonNotFound, message)
        .field(field)
        .with("person_id", person)
}

/// There is no such team, year plan or plan.
pub fn absent(stream: StreamId) -> Refusal {
    use crate::ids::StreamKind;
    let (reason, key) = match stream.kind {
        StreamKind::Team => (Reason::TeamNotFound, "team_id"),
        StreamKind::YearPlan => (Reason::YearPlanNotFound, "year_plan_id"),
        StreamKind::Plan
        | StreamKind::Institution
        | StreamKind::SchoolYear
        | StreamKind::Person
        | StreamKind::Catalogue
        | StreamKind::Ledger
        | StreamKind::Recovery => (Reason::PlanNotFound, "plan_id"),
    };
    Refusal::new(reason, format!("there is no {stream}")).with(key, stream.id)
}
