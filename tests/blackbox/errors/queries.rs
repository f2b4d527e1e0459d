//! Bad questions: what is wrong with them, and what is not there.

use planledger_proto::v1::*;
use uuid::Uuid;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_request_that_names_nothing_is_told_what_is_missing() {
    let (_server, voice) = Home::new().serve_notarised().await;
    voice.new_checkpoint().await;
    for (name, call) in METHODS {
        let answer = call(voice.client.clone()).await;
        // Lists of everything, the newest of something, and what the ledger is, need nothing.
        let complete = [
            "list_institutions",
            "list_school_years",
            "list_catalogues",
            "get_status",
            "get_verifier_keys",
            "get_checkpoint",
            "list_checkpoints",
            "list_recoveries",
            "list_survey_discussions",
            "list_roster_sources",
            "list_grants",
            "list_systems",
            "list_erasures",
            "review_access",
        ];
        if complete.contains(name) {
            answer.unwrap();
            continue;
        }
        let status = answer.unwrap_err();
        let root = match *name {
            "execute" => "planledger.v1.Command".to_owned(),
            _ => format!("planledger.v1.{}Request", camel(name)),
        };
        let refused = Refused::new(&status, &root);
        // What it does not name follows from the day, and there is no school year to follow.
        if ["get_overview", "get_survey_overview"].contains(name) {
            assert_eq!(refused.reason, "SCHOOL_YEAR_NOT_FOUND");
            assert_eq!(refused.paths(), ["school_year_id"]);
            continue;
        }
        assert_eq!(refused.reason, "REQUEST_INVALID", "{name}");
        // Nothing is before the first position.
        let why = match *name {
            "get_inclusion_proof" | "get_consistency_proof" => "OUT_OF_RANGE",
            _ => "MISSING",
        };
        assert!(refused.fields.iter().any(|(_, reason)| reason == why));
    }
}

fn camel(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_filter_of_events_names_what_the_server_does_not_know() {
    let (_server, voice) = Home::new().serve().await;
    let filter = EventFilter {
        streams: vec![
            format!("plan/{}", new_id()),
            new_id(),
            format!("plans/{}", new_id()),
            "person/010203-1234".to_owned(),
        ],
        types: vec!["plan.opened".to_owned(), "plan.closed".to_owned()],
        student_id: Some(Uuid::nil().to_string()),
    };
    let filter = Some(filter);
    let expected = [
        ("filter.streams[1]", "MALFORMED_ID"),
        ("filter.streams[2]", "MALFORMED_ID"),
        ("filter.streams[3]", "CPR_NUMBER"),
        ("filter.types[1]", "UNKNOWN_ENUM"),
        ("filter.student_id", "MALFORMED_ID"),
    ];
    let expected = expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()));
    let read = ReadEventsRequest {
        filter: filter.clone(),
        ..ReadEventsRequest::default()
    };
    assert_eq!(voice.read_events(read).await.unwrap_err().fields, expected);
    let follow = FollowEventsRequest {
        filter,
        after_position: 0,
    };
    let refused = voice.follow(follow).await.err().unwrap();
    assert_eq!(refused.fields, expected);
    let many = EventFilter {
        streams: vec![format!("plan/{}", new_id()); 1_001],
        types: vec!["plan.opened".to_owned(); 101],
        student_id: None,
    };
    let follow = FollowEventsRequest {
        filter: Some(many),
        after_position: 0,
    };
    let refused = voice.follow(follow).await.err().unwrap();
    assert_eq!(refused.paths(), ["filter.streams", "filter.types"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_query_names_what_is_wrong_with_it() {
    let (_server, voice) = Home::new().serve().await;
    let request = GetPlanRequest {
        plan_id: "010203-1234".to_owned(),
        viewer: 9,
        min_position: 0,
        at: Some(AsOf { moment: None }),
    };
    let refused = voice.ask(request).await.unwrap_err();
    assert_eq!(refused.paths(), ["plan_id", "viewer", "at.moment"]);
    let before_1970 = prost_types::Timestamp {
        seconds: -1,
        nanos: 0,
    };
    let request = get_collected(
        &new_id(),
        Viewer::Staff,
        Some(as_of(as_of::Moment::Instant(before_1970))),
    );
    let refused = voice.ask(request).await.unwrap_err();
    assert_eq!(refused.paths(), ["at.instant"]);
    let request = ListPersonsRequest {
        institution_id: new_id(),
        role: Some(0),
        page_size: -1,
        ..ListPersonsRequest::default()
    };
    let refused = voice.ask(request).await.unwrap_err();
    assert_eq!(refused.paths(), ["role", "page_size"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_not_there_is_not_found_and_named() {
    let (_server, voice) = Home::new().serve().await;
    let eyes = Viewer::Staff.into();
    macro_rules! not_found {
        ($($request:ident { $($id:ident),+ $(; $($rest:tt)*)? } => $reason:literal at $field:literal;)*) => {$(
            let request = $request { $($id: new_id(),)+ $($($rest)*,)? ..$request::default() };
            let refused = voice.ask(request).await.unwrap_err();
            assert_eq!(refused.reason, $reason);
            assert_eq!(refused.fields, [($field.to_owned(), $reason.to_owned())]);
        )*};
    }
    not_found! {
        GetInstitutionRequest { institution_id } => "INSTITUTION_NOT_FOUND" at "institution_id";
        GetSchoolYearRequest { school_year_id } => "SCHOOL_YEAR_NOT_FOUND" at "school_year_id";
        GetPersonRequest { person_id } => "PERSON_NOT_FOUND" at "person_id";
        GetTeamRequest { team_id } => "TEAM_NOT_FOUND" at "team_id";
        GetYearPlanRequest { year_plan_id; viewer: eyes } => "YEAR_PLAN_NOT_FOUND" at "year_plan_id";
        GetCatalogueRequest { catalogue_id } => "CATALOGUE_NOT_FOUND" at "catalogue_id";
        ListCatalogueItemsRequest { catalogue_id } => "CATALOGUE_NOT_FOUND" at "catalogue_id";
        ListCatalogueScalesRequest { catalogue_id } => "CATALOGUE_NOT_FOUND" at "catalogue_id";
        GetCatalogueItemRequest { catalogue_id, item_id } => "CATALOGUE_NOT_FOUND" at "catalogue_id";
        GetPlanRequest { plan_id; viewer: eyes } => "PLAN_NOT_FOUND" at "plan_id";
        GetPlanHistoryRequest { plan_id } => "PLAN_NOT_FOUND" at "plan_id";
        GetCollectedViewRequest { student_id; viewer: eyes } => "PERSON_NOT_FOUND" at "student_id";
    }
}
