//! Why somebody may or may not do something, and the review of grants.

use jiff::civil::Date;
use planledger_core::access::review::{Finding, Reviewed};
use planledger_core::access::{About, Action, Because, Purpose, Who};
use planledger_core::domain::Actor;
use planledger_core::domain::grants::Granted;
use uuid::Uuid;

use super::actor::read_actor;
use super::choice::Choice;
use super::errors::Failure;
use super::fields::{Fields, ViolationReason};
use super::page::{Page, Scope, read_size};
use super::proto;
use super::request::{AsOf, read_as_of};

/// Days ahead in which a grant ends soon, if a request does not say.
const SOON: i32 = 60;
/// Most days ahead in which a grant can be said to end soon.
const LATEST: i32 = 3_660;

/// A question about access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explain {
    /// Who would act.
    pub who: Who,
    /// What they would do.
    pub action: Action,
    /// What it is about.
    pub about: About,
    /// As of this moment; now if `None`.
    pub at: Option<AsOf>,
}

/// Reads `ExplainAccess`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn explain(request: proto::ExplainAccessRequest) -> Result<Explain, Failure> {
    Ok(Fields::read(|fields| {
        let actor = fields.message("actor", request.actor, read_actor);
        let person = request.on_behalf_of_person_id.as_deref();
        let on_behalf_of = fields.optional_id("on_behalf_of_person_id", person);
        let action = read_action(fields, &request.action);
        let about = fields.message("about", request.about, read_thing);
        let purpose: Option<Option<Purpose>> = fields
            .optional(request.purpose, |fields, purpose| {
                fields.choice("purpose", purpose)
            });
        let at = fields.optional(request.at, |fields, at| {
            fields.within("at", |fields| read_as_of(fields, at))
        });
        Some(Explain {
            who: Who {
                actor: actor?,
                on_behalf_of: on_behalf_of?,
                purpose: purpose?,
            },
            action: action?,
            about: about?,
            at: at?,
        })
    })?)
}

fn read_action(fields: &mut Fields, name: &str) -> Option<Action> {
    if name.is_empty() {
        return fields.missing("action");
    }
    let action = Action::from_name(name);
    if action.is_none() {
        let description = "is no action that this server knows";
        fields.violate("action", ViolationReason::UnknownEnum, description);
    }
    action
}

fn read_thing(fields: &mut Fields, thing: proto::AccessThing) -> Option<About> {
    use proto::access_thing::Thing;
    match thing.thing {
        Some(Thing::Municipality(_)) => Some(About::Municipality),
        Some(Thing::InstitutionId(id)) => fields.id("institution_id", &id).map(About::Institution),
        Some(Thing::TeamId(id)) => fields.id("team_id", &id).map(About::Team),
        Some(Thing::YearPlanId(id)) => fields.id("year_plan_id", &id).map(About::YearPlan),
        Some(Thing::PlanId(id)) => fields.id("plan_id", &id).map(About::Plan),
        Some(Thing::StudentId(id)) => fields.id("student_id", &id).map(About::Student),
        Some(Thing::PersonId(id)) => fields.id("person_id", &id).map(About::Person),
        Some(Thing::SystemId(id)) => fields.id("system_id", &id).map(About::System),
        None => fields.missing("thing"),
    }
}

/// Reads the name of an action that somebody typed.
///
/// # Errors
/// What it must be.
pub fn action_named(name: &str) -> Result<String, String> {
    let known = Action::from_name(name).map(|action| action.name().to_owned());
    known.ok_or_else(|| "must be an action that SECURITY.md lists".to_owned())
}

/// Reads the name of a purpose that somebody typed.
///
/// # Errors
/// What it must be.
pub fn purpose_named(name: &str) -> Result<proto::AccessPurpose, String> {
    let mut all = Purpose::ALL.into_iter();
    let found = all.find(|purpose| purpose.name() == name);
    let number = found.and_then(|found| found.number().try_into().ok());
    number.ok_or_else(|| {
        let names: Vec<_> = Purpose::ALL.into_iter().map(Purpose::name).collect();
        format!("must be one of {}", names.join(", "))
    })
}

/// What allows something.
pub fn access_ground(because: &Because, one_hand: bool) -> proto::AccessGround {
    let (system_role, system_grant) = because.system.unzip();
    proto::AccessGround {
        role: because.role.number(),
        relation: because.relation.name().to_owned(),
        grant_id: because.grant.map(|id| id.to_string()),
        system_role: system_role.map(Choice::number),
        system_grant_id: system_grant.map(|id| id.to_string()),
        one_hand,
    }
}

/// Reads `ListGrants`: whose grants, and the page.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_grants(
    request: proto::ListGrantsRequest,
) -> Result<(Option<Actor>, Page<Uuid>), Failure> {
    let (grantee, size) = Fields::read(|fields| {
        let grantee = fields.optional(request.grantee, |fields, actor| {
            fields.within("grantee", |fields| read_actor(fields, actor))
        });
        let size = read_size(fields, request.page_size);
        Some((grantee?, size?))
    })?;
    let name = grantee.map(|grantee| grantee.to_string());
    let scope = Scope::new("ListGrants", &[name.unwrap_or_default().as_bytes()]);
    Ok((grantee, Page::new(scope, size, &request.page_token)?))
}

/// Reads `ReviewAccess`: the days ahead in which a grant ends soon, and the page.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn review_access(request: &proto::ReviewAccessRequest) -> Result<(i32, Page<Uuid>), Failure> {
    let (days, size) = Fields::read(|fields| {
        let days = match request.expiring_within_days {
            0 => Some(SOON),
            days @ 1..=LATEST => Some(days),
            _ => {
                let description = format!("must be from 0 to {LATEST}");
                let reason = ViolationReason::OutOfRange;
                fields.violate("expiring_within_days", reason, description);
                None
            }
        };
        let size = read_size(fields, request.page_size);
        Some((days?, size?))
    })?;
    let scope = Scope::new("ReviewAccess", &[&days.to_be_bytes()]);
    Ok((days, Page::new(scope, size, &request.page_token)?))
}

/// What one person or system holds, and what looks as if it should end.
pub fn reviewed(found: &Reviewed, day: Date) -> proto::ReviewedGrants {
    let findings = found
        .findings
        .iter()
        .map(|(finding, grant)| proto::ReviewFinding {
            kind: finding.number(),
            grant_id: grant.map(|id| id.to_string()),
        });
    let open = |grant: &Granted| !grant.is_over_on(day);
    proto::ReviewedGrants {
        grants: Some(super::grants::grants(
            found.revision,
            &found.grants,
            day,
            open,
        )),
        name: found.name.as_ref().map(ToString::to_string),
        findings: findings.collect(),
    }
}

impl Choice for Finding {
    fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.number() == number)
    }

    fn number(self) -> i32 {
        use proto::ReviewFindingKind as Wire;
        let kind = match self {
            Self::PersonDeparted => Wire::PersonDeparted,
            Self::PersonAbsent => Wire::PersonAbsent,
            Self::AccountClosed => Wire::AccountClosed,
            Self::SystemRevoked => Wire::SystemRevoked,
            Self::Expiring => Wire::Expiring,
            Self::WithoutEnd => Wire::WithoutEnd,
            Self::OneHand => Wire::OneHand,
        };
        kind.into()
    }
}
