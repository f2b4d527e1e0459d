//! The plans of a person on the page.

use serde_json::Value;

use super::danish;
use super::html::{self, Names, actor, list, plain, time, word};

/// Every plan, with all that the viewer sees of it.
pub(super) fn plans(page: &mut String, view: &Value, names: &Names) {
    let plans = list(view, "plans");
    if plans.is_empty() {
        html::paragraph(page, "Ingen planer.");
    }
    for plan in plans {
        one(page, plan, names);
    }
}

fn one(page: &mut String, plan: &Value, names: &Names) {
    let title = word(plan, "/yearPlan/title");
    let title = match title.is_empty() {
        true => word(plan, "planId"),
        false => title,
    };
    html::heading(page, 3, &format!("Plan: {title}"));
    html::table(page, &["Hvad", "Værdi"], &facts(plan, names));
    for (name, title) in [("status", "Status"), ("followUp", "Opfølgning")] {
        if let Some(written) = plan.get(name) {
            html::heading(page, 4, title);
            html::quote(page, &word(written, "text"));
            let (who, when) = (
                actor(written, "writtenBy", names),
                time(written, "writtenAt"),
            );
            html::paragraph(page, &format!("Skrevet af {who}, {when}"));
        }
    }
    for unit in list(plan, "units") {
        html::heading(
            page,
            4,
            &format!("Forløb: {}", word(unit, "/details/title")),
        );
        goals(page, unit, names);
    }
    talks(page, plan, names);
}

/// What is known of the plan as a whole.
fn facts(plan: &Value, names: &Names) -> Vec<Vec<String>> {
    let owner = html::person(&word(plan, "ownerId"), names);
    let visible: Vec<_> = list(plan, "visibleTo")
        .iter()
        .filter_map(Value::as_str)
        .map(danish::value)
        .collect();
    let deleted = |name: &str| time(plan.pointer(name).unwrap_or(&Value::Null), "deletedAt");
    let facts = [
        ("Plan", word(plan, "planId")),
        ("Ejer", owner),
        ("Ejeren er rejst", word(plan, "ownerDeparted")),
        ("Hold", word(plan, "/team/title")),
        ("Holdet er slettet", deleted("/team/deletion")),
        ("Årsplanen er slettet", deleted("/yearPlan/deletion")),
        ("Åbnet", time(plan, "openedAt")),
        ("Sidst ændret", time(plan, "changedAt")),
        ("Delt", word(plan, "shared")),
        ("Synlig for", visible.join(", ")),
        ("Opfølgning den", word(plan, "followUpOn")),
        ("Trukket tilbage", word(plan, "withdrawn")),
    ];
    let facts = facts.into_iter().filter(|fact| !fact.1.is_empty());
    facts
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect()
}

fn goals(page: &mut String, unit: &Value, names: &Names) {
    let mut rows = Vec::new();
    for goal in list(unit, "goals") {
        let words = wording(goal);
        let evaluations = list(goal, "evaluations");
        if evaluations.is_empty() {
            let mut row = vec![words.clone()];
            row.resize(6, String::new());
            rows.push(row);
        }
        for evaluation in evaluations {
            rows.push(vec![
                words.clone(),
                word(evaluation, "levelTitle"),
                word(evaluation, "/assessment/comment"),
                plain(evaluation, "side"),
                actor(evaluation, "evaluatedBy", names),
                time(evaluation, "evaluatedAt"),
            ]);
        }
    }
    let heads = ["Mål", "Niveau", "Kommentar", "Side", "Af", "Hvornår"];
    html::table(page, &heads, &rows);
}

/// The words of a goal, or its id.
fn wording(goal: &Value) -> String {
    match word(goal, "/wording/text") {
        words if words.is_empty() => word(goal, "goalId"),
        words => words,
    }
}

fn talks(page: &mut String, plan: &Value, names: &Names) {
    let talks = list(plan, "talks");
    if talks.is_empty() {
        return;
    }
    html::heading(page, 4, "Samtaler");
    let row = |talk: &Value| {
        let held = list(talk, "heldByIds").iter().filter_map(Value::as_str);
        let held: Vec<_> = held.map(|id| html::person(id, names)).collect();
        let details = talk.get("details").unwrap_or(&Value::Null);
        vec![
            word(details, "heldOn"),
            plain(details, "kind"),
            held.join(", "),
            word(details, "notes"),
        ]
    };
    let rows: Vec<_> = talks.iter().map(row).collect();
    html::table(page, &["Dag", "Slags", "Holdt af", "Referat"], &rows);
}
