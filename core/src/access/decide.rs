use jiff::civil::Date;

use super::holding::{Capacity, of_person, of_system};
use super::thing::Thing;
use super::{About, Action, Purpose, Relation, Role, Scope};
use crate::actor::Actor;
use crate::domain::{Aggregate, World};
use crate::ids::{GrantId, GrantsId, PersonId, StreamId, SystemId};
use crate::read_error::ReadError;

/// What a decision may look at: one consistent state.
pub trait Facts: World {
    /// The teams of which a person is a member or on the staff. May hold more; each is looked at.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn teams_of(&self, person: PersonId) -> Result<Vec<StreamId>, ReadError>;

    /// The children of whom a person is or was a guardian. May hold more; each is looked at.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn children_of(&self, person: PersonId) -> Result<Vec<StreamId>, ReadError>;
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// Who acts.
    pub actor: Actor,
    /// The person for whom a system acts; `None` if it acts for itself.
    pub on_behalf_of: Option<PersonId>,
    /// What the request is for; `None` if it does not say. A grant for a purpose counts only for
    /// requests that say it.
    pub purpose: Option<Purpose>,
}

impl Who {
    /// Somebody who acts for nobody else, and does not say what for.
    pub const fn new(actor: Actor) -> Self {
        Self {
            actor,
            on_behalf_of: None,
            purpose: None,
        }
    }
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is allowed.
    Allowed(Because),
    /// It is not allowed.
    Denied(WhyNot),
}

impl Verdict {
    /// Whether it is allowed.
    pub const fn is_allowed(&self) -> bool {
        match self {
            Self::Allowed(_) => true,
            Self::Denied(_) => false,
        }
    }
}

/// Why something is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Because {
    /// The role that allows it.
    pub role: Role,
    /// How whoever asks stands to the thing.
    pub relation: Relation,
    /// The grant that gives the role; `None` if the roster does.
    pub grant: Option<GrantId>,
    /// The role and grant of the system that acts for the person; `None` if nobody acts for anybody.
    pub system: Option<(Role, GrantId)>,
}

/// Why something is not allowed. For administrators: whoever asked is told only that it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// The person is not known to the ledger.
    PersonUnknown,
    /// The person has left.
    PersonDeparted,
    /// The system is not registered.
    SystemUnknown,
    /// The system may act no more.
    SystemRevoked,
    /// The system may not act on behalf of people.
    SystemForNobody,
    /// A person cannot act on behalf of another one.
    PersonForPerson,
    /// Nobody changes their own places, teams or children.
    OwnEntry,
    /// No grant gives the system a role that may do this there.
    SystemNotGranted,
    /// Neither the roster nor a grant gives the person a role that may do this there.
    NotGranted,
}

impl WhyNot {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::PersonUnknown,
        Self::PersonDeparted,
        Self::SystemUnknown,
        Self::SystemRevoked,
        Self::SystemForNobody,
        Self::PersonForPerson,
        Self::OwnEntry,
        Self::SystemNotGranted,
        Self::NotGranted,
    ];

    /// The reason in a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::PersonUnknown => "the person is not known to the ledger",
            Self::PersonDeparted => "the person has left",
            Self::SystemUnknown => "the system is not registered",
            Self::SystemRevoked => "the system is revoked",
            Self::SystemForNobody => "the system may not act on behalf of people",
            Self::PersonForPerson => "a person cannot act on behalf of another one",
            Self::OwnEntry => "nobody changes their own places, teams or children",
            Self::SystemNotGranted => "no grant gives the system a role that may do this there",
            Self::NotGranted => {
                "neither the roster nor a grant gives the person a role that may do this there"
            }
        }
    }
}

/// Decides whether somebody may do something. Total, without clock or I/O of its own: `today` is the
/// day in Copenhagen. Everything that cannot be found is denied like everything else (default deny), so
/// the answer does not tell whether a thing exists.
///
/// # Errors
/// [`ReadError`] when the state cannot be read.
pub fn decide<F: Facts + ?Sized>(
    facts: &F,
    today: Date,
    who: &Who,
    action: Action,
    about: About,
) -> Result<Verdict, ReadError> {
    let (action, about) = of_grant(facts, action, about)?;
    let question = Question {
        facts,
        today,
        purpose: who.purpose,
        action,
        about,
        thing: Thing::of(facts, about)?,
    };
    match (who.actor, who.on_behalf_of) {
        (Actor::Person(person), None) => question.person(person),
        (Actor::Person(person), Some(other)) if person == other => question.person(person),
        (Actor::Person(_), Some(_)) => Ok(Verdict::Denied(WhyNot::PersonForPerson)),
        (Actor::System(system), None) => question.system(system, Relation::Granted),
        (Actor::System(system), Some(person)) => question.both(system, person),
    }
}

/// Ending a grant needs what giving it needs. A grant that does not exist could be any, so it needs
/// the most.
fn of_grant<F: Facts + ?Sized>(
    facts: &F,
    action: Action,
    about: About,
) -> Result<(Action, About), ReadError> {
    let About::Grant(grantee, grant) = about else {
        return Ok((action, about));
    };
    let state = facts.aggregate(GrantsId::of(grantee).into())?;
    let found = match state.as_deref() {
        Some(Aggregate::Grants(all)) if all.grantee == grantee => all.grants.get(&grant),
        Some(_) | None => None,
    };
    let Some(found) = found else {
        return Ok((Action::GrantOffice, About::Municipality));
    };
    let action = match action {
        Action::RevokeGrant => Action::grant(found.details.role),
        other => other,
    };
    Ok((action, About::of_scope(found.details.scope)))
}

impl About {
    /// What a grant in this scope is about.
    pub const fn of_scope(scope: Scope) -> Self {
        match scope {
            Scope::Municipality => Self::Municipality,
            Scope::Institution(id) => Self::Institution(id),
            Scope::Team(id) => Self::Team(id),
            Scope::Student(id) => Self::Student(id),
        }
    }
}

/// What is asked, without who asks.
pub(super) struct Question<'a, F: ?Sized> {
    pub(super) facts: &'a F,
    pub(super) today: Date,
    pub(super) purpose: Option<Purpose>,
    pub(super) action: Action,
    about: About,
    pub(super) thing: Thing,
}

impl<F: Facts + ?Sized> Question<'_, F> {
    fn person(&self, id: PersonId) -> Result<Verdict, ReadError> {
        let state = self.facts.aggregate(id.into())?;
        let Some(Aggregate::Person(person)) = state.as_deref() else {
            return Ok(Verdict::Denied(WhyNot::PersonUnknown));
        };
        if person.has_left_on(self.today) {
            return Ok(Verdict::Denied(WhyNot::PersonDeparted));
        }
        if self.is_own_entry(id) {
            return Ok(Verdict::Denied(WhyNot::OwnEntry));
        }
        let found = of_person(self, id, person)?;
        Ok(verdict(found, WhyNot::NotGranted))
    }

    /// Whoever may write the roster must not give themselves a school, a team or a child by it: that
    /// would be a grant to oneself.
    fn is_own_entry(&self, id: PersonId) -> bool {
        matches!(self.action, Action::WriteRoster | Action::StaffTeam)
            && self.about == About::Person(id)
    }

    fn system(&self, id: SystemId, relation: Relation) -> Result<Verdict, ReadError> {
        let state = self.facts.aggregate(id.into())?;
        let Some(Aggregate::System(system)) = state.as_deref() else {
            return Ok(Verdict::Denied(WhyNot::SystemUnknown));
        };
        if system.revoked {
            return Ok(Verdict::Denied(WhyNot::SystemRevoked));
        }
        if relation == Relation::OnBehalf && !system.details.may_act_for_people {
            return Ok(Verdict::Denied(WhyNot::SystemForNobody));
        }
        let found = of_system(self, id, relation)?;
        Ok(verdict(found, WhyNot::SystemNotGranted))
    }

    /// A system that acts for a person may do what both may.
    fn both(&self, system: SystemId, person: PersonId) -> Result<Verdict, ReadError> {
        let system = match self.system(system, Relation::OnBehalf)? {
            Verdict::Allowed(because) => because.grant.map(|grant| (because.role, grant)),
            denied @ Verdict::Denied(_) => return Ok(denied),
        };
        Ok(match self.person(person)? {
            Verdict::Allowed(because) => Verdict::Allowed(Because { system, ..because }),
            denied @ Verdict::Denied(_) => denied,
        })
    }
}

fn verdict(found: Option<Capacity>, why_not: WhyNot) -> Verdict {
    match found {
        Some(Capacity {
            role,
            relation,
            grant,
        }) => Verdict::Allowed(Because {
            role,
            relation,
            grant,
            system: None,
        }),
        None => Verdict::Denied(why_not),
    }
}
