//! Redaction of a name where nobody would look for it: in a unit, in a reason.

use planledger_proto::v1::*;

use super::{REDACTED, carried_out};
use crate::support::*;

const NAMED: &str = "Kanariefuglen";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_in_an_added_unit_and_in_a_reason_can_be_destroyed_and_the_plan_stays_whole() {
    let home = Home::new();
    let server = home.start();
    let voice = server.voice().await;
    let (school, course, plan_id) = School::with_plan(&voice).await;
    let unit = new_id();
    let add = course.add_unit(&unit, "Kanariefuglens eventyr");
    let include = IncludeUnit {
        unit: Some(course.unit_called(&unit)),
    };
    let delete = DeleteYearPlan {
        reason: Some("Kanariefuglen var den sidste".to_owned()),
    };
    let delete = OnYearPlan::DeleteYearPlan(delete);
    let receipts = [
        voice.execute(add).await,
        voice.execute(year_plan(&course.year_plan, delete)).await,
    ];
    voice
        .execute(plan(&plan_id, OnPlan::IncludeUnit(include)))
        .await;
    let before = voice.plan(&plan_id, Viewer::Staff).await;
    let (one, other) = (voice.person(&school.teacher), voice.person(&school.leader));
    for receipt in &receipts {
        let target = || redaction_of(&receipt.stream, receipt.position, receipt.revision);
        one.execute(request_erasure(target())).await;
        let approval = other.execute(approve_erasure(target())).await;
        carried_out(&voice, &approval).await;
    }
    let after = voice.plan(&plan_id, Viewer::Staff).await;
    assert_eq!(after.units.len(), before.units.len());
    assert!(!format!("{after:?}").contains(NAMED), "{after:?}");
    assert!(format!("{after:?}").contains(REDACTED));
    let events = voice.all_events().await;
    assert!(!format!("{events:?}").contains(NAMED));
    for receipt in &receipts {
        let event = events
            .iter()
            .find(|event| event.position == receipt.position);
        assert!(event.unwrap().redacted);
    }
    // A text is redacted once, and what says nothing is not redacted.
    let target = redaction_of(
        &receipts[0].stream,
        receipts[0].position,
        receipts[0].revision,
    );
    let refused = one.try_execute(request_erasure(target)).await.unwrap_err();
    assert_eq!(refused.reason, "ERASURE_UNDER_WAY");
    drop((one, other, voice, server));
    let dir = home.path().to_str().unwrap();
    run(["ledger", "verify", "--dir", dir]).done();
}
