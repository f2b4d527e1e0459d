//! Institutions.

use planledger_core::domain::institution::{Institution, InstitutionCommand, InstitutionDetails};
use planledger_core::ids::{InstitutionId, Revision};

use super::fields::Fields;
use super::proto;
use super::proto::institution_command::Operation;
use super::roster_fact::institution_fact;
use super::scalar::string;
use super::survey;

pub(super) fn read(
    fields: &mut Fields,
    command: proto::InstitutionCommand,
) -> Option<(InstitutionId, InstitutionCommand)> {
    let id = fields.id("institution_id", &command.institution_id);
    let name = command.operation.as_ref().map_or("operation", operation);
    let operation = fields.message(name, command.operation, read_operation);
    Some((id?, operation?))
}

/// The name of the message field that holds an operation.
pub(super) const fn operation(operation: &Operation) -> &'static str {
    match operation {
        Operation::RegisterInstitution(_) => "register_institution",
        Operation::ReviseInstitution(_) => "revise_institution",
        Operation::CloseInstitution(_) => "close_institution",
        Operation::ReopenInstitution(_) => "reopen_institution",
        Operation::PutInstitution(_) => "put_institution",
        Operation::RecordSurveyDiscussion(_) => "record_survey_discussion",
        Operation::CorrectSurveyDiscussion(_) => "correct_survey_discussion",
        Operation::WithdrawSurveyDiscussion(_) => "withdraw_survey_discussion",
    }
}

fn read_operation(fields: &mut Fields, operation: Operation) -> Option<InstitutionCommand> {
    match operation {
        Operation::RegisterInstitution(m) => fields
            .message("details", m.details, read_details)
            .map(InstitutionCommand::Register),
        Operation::ReviseInstitution(m) => fields
            .message("details", m.details, read_details)
            .map(InstitutionCommand::Revise),
        Operation::CloseInstitution(m) => {
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(InstitutionCommand::Close { reason: reason? })
        }
        Operation::ReopenInstitution(_) => Some(InstitutionCommand::Reopen),
        Operation::PutInstitution(m) => {
            let details = fields.message("details", m.details, read_details);
            Some(InstitutionCommand::Put {
                details: details?,
                closed: m.closed,
            })
        }
        Operation::RecordSurveyDiscussion(m) => {
            let discussion = fields.id(survey::ID, &m.survey_discussion_id);
            let details = fields.message("details", m.details, survey::read);
            Some(InstitutionCommand::RecordSurveyDiscussion {
                discussion: discussion?,
                details: details?,
            })
        }
        Operation::CorrectSurveyDiscussion(m) => {
            let discussion = fields.id(survey::ID, &m.survey_discussion_id);
            let details = fields.message("details", m.details, survey::read);
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(InstitutionCommand::CorrectSurveyDiscussion {
                discussion: discussion?,
                details: details?,
                reason: reason?,
            })
        }
        Operation::WithdrawSurveyDiscussion(m) => {
            let discussion = fields.id(survey::ID, &m.survey_discussion_id);
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(InstitutionCommand::WithdrawSurveyDiscussion {
                discussion: discussion?,
                reason: reason?,
            })
        }
    }
}

fn read_details(
    fields: &mut Fields,
    details: proto::InstitutionDetails,
) -> Option<InstitutionDetails> {
    let name = fields.text("name", &details.name);
    let code = fields.optional_text("code", details.code.as_deref());
    Some(InstitutionDetails {
        name: name?,
        code: code?,
    })
}

pub(super) fn write(
    id: InstitutionId,
    command: &InstitutionCommand,
) -> Option<proto::InstitutionCommand> {
    let operation = match command {
        InstitutionCommand::Register(details) => {
            Operation::RegisterInstitution(proto::RegisterInstitution {
                details: Some(write_details(details)),
            })
        }
        InstitutionCommand::Revise(details) => {
            Operation::ReviseInstitution(proto::ReviseInstitution {
                details: Some(write_details(details)),
            })
        }
        InstitutionCommand::Close { reason } => {
            Operation::CloseInstitution(proto::CloseInstitution {
                reason: string(reason.as_ref()),
            })
        }
        InstitutionCommand::Reopen => Operation::ReopenInstitution(proto::ReopenInstitution {}),
        InstitutionCommand::Put { details, closed } => {
            Operation::PutInstitution(proto::PutInstitution {
                details: Some(write_details(details)),
                closed: *closed,
            })
        }
        InstitutionCommand::RecordSurveyDiscussion {
            discussion,
            details,
        } => Operation::RecordSurveyDiscussion(proto::RecordSurveyDiscussion {
            survey_discussion_id: discussion.to_string(),
            details: Some(survey::write(details)),
        }),
        InstitutionCommand::CorrectSurveyDiscussion {
            discussion,
            details,
            reason,
        } => Operation::CorrectSurveyDiscussion(proto::CorrectSurveyDiscussion {
            survey_discussion_id: discussion.to_string(),
            details: Some(survey::write(details)),
            reason: string(reason.as_ref()),
        }),
        InstitutionCommand::WithdrawSurveyDiscussion { discussion, reason } => {
            Operation::WithdrawSurveyDiscussion(proto::WithdrawSurveyDiscussion {
                survey_discussion_id: discussion.to_string(),
                reason: string(reason.as_ref()),
            })
        }
        InstitutionCommand::Succeed { .. } | InstitutionCommand::SucceedBack { .. } => return None,
    };
    Some(proto::InstitutionCommand {
        institution_id: id.to_string(),
        operation: Some(operation),
    })
}

fn write_details(details: &InstitutionDetails) -> proto::InstitutionDetails {
    proto::InstitutionDetails {
        name: details.name.to_string(),
        code: string(details.code.as_ref()),
    }
}

/// An institution as it is now.
pub fn institution(
    id: InstitutionId,
    revision: Revision,
    institution: &Institution,
) -> proto::Institution {
    let decided_by_hand = institution
        .decided_by_hand()
        .into_iter()
        .map(institution_fact);
    proto::Institution {
        institution_id: id.to_string(),
        revision: revision.get(),
        details: Some(write_details(&institution.details)),
        closed: institution.closed,
        decided_by_hand: decided_by_hand.collect(),
        succeeded_by_id: string(institution.succeeded_by.as_ref()),
    }
}
