//! Names and texts go where they belong, whole, and nowhere else.

use planledger_proto::v1::*;

use crate::support::*;

/// What must not stand in any log.
const NAME: &str = "Mærkelig Navnesen";
const TEXT: &str = "Mærkelig tekst om et barn";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_name_and_no_text_stands_in_the_log_whatever_is_done_and_refused() {
    for level in ["debug", "trace"] {
        let home = Home::new();
        let serving = Serving::start_with(home.path(), &["--log", level]);
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
        drop(voice);
        let log = serving.stop();
        assert!(log.to_lowercase().contains("debug"), "the level is taken");
        let ascii = |text: &str| text.replace('æ', "\\xc3\\xa6");
        for secret in [
            NAME,
            TEXT,
            "Navnesen",
            "tekst om et barn",
            "010203",
            TEACHER,
            STUDENT,
        ] {
            assert!(!log.contains(secret), "{secret} at {level}");
            assert!(!log.contains(&ascii(secret)), "{secret} at {level}");
        }
    }
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
