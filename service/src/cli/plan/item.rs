//! Prints one item of a plan for people: its title and its aspects.

use std::collections::HashMap;

use planledger_proto::v1::plan_item::Item;
use planledger_proto::v1::{
    Actor, ContainerView, EvaluationView, Evaluator, GoalArea, GoalKind, GoalView, PlanItem,
    PlanView, Scale, Section, TalkView, UnitRef, UnitView, WrittenView, YearPlanDetails,
    YearPlanKind, actor,
};

use super::super::error::CliError;
use super::super::names::{Names, short};
use super::super::output;
use super::super::sheet::{audience, deletion, talk_kind};
use super::super::timeline::excerpt;
use crate::client::Client;

/// One aspect of an item: its name and its value. The value is empty if the item does not have it.
pub(super) type Aspect = (&'static str, String);

/// The titles of units and goals, by id.
#[derive(Debug, Default)]
pub(super) struct Titles {
    units: HashMap<String, String>,
    goals: HashMap<String, String>,
    evaluated: HashMap<String, String>,
    levels: HashMap<String, Vec<String>>,
}

impl Titles {
    /// Learns the titles in a view. They replace titles from views that were learned before.
    pub(super) fn learn(&mut self, view: &PlanView) {
        for unit in &view.units {
            let id = unit.unit.as_ref().map(|unit| unit.unit_id.clone());
            let title = unit.details.as_ref().map(|details| details.title.clone());
            if let (Some(id), Some(title)) = (id, title) {
                self.units.insert(id, title);
            }
            for goal in &unit.goals {
                self.goals.insert(goal.goal_id.clone(), words(goal));
                for made in &goal.evaluations {
                    let id = &made.evaluation_id;
                    self.evaluated.insert(id.clone(), goal.goal_id.clone());
                    // If the evaluation was made on an earlier scale, the view does not hold the
                    // words of that scale.
                    let scale = goal.scale.as_ref();
                    let scale = scale.filter(|_| made.goal_revision == goal.goal_revision);
                    if let Some(scale) = scale {
                        self.levels.insert(id.clone(), scale.levels.clone());
                    }
                }
            }
        }
    }

    fn unit(&self, unit: Option<&UnitRef>) -> String {
        let id = unit.map_or("", |unit| &unit.unit_id);
        let title = self.units.get(id).cloned();
        title.unwrap_or_else(|| short(id).to_owned())
    }

    fn goal(&self, id: &str) -> String {
        match self.goals.get(id) {
            Some(words) => excerpt(words),
            None => short(id).to_owned(),
        }
    }

    /// The levels of the scale that an evaluation was made on; empty if they are not known.
    pub(super) fn levels(&self, evaluation: &str) -> &[String] {
        self.levels.get(evaluation).map_or(&[], Vec::as_slice)
    }

    /// The title of an evaluation.
    pub(super) fn evaluation(&self, id: &str) -> String {
        match self.evaluated.get(id) {
            Some(goal) => format!("Evaluation of {} ({})", self.goal(goal), short(id)),
            None => format!("Evaluation {}", short(id)),
        }
    }
}

fn words(goal: &GoalView) -> String {
    let wording = goal.wording.as_ref();
    wording
        .map(|wording| wording.text.clone())
        .unwrap_or_default()
}

/// Looks up the names of all persons in an item.
pub(super) async fn learn_names(
    client: &Client,
    item: &PlanItem,
    names: &mut Names,
) -> Result<(), CliError> {
    let containers = |view: Option<&ContainerView>| {
        let owner = view.and_then(|view| view.owner_id.clone());
        let deleted = view.and_then(|view| view.deletion.as_ref()?.deleted_by.clone());
        [owner, person(deleted.as_ref())]
    };
    let persons = match &item.item {
        Some(Item::YearPlan(found)) => containers(found.container.as_ref()),
        Some(Item::Team(team)) => containers(Some(team)),
        Some(Item::Status(text) | Item::FollowUp(text)) => [person(text.written_by.as_ref()), None],
        Some(Item::Evaluation(found)) => {
            let made = found.evaluation.as_ref();
            [
                person(made.and_then(|made| made.evaluated_by.as_ref())),
                None,
            ]
        }
        Some(Item::Talk(talk)) => [person(talk.recorded_by.as_ref()), None],
        Some(
            Item::Plan(_)
            | Item::Owner(_)
            | Item::Shared(_)
            | Item::VisibleTo(_)
            | Item::Withdrawn(_)
            | Item::ShownSection(_)
            | Item::Unit(_)
            | Item::Goal(_)
            | Item::FollowUpOn(_)
            | Item::UnitOrder(_),
        )
        | None => [None, None],
    };
    for id in persons.into_iter().flatten() {
        names.learn(client, &id).await?;
    }
    if let Some(Item::Talk(talk)) = &item.item {
        for id in &talk.held_by_ids {
            names.learn(client, id).await?;
        }
    }
    Ok(())
}

fn person(actor: Option<&Actor>) -> Option<String> {
    match actor?.actor.as_ref()? {
        actor::Actor::PersonId(id) => Some(id.clone()),
        actor::Actor::SystemId(_) => None,
    }
}

fn who(actor: Option<&Actor>, names: &Names) -> String {
    match actor.and_then(|actor| actor.actor.as_ref()) {
        Some(actor::Actor::PersonId(id)) => names.person(id),
        Some(actor::Actor::SystemId(id)) => format!("system {}", short(id)),
        None => String::new(),
    }
}

/// The title of an item.
pub(super) fn title(item: &PlanItem, titles: &Titles) -> String {
    match &item.item {
        Some(Item::Plan(_)) => "Plan".to_owned(),
        Some(Item::Owner(_)) => "Owner".to_owned(),
        Some(Item::YearPlan(_)) => "Year plan".to_owned(),
        Some(Item::Team(_)) => "Team".to_owned(),
        Some(Item::Shared(_)) => "Shared".to_owned(),
        Some(Item::VisibleTo(number)) => {
            let whom = audience((*number).try_into().unwrap_or_default());
            format!("Visible to {whom}")
        }
        Some(Item::Withdrawn(_)) => "Withdrawn".to_owned(),
        Some(Item::ShownSection(number)) => {
            let section = match Section::try_from(*number).unwrap_or_default() {
                Section::Status => "status",
                Section::Goals => "goals",
                Section::FollowUp => "follow-up",
                Section::Unspecified => "unknown",
            };
            format!("Section {section} shown")
        }
        Some(Item::Status(_)) => "Status".to_owned(),
        Some(Item::Unit(unit)) => format!("Unit {}", titles.unit(unit.unit.as_ref())),
        Some(Item::Goal(found)) => {
            let id = found.goal.as_ref().map_or("", |goal| &goal.goal_id);
            let unit = titles.unit(found.unit.as_ref());
            format!("Goal {} in {unit}", titles.goal(id))
        }
        Some(Item::Evaluation(found)) => {
            let made = found.evaluation.as_ref();
            let id = made.map_or("", |made| &made.evaluation_id);
            format!(
                "Evaluation of {} ({})",
                titles.goal(&found.goal_id),
                short(id)
            )
        }
        Some(Item::FollowUp(_)) => "Follow-up".to_owned(),
        Some(Item::FollowUpOn(_)) => "Day of the follow-up".to_owned(),
        Some(Item::Talk(talk)) => {
            let kind = talk
                .details
                .as_ref()
                .map_or("Talk", |it| talk_kind(it.kind()));
            format!("{kind} ({})", short(&talk.talk_id))
        }
        Some(Item::UnitOrder(_)) => "Order of the units".to_owned(),
        None => "Something newer than this version".to_owned(),
    }
}

/// All aspects of an item.
pub(super) fn aspects(item: &PlanItem, titles: &Titles, names: &Names) -> Vec<Aspect> {
    let flag = |set: bool| if set { "yes" } else { "no" }.to_owned();
    match &item.item {
        Some(Item::Plan(plan)) => vec![
            ("id", plan.plan_id.clone()),
            ("student", plan.student_name.clone().unwrap_or_default()),
            ("student id", plan.student_id.clone()),
            ("kind", kind(plan.kind()).to_owned()),
            ("opened", output::instant(plan.opened_at.as_ref())),
        ],
        Some(Item::Owner(owner)) => vec![
            ("name", owner.name.clone().unwrap_or_default()),
            ("id", short(&owner.person_id).to_owned()),
            ("has left", flag(owner.departed)),
        ],
        Some(Item::YearPlan(found)) => {
            let mut aspects = container(found.container.as_ref(), names);
            aspects.extend(found.details.as_ref().map(year_plan).unwrap_or_default());
            aspects
        }
        Some(Item::Team(team)) => container(Some(team), names),
        Some(Item::Status(text) | Item::FollowUp(text)) => written(text, names),
        Some(Item::Unit(found)) => unit(found),
        Some(Item::Goal(found)) => found.goal.as_ref().map(goal).unwrap_or_default(),
        Some(Item::Evaluation(found)) => {
            let made = found.evaluation.as_ref();
            made.map(|made| evaluation(made, names)).unwrap_or_default()
        }
        Some(Item::FollowUpOn(day)) => vec![("day", day.clone())],
        Some(Item::Talk(found)) => talk(found, names),
        Some(Item::UnitOrder(order)) => {
            let units: Vec<_> = order.units.iter().map(|it| titles.unit(Some(it))).collect();
            vec![("order", units.join(", "))]
        }
        Some(Item::Shared(_) | Item::VisibleTo(_) | Item::Withdrawn(_) | Item::ShownSection(_))
        | None => Vec::new(),
    }
}

fn shown(shown: bool) -> Aspect {
    ("shown", if shown { "shown" } else { "hidden" }.to_owned())
}

fn kind(kind: YearPlanKind) -> &'static str {
    match kind {
        YearPlanKind::Combined => "combined plan",
        YearPlanKind::Subject | YearPlanKind::Unspecified => "subject plan",
    }
}

fn container(view: Option<&ContainerView>, names: &Names) -> Vec<Aspect> {
    let Some(view) = view else {
        return Vec::new();
    };
    let owner = view.owner_id.as_deref().map(|id| names.person(id));
    let by = view.deletion.as_ref();
    let by = by.map(|deletion| who(deletion.deleted_by.as_ref(), names));
    vec![
        ("title", view.title.clone().unwrap_or_default()),
        ("id", short(&view.id).to_owned()),
        ("owner", owner.unwrap_or_default()),
        ("deleted", deletion(view.deletion.as_ref())),
        ("deleted by", by.unwrap_or_default()),
    ]
}

fn year_plan(details: &YearPlanDetails) -> Vec<Aspect> {
    vec![
        ("is a", kind(details.kind()).to_owned()),
        ("subjects", details.subjects.join(", ")),
        ("team", details.team_id.clone()),
        ("school year", details.school_year_id.clone()),
        ("institution", details.institution_id.clone()),
    ]
}

fn written(view: &WrittenView, names: &Names) -> Vec<Aspect> {
    vec![
        ("text", view.text.clone()),
        ("written by", who(view.written_by.as_ref(), names)),
        ("written", output::instant(view.written_at.as_ref())),
        shown(view.shown),
    ]
}

fn unit(view: &UnitView) -> Vec<Aspect> {
    let details = view.details.clone().unwrap_or_default();
    let included = if view.included { "" } else { "not any more" };
    vec![
        ("title", details.title),
        ("subject", details.subject.unwrap_or_default()),
        ("about", details.description.unwrap_or_default()),
        ("deleted", deletion(view.deletion.as_ref())),
        ("included", included.to_owned()),
    ]
}

fn goal(view: &GoalView) -> Vec<Aspect> {
    let kind = match view.kind() {
        GoalKind::Reflection => "reflection goal",
        GoalKind::Subject | GoalKind::Unspecified => "subject goal",
    };
    let area = match view.area() {
        GoalArea::Academic | GoalArea::Unspecified => "academic",
        GoalArea::AllRoundDevelopment => "all-round development",
        GoalArea::Wellbeing => "wellbeing",
    };
    let source = view.wording.as_ref().and_then(|it| it.source.as_ref());
    let source = source.map(|it| format!("{}, item {}", it.catalogue_id, it.item_id));
    vec![
        ("words", words(view)),
        ("from catalogue", source.unwrap_or_default()),
        ("scale", view.scale.as_ref().map(scale).unwrap_or_default()),
        ("revision", view.goal_revision.to_string()),
        ("kind", kind.to_owned()),
        ("area", area.to_owned()),
        (
            "use",
            if view.retired { "out of use" } else { "" }.to_owned(),
        ),
        shown(view.shown),
    ]
}

fn scale(scale: &Scale) -> String {
    format!("{}: {}", scale.title, scale.levels.join(" < "))
}

fn evaluation(view: &EvaluationView, names: &Names) -> Vec<Aspect> {
    let side = match view.side() {
        Evaluator::Student => "student",
        Evaluator::Staff | Evaluator::Unspecified => "staff",
    };
    let said = view.assessment.clone().unwrap_or_default();
    let level = match (&view.level_title, said.level) {
        (Some(title), _) => title.clone(),
        (None, Some(level)) => format!("level {level}"),
        (None, None) => String::new(),
    };
    let corrected = view.corrected_at.as_ref();
    vec![
        ("level", level),
        ("comment", said.comment.unwrap_or_default()),
        ("by", who(view.evaluated_by.as_ref(), names)),
        ("side", side.to_owned()),
        ("made", output::instant(view.evaluated_at.as_ref())),
        ("on the goal's revision", view.goal_revision.to_string()),
        ("corrected", since(corrected)),
        shown(view.shown),
    ]
}

fn talk(view: &TalkView, names: &Names) -> Vec<Aspect> {
    let details = view.details.clone().unwrap_or_default();
    let holders = view.held_by_ids.iter().map(|id| names.person(id));
    let held_by = holders.collect::<Vec<_>>().join(", ");
    vec![
        ("kind", talk_kind(details.kind()).to_owned()),
        ("held", details.held_on.clone()),
        ("held by", held_by),
        ("notes", details.notes),
        ("recorded by", who(view.recorded_by.as_ref(), names)),
        ("recorded", output::instant(view.recorded_at.as_ref())),
        ("corrected", since(view.corrected_at.as_ref())),
        shown(view.shown),
    ]
}

/// An instant as text; empty if there is none.
fn since(at: Option<&prost_types::Timestamp>) -> String {
    at.map(|at| output::instant(Some(at))).unwrap_or_default()
}
