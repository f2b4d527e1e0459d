//! The two ways of working with plans, from an empty ledger to what a guardian sees, and what is
//! left after everything around a plan is deleted.

use planledger_fixtures::commands;
use std::collections::BTreeSet;

use planledger_core::domain::institution::{
    InstitutionCommand, SurveyCount, SurveyDetails, SurveyForum,
};
use planledger_core::domain::person::{Guardianship, PersonCommand, Role};
use planledger_core::domain::plan::{Audience, Item, PlanCommand, Section, TalkDetails, UnitRef};
use planledger_core::domain::school_year::SchoolYearCommand;
use planledger_core::domain::team::{StaffRole, TeamCommand};
use planledger_core::domain::view::{PlanView, Viewer};
use planledger_core::domain::year_plan::{
    GoalArea, GoalKind, YearPlanCommand, YearPlanDetails, YearPlanKind,
};
use planledger_core::domain::{Aggregate, Reason};
use planledger_core::ids::{GoalId, PersonId, SurveyDiscussionId, UnitId, YearPlanId};

use planledger_fixtures::Memory;
use planledger_fixtures::school::*;

const GUARDIANS: Viewer = Viewer::Audience(Audience::Guardians);

fn person(ledger: &mut Memory, id: PersonId, called: &str, role: Role) {
    ledger.does(SYSTEM, (id, PersonCommand::Register { name: name(called) }));
    let place = affiliation(SCHOOL, role);
    ledger.does(SYSTEM, (id, PersonCommand::SetAffiliation(place)));
}

/// A school with a team, from commands alone.
fn a_new_ledger() -> Memory {
    let mut ledger = Memory::default();
    let details = institution_details("Nordvestskolen");
    ledger.does(SYSTEM, (SCHOOL, InstitutionCommand::Register(details)));
    ledger.does(SYSTEM, (YEAR, SchoolYearCommand::Define(school_year())));
    person(&mut ledger, STUDENT, "Eleven", Role::Student);
    person(&mut ledger, GUARDIAN, "Forælderen", Role::Guardian);
    person(&mut ledger, TEACHER, "Læreren", Role::Teacher);
    person(&mut ledger, PEDAGOGUE, "Pædagogen", Role::Pedagogue);
    let guardianship = Guardianship {
        guardian: GUARDIAN,
        last_day: None,
    };
    ledger.does(
        SYSTEM,
        (STUDENT, PersonCommand::SetGuardianship(guardianship)),
    );
    let create = TeamCommand::Create {
        details: team_details(),
        owner: Some(TEACHER),
    };
    ledger.does(TEACHER, (TEAM, create));
    ledger.does(TEACHER, (TEAM, TeamCommand::AddMember { student: STUDENT }));
    for (person, role) in [
        (TEACHER, StaffRole::Teacher),
        (PEDAGOGUE, StaffRole::Pedagogue),
    ] {
        ledger.does(TEACHER, (TEAM, TeamCommand::AddStaff { person, role }));
    }
    ledger
}

fn add_unit(ledger: &mut Memory, year_plan: YearPlanId, unit: UnitId, subject: &str) {
    let mut details = unit_details(&format!("Forløb i {subject}"));
    details.subject = Some(name(subject));
    ledger.does(
        TEACHER,
        (year_plan, YearPlanCommand::AddUnit { unit, details }),
    );
}

fn add_goal(
    ledger: &mut Memory,
    year_plan: YearPlanId,
    unit: UnitId,
    goal: GoalId,
    kind: GoalKind,
) {
    let command = commands::add_goal(unit, goal, chosen_goal(kind, "Kan finde temaet"));
    ledger.does(TEACHER, (year_plan, command));
}

fn write_and_make_visible(ledger: &mut Memory) {
    let status = PlanCommand::WriteStatus {
        text: text("Læser flydende"),
    };
    ledger.does(TEACHER, (PLAN, status));
    let follow_up = commands::write_follow_up(text("En ny bog hver uge"), Some(day(12, 18)));
    ledger.does(TEACHER, (PLAN, follow_up));
    for section in [Section::Status, Section::Goals, Section::FollowUp] {
        ledger.does(TEACHER, (PLAN, PlanCommand::ShowSection { section }));
    }
    assert_eq!(ledger.view(PLAN, GUARDIANS), None, "it is not shared yet");
    ledger.does(TEACHER, (PLAN, PlanCommand::Share));
    assert_eq!(
        ledger.view(PLAN, GUARDIANS),
        None,
        "nor visible to guardians"
    );
    for audience in [Audience::Student, Audience::Guardians] {
        let visible = true;
        ledger.does(
            TEACHER,
            (PLAN, PlanCommand::SetVisibility { audience, visible }),
        );
    }
}

fn open(year_plan: YearPlanId) -> PlanCommand {
    commands::open_plan(STUDENT, year_plan, None)
}

fn evaluate(
    id: planledger_core::ids::EvaluationId,
    unit: UnitRef,
    goal: GoalId,
    reached: u8,
) -> PlanCommand {
    commands::record_evaluation(id, unit, goal, level(reached))
}

/// The subject plan (*faglig elevplan*), visible to student and guardians.
fn a_subject_plan() -> Memory {
    let mut ledger = a_new_ledger();
    let create = commands::create_year_plan(subject_year_plan(), TEACHER);
    ledger.does(TEACHER, (YEAR_PLAN, create));
    add_unit(&mut ledger, YEAR_PLAN, UNIT, "Dansk");
    add_goal(
        &mut ledger,
        YEAR_PLAN,
        UNIT,
        SUBJECT_GOAL,
        GoalKind::Subject,
    );
    add_goal(
        &mut ledger,
        YEAR_PLAN,
        UNIT,
        REFLECTION_GOAL,
        GoalKind::Reflection,
    );
    // Team and year plan are chosen, then the student, the units, and what to show.
    ledger.does(TEACHER, (PLAN, open(YEAR_PLAN)));
    ledger.does(TEACHER, (PLAN, PlanCommand::IncludeUnit(THE_UNIT)));
    ledger.does(
        TEACHER,
        (PLAN, evaluate(EVALUATION, THE_UNIT, SUBJECT_GOAL, 2)),
    );
    ledger.does(
        STUDENT,
        (PLAN, evaluate(LATER, THE_UNIT, REFLECTION_GOAL, 3)),
    );
    record_talk_of_two(&mut ledger);
    write_and_make_visible(&mut ledger);
    ledger
}

/// What teacher and pedagogue agreed on with the student, in a talk that both held.
fn talk_of_two() -> TalkDetails {
    TalkDetails {
        held_by: BTreeSet::from([TEACHER, PEDAGOGUE]),
        ..talk("Vi aftalte at læse hver aften")
    }
}

fn record_talk_of_two(ledger: &mut Memory) {
    let record = commands::record_talk(TALK, talk_of_two());
    ledger.does(PEDAGOGUE, (PLAN, record));
    let item = Item::Talk(TALK);
    ledger.does(PEDAGOGUE, (PLAN, PlanCommand::ShowItem { item }));
}

fn evaluations(view: &PlanView) -> Vec<(GoalId, Option<u8>)> {
    let goals = view.units.iter().flat_map(|unit| &unit.goals);
    let made = goals.flat_map(|goal| goal.evaluations.iter().map(|made| (goal.id, made)));
    made.map(|(goal, made)| (goal, made.assessment.level))
        .collect()
}

fn assert_is_whole(view: &PlanView) {
    assert_eq!(view.student_name, Some(name("Eleven")));
    assert_eq!(view.status.as_ref().unwrap().text, text("Læser flydende"));
    assert_eq!(
        view.follow_up.as_ref().unwrap().text,
        text("En ny bog hver uge")
    );
    assert_eq!(view.follow_up_on, Some(day(12, 18)));
    assert_eq!(
        evaluations(view),
        [(SUBJECT_GOAL, Some(2)), (REFLECTION_GOAL, Some(3))]
    );
    assert_eq!(view.talks[0].details, talk_of_two());
    assert_eq!(view.talks[0].held_by, talk_of_two().held_by);
}

#[test]
fn the_subject_plan_from_team_to_guardian() {
    let ledger = a_subject_plan();
    for viewer in [
        Viewer::Staff,
        GUARDIANS,
        Viewer::Audience(Audience::Student),
    ] {
        let view = ledger.view(PLAN, viewer).unwrap();
        assert_eq!(view.kind, YearPlanKind::Subject);
        assert_eq!(view.year_plan_details.clone().unwrap(), subject_year_plan());
        assert_is_whole(&view);
    }
    let others = Viewer::Audience(Audience::Others);
    assert_eq!(ledger.view(PLAN, others), None);
    let collected = ledger.collected(STUDENT, GUARDIANS).unwrap();
    assert_eq!(collected.plans, [ledger.view(PLAN, GUARDIANS).unwrap()]);
}

#[test]
fn the_combined_plan_from_a_shared_year_plan_to_guardian() {
    let mut ledger = a_new_ledger();
    // A shared year plan for a team and school year; it gets its title and its subjects.
    let create = commands::create_year_plan(
        YearPlanDetails {
            title: title("Uden titel"),
            subjects: BTreeSet::from([name("Dansk")]),
            ..combined_year_plan()
        },
        TEACHER,
    );
    ledger.does(TEACHER, (COMBINED, create));
    let retitle = YearPlanCommand::Retitle {
        title: title("Samlet årsplan for 7.b"),
    };
    ledger.does(TEACHER, (COMBINED, retitle));
    let subject = name("Matematik");
    ledger.does(TEACHER, (COMBINED, YearPlanCommand::AddSubject { subject }));
    add_unit(&mut ledger, COMBINED, UNIT, "Dansk");
    add_unit(&mut ledger, COMBINED, OTHER_UNIT, "Matematik");
    add_goal(&mut ledger, COMBINED, UNIT, SUBJECT_GOAL, GoalKind::Subject);
    let mut wellbeing = chosen_goal(GoalKind::Reflection, "Har nogen at være sammen med");
    wellbeing.area = GoalArea::Wellbeing;
    let command = commands::add_goal(OTHER_UNIT, REFLECTION_GOAL, wellbeing);
    ledger.does(PEDAGOGUE, (COMBINED, command));
    // Then as before.
    let unit = |unit| unit_in(COMBINED, unit);
    ledger.does(TEACHER, (PLAN, open(COMBINED)));
    for included in [UNIT, OTHER_UNIT] {
        ledger.does(TEACHER, (PLAN, PlanCommand::IncludeUnit(unit(included))));
    }
    ledger.does(
        TEACHER,
        (PLAN, evaluate(EVALUATION, unit(UNIT), SUBJECT_GOAL, 2)),
    );
    ledger.does(
        STUDENT,
        (PLAN, evaluate(LATER, unit(OTHER_UNIT), REFLECTION_GOAL, 3)),
    );
    record_talk_of_two(&mut ledger);
    write_and_make_visible(&mut ledger);
    let view = ledger.view(PLAN, GUARDIANS).unwrap();
    assert_is_whole(&view);
    assert_eq!(view.kind, YearPlanKind::Combined);
    assert_eq!(view.year_plan.title, Some(title("Samlet årsplan for 7.b")));
    assert_eq!(view.units.len(), 2);
    assert_eq!(view.units[1].goals[0].area, GoalArea::Wellbeing);
}

/// Following up the national wellbeing survey: each discussion of its results is recorded where it was
/// held, and counted there.
#[test]
fn the_wellbeing_survey_is_followed_up_forum_by_forum() {
    let mut ledger = a_new_ledger();
    let forums = [
        (SurveyForum::Class, TEACHER),
        (SurveyForum::Class, PEDAGOGUE),
        (SurveyForum::ParentsMeeting, TEACHER),
    ];
    for (number, (forum, who)) in (1..).zip(forums) {
        let students_through = match forum {
            SurveyForum::Class => survey_details("Ro").students_through,
            _ => None,
        };
        let details = SurveyDetails {
            forum,
            students_through,
            ..survey_details("Flere fælles lege i frikvarteret")
        };
        let discussion = SurveyDiscussionId::from_bytes([number; 16]);
        let record = InstitutionCommand::RecordSurveyDiscussion {
            discussion,
            details,
        };
        ledger.does(who, (SCHOOL, record));
    }
    let Some(Aggregate::Institution(school)) = ledger.state(SCHOOL) else {
        panic!("no school");
    };
    let counts = school.survey_counts(&[YEAR].into());
    let of = |forum| counts.get(&forum).copied().unwrap_or_default();
    let count = |discussions, with_students| SurveyCount {
        discussions,
        with_students,
        with_goals: 0,
    };
    assert_eq!(of(SurveyForum::Class), count(2, 2));
    assert_eq!(of(SurveyForum::ParentsMeeting), count(1, 0));
    assert_eq!(of(SurveyForum::StudentCouncil), count(0, 0));
}

#[test]
fn a_plan_outlives_its_team_year_plan_unit_goal_and_owner() {
    let mut ledger = a_subject_plan();
    let before = ledger.recorded().len();
    let delete = |reason| YearPlanCommand::Delete { reason };
    let retire = YearPlanCommand::RetireGoal {
        goal: SUBJECT_GOAL,
        reason: None,
    };
    ledger.does(TEACHER, (YEAR_PLAN, retire));
    let unit = UNIT;
    ledger.does(
        TEACHER,
        (
            YEAR_PLAN,
            YearPlanCommand::DeleteUnit { unit, reason: None },
        ),
    );
    ledger.does(TEACHER, (YEAR_PLAN, delete(why("Rydder op"))));
    ledger.does(TEACHER, (TEAM, TeamCommand::Delete { reason: None }));
    let on = Some(day(11, 30));
    ledger.does(
        SYSTEM,
        (TEACHER, PersonCommand::Depart { on, reason: None }),
    );
    for viewer in [Viewer::Staff, GUARDIANS] {
        let view = ledger.view(PLAN, viewer).unwrap();
        assert_is_whole(&view);
        assert!(view.year_plan.deleted.is_some() && view.owner_departed);
    }
    // Somebody picks it up, writes on, shows it, and gives it another home.
    let transfer = PlanCommand::TransferOwnership {
        to: PEDAGOGUE,
        reason: why("Læreren er holdt op"),
    };
    ledger.does(PEDAGOGUE, (PLAN, transfer));
    let again = planledger_core::ids::EvaluationId::from_bytes([0x93; 16]);
    ledger.does(
        PEDAGOGUE,
        (PLAN, evaluate(again, THE_UNIT, REFLECTION_GOAL, 1)),
    );
    let status = PlanCommand::WriteStatus {
        text: text("Læser stadig flydende"),
    };
    ledger.does(PEDAGOGUE, (PLAN, status));
    let audience = Audience::Others;
    let visible = true;
    ledger.does(
        PEDAGOGUE,
        (PLAN, PlanCommand::SetVisibility { audience, visible }),
    );
    // A new year plan cannot be made for a team that is deleted; undeleting mends that.
    let create = commands::create_year_plan(subject_year_plan(), PEDAGOGUE);
    let command = planledger_core::domain::Command::YearPlan(OTHER_YEAR_PLAN, create);
    let refusal = ledger.decide(PEDAGOGUE, &command).unwrap_err();
    assert_eq!(refusal.reason, Reason::TeamDeleted);
    ledger.does(PEDAGOGUE, (TEAM, TeamCommand::Undelete));
    ledger.does(PEDAGOGUE, command);
    let to = OTHER_YEAR_PLAN;
    ledger.does(
        PEDAGOGUE,
        (PLAN, PlanCommand::MoveToYearPlan { to, reason: None }),
    );
    let view = ledger
        .view(PLAN, Viewer::Audience(Audience::Others))
        .unwrap();
    assert_eq!(view.owner, PEDAGOGUE);
    assert_eq!((view.year_plan.id, view.year_plan.deleted), (to, None));
    assert_eq!(view.status.unwrap().text, text("Læser stadig flydende"));
    assert_eq!(view.units[0].goals.len(), 2);
    assert_eq!(view.units[0].goals[1].evaluations.len(), 2);
    // And what was recorded before is what it was (P1).
    assert_eq!(ledger.recorded()[..before], *a_subject_plan().recorded());
}
