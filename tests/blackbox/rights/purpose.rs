//! What a request is for.

use planledger::client::{Client, Target};
use planledger_core::access::Purpose;
use planledger_core::ledger::Ledger;
use planledger_proto::v1::*;

use super::World;
use crate::support::*;

async fn for_purpose(url: &str, person: &str, purpose: Option<&str>) -> Voice {
    let target = Target {
        url: url.to_owned(),
        actor: Some(format!("person/{person}")),
        purpose: purpose.map(str::to_owned),
        ..Target::default()
    };
    let client = Client::connect_to(&target).await.unwrap();
    Voice { client }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_for_a_purpose_counts_only_for_requests_that_say_it() {
    let world = World::found().await;
    // A student has nothing of the other school from the roster.
    let student = &world.there.school.student;
    let ledger = Ledger::open(world.home.options()).unwrap();
    world.make_auditor(&ledger, student, Some(Purpose::Audit));
    drop(ledger);
    let server = world.serve();
    let plan = &world.here.plan;
    for (purpose, may) in [
        (None, false),
        (Some("teaching"), false),
        (Some("audit"), true),
    ] {
        let voice = for_purpose(&server.url, student, purpose).await;
        let answer = voice.try_plan(plan, Viewer::Staff, None).await;
        let reason = answer.map(drop).map_err(|refused| refused.reason);
        let denied = Err("ACCESS_DENIED".to_owned());
        assert_eq!(reason, if may { Ok(()) } else { denied }, "{purpose:?}");
    }
    for wrong in ["curiosity", "AUDIT", ""] {
        let voice = for_purpose(&server.url, student, Some(wrong)).await;
        let refused = voice.ask(GetStatusRequest::default()).await.unwrap_err();
        assert_eq!(refused.reason, "PURPOSE_INVALID", "{wrong}");
        assert!(refused.message.contains("audit"), "{}", refused.message);
    }
}
