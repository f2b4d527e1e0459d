//! Prints a plan for people as one sheet of text.

use planledger_proto::v1::{
    Audience, ContainerView, Deletion, EvaluationView, Evaluator, GoalKind, GoalView, PlanView,
    TalkKind, UnitView, WrittenView, YearPlanKind,
};

use super::names::short;
use super::output;
use super::shown::Lines;

/// A plan's sheet.
pub(super) fn sheet(plan: &PlanView) -> Lines {
    let mut text = Lines::default();
    let kind = match plan.kind() {
        YearPlanKind::Combined => "Combined plan",
        YearPlanKind::Subject | YearPlanKind::Unspecified => "Subject plan",
    };
    let student = named(plan.student_name.as_deref(), &plan.student_id);
    line(&mut text, format!("{kind} of {student}"));
    line(
        &mut text,
        format!("  plan {}, revision {}", plan.plan_id, plan.revision),
    );
    for (what, container) in [
        ("year plan", plan.year_plan.as_ref()),
        ("team", plan.team.as_ref()),
    ] {
        if let Some(found) = container {
            line(&mut text, format!("  {what} {}", describe(found)));
        }
    }
    let left = if plan.owner_departed {
        ", who has left"
    } else {
        ""
    };
    let owner = named(plan.owner_name.as_deref(), &plan.owner_id);
    line(&mut text, format!("  owned by {owner}{left}"));
    let shared = if plan.shared { "shared" } else { "not shared" };
    let audiences: Vec<_> = plan.visible_to().map(audience).collect();
    let visible = match audiences.as_slice() {
        [] => "visible to staff only".to_owned(),
        audiences => format!("visible to {}", audiences.join(", ")),
    };
    let withdrawn = if plan.withdrawn { ", withdrawn" } else { "" };
    line(&mut text, format!("  {shared}, {visible}{withdrawn}"));
    if let Some(status) = &plan.status {
        section(&mut text, "Status", status);
    }
    if !plan.units.is_empty() {
        line(&mut text, "Goals");
    }
    for found in &plan.units {
        unit(&mut text, found);
    }
    if let Some(follow_up) = &plan.follow_up {
        let title = match &plan.follow_up_on {
            Some(day) => format!("Follow-up on {day}"),
            None => "Follow-up".to_owned(),
        };
        section(&mut text, &title, follow_up);
    }
    for talk in &plan.talks {
        let Some(details) = &talk.details else {
            continue;
        };
        let kind = talk_kind(details.kind());
        line(
            &mut text,
            format!("{kind} on {}{}", details.held_on, hidden(talk.shown)),
        );
        indented(&mut text, 2, &details.notes);
    }
    text
}

fn unit(text: &mut Lines, unit: &UnitView) {
    let title = unit
        .details
        .as_ref()
        .map_or("(unit)", |details| &details.title);
    let excluded = if unit.included {
        ""
    } else {
        ", not included any more"
    };
    let deleted = aside(unit.deletion.as_ref());
    line(text, format!("  {title}{excluded}{deleted}"));
    for found in &unit.goals {
        goal(text, found);
    }
}

fn goal(text: &mut Lines, goal: &GoalView) {
    let kind = match goal.kind() {
        GoalKind::Reflection => "reflection",
        GoalKind::Subject | GoalKind::Unspecified => "subject",
    };
    let words = goal
        .wording
        .as_ref()
        .map_or("", |wording| wording.text.as_str());
    let retired = if goal.retired { ", out of use" } else { "" };
    line(
        text,
        format!("    {words} ({kind} goal{retired}){}", hidden(goal.shown)),
    );
    for found in &goal.evaluations {
        evaluation(text, found);
    }
}

fn evaluation(text: &mut Lines, evaluation: &EvaluationView) {
    let side = match evaluation.side() {
        Evaluator::Student => "student",
        Evaluator::Staff | Evaluator::Unspecified => "staff",
    };
    let when = output::instant(evaluation.evaluated_at.as_ref());
    let level = evaluation.level_title.as_deref().unwrap_or("no level");
    let comment = evaluation
        .assessment
        .as_ref()
        .and_then(|found| found.comment.as_deref());
    let comment = comment
        .map(|comment| format!(" – {comment}"))
        .unwrap_or_default();
    let corrected = if evaluation.corrected_at.is_some() {
        " (corrected)"
    } else {
        ""
    };
    let hidden = hidden(evaluation.shown);
    line(
        text,
        format!("      {when}  {side}: {level}{comment}{corrected}{hidden}"),
    );
}

fn section(text: &mut Lines, title: &str, written: &WrittenView) {
    line(text, format!("{title}{}", hidden(written.shown)));
    indented(text, 2, &written.text);
}

fn describe(container: &ContainerView) -> String {
    let title = named(container.title.as_deref(), &container.id);
    let deleted = aside(container.deletion.as_ref());
    format!("{title}{deleted}")
}

fn aside(deleted: Option<&Deletion>) -> String {
    match deleted {
        Some(_) => format!(" (deleted {})", deletion(deleted)),
        None => String::new(),
    }
}

/// When and why something was deleted; empty if it was not deleted.
pub(super) fn deletion(deletion: Option<&Deletion>) -> String {
    let Some(deletion) = deletion else {
        return String::new();
    };
    let when = output::instant(deletion.deleted_at.as_ref());
    match &deletion.reason {
        Some(why) => format!("{when}: {why}"),
        None => when,
    }
}

/// The name of a kind of talk.
pub(super) fn talk_kind(kind: TalkKind) -> &'static str {
    match kind {
        TalkKind::StudentTalk | TalkKind::Unspecified => "Student talk",
        TalkKind::FeedbackTalk => "Feedback talk",
        TalkKind::LearningTalk => "Learning talk",
        TalkKind::SchoolHomeTalk => "School-home talk",
    }
}

/// The name of an audience.
pub(super) fn audience(audience: Audience) -> &'static str {
    match audience {
        Audience::Student => "student",
        Audience::Guardians => "guardians",
        Audience::Others => "others",
        Audience::Unspecified => "unknown",
    }
}

fn named(name: Option<&str>, id: &str) -> String {
    name.map_or_else(|| short(id).to_owned(), str::to_owned)
}

fn hidden(shown: bool) -> &'static str {
    if shown { "" } else { "  [hidden]" }
}

fn indented(text: &mut Lines, by: usize, written: &str) {
    text.quote(&format!("{:by$}", ""), written);
}

fn line(text: &mut Lines, what: impl AsRef<str>) {
    text.push(what.as_ref());
}
