//! The table of who may do what.

use super::Action::{self, *};
use super::Relation::{
    self, Child, Granted, Known, Member, OnBehalf, Oneself, Owner, Team, Workplace,
};
use super::Role::{
    self, Administrator, Auditor, Guardian, IntegrityAuditor, Leader, LearningPlatform, Pedagogue,
    Portal, RecordsOfficer, RosterSystem, Student, Teacher,
};

/// Roles, and the relations in which each of them may do something.
type Row = (&'static [Role], &'static [Relation]);

/// Teachers and pedagogues, who work with the students of their teams.
const TEACHING: &[Role] = &[Teacher, Pedagogue];
/// Everybody who works at a school.
const STAFF: &[Role] = &[Teacher, Pedagogue, Leader];

/// Whoever teaches the student, through the roster or a grant.
const TEACHES: Row = (TEACHING, &[Team, Granted]);
/// Whoever owns the thing.
const OWNS: Row = (STAFF, &[Owner]);
/// The leader of the institution, through the roster or a grant.
const LEADS: Row = (&[Leader], &[Workplace, Granted]);
/// Whoever works at the institution.
const WORKS_THERE: Row = (STAFF, &[Workplace]);
/// A system in which teachers and students work, for one of them.
const PLATFORM: Row = (&[LearningPlatform], &[OnBehalf]);
/// A system in which guardians and students read, for one of them.
const PORTAL: Row = (&[Portal], &[OnBehalf]);
/// Administrators.
const ADMINISTERS: Row = (&[Administrator], &[Granted]);
/// Auditors.
const AUDITS: Row = (&[Auditor], &[Granted]);
/// Records officers.
const KEEPS_RECORDS: Row = (&[RecordsOfficer], &[Granted]);

/// Whether whoever has this role and stands in this relation to a thing may do this. What no row
/// allows is denied.
pub fn may(role: Role, relation: Relation, action: Action) -> bool {
    let rows = rows(action).iter();
    rows.into_iter()
        .any(|(roles, relations)| roles.contains(&role) && relations.contains(&relation))
}

/// The rows of an action.
fn rows(action: Action) -> &'static [Row] {
    match action {
        OpenPlan | ArrangePlan | WritePlan | RecordTalk | SharePlan | WithdrawPlan | RevertPlan => {
            &[TEACHES, OWNS, PLATFORM]
        }
        Evaluate => &[TEACHES, OWNS, (&[Student], &[Oneself]), PLATFORM],
        TransferPlan | MovePlan | DeleteYearPlan | TransferYearPlan | MoveYearPlan => {
            &[OWNS, LEADS, PLATFORM]
        }
        CreateYearPlan => &[TEACHES, LEADS, PLATFORM],
        EditYearPlan => &[OWNS, PLATFORM],
        CreateTeam | StaffTeam => &[LEADS, ADMINISTERS],
        EditTeam | DeleteTeam | TransferTeam => &[OWNS, LEADS, ADMINISTERS, PLATFORM],
        Depart | DecideSuggestion | Recover | UndoRecovery => &[LEADS, ADMINISTERS],
        RecordSurvey => &[WORKS_THERE, PLATFORM],
        WriteRoster | ImportCatalogue => &[ADMINISTERS],
        // Not administrators: an import writes anybody's place, also that of whoever runs it.
        ImportRoster => &[(&[RosterSystem], &[Granted])],
        GrantStaff => &[LEADS, ADMINISTERS],
        GrantGuardian | GrantLeader | GrantOffice | GrantSystem | ManageSystem => &[ADMINISTERS],
        DestroyText => &[KEEPS_RECORDS],
        // Ending a grant is looked up as giving it.
        RevokeGrant | KeepLedger => &[],
        ReadPlanAsStaff | ListPlans | ReadRecords | ReadEvents => {
            &[TEACHES, OWNS, LEADS, AUDITS, KEEPS_RECORDS, PLATFORM]
        }
        ReadPlanAsStudent => &[
            TEACHES,
            OWNS,
            LEADS,
            AUDITS,
            KEEPS_RECORDS,
            (&[Student], &[Oneself]),
            PLATFORM,
            PORTAL,
        ],
        ReadPlanAsGuardians => &[
            TEACHES,
            OWNS,
            LEADS,
            AUDITS,
            KEEPS_RECORDS,
            (&[Guardian], &[Child, Granted]),
            PLATFORM,
            PORTAL,
        ],
        ReadPlanAsOthers => &[TEACHES, OWNS, LEADS, AUDITS, KEEPS_RECORDS, PLATFORM],
        ReadYearPlanAsStaff => &[TEACHES, OWNS, LEADS, WORKS_THERE, AUDITS, PLATFORM],
        ReadYearPlanAsAudience => &[
            TEACHES,
            OWNS,
            LEADS,
            WORKS_THERE,
            AUDITS,
            (&[Student], &[Member]),
            (&[Guardian], &[Child, Granted]),
            PLATFORM,
            PORTAL,
        ],
        ReadInstitution => &[
            (STAFF, &[Known]),
            (
                &[
                    Administrator,
                    RecordsOfficer,
                    Auditor,
                    LearningPlatform,
                    Portal,
                    RosterSystem,
                ],
                &[Known],
            ),
        ],
        ReadRoster | LookupPerson => &[
            TEACHES,
            OWNS,
            LEADS,
            WORKS_THERE,
            ADMINISTERS,
            AUDITS,
            KEEPS_RECORDS,
            (&[RosterSystem], &[Granted]),
            PLATFORM,
        ],
        ReadRosterSources => &[ADMINISTERS, AUDITS, (&[RosterSystem], &[Granted])],
        ReadOwnership => &[
            OWNS,
            (STAFF, &[Oneself]),
            LEADS,
            ADMINISTERS,
            AUDITS,
            PLATFORM,
        ],
        ReadOverview => &[LEADS, ADMINISTERS, AUDITS, PLATFORM],
        ReadSurvey => &[WORKS_THERE, LEADS, AUDITS, PLATFORM],
        ReadCatalogue | ReadProofs => &[(&Role::ALL, &[Known])],
        ReadMeta => &[
            TEACHES,
            OWNS,
            LEADS,
            AUDITS,
            KEEPS_RECORDS,
            (&[IntegrityAuditor], &[Granted]),
        ],
        ExportDisclosed => &[AUDITS, KEEPS_RECORDS],
        ExportUndisclosed => &[
            AUDITS,
            KEEPS_RECORDS,
            ADMINISTERS,
            (&[IntegrityAuditor], &[Granted]),
        ],
        CreateCheckpoint => &[ADMINISTERS],
        ReadStatus => &[(
            &[
                Administrator,
                RecordsOfficer,
                Auditor,
                IntegrityAuditor,
                LearningPlatform,
                Portal,
                RosterSystem,
            ],
            &[Known],
        )],
        ReadAccess => &[
            (&Role::ALL, &[Oneself]),
            LEADS,
            ADMINISTERS,
            AUDITS,
            KEEPS_RECORDS,
        ],
        ReadAccessLog => &[
            (&[Student], &[Oneself]),
            (&[Guardian], &[Child, Granted]),
            // Who has read tells nothing of what was read.
            LEADS,
            ADMINISTERS,
            AUDITS,
            KEEPS_RECORDS,
            PORTAL,
        ],
    }
}
