//! Callers that ask for more than their share.

use planledger_proto::v1::*;
use tonic::Code;

use super::{alone, limited};
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_followers_on_five_connections_shut_nobody_out() {
    let _alone = alone().await;
    let home = Home::new();
    let serving = limited(&home, "");
    let mut followers = Vec::new();
    let mut refused = 0;
    for _ in 0..5 {
        let voice = serving.voice().await;
        for _ in 0..420 {
            // Each of another person, as far as anybody knows.
            let person = voice.person(&new_id());
            match person.follow(FollowEventsRequest::default()).await {
                Ok(follower) => followers.push(follower),
                Err(error) => {
                    assert_eq!(error.reason, "TOO_MANY_STREAMS");
                    assert_eq!(error.code, Code::ResourceExhausted);
                    assert!(error.retry_after.is_some());
                    refused += 1;
                }
            }
        }
    }
    assert_eq!((followers.len(), refused), (5 * 256, 5 * 164));
    let voice = serving.voice().await;
    let mut follower = voice.follow(FollowEventsRequest::default()).await.unwrap();
    follower.past().await;
    assert_eq!(
        voice
            .execute(register_institution(&new_id(), "Skolen"))
            .await
            .position,
        1
    );
    assert_eq!(follower.live(1).await.len(), 1);
    // One caller has fewer, on however many connections.
    let one = format!("person/{}", new_id());
    let mut own = Vec::new();
    let refused = loop {
        let voice = serving.voice().await.actor(&one);
        match voice.follow(FollowEventsRequest::default()).await {
            Ok(follower) => own.push(follower),
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.reason, "TOO_MANY_STREAMS");
    assert_eq!(own.len(), 128);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_too_often_is_told_how_long_to_wait() {
    let _alone = alone().await;
    let home = Home::new();
    let serving = limited(&home, "requests-per-second-of-person = 5");
    let voice = serving.voice().await;
    let hasty = voice.person(&new_id());
    for _ in 0..50 {
        hasty.position().await;
    }
    // On a slow machine some more are due by now.
    let refused = loop {
        match hasty.ask(GetStatusRequest::default()).await {
            Ok(_) => {}
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.reason, "RATE_LIMITED");
    let wait = refused.retry_after.unwrap();
    assert!(wait.as_millis() <= 200, "{wait:?}");
    voice.person(&new_id()).position().await;
    for _ in 0..100 {
        voice.position().await;
    }
    tokio::time::sleep(wait).await;
    hasty.position().await;
}
