//! Bad input: every field at fault is named, what was sent is not repeated, and nothing is done.

use planledger_proto::v1::*;
use uuid::Uuid;

use crate::support::*;

/// What no answer may repeat.
const SECRET: &str = "Hemmelig Ærlighed";

type Faults = &'static [(&'static str, &'static str)];

/// A command and the fields that are at fault in it, with why.
struct Bad(Command, Faults);

impl Bad {
    fn new(command: Command, faults: Faults) -> Self {
        Self(command, faults)
    }
}

/// A command in which everything is as it should be.
fn good() -> Command {
    write_status(&new_id(), SECRET)
}

fn with_reason(reason: String) -> Command {
    let reason = Some(reason);
    plan(&new_id(), OnPlan::WithdrawPlan(WithdrawPlan { reason }))
}

fn follow_up(text: &str, day: &str) -> Command {
    plan(
        &new_id(),
        OnPlan::WriteFollowUp(WriteFollowUp {
            text: text.to_owned(),
            follow_up_on: Some(day.to_owned()),
        }),
    )
}

fn affiliated(institution: &str, role: i32, grade: &str) -> Command {
    let affiliation = Affiliation {
        institution_id: institution.to_owned(),
        role,
        grade: Some(grade.to_owned()),
    };
    let put = PutPerson {
        name: SECRET.to_owned(),
        affiliations: vec![affiliation],
        departed: false,
        record: None,
    };
    person(&new_id(), OnPerson::PutPerson(put))
}

fn rated(level: u32) -> Command {
    let record = RecordEvaluation {
        evaluation_id: new_id(),
        unit: Some(UnitRef {
            year_plan_id: new_id(),
            unit_id: new_id(),
        }),
        goal_id: new_id(),
        assessment: Some(assessment(level, SECRET)),
    };
    plan(&new_id(), OnPlan::RecordEvaluation(record))
}

fn put_team(members: &[String], staff: &[&String]) -> Command {
    let staff = staff.iter().map(|person| TeamStaff {
        person_id: (*person).clone(),
        role: StaffRole::Teacher.into(),
    });
    let put = PutTeam {
        details: Some(TeamDetails {
            institution_id: new_id(),
            title: SECRET.to_owned(),
            ..TeamDetails::default()
        }),
        member_ids: members.to_vec(),
        staff: staff.collect(),
        owner_id: None,
        closed: false,
        source: None,
    };
    team(&new_id(), OnTeam::PutTeam(put))
}

fn add_goal(goal: NewGoal) -> Command {
    let add = AddGoal {
        unit_id: new_id(),
        goal_id: new_id(),
        details: Some(goal),
    };
    year_plan(&new_id(), OnYearPlan::AddGoal(add))
}

/// Sends each by itself, and all of them over one stream.
async fn refused(cases: Vec<Bad>) {
    let (_server, voice) = Home::new().serve().await;
    voice
        .execute(register_institution(&new_id(), "Skolen"))
        .await;
    let position = voice.position().await;
    let mut streamed = Vec::new();
    for Bad(command, faults) in cases {
        let refused = voice.try_execute(command.clone()).await.unwrap_err();
        check(&refused, faults, &command);
        streamed.push((command, faults, refused));
    }
    let commands: Vec<_> = streamed
        .iter()
        .map(|(command, ..)| command.clone())
        .collect();
    let outcomes = voice.stream(commands).await;
    assert_eq!(outcomes.len(), streamed.len());
    for (outcome, (command, faults, alone)) in outcomes.into_iter().zip(streamed) {
        assert_eq!(outcome.command_id, command.command_id);
        let Some(execute_stream_response::Outcome::Error(error)) = outcome.outcome else {
            panic!("{command:?}")
        };
        let refused = command_error(error);
        check(&refused, faults, &command);
        assert_eq!((refused.code, refused.message), (alone.code, alone.message));
    }
    assert_eq!(voice.position().await, position);
}

fn check(refused: &Refused, faults: Faults, command: &Command) {
    assert_eq!(refused.reason, "REQUEST_INVALID", "{command:?}");
    let fields = refused.fields.iter();
    let fields: Vec<_> = fields.map(|(f, r)| (f.as_str(), r.as_str())).collect();
    assert_eq!(fields, faults, "{command:?}");
    for sent in [SECRET, "010203", "1234", "abc"] {
        assert!(!refused.whole.contains(sent), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn ids_that_are_none_are_refused() {
    let mut no_id = good();
    no_id.command_id = String::new();
    let mut nil = good();
    nil.command_id = Uuid::nil().to_string();
    let mut cpr = good();
    cpr.command_id = "010203-1234".to_owned();
    refused(vec![
        Bad::new(no_id, &[("command_id", "MISSING")]),
        Bad::new(nil, &[("command_id", "MALFORMED_ID")]),
        Bad::new(cpr, &[("command_id", "CPR_NUMBER")]),
        Bad::new(write_status("", SECRET), &[("plan.plan_id", "MISSING")]),
        Bad::new(
            write_status("abc", SECRET),
            &[("plan.plan_id", "MALFORMED_ID")],
        ),
        Bad::new(
            write_status("0102031234", SECRET),
            &[("plan.plan_id", "CPR_NUMBER")],
        ),
        Bad::new(
            open_plan(&new_id(), "010203 1234", &new_id()),
            &[("plan.open_plan.student_id", "CPR_NUMBER")],
        ),
        Bad::new(
            affiliated("abc", Role::Student.into(), "7"),
            &[(
                "person.put_person.affiliations[0].institution_id",
                "MALFORMED_ID",
            )],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn texts_that_may_not_be_stored_are_refused() {
    let long = |length| format!("{SECRET}{}", "å".repeat(length - SECRET.chars().count()));
    let title = TeamDetails {
        institution_id: new_id(),
        title: long(301),
        code: Some(long(101)),
        ..TeamDetails::default()
    };
    let title = CreateTeam {
        details: Some(title),
        owner_id: None,
    };
    refused(vec![
        Bad::new(
            write_status(&new_id(), &long(20_001)),
            &[("plan.write_status.text", "TOO_LONG")],
        ),
        Bad::new(
            register_institution(&new_id(), &long(201)),
            &[("institution.register_institution.details.name", "TOO_LONG")],
        ),
        Bad::new(
            team(&new_id(), OnTeam::CreateTeam(title)),
            &[
                ("team.create_team.details.title", "TOO_LONG"),
                ("team.create_team.details.code", "TOO_LONG"),
            ],
        ),
        Bad::new(
            with_reason(long(1_001)),
            &[("plan.withdraw_plan.reason", "TOO_LONG")],
        ),
        Bad::new(
            write_status(&new_id(), &format!("{SECRET} har cpr 010203-1234.")),
            &[("plan.write_status.text", "CPR_NUMBER")],
        ),
        Bad::new(
            put_person(&new_id(), "Ib 0102031234", &new_id(), Role::Student),
            &[("person.put_person.name", "CPR_NUMBER")],
        ),
        Bad::new(
            affiliated(&new_id(), Role::Student.into(), "010203 1234"),
            &[("person.put_person.affiliations[0].grade", "CPR_NUMBER")],
        ),
        Bad::new(
            write_status(&new_id(), ""),
            &[("plan.write_status.text", "MISSING")],
        ),
        Bad::new(
            write_status(&new_id(), " \n\t"),
            &[("plan.write_status.text", "EMPTY")],
        ),
        Bad::new(
            with_reason(String::new()),
            &[("plan.withdraw_plan.reason", "EMPTY")],
        ),
        Bad::new(
            write_status(&new_id(), "bip\u{7}"),
            &[("plan.write_status.text", "CONTROL_CHARACTER")],
        ),
        Bad::new(
            register_institution(&new_id(), "Skolen\u{202e}neloks"),
            &[(
                "institution.register_institution.details.name",
                "CONTROL_CHARACTER",
            )],
        ),
        Bad::new(
            register_institution(&new_id(), "to\nlinjer"),
            &[(
                "institution.register_institution.details.name",
                "CONTROL_CHARACTER",
            )],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn values_that_do_not_exist_are_refused() {
    let section = |section| plan(&new_id(), OnPlan::ShowSection(ShowSection { section }));
    let goal = NewGoal {
        catalogue_scale: None,
        kind: 99,
        area: 0,
        wording: Some(own_words(SECRET)),
        scale: Some(scale()),
    };
    refused(vec![
        Bad::new(
            section(99),
            &[("plan.show_section.section", "UNKNOWN_ENUM")],
        ),
        Bad::new(section(0), &[("plan.show_section.section", "UNKNOWN_ENUM")]),
        Bad::new(
            section(-1),
            &[("plan.show_section.section", "UNKNOWN_ENUM")],
        ),
        Bad::new(
            affiliated(&new_id(), 99, "7"),
            &[("person.put_person.affiliations[0].role", "UNKNOWN_ENUM")],
        ),
        Bad::new(
            add_goal(goal),
            &[
                ("year_plan.add_goal.details.kind", "UNKNOWN_ENUM"),
                ("year_plan.add_goal.details.area", "UNKNOWN_ENUM"),
            ],
        ),
        Bad::new(
            follow_up(SECRET, "2026-02-29"),
            &[("plan.write_follow_up.follow_up_on", "MALFORMED_DATE")],
        ),
        Bad::new(
            follow_up(SECRET, "23/11/2026"),
            &[("plan.write_follow_up.follow_up_on", "MALFORMED_DATE")],
        ),
        Bad::new(
            follow_up(SECRET, "2026-11-23T00:00:00"),
            &[("plan.write_follow_up.follow_up_on", "MALFORMED_DATE")],
        ),
        Bad::new(
            rated(256),
            &[("plan.record_evaluation.assessment.level", "OUT_OF_RANGE")],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_missing_is_named_down_to_the_oneof() {
    let mut nothing = good();
    nothing.command = None;
    let mut no_operation = good();
    no_operation.command = Some(command::Command::Plan(PlanCommand {
        plan_id: new_id(),
        operation: None,
    }));
    let mut nobody = good();
    nobody.on_behalf_of = Some(Actor { actor: None });
    let no_details = RegisterInstitution { details: None };
    let no_item = ShowItem {
        item: Some(Item { item: None }),
    };
    let goal = |wording| NewGoal {
        catalogue_scale: None,
        kind: GoalKind::Subject.into(),
        area: GoalArea::Academic.into(),
        wording,
        scale: None,
    };
    refused(vec![
        Bad::new(nothing, &[("command", "MISSING")]),
        Bad::new(
            Command::default(),
            &[("command_id", "MISSING"), ("command", "MISSING")],
        ),
        Bad::new(no_operation, &[("plan.operation", "MISSING")]),
        Bad::new(nobody, &[("on_behalf_of.actor", "MISSING")]),
        Bad::new(
            institution(&new_id(), OnInstitution::RegisterInstitution(no_details)),
            &[("institution.register_institution.details", "MISSING")],
        ),
        Bad::new(
            plan(&new_id(), OnPlan::ShowItem(no_item)),
            &[("plan.show_item.item.item", "MISSING")],
        ),
        Bad::new(
            add_goal(goal(None)),
            &[
                ("year_plan.add_goal.details.wording", "MISSING"),
                ("year_plan.add_goal.details.scale", "MISSING"),
            ],
        ),
        Bad::new(
            add_goal(goal(Some(WordingChoice { wording: None }))),
            &[
                ("year_plan.add_goal.details.wording.wording", "MISSING"),
                ("year_plan.add_goal.details.scale", "MISSING"),
            ],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_stands_in_a_list_twice_is_refused() {
    let (ida, ib) = (new_id(), new_id());
    let twice = [ida.clone(), ib.clone(), ida.clone()];
    refused(vec![
        Bad::new(
            put_team(&twice, &[]),
            &[("team.put_team.member_ids[2]", "DUPLICATE")],
        ),
        Bad::new(
            put_team(&[], &[&ib, &ib]),
            &[("team.put_team.staff[1]", "DUPLICATE")],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn all_faults_of_a_batch_come_in_one_answer_and_nothing_of_it_is_done() {
    let (_server, voice) = Home::new().serve().await;
    let sound = register_institution(&new_id(), "Skolen");
    let mut same_id = register_institution(&new_id(), "En anden");
    same_id.command_id.clone_from(&sound.command_id);
    let faulty = write_status("010203-1234", "");
    let refused = voice
        .try_all(vec![sound, faulty, same_id])
        .await
        .unwrap_err();
    let expected = [
        ("commands[1].plan.plan_id", "CPR_NUMBER"),
        ("commands[1].plan.write_status.text", "MISSING"),
        ("commands[2].command_id", "DUPLICATE"),
    ];
    let expected = expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()));
    assert_eq!(refused.fields, expected);
    for number in [0, 1_001] {
        let commands = vec![good(); number];
        let refused = voice.try_all(commands).await.unwrap_err();
        assert_eq!(refused.paths(), ["commands"]);
    }
    assert_eq!(voice.position().await, 0);
}

/// A batch of commands, of which each names two fields at fault.
fn faulty(count: usize) -> ExecuteBatchRequest {
    let commands = (0..count).map(|_| Command {
        command_id: String::new(),
        ..write_status("", SECRET)
    });
    ExecuteBatchRequest {
        commands: commands.collect(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_answer_names_the_first_wrong_fields_and_counts_the_others() {
    let server = Home::new().start();
    let voice = server.voice().await;
    let status = voice.client.commands().execute_batch(faulty(900)).await;
    let status = status.unwrap_err();
    let details = tonic_types::StatusExt::get_error_details(&status);
    let named = details.bad_request().unwrap().field_violations.len();
    assert!((20..=50).contains(&named), "{named}");
    assert!(status.message().contains("more"), "{}", status.message());
    let left_out = &details.error_info().unwrap().metadata["violations_left_out"];
    // What would not be named is not looked for without end.
    let found = named + left_out.parse::<usize>().unwrap();
    assert!((1_000..1_100).contains(&found), "{found}");
    let mut headers = tonic::codegen::http::HeaderMap::new();
    status.add_header(&mut headers).unwrap();
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    assert!(bytes <= 8 << 10, "{bytes}");
    // A few are all named.
    let few = voice.client.commands().execute_batch(faulty(5)).await;
    let details = tonic_types::StatusExt::get_error_details(&few.unwrap_err());
    assert_eq!(details.bad_request().unwrap().field_violations.len(), 10);
}
