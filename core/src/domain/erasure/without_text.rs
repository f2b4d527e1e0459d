//! What is left of an event when its text is redacted: everything but what people wrote. So whatever
//! else rests on the event, such as a unit, an owner or a date, stays as it was.

use crate::domain::Event;
use crate::domain::catalogue::{CatalogueDetails, CatalogueEvent, CatalogueItem, Licence};
use crate::domain::erasure::{ActRecord, ErasureEvent};
use crate::domain::grants::{GrantDetails, GrantsEvent};
use crate::domain::institution::{InstitutionDetails, InstitutionEvent, SurveyDetails};
use crate::domain::ledger::{CarriedOver, LedgerEvent, LostReads, PlaceHeld, Restored};
use crate::domain::person::PersonEvent;
use crate::domain::plan::{Assessment, PlanEvent, TalkDetails};
use crate::domain::recovery::{RecoveryEvent, Step};
use crate::domain::roster_source::RosterSourceEvent;
use crate::domain::school_year::{SchoolYear, SchoolYearEvent};
use crate::domain::system::{SystemDetails, SystemEvent};
use crate::domain::team::{TeamDetails, TeamEvent};
use crate::domain::year_plan::{
    GoalDetails, Scale, UnitDetails, Wording, YearPlanDetails, YearPlanEvent,
};
use crate::text::Redacted;

/// What is left of an event when its text is redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// The event, with [`crate::text::REDACTED`] in place of each text.
    Event(Box<Event>),
    /// Nothing. The text is all that the event says: a subject of a year plan is known by its name.
    Nothing,
    /// The event holds no text that a person wrote, so there is nothing to redact.
    NoText,
}

impl Event {
    /// What is left of it when its text is redacted. Text is what people write in their own words, names
    /// too. Ids and codes of other systems and the names of sources are no text: others are found by
    /// them.
    pub fn without_text(&self) -> Left {
        let mut left = self.clone();
        let found = match &mut left {
            Self::Institution(event) => institution(event),
            Self::SchoolYear(event) => school_year(event),
            Self::Person(event) => person(event),
            Self::Team(event) => team(event),
            Self::YearPlan(
                YearPlanEvent::SubjectAdded { .. } | YearPlanEvent::SubjectRemoved { .. },
            ) => return Left::Nothing,
            Self::YearPlan(event) => year_plan(event),
            Self::Plan(event) => plan(event),
            Self::Catalogue(event) => catalogue(event),
            Self::Ledger(event) => ledger(event),
            Self::Recovery(event) => recovery(event),
            Self::RosterSource(event) => roster_source(event),
            Self::System(event) => system(event),
            Self::Grants(event) => grants(event),
            Self::Erasure(event) => erasure(event),
        };
        match found {
            true => Left::Event(Box::new(left)),
            false => Left::NoText,
        }
    }
}

/// Takes a text away. Gives whether there was one.
fn take<T: Redacted>(text: &mut T) -> bool {
    *text = T::redacted();
    true
}

fn take_if<T: Redacted>(text: &mut Option<T>) -> bool {
    text.as_mut().is_some_and(take)
}

fn institution(event: &mut InstitutionEvent) -> bool {
    let of_details = |details: &mut InstitutionDetails| {
        let InstitutionDetails { name, code: _ } = details;
        take(name)
    };
    match event {
        InstitutionEvent::Registered(details) | InstitutionEvent::Revised(details) => {
            of_details(details)
        }
        InstitutionEvent::Closed { reason }
        | InstitutionEvent::SurveyDiscussionWithdrawn {
            discussion: _,
            reason,
        } => take_if(reason),
        InstitutionEvent::SurveyDiscussed {
            discussion: _,
            details,
        } => survey(details),
        InstitutionEvent::SurveyDiscussionCorrected {
            discussion: _,
            details,
            reason,
        } => survey(details) | take_if(reason),
        InstitutionEvent::Reopened {}
        | InstitutionEvent::LeftToRoster { facts: _ }
        | InstitutionEvent::Succeeded { by: _ } => false,
    }
}

fn survey(details: &mut SurveyDetails) -> bool {
    let SurveyDetails {
        school_year: _,
        forum: _,
        held_on: _,
        students_through: _,
        agreed,
        follow_up_on: _,
        goals: _,
    } = details;
    take(agreed)
}

fn school_year(event: &mut SchoolYearEvent) -> bool {
    match event {
        SchoolYearEvent::Defined(SchoolYear {
            title,
            first_day: _,
            last_day: _,
        }) => take(title),
        SchoolYearEvent::LeftToRoster { facts: _ } => false,
    }
}

fn person(event: &mut PersonEvent) -> bool {
    match event {
        PersonEvent::Registered { name, record: _ } | PersonEvent::Renamed { name } => take(name),
        PersonEvent::Departed {
            last_day: _,
            reason,
        }
        | PersonEvent::SuggestionDecided {
            evidence: _,
            confirmed: _,
            reason,
        } => take_if(reason),
        PersonEvent::AffiliationSet(_)
        | PersonEvent::AffiliationEnded {
            institution: _,
            role: _,
        }
        | PersonEvent::GuardianshipSet(_)
        | PersonEvent::GuardianshipEnded {
            guardian: _,
            last_day: _,
        }
        | PersonEvent::Returned {}
        | PersonEvent::LeftToRoster { facts: _ }
        | PersonEvent::RecordedInRoster(_)
        | PersonEvent::AbsentFromRoster {
            source: _,
            last_seen: _,
        } => false,
    }
}

fn team(event: &mut TeamEvent) -> bool {
    let of_details = |details: &mut TeamDetails| {
        let TeamDetails {
            institution: _,
            school_year: _,
            title,
            subject,
            code: _,
        } = details;
        take(title) | take_if(subject)
    };
    match event {
        TeamEvent::Created { details, owner: _ } => of_details(details),
        TeamEvent::Revised(details) => of_details(details),
        TeamEvent::Closed { reason }
        | TeamEvent::Deleted { reason }
        | TeamEvent::OwnershipTransferred {
            from: _,
            to: _,
            reason,
        }
        | TeamEvent::OwnershipGivenUp { from: _, reason } => take_if(reason),
        TeamEvent::MemberAdded { student: _ }
        | TeamEvent::MemberRemoved { student: _ }
        | TeamEvent::StaffAdded { person: _, role: _ }
        | TeamEvent::StaffRemoved { person: _ }
        | TeamEvent::Reopened {}
        | TeamEvent::Undeleted {}
        | TeamEvent::LeftToRoster { facts: _ }
        | TeamEvent::RecordedInRoster { source: _ }
        | TeamEvent::AbsentFromRoster {
            source: _,
            last_seen: _,
        }
        | TeamEvent::Moved { from: _, to: _ } => false,
    }
}

fn year_plan(event: &mut YearPlanEvent) -> bool {
    match event {
        YearPlanEvent::Created { details, owner: _ } => year_plan_details(details),
        YearPlanEvent::Retitled { title } => take(title),
        YearPlanEvent::UnitAdded { unit: _, details }
        | YearPlanEvent::UnitRevised { unit: _, details } => unit(details),
        YearPlanEvent::GoalAdded {
            unit: _,
            goal: _,
            details:
                GoalDetails {
                    kind: _,
                    area: _,
                    wording,
                    scale,
                },
        }
        | YearPlanEvent::GoalRevised {
            goal: _,
            wording,
            scale,
        } => goal(wording, scale),
        YearPlanEvent::UnitDeleted { unit: _, reason }
        | YearPlanEvent::GoalRetired { goal: _, reason }
        | YearPlanEvent::Deleted { reason }
        | YearPlanEvent::OwnershipTransferred {
            from: _,
            to: _,
            reason,
        }
        | YearPlanEvent::Moved {
            from: _,
            to: _,
            reason,
        } => take_if(reason),
        // What is left of these two stands elsewhere: nothing.
        YearPlanEvent::SubjectAdded { subject } | YearPlanEvent::SubjectRemoved { subject } => {
            take(subject)
        }
        YearPlanEvent::UnitUndeleted { unit: _ } | YearPlanEvent::Undeleted {} => false,
    }
}

fn year_plan_details(details: &mut YearPlanDetails) -> bool {
    let YearPlanDetails {
        kind: _,
        institution: _,
        team: _,
        school_year: _,
        title,
        subjects,
    } = details;
    if !subjects.is_empty() {
        *subjects = [Redacted::redacted()].into();
    }
    take(title)
}

fn unit(details: &mut UnitDetails) -> bool {
    let UnitDetails {
        title,
        subject,
        description,
    } = details;
    take(title) | take_if(subject) | take_if(description)
}

/// A scale keeps as many levels as it had: an evaluation names its level by number.
fn goal(wording: &mut Wording, scale: &mut Scale) -> bool {
    let words = match wording {
        Wording::Own { text }
        | Wording::Catalogue {
            catalogue: _,
            item: _,
            text,
        } => take(text),
    };
    let Scale { title, levels } = scale;
    levels.iter_mut().for_each(|level| {
        take(level);
    });
    words | take(title)
}

fn plan(event: &mut PlanEvent) -> bool {
    match event {
        PlanEvent::StatusWritten { text }
        | PlanEvent::FollowUpWritten {
            text,
            follow_up_on: _,
        } => take(text),
        PlanEvent::EvaluationRecorded {
            evaluation: _,
            unit: _,
            goal: _,
            goal_revision: _,
            by: _,
            assessment,
        } => assessed(assessment),
        PlanEvent::EvaluationCorrected {
            evaluation: _,
            assessment,
            reason,
        } => assessed(assessment) | take_if(reason),
        PlanEvent::TalkRecorded { talk: _, details } => talk(details),
        PlanEvent::TalkCorrected {
            talk: _,
            details,
            reason,
        } => talk(details) | take_if(reason),
        PlanEvent::Reverted { to: _, reason } => take(reason),
        PlanEvent::Withdrawn { reason }
        | PlanEvent::OwnershipTransferred {
            from: _,
            to: _,
            reason,
        }
        | PlanEvent::MovedToYearPlan {
            from: _,
            to: _,
            reason,
        } => take_if(reason),
        PlanEvent::Opened {
            student: _,
            kind: _,
            year_plan: _,
            owner: _,
        }
        | PlanEvent::UnitIncluded(_)
        | PlanEvent::UnitExcluded(_)
        | PlanEvent::SectionShown { section: _ }
        | PlanEvent::SectionHidden { section: _ }
        | PlanEvent::ItemShown { item: _ }
        | PlanEvent::ItemHidden { item: _ }
        | PlanEvent::Shared {}
        | PlanEvent::Unshared {}
        | PlanEvent::VisibilitySet {
            audience: _,
            visible: _,
        }
        | PlanEvent::Restored {}
        | PlanEvent::StatusCleared {}
        | PlanEvent::FollowUpCleared {} => false,
    }
}

fn assessed(assessment: &mut Assessment) -> bool {
    let Assessment { level: _, comment } = assessment;
    take_if(comment)
}

fn talk(details: &mut TalkDetails) -> bool {
    let TalkDetails {
        kind: _,
        held_on: _,
        notes,
        held_by: _,
    } = details;
    take(notes)
}

fn catalogue(event: &mut CatalogueEvent) -> bool {
    match event {
        CatalogueEvent::Defined(CatalogueDetails {
            title,
            publisher,
            version: _,
            language: _,
            licence: under,
            rights_holder,
        }) => take(title) | take_if(publisher) | licence(under) | take_if(rights_holder),
        CatalogueEvent::ItemDefined {
            item: _,
            details:
                CatalogueItem {
                    text,
                    kind,
                    code: _,
                    parents: _,
                    sequence: _,
                    orders: _,
                    licence: under,
                },
        } => take(text) | take_if(kind) | licence(under),
        CatalogueEvent::ItemRetired { item: _ } => false,
    }
}

fn licence(licence: &mut Option<Licence>) -> bool {
    let Some(Licence { title, uri, text }) = licence else {
        return false;
    };
    take(title) | take_if(uri) | take_if(text)
}

fn ledger(event: &mut LedgerEvent) -> bool {
    match event {
        LedgerEvent::AccessLogLost(LostReads {
            records: _,
            kept: _,
            complete_since: _,
            reason,
        })
        | LedgerEvent::Restored(Restored {
            position: _,
            reached: _,
            restored_at: _,
            backed_up_at: _,
            beyond: _,
            commands: _,
            ids: _,
            reason,
        })
        | LedgerEvent::CarriedOver(CarriedOver {
            ledger: _,
            position: _,
            reached: _,
            lost: _,
            renumbered: _,
            root: _,
            checkpoint: _,
            entries: _,
            carried_at: _,
            reason,
        })
        | LedgerEvent::ForkSettled {
            stream: _,
            forks: _,
            reason,
        } => take(reason),
        LedgerEvent::PlaceHeld(PlaceHeld::Own(own)) => ledger(&mut own.event),
        LedgerEvent::PlaceHeld(PlaceHeld::Lost(_)) => false,
        // The statement is one of keys, and proofs rest on it.
        LedgerEvent::KeyIntroduced { key: _ }
        | LedgerEvent::KeyRotated {
            from: _,
            to: _,
            statement: _,
        }
        | LedgerEvent::HeadsRecorded {
            through: _,
            root: _,
        }
        | LedgerEvent::AccessLogNoted(_) => false,
    }
}

fn recovery(event: &mut RecoveryEvent) -> bool {
    match event {
        RecoveryEvent::Started {
            steps,
            on_behalf_of: _,
            reason,
        } => {
            let of_steps = steps.iter_mut().fold(false, |found, one| step(one) | found);
            of_steps | take_if(reason)
        }
        RecoveryEvent::UndoStarted {
            by: _,
            on_behalf_of: _,
            reason,
        } => take_if(reason),
        RecoveryEvent::Finished { left_out: _ } | RecoveryEvent::Undone { left_out: _ } => false,
    }
}

fn step(step: &mut Step) -> bool {
    match step {
        Step::CreateYearPlan {
            year_plan: _,
            like: _,
            details,
            owner: _,
        } => year_plan_details(details),
        Step::TeamOwner { .. }
        | Step::YearPlanOwner { .. }
        | Step::PlanOwner { .. }
        | Step::UndeleteTeam { .. }
        | Step::UndeleteYearPlan { .. }
        | Step::UndeleteUnit { .. }
        | Step::RestorePlan { .. }
        | Step::MovePlan { .. }
        | Step::MoveTeam { .. }
        | Step::MoveYearPlan { .. }
        | Step::Succeed { .. }
        | Step::CopyUnit { .. } => false,
    }
}

fn roster_source(event: &mut RosterSourceEvent) -> bool {
    match event {
        RosterSourceEvent::Registered { name: _ } | RosterSourceEvent::Imported(_) => false,
    }
}

fn system(event: &mut SystemEvent) -> bool {
    match event {
        SystemEvent::Registered(details) | SystemEvent::Changed(details) => {
            let SystemDetails {
                name,
                kind: _,
                identities: _,
                may_act_for_people: _,
                may_name_person_in_header: _,
            } = details;
            take(name)
        }
        SystemEvent::Revoked { reason } => take_if(reason),
    }
}

fn grants(event: &mut GrantsEvent) -> bool {
    match event {
        GrantsEvent::Granted {
            grant: _,
            grantee: _,
            details:
                GrantDetails {
                    role: _,
                    scope: _,
                    first_day: _,
                    last_day: _,
                    purpose: _,
                    reason,
                },
        }
        | GrantsEvent::Revoked { grant: _, reason } => take_if(reason),
        GrantsEvent::Bootstrapped {
            grant: _,
            grantee: _,
        } => false,
    }
}

/// Target, people and instants stay, so an act is as proved as before.
fn erasure(event: &mut ErasureEvent) -> bool {
    match event {
        ErasureEvent::Requested {
            target: _,
            basis,
            reason,
            retention: _,
        } => take(basis) | take(reason),
        ErasureEvent::AppliedAgain(record) => {
            let ActRecord {
                target: _,
                basis,
                reason,
                requested: _,
                approved: _,
                key: _,
                reads: _,
                left: _,
            } = &mut **record;
            take(basis) | take(reason)
        }
        ErasureEvent::Approved { reason } | ErasureEvent::Withdrawn { reason } => take_if(reason),
        ErasureEvent::CarriedOut { key: _ }
        | ErasureEvent::ReadsSettled(_)
        | ErasureEvent::TextSettled(_) => false,
    }
}
