//! Whether the server is well.

use planledger_proto::v1::*;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::*;

const COMMANDS: &str = "planledger.v1.CommandService";

const PLANS: &str = "planledger.v1.PlanService";

async fn client(server: &Running) -> HealthClient<Channel> {
    HealthClient::new(server.channel().await)
}

/// A request to watch, which says who asks.
fn watching(service: &str) -> tonic::Request<HealthCheckRequest> {
    from_somebody(of(service))
}

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_is_well_from_its_first_answer_on_and_nobody_has_to_say_who_asks() {
    let server = Home::new().start();
    let mut health = client(&server).await;
    for service in ["", COMMANDS, PLANS] {
        let answer = health.check(of(service)).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
    }
    let status = health.check(of("planledger.v1.NoService")).await;
    assert_eq!(status.unwrap_err().code(), Code::NotFound);
    // Whoever wants to be told says who it is.
    let stranger = health.watch(of("")).await;
    assert_eq!(stranger.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_watches_is_told_of_changes_and_of_nothing_else() {
    let (log, mut server) = Gated::start();
    let mut health = client(&server).await;
    let watch = health.watch(watching(COMMANDS)).await.unwrap();
    let mut watch = watch.into_inner();
    let mut whole = health.watch(watching("")).await.unwrap().into_inner();
    let first = next(&mut watch).await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);
    let first = next(&mut whole).await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);

    log.fail();
    let voice = server.voice().await;
    let refused = voice
        .try_execute(register_institution(&new_id(), "Skolen"))
        .await;
    assert_eq!(refused.unwrap_err().reason, "WRITER_STOPPED");
    let second = next(&mut watch).await.unwrap().unwrap();
    assert_eq!(second.status(), ServingStatus::NotServing);

    // The whole goes on until the server stops, and the watch does not hold it up.
    server.tell_to_stop();
    let last = next(&mut whole).await.unwrap().unwrap();
    assert_eq!(last.status(), ServingStatus::NotServing);
    assert!(next(&mut whole).await.unwrap().is_none());
}

async fn reads_are(voice: &Voice) -> AccessLogState {
    let status = voice.ask(GetStatusRequest::default()).await.unwrap();
    status.access_log()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_that_cannot_record_reads_says_so() {
    for strict in [false, true] {
        let (log, server, voice, plan_id) = Gated::with_reads(strict).await;
        assert_eq!(reads_are(&voice).await, AccessLogState::Recording);
        let mut health = client(&server).await;
        let watch = health.watch(watching(PLANS)).await.unwrap();
        let mut watch = watch.into_inner();
        let first = next(&mut watch).await.unwrap().unwrap();
        assert_eq!(first.status(), ServingStatus::Serving);

        log.fail();
        // The first answer may leave before the write fails, unless the log is strict.
        let first = voice.try_plan(&plan_id, Viewer::Staff, None).await;
        assert_eq!(first.is_err(), strict);
        let second = next(&mut watch).await.unwrap().unwrap();
        assert_eq!(second.status(), ServingStatus::NotServing);
        assert_eq!(reads_are(&voice).await, AccessLogState::Failed);
        let refused = voice.try_plan(&plan_id, Viewer::Staff, None).await;
        assert_eq!(refused.unwrap_err().reason, "ACCESS_LOG_FAILED");
    }
}

/// Where nothing was written, nothing is in doubt: it goes on by itself, and what was shown before is recorded
/// first.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_room_for_a_segment_of_reads_the_server_says_so_and_goes_on_when_there_is_room() {
    for strict in [false, true] {
        let (log, server, voice, plan_id) = Gated::with_reads(strict).await;
        let mut health = client(&server).await;
        let watch = health.watch(watching(PLANS)).await.unwrap();
        let mut watch = watch.into_inner();
        next(&mut watch).await.unwrap().unwrap();
        log.fill();
        let first = voice.try_plan(&plan_id, Viewer::Staff, None).await;
        assert_eq!(first.is_err(), strict);
        let told = next(&mut watch).await.unwrap().unwrap();
        assert_eq!(told.status(), ServingStatus::NotServing);
        assert_eq!(reads_are(&voice).await, AccessLogState::Waiting);
        let refused = voice.try_plan(&plan_id, Viewer::Staff, None).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.reason, "ACCESS_LOG_FAILED");
        assert!(refused.message.contains("room"), "{}", refused.message);
        // Commands have nothing to do with it.
        voice.execute(write_status(&plan_id, "Læser")).await;

        log.let_through();
        let told = next(&mut watch).await.unwrap().unwrap();
        assert_eq!(told.status(), ServingStatus::Serving);
        assert_eq!(reads_are(&voice).await, AccessLogState::Recording);
        let plan = voice.plan(&plan_id, Viewer::Staff).await;
        let request = ListReadersRequest {
            student_id: plan.student_id,
            ..ListReadersRequest::default()
        };
        let mut reads = voice.ask(request).await.unwrap().reads;
        reads.retain(|read| read.kind() != PlanReadKind::AccessLog);
        assert_eq!(reads.len(), 2, "{reads:?}");
    }
}

/// A server that stops while there is no room does not wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_without_room_for_a_segment_of_reads_stops_when_it_is_told_to() {
    let (log, server, voice, plan_id) = Gated::with_reads(false).await;
    log.fill();
    voice.plan(&plan_id, Viewer::Staff).await;
    let until = std::time::Instant::now() + PATIENCE;
    while reads_are(&voice).await != AccessLogState::Waiting {
        assert!(std::time::Instant::now() < until, "it does not wait");
    }
    drop(voice);
    let began = std::time::Instant::now();
    server.stop();
    assert!(began.elapsed() < std::time::Duration::from_secs(5));
}
