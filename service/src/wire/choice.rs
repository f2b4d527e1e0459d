//! Types of the library that are enums in the API, and their numbers.

use planledger_core::access::{Purpose, Role as AccessRole};
use planledger_core::access_log::Shown;
use planledger_core::audit::Disclosure;
use planledger_core::domain::institution::{StudentsThrough, SurveyForum};
use planledger_core::domain::person::Role;
use planledger_core::domain::plan::{Audience, Evaluator, Section, Stays, TalkKind};
use planledger_core::domain::roster_source::ImportMode;
use planledger_core::domain::system::SystemKind;
use planledger_core::domain::team::StaffRole;
use planledger_core::domain::view::Viewer;
use planledger_core::domain::year_plan::{GoalArea, GoalKind, YearPlanKind};
use planledger_core::ids::StreamKind;
use planledger_core::overview::{By, Requirement};
use planledger_core::retention::{NotDue, Standing, Start};

use super::proto;

/// A type of the library that is an enum in the API.
pub(super) trait Choice: Sized {
    /// The value with this number; `None` if the number is unknown or UNSPECIFIED.
    fn from_number(number: i32) -> Option<Self>;

    /// The number of this value in the API.
    fn number(self) -> i32;
}

macro_rules! choices {
    ($($name:ident as $wire:ident { $($variant:ident),* $(,)? })*) => {$(
        impl Choice for $name {
            fn from_number(number: i32) -> Option<Self> {
                match proto::$wire::try_from(number).ok()? {
                    proto::$wire::Unspecified => None,
                    $(proto::$wire::$variant => Some(Self::$variant),)*
                }
            }

            fn number(self) -> i32 {
                let value = match self { $(Self::$variant => proto::$wire::$variant,)* };
                value.into()
            }
        }
    )*};
}

choices! {
    StreamKind as StreamKind {
        Institution, SchoolYear, Person, Team, YearPlan, Plan, Catalogue, Ledger, Recovery,
        RosterSource, System, Grants, Erasure,
    }
    AccessRole as AccessRole {
        Student, Guardian, Teacher, Pedagogue, Leader, Administrator, RecordsOfficer, Auditor,
        IntegrityAuditor, LearningPlatform, Portal, RosterSystem,
    }
    Purpose as AccessPurpose {
        Teaching, Counselling, Supervision, Audit, Support, Integration,
    }
    Shown as PlanReadKind {
        Plan, Comparison, CollectedView, History, Events, Evidence, AccessLog,
    }
    SystemKind as SystemKind { LearningPlatform, Portal, Roster, Other }
    Role as Role { Student, Guardian, Teacher, Pedagogue, Leader, Other }
    StaffRole as StaffRole { Teacher, Pedagogue }
    YearPlanKind as YearPlanKind { Subject, Combined }
    GoalKind as GoalKind { Subject, Reflection }
    GoalArea as GoalArea { Academic, AllRoundDevelopment, Wellbeing }
    Section as Section { Status, Goals, FollowUp }
    Audience as Audience { Student, Guardians, Others }
    Evaluator as Evaluator { Staff, Student }
    Disclosure as BundleDisclosure { Events, Integrity }
    Stays as RevertStayReason { RecordedSince, OfAnotherSide, HeldByStaff }
    By as OverviewBy { Institution, Grade, Team }
    Requirement as DueRequirement { Plan, Visible, Evaluated, Talk }
    ImportMode as RosterImportMode { Bulk, Delta }
    SurveyForum as SurveyForum { SchoolBoard, ParentsMeeting, StudentCouncil, Class, Staff }
    StudentsThrough as StudentsThrough { StudentCouncil, Class, ChosenStudents }
    Start as RetentionStart { Departure, LastSchoolYear, Later }
    Standing as DueErasureStanding { New, Requested, Approved, TakenBack }
    NotDue as NotDueReason {
        RunningYear, StillHere, NotOnlyStudent, NoStudent, NoClass, Held, Kept,
    }
    TalkKind as TalkKind { StudentTalk, FeedbackTalk, LearningTalk, SchoolHomeTalk }
}

impl Choice for Viewer {
    fn from_number(number: i32) -> Option<Self> {
        match proto::Viewer::try_from(number).ok()? {
            proto::Viewer::Unspecified => None,
            proto::Viewer::Staff => Some(Self::Staff),
            proto::Viewer::Student => Some(Self::Audience(Audience::Student)),
            proto::Viewer::Guardians => Some(Self::Audience(Audience::Guardians)),
            proto::Viewer::Others => Some(Self::Audience(Audience::Others)),
        }
    }

    fn number(self) -> i32 {
        let value = match self {
            Self::Staff => proto::Viewer::Staff,
            Self::Audience(Audience::Student) => proto::Viewer::Student,
            Self::Audience(Audience::Guardians) => proto::Viewer::Guardians,
            Self::Audience(Audience::Others) => proto::Viewer::Others,
        };
        value.into()
    }
}

/// The API's viewer for the library's viewer.
pub fn viewer(viewer: Viewer) -> proto::Viewer {
    proto::Viewer::try_from(viewer.number()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_viewer_survives_the_way_there_and_back() {
        for number in 1..=4 {
            assert_eq!(
                Viewer::from_number(number).map(Choice::number),
                Some(number)
            );
        }
        assert_eq!(Viewer::from_number(0), None);
        assert_eq!(Viewer::from_number(5), None);
    }
}
