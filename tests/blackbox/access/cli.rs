//! `planledger access`: from a fresh ledger's first administrator to a review.

use crate::support::*;

#[test]
fn the_first_administrator_is_made_once_and_offline() {
    let home = Home::new();
    let dir = home.path().to_str().unwrap().to_owned();
    let bootstrap = |more: &[&str]| {
        let first = ["access", "bootstrap", "--dir", &dir, "--json"];
        run([&first[..], more].concat())
    };
    let by_id = ["--source", "Kommune A", "--id", "chef1"];
    // Nobody knows this person yet.
    let refused = bootstrap(&by_id);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let done = bootstrap(&[&by_id[..], &["--name", "Chefen"]].concat());
    assert_eq!(done.code, Some(0), "{done:?}");
    let told: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert!(told["grantee"].as_str().unwrap().starts_with("person/"));
    let again = bootstrap(&by_id);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("is administrator"), "{again:?}");
}

/// Somebody who has gone cannot make another administrator, and no roster may say that they have left
/// before there is one.
#[test]
fn whoever_has_the_directory_makes_an_administrator_instead_of_the_last_one() {
    let home = Home::new();
    let dir = home.path().to_str().unwrap().to_owned();
    let bootstrap = |id: &str, more: &[&str]| {
        let first = ["access", "bootstrap", "--dir", &dir, "--json"];
        let who = ["--source", "Kommune A", "--name", "Chef", "--id", id];
        run([&first[..], &who, more].concat())
    };
    let grantee = |ran: Ran| ran.done().json()["grantee"].as_str().unwrap().to_owned();
    let first = grantee(bootstrap("chef1", &[]));
    let nobody = format!("person/{}", new_id());
    for wrong in [&[][..], &["--instead-of", &nobody]] {
        let refused = bootstrap("chef2", wrong);
        assert_eq!(refused.code, Some(1), "{refused:?}");
    }
    let second = grantee(bootstrap("chef2", &["--instead-of", &first]));
    assert_ne!(first, second);
    // The first one is administrator no more.
    let refused = bootstrap("chef3", &["--instead-of", &first]);
    assert!(
        refused.stderr.contains("is no administrator"),
        "{refused:?}"
    );
    grantee(bootstrap("chef3", &["--instead-of", &second]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn systems_and_grants_are_kept_from_the_command_line() {
    let server = Home::new().start();
    let voice = server.voice().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    let url = server.url.clone();
    let access = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let url = url.clone();
        async move {
            let all = ["access".to_owned()].into_iter().chain(words);
            let all: Vec<String> = all.chain(["--server".to_owned(), url]).collect();
            let ran = tokio::task::spawn_blocking(move || run(all)).await.unwrap();
            assert_eq!(ran.code, Some(0), "{ran:?}");
            ran.stdout
        }
    };
    let id = new_id();
    let dns = [
        "--name",
        "Platformen",
        "--kind",
        "learning-platform",
        "--dns",
        "p.example",
    ];
    access(&[&["system", "register", &id, "--acts-for-people"], &dns[..]].concat()).await;
    let listed = access(&["system", "list"]).await;
    assert!(
        listed.contains("dns p.example") && listed.contains("in use"),
        "{listed}"
    );
    let platform = format!("system/{id}");
    access(&["grant", &platform, "learning_platform"]).await;
    let leader = format!("person/{}", school.leader);
    let grant = new_id();
    let student = school.student.as_str();
    access(&[
        "grant",
        &leader,
        "teacher",
        "--student",
        student,
        "--id",
        &grant,
    ])
    .await;
    let listed = access(&["list"]).await;
    assert!(
        listed.contains(&grant) && listed.contains("learning_platform"),
        "{listed}"
    );
    let plan = format!("plan/{plan_id}");
    let told = access(&["explain", &leader, "write_plan", &plan]).await;
    assert!(told.starts_with("allowed: as teacher, by grant"), "{told}");
    let teacher = school.teacher.as_str();
    let told = access(&["explain", &platform, "write_plan", &plan, "--for", teacher]).await;
    assert!(told.contains("the system as learning_platform"), "{told}");
    let review = access(&["review"]).await;
    assert!(review.contains("has no end"), "{review}");
    access(&["revoke", &grant, "--reason", "Barslen er slut"]).await;
    let told = access(&["explain", &leader, "write_plan", &plan]).await;
    assert!(told.starts_with("not allowed: "), "{told}");
    let json = access(&["list", "--all", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["grants"].is_array(), "{json}");
    access(&["system", "revoke", &id]).await;
    let listed = access(&["system", "list"]).await;
    assert!(listed.contains("revoked"), "{listed}");
}
