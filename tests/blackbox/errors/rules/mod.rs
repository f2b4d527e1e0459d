//! Every rule of the domain, broken once over the API.

/// A table of breaches: who breaks which rule, at which field if one is at fault, with which command.
macro_rules! breaches {
    ($($who:expr, $reason:ident $(at $field:literal)? => $command:expr;)*) => {
        vec![$(Breach($who, $reason, None$(.or(Some($field)))?, $command)),*]
    };
}

mod missing;
mod rights;
mod untimely;
mod world;
mod wrong;

use std::collections::BTreeSet;

use planledger_core::domain::Reason;
use planledger_proto::v1::*;

use self::world::World;
use crate::support::*;

/// Who breaks which rule how, and the field that is at fault, if one is.
struct Breach<'w>(&'w Voice, Reason, Option<&'static str>, Command);

/// The student has a plan on each of two subject year plans; one cannot move to the other.
async fn second_plan(w: &World) -> Breach<'_> {
    let other = w.school.course(&w.system, YearPlanKind::Subject).await;
    let plan = w.school.plan(&w.system, &other).await;
    Breach(
        &w.system,
        Reason::PlanExistsForYearPlan,
        Some("plan.move_to_year_plan.year_plan_id"),
        w.move_to(&plan, &w.course.year_plan),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_rule_refuses_with_its_reason_and_the_field_at_fault_and_records_nothing() {
    let server = Home::new().start();
    let world = World::new(&server.voice().await).await;
    let mut breaches = missing::breaches(&world);
    breaches.extend(wrong::breaches(&world));
    breaches.extend(untimely::breaches(&world));
    breaches.extend(rights::breaches(&world));
    breaches.push(second_plan(&world).await);

    let position = world.system.position().await;
    let mut broken = BTreeSet::new();
    for Breach(voice, reason, field, command) in breaches {
        let refused = voice.try_execute(command.clone()).await.unwrap_err();
        assert_eq!(refused.reason, reason.code(), "{command:?}");
        let paths = Vec::from_iter(field);
        assert_eq!(refused.paths(), paths, "{command:?}");
        for (_, why) in &refused.fields {
            assert_eq!(why, reason.code());
        }
        for name in [STUDENT, TEACHER, "Godt på vej", "Ny Navnesen", "Fysik"] {
            assert!(!refused.whole.contains(name), "{refused:?}");
        }
        broken.insert(reason.code());
    }
    assert_eq!(world.system.position().await, position);
    // No client can ask for what these speak against.
    let of_the_server = [
        Reason::CheckpointKeyMismatch,
        Reason::KeyRotationInvalid,
        Reason::AdministratorExists,
    ];
    let of_clients = Reason::ALL.iter().filter(|reason| {
        !of_the_server.contains(reason) && !crate::ownership::OF_RECOVERIES.contains(reason)
    });
    let all: BTreeSet<_> = of_clients.map(|reason| reason.code()).collect();
    assert_eq!(broken, all);
}
