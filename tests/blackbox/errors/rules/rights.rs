//! Systems and grants that cannot be as somebody asks.

use planledger_core::domain::Reason;
use planledger_proto::v1::*;

use super::Breach;
use super::world::World;
use crate::support::*;

pub(super) fn breaches(w: &World) -> Vec<Breach<'_>> {
    use Reason::*;
    let school = &w.school;
    let register = |id: &str, dns: &str| {
        let details = Some(system_details(dns));
        system(id, OnSystem::RegisterSystem(RegisterSystem { details }))
    };
    let nameless = RegisterSystem {
        details: Some(SystemDetails {
            identities: Vec::new(),
            ..system_details("unused.example")
        }),
    };
    let change = ChangeSystem {
        details: Some(system_details("new.example")),
    };
    let other = ChangeSystem {
        details: Some(system_details("another.example")),
    };
    let teacher = actor_person(&school.teacher);
    let platform = actor_system(&w.platform);
    let administrator = || grant_details(AccessRole::Administrator, municipality());
    let officer = || grant_details(AccessRole::RecordsOfficer, municipality());
    let over = GrantDetails {
        last_day: Some("2026-01-01".to_owned()),
        ..grant_details(AccessRole::Auditor, municipality())
    };
    let s = &w.system;
    breaches! {
        s, AlreadyExists at "system.system_id" => register(&w.platform, "c.example");
        s, SystemNotFound at "system.system_id" =>
            system(&new_id(), OnSystem::RevokeSystem(RevokeSystem { reason: None }));
        s, SystemIdentityTaken at "system.register_system.details.identities" =>
            register(&new_id(), "platform.example");
        s, SystemIdentityInvalid at "system.register_system.details.identities" =>
            system(&new_id(), OnSystem::RegisterSystem(nameless));
        s, SystemRevoked at "system.system_id" =>
            system(&w.revoked_system, OnSystem::ChangeSystem(change));
        s, SystemNotFound at "grants.grantee" =>
            grant_role(&new_id(), actor_system(&new_id()), officer());
        s, PersonNotFound at "grants.grantee" =>
            grant_role(&new_id(), actor_person(&new_id()), officer());
        s, RoleNotForGrantee at "grants.grant_role.details.role" =>
            grant_role(&new_id(), platform.clone(), officer());
        s, ScopeNotForRole at "grants.grant_role.details.scope" =>
            grant_role(&new_id(), actor_person(&school.leader), grant_details(AccessRole::Leader, municipality()));
        s, DatesReversed at "grants.grant_role.details.last_day" =>
            grant_role(&new_id(), actor_person(&school.leader), over);
        s, RolesIncompatible at "grants.grant_role.details.role" =>
            grant_role(&new_id(), teacher.clone(), officer());
        s, GrantToOwnSystem at "grants.grantee" =>
            grant_role(&new_id(), platform.clone(), grant_details(AccessRole::LearningPlatform, municipality()));
        s, SystemHoldsGrants at "system.change_system.details.identities" =>
            system(&w.granted_system, OnSystem::ChangeSystem(other));
        &w.teacher, GrantToOneself =>
            grant_role(&new_id(), teacher.clone(), administrator());
        s, AlreadyExists at "grants.grant_role.grant_id" =>
            grant_role(&w.grant, teacher.clone(), administrator());
        s, GrantNotFound at "grants.revoke_grant.grant_id" =>
            revoke_grant(&new_id(), teacher.clone());
        s, GrantRevoked at "grants.revoke_grant.grant_id" =>
            revoke_grant(&w.revoked_grant, teacher.clone());
        s, LastAdministrator => revoke_grant(&w.grant, teacher);
        s, ErasureNeedsPerson => request_erasure(erasure_of(&school.classmate));
        &w.teacher, ErasureNotFound at "erasure.target" =>
            approve_erasure(erasure_of(&school.classmate));
        &w.teacher, ErasureNeedsAnotherPerson => approve_erasure(erasure_of(&w.leaving_traces));
        &w.teacher, ErasureUnderWay => request_erasure(erasure_of(&w.leaving_traces));
        &w.student, ErasureWithdrawn => approve_erasure(erasure_of(&w.spared));
        &w.teacher, ErasureNotDue => request_retained(erasure_of(&school.classmate));
        &w.teacher, PersonNotFound at "erasure.target" => request_erasure(erasure_of(&new_id()));
        &w.teacher, EventNotRedactable at "erasure.target" =>
            request_erasure(redaction_of(&format!("plan/{}", w.plan), 1, 2));
        &w.teacher, DateOutOfRange at "erasure.target" =>
            request_erasure(reads_before("2099-01-01"));
        &w.teacher, PersonErased at "erasure.target" => request_erasure(erasure_of(&w.erased));
        s, PersonErased at "person.person_id" =>
            put_person(&w.erased, "Igen", &school.institution, Role::Student);
    }
}
