//! Twenty teams, and three teachers who leave at once.

use planledger_fixtures::commands;
use std::collections::BTreeMap;

use planledger_core::domain::person::{PersonCommand, Role};
use planledger_core::domain::plan::{Audience, PlanCommand, Section};
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::view::{PlanView, Viewer, collected_view};
use planledger_core::domain::year_plan::YearPlanCommand;
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{
    GoalId, PersonId, PlanId, Position, RecoveryId, StreamId, TeamId, YearPlanId,
};
use planledger_core::journal::{Fault, PowerCut};
use planledger_core::ledger::{Ledger, Reading};
use planledger_core::recovery::{Fallback, RestoreItem, Rule, Why, describe, open, ownerless, run};

use crate::recovery::place::*;
use planledger_fixtures::school::*;

/// They own seven, seven and six of the teams.
const LEAVING: [PersonId; 3] = [TEACHER, PEDAGOGUE, STEADY];
/// On the staff of every team.
const COLLEAGUE: PersonId = PersonId::from_bytes([0x3B; 16]);
/// On the staff of none.
const SUCCESSOR: PersonId = PersonId::from_bytes([0x3C; 16]);
const GUARDIANS: Viewer = Viewer::Audience(Audience::Guardians);

/// A team with a year plan and a plan on it.
#[derive(Clone, Copy)]
struct Class {
    team: TeamId,
    year_plan: YearPlanId,
    plan: PlanId,
    owner: PersonId,
    student: PersonId,
}

impl Class {
    fn streams(&self) -> [StreamId; 3] {
        [self.team.into(), self.year_plan.into(), self.plan.into()]
    }
}

fn classes() -> [Class; 20] {
    std::array::from_fn(|index| {
        let id = |kind| {
            let mut id = [index as u8; 16];
            id[0] = kind;
            id
        };
        Class {
            team: TeamId::from_bytes(id(0x41)),
            year_plan: YearPlanId::from_bytes(id(0x51)),
            plan: PlanId::from_bytes(id(0x81)),
            owner: LEAVING[index / 7],
            student: [STUDENT, CLASSMATE][index % 2],
        }
    })
}

fn founding() -> Vec<(Actor, Command)> {
    let mut commands = people();
    for person in [COLLEAGUE, SUCCESSOR] {
        let put = put_person(SCHOOL, Role::Teacher);
        commands.push((SYSTEM, Command::Person(person, put)));
    }
    for (index, class) in classes().into_iter().enumerate() {
        let goal = GoalId::from_bytes([index as u8; 16]);
        let put = put_team("Hold", "Dansk", &[class.owner, COLLEAGUE], class.owner);
        commands.push((SYSTEM, Command::Team(class.team, put)));
        commands.extend(year_plan(
            class.year_plan,
            class.team,
            "Dansk",
            goal,
            class.owner,
        ));
        commands.extend(plan(
            class.plan,
            class.student,
            class.year_plan,
            class.owner,
        ));
        let evaluation = planledger_core::ids::EvaluationId::from_bytes([index as u8; 16]);
        let shown = planledger_core::domain::plan::Item::Evaluation(evaluation);
        let section = Section::Goals;
        for command in [
            commands::record_evaluation(evaluation, unit_in(class.year_plan, UNIT), goal, level(2)),
            PlanCommand::ShowSection { section },
            PlanCommand::ShowItem {
                item: planledger_core::domain::plan::Item::Goal(goal),
            },
            PlanCommand::ShowItem { item: shown },
        ] {
            commands.push((Actor::Person(COLLEAGUE), Command::Plan(class.plan, command)));
        }
    }
    commands
}

/// What guardians see of a plan, but for what it hangs on and who owns it.
fn content(view: PlanView) -> String {
    let evaluations: Vec<_> = view
        .units
        .iter()
        .flat_map(|unit| &unit.goals)
        .map(|goal| format!("{:?} {:?}", goal.id, goal.evaluations))
        .collect();
    assert!(!evaluations.is_empty());
    format!(
        "{:?} {:?} {:?} {evaluations:?}",
        view.status, view.sections, view.visible_to
    )
}

/// What guardians see of all plans of both students at a position.
fn collected(ledger: &Ledger, at: Position) -> BTreeMap<PlanId, String> {
    let mut seen = BTreeMap::new();
    for student in [STUDENT, CLASSMATE] {
        let read = |reading: &Reading<'_>| {
            let plans = reading.plans_of(student)?;
            collected_view(reading, student, &plans, GUARDIANS)
        };
        let (view, _) = ledger.read_at(at, read).unwrap();
        let plans = view.unwrap().plans.into_iter();
        seen.extend(plans.map(|plan| (plan.id, content(plan))));
    }
    seen
}

fn without_owner(ledger: &Ledger) -> Vec<StreamId> {
    let (list, _) = ledger.read(|reading| ownerless(reading, SCHOOL)).unwrap();
    list.to_vec()
}

fn recovery(n: u8) -> RecoveryId {
    RecoveryId::from_bytes([n; 16])
}

/// One deletes all that is theirs, then all three leave.
fn departures(place: &FaultyLedger) -> (Ledger, Position) {
    let ledger = place.open();
    for (actor, command) in founding() {
        place.does(&ledger, actor, command);
    }
    let founded = ledger.position();
    for class in classes().into_iter().filter(|class| class.owner == STEADY) {
        let (unit, reason) = (UNIT, why("Rydder op"));
        for command in [
            YearPlanCommand::DeleteUnit { unit, reason },
            YearPlanCommand::Delete { reason: None },
        ] {
            place.does(&ledger, STEADY, (class.year_plan, command));
        }
        let delete = TeamCommand::Delete { reason: None };
        place.does(&ledger, STEADY, (class.team, delete));
    }
    for person in LEAVING {
        let (on, reason) = (None, why("Ny stilling"));
        place.does(
            &ledger,
            SYSTEM,
            (person, PersonCommand::Depart { on, reason }),
        );
    }
    (ledger, founded)
}

/// Cuts the power in the middle of handing over all that the first one owns.
///
/// How many steps go down in one write is chance. So what was written and not yet synced is kept in
/// part, more and more of it, until some of the steps survive and some do not.
fn cut_amid_transfer() -> (FaultyLedger, Position) {
    let mut tried = Vec::new();
    for operation in 1..16 {
        let mut place = FaultyLedger::new();
        let (ledger, founded) = departures(&place);
        let mut all: Vec<_> = classes().iter().flat_map(Class::streams).collect();
        all.sort();
        assert_eq!(without_owner(&ledger), all);
        let steps = begin(&ledger, LEADER, recovery(1), &all_to(TEACHER, SUCCESSOR));
        assert_eq!(steps, 21);
        let before = ledger.position().get();
        place
            .disk
            .inject(place.disk.operations() + operation, Fault::Kill);
        let killed = run(&ledger, recovery(1), &mut |_| {}).is_err();
        drop(ledger);
        if !killed {
            continue;
        }
        let dead = place.disk.clone();
        for kept in (0..7).map(|times| 256 << times) {
            place.disk = dead.fork().reboot(PowerCut::KeepsBytes(kept));
            let done = place.open().position().get() - before;
            if (1..21).contains(&done) {
                return (place, founded);
            }
            tried.push((operation, kept, done));
        }
    }
    panic!("never in the middle; operation, bytes kept, steps done: {tried:?}");
}

#[test]
fn three_leave_and_every_plan_carries_on_with_nothing_lost_on_the_way() {
    let (place, founded) = cut_amid_transfer();
    let ledger = place.open();
    let earlier = events(&ledger);
    assert_eq!(open(&ledger).unwrap(), [recovery(1)]);

    // The bulk transfer goes on.
    assert_eq!(run(&ledger, recovery(1), &mut |_| {}).unwrap().left_out, []);

    // The second one's successors follow from who evaluates there.
    let wish = by_rule(PEDAGOGUE, Rule::Team, Fallback::Leader);
    let proposal = dry_run(&ledger, &wish).unwrap();
    let most = Why::EvaluatesMost { evaluations: 1 };
    assert!(proposal.items.iter().all(|item| item.why == most));
    assert_eq!(begin(&ledger, LEADER, recovery(2), &wish), 21);
    assert_eq!(run(&ledger, recovery(2), &mut |_| {}).unwrap().left_out, []);

    // What the third one deleted comes back to somebody, and the plans on it follow.
    let theirs = classes().into_iter().filter(|class| class.owner == STEADY);
    let what = theirs.map(|class| RestoreItem::Team {
        team: class.team,
        with_contents: true,
    });
    let wish = restore(what.collect(), Some(SUCCESSOR));
    assert_eq!(begin(&ledger, LEADER, recovery(3), &wish), 6 * 5);
    assert_eq!(run(&ledger, recovery(3), &mut |_| {}).unwrap().left_out, []);
    let nobody_named = Rule::PerTeam(BTreeMap::new());
    let wish = by_rule(STEADY, nobody_named, Fallback::Leader);
    assert_eq!(begin(&ledger, LEADER, recovery(4), &wish), 6);
    assert_eq!(run(&ledger, recovery(4), &mut |_| {}).unwrap().left_out, []);

    // Everything is there and has an owner who is.
    assert!(without_owner(&ledger).is_empty());
    assert!(open(&ledger).unwrap().is_empty());
    for class in classes() {
        let expected = match class.owner {
            TEACHER => [SUCCESSOR; 3],
            PEDAGOGUE => [COLLEAGUE; 3],
            _ => [SUCCESSOR, SUCCESSOR, LEADER],
        };
        for (stream, to) in class.streams().into_iter().zip(expected) {
            let read = ledger.read(|reading| describe(reading, stream));
            let found = read.unwrap().0.unwrap();
            assert_eq!((found.owner, found.ownerless), (Some(to), None));
            assert_eq!((found.deleted, found.students), (None, 1));
        }
    }
    assert_recorded_stays(&ledger, &earlier);
    assert_no_gap(&ledger, founded);
}

fn assert_recorded_stays(ledger: &Ledger, earlier: &[planledger_core::ledger::RecordedEvent]) {
    let now = events(ledger);
    assert_eq!(&now[..earlier.len()], earlier);
    // Nothing that happened since is about what a plan says.
    let evaluated = now
        .iter()
        .filter(|event| event.event_type.unwrap().name == "plan.evaluation_recorded");
    assert_eq!(evaluated.count(), 20);
    for recorded in &now[earlier.len()..] {
        let name = recorded.event_type.unwrap().name;
        assert!(!name.starts_with("plan.") || name == "plan.ownership_transferred");
    }
}

fn assert_no_gap(ledger: &Ledger, founded: Position) {
    let expected = collected(ledger, founded);
    assert_eq!(expected.len(), 20);
    let mut at = founded;
    while at < ledger.position() {
        at = Position::new(at.get() + 1);
        assert_eq!(collected(ledger, at), expected, "at {at}");
    }
}
