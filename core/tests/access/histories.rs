//! Whatever happened before, in whatever order: who has no relation left has no right left.

use planledger_core::access::{About, Action, Facts, Role, Scope, Verdict, Who, decide};
use planledger_core::domain::grants::GrantsCommand;
use planledger_core::domain::person::{Guardianship, PersonCommand, Role as Place};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::system::SystemCommand;
use planledger_core::domain::team::{StaffRole, TeamCommand};
use planledger_core::domain::year_plan::YearPlanCommand;
use planledger_core::domain::{Actor, Aggregate, Command, World};
use planledger_core::ids::{GrantsId, PersonId};
use planledger_fixtures::school::*;
use planledger_fixtures::{ActsAs, IntoCommand, Memory};
use proptest::prelude::*;

use super::deciding::{PLATFORM, a_world, details, grant_id, grants, platform};

pub(super) const EVERYBODY: [PersonId; 8] = [
    STUDENT, CLASSMATE, GUARDIAN, TEACHER, PEDAGOGUE, LEADER, CLERK, NOBODY,
];

fn person() -> impl Strategy<Value = PersonId> {
    prop::sample::select(EVERYBODY.to_vec())
}

fn staff() -> impl Strategy<Value = PersonId> {
    prop::sample::select(vec![TEACHER, PEDAGOGUE, LEADER])
}

/// Something that changes who stands in which relation to whom. Much of it is refused.
pub(super) fn act() -> impl Strategy<Value = Command> {
    let today = Memory::NOW.day_in_denmark();
    let at = |who: PersonId, command: PersonCommand| (who, command).into_command();
    let place = prop::sample::select(vec![
        Place::Student,
        Place::Guardian,
        Place::Teacher,
        Place::Pedagogue,
        Place::Leader,
    ]);
    let school = prop::sample::select(vec![SCHOOL, OTHER_SCHOOL]);
    let student = prop::sample::select(vec![STUDENT, CLASSMATE]);
    prop_oneof![
        (student.clone(), person(), prop::option::of(-1_i64..2)).prop_map(
            move |(child, guardian, ends)| {
                let last_day = ends.map(|days| today + jiff::Span::new().days(days));
                at(
                    child,
                    PersonCommand::SetGuardianship(Guardianship { guardian, last_day }),
                )
            }
        ),
        (person(), school.clone(), place.clone()).prop_map(move |(who, school, role)| at(
            who,
            PersonCommand::SetAffiliation(affiliation(school, role))
        )),
        (person(), school, place).prop_map(move |(who, institution, role)| at(
            who,
            PersonCommand::EndAffiliation { institution, role }
        )),
        person().prop_map(move |who| at(
            who,
            PersonCommand::Depart {
                on: None,
                reason: None
            }
        )),
        person().prop_map(move |who| at(who, PersonCommand::Return)),
        staff().prop_map(|person| (
            TEAM,
            TeamCommand::AddStaff {
                person,
                role: StaffRole::Pedagogue
            }
        )
            .into_command()),
        staff().prop_map(|person| (TEAM, TeamCommand::RemoveStaff { person }).into_command()),
        student
            .clone()
            .prop_map(|student| (TEAM, TeamCommand::AddMember { student }).into_command()),
        student.prop_map(|student| (TEAM, TeamCommand::RemoveMember { student }).into_command()),
        Just((TEAM, TeamCommand::Close { reason: None }).into_command()),
        Just((TEAM, TeamCommand::Reopen).into_command()),
        Just((TEAM, TeamCommand::Delete { reason: None }).into_command()),
        Just((TEAM, TeamCommand::Undelete).into_command()),
        staff().prop_map(
            |to| (PLAN, PlanCommand::TransferOwnership { to, reason: None }).into_command()
        ),
        staff().prop_map(|to| {
            (
                YEAR_PLAN,
                YearPlanCommand::TransferOwnership { to, reason: None },
            )
                .into_command()
        }),
        (2_u8..5).prop_map(|id| {
            let grantee = Actor::Person(PEDAGOGUE);
            let revoke = GrantsCommand::Revoke {
                grant: grant_id(id),
                grantee,
                reason: None,
            };
            (GrantsId::of(grantee), revoke).into_command()
        }),
        Just((PLATFORM, SystemCommand::Revoke { reason: None }).into_command()),
    ]
}

pub(super) fn after(acts: &[Command]) -> Memory {
    let mut memory = a_world();
    platform(&mut memory, true);
    let everywhere = details(Role::LearningPlatform, Scope::Municipality);
    grants(&mut memory, 1, Actor::System(PLATFORM), everywhere);
    let pedagogue = Actor::Person(PEDAGOGUE);
    grants(
        &mut memory,
        2,
        pedagogue,
        details(Role::Pedagogue, Scope::Team(TEAM)),
    );
    grants(
        &mut memory,
        3,
        pedagogue,
        details(Role::Teacher, Scope::Student(CLASSMATE)),
    );
    for act in acts {
        // Refused acts change nothing.
        let _ = memory.execute(SYSTEM, act);
    }
    memory
}

fn is_allowed(memory: &Memory, who: &Who, action: Action, about: About) -> bool {
    let today = memory.day();
    let verdict = decide(memory, today, who, action, about).unwrap();
    matches!(verdict, Verdict::Allowed(_))
}

fn found(memory: &Memory, id: PersonId) -> Option<planledger_core::domain::person::Person> {
    match memory.state(id) {
        Some(Aggregate::Person(person)) => Some(person.clone()),
        _ => None,
    }
}

/// Whether anything at all connects a person with the student's plan. Written from the words of the
/// issue and not from the code: the code may allow less, never more.
fn is_connected(memory: &Memory, who: PersonId, student: PersonId) -> bool {
    let today = memory.day();
    let (Some(person), Some(child)) = (found(memory, who), found(memory, student)) else {
        return false;
    };
    if person.has_left_on(today) {
        return false;
    }
    let guards = child
        .guardians
        .get(&who)
        .is_some_and(|last| last.is_none_or(|last| today <= last));
    let Some(Aggregate::Team(team)) = memory.state(TEAM) else {
        panic!("the team is there");
    };
    let works = |role: Place| person.affiliations.iter().any(|at| at.role == role);
    let is_staff = works(Place::Teacher) || works(Place::Pedagogue) || works(Place::Leader);
    let teaches = is_staff && team.staff.contains_key(&who) && !team.closed;
    let Some(Aggregate::Plan(plan)) = memory.state(PLAN) else {
        panic!("the plan is there");
    };
    let Some(Aggregate::YearPlan(year_plan)) = memory.state(YEAR_PLAN) else {
        panic!("the year plan is there");
    };
    let owns = is_staff && (plan.owner == who || year_plan.owner == who);
    let leads = person
        .affiliations
        .iter()
        .any(|at| at.role == Place::Leader);
    let granted = memory
        .state(GrantsId::of(who.actor()))
        .is_some_and(|state| match state {
            Aggregate::Grants(all) => all.grants.values().any(|grant| {
                grant.holds_on(today)
                    && matches!(grant.details.role, Role::Pedagogue | Role::Teacher)
            }),
            _ => false,
        });
    who == student || guards || teaches || owns || leads || granted
}

const OF_PLANS: [Action; 7] = [
    Action::ReadPlanAsStaff,
    Action::ReadPlanAsStudent,
    Action::ReadPlanAsGuardians,
    Action::ReadRecords,
    Action::ReadEvents,
    Action::WritePlan,
    Action::Evaluate,
];

proptest! {
    #[test]
    fn nobody_reads_or_writes_a_plan_without_a_relation_to_its_student(
        acts in prop::collection::vec(act(), 0..40),
        who in person(),
    ) {
        let memory = after(&acts);
        let asks = Who::new(who.actor());
        for action in OF_PLANS {
            if is_allowed(&memory, &asks, action, About::Plan(PLAN)) {
                prop_assert!(is_connected(&memory, who, STUDENT), "{who} {action:?}");
            }
        }
    }

    #[test]
    fn a_guardian_whose_custody_has_ended_reads_nothing_more(
        acts in prop::collection::vec(act(), 0..40),
    ) {
        let mut memory = after(&acts);
        let depart = PersonCommand::Return;
        let _ = memory.execute(SYSTEM, &(GUARDIAN, depart).into_command());
        let yesterday = memory.day().yesterday().unwrap();
        let end = PersonCommand::EndGuardianship { guardian: GUARDIAN, last_day: yesterday };
        let _ = memory.execute(SYSTEM, &(STUDENT, end).into_command());
        let asks = Who::new(GUARDIAN.actor());
        // Unless the person is also something else to the student.
        let person = found(&memory, GUARDIAN).unwrap();
        prop_assume!(person.affiliations.iter().all(|at| !at.role.is_staff()));
        for action in OF_PLANS {
            prop_assert!(!is_allowed(&memory, &asks, action, About::Plan(PLAN)), "{action:?}");
        }
    }

    #[test]
    fn a_platform_never_does_for_a_person_what_the_person_may_not_or_after_it_was_revoked(
        acts in prop::collection::vec(act(), 0..40),
        person in person(),
    ) {
        let memory = after(&acts);
        let for_person = Who { on_behalf_of: Some(person), ..Who::new(Actor::System(PLATFORM)) };
        let Some(Aggregate::System(system)) = memory.state(PLATFORM) else {
            panic!("the platform is there");
        };
        for action in Action::ALL {
            for about in [About::Plan(PLAN), About::Student(CLASSMATE), About::Municipality] {
                if is_allowed(&memory, &for_person, *action, about) {
                    prop_assert!(!system.revoked);
                    prop_assert!(is_allowed(&memory, &Who::new(person.actor()), *action, about));
                }
            }
        }
    }

    #[test]
    fn what_is_asked_of_the_indexes_makes_no_difference(
        acts in prop::collection::vec(act(), 0..40),
        who in person(),
    ) {
        /// Answers with every team and every child: indexes may hold more than what is so.
        struct Everything<'a>(&'a Memory);
        impl World for Everything<'_> {
            fn aggregate(
                &self,
                stream: planledger_core::ids::StreamId,
            ) -> Result<Option<std::sync::Arc<Aggregate>>, planledger_core::ledger::ReadError> {
                self.0.aggregate(stream)
            }
            fn plan_of(
                &self,
                student: PersonId,
                year_plan: planledger_core::ids::YearPlanId,
            ) -> Result<Option<planledger_core::ids::PlanId>, planledger_core::ledger::ReadError> {
                self.0.plan_of(student, year_plan)
            }
            fn owned(
                &self,
                person: PersonId,
            ) -> Result<Vec<planledger_core::ids::StreamId>, planledger_core::ledger::ReadError> {
                self.0.owned(person)
            }
            fn all(
                &self,
                kind: planledger_core::ids::StreamKind,
            ) -> Result<Vec<planledger_core::ids::StreamId>, planledger_core::ledger::ReadError> {
                self.0.all(kind)
            }
            fn day(&self) -> jiff::civil::Date {
                self.0.day()
            }
        }
        impl Facts for Everything<'_> {
            fn teams_of(
                &self,
                _: PersonId,
            ) -> Result<Vec<planledger_core::ids::StreamId>, planledger_core::ledger::ReadError> {
                Ok(vec![TEAM.into()])
            }
            fn children_of(
                &self,
                _: PersonId,
            ) -> Result<Vec<planledger_core::ids::StreamId>, planledger_core::ledger::ReadError> {
                Ok(EVERYBODY.map(Into::into).to_vec())
            }
        }
        let memory = after(&acts);
        let asks = Who::new(who.actor());
        for action in Action::ALL {
            for about in [About::Plan(PLAN), About::Student(CLASSMATE), About::YearPlan(YEAR_PLAN)] {
                let (today, all) = (memory.day(), Everything(&memory));
                let one = decide(&memory, today, &asks, *action, about).unwrap().is_allowed();
                let other = decide(&all, today, &asks, *action, about).unwrap().is_allowed();
                prop_assert_eq!(one, other, "{} {:?}", who, action);
            }
        }
    }
}
