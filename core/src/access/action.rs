use crate::domain::Command;
use crate::domain::catalogue::CatalogueCommand;
use crate::domain::erasure::ErasureCommand;
use crate::domain::grants::{GrantsCommand, Role};
use crate::domain::institution::InstitutionCommand;
use crate::domain::person::PersonCommand;
use crate::domain::plan::{Audience, PlanCommand};
use crate::domain::roster_source::RosterSourceCommand;
use crate::domain::school_year::SchoolYearCommand;
use crate::domain::system::SystemCommand;
use crate::domain::team::TeamCommand;
use crate::domain::view::Viewer;
use crate::domain::year_plan::YearPlanCommand;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $what:literal;)*) => {
        /// Something that somebody may or may not do. The set is closed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $(#[doc = $what] $(#[$doc])* $name,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name in reports and on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it is, in a sentence.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)* }
            }
        }
    };
}

actions! {
    OpenPlan = "open_plan", "Open a plan for a student.";
    ArrangePlan = "arrange_plan", "Choose the units of a plan and what of it is shown.";
    WritePlan = "write_plan", "Write or clear status and follow-up.";
    Evaluate = "evaluate", "Evaluate goals.";
    RecordTalk = "record_talk", "Record and correct talks.";
    SharePlan = "share_plan", "Share a plan and make it visible.";
    WithdrawPlan = "withdraw_plan", "Withdraw a plan, and restore a withdrawn one.";
    RevertPlan = "revert_plan", "Bring a plan back to what it was.";
    TransferPlan = "transfer_plan", "Give a plan to another owner.";
    MovePlan = "move_plan", "Move a plan to another year plan.";
    CreateYearPlan = "create_year_plan", "Create a year plan for a team.";
    EditYearPlan = "edit_year_plan", "Change title, subjects, units and goals of a year plan.";
    DeleteYearPlan = "delete_year_plan", "Delete a year plan, and bring it back.";
    TransferYearPlan = "transfer_year_plan", "Give a year plan to another owner.";
    MoveYearPlan = "move_year_plan", "Move a year plan to another institution.";
    CreateTeam = "create_team", "Create a team at an institution.";
    EditTeam = "edit_team", "Change a team's details, close it and reopen it.";
    StaffTeam = "staff_team", "Add and remove students and staff of a team.";
    DeleteTeam = "delete_team", "Delete a team, and bring it back.";
    TransferTeam = "transfer_team", "Give a team to another owner.";
    Depart = "depart", "Say that somebody has left, or take it back.";
    DecideSuggestion = "decide_suggestion", "Decide whether somebody who seems to have left has.";
    RecordSurvey = "record_survey", "Record how the wellbeing survey was discussed.";
    WriteRoster = "write_roster",
        "Change institutions, school years, persons, their places and guardians by hand.";
    ImportRoster = "import_roster", "Import a roster, and see what an import would do.";
    ImportCatalogue = "import_catalogue", "Import a catalogue of goals.";
    Recover = "recover", "Run a recovery: hand things over, bring them back, merge institutions.";
    UndoRecovery = "undo_recovery", "Undo a recovery.";
    GrantStaff = "grant_staff", "Make somebody teacher or pedagogue of a team or student, or end it.";
    GrantGuardian = "grant_guardian", "Make somebody guardian of a student, or end it.";
    GrantLeader = "grant_leader", "Make somebody leader of an institution, or end it.";
    GrantOffice = "grant_office",
        "Make somebody administrator, records officer or auditor, or end it.";
    GrantSystem = "grant_system", "Give a role to a system, or end it.";
    RevokeGrant = "revoke_grant",
        "End a grant. Needs what granting it would need.";
    ManageSystem = "manage_system", "Register, change and revoke systems.";
    DestroyText = "destroy_text", "Ask for the redaction of an event, the erasure of a person or the removal of old reads, approve it, or withdraw the request; list who is due for erasure.";
    KeepLedger = "keep_ledger",
        "What the ledger does by itself or somebody does at its directory. Nobody may over the network.";
    ReadPlanAsStaff = "read_plan_as_staff", "Read a plan as staff see it.";
    ReadPlanAsStudent = "read_plan_as_student", "Read a plan as the student sees it.";
    ReadPlanAsGuardians = "read_plan_as_guardians", "Read a plan as guardians see it.";
    ReadPlanAsOthers = "read_plan_as_others", "Read a plan as others see it.";
    ListPlans = "list_plans", "List plans: whose, of which year plan, and how far.";
    ReadRecords = "read_records", "Read the history and the events of a plan.";
    ReadYearPlanAsStaff = "read_year_plan_as_staff", "Read a year plan as staff see it.";
    ReadYearPlanAsAudience = "read_year_plan_as_audience",
        "Read a year plan as students, guardians or others see it.";
    ReadInstitution = "read_institution", "Read institutions and school years.";
    ReadRoster = "read_roster", "Read persons and teams, and list year plans.";
    LookupPerson = "lookup_person", "Find a person by the id that another system uses.";
    ReadRosterSources = "read_roster_sources", "Read what the sources of rosters brought.";
    ReadOwnership = "read_ownership", "Read who owns what, and what recoveries would do or did.";
    ReadOverview = "read_overview", "Read how far plans have come, in counts.";
    ReadSurvey = "read_survey", "Read how the wellbeing survey was discussed.";
    ReadCatalogue = "read_catalogue", "Read catalogues.";
    ReadEvents = "read_events", "Read and follow events with their texts.";
    ReadProofs = "read_proofs", "Read checkpoints and proofs.";
    ReadMeta = "read_meta", "See who acted and when, beside a proof.";
    ExportDisclosed = "export_disclosed", "Export evidence with texts.";
    ExportUndisclosed = "export_undisclosed", "Export evidence without texts.";
    CreateCheckpoint = "create_checkpoint", "Make a new checkpoint.";
    ReadStatus = "read_status", "Read the status of the ledger.";
    ReadAccess = "read_access", "Read grants and systems, explain them, review them.";
    ReadAccessLog = "read_access_log", "Read who has read a plan.";
}

impl Action {
    /// The action with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|action| action.name() == name)
    }

    /// The action that sending a command is.
    pub fn of_command(command: &Command) -> Self {
        match command {
            Command::Institution(_, command) => of_institution(command),
            Command::SchoolYear(_, command) => match command {
                SchoolYearCommand::Define(_) => Self::WriteRoster,
                SchoolYearCommand::Put(_) => Self::ImportRoster,
            },
            Command::Person(_, command) => of_person(command),
            Command::Team(_, command) => of_team(command),
            Command::YearPlan(_, command) => of_year_plan(command),
            Command::Plan(_, command) => of_plan(command),
            Command::Catalogue(_, command) => match command {
                CatalogueCommand::Put { .. } | CatalogueCommand::PutPart { .. } => {
                    Self::ImportCatalogue
                }
            },
            Command::Ledger(..) | Command::Recovery(..) => Self::KeepLedger,
            Command::RosterSource(_, command) => match command {
                RosterSourceCommand::Register { .. } | RosterSourceCommand::RecordImport(_) => {
                    Self::ImportRoster
                }
            },
            Command::System(_, command) => match command {
                SystemCommand::Register(_)
                | SystemCommand::Change(_)
                | SystemCommand::Revoke { .. } => Self::ManageSystem,
            },
            Command::Grants(_, command) => match command {
                GrantsCommand::Bootstrap { .. } => Self::KeepLedger,
                GrantsCommand::Grant { details, .. } => Self::grant(details.role),
                GrantsCommand::Revoke { .. } => Self::RevokeGrant,
            },
            Command::Erasure(_, command) => match command {
                ErasureCommand::Request { .. }
                | ErasureCommand::Approve { .. }
                | ErasureCommand::Withdraw { .. } => Self::DestroyText,
                ErasureCommand::CarryOut { .. }
                | ErasureCommand::SettleReads(_)
                | ErasureCommand::SettleText(_)
                | ErasureCommand::ApplyAgain { .. } => Self::KeepLedger,
            },
        }
    }

    /// The action that reading a plan as a viewer is.
    pub const fn read_plan(viewer: Viewer) -> Self {
        match viewer {
            Viewer::Staff => Self::ReadPlanAsStaff,
            Viewer::Audience(Audience::Student) => Self::ReadPlanAsStudent,
            Viewer::Audience(Audience::Guardians) => Self::ReadPlanAsGuardians,
            Viewer::Audience(Audience::Others) => Self::ReadPlanAsOthers,
        }
    }

    /// The action that reading a year plan as a viewer is.
    pub const fn read_year_plan(viewer: Viewer) -> Self {
        match viewer {
            Viewer::Staff => Self::ReadYearPlanAsStaff,
            Viewer::Audience(Audience::Student | Audience::Guardians | Audience::Others) => {
                Self::ReadYearPlanAsAudience
            }
        }
    }

    /// The action that giving a role or taking it back is.
    pub const fn grant(role: Role) -> Self {
        match role {
            // No grant gives this role, so it does not matter who may.
            Role::Student | Role::Guardian => Self::GrantGuardian,
            Role::Teacher | Role::Pedagogue => Self::GrantStaff,
            Role::Leader => Self::GrantLeader,
            Role::Administrator | Role::RecordsOfficer | Role::Auditor | Role::IntegrityAuditor => {
                Self::GrantOffice
            }
            Role::LearningPlatform | Role::Portal | Role::RosterSystem => Self::GrantSystem,
        }
    }
}

fn of_institution(command: &InstitutionCommand) -> Action {
    match command {
        InstitutionCommand::Register(_)
        | InstitutionCommand::Revise(_)
        | InstitutionCommand::Close { .. }
        | InstitutionCommand::Reopen => Action::WriteRoster,
        InstitutionCommand::Put { .. } => Action::ImportRoster,
        InstitutionCommand::Succeed { .. } | InstitutionCommand::SucceedBack { .. } => {
            Action::KeepLedger
        }
        InstitutionCommand::RecordSurveyDiscussion { .. }
        | InstitutionCommand::CorrectSurveyDiscussion { .. }
        | InstitutionCommand::WithdrawSurveyDiscussion { .. } => Action::RecordSurvey,
    }
}

fn of_person(command: &PersonCommand) -> Action {
    match command {
        PersonCommand::Register { .. }
        | PersonCommand::Rename { .. }
        | PersonCommand::SetAffiliation(_)
        | PersonCommand::EndAffiliation { .. }
        | PersonCommand::SetGuardianship(_)
        | PersonCommand::EndGuardianship { .. } => Action::WriteRoster,
        PersonCommand::Depart { .. } | PersonCommand::Return => Action::Depart,
        PersonCommand::Put { .. }
        | PersonCommand::PutGuardians { .. }
        | PersonCommand::PutSomeGuardians { .. }
        | PersonCommand::PutSomeProfiles { .. }
        | PersonCommand::PutGone { .. }
        | PersonCommand::NoteAbsence { .. } => Action::ImportRoster,
        PersonCommand::DecideSuggestion { .. } => Action::DecideSuggestion,
    }
}

fn of_team(command: &TeamCommand) -> Action {
    match command {
        TeamCommand::Create { .. } => Action::CreateTeam,
        TeamCommand::Revise(_) | TeamCommand::Close { .. } | TeamCommand::Reopen => {
            Action::EditTeam
        }
        TeamCommand::AddMember { .. }
        | TeamCommand::RemoveMember { .. }
        | TeamCommand::AddStaff { .. }
        | TeamCommand::RemoveStaff { .. } => Action::StaffTeam,
        TeamCommand::Delete { .. } | TeamCommand::Undelete => Action::DeleteTeam,
        TeamCommand::TransferOwnership { .. } => Action::TransferTeam,
        TeamCommand::HandOver { .. }
        | TeamCommand::HandBack { .. }
        | TeamCommand::Move { .. }
        | TeamCommand::MoveBack { .. } => Action::KeepLedger,
        TeamCommand::Put { .. } | TeamCommand::NoteAbsence { .. } | TeamCommand::PutPart { .. } => {
            Action::ImportRoster
        }
    }
}

fn of_year_plan(command: &YearPlanCommand) -> Action {
    match command {
        YearPlanCommand::Create { .. } => Action::CreateYearPlan,
        YearPlanCommand::Retitle { .. }
        | YearPlanCommand::AddSubject { .. }
        | YearPlanCommand::RemoveSubject { .. }
        | YearPlanCommand::AddUnit { .. }
        | YearPlanCommand::CopyUnit { .. }
        | YearPlanCommand::ReviseUnit { .. }
        | YearPlanCommand::DeleteUnit { .. }
        | YearPlanCommand::UndeleteUnit { .. }
        | YearPlanCommand::AddGoal { .. }
        | YearPlanCommand::ReviseGoal { .. }
        | YearPlanCommand::RetireGoal { .. } => Action::EditYearPlan,
        YearPlanCommand::Delete { .. } | YearPlanCommand::Undelete => Action::DeleteYearPlan,
        YearPlanCommand::TransferOwnership { .. } => Action::TransferYearPlan,
        YearPlanCommand::MoveToInstitution { .. } => Action::MoveYearPlan,
        YearPlanCommand::HandOver { .. }
        | YearPlanCommand::HandBack { .. }
        | YearPlanCommand::Move { .. }
        | YearPlanCommand::MoveBack { .. } => Action::KeepLedger,
    }
}

fn of_plan(command: &PlanCommand) -> Action {
    match command {
        PlanCommand::Open { .. } => Action::OpenPlan,
        PlanCommand::IncludeUnit(_)
        | PlanCommand::ExcludeUnit(_)
        | PlanCommand::ShowSection { .. }
        | PlanCommand::HideSection { .. }
        | PlanCommand::ShowItem { .. }
        | PlanCommand::HideItem { .. } => Action::ArrangePlan,
        PlanCommand::WriteStatus { .. }
        | PlanCommand::WriteFollowUp { .. }
        | PlanCommand::ClearStatus
        | PlanCommand::ClearFollowUp => Action::WritePlan,
        PlanCommand::RecordEvaluation { .. } | PlanCommand::CorrectEvaluation { .. } => {
            Action::Evaluate
        }
        PlanCommand::RecordTalk { .. } | PlanCommand::CorrectTalk { .. } => Action::RecordTalk,
        PlanCommand::Share | PlanCommand::Unshare | PlanCommand::SetVisibility { .. } => {
            Action::SharePlan
        }
        PlanCommand::Withdraw { .. } | PlanCommand::Restore => Action::WithdrawPlan,
        PlanCommand::TransferOwnership { .. } => Action::TransferPlan,
        PlanCommand::MoveToYearPlan { .. } => Action::MovePlan,
        PlanCommand::Revert(_) => Action::RevertPlan,
        PlanCommand::HandOver { .. } | PlanCommand::HandBack { .. } | PlanCommand::Move { .. } => {
            Action::KeepLedger
        }
    }
}
