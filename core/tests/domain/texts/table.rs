//! Who may read each text that people write: the table that the views are held against.

/// Who gets a text out of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Nobody: the text is in no view at all.
    Nobody,
    /// Staff, and no audience whatever is shown to it.
    Staff,
    /// Whoever sees the plan: it is shared, and visible to the audience.
    Plan,
    /// Whoever sees the plan while it includes the unit.
    Unit,
    /// The same, while the section of the goals is shown.
    Goals,
    /// Whoever sees the plan while the section of the status is shown.
    Status,
    /// Whoever sees the plan while the section of the follow-up is shown.
    FollowUp,
    /// Whoever sees the plan while the talk is shown.
    Talk,
    /// Whoever reads the year plan, which has no gates.
    Reader,
}

use Reach::{
    FollowUp as F, Goals as G, Nobody as NO, Plan as P, Reader as R, Staff as S, Status as ST,
    Talk as T, Unit as U,
};

/// For each text who gets it out of four views, in this order: the plan as it was first written, the
/// plan after everything was changed and deleted, and the same two for the year plan.
///
/// A text is named by its type of event and its place there. A word after that tells texts apart that
/// stand in the same place of several events.
///
/// **To add a row here is to decide which families read a text.** A reason is written for colleagues.
#[rustfmt::skip]
pub(super) const TABLE: &[(&str, [Reach; 4])] = &[
    // No view reads these streams.
    ("institution.registered:name", [NO, NO, NO, NO]),
    ("institution.registered:code", [NO, NO, NO, NO]),
    ("institution.revised:name", [NO, NO, NO, NO]),
    ("institution.revised:code", [NO, NO, NO, NO]),
    ("institution.closed:reason", [NO, NO, NO, NO]),
    // Text about a class or school, read by staff through queries of their own.
    ("institution.survey_discussed:details.agreed", [NO, NO, NO, NO]),
    ("institution.survey_discussion_corrected:details.agreed", [NO, NO, NO, NO]),
    ("institution.survey_discussion_corrected:reason", [NO, NO, NO, NO]),
    ("institution.survey_discussion_withdrawn:reason", [NO, NO, NO, NO]),
    ("school_year.defined:title", [NO, NO, NO, NO]),
    ("catalogue.defined:title", [NO, NO, NO, NO]),
    ("catalogue.defined:publisher", [NO, NO, NO, NO]),
    ("catalogue.defined:version", [NO, NO, NO, NO]),
    ("catalogue.defined:language", [NO, NO, NO, NO]),
    ("catalogue.defined:licence.title", [NO, NO, NO, NO]),
    ("catalogue.defined:licence.uri", [NO, NO, NO, NO]),
    ("catalogue.defined:licence.text", [NO, NO, NO, NO]),
    ("catalogue.defined:rights_holder", [NO, NO, NO, NO]),
    // A goal that is chosen from a catalogue takes a copy of the text: see `goal_added`.
    ("catalogue.item_defined:details.text", [NO, NO, NO, NO]),
    ("catalogue.item_defined:details.kind", [NO, NO, NO, NO]),
    ("catalogue.item_defined:details.code", [NO, NO, NO, NO]),
    ("catalogue.item_defined:details.licence.title", [NO, NO, NO, NO]),
    ("catalogue.item_defined:details.licence.uri", [NO, NO, NO, NO]),
    ("catalogue.item_defined:details.licence.text", [NO, NO, NO, NO]),
    ("ledger.fork_settled:reason", [NO, NO, NO, NO]),
    ("roster_source.registered:name", [NO, NO, NO, NO]),
    ("recovery.started:reason", [NO, NO, NO, NO]),
    ("recovery.started:steps.[].create_year_plan.details.title", [NO, NO, NO, NO]),
    ("recovery.started:steps.[].create_year_plan.details.subjects.[]", [NO, NO, NO, NO]),
    ("recovery.undo_started:reason", [NO, NO, NO, NO]),
    // The names of the student and of the plan's owner, and of nobody else.
    ("person.registered:name student", [P, NO, NO, NO]),
    ("person.registered:name owner", [P, NO, NO, NO]),
    ("person.registered:name leader", [NO, NO, NO, NO]),
    ("person.registered:record.source", [NO, NO, NO, NO]),
    ("person.registered:record.sourced_id", [NO, NO, NO, NO]),
    ("person.registered:record.user_ids.[].kind", [NO, NO, NO, NO]),
    ("person.registered:record.user_ids.[].id", [NO, NO, NO, NO]),
    ("person.registered:record.profiles.[].sourced_id", [NO, NO, NO, NO]),
    ("person.registered:record.profiles.[].kind", [NO, NO, NO, NO]),
    ("person.registered:record.profiles.[].user_name", [NO, NO, NO, NO]),
    ("person.renamed:name student", [NO, P, NO, NO]),
    ("person.renamed:name owner", [NO, P, NO, NO]),
    ("person.affiliation_set:grade", [NO, NO, NO, NO]),
    ("person.departed:reason", [NO, NO, NO, NO]),
    ("person.recorded_in_roster:source", [NO, NO, NO, NO]),
    ("person.recorded_in_roster:sourced_id", [NO, NO, NO, NO]),
    ("person.recorded_in_roster:user_ids.[].kind", [NO, NO, NO, NO]),
    ("person.recorded_in_roster:user_ids.[].id", [NO, NO, NO, NO]),
    ("person.recorded_in_roster:profiles.[].sourced_id", [NO, NO, NO, NO]),
    ("person.recorded_in_roster:profiles.[].kind", [NO, NO, NO, NO]),
    ("person.recorded_in_roster:profiles.[].user_name", [NO, NO, NO, NO]),
    ("person.absent_from_roster:source", [NO, NO, NO, NO]),
    ("person.suggestion_decided:evidence.absent_from_roster.source", [NO, NO, NO, NO]),
    ("person.suggestion_decided:reason", [NO, NO, NO, NO]),
    ("team.created:details.title", [P, NO, R, NO]),
    ("team.created:details.subject", [NO, NO, NO, NO]),
    ("team.created:details.code", [NO, NO, NO, NO]),
    ("team.revised:title", [NO, P, NO, R]),
    ("team.revised:subject", [NO, NO, NO, NO]),
    ("team.revised:code", [NO, NO, NO, NO]),
    ("team.closed:reason", [NO, NO, NO, NO]),
    ("team.deleted:reason", [NO, S, NO, S]),
    ("team.ownership_transferred:reason", [NO, NO, NO, NO]),
    ("team.ownership_given_up:reason", [NO, NO, NO, NO]),
    ("team.recorded_in_roster:source", [NO, NO, NO, NO]),
    ("team.absent_from_roster:source", [NO, NO, NO, NO]),
    ("year_plan.created:details.title", [P, NO, R, NO]),
    ("year_plan.created:details.subjects.[]", [P, P, R, R]),
    ("year_plan.retitled:title", [NO, P, NO, R]),
    ("year_plan.subject_added:subject", [NO, P, NO, R]),
    ("year_plan.subject_removed:subject", [NO, NO, NO, NO]),
    ("year_plan.unit_added:details.title", [U, NO, R, NO]),
    ("year_plan.unit_added:details.subject", [U, NO, R, NO]),
    ("year_plan.unit_added:details.description", [U, NO, R, NO]),
    ("year_plan.unit_revised:details.title", [NO, U, NO, R]),
    ("year_plan.unit_revised:details.subject", [NO, U, NO, R]),
    ("year_plan.unit_revised:details.description", [NO, U, NO, R]),
    // A unit that is deleted stays in the plans that include it; in the year plan staff see it.
    ("year_plan.unit_added:details.title deleted", [P, P, R, S]),
    ("year_plan.unit_added:details.subject deleted", [P, P, R, S]),
    ("year_plan.unit_added:details.description deleted", [P, P, R, S]),
    ("year_plan.unit_deleted:reason", [NO, S, NO, S]),
    // A plan shows a goal's present words, and the level that an evaluation gave on an earlier scale.
    // A year plan holds the present words of the goals that it shows; earlier ones are for staff.
    ("year_plan.goal_added:details.wording.own.text subject", [G, NO, S, S]),
    ("year_plan.goal_added:details.scale.title subject", [G, NO, S, S]),
    ("year_plan.goal_added:details.scale.levels.[] subject", [G, G, S, S]),
    ("year_plan.goal_revised:wording.catalogue.text subject", [NO, G, NO, S]),
    ("year_plan.goal_revised:scale.title subject", [NO, G, NO, S]),
    ("year_plan.goal_revised:scale.levels.[] subject", [NO, G, NO, S]),
    ("year_plan.goal_added:details.wording.catalogue.text reflection", [G, NO, R, S]),
    ("year_plan.goal_added:details.scale.title reflection", [G, NO, R, S]),
    ("year_plan.goal_added:details.scale.levels.[] reflection", [G, G, R, S]),
    ("year_plan.goal_revised:wording.own.text reflection", [NO, G, NO, R]),
    ("year_plan.goal_revised:scale.title reflection", [NO, G, NO, R]),
    ("year_plan.goal_revised:scale.levels.[] reflection", [NO, G, NO, R]),
    ("year_plan.goal_retired:reason", [NO, NO, NO, NO]),
    ("year_plan.deleted:reason", [NO, S, NO, S]),
    ("year_plan.ownership_transferred:reason", [NO, NO, NO, NO]),
    ("year_plan.moved:reason", [NO, NO, NO, NO]),
    ("plan.status_written:text", [ST, ST, NO, NO]),
    ("plan.follow_up_written:text", [F, F, NO, NO]),
    ("plan.evaluation_recorded:assessment.comment subject", [G, NO, NO, NO]),
    ("plan.evaluation_recorded:assessment.comment reflection", [G, G, NO, NO]),
    ("plan.evaluation_corrected:assessment.comment", [NO, G, NO, NO]),
    ("plan.evaluation_corrected:reason", [NO, NO, NO, NO]),
    ("plan.talk_recorded:details.notes", [T, NO, NO, NO]),
    ("plan.talk_corrected:details.notes", [NO, T, NO, NO]),
    ("plan.talk_corrected:reason", [NO, NO, NO, NO]),
    ("plan.withdrawn:reason", [NO, NO, NO, NO]),
    ("plan.ownership_transferred:reason", [NO, NO, NO, NO]),
    ("plan.moved_to_year_plan:reason", [NO, NO, NO, NO]),
    ("plan.reverted:reason", [NO, NO, NO, NO]),
];

/// Places of strings that nobody writes: values of enumerations, keys, hashes, reason codes.
pub(super) const NOT_WRITTEN: &[&str] = &[
    "institution.left_to_roster:facts.[]",
    "institution.left_to_roster:facts.[].detail",
    "school_year.left_to_roster:facts.[]",
    "person.affiliation_set:role",
    "person.affiliation_ended:role",
    "person.left_to_roster:facts.[]",
    "person.left_to_roster:facts.[].affiliation.role",
    "team.left_to_roster:facts.[]",
    "team.left_to_roster:facts.[].detail",
    "team.staff_added:role",
    "year_plan.created:details.kind",
    "year_plan.goal_added:details.kind",
    "year_plan.goal_added:details.area",
    "plan.opened:kind",
    "plan.section_shown:section",
    "plan.section_hidden:section",
    "plan.evaluation_recorded:by",
    "institution.survey_discussed:details.forum",
    "institution.survey_discussed:details.students_through",
    "institution.survey_discussion_corrected:details.forum",
    "institution.survey_discussion_corrected:details.students_through",
    "plan.talk_recorded:details.kind",
    "plan.talk_corrected:details.kind",
    "plan.visibility_set:audience",
    "ledger.key_introduced:key",
    "ledger.key_rotated:from",
    "ledger.key_rotated:to",
    "ledger.key_rotated:statement",
    "ledger.heads_recorded:root",
    "ledger.fork_settled:stream.kind",
    "recovery.started:steps.[].create_year_plan.details.kind",
    "recovery.finished:left_out.[].reason",
    "recovery.undone:left_out.[].reason",
    "roster_source.imported:mode",
];
