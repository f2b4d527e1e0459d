//! Plans in words, as the fixtures have them.

use planledger_core::domain::plan::{Audience, Evaluator};
use planledger_core::domain::view::{PlanView, Viewer, plan_view};
use planledger_core::domain::year_plan::Wording;
use planledger_core::ledger::Ledger;
use serde::Serialize;

/// The plans of the story, each as staff and as guardians see it.
pub(super) fn plans(ledger: &Ledger) -> String {
    let mut said = Vec::new();
    let viewers = [
        ("staff", Viewer::Staff),
        ("guardians", Viewer::Audience(Audience::Guardians)),
    ];
    for number in 1..=3 {
        let id = super::plan(number);
        for (name, viewer) in viewers {
            let read = ledger.read(|now| plan_view(now, id, viewer));
            // Nothing is seen of a plan whose student was erased, either.
            match read.ok().and_then(|(view, _)| view) {
                Some(view) => tell(name, &view, &mut said),
                None => said.push(format!("{name} sees no plan {}", id.uuid())),
            }
        }
    }
    said.join("\n") + "\n"
}

fn quoted(text: &impl Serialize) -> String {
    serde_json::to_string(text).unwrap()
}

fn if_so(is_so: bool, what: &str) -> String {
    match is_so {
        true => format!(", {what}"),
        false => String::new(),
    }
}

fn shown(is_shown: bool) -> String {
    if_so(is_shown, "shown")
}

const fn named(audience: Audience) -> &'static str {
    match audience {
        Audience::Student => "student",
        Audience::Guardians => "guardians",
        Audience::Others => "others",
    }
}

fn tell(viewer: &str, view: &PlanView, said: &mut Vec<String>) {
    let mut audiences: Vec<_> = view.visible_to.iter().map(|it| named(*it)).collect();
    audiences.sort_unstable();
    let audiences = match audiences.as_slice() {
        [] => "nobody".to_owned(),
        some => some.join(", "),
    };
    said.push(format!(
        "{viewer} sees plan {} of {}, in {}, owned by {}{}{}; visible to: {audiences}",
        view.id.uuid(),
        quoted(&view.student_name),
        quoted(&view.year_plan.title),
        quoted(&view.owner_name),
        if_so(view.shared, "shared"),
        if_so(view.withdrawn, "withdrawn"),
    ));
    if let Some(status) = &view.status {
        said.push(format!(
            "  status {}{}",
            quoted(&status.text),
            shown(status.shown)
        ));
    }
    for unit in &view.units {
        said.push(format!(
            "  unit {}{}{}",
            quoted(&unit.details.as_ref().map(|details| &details.title)),
            if_so(unit.included, "included"),
            if_so(unit.deleted.is_some(), "deleted"),
        ));
        for goal in &unit.goals {
            let (Wording::Own { text } | Wording::Catalogue { text, .. }) = &goal.wording;
            said.push(format!(
                "    goal {}{}{}, wording {}",
                quoted(text),
                if_so(goal.retired, "retired"),
                shown(goal.shown),
                goal.revision
            ));
            for evaluation in &goal.evaluations {
                let side = match evaluation.by {
                    Evaluator::Staff => "staff",
                    Evaluator::Student => "student",
                };
                said.push(format!(
                    "      {side}: {}, {}{}{}",
                    quoted(&evaluation.level_title),
                    quoted(&evaluation.assessment.comment),
                    if_so(evaluation.corrected_at.is_some(), "corrected"),
                    shown(evaluation.shown)
                ));
            }
        }
    }
    if let Some(follow_up) = &view.follow_up {
        let on = view
            .follow_up_on
            .map_or("None".to_owned(), |day| day.to_string());
        said.push(format!(
            "  follow-up {} on {on}{}",
            quoted(&follow_up.text),
            shown(follow_up.shown)
        ));
    }
    for talk in &view.talks {
        said.push(format!(
            "  talk on {}: {}{}",
            talk.details.held_on,
            quoted(&talk.details.notes),
            shown(talk.shown)
        ));
    }
}
