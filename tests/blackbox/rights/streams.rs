//! A stream is looked at again as rights change.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use planledger::server::auth::{Access, Caller};
use planledger_core::domain::view::guards;
use planledger_core::domain::{Actor, Aggregate, World as _};
use planledger_core::ledger::{ReadError, Reading};
use planledger_proto::v1::*;

use super::World;
use super::world::{end_custody, leave_staff};
use crate::support::*;

fn follow_student(id: &str) -> FollowEventsRequest {
    FollowEventsRequest {
        filter: Some(events_of_student(id)),
        ..FollowEventsRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leaves_the_staff_follows_no_longer() {
    let world = World::found().await;
    let server = world.serve();
    let voice = server.voice().await;
    let here = &world.here.school;
    let pedagogue = voice.person(&here.pedagogue);
    let mut follower = pedagogue
        .follow(follow_student(&here.student))
        .await
        .unwrap();
    assert!(!follower.past().await.is_empty());
    let writer = voice.person(&here.teacher);
    writer.execute(write_status(&world.here.plan, "Nu")).await;
    follower.live(1).await;
    let resume = follower.resume;
    // The change concerns no event that is followed, and closes the stream all the same.
    let leader = voice.person(&here.leader);
    leader
        .execute(leave_staff(&here.team, &here.pedagogue))
        .await;
    let refused = loop {
        match follower.next().await {
            Followed::Ended(refused) => break refused,
            Followed::Heartbeat => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused.reason, "ACCESS_DENIED");
    let said: u64 = refused.metadata["resume_position"].parse().unwrap();
    assert!(said >= resume);
    let again = pedagogue.follow(follow_student(&here.student)).await;
    assert_eq!(again.err().unwrap().reason, "ACCESS_DENIED");
}

/// Guardians may follow the events of their children, for a test of custody that ends. Others may do
/// everything.
fn custody(now: &Reading<'_>, caller: &Caller, access: &Access<'_>) -> Result<bool, ReadError> {
    let (Access::ReadEvents(filter), Actor::Person(guardian)) = (access, caller.actor) else {
        return Ok(true);
    };
    let Some(child) = filter.student else {
        return Ok(false);
    };
    match now.aggregate(child.into())?.as_deref() {
        Some(Aggregate::Person(child)) => guards(now, guardian, child, now.day()),
        Some(_) | None => Ok(false),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn custody_ends_while_a_guardian_follows() {
    let home = Home::new();
    let setup = Setup {
        authorizer: permitting(custody),
        ..Setup::default()
    };
    let server = setup.start(&home);
    let voice = server.voice().await;
    let (school, _, plan) = School::with_plan(&voice).await;
    let guardian = voice.person(&school.guardian);
    let mut follower = guardian
        .follow(follow_student(&school.student))
        .await
        .unwrap();
    follower.past().await;
    voice.execute(write_status(&plan, "Før")).await;
    follower.live(1).await;
    // What is recorded in one go with the end of custody, and after it, is not sent.
    let end = end_custody(&school.student, &school.guardian);
    voice.all([end, write_status(&plan, "Efter")]).await;
    let ended = follower.next().await;
    let Followed::Ended(refused) = ended else {
        panic!("{ended:?}")
    };
    assert_eq!(refused.reason, "ACCESS_DENIED");
    assert_eq!(
        refused.metadata["resume_position"],
        follower.resume.to_string()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn custody_ends_and_the_plan_is_shut_whatever_moment_is_asked_for() {
    let world = World::found().await;
    let server = world.serve();
    let voice = server.voice().await;
    let here = &world.here.school;
    let writer = voice.person(&here.teacher);
    writer
        .all([
            plan(&world.here.plan, OnPlan::SharePlan(SharePlan {})),
            set_visibility(&world.here.plan, Audience::Guardians, true),
        ])
        .await;
    let position = voice.person(&world.auditor).position().await;
    let guardian = voice.person(&here.guardian);
    guardian.plan(&world.here.plan, Viewer::Guardians).await;
    let office = voice.person(&world.administrator);
    office
        .execute(end_custody(&here.student, &here.guardian))
        .await;
    let at = as_of::Moment::Position(position);
    for at in [None, Some(at)] {
        let denied = guardian
            .try_plan(&world.here.plan, Viewer::Guardians, at)
            .await;
        assert_eq!(denied.unwrap_err().reason, "ACCESS_DENIED");
    }
}

/// Permits everything, and exports so many times.
fn exporting(times: usize) -> Setup {
    let left = AtomicUsize::new(times);
    let permits = move |_: &Reading<'_>, _: &Caller, access: &Access<'_>| {
        let Access::Export { .. } = access else {
            return Ok(true);
        };
        let less = |left: usize| left.checked_sub(1);
        Ok(left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
            .is_ok())
    };
    Setup {
        authorizer: permitting(permits),
        ..Setup::notarised()
    }
}

/// A bundle has several parts, and the right ends after the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_that_ends_while_a_bundle_is_sent_ends_the_bundle() {
    let home = Home::new();
    let server = exporting(2).start(&home);
    let voice = server.voice().await;
    let (_, _, plan) = School::with_plan(&voice).await;
    for text in 0..40 {
        let text = format!("{text} {}", "læser højt ".repeat(1_500));
        voice.execute(write_status(&plan, &text)).await;
    }
    let bundle = || bundle_of(export_bundle_request::Scope::PlanId(plan.clone()));
    // It was asked for when the bundle began, and with the first part.
    let refused = voice.export(bundle()).await.unwrap_err();
    assert_eq!(refused.reason, "ACCESS_DENIED");
    assert!(refused.message.contains("has ended"), "{refused:?}");
    let denied = voice.export(bundle()).await.unwrap_err();
    assert!(!denied.message.contains("has ended"), "{denied:?}");
    drop(voice);
    server.stop();
    let server = exporting(1_000).start(&home);
    let whole = server.voice().await.export(bundle()).await.unwrap();
    assert!(whole.len() > 512 << 10, "it has several parts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_command_of_a_stream_is_looked_at_when_it_is_taken() {
    let home = Home::new();
    let open = Arc::new(AtomicBool::new(true));
    let switch = open.clone();
    let permits =
        move |_: &Reading<'_>, _: &Caller, _: &Access<'_>| Ok(switch.load(Ordering::SeqCst));
    let setup = Setup {
        authorizer: permitting(permits),
        ..Setup::default()
    };
    let server = setup.start(&home);
    let voice = server.voice().await;
    let (commands, waiting) = tokio::sync::mpsc::channel(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(waiting);
    let mut call = voice.client.commands();
    let register = || ExecuteStreamRequest {
        command: Some(register_institution(&new_id(), "Skolen")),
    };
    commands.send(register()).await.unwrap();
    let mut answers = call.execute_stream(requests).await.unwrap().into_inner();
    let first = next(&mut answers).await.unwrap().unwrap();
    assert!(matches!(
        first.outcome,
        Some(execute_stream_response::Outcome::Receipt(_))
    ));
    open.store(false, Ordering::SeqCst);
    commands.send(register()).await.unwrap();
    let second = next(&mut answers).await.unwrap().unwrap();
    let Some(execute_stream_response::Outcome::Error(error)) = second.outcome else {
        panic!("it is not denied")
    };
    assert_eq!(command_error(error).reason, "ACCESS_DENIED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_batch_or_stream_creates_may_be_filled_by_the_commands_after_it() {
    let world = World::found().await;
    let server = world.serve();
    let voice = server.voice().await;
    let here = &world.here.school;
    let teacher = voice.person(&here.teacher);
    let pedagogue = voice.person(&here.pedagogue);
    let create = |id: &str, owner: &str| {
        let details = here.year_plan_details(YearPlanKind::Subject, "Forløb");
        let create = CreateYearPlan {
            details: Some(details),
            owner_id: owner.to_owned(),
        };
        year_plan(id, OnYearPlan::CreateYearPlan(create))
    };
    let add = |id: &str| {
        let course = Course {
            year_plan: id.to_owned(),
            ..world.here.course.clone()
        };
        course.add_unit(&new_id(), "Lyrik")
    };
    let [first, second] = [new_id(), new_id()];
    let owner = &here.pedagogue;
    pedagogue
        .all([create(&first, owner), add(&first), add(&first)])
        .await;
    let many = (0..20).map(|_| add(&second));
    let outcomes = pedagogue
        .stream(
            [create(&second, owner)]
                .into_iter()
                .chain(many)
                .collect::<Vec<_>>(),
        )
        .await;
    for outcome in outcomes {
        let outcome = outcome.outcome.unwrap();
        assert!(
            matches!(outcome, execute_stream_response::Outcome::Receipt(_)),
            "{outcome:?}"
        );
    }
    // One command that may not be carried out, and nothing is written.
    let position = voice.person(&world.auditor).position().await;
    let third = new_id();
    let denied = teacher
        .try_all(vec![
            write_status(&world.here.plan, "Læser"),
            write_status(&world.there.plan, "Læser"),
            create(&third, &here.teacher),
        ])
        .await
        .unwrap_err();
    assert_eq!(denied.reason, "ACCESS_DENIED");
    assert_eq!(denied.metadata["command_index"], "1");
    assert_eq!(voice.person(&world.auditor).position().await, position);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_acts_for_another_person_and_no_system_without_a_grant() {
    let world = World::found().await;
    let server = world.serve();
    let voice = server.voice().await;
    let here = &world.here.school;
    let for_somebody = |whom: &str| Command {
        on_behalf_of: Some(acting(whom)),
        ..write_status(&world.here.plan, "For en anden")
    };
    let teacher = voice.person(&here.teacher);
    teacher.execute(for_somebody(&here.teacher)).await;
    let denied = teacher.try_execute(for_somebody(&here.pedagogue)).await;
    assert_eq!(denied.unwrap_err().reason, "ACCESS_DENIED");
    let guardian = voice.person(&here.guardian);
    let denied = guardian.try_execute(for_somebody(&here.teacher)).await;
    assert_eq!(denied.unwrap_err().reason, "ACCESS_DENIED");
    let denied = voice.try_execute(for_somebody(&here.teacher)).await;
    assert_eq!(denied.unwrap_err().reason, "ACCESS_DENIED");
}

/// The message of a person who acts.
fn acting(id: &str) -> planledger_proto::v1::Actor {
    planledger_proto::v1::Actor {
        actor: Some(actor::Actor::PersonId(id.to_owned())),
    }
}
