//! What recoveries ask for, step by step: that something changes hands, or hangs elsewhere, unless
//! somebody else was there first. And that who has left changes nothing any more.

use planledger_core::domain::catalogue::CatalogueCommand;
use planledger_core::domain::institution::{InstitutionCommand, InstitutionEvent};
use planledger_core::domain::person::{PersonCommand, PersonEvent, Role};
use planledger_core::domain::plan::{PlanCommand, PlanEvent};
use planledger_core::domain::recovery::RecoveryCommand;
use planledger_core::domain::school_year::SchoolYearCommand;
use planledger_core::domain::team::{StaffRole, TeamCommand, TeamEvent};
use planledger_core::domain::view::{PlanView, Viewer};
use planledger_core::domain::year_plan::{
    GoalDetails, YearPlanCommand, YearPlanEvent, YearPlanKind,
};
use planledger_core::domain::{Aggregate, Command, Event, Field, Reason};
use planledger_core::ids::{PersonId, RecoveryId, YearPlanId};
use planledger_fixtures::events;

use crate::domain::harness::{Given, given, plan, refusals};
use planledger_fixtures::school::*;
use planledger_fixtures::{Fact, IntoEvent};

/// Works at the other school.
const ELSEWHERE: PersonId = PersonId::from_bytes([0x39; 16]);

/// The three things that can be owned; the teacher owns each in [`a_plan`].
#[derive(Clone, Copy, Debug, PartialEq)]
enum Owned {
    Team,
    YearPlan,
    Plan,
}

const OWNED: [Owned; 3] = [Owned::Team, Owned::YearPlan, Owned::Plan];

struct Changed(Event);

impl IntoEvent for Changed {
    fn into_event(self) -> Event {
        self.0
    }
}

impl Owned {
    fn hand_over(self, from: PersonId, to: PersonId) -> Command {
        let reason = why("Orlov");
        match self {
            Self::Team => {
                let from = Some(from);
                Command::Team(TEAM, TeamCommand::HandOver { from, to, reason })
            }
            Self::YearPlan => {
                Command::YearPlan(YEAR_PLAN, YearPlanCommand::HandOver { from, to, reason })
            }
            Self::Plan => plan(PlanCommand::HandOver { from, to, reason }),
        }
    }

    fn hand_back(self, from: PersonId, to: PersonId) -> Command {
        let reason = why("Orlov");
        match self {
            Self::Team => {
                let to = Some(to);
                Command::Team(TEAM, TeamCommand::HandBack { from, to, reason })
            }
            Self::YearPlan => {
                Command::YearPlan(YEAR_PLAN, YearPlanCommand::HandBack { from, to, reason })
            }
            Self::Plan => plan(PlanCommand::HandBack { from, to, reason }),
        }
    }

    fn transfer(self, to: PersonId) -> Command {
        let reason = None;
        match self {
            Self::Team => Command::Team(TEAM, TeamCommand::TransferOwnership { to, reason }),
            Self::YearPlan => {
                Command::YearPlan(YEAR_PLAN, YearPlanCommand::TransferOwnership { to, reason })
            }
            Self::Plan => plan(PlanCommand::TransferOwnership { to, reason }),
        }
    }

    fn transferred(self, from: PersonId, to: PersonId) -> Event {
        let reason = why("Orlov");
        match self {
            Self::Team => {
                let from = Some(from);
                Event::Team(TeamEvent::OwnershipTransferred { from, to, reason })
            }
            Self::YearPlan => {
                Event::YearPlan(YearPlanEvent::OwnershipTransferred { from, to, reason })
            }
            Self::Plan => Event::Plan(PlanEvent::OwnershipTransferred { from, to, reason }),
        }
    }

    fn fact(self, from: PersonId, to: PersonId) -> Fact {
        Fact {
            stream: self.hand_over(from, to).stream(),
            actor: SYSTEM,
            on_behalf_of: None,
            event: self.transferred(from, to),
        }
    }

    fn owners(self, given: &Given) -> (Option<PersonId>, Vec<PersonId>) {
        let (owner, former) = match given.state(self.hand_over(TEACHER, TEACHER).stream()) {
            Aggregate::Team(team) => (team.owner, &team.former_owners),
            Aggregate::YearPlan(plan) => (Some(plan.owner), &plan.former_owners),
            Aggregate::Plan(plan) => (Some(plan.owner), &plan.former_owners),
            other => panic!("{other:?}"),
        };
        (owner, former.iter().copied().collect())
    }
}

fn departed(person: PersonId) -> Fact {
    let (last_day, reason) = (None, None);
    (person, PersonEvent::Departed { last_day, reason }).into()
}

fn everything() -> Given {
    let elsewhere = affiliation(OTHER_SCHOOL, Role::Teacher);
    let registered = PersonEvent::Registered {
        name: name("Naboen"),
        record: None,
    };
    given(a_plan())
        .and((ELSEWHERE, registered))
        .and((ELSEWHERE, PersonEvent::AffiliationSet(elsewhere)))
}

#[test]
fn a_thing_is_handed_over_once_and_back_once() {
    for thing in OWNED {
        let over = thing.hand_over(TEACHER, PEDAGOGUE);
        let back = thing.hand_back(PEDAGOGUE, TEACHER);
        let after = everything()
            .when(LEADER, over.clone())
            .then([Changed(thing.transferred(TEACHER, PEDAGOGUE))]);
        assert_eq!(thing.owners(&after), (Some(PEDAGOGUE), vec![TEACHER]));
        let after = after
            .when(LEADER, over)
            .then_nothing()
            .when(LEADER, back.clone())
            .then([Changed(thing.transferred(PEDAGOGUE, TEACHER))])
            .when(LEADER, back)
            .then_nothing();
        let former = vec![TEACHER, PEDAGOGUE];
        assert_eq!(thing.owners(&after), (Some(TEACHER), former), "{thing:?}");
    }
}

#[test]
fn a_thing_of_somebody_who_left_is_handed_over_and_back_to_them() {
    for thing in OWNED {
        everything()
            .and(departed(TEACHER))
            .when(LEADER, thing.hand_over(TEACHER, PEDAGOGUE))
            .then([Changed(thing.transferred(TEACHER, PEDAGOGUE))])
            .when(LEADER, thing.hand_back(PEDAGOGUE, TEACHER))
            .then([Changed(thing.transferred(PEDAGOGUE, TEACHER))]);
    }
}

#[test]
fn a_thing_that_is_deleted_or_withdrawn_is_handed_over_too() {
    let given = everything()
        .and((TEAM, TeamEvent::Deleted { reason: None }))
        .and((YEAR_PLAN, YearPlanEvent::Deleted { reason: None }))
        .and((PLAN, PlanEvent::Withdrawn { reason: None }));
    for thing in OWNED {
        given
            .clone()
            .when(LEADER, thing.hand_over(TEACHER, PEDAGOGUE))
            .then([Changed(thing.transferred(TEACHER, PEDAGOGUE))])
            .when(LEADER, thing.hand_back(PEDAGOGUE, TEACHER))
            .then([Changed(thing.transferred(PEDAGOGUE, TEACHER))]);
    }
}

/// Case 16: a school was merged, and its teacher works at the other one now.
#[test]
fn staff_who_share_the_team_take_it_over_wherever_they_work_and_the_school_may_be_closed() {
    let joined = TeamEvent::StaffAdded {
        person: ELSEWHERE,
        role: StaffRole::Teacher,
    };
    let closed = InstitutionEvent::Closed { reason: None };
    let given = everything().and((TEAM, joined)).and((SCHOOL, closed));
    for thing in OWNED {
        given
            .clone()
            .when(LEADER, thing.hand_over(TEACHER, ELSEWHERE))
            .then([Changed(thing.transferred(TEACHER, ELSEWHERE))])
            // Whoever works at the closed school does, too.
            .when(LEADER, thing.hand_over(ELSEWHERE, PEDAGOGUE))
            .then([Changed(thing.transferred(ELSEWHERE, PEDAGOGUE))]);
    }
}

#[test]
fn a_team_that_had_no_owner_has_none_again_when_it_is_handed_back() {
    let created = TeamEvent::Created {
        details: team_details(),
        owner: None,
    };
    let over = TeamCommand::HandOver {
        from: None,
        to: PEDAGOGUE,
        reason: None,
    };
    let back = TeamCommand::HandBack {
        from: PEDAGOGUE,
        to: None,
        reason: why("Alligevel ikke"),
    };
    let after = given(a_school())
        .and((TEAM, created))
        .when(LEADER, (TEAM, over))
        .then([TeamEvent::OwnershipTransferred {
            from: None,
            to: PEDAGOGUE,
            reason: None,
        }])
        .when(LEADER, (TEAM, back.clone()))
        .then([TeamEvent::OwnershipGivenUp {
            from: PEDAGOGUE,
            reason: why("Alligevel ikke"),
        }])
        .when(LEADER, (TEAM, back))
        .then_nothing();
    assert_eq!(Owned::Team.owners(&after), (None, vec![PEDAGOGUE]));
}

fn hang(from: YearPlanId, to: YearPlanId) -> Command {
    plan(PlanCommand::Move {
        from,
        to,
        reason: None,
    })
}

fn with_another_year_plan() -> Given {
    let (details, owner) = (subject_year_plan(), TEACHER);
    everything().and((OTHER_YEAR_PLAN, YearPlanEvent::Created { details, owner }))
}

#[test]
fn a_plan_is_moved_from_where_it_is_expected_and_once() {
    let moved = PlanEvent::MovedToYearPlan {
        from: YEAR_PLAN,
        to: OTHER_YEAR_PLAN,
        reason: None,
    };
    with_another_year_plan()
        .when(LEADER, hang(YEAR_PLAN, OTHER_YEAR_PLAN))
        .then([moved])
        .when(LEADER, hang(YEAR_PLAN, OTHER_YEAR_PLAN))
        .then_nothing();
}

#[test]
fn the_rest_is_refused() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let mut seen = Vec::new();
    for thing in OWNED {
        let refused = |given: Given, to, reason| {
            given
                .clone()
                .when(LEADER, thing.transfer(to))
                .then_refused(reason, Some(Field::NewOwner));
            given
                .when(LEADER, thing.hand_over(TEACHER, to))
                .then_refused(reason, Some(Field::NewOwner))
        };
        seen.extend([
            refused(everything(), ELSEWHERE, Reason::SuccessorElsewhere),
            refused(everything(), STUDENT, Reason::NotStaff),
            refused(everything(), CLERK, Reason::NotStaff),
            refused(everything(), NOBODY, Reason::PersonNotFound),
            refused(
                everything().and(departed(PEDAGOGUE)),
                PEDAGOGUE,
                Reason::PersonDeparted,
            ),
        ]);
        let meanwhile = everything().and(thing.fact(TEACHER, LEADER));
        for command in [
            thing.hand_over(TEACHER, PEDAGOGUE),
            thing.hand_back(PEDAGOGUE, TEACHER),
        ] {
            seen.extend(refusals! {
                meanwhile.clone(), SYSTEM, command.clone() => OwnerChanged;
            });
            let gone = match thing {
                Owned::Team => Reason::TeamNotFound,
                Owned::YearPlan => Reason::YearPlanNotFound,
                Owned::Plan => Reason::PlanNotFound,
            };
            seen.push(
                given(a_school())
                    .when(SYSTEM, command)
                    .then_refused(gone, Some(Field::Target)),
            );
        }
    }
    let from_elsewhere = hang(COMBINED, OTHER_YEAR_PLAN);
    seen.extend(refusals! {
        with_another_year_plan(), LEADER, from_elsewhere => MovedMeanwhile;
    });
    let _to = Some(Field::YearPlan);
    seen.extend(refusals! {
        everything(), LEADER, hang(YEAR_PLAN, OTHER_YEAR_PLAN) => YearPlanNotFound at YearPlan;
    });
    let opened = events::plan_opened(STUDENT, YearPlanKind::Subject, OTHER_YEAR_PLAN, TEACHER);
    seen.extend(refusals! {
        with_another_year_plan().and((OTHER_PLAN, opened)), LEADER, hang(YEAR_PLAN, OTHER_YEAR_PLAN)
            => PlanExistsForYearPlan at YearPlan;
    });
    seen.extend(refusals! {
        with_another_year_plan().and((PLAN, PlanEvent::Withdrawn { reason: None })), LEADER,
            hang(YEAR_PLAN, OTHER_YEAR_PLAN) => PlanWithdrawn;
    });
    for command in one_of_each_kind() {
        let given = everything().and(departed(TEACHER));
        seen.extend(refusals! {
            given.clone(), TEACHER, command.clone() => ActorDeparted;
        });
        seen.push(
            given
                .when_for(SYSTEM, TEACHER, command)
                .then_refused(Reason::ActorDeparted, None),
        );
    }
    seen
}

/// None of these would be refused or change nothing if the teacher were there.
fn one_of_each_kind() -> Vec<Command> {
    let renamed = name("Et andet navn");
    vec![
        Command::Institution(
            SCHOOL,
            InstitutionCommand::Revise(institution_details("Et andet navn")),
        ),
        Command::SchoolYear(
            planledger_core::ids::SchoolYearId::from_bytes([0x22; 16]),
            SchoolYearCommand::Define(school_year()),
        ),
        Command::Person(CLASSMATE, PersonCommand::Rename { name: renamed }),
        // Not even to come back.
        Command::Person(TEACHER, PersonCommand::Return),
        Command::Team(TEAM, TeamCommand::Delete { reason: None }),
        Owned::Team.hand_over(TEACHER, PEDAGOGUE),
        Command::YearPlan(YEAR_PLAN, YearPlanCommand::Delete { reason: None }),
        plan(PlanCommand::WriteStatus { text: text("Ord") }),
        Command::Catalogue(
            CATALOGUE,
            CatalogueCommand::Put {
                details: catalogue_details(),
                items: [(ITEM, catalogue_item("Ord"))].into(),
            },
        ),
        Command::Ledger(
            planledger_core::ids::LedgerId::from_bytes([0xD1; 16]),
            crate::domain::ledger::first_key(),
        ),
        Command::Recovery(
            RecoveryId::from_bytes([0xE1; 16]),
            RecoveryCommand::Start {
                steps: vec![planledger_core::domain::recovery::Step::RestorePlan { plan: PLAN }],
                on_behalf_of: None,
                reason: None,
            },
        ),
    ]
}

#[test]
fn what_somebody_who_left_is_refused_they_may_do_while_they_are_there() {
    for command in one_of_each_kind() {
        if command != Command::Person(TEACHER, PersonCommand::Return) {
            everything().world().does(TEACHER, command);
        }
    }
}

#[test]
fn what_somebody_who_left_owns_is_read_as_before_and_they_come_back() {
    let before = everything().world();
    let mut after = everything().and(departed(TEACHER)).world();
    assert_eq!(after.state(PLAN), before.state(PLAN));
    assert_eq!(after.state(YEAR_PLAN), before.state(YEAR_PLAN));
    let flagged = PlanView {
        owner_departed: true,
        ..before.view(PLAN, Viewer::Staff).unwrap()
    };
    assert_eq!(after.view(PLAN, Viewer::Staff).unwrap(), flagged);
    after.does(SYSTEM, (TEACHER, PersonCommand::Return));
    after.does(
        TEACHER,
        plan(PlanCommand::WriteStatus { text: text("Ord") }),
    );
}

#[test]
fn a_unit_is_copied_once_with_the_goals_that_are_in_use() {
    let created = events::year_plan_created(subject_year_plan(), TEACHER);
    let retired = events::goal_retired(REFLECTION_GOAL);
    let copy = YearPlanCommand::CopyUnit {
        unit: OTHER_UNIT,
        from: THE_UNIT,
        goals: vec![
            (SUBJECT_GOAL, OTHER_GOAL),
            (REFLECTION_GOAL, REFLECTION_GOAL),
        ],
    };
    let facts = given(a_year_plan())
        .and((YEAR_PLAN, retired))
        .and((YEAR_PLAN, YearPlanEvent::Deleted { reason: None }))
        .and((OTHER_YEAR_PLAN, created));
    let (unit, goal) = match facts.state(YEAR_PLAN) {
        Aggregate::YearPlan(plan) => {
            let goal = &plan.goals[&SUBJECT_GOAL];
            let revision = goal.present().unwrap().clone();
            let details = GoalDetails {
                kind: goal.kind,
                area: goal.area,
                wording: revision.wording,
                scale: revision.scale,
            };
            (plan.unit(UNIT).unwrap().details.clone(), details)
        }
        other => panic!("{other:?}"),
    };
    facts
        .when(LEADER, (OTHER_YEAR_PLAN, copy.clone()))
        .then([
            events::unit_added(OTHER_UNIT, unit),
            events::goal_added(OTHER_UNIT, OTHER_GOAL, goal),
        ])
        .when(LEADER, (OTHER_YEAR_PLAN, copy))
        .then_nothing();
}
