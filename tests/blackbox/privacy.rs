//! Names and texts go where they belong, whole, and nowhere else.

use planledger_proto::v1::*;

use crate::support::*;
use crate::watched::Measured;

/// What must not stand in any log.
const NAME: &str = "Mærkelig Navnesen";
const TEXT: &str = "Mærkelig tekst om et barn";
/// What a client may put where no such thing belongs.
const PURPOSE: &str = "fejlplaceret.navn.navnesen";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_personal_stands_in_logs_and_metrics_whatever_is_done_and_refused() {
    for (level, format) in [("debug", "text"), ("trace", "text"), ("debug", "json")] {
        let home = Home::new();
        let more = ["--log", level, "--log-format", format];
        let measured = Measured::start(home.path(), &more);
        let serving = &measured.serving;
        let voice = serving.voice().await;
        let (school, course, plan_id) = School::with_plan(&voice).await;
        let rename = RenamePerson {
            name: NAME.to_owned(),
        };
        let accepted = [
            write_status(&plan_id, TEXT),
            person(&school.student, OnPerson::RenamePerson(rename)),
            course.add_goal(&new_id(), GoalKind::Reflection, TEXT),
            course.add_unit(&new_id(), TEXT),
        ];
        for command in accepted.clone() {
            voice.execute(command.clone()).await;
            voice.execute(command).await;
        }
        let mut reused = write_status(&plan_id, TEXT);
        reused.command_id.clone_from(&accepted[0].command_id);
        let refused = [
            write_status(&plan_id, &TEXT.repeat(1_000)),
            write_status(&plan_id, &format!("{TEXT} 010203-1234")),
            write_status(&new_id(), TEXT),
            put_person(
                &new_id(),
                &format!("{NAME} 010203-1234"),
                &new_id(),
                Role::Student,
            ),
            put_person(&new_id(), NAME, &new_id(), Role::Student),
            write_status(NAME, TEXT),
            reused,
        ];
        for command in refused.clone() {
            let refused = voice.try_execute(command).await;
            assert!(refused.is_err() || refused.unwrap().replayed);
        }
        voice
            .stream([accepted.to_vec(), refused.to_vec()].concat())
            .await;
        voice.try_all(refused.to_vec()).await.unwrap_err();
        let view = voice.plan(&plan_id, Viewer::Staff).await;
        assert_eq!(view.status.unwrap().text, TEXT);
        assert_eq!(view.student_name.as_deref(), Some(NAME));
        assert!(!voice.all_events().await.is_empty());
        let list = [
            "plan",
            "list",
            "--student",
            &school.student,
            "--server",
            &serving.url,
        ];
        assert!(run(list).done().stdout.contains(NAME));
        look_everywhere(&voice, &school, &plan_id).await;
        drop(voice);
        let metrics = measured.text();
        let log = measured.serving.stop();
        assert!(log.to_lowercase().contains("debug"), "the level is taken");
        let ascii = |text: &str| text.replace('æ', "\\xc3\\xa6");
        for secret in [
            NAME,
            TEXT,
            "Navnesen",
            "tekst om et barn",
            // The first six digits alone come in a long log by chance, in times and in ids.
            "010203-1234",
            "0102031234",
            TEACHER,
            STUDENT,
            PURPOSE,
            &school.student,
            &school.teacher,
        ] {
            assert!(!metrics.contains(secret), "{secret} in metrics");
            assert!(!log.contains(secret), "{secret} at {level}");
            assert!(!log.contains(&ascii(secret)), "{secret} at {level}");
        }
    }
}

/// Asks each kind of question about people: some are answered, and some refused.
async fn look_everywhere(voice: &Voice, school: &School, plan: &str) {
    let teacher = voice.person(&school.teacher);
    for voice in [voice, &teacher] {
        let student = school.student.clone();
        let person = GetPersonRequest {
            person_id: student.clone(),
            min_position: 0,
        };
        let _ = voice.ask(person).await;
        let collected = GetCollectedViewRequest {
            student_id: student.clone(),
            ..GetCollectedViewRequest::default()
        };
        let _ = voice.ask(collected).await;
        let lookup = LookupPersonRequest {
            source: NAME.to_owned(),
            id: TEXT.to_owned(),
            ..LookupPersonRequest::default()
        };
        let _ = voice.ask(lookup).await;
        let owned = ListOwnedRequest {
            person_id: school.teacher.clone(),
            ..ListOwnedRequest::default()
        };
        let _ = voice.ask(owned).await;
        let readers = ListReadersRequest {
            student_id: student.clone(),
            ..ListReadersRequest::default()
        };
        let _ = voice.ask(readers).await;
        let explain = ExplainAccessRequest {
            on_behalf_of_person_id: Some(student),
            action: NAME.to_owned(),
            ..ExplainAccessRequest::default()
        };
        let _ = voice.ask(explain).await;
        let _ = voice.history(plan).await;
    }
    // What a client says of itself and of its request.
    let strange = voice.actor(&format!("person/{}", school.student));
    let _ = strange.position().await;
    let mut request = tonic::Request::new(GetStatusRequest::default());
    let metadata = request.metadata_mut();
    metadata.insert("x-request-id", PURPOSE.parse().unwrap());
    metadata.insert("planledger-purpose", PURPOSE.parse().unwrap());
    let _ = voice.client.ledger().get_status(request).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_personal_stands_readable_on_the_disk() {
    let home = Home::new();
    let serving = Serving::start(home.path());
    let voice = serving.voice().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    let rename = RenamePerson {
        name: NAME.to_owned(),
    };
    voice
        .execute(person(&school.student, OnPerson::RenamePerson(rename)))
        .await;
    voice.execute(write_status(&plan_id, TEXT)).await;
    drop(voice);
    serving.stop();
    let mut files = 0;
    let mut folders = vec![home.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            for secret in ["Navnesen", "tekst om et barn", "Ødegård", SUBJECT_GOAL] {
                let found = bytes
                    .windows(secret.len())
                    .any(|at| at == secret.as_bytes());
                assert!(!found, "{secret} in {}", path.display());
            }
        }
    }
    assert!(files > 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn danish_letters_and_all_others_come_back_as_they_were_sent() {
    let home = Home::new();
    let (server, voice) = home.serve().await;
    let (school, _, plan_id) = School::with_plan(&voice).await;
    let texts = [
        "Blåbærgrød på Ærø, æøå ÆØÅ é ü ß",
        "emoji 🌱 and 汉字 and عربى",
        "quotes \" ' \\ and tags <b> & {json: [1]}",
        "linje et\nlinje to\r\n\ttab",
        "\u{fffd}\u{feff}\u{200b}\u{2028}.",
    ];
    for text in texts {
        voice.execute(write_status(&plan_id, text)).await;
        let view = voice.plan(&plan_id, Viewer::Staff).await;
        assert_eq!(view.status.unwrap().text, text);
    }
    // Composed and decomposed letters are the same letters, and are kept composed.
    let decomposed = write_status(&plan_id, "decomposed: a\u{30a} o\u{308}");
    voice.execute(decomposed).await;
    let view = voice.plan(&plan_id, Viewer::Staff).await;
    assert_eq!(view.status.unwrap().text, "decomposed: å ö");
    let name = "Åse-Bjørk Ærø O’Ñandú";
    let rename = RenamePerson {
        name: name.to_owned(),
    };
    voice
        .execute(person(&school.student, OnPerson::RenamePerson(rename)))
        .await;
    let all = voice.all_events().await;
    drop(voice);
    server.stop();

    let (server, voice) = home.serve().await;
    assert_eq!(voice.all_events().await, all);
    let history = voice.history(&plan_id).await;
    let written: Vec<_> = history
        .iter()
        .filter(|event| event.r#type == "plan.status_written")
        .map(|event| match event.content.as_ref().unwrap() {
            event::Content::Payload(payload) => {
                let payload: serde_json::Value = serde_json::from_str(payload).unwrap();
                payload["status_written"]["text"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            }
            event::Content::Unreadable(_) => panic!("{event:?}"),
        })
        .collect();
    let expected: Vec<_> = texts.into_iter().chain(["decomposed: å ö"]).collect();
    assert_eq!(written, expected);
    let request = GetPersonRequest {
        person_id: school.student.clone(),
        min_position: 0,
    };
    let found = voice.ask(request).await.unwrap().person.unwrap();
    assert_eq!(found.name, name);
    let show = ["plan", "show", &plan_id, "--json", "--server", &server.url];
    let json = run(show).done().json();
    assert_eq!(json["plan"]["studentName"], name);
    assert_eq!(json["plan"]["status"]["text"], "decomposed: å ö");
}
