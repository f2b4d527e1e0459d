//! Commands, in few words.

use planledger_proto::v1::command::Command as Aggregate;
use planledger_proto::v1::*;
pub(crate) use planledger_proto::v1::{
    catalogue_command::Operation as OnCatalogue, erasure_command::Operation as OnErasure,
    grants_command::Operation as OnGrants, institution_command::Operation as OnInstitution,
    person_command::Operation as OnPerson, plan_command::Operation as OnPlan,
    roster_source_command::Operation as OnRosterSource,
    school_year_command::Operation as OnSchoolYear, system_command::Operation as OnSystem,
    team_command::Operation as OnTeam, year_plan_command::Operation as OnYearPlan,
};
use uuid::Uuid;

/// An id that nothing has yet.
pub(crate) fn new_id() -> String {
    Uuid::new_v4().to_string()
}

/// A request that says who asks: somebody whom the ledger does not know.
pub(crate) fn from_somebody<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let actor = format!("person/{}", new_id()).parse().unwrap();
    request.metadata_mut().insert("planledger-actor", actor);
    request
}

macro_rules! aggregates {
    ($($function:ident: $operation:ident, $variant:ident, $message:ident, $id:ident;)*) => {$(
        /// A command with an id of its own.
        pub(crate) fn $function(id: &str, operation: $operation) -> Command {
            let command = $message {
                $id: id.to_owned(),
                operation: Some(operation),
            };
            Command {
                command_id: new_id(),
                command: Some(Aggregate::$variant(command)),
                ..Command::default()
            }
        }
    )*};
}

aggregates! {
    institution: OnInstitution, Institution, InstitutionCommand, institution_id;
    school_year: OnSchoolYear, SchoolYear, SchoolYearCommand, school_year_id;
    person: OnPerson, Person, PersonCommand, person_id;
    team: OnTeam, Team, TeamCommand, team_id;
    year_plan: OnYearPlan, YearPlan, YearPlanCommand, year_plan_id;
    plan: OnPlan, Plan, PlanCommand, plan_id;
    catalogue: OnCatalogue, Catalogue, CatalogueCommand, catalogue_id;
    roster_source: OnRosterSource, RosterSource, RosterSourceCommand, roster_source_id;
    system: OnSystem, System, SystemCommand, system_id;
}

/// A person who acts, or has grants.
pub(crate) fn actor_person(id: &str) -> Actor {
    let actor = Some(actor::Actor::PersonId(id.to_owned()));
    Actor { actor }
}

/// A system that acts, or has grants.
pub(crate) fn actor_system(id: &str) -> Actor {
    let actor = Some(actor::Actor::SystemId(id.to_owned()));
    Actor { actor }
}

/// A learning platform with this DNS name.
pub(crate) fn system_details(dns: &str) -> SystemDetails {
    let identity = Some(system_identity::Identity::DnsName(dns.to_owned()));
    SystemDetails {
        name: "Platformen".to_owned(),
        kind: SystemKind::LearningPlatform.into(),
        identities: vec![SystemIdentity { identity }],
        may_act_for_people: true,
        may_name_person_in_header: false,
    }
}

/// Everywhere.
pub(crate) fn municipality() -> GrantScope {
    let scope = Some(grant_scope::Scope::Municipality(Municipality {}));
    GrantScope { scope }
}

/// A role without an end.
pub(crate) fn grant_details(role: AccessRole, scope: GrantScope) -> GrantDetails {
    GrantDetails {
        role: role.into(),
        scope: Some(scope),
        ..GrantDetails::default()
    }
}

fn grants(grantee: Actor, operation: OnGrants) -> Command {
    let command = GrantsCommand {
        grantee: Some(grantee),
        operation: Some(operation),
    };
    Command {
        command_id: new_id(),
        command: Some(Aggregate::Grants(command)),
        ..Command::default()
    }
}

/// Gives a role.
pub(crate) fn grant_role(grant: &str, grantee: Actor, details: GrantDetails) -> Command {
    let grant = GrantRole {
        grant_id: grant.to_owned(),
        details: Some(details),
    };
    grants(grantee, OnGrants::GrantRole(grant))
}

/// Takes a grant back.
pub(crate) fn revoke_grant(grant: &str, grantee: Actor) -> Command {
    let revoke = RevokeGrant {
        grant_id: grant.to_owned(),
        reason: None,
    };
    grants(grantee, OnGrants::RevokeGrant(revoke))
}

/// A person as somebody who is to be erased.
pub(crate) fn erasure_of(person: &str) -> ErasureTarget {
    let target = Some(erasure_target::Target::PersonId(person.to_owned()));
    ErasureTarget { target }
}

/// Old reads as what is to be removed.
pub(crate) fn reads_before(day: &str) -> ErasureTarget {
    let target = Some(erasure_target::Target::ReadsBefore(day.to_owned()));
    ErasureTarget { target }
}

/// An event as one that is to be redacted.
pub(crate) fn redaction_of(stream: &str, position: u64, revision: u64) -> ErasureTarget {
    let target = Some(erasure_target::Target::Event(EventPlace {
        position,
        stream: stream.to_owned(),
        revision,
    }));
    ErasureTarget { target }
}

fn erasure(target: ErasureTarget, operation: OnErasure) -> Command {
    let command = ErasureCommand {
        target: Some(target),
        operation: Some(operation),
    };
    Command {
        command_id: new_id(),
        command: Some(Aggregate::Erasure(command)),
        ..Command::default()
    }
}

/// Asks for a redaction or erasure.
pub(crate) fn request_erasure(target: ErasureTarget) -> Command {
    let request = RequestErasure {
        basis: "Artikel 17".to_owned(),
        reason: "Bedt om".to_owned(),
        retention: None,
    };
    erasure(target, OnErasure::RequestErasure(request))
}

/// Asks for an erasure by a retention class of five years.
pub(crate) fn request_retained(target: ErasureTarget) -> Command {
    let request = RequestErasure {
        basis: "Afgørelse".to_owned(),
        reason: "Tiden er gået".to_owned(),
        retention: Some(RetentionTerm {
            start: RetentionStart::Later.into(),
            keep: "5y".to_owned(),
        }),
    };
    erasure(target, OnErasure::RequestErasure(request))
}

/// Approves a redaction or erasure.
pub(crate) fn approve_erasure(target: ErasureTarget) -> Command {
    let approve = ApproveErasure { reason: None };
    erasure(target, OnErasure::ApproveErasure(approve))
}

/// A retention class for everybody, from the later of departure and last school year.
pub(crate) fn retention_class(name: &str, keep: &str) -> RetentionClass {
    RetentionClass {
        name: name.to_owned(),
        start: RetentionStart::Later.into(),
        keep: keep.to_owned(),
        basis: "Arkivarens afgørelse".to_owned(),
        ..RetentionClass::default()
    }
}

/// Takes a request for a redaction or erasure back.
pub(crate) fn withdraw_erasure(target: ErasureTarget) -> Command {
    let withdraw = WithdrawErasure { reason: None };
    erasure(target, OnErasure::WithdrawErasure(withdraw))
}

/// Registers an institution.
pub(crate) fn register_institution(id: &str, name: &str) -> Command {
    let details = Some(InstitutionDetails {
        name: name.to_owned(),
        code: None,
    });
    let register = RegisterInstitution { details };
    institution(id, OnInstitution::RegisterInstitution(register))
}

/// Makes a person be this at an institution.
pub(crate) fn put_person(id: &str, name: &str, institution: &str, role: Role) -> Command {
    let affiliation = Affiliation {
        institution_id: institution.to_owned(),
        role: role.into(),
        grade: (role == Role::Student).then(|| "7".to_owned()),
    };
    let put = PutPerson {
        name: name.to_owned(),
        affiliations: vec![affiliation],
        departed: false,
        record: None,
    };
    person(id, OnPerson::PutPerson(put))
}

/// Writes a plan's status.
pub(crate) fn write_status(plan_id: &str, text: &str) -> Command {
    let text = text.to_owned();
    plan(plan_id, OnPlan::WriteStatus(WriteStatus { text }))
}

/// Opens a plan.
pub(crate) fn open_plan(plan_id: &str, student: &str, year_plan: &str) -> Command {
    let open = OpenPlan {
        student_id: student.to_owned(),
        year_plan_id: year_plan.to_owned(),
        owner_id: None,
    };
    plan(plan_id, OnPlan::OpenPlan(open))
}

/// Opens or closes the last gate.
pub(crate) fn set_visibility(plan_id: &str, audience: Audience, visible: bool) -> Command {
    let audience = audience.into();
    let set = SetVisibility { audience, visible };
    plan(plan_id, OnPlan::SetVisibility(set))
}

/// Shows a section.
pub(crate) fn show_section(plan_id: &str, section: Section) -> Command {
    let section = section.into();
    plan(plan_id, OnPlan::ShowSection(ShowSection { section }))
}

/// A scale with three levels.
pub(crate) fn scale() -> Scale {
    let levels = ["På vej", "Næsten i mål", "I mål"];
    Scale {
        title: "Tre trin".to_owned(),
        levels: levels.map(str::to_owned).to_vec(),
    }
}

/// The teacher's own words.
pub(crate) fn own_words(text: &str) -> WordingChoice {
    WordingChoice {
        wording: Some(wording_choice::Wording::OwnText(text.to_owned())),
    }
}

/// An assessment with a level and words.
pub(crate) fn assessment(level: u32, comment: &str) -> Assessment {
    Assessment {
        level: Some(level),
        comment: Some(comment.to_owned()),
    }
}

/// A discussion of the wellbeing survey today, in which the class took part.
pub(crate) fn survey_details(school_year: &str, forum: SurveyForum) -> SurveyDetails {
    SurveyDetails {
        school_year_id: school_year.to_owned(),
        forum: forum.into(),
        held_on: planledger::system::today().to_string(),
        students_through: StudentsThrough::Class.into(),
        agreed: "Mere ro i timerne".to_owned(),
        follow_up_on: None,
        goals: Vec::new(),
    }
}

/// Records a discussion of the wellbeing survey.
pub(crate) fn record_discussion(at: &str, discussion: &str, details: SurveyDetails) -> Command {
    let record = RecordSurveyDiscussion {
        survey_discussion_id: discussion.to_owned(),
        details: Some(details),
    };
    institution(at, OnInstitution::RecordSurveyDiscussion(record))
}
