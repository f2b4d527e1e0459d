//! Finds where a part of a command is in a request. Only this module knows how callers write what
//! the domain calls a [`Field`].
//!
//! The message of a command is inside the message of its aggregate, which also holds the
//! aggregate's id: `plan.plan_id`, `plan.record_evaluation.assessment.level`. A command that the
//! server gives itself has no message. Its path begins inside the request that caused the command.

use planledger_core::domain::{Command, Field, RequestField};

use crate::wire::command::message_names;

/// The path of a part of a command, inside the command's envelope.
pub(super) fn of_command(command: &Command, field: Field) -> String {
    let place = place(field);
    match (message_names(command), place) {
        (Some((aggregate, _)), PathBase::Id) => format!("{aggregate}.{}", id(command)),
        (None, PathBase::Id) => id(command).to_owned(),
        (Some((aggregate, message)), PathBase::Inside(place)) => {
            format!("{aggregate}.{message}.{place}")
        }
        (None, PathBase::Inside(place)) | (_, PathBase::Request(place)) => place.to_owned(),
    }
}

/// The path of a part of a recovery request, inside the request.
pub(super) fn of_recovery_request(field: Field) -> &'static str {
    match place(field) {
        PathBase::Id => RECOVERY_ID,
        PathBase::Inside(place) | PathBase::Request(place) => place,
    }
}

const RECOVERY_ID: &str = "recovery_id";

/// The field of an aggregate's message that holds its id.
const fn id(command: &Command) -> &'static str {
    match command {
        Command::Institution(..) => "institution_id",
        Command::SchoolYear(..) => "school_year_id",
        Command::Person(..) => "person_id",
        Command::Team(..) => "team_id",
        Command::YearPlan(..) => "year_plan_id",
        Command::Plan(..) => "plan_id",
        Command::Catalogue(..) => "catalogue_id",
        Command::Ledger(..) => "ledger_id",
        Command::Recovery(..) => RECOVERY_ID,
        Command::RosterSource(..) => "roster_source_id",
        Command::System(..) => "system_id",
        Command::Grants(..) => "grantee",
        Command::Erasure(..) => "target",
    }
}

/// Where a field is in a request.
#[derive(Clone, Copy)]
enum PathBase {
    /// The field is the aggregate's id, beside the command's message.
    Id,
    /// The field is inside the command's message.
    Inside(&'static str),
    /// The field is inside a request that is not for a command.
    Request(&'static str),
}

/// Where a field is. The same field has the same place in every message that has it.
const fn place(field: Field) -> PathBase {
    PathBase::Inside(match field {
        Field::Target => return PathBase::Id,
        Field::Request(field) => return PathBase::Request(place_in_recovery_request(field)),
        Field::Institution => "institution_id",
        Field::AffiliationInstitution => "affiliation.institution_id",
        Field::AffiliationsInstitution => "affiliations.institution_id",
        Field::Guardian => "guardian_id",
        Field::GuardianshipGuardian => "guardianship.guardian_id",
        Field::GuardiansGuardian => "guardians.guardian_id",
        Field::Student => "student_id",
        Field::Members => "member_ids",
        Field::Person => "person_id",
        Field::StaffPerson => "staff.person_id",
        Field::Owner => "owner_id",
        Field::NewOwner => "to_person_id",
        Field::NewInstitution => "institution_id",
        Field::NewTeam => "team_id",
        Field::YearPlan => "year_plan_id",
        Field::Unit => "unit_id",
        Field::UnitRef => "unit",
        Field::UnitRefYearPlan => "unit.year_plan_id",
        Field::UnitRefUnit => "unit.unit_id",
        Field::CopiedYearPlan => "from.year_plan_id",
        Field::CopiedUnit => "from.unit_id",
        Field::Goal => "goal_id",
        Field::Wording => "wording",
        Field::ScaleLevels => "scale.levels",
        Field::CatalogueScale => "catalogue_scale",
        Field::Subject => "subject",
        Field::Evaluation => "evaluation_id",
        Field::Assessment => "assessment",
        Field::AssessmentLevel => "assessment.level",
        Field::Talk => "talk_id",
        Field::Item => "item",
        Field::DetailsInstitution => "details.institution_id",
        Field::DetailsSchoolYear => "details.school_year_id",
        Field::DetailsTeam => "details.team_id",
        Field::DetailsSubjects => "details.subjects",
        Field::DetailsSubject => "details.subject",
        Field::DetailsWording => "details.wording",
        Field::DetailsScaleLevels => "details.scale.levels",
        Field::DetailsCatalogueScale => "details.catalogue_scale",
        Field::DetailsFirstDay => "details.first_day",
        Field::DetailsLastDay => "details.last_day",
        Field::DetailsHeldOn => "details.held_on",
        Field::DetailsHeldBy => "details.held_by_ids",
        Field::DetailsFollowUpOn => "details.follow_up_on",
        Field::DetailsGoalsYearPlan => "details.goals.year_plan_id",
        Field::DetailsGoalsGoal => "details.goals.goal_id",
        Field::SurveyDiscussion => "survey_discussion_id",
        Field::FollowUpOn => "follow_up_on",
        Field::LastDay => "last_day",
        Field::GuardianshipLastDay => "guardianship.last_day",
        Field::GuardiansLastDay => "guardians.last_day",
        Field::LastDayOfOthers => "last_day_of_others",
        Field::Source => "source",
        Field::LastSeen => "last_seen",
        Field::Name => "name",
        Field::Day => "day",
        Field::ItemsParents => "items.parent_ids",
        Field::ItemsOrders => "items.parent_orders",
        Field::DetailsIdentities => "details.identities",
        Field::DetailsRole => "details.role",
        Field::DetailsScope => "details.scope",
        Field::Grant => "grant_id",
    })
}

const fn place_in_recovery_request(field: RequestField) -> &'static str {
    match field {
        RequestField::TransferFrom => "wish.transfer.everything_of.person_id",
        RequestField::TransferTo => "wish.transfer.to_person_id",
        RequestField::TransferSuccessorOfTeam => "wish.transfer.per_team.heirs.person_id",
        RequestField::TransferSuccessorOfSubject => "wish.transfer.per_subject.heirs.person_id",
        RequestField::TransferFallback => "wish.transfer.fallback_person_id",
        RequestField::RestoreGiveTo => "wish.restore.give_to_person_id",
        RequestField::MergeFrom => "wish.merge.from_institution_id",
        RequestField::MergeTo => "wish.merge.to_institution_id",
        RequestField::MergeTeam => "wish.merge.teams",
        RequestField::Digest => "digest",
    }
}

#[cfg(test)]
mod tests {
    use planledger_core::domain::person::PersonCommand;
    use planledger_core::domain::plan::PlanCommand;
    use planledger_core::domain::recovery::RecoveryCommand;
    use planledger_core::domain::team::TeamCommand;
    use planledger_core::ids::{PersonId, PlanId, RecoveryId, TeamId};
    use planledger_proto::FILE_DESCRIPTOR_SET;
    use prost_reflect::{DescriptorPool, MessageDescriptor};

    use super::*;

    /// Every field. The compiler keeps the list complete: the match in `after` does not compile
    /// until a new field has its place there.
    fn fields() -> Vec<Field> {
        let mut fields = vec![Field::Target];
        while let Some(next) = fields.last().and_then(|last| after(*last)) {
            fields.push(next);
        }
        fields
    }

    const fn after(field: Field) -> Option<Field> {
        Some(match field {
            Field::Target => Field::Institution,
            Field::Institution => Field::AffiliationInstitution,
            Field::AffiliationInstitution => Field::AffiliationsInstitution,
            Field::AffiliationsInstitution => Field::Guardian,
            Field::Guardian => Field::GuardianshipGuardian,
            Field::GuardianshipGuardian => Field::GuardiansGuardian,
            Field::GuardiansGuardian => Field::Student,
            Field::Student => Field::Members,
            Field::Members => Field::Person,
            Field::Person => Field::StaffPerson,
            Field::StaffPerson => Field::Owner,
            Field::Owner => Field::NewOwner,
            Field::NewOwner => Field::NewInstitution,
            Field::NewInstitution => Field::NewTeam,
            Field::NewTeam => Field::YearPlan,
            Field::YearPlan => Field::Unit,
            Field::Unit => Field::UnitRef,
            Field::UnitRef => Field::UnitRefYearPlan,
            Field::UnitRefYearPlan => Field::UnitRefUnit,
            Field::UnitRefUnit => Field::CopiedYearPlan,
            Field::CopiedYearPlan => Field::CopiedUnit,
            Field::CopiedUnit => Field::Goal,
            Field::Goal => Field::Wording,
            Field::Wording => Field::ScaleLevels,
            Field::ScaleLevels => Field::CatalogueScale,
            Field::CatalogueScale => Field::Subject,
            Field::Subject => Field::Evaluation,
            Field::Evaluation => Field::Assessment,
            Field::Assessment => Field::AssessmentLevel,
            Field::AssessmentLevel => Field::Talk,
            Field::Talk => Field::Item,
            Field::Item => Field::DetailsInstitution,
            Field::DetailsInstitution => Field::DetailsSchoolYear,
            Field::DetailsSchoolYear => Field::DetailsTeam,
            Field::DetailsTeam => Field::DetailsSubjects,
            Field::DetailsSubjects => Field::DetailsSubject,
            Field::DetailsSubject => Field::DetailsWording,
            Field::DetailsWording => Field::DetailsScaleLevels,
            Field::DetailsScaleLevels => Field::DetailsCatalogueScale,
            Field::DetailsCatalogueScale => Field::DetailsFirstDay,
            Field::DetailsFirstDay => Field::DetailsLastDay,
            Field::DetailsLastDay => Field::DetailsHeldOn,
            Field::DetailsHeldOn => Field::DetailsHeldBy,
            Field::DetailsHeldBy => Field::DetailsFollowUpOn,
            Field::DetailsFollowUpOn => Field::DetailsGoalsYearPlan,
            Field::DetailsGoalsYearPlan => Field::DetailsGoalsGoal,
            Field::DetailsGoalsGoal => Field::SurveyDiscussion,
            Field::SurveyDiscussion => Field::FollowUpOn,
            Field::FollowUpOn => Field::LastDay,
            Field::LastDay => Field::GuardianshipLastDay,
            Field::GuardianshipLastDay => Field::GuardiansLastDay,
            Field::GuardiansLastDay => Field::LastDayOfOthers,
            Field::LastDayOfOthers => Field::Source,
            Field::Source => Field::LastSeen,
            Field::LastSeen => Field::Name,
            Field::Name => Field::Day,
            Field::Day => Field::ItemsParents,
            Field::ItemsParents => Field::ItemsOrders,
            Field::ItemsOrders => Field::DetailsIdentities,
            Field::DetailsIdentities => Field::DetailsRole,
            Field::DetailsRole => Field::DetailsScope,
            Field::DetailsScope => Field::Grant,
            Field::Grant => Field::Request(RequestField::TransferFrom),
            Field::Request(field) => Field::Request(match field {
                RequestField::TransferFrom => RequestField::TransferTo,
                RequestField::TransferTo => RequestField::TransferSuccessorOfTeam,
                RequestField::TransferSuccessorOfTeam => RequestField::TransferSuccessorOfSubject,
                RequestField::TransferSuccessorOfSubject => RequestField::TransferFallback,
                RequestField::TransferFallback => RequestField::RestoreGiveTo,
                RequestField::RestoreGiveTo => RequestField::MergeFrom,
                RequestField::MergeFrom => RequestField::MergeTo,
                RequestField::MergeTo => RequestField::MergeTeam,
                RequestField::MergeTeam => RequestField::Digest,
                RequestField::Digest => return None,
            }),
        })
    }

    fn stands_in(message: &MessageDescriptor, path: &str) -> bool {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        let one_of = |name| message.oneofs().any(|one_of| one_of.name() == name);
        match message.get_field_by_name(name) {
            None => rest.is_empty() && one_of(name),
            Some(_) if rest.is_empty() => true,
            Some(field) => match field.kind().as_message() {
                Some(inside) => stands_in(inside, rest),
                None => false,
            },
        }
    }

    #[test]
    fn every_field_stands_in_a_message_of_the_api_or_in_what_the_server_asks_itself() {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
        let asked = "planledger.v1.RunRecoveryRequest";
        let asked = pool.get_message_by_name(asked).unwrap();
        for field in fields() {
            let found = match place(field) {
                PathBase::Id => continue,
                PathBase::Request(path) => stands_in(&asked, path),
                PathBase::Inside(path) => {
                    let mut messages = pool.all_messages();
                    messages.any(|message| stands_in(&message, path))
                }
            };
            // Only recoveries copy units, and no client can send that command.
            let copied = matches!(field, Field::CopiedYearPlan | Field::CopiedUnit);
            assert_ne!(found, copied, "{field:?}");
        }
    }

    #[test]
    fn a_path_names_the_aggregate_the_command_and_the_place_in_it() {
        let plan = PlanId::from_bytes([1; 16]);
        let (person, team) = (PersonId::from_bytes([2; 16]), TeamId::from_bytes([3; 16]));
        let to = person;
        let transfer = PlanCommand::TransferOwnership { to, reason: None };
        let transfer = Command::Plan(plan, transfer);
        let path = of_command(&transfer, Field::NewOwner);
        assert_eq!(path, "plan.transfer_plan_ownership.to_person_id");
        assert_eq!(of_command(&transfer, Field::Target), "plan.plan_id");
        let joins = TeamCommand::AddMember { student: person };
        let path = of_command(&Command::Team(team, joins), Field::Student);
        assert_eq!(path, "team.add_team_member.student_id");
        let returns = Command::Person(person, PersonCommand::Return);
        assert_eq!(of_command(&returns, Field::Target), "person.person_id");
    }

    #[test]
    fn what_the_server_asks_itself_is_named_inside_of_the_request_that_made_it_ask() {
        let finish = RecoveryCommand::Finish {
            left_out: Vec::new(),
        };
        let finish = Command::Recovery(RecoveryId::from_bytes([4; 16]), finish);
        assert_eq!(of_command(&finish, Field::Target), "recovery_id");
        assert_eq!(of_recovery_request(Field::Target), "recovery_id");
        assert_eq!(
            of_recovery_request(Field::Request(RequestField::Digest)),
            "digest"
        );
    }
}
