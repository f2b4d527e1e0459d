//! Two administrators who transfer and restore the same things at once.

use std::ops::ControlFlow;
use std::thread;

use planledger_core::domain::person::PersonCommand;
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::year_plan::YearPlanCommand;
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{PersonId, RecoveryId};
use planledger_core::ledger::Ledger;
use planledger_core::recovery::{
    self, Fallback, Restore, RestoreItem, Rule, RunError, Transfer, What, Wish,
};
use proptest::prelude::*;

use crate::common::school::*;
use crate::place::{
    Place, SUCCESSOR, TEAMS, check, events, found, plan_of, propose, team, things, tries, year_plan,
};

const HEIRS: [PersonId; 4] = [TEACHER, PEDAGOGUE, SUCCESSOR, LEADER];

#[derive(Clone, Debug)]
enum Asked {
    Everything { of: usize, to: usize },
    Some { which: Vec<usize>, to: usize },
    ByTeam { of: usize },
    BringBack { team: u8, give_to: Option<usize> },
    Move { plan: u8, to: u8 },
}

impl Asked {
    fn wish(&self) -> Wish {
        let transfer = |what, rule| {
            Wish::Transfer(Transfer {
                what,
                rule,
                fallback: Fallback::Leader,
                reason: None,
            })
        };
        let everything = |of: usize| What::Everything {
            of: HEIRS[of],
            institution: None,
        };
        let restore = |what, give_to: Option<usize>| {
            Wish::Restore(Restore {
                what: vec![what],
                give_to: give_to.map(|to| HEIRS[to]),
                reason: None,
            })
        };
        match self {
            Self::Everything { of, to } => transfer(everything(*of), Rule::To(HEIRS[*to])),
            Self::ByTeam { of } => transfer(everything(*of), Rule::Team),
            Self::Some { which, to } => {
                let things = things();
                let some = which.iter().map(|at| things[at % things.len()]);
                transfer(What::Items(some.collect()), Rule::To(HEIRS[*to]))
            }
            Self::BringBack { team: n, give_to } => {
                let team = team(*n);
                let with_contents = true;
                restore(
                    RestoreItem::Team {
                        team,
                        with_contents,
                    },
                    *give_to,
                )
            }
            Self::Move { plan, to } => {
                let (plan, to) = (plan_of(plan / 2, plan % 2), year_plan(*to));
                restore(RestoreItem::Move { plan, to }, None)
            }
        }
    }
}

/// What one of the two does next, or what happens meanwhile.
#[derive(Clone, Debug)]
enum Event {
    Look(usize, Asked),
    Begin(usize),
    /// Does some steps of what was begun.
    GoOn(usize, u32),
    Undo(usize),
    Depart(usize),
    Return(usize),
    DeleteTeam(u8),
    DeleteYearPlan(u8),
    Give(usize, usize),
    Write(u8),
}

fn asked() -> impl Strategy<Value = Asked> {
    let who = 0..HEIRS.len();
    let which = prop::collection::vec(0..12_usize, 1..8);
    prop_oneof![
        3 => (who.clone(), who.clone()).prop_map(|(of, to)| Asked::Everything { of, to }),
        3 => (which, who.clone()).prop_map(|(which, to)| Asked::Some { which, to }),
        1 => who.clone().prop_map(|of| Asked::ByTeam { of }),
        2 => (0..TEAMS, prop::option::of(who))
            .prop_map(|(team, give_to)| Asked::BringBack { team, give_to }),
        1 => (0..TEAMS * 2, 0..TEAMS).prop_map(|(plan, to)| Asked::Move { plan, to }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let who = 0..2_usize;
    let heir = 0..HEIRS.len();
    prop_oneof![
        4 => (who.clone(), asked()).prop_map(|(who, asked)| Event::Look(who, asked)),
        4 => who.clone().prop_map(Event::Begin),
        4 => (who.clone(), 0..9_u32).prop_map(|(who, some)| Event::GoOn(who, some)),
        1 => who.prop_map(Event::Undo),
        1 => heir.clone().prop_map(Event::Depart),
        1 => heir.clone().prop_map(Event::Return),
        1 => (0..TEAMS).prop_map(Event::DeleteTeam),
        1 => (0..TEAMS).prop_map(Event::DeleteYearPlan),
        2 => (0..12_usize, heir).prop_map(|(at, to)| Event::Give(at, to)),
        1 => (0..TEAMS * 2).prop_map(Event::Write),
    ]
}

/// One of the two, with what they have seen and begun.
#[derive(Default)]
struct Administrator {
    seen: Option<(Wish, [u8; 16])>,
    begun: Vec<RecoveryId>,
}

struct Story<'l> {
    ledger: &'l Ledger,
    administrators: [Administrator; 2],
    next: u8,
}

/// Acts for both: whoever leaves must not keep the rest from being done.
const BY: (Actor, Option<Actor>) = (SYSTEM, None);

impl Story<'_> {
    fn take(&mut self, event: &Event) {
        let ledger = self.ledger;
        // What is refused changes nothing.
        let does = |command| drop(tries(ledger, command));
        match event {
            Event::Look(who, asked) => {
                let wish = asked.wish();
                let proposal = propose(ledger, &wish).ok();
                self.administrators[*who].seen = proposal.map(|found| (wish, found.digest));
            }
            Event::Begin(who) => {
                let administrator = &mut self.administrators[*who];
                let Some((wish, digest)) = administrator.seen.take() else {
                    return;
                };
                self.next += 1;
                let id = RecoveryId::from_bytes([self.next; 16]);
                match recovery::start(ledger, BY, id, &wish, digest) {
                    Ok(_) => administrator.begun.push(id),
                    Err(RunError::Refused(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Event::GoOn(who, some) => {
                let Some(id) = self.administrators[*who].begun.last() else {
                    return;
                };
                let run = recovery::run_until(ledger, *id, &mut |progress| match progress.tried
                    < *some
                {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                });
                assert!(matches!(run, Ok(_) | Err(RunError::BrokenOff)), "{run:?}");
            }
            Event::Undo(who) => {
                if let Some(id) = self.administrators[*who].begun.last() {
                    let undone = recovery::undo(ledger, BY, *id, None);
                    assert!(matches!(undone, Ok(_) | Err(RunError::Refused(_))));
                }
            }
            Event::Depart(who) => {
                let (on, reason) = (None, None);
                let depart = PersonCommand::Depart { on, reason };
                does(Command::Person(HEIRS[*who], depart));
            }
            Event::Return(who) => does(Command::Person(HEIRS[*who], PersonCommand::Return)),
            Event::DeleteTeam(n) => {
                does(Command::Team(
                    team(*n),
                    TeamCommand::Delete { reason: None },
                ));
            }
            Event::DeleteYearPlan(n) => {
                let delete = YearPlanCommand::Delete { reason: None };
                does(Command::YearPlan(year_plan(*n), delete));
            }
            Event::Give(at, to) => {
                let (of_team, to) = ((at % 3) as u8, HEIRS[*to]);
                let reason = None;
                does(match at / 3 {
                    0 => {
                        Command::Team(team(of_team), TeamCommand::TransferOwnership { to, reason })
                    }
                    1 => Command::YearPlan(
                        year_plan(of_team),
                        YearPlanCommand::TransferOwnership { to, reason },
                    ),
                    student => Command::Plan(
                        plan_of(of_team, student as u8 % 2),
                        PlanCommand::TransferOwnership { to, reason },
                    ),
                });
            }
            Event::Write(n) => {
                let write = PlanCommand::WriteStatus { text: text("Mere") };
                does(Command::Plan(plan_of(n / 2, n % 2), write));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_is_lost_or_in_two_hands_whoever_is_first(story in prop::collection::vec(event(), 1..40)) {
        let place = Place::new();
        let ledger = place.open();
        found(&ledger);
        let before = events(&ledger);
        let mut telling = Story {
            ledger: &ledger,
            administrators: Default::default(),
            next: 0,
        };
        for event in &story {
            telling.take(event);
            check(&ledger);
        }
        for id in recovery::open(&ledger).unwrap() {
            recovery::run(&ledger, id, &mut |_| {}).unwrap();
        }
        check(&ledger);
        let after = events(&ledger);
        prop_assert_eq!(&after[..before.len()], &before[..]);
        // What is derived anew is the same.
        drop(ledger);
        place.forget();
        check(&place.open());
    }

    #[test]
    fn two_runs_at_the_same_time_do_each_thing_once(
        first in asked(), second in asked(), undo: bool,
    ) {
        let place = Place::new();
        let ledger = place.open();
        found(&ledger);
        let begin = |asked: &Asked, n| {
            let wish = asked.wish();
            let digest = propose(&ledger, &wish).ok()?.digest;
            let id = RecoveryId::from_bytes([n; 16]);
            recovery::start(&ledger, BY, id, &wish, digest).ok()?;
            Some(id)
        };
        // Both are begun before either runs, so each rests on what the other is about to change.
        let begun = [begin(&first, 1), begin(&second, 2)];
        thread::scope(|scope| {
            for id in begun.into_iter().flatten() {
                let ledger = &ledger;
                scope.spawn(move || {
                    recovery::run(ledger, id, &mut |_| {}).unwrap();
                    if undo {
                        recovery::undo(ledger, BY, id, None).unwrap();
                        recovery::run(ledger, id, &mut |_| {}).unwrap();
                    }
                });
            }
        });
        check(&ledger);
        prop_assert!(recovery::open(&ledger).unwrap().is_empty());
    }
}
