//! Teams.

use planledger_core::domain::team::{StaffRole, Team, TeamCommand, TeamDetails};
use planledger_core::ids::{PersonId, Revision, TeamId};

use super::actor::write_deletion;
use super::choice::Choice;
use super::fields::Fields;
use super::instant::write_date;
use super::proto;
use super::proto::team_command::Operation;
use super::roster_fact::team_fact;
use super::roster_source::absences;
use super::scalar::string;

pub(super) fn read(
    fields: &mut Fields,
    command: proto::TeamCommand,
) -> Option<(TeamId, TeamCommand)> {
    let id = fields.id("team_id", &command.team_id);
    let name = command.operation.as_ref().map_or("operation", operation);
    let operation = fields.message(name, command.operation, read_operation);
    Some((id?, operation?))
}

/// The name of the message field that holds an operation.
pub(super) const fn operation(operation: &Operation) -> &'static str {
    match operation {
        Operation::CreateTeam(_) => "create_team",
        Operation::ReviseTeam(_) => "revise_team",
        Operation::AddTeamMember(_) => "add_team_member",
        Operation::RemoveTeamMember(_) => "remove_team_member",
        Operation::AddTeamStaff(_) => "add_team_staff",
        Operation::RemoveTeamStaff(_) => "remove_team_staff",
        Operation::CloseTeam(_) => "close_team",
        Operation::ReopenTeam(_) => "reopen_team",
        Operation::DeleteTeam(_) => "delete_team",
        Operation::UndeleteTeam(_) => "undelete_team",
        Operation::TransferTeamOwnership(_) => "transfer_team_ownership",
        Operation::PutTeam(_) => "put_team",
        Operation::NoteTeamAbsence(_) => "note_team_absence",
        Operation::PutTeamPart(_) => "put_team_part",
    }
}

fn read_operation(fields: &mut Fields, operation: Operation) -> Option<TeamCommand> {
    match operation {
        Operation::CreateTeam(m) => {
            let details = fields.message("details", m.details, read_details);
            let owner = fields.optional_id("owner_id", m.owner_id.as_deref());
            Some(TeamCommand::Create {
                details: details?,
                owner: owner?,
            })
        }
        Operation::ReviseTeam(m) => fields
            .message("details", m.details, read_details)
            .map(TeamCommand::Revise),
        Operation::AddTeamMember(m) => {
            let student = fields.id("student_id", &m.student_id);
            Some(TeamCommand::AddMember { student: student? })
        }
        Operation::RemoveTeamMember(m) => {
            let student = fields.id("student_id", &m.student_id);
            Some(TeamCommand::RemoveMember { student: student? })
        }
        Operation::AddTeamStaff(m) => {
            let (person, role) = fields.message("staff", m.staff, read_staff)?;
            Some(TeamCommand::AddStaff { person, role })
        }
        Operation::RemoveTeamStaff(m) => {
            let person = fields.id("person_id", &m.person_id);
            Some(TeamCommand::RemoveStaff { person: person? })
        }
        Operation::CloseTeam(m) => {
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(TeamCommand::Close { reason: reason? })
        }
        Operation::ReopenTeam(_) => Some(TeamCommand::Reopen),
        Operation::DeleteTeam(m) => {
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(TeamCommand::Delete { reason: reason? })
        }
        Operation::UndeleteTeam(_) => Some(TeamCommand::Undelete),
        Operation::TransferTeamOwnership(m) => {
            let to = fields.id("to_person_id", &m.to_person_id);
            let reason = fields.optional_text("reason", m.reason.as_deref());
            Some(TeamCommand::TransferOwnership {
                to: to?,
                reason: reason?,
            })
        }
        Operation::PutTeam(m) => {
            let details = fields.message("details", m.details, read_details);
            let members = fields.ids("member_ids", &m.member_ids);
            let staff = fields.map("staff", m.staff, read_staff);
            let owner = fields.optional_id("owner_id", m.owner_id.as_deref());
            let source = fields.optional_text("source", m.source.as_deref());
            Some(TeamCommand::Put {
                details: details?,
                members: members?,
                staff: staff?,
                owner: owner?,
                closed: m.closed,
                source: source?,
            })
        }
        Operation::NoteTeamAbsence(m) => {
            let source = fields.text("source", &m.source);
            let last_seen = fields.date("last_seen", &m.last_seen);
            Some(TeamCommand::NoteAbsence {
                source: source?,
                last_seen: last_seen?,
            })
        }
        Operation::PutTeamPart(m) => read_part(fields, m),
    }
}

fn read_part(fields: &mut Fields, m: proto::PutTeamPart) -> Option<TeamCommand> {
    let details = match m.details {
        Some(details) => fields
            .message("details", Some(details), read_details)
            .map(Some),
        None => Some(None),
    };
    let members = fields.ids("member_ids", &m.member_ids);
    let staff = fields.map("staff", m.staff, read_staff);
    let gone = fields.ids("gone_ids", &m.gone_ids);
    let unsaid = match m.others_end {
        Some(end) => fields
            .message("others_end", Some(end), |fields, end| {
                fields.ids("except_ids", &end.except_ids)
            })
            .map(Some),
        None => Some(None),
    };
    let owner = fields.optional_id("owner_id", m.owner_id.as_deref());
    let source = fields.optional_text("source", m.source.as_deref());
    Some(TeamCommand::PutPart {
        details: details?,
        members: members?,
        staff: staff?,
        gone: gone?,
        unsaid: unsaid?,
        owner: owner?,
        closed: m.closed,
        source: source?,
    })
}

fn read_details(fields: &mut Fields, details: proto::TeamDetails) -> Option<TeamDetails> {
    let institution = fields.id("institution_id", &details.institution_id);
    let school_year = fields.optional_id("school_year_id", details.school_year_id.as_deref());
    let title = fields.text("title", &details.title);
    let subject = fields.optional_text("subject", details.subject.as_deref());
    let code = fields.optional_text("code", details.code.as_deref());
    Some(TeamDetails {
        institution: institution?,
        school_year: school_year?,
        title: title?,
        subject: subject?,
        code: code?,
    })
}

fn read_staff(fields: &mut Fields, staff: proto::TeamStaff) -> Option<(PersonId, StaffRole)> {
    let person = fields.id("person_id", &staff.person_id);
    let role = fields.choice("role", staff.role);
    Some((person?, role?))
}

/// Writes a team's command. `None` for a step of a recovery, because recoveries have their own
/// methods.
pub(super) fn write(id: TeamId, command: &TeamCommand) -> Option<proto::TeamCommand> {
    let operation = match command {
        TeamCommand::Create { details, owner } => Operation::CreateTeam(proto::CreateTeam {
            details: Some(write_details(details)),
            owner_id: string(owner.as_ref()),
        }),
        TeamCommand::Revise(details) => Operation::ReviseTeam(proto::ReviseTeam {
            details: Some(write_details(details)),
        }),
        TeamCommand::AddMember { student } => Operation::AddTeamMember(proto::AddTeamMember {
            student_id: student.to_string(),
        }),
        TeamCommand::RemoveMember { student } => {
            Operation::RemoveTeamMember(proto::RemoveTeamMember {
                student_id: student.to_string(),
            })
        }
        TeamCommand::AddStaff { person, role } => Operation::AddTeamStaff(proto::AddTeamStaff {
            staff: Some(write_staff(*person, *role)),
        }),
        TeamCommand::RemoveStaff { person } => Operation::RemoveTeamStaff(proto::RemoveTeamStaff {
            person_id: person.to_string(),
        }),
        TeamCommand::Close { reason } => Operation::CloseTeam(proto::CloseTeam {
            reason: string(reason.as_ref()),
        }),
        TeamCommand::Reopen => Operation::ReopenTeam(proto::ReopenTeam {}),
        TeamCommand::Delete { reason } => Operation::DeleteTeam(proto::DeleteTeam {
            reason: string(reason.as_ref()),
        }),
        TeamCommand::Undelete => Operation::UndeleteTeam(proto::UndeleteTeam {}),
        TeamCommand::TransferOwnership { to, reason } => {
            Operation::TransferTeamOwnership(proto::TransferTeamOwnership {
                to_person_id: to.to_string(),
                reason: string(reason.as_ref()),
            })
        }
        TeamCommand::Put {
            details,
            members,
            staff,
            owner,
            closed,
            source,
        } => Operation::PutTeam(proto::PutTeam {
            details: Some(write_details(details)),
            member_ids: members.iter().map(ToString::to_string).collect(),
            staff: staff
                .iter()
                .map(|(p, role)| write_staff(*p, *role))
                .collect(),
            owner_id: string(owner.as_ref()),
            closed: *closed,
            source: string(source.as_ref()),
        }),
        TeamCommand::NoteAbsence { source, last_seen } => {
            Operation::NoteTeamAbsence(proto::NoteTeamAbsence {
                source: source.to_string(),
                last_seen: write_date(*last_seen),
            })
        }
        TeamCommand::PutPart {
            details,
            members,
            staff,
            gone,
            unsaid,
            owner,
            closed,
            source,
        } => Operation::PutTeamPart(proto::PutTeamPart {
            details: details.as_ref().map(write_details),
            member_ids: members.iter().map(ToString::to_string).collect(),
            staff: staff
                .iter()
                .map(|(p, role)| write_staff(*p, *role))
                .collect(),
            gone_ids: gone.iter().map(ToString::to_string).collect(),
            others_end: unsaid.as_ref().map(|unsaid| proto::OtherPlacesEnd {
                except_ids: unsaid.iter().map(ToString::to_string).collect(),
            }),
            owner_id: string(owner.as_ref()),
            closed: *closed,
            source: string(source.as_ref()),
        }),
        TeamCommand::HandOver { .. }
        | TeamCommand::HandBack { .. }
        | TeamCommand::Move { .. }
        | TeamCommand::MoveBack { .. } => return None,
    };
    Some(proto::TeamCommand {
        team_id: id.to_string(),
        operation: Some(operation),
    })
}

fn write_details(details: &TeamDetails) -> proto::TeamDetails {
    proto::TeamDetails {
        institution_id: details.institution.to_string(),
        school_year_id: string(details.school_year.as_ref()),
        title: details.title.to_string(),
        subject: string(details.subject.as_ref()),
        code: string(details.code.as_ref()),
    }
}

fn write_staff(person: PersonId, role: StaffRole) -> proto::TeamStaff {
    proto::TeamStaff {
        person_id: person.to_string(),
        role: role.number(),
    }
}

/// A team as it is now.
pub fn team(id: TeamId, revision: Revision, team: &Team) -> proto::Team {
    let staff = team.staff.iter();
    proto::Team {
        team_id: id.to_string(),
        revision: revision.get(),
        details: Some(write_details(&team.details)),
        owner_id: string(team.owner.as_ref()),
        member_ids: team.members.iter().map(ToString::to_string).collect(),
        staff: staff.map(|(p, role)| write_staff(*p, *role)).collect(),
        closed: team.closed,
        deletion: team.deleted.as_ref().map(write_deletion),
        decided_by_hand: team.decided_by_hand().into_iter().map(team_fact).collect(),
        sources: team.sources.iter().map(ToString::to_string).collect(),
        absences: absences(&team.absent),
    }
}
