//! A school in which every text says where it stands, so that a view tells what it lets through.

use planledger_core::domain::{Event, EventType};
use planledger_core::ids::{
    ErasureId, GrantsId, LedgerId, RecoveryId, RosterSourceId, StreamId, SystemId,
};
use planledger_fixtures::Fact;
use planledger_fixtures::school::*;
use serde_json::{Value, json};

use super::{is_text, place, walk};
use crate::format::events::present_examples;

/// Which gates are open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gates {
    pub(super) shared: bool,
    pub(super) visible: bool,
    pub(super) included: bool,
    pub(super) status: bool,
    pub(super) goals: bool,
    pub(super) follow_up: bool,
    pub(super) talk: bool,
}

impl Gates {
    /// Every setting of all gates.
    pub(super) fn every() -> impl Iterator<Item = Self> {
        (0..1u32 << 7).map(|number| {
            let open = |gate: u32| number >> gate & 1 == 1;
            Self {
                shared: open(0),
                visible: open(1),
                included: open(2),
                status: open(3),
                goals: open(4),
                follow_up: open(5),
                talk: open(6),
            }
        })
    }

    fn facts(self) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut add = |open: bool, event, payload| {
            facts.extend(open.then(|| fact(PLAN, event, payload)));
        };
        let section = |name: &str| json!({ "section": name });
        add(self.shared, "plan.shared", json!({}));
        for audience in ["student", "guardians", "others"] {
            let set = json!({ "audience": audience, "visible": true });
            add(self.visible, "plan.visibility_set", set);
        }
        add(!self.included, "plan.unit_excluded", json!(THE_UNIT));
        add(self.status, "plan.section_shown", section("status"));
        add(self.goals, "plan.section_shown", section("goals"));
        add(self.follow_up, "plan.section_shown", section("follow_up"));
        let talk = json!({ "item": { "talk": TALK } });
        add(self.talk, "plan.item_shown", talk);
        facts
    }
}

/// An event in which each text that begins with `@` is replaced by one that says where it stands.
/// What follows the `@` is said too.
fn fact(stream: impl Into<StreamId>, name: &str, payload: Value) -> Fact {
    let variant = name.split_once('.').unwrap().1;
    let mut json = json!({ variant: payload });
    walk(&mut json, &mut |path, text| {
        if let Some(word) = text.strip_prefix('@') {
            *text = marker(&place(name, path), word);
        }
    });
    let event = event(name, &json);
    let written: Value = serde_json::from_slice(&event.to_json().unwrap()).unwrap();
    assert_eq!(written, json, "{name} is read whole");
    let (stream, actor) = (stream.into(), SYSTEM);
    Fact {
        stream,
        actor,
        on_behalf_of: None,
        event,
    }
}

fn event(name: &str, json: &Value) -> Event {
    let known = EventType::from_name(name).unwrap();
    Event::from_json(known.code, known.schema, json.to_string().as_bytes()).unwrap()
}

fn marker(place: &str, word: &str) -> String {
    format!("[{}]", format!("{place} {word}").trim_end())
}

/// Every example of the events of streams that no view reads, with its texts marked.
fn elsewhere() -> Vec<Fact> {
    let examples = present_examples().into_iter();
    let facts = examples.filter_map(|(name, json)| {
        let mut json: Value = serde_json::from_str(json).unwrap();
        walk(&mut json, &mut |path, text| {
            let place = place(name, path);
            if is_text(&place, text) {
                *text = marker(&place, "");
            }
        });
        let event = event(name, &json);
        let stream: StreamId = match &event {
            Event::Institution(_) => SCHOOL.into(),
            Event::SchoolYear(_) => YEAR.into(),
            Event::Catalogue(_) => CATALOGUE.into(),
            Event::Ledger(_) => LedgerId::from_bytes([0xD1; 16]).into(),
            Event::Recovery(_) => RecoveryId::from_bytes([0xE1; 16]).into(),
            Event::RosterSource(_) => RosterSourceId::FIRST.into(),
            Event::System(_) => SystemId::from_bytes([0xF1; 16]).into(),
            Event::Grants(_) => GrantsId::from_bytes([0xF2; 16]).into(),
            Event::Erasure(_) => ErasureId::from_bytes([0xF3; 16]).into(),
            Event::Person(_) | Event::Team(_) | Event::YearPlan(_) | Event::Plan(_) => return None,
        };
        let actor = SYSTEM;
        Some(Fact {
            stream,
            actor,
            on_behalf_of: None,
            event,
        })
    });
    facts.collect()
}

/// The school as it was first written, with these gates open.
pub(super) fn first_written(gates: Gates) -> Vec<Fact> {
    let mut facts = elsewhere();
    facts.extend(roster());
    facts.extend(course());
    facts.extend(written());
    facts.extend(gates.facts());
    facts
}

fn roster() -> Vec<Fact> {
    let registered = |person, called: &str| {
        let name = json!({ "name": called });
        fact(person, "person.registered", name)
    };
    let grade = json!({ "institution": SCHOOL, "role": "student", "grade": "@" });
    let record = json!({
        "source": "@", "sourced_id": "@", "user_ids": [{ "kind": "@", "id": "@" }], "enabled": true,
        "profiles": [{ "sourced_id": "@", "kind": "@", "user_name": "@" }],
    });
    let details = json!({
        "institution": SCHOOL, "school_year": YEAR, "title": "@", "subject": "@", "code": "@",
    });
    let team = json!({ "details": details, "owner": TEACHER });
    let brought = json!({ "name": "@leader", "record": record });
    vec![
        registered(STUDENT, "@student"),
        registered(TEACHER, "@owner"),
        fact(LEADER, "person.registered", brought),
        fact(STUDENT, "person.affiliation_set", grade),
        fact(STUDENT, "person.recorded_in_roster", record),
        fact(TEAM, "team.created", team),
    ]
}

/// A year plan of two units. The first has a goal of each kind.
fn course() -> Vec<Fact> {
    let details = json!({
        "kind": "subject", "institution": SCHOOL, "team": TEAM, "school_year": YEAR,
        "title": "@", "subjects": ["@"],
    });
    let unit = |id, word: &str| {
        let details = json!({ "title": word, "subject": word, "description": word });
        let added = json!({ "unit": id, "details": details });
        fact(YEAR_PLAN, "year_plan.unit_added", added)
    };
    let goal = |id, kind: &str, wording: Value| {
        let details = json!({
            "kind": kind, "area": "academic", "wording": wording, "scale": scale_of(kind),
        });
        let added = json!({ "unit": UNIT, "goal": id, "details": details });
        fact(YEAR_PLAN, "year_plan.goal_added", added)
    };
    let created = json!({ "details": details, "owner": TEACHER });
    vec![
        fact(YEAR_PLAN, "year_plan.created", created),
        unit(UNIT, "@"),
        unit(OTHER_UNIT, "@deleted"),
        goal(SUBJECT_GOAL, "subject", own("@subject")),
        goal(REFLECTION_GOAL, "reflection", chosen("@reflection")),
    ]
}

fn scale_of(kind: &str) -> Value {
    let word = format!("@{kind}");
    json!({ "title": word, "levels": [word] })
}

fn own(word: &str) -> Value {
    json!({ "own": { "text": word } })
}

fn chosen(word: &str) -> Value {
    json!({ "catalogue": { "catalogue": CATALOGUE, "item": ITEM, "text": word } })
}

/// The plan, with something in every place.
fn written() -> Vec<Fact> {
    let opened = json!({
        "student": STUDENT, "kind": "subject", "year_plan": OTHER_YEAR_PLAN, "owner": LEADER,
    });
    let moved = json!({ "from": OTHER_YEAR_PLAN, "to": YEAR_PLAN, "reason": "@" });
    let transferred = json!({ "from": LEADER, "to": TEACHER, "reason": "@" });
    let other_unit = json!({ "year_plan": YEAR_PLAN, "unit": OTHER_UNIT });
    let evaluated = |id, goal, word: &str| {
        json!({
            "evaluation": id, "unit": THE_UNIT, "goal": goal, "goal_revision": 1, "by": "staff",
            "assessment": { "level": 0, "comment": word },
        })
    };
    let follow_up = json!({ "text": "@", "follow_up_on": "2026-12-24" });
    let subject = evaluated(EVALUATION, SUBJECT_GOAL, "@subject");
    let reflection = evaluated(LATER, REFLECTION_GOAL, "@reflection");
    let events = [
        ("plan.opened", opened),
        ("plan.moved_to_year_plan", moved),
        ("plan.ownership_transferred", transferred),
        ("plan.withdrawn", json!({ "reason": "@" })),
        ("plan.restored", json!({})),
        ("plan.unit_included", json!(THE_UNIT)),
        ("plan.unit_included", other_unit),
        ("plan.status_written", json!({ "text": "@" })),
        ("plan.follow_up_written", follow_up),
        ("plan.evaluation_recorded", subject),
        ("plan.evaluation_recorded", reflection),
        ("plan.talk_recorded", talk_on("2026-11-20")),
    ];
    let facts = events.into_iter();
    facts.map(|(name, it)| fact(PLAN, name, it)).collect()
}

fn talk_on(day: &str) -> Value {
    let details = json!({ "kind": "student_talk", "held_on": day, "notes": "@" });
    json!({ "talk": TALK, "details": details })
}

/// Everything that can be is changed, and what can be deleted is deleted, by the leader.
pub(super) fn changed_and_deleted() -> Vec<Fact> {
    let renamed = |person, called: &str| {
        let name = json!({ "name": called });
        fact(person, "person.renamed", name)
    };
    let departed = json!({ "last_day": "2026-11-30", "reason": "@" });
    let absent = json!({ "source": "@", "last_seen": "2026-11-30" });
    let evidence = json!({ "absent_from_roster": absent });
    let decided = json!({ "evidence": evidence, "confirmed": false, "reason": "@" });
    let why = || json!({ "reason": "@" });
    let mut facts = vec![
        renamed(STUDENT, "@student"),
        renamed(TEACHER, "@owner"),
        fact(TEACHER, "person.departed", departed),
        fact(STUDENT, "person.absent_from_roster", absent.clone()),
        fact(STUDENT, "person.suggestion_decided", decided),
        fact(TEAM, "team.recorded_in_roster", json!({ "source": "@" })),
        fact(TEAM, "team.absent_from_roster", absent),
    ];
    facts.extend(changed_course());
    facts.extend(changed_plan());
    let unit = json!({ "unit": OTHER_UNIT, "reason": "@" });
    let deleted = [
        fact(YEAR_PLAN, "year_plan.unit_deleted", unit),
        fact(YEAR_PLAN, "year_plan.deleted", why()),
        fact(TEAM, "team.deleted", why()),
    ];
    facts.extend(deleted.map(|deleted| deleted.by(LEADER)));
    facts
}

fn changed_course() -> Vec<Fact> {
    let revised = json!({
        "institution": SCHOOL, "school_year": YEAR, "title": "@", "subject": "@", "code": "@",
    });
    let transferred = || json!({ "from": TEACHER, "to": TEACHER, "reason": "@" });
    let place = |institution| json!({ "institution": institution, "team": TEAM });
    let moved = json!({ "from": place(SCHOOL), "to": place(OTHER_SCHOOL), "reason": "@" });
    let given_up = json!({ "from": TEACHER, "reason": "@" });
    let unit = json!({ "title": "@", "subject": "@", "description": "@" });
    let goal = |id, kind: &str, wording: Value| {
        let revised = json!({ "goal": id, "wording": wording, "scale": scale_of(kind) });
        fact(YEAR_PLAN, "year_plan.goal_revised", revised)
    };
    let retired = json!({ "goal": SUBJECT_GOAL, "reason": "@" });
    let on_year_plan = |name: &str, it| fact(YEAR_PLAN, name, it);
    vec![
        fact(TEAM, "team.revised", revised),
        fact(TEAM, "team.closed", json!({ "reason": "@" })),
        fact(TEAM, "team.ownership_transferred", transferred()),
        fact(TEAM, "team.ownership_given_up", given_up),
        on_year_plan("year_plan.retitled", json!({ "title": "@" })),
        on_year_plan("year_plan.subject_added", json!({ "subject": "@" })),
        on_year_plan("year_plan.subject_removed", json!({ "subject": "@" })),
        on_year_plan("year_plan.ownership_transferred", transferred()),
        on_year_plan("year_plan.moved", moved),
        on_year_plan(
            "year_plan.unit_revised",
            json!({ "unit": UNIT, "details": unit }),
        ),
        goal(SUBJECT_GOAL, "subject", chosen("@subject")),
        goal(REFLECTION_GOAL, "reflection", own("@reflection")),
        on_year_plan("year_plan.goal_retired", retired),
    ]
}

fn changed_plan() -> Vec<Fact> {
    let evaluation = json!({
        "evaluation": EVALUATION, "assessment": { "level": 0, "comment": "@" }, "reason": "@",
    });
    let mut talk = talk_on("2026-11-21");
    talk["reason"] = "@".into();
    let reverted = json!({ "to": 1, "reason": "@" });
    vec![
        fact(PLAN, "plan.evaluation_corrected", evaluation),
        fact(PLAN, "plan.talk_corrected", talk),
        fact(PLAN, "plan.reverted", reverted),
    ]
}
