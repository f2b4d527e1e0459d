//! What auditors look at here: a school with one plan that was written in.

use planledger_proto::v1::*;

use crate::support::*;

/// A student's plan in whose status was written so many times.
pub(super) async fn written(voice: &Voice, times: usize) -> (School, String) {
    let (school, _, plan_id) = written_in(voice, times).await;
    (school, plan_id)
}

/// The same, with the year plan that it hangs on.
pub(super) async fn written_in(voice: &Voice, times: usize) -> (School, Course, String) {
    let school = School::found(voice).await;
    let course = school.course(voice, YearPlanKind::Subject).await;
    let plan_id = school.plan(voice, &course).await;
    for n in 0..times {
        let text = format!("Læser {n} sider");
        voice.execute(write_status(&plan_id, &text)).await;
    }
    (school, course, plan_id)
}
