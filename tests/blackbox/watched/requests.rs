//! A request has an id, in its answer and in every line that is logged for it.

use planledger_proto::v1::event_service_client::EventServiceClient;
use planledger_proto::v1::ledger_service_client::LedgerServiceClient;
use planledger_proto::v1::plan_service_client::PlanServiceClient;
use planledger_proto::v1::*;
use serde_json::Value as Json;
use tonic::Request;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};

use crate::support::*;

const HEADER: &str = "x-request-id";

async fn channel(serving: &Serving) -> Channel {
    let endpoint = Endpoint::from_shared(serving.url.clone()).unwrap();
    endpoint.connect().await.unwrap()
}

/// A request of somebody, with an id if there is one.
fn request<T>(message: T, id: Option<&str>) -> Request<T> {
    let mut request = Request::new(message);
    let actor = format!("system/{}", new_id());
    let metadata = request.metadata_mut();
    metadata.insert("planledger-actor", actor.parse().unwrap());
    if let Some(id) = id {
        metadata.insert(HEADER, id.parse().unwrap());
    }
    request
}

fn id_in(metadata: &MetadataMap) -> String {
    metadata.get(HEADER).unwrap().to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_answer_and_every_line_of_a_request_has_its_id() {
    let home = Home::new();
    let more = ["--log", "debug", "--log-format", "json"];
    let serving = Serving::start_with(home.path(), &more);
    let channel = channel(&serving).await;
    let mut ledger = LedgerServiceClient::new(channel.clone());
    let given = new_id();
    let status = request(GetStatusRequest::default(), Some(&given));
    let answer = ledger.get_status(status).await.unwrap();
    assert_eq!(id_in(answer.metadata()), given);

    // Without an id, and with one that could be somebody's name or number, the server makes one.
    let mut made = Vec::new();
    for id in [None, Some("010203-1234"), Some("inge.holm"), Some("")] {
        let status = request(GetStatusRequest::default(), id);
        let answer = ledger.get_status(status).await.unwrap();
        let made_id = id_in(answer.metadata());
        assert_ne!(Some(made_id.as_str()), id);
        assert!(!made.contains(&made_id));
        made.push(made_id);
    }

    // Errors have it, also for those whom the server does not know, and streams.
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut plans = PlanServiceClient::new(channel.clone());
    let plan = GetPlanRequest {
        plan_id: new_id(),
        viewer: Viewer::Staff.into(),
        ..GetPlanRequest::default()
    };
    let refused = plans
        .get_plan(request(plan, Some(trace)))
        .await
        .unwrap_err();
    assert_eq!(id_in(refused.metadata()), trace);
    let nobody = ledger
        .get_status(GetStatusRequest::default())
        .await
        .unwrap_err();
    assert!(!id_in(nobody.metadata()).is_empty());
    let stream = new_id();
    let mut events = EventServiceClient::new(channel);
    let read = request(ReadEventsRequest::default(), Some(&stream));
    let mut answer = events.read_events(read).await.unwrap();
    assert_eq!(id_in(answer.metadata()), stream);
    while answer.get_mut().message().await.unwrap().is_some() {}
    drop((ledger, plans, events, answer));

    let log = serving.stop();
    let mut answered = Vec::new();
    for line in log.lines() {
        let line: Json = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        for field in ["timestamp", "level", "target"] {
            assert!(line[field].is_string(), "{line}");
        }
        let message = line["fields"]["message"].as_str().unwrap();
        if message == "a request was answered" {
            let span = &line["span"];
            answered.push((
                span["request_id"].as_str().unwrap().to_owned(),
                span["method"].as_str().unwrap().to_owned(),
                line["fields"]["code"].as_str().unwrap().to_owned(),
            ));
        }
    }
    let line =
        |id: &str, method: &str, code: &str| (id.to_owned(), method.to_owned(), code.to_owned());
    assert!(
        answered.contains(&line(&given, "GetStatus", "Ok")),
        "{answered:?}"
    );
    assert!(
        answered.contains(&line(trace, "GetPlan", "NotFound")),
        "{answered:?}"
    );
    assert!(
        answered.contains(&line(&stream, "ReadEvents", "Ok")),
        "{answered:?}"
    );
    for id in &made {
        assert!(
            answered.contains(&line(id, "GetStatus", "Ok")),
            "{answered:?}"
        );
    }
    assert_eq!(answered.len(), 8, "{answered:?}");
}

/// What happens in the other threads that work on a request is logged with its id too.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_line_about_damage_that_a_read_finds_names_the_request() {
    let home = Home::new();
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    let (_, _, plan) = School::with_plan(&voice).await;
    drop(voice);
    serving.stop();
    let more = ["--log-format", "json"];
    let serving = Serving::start_with(home.path(), &more);
    // A byte of the first event.
    let segment = home.first_segment();
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[300] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let id = new_id();
    let mut events = EventServiceClient::new(channel(&serving).await);
    let read = request(ReadEventsRequest::default(), Some(&id));
    let mut answer = events.read_events(read).await.unwrap().into_inner();
    let failed = loop {
        match answer.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the damage was not found; {plan}"),
            Err(status) => break status,
        }
    };
    assert_eq!(failed.code(), tonic::Code::DataLoss);
    drop((events, answer));
    let log = serving.stop();
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap());
    let mut damage = lines.filter(|line| line["fields"]["message"] == "stored data cannot be read");
    let line = damage.next().unwrap_or_else(|| panic!("{log}"));
    assert_eq!(line["span"]["request_id"], id.as_str(), "{line}");
    assert_eq!(line["span"]["method"], "ReadEvents", "{line}");
}

#[test]
fn an_error_at_the_start_is_json_too_and_the_settings_file_can_say_so() {
    let home = Home::new();
    let file = home.path().join("planledger.toml");
    std::fs::write(&file, "log = \"warn\"\nlog-format = \"json\"\n").unwrap();
    let config = file.to_str().unwrap();
    let ran = run(["serve", "--config", config, "--dir", "/nowhere/x"]);
    assert_eq!(ran.code, Some(2));
    for line in ran.stderr.lines() {
        let line: Json = serde_json::from_str(line).unwrap();
        assert_eq!(line["level"], "ERROR", "{line}");
    }
    assert!(!ran.stderr.is_empty());
    std::fs::write(&file, "log = \"loud\"\n").unwrap();
    let ran = run(["ledger", "status", "--config", config]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("log must be"), "{}", ran.stderr);
}
