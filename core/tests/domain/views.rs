//! What people see: four gates for everybody but staff.

use planledger_core::domain::Actor;
use planledger_core::domain::plan::{Audience, Item, PlanCommand, PlanEvent, Section};
use planledger_core::domain::team::TeamEvent;
use planledger_core::domain::view::{PlanView, Viewer};
use planledger_core::domain::year_plan::{GoalKind, Wording, YearPlanEvent, YearPlanKind};
use planledger_core::ids::{EvaluationId, GoalId, PersonId, PlanId, TalkId};
use planledger_fixtures::events;

use crate::domain::harness::{given, plan};
use planledger_fixtures::school::*;
use planledger_fixtures::{Fact, Memory};

const GUARDIANS: Viewer = Viewer::Audience(Audience::Guardians);
const OTHER_TALK: TalkId = TalkId::from_bytes([0xA2; 16]);

fn fact(event: PlanEvent) -> Fact {
    Fact::from((PLAN, event)).by(TEACHER)
}

/// Everything a plan can hold, nothing of it shown to anybody.
fn a_full_plan() -> Vec<Fact> {
    let mut facts = a_plan();
    facts.extend([
        evaluated(EVALUATION, SUBJECT_GOAL, 2),
        fact(PlanEvent::StatusWritten {
            text: text("Læser flydende"),
        }),
        fact(events::follow_up_written(text("Ny bog"), Some(day(12, 24)))),
        fact(events::talk_recorded(TALK, talk("Aftalt"))),
    ]);
    facts
}

fn shared_with_guardians() -> [Fact; 2] {
    let visible = PlanEvent::VisibilitySet {
        audience: Audience::Guardians,
        visible: true,
    };
    [fact(PlanEvent::Shared {}), fact(visible)]
}

fn section_shown(section: Section) -> Fact {
    fact(PlanEvent::SectionShown { section })
}

fn item(item: Item, shown: bool) -> Fact {
    fact(match shown {
        true => PlanEvent::ItemShown { item },
        false => PlanEvent::ItemHidden { item },
    })
}

fn goals_of(view: &PlanView) -> Vec<(GoalId, Vec<EvaluationId>)> {
    let goals = view.units.iter().flat_map(|unit| &unit.goals);
    goals
        .map(|goal| {
            let made = goal.evaluations.iter().map(|made| made.id);
            (goal.id, made.collect())
        })
        .collect()
}

/// What the rules say is seen of the evaluated goal, gate by gate.
struct Gates {
    shared: bool,
    included: bool,
    section: bool,
    goal: Option<bool>,
    evaluation: Option<bool>,
    visible: bool,
}

impl Gates {
    fn facts(&self) -> Vec<Fact> {
        let mut facts = a_full_plan();
        let [shared, visible] = shared_with_guardians();
        facts.extend(self.shared.then_some(shared));
        facts.extend(self.visible.then_some(visible));
        if !self.included {
            facts.push(fact(PlanEvent::UnitExcluded(THE_UNIT)));
        }
        facts.extend(self.section.then_some(section_shown(Section::Goals)));
        facts.extend(self.goal.map(|shown| item(Item::Goal(SUBJECT_GOAL), shown)));
        let evaluation = Item::Evaluation(EVALUATION);
        facts.extend(self.evaluation.map(|shown| item(evaluation, shown)));
        facts
    }

    fn plan_is_seen(&self) -> bool {
        self.shared && self.visible
    }

    fn goal_is_seen(&self) -> bool {
        self.included && self.goal.unwrap_or(self.section)
    }

    fn evaluation_is_seen(&self) -> bool {
        let with_its_goal = self.goal.unwrap_or(self.section);
        self.goal_is_seen() && self.evaluation.unwrap_or(with_its_goal)
    }
}

#[test]
fn a_guardian_sees_what_passes_all_four_gates_and_nothing_else() {
    const EITHER: [bool; 2] = [false, true];
    const ANY: [Option<bool>; 3] = [None, Some(false), Some(true)];
    let mut seen = 0;
    for shared in EITHER {
        for visible in EITHER {
            for included in EITHER {
                for section in EITHER {
                    for goal in ANY {
                        for evaluation in ANY {
                            seen += u32::from(guardian_sees(&Gates {
                                shared,
                                included,
                                section,
                                goal,
                                evaluation,
                                visible,
                            }));
                        }
                    }
                }
            }
        }
    }
    assert_eq!(seen, 6, "of 144 settings, so many show the evaluation");
}

fn guardian_sees(gates: &Gates) -> bool {
    let memory = Memory::of(gates.facts());
    // The gates of one audience open nothing for the others.
    for other in [Audience::Student, Audience::Others] {
        assert_eq!(memory.view(PLAN, Viewer::Audience(other)), None);
    }
    let Some(view) = memory.view(PLAN, GUARDIANS) else {
        assert!(!gates.plan_is_seen());
        return false;
    };
    assert!(gates.plan_is_seen());
    assert_eq!(view.units.len(), usize::from(gates.included));
    let goals = goals_of(&view);
    let goal = goals.iter().find(|(id, _)| *id == SUBJECT_GOAL);
    assert_eq!(goal.is_some(), gates.goal_is_seen());
    let evaluation_seen = goal.is_some_and(|(_, made)| made.contains(&EVALUATION));
    assert_eq!(evaluation_seen, gates.evaluation_is_seen());
    // The goal that nothing was said about follows its section.
    let other = goals.iter().any(|(id, _)| *id == REFLECTION_GOAL);
    assert_eq!(other, gates.included && gates.section);
    evaluation_seen
}

#[test]
fn staff_see_everything_whatever_is_shown() {
    let hidden = [
        item(Item::Goal(SUBJECT_GOAL), false),
        item(Item::Evaluation(EVALUATION), false),
        item(Item::Talk(TALK), false),
    ];
    for facts in [a_full_plan(), [a_full_plan(), hidden.into()].concat()] {
        let view = Memory::of(facts).view(PLAN, Viewer::Staff).unwrap();
        assert_eq!(
            goals_of(&view),
            [(SUBJECT_GOAL, vec![EVALUATION]), (REFLECTION_GOAL, vec![])]
        );
        assert_eq!(view.status.unwrap().text, text("Læser flydende"));
        assert_eq!(view.follow_up.unwrap().text, text("Ny bog"));
        assert_eq!(view.follow_up_on, Some(day(12, 24)));
        assert_eq!(view.talks.len(), 1);
    }
}

#[test]
fn written_sections_are_seen_when_they_are_shown() {
    let facts = [a_full_plan(), shared_with_guardians().into()].concat();
    let with = |facts: &[Fact], sections: &[Section]| {
        let shown = sections.iter().map(|section| section_shown(*section));
        let memory = Memory::of(facts.iter().cloned().chain(shown));
        memory.view(PLAN, GUARDIANS).unwrap()
    };
    let none = with(&facts, &[]);
    assert_eq!(
        (none.status, none.follow_up, none.follow_up_on),
        (None, None, None)
    );
    let status = with(&facts, &[Section::Status]);
    let written = status.status.unwrap();
    assert_eq!(written.text, text("Læser flydende"));
    assert_eq!((written.by, written.shown), (Actor::Person(TEACHER), true));
    assert_eq!((status.follow_up, status.follow_up_on), (None, None));
    let follow_up = with(&facts, &[Section::FollowUp]);
    assert_eq!(follow_up.status, None);
    assert_eq!(follow_up.follow_up.unwrap().text, text("Ny bog"));
    assert_eq!(follow_up.follow_up_on, Some(day(12, 24)));
}

#[test]
fn a_talk_is_seen_only_if_it_is_shown_by_itself() {
    let every_section = [Section::Status, Section::Goals, Section::FollowUp];
    let mut facts = [a_full_plan(), shared_with_guardians().into()].concat();
    facts.extend(every_section.map(section_shown));
    let talks = |facts: &[Fact]| {
        let memory = Memory::of(facts.to_vec());
        memory.view(PLAN, GUARDIANS).unwrap().talks
    };
    assert_eq!(talks(&facts), []);
    facts.push(item(Item::Talk(TALK), true));
    assert_eq!(talks(&facts).len(), 1);
    facts.push(item(Item::Talk(TALK), false));
    assert_eq!(talks(&facts), []);
}

#[test]
fn talks_are_in_the_order_in_which_they_were_held() {
    let mut earlier = talk("Den første");
    earlier.held_on = day(9, 1);
    let recorded = fact(events::talk_recorded(OTHER_TALK, earlier));
    let mut facts = a_full_plan();
    facts.push(recorded);
    let view = Memory::of(facts).view(PLAN, Viewer::Staff).unwrap();
    let talks: Vec<_> = view.talks.iter().map(|talk| talk.id).collect();
    assert_eq!(talks, [OTHER_TALK, TALK]);
}

#[test]
fn staff_see_an_evaluated_unit_that_was_taken_out_and_nobody_else_does() {
    let mut facts = [a_full_plan(), shared_with_guardians().into()].concat();
    facts.push(section_shown(Section::Goals));
    facts.push(fact(PlanEvent::UnitExcluded(THE_UNIT)));
    let memory = Memory::of(facts);
    let view = memory.view(PLAN, Viewer::Staff).unwrap();
    assert_eq!(view.units.len(), 1);
    assert!(!view.units[0].included);
    assert_eq!(view.units[0].goals[0].evaluations[0].id, EVALUATION);
    assert_eq!(memory.view(PLAN, GUARDIANS).unwrap().units, []);
}

#[test]
fn a_withdrawn_plan_is_seen_by_staff_only() {
    let mut facts = [a_full_plan(), shared_with_guardians().into()].concat();
    facts.push(fact(PlanEvent::Withdrawn { reason: None }));
    let memory = Memory::of(facts);
    assert_eq!(memory.view(PLAN, GUARDIANS), None);
    assert!(memory.view(PLAN, Viewer::Staff).unwrap().withdrawn);
    let guardians = memory.collected(STUDENT, GUARDIANS).unwrap();
    assert_eq!(guardians.plans, []);
    assert_eq!(guardians.student_name, Some(name("Eleven")));
    assert_eq!(
        memory
            .collected(STUDENT, Viewer::Staff)
            .unwrap()
            .plans
            .len(),
        1
    );
}

#[test]
fn there_is_no_view_of_what_is_not_there() {
    let memory = Memory::of(a_year_plan());
    assert_eq!(memory.view(PLAN, Viewer::Staff), None);
    assert_eq!(memory.collected(NOBODY, Viewer::Staff), None);
    assert_eq!(memory.collected(STUDENT, Viewer::Staff).unwrap().plans, []);
    assert_eq!(memory.year_plan(OTHER_YEAR_PLAN, Viewer::Staff), None);
}

#[test]
fn others_are_not_told_of_a_student_of_whom_they_see_no_plan() {
    let others = Viewer::Audience(Audience::Others);
    let mut facts = a_full_plan();
    let memory = Memory::of(facts.clone());
    // They get what they would get about somebody who does not exist.
    assert_eq!(memory.collected(STUDENT, others), None);
    assert_eq!(memory.collected(NOBODY, others), None);
    for audience in [Audience::Student, Audience::Guardians] {
        let view = memory.collected(STUDENT, Viewer::Audience(audience));
        let view = view.unwrap();
        assert_eq!(
            (view.plans.len(), view.student_name),
            (0, Some(name("Eleven")))
        );
    }
    let visible = PlanEvent::VisibilitySet {
        audience: Audience::Others,
        visible: true,
    };
    facts.extend([PlanEvent::Shared {}, visible].map(fact));
    let view = Memory::of(facts).collected(STUDENT, others).unwrap();
    assert_eq!(
        (view.plans.len(), view.student_name),
        (1, Some(name("Eleven")))
    );
}

#[test]
fn the_collected_view_holds_every_plan_that_the_viewer_sees() {
    let opened = |student, year_plan| {
        events::plan_opened(student, YearPlanKind::Subject, year_plan, TEACHER)
    };
    let created = events::year_plan_created(subject_year_plan(), PEDAGOGUE);
    let of_classmate = PlanId::from_bytes([0x83; 16]);
    let mut facts = [a_full_plan(), shared_with_guardians().into()].concat();
    facts.push((OTHER_YEAR_PLAN, created).into());
    facts.push((OTHER_PLAN, opened(STUDENT, OTHER_YEAR_PLAN)).into());
    facts.push((of_classmate, opened(CLASSMATE, YEAR_PLAN)).into());
    let memory = Memory::of(facts);
    let plans = |viewer| {
        let view = memory.collected(STUDENT, viewer).unwrap();
        view.plans.iter().map(|plan| plan.id).collect::<Vec<_>>()
    };
    assert_eq!(plans(Viewer::Staff), [PLAN, OTHER_PLAN]);
    assert_eq!(plans(GUARDIANS), [PLAN]);
    assert_eq!(plans(Viewer::Audience(Audience::Student)), []);
}

#[test]
fn a_plan_says_what_became_of_its_containers_and_is_whole() {
    let mut facts = [a_full_plan(), shared_with_guardians().into()].concat();
    facts.extend([Section::Status, Section::Goals].map(section_shown));
    let before = Memory::of(facts.clone());
    let unit_deleted = events::unit_deleted(UNIT);
    let gone = events::departed();
    let reason = why("Læreren rydder op");
    let retired = events::goal_retired(SUBJECT_GOAL);
    facts.extend([
        Fact::from((YEAR_PLAN, retired)),
        Fact::from((YEAR_PLAN, unit_deleted)).by(TEACHER),
        Fact::from((
            YEAR_PLAN,
            YearPlanEvent::Deleted {
                reason: reason.clone(),
            },
        ))
        .by(TEACHER),
        Fact::from((TEAM, TeamEvent::Deleted { reason: None })).by(TEACHER),
        (TEACHER, gone).into(),
    ]);
    // Two facts follow the deletion of the year plan.
    let deleted_at = Memory::instant(facts.len() - 2);
    let after = Memory::of(facts);
    for viewer in [Viewer::Staff, GUARDIANS] {
        let (was, now) = (
            before.view(PLAN, viewer).unwrap(),
            after.view(PLAN, viewer).unwrap(),
        );
        assert_eq!(goals_of(&now), goals_of(&was));
        assert_eq!(now.status, was.status);
        assert_eq!(now.talks, was.talks);
        assert_eq!(now.year_plan.title, Some(title("Dansk i 7.b")));
        let deletion = now.year_plan.deleted.unwrap();
        assert_eq!(deletion.at(), deleted_at);
        // Only staff learn by whom and why.
        let whole = deletion.whole();
        let whole = whole.map(|whole| (whole.at, whole.by, whole.reason.clone()));
        let told = (deleted_at, Actor::Person(TEACHER), reason.clone());
        assert_eq!(whole, (viewer == Viewer::Staff).then_some(told));
        assert_eq!(was.year_plan.deleted, None);
        let team = now.team.unwrap();
        assert_eq!(team.title, Some(title("7.b dansk")));
        assert!(team.deleted.is_some());
        assert!(now.units[0].deleted.is_some());
        assert!(now.units[0].goals[0].retired);
        assert_eq!(now.units[0].details, was.units[0].details);
        assert!(now.owner_departed && !was.owner_departed);
        assert_eq!(now.owner_name, Some(name("Læreren")));
    }
}

#[test]
fn subject_goals_are_never_shown_in_the_unit() {
    let memory = Memory::of(a_year_plan());
    let goals = |viewer| {
        let view = memory.year_plan(YEAR_PLAN, viewer).unwrap();
        let goals = view.units[0].goals.iter();
        goals.map(|goal| (goal.id, goal.kind)).collect::<Vec<_>>()
    };
    let subject = (SUBJECT_GOAL, GoalKind::Subject);
    let reflection = (REFLECTION_GOAL, GoalKind::Reflection);
    assert_eq!(goals(Viewer::Staff), [subject, reflection]);
    for audience in Audience::ALL {
        assert_eq!(goals(Viewer::Audience(audience)), [reflection]);
    }
}

#[test]
fn deleted_units_and_retired_goals_are_seen_in_a_year_plan_by_staff_only() {
    let retired = events::goal_retired(REFLECTION_GOAL);
    let mut facts = a_year_plan();
    facts.push((YEAR_PLAN, retired).into());
    let student = Viewer::Audience(Audience::Student);
    let view = Memory::of(facts.clone()).year_plan(YEAR_PLAN, student);
    assert_eq!(view.unwrap().units[0].goals, []);
    let deleted = events::unit_deleted(UNIT);
    facts.push((YEAR_PLAN, deleted).into());
    let memory = Memory::of(facts);
    assert_eq!(memory.year_plan(YEAR_PLAN, student).unwrap().units, []);
    let staff = memory.year_plan(YEAR_PLAN, Viewer::Staff).unwrap();
    let unit = &staff.units[0];
    assert!(unit.deleted.as_ref().unwrap().whole().is_some());
    let retired = unit.goals.iter().map(|goal| (goal.id, goal.retired));
    let expected = [(SUBJECT_GOAL, false), (REFLECTION_GOAL, true)];
    assert_eq!(retired.collect::<Vec<_>>(), expected);
    assert_eq!(staff.team.unwrap().owner, Some(TEACHER));
}

#[test]
fn earlier_words_of_a_goal_are_seen_in_a_year_plan_by_staff_only() {
    let mut facts = a_year_plan();
    let own = |words| Wording::Own { text: text(words) };
    let revised = own("Jeg planlægger min læsning");
    let revised = events::goal_revised(REFLECTION_GOAL, revised, scale());
    facts.push((YEAR_PLAN, revised).into());
    let memory = Memory::of(facts);
    let seen = |viewer| {
        let view = memory.year_plan(YEAR_PLAN, viewer).unwrap();
        let goals = view.units[0].goals.iter();
        let mut goals = goals.filter(|goal| goal.id == REFLECTION_GOAL);
        let goal = goals.next().unwrap();
        (goal.first_revision, goal.revisions.clone())
    };
    let (first, staff) = seen(Viewer::Staff);
    assert_eq!((first, staff.len()), (1, 2));
    assert_eq!(staff[1].wording, own("Jeg planlægger min læsning"));
    for audience in [Audience::Student, Audience::Guardians, Audience::Others] {
        let expected = (2, vec![staff[1].clone()]);
        assert_eq!(seen(Viewer::Audience(audience)), expected, "{audience:?}");
    }
}

#[test]
fn who_acts_changes_nothing_about_what_is_seen() {
    let show = plan(PlanCommand::ShowSection {
        section: Section::Goals,
    });
    let by = |actor: PersonId| {
        let after = given(a_full_plan()).when(actor, show.clone());
        let after = after.then([PlanEvent::SectionShown {
            section: Section::Goals,
        }]);
        after.world().view(PLAN, Viewer::Staff)
    };
    assert_eq!(by(TEACHER), by(LEADER));
}
