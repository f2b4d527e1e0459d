//! From an empty ledger to a school at work, in production mode: who may do what, all of it shown by
//! tokens and certificates over real sockets.

use std::path::Path;
use std::sync::Arc;

use planledger::server::granted::Granted;
use planledger_fixtures::place::copy;
use planledger_proto::v1::*;
use prost_reflect::{DynamicMessage, ReflectMessage};
use serde_json::json;
use tempfile::TempDir;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use super::erasing::erasing;
use super::place::{Asked, Place, trusting};
use super::provider::{Provider, SOURCE, but};
use super::signer::Signer;
use crate::support::*;

/// Methods whose answers say of each message of a stream that it may not be.
const PER_MESSAGE: [&str; 2] = ["ExecuteStream", "PreviewStream"];

pub(super) struct City {
    home: Home,
    pub(super) signer: Signer,
    pub(super) provider: Provider,
    pub(super) place: Place,
}

impl City {
    /// An empty ledger with its first administrator, and a server in production mode.
    fn found() -> Self {
        let home = Home::new();
        let dir = home.path().to_str().unwrap();
        let first = ["access", "bootstrap", "--dir", dir, "--source", SOURCE];
        let ran = run([&first[..], &["--id", "inge", "--name", "Inge Holm"]].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let signer = Signer::p256("a");
        let provider = Provider::with(&[&signer]);
        let asked = Asked {
            authorizer: Some(Arc::new(Granted)),
            notary: true,
            ..trusting(&provider, Vec::new())
        };
        let place = Place::start(&home, asked);
        Self {
            home,
            signer,
            provider,
            place,
        }
    }

    pub(super) async fn person(&self, uid: &str) -> Voice {
        let token = self.signer.token(&self.provider.person(uid));
        self.place.with_token(&token).await
    }

    /// Somebody who works in the learning platform: the token names both.
    pub(super) async fn in_platform(&self, uid: &str) -> Voice {
        let claims = self.provider.person(uid);
        let claims = but(&claims, "act", json!({"sub": "platform"}));
        self.place.with_token(&self.signer.token(&claims)).await
    }

    /// Somebody who reads in the portal: the portal says for whom it asks.
    async fn in_portal(&self, person: &str) -> Voice {
        let token = self.signer.token(&self.provider.system("portal"));
        self.place.with_token_for(&token, Some(person)).await
    }

    /// The administrator registers the systems, and grants each its role.
    async fn admit_systems(&self, administrator: &Voice) -> [String; 3] {
        let client = |client: &str| {
            system_identity::Identity::Client(TokenClient {
                issuer: self.provider.url(),
                client_id: client.to_owned(),
            })
        };
        let roster = system_identity::Identity::DnsName("roster.example".to_owned());
        let kinds = [
            (roster, SystemKind::Roster, AccessRole::RosterSystem, false),
            (
                client("platform"),
                SystemKind::LearningPlatform,
                AccessRole::LearningPlatform,
                false,
            ),
            (
                client("portal"),
                SystemKind::Portal,
                AccessRole::Portal,
                true,
            ),
        ];
        let mut ids = Vec::new();
        for (identity, kind, role, by_header) in kinds {
            let id = new_id();
            let details = SystemDetails {
                name: "System".to_owned(),
                kind: kind.into(),
                identities: vec![SystemIdentity {
                    identity: Some(identity),
                }],
                may_act_for_people: kind != SystemKind::Roster,
                may_name_person_in_header: by_header,
            };
            let details = Some(details);
            let register = OnSystem::RegisterSystem(RegisterSystem { details });
            let grant = grant_details(role, municipality());
            let grant = grant_role(&new_id(), actor_system(&id), grant);
            administrator.execute(system(&id, register)).await;
            administrator.execute(grant).await;
            ids.push(id);
        }
        ids.try_into().unwrap()
    }

    /// The system for rosters imports the school, by the program and with its certificate.
    async fn import(&self) -> Voice {
        let folder = school();
        let issued = self.place.authority.dns("roster.example");
        let files = issued.write(self.place.path(), "roster");
        let (certificate, key) = (files.0.to_str().unwrap(), files.1.to_str().unwrap());
        let ca = self.place.path().join("ca.pem");
        let url = &self.place.server.url;
        let import = ["import", "roster", folder.path().to_str().unwrap()];
        let from = ["--source", SOURCE, "--server", url];
        let shown = ["--cert", certificate, "--key", key];
        let ca = ["--ca-file", ca.to_str().unwrap()];
        let arguments = [&import[..], &from, &shown, &ca].concat();
        run(arguments).done();
        self.place.with_certificate(files).await.unwrap()
    }
}

/// The school of the import's cases, with two more people who are neither staff nor students.
fn school() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("blackbox/imports/case-files/school");
    copy(&files, folder.path());
    let users = folder.path().join("users.csv");
    let text = std::fs::read_to_string(&users).unwrap();
    let more = "rev,,,true,s2,proctor,rev,,Rita,Holm,,,,,,,,\n\
                nob,,,true,s2,proctor,nob,,Nils,Holm,,,,,,,,\n";
    std::fs::write(users, format!("{text}{more}")).unwrap();
    folder
}

/// The person whom the roster knows by an id.
async fn known(voice: &Voice, id: &str) -> String {
    let request = LookupPersonRequest {
        source: SOURCE.to_owned(),
        id: id.to_owned(),
        min_position: 0,
    };
    let found = voice.ask(request).await.unwrap();
    assert_eq!(found.persons.len(), 1, "{id}");
    found.persons[0].person_id.clone()
}

/// Who and what the roster has brought.
async fn brought(roster: &Voice) -> School {
    let teacher = known(roster, "ta").await;
    let request = ListTeamsRequest {
        filter: Some(list_teams_request::Filter::PersonId(teacher.clone())),
        ..ListTeamsRequest::default()
    };
    let teams = roster.ask(request).await.unwrap().teams;
    let details = teams[0].details.clone().unwrap();
    School {
        institution: details.institution_id,
        school_year: details.school_year_id.unwrap(),
        teacher,
        pedagogue: known(roster, "tb").await,
        leader: known(roster, "l1").await,
        student: known(roster, "e1").await,
        classmate: known(roster, "e2").await,
        guardian: known(roster, "g1").await,
        team: teams[0].team_id.clone(),
    }
}

pub(super) fn is_denied<T: std::fmt::Debug>(answer: Result<T, Refused>) {
    let refused = answer.unwrap_err();
    assert_eq!(refused.reason, "ACCESS_DENIED", "{refused:?}");
    assert_eq!(refused.code, Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_school_is_set_up_and_everybody_may_do_what_is_theirs() {
    let city = City::found();
    let administrator = city.person("inge").await;
    let [_, _, portal] = city.admit_systems(&administrator).await;
    let roster = city.import().await;
    let school = brought(&roster).await;
    is_denied(roster.try_execute(write_status(&new_id(), "x")).await);
    let auditor = known(&roster, "rev").await;
    let grant = grant_details(AccessRole::Auditor, municipality());
    administrator
        .execute(grant_role(&new_id(), actor_person(&auditor), grant))
        .await;

    let teacher = city.in_platform("ta").await;
    let (plan, classmates) = teaching(&teacher, &school).await;
    guarding(&city, &administrator, &school, &plan, &classmates).await;
    following(&city, &school, &plan).await;
    leading(&city, &school, &plan).await;
    auditing(&city, &plan).await;
    looking_back(&city, &school, &auditor).await;

    // A system that is revoked is nobody from then on.
    let reader = city.in_portal(&school.student).await;
    reader.plan(&plan, Viewer::Student).await;
    let revoke = OnSystem::RevokeSystem(RevokeSystem { reason: None });
    administrator.execute(system(&portal, revoke)).await;
    let refused = reader
        .try_plan(&plan, Viewer::Student, None)
        .await
        .unwrap_err();
    assert_eq!(refused.code, Code::Unauthenticated);
    assert_eq!(refused.reason, "SYSTEM_UNKNOWN");
    erasing(&city, &administrator, &school, &plan).await;
    assert!(city.home.path().exists());
}

/// A teacher writes a plan, shares and evaluates it, and one for a classmate.
async fn teaching(teacher: &Voice, school: &School) -> (String, String) {
    let course = school.course(teacher, YearPlanKind::Subject).await;
    let plan_id = school.plan(teacher, &course).await;
    let classmates = school.plan_of(teacher, &school.classmate, &course).await;
    for id in [&plan_id, &classmates] {
        let share = plan(id, OnPlan::SharePlan(SharePlan {}));
        let visible = |audience| set_visibility(id, audience, true);
        let commands = [
            write_status(id, "Læser sikkert"),
            share,
            visible(Audience::Guardians),
            visible(Audience::Student),
        ];
        teacher.all(commands).await;
    }
    let goal = &course.subject_goal;
    let evaluate = course.evaluate(&plan_id, &new_id(), goal, assessment(1, "God fremgang"));
    teacher.execute(evaluate).await;
    // The platform alone may do nothing of it, and neither may the person for somebody else.
    let other = Command {
        on_behalf_of: Some(actor_person(&school.leader)),
        ..write_status(&plan_id, "x")
    };
    let refused = teacher.try_execute(other).await.unwrap_err();
    assert_eq!(refused.reason, "ON_BEHALF_OF_ANOTHER");
    (plan_id, classmates)
}

/// A guardian reads the child's plan in the portal until custody ends, and nobody else's.
async fn guarding(
    city: &City,
    administrator: &Voice,
    school: &School,
    plan: &str,
    classmates: &str,
) {
    let guardian = city.in_portal(&school.guardian).await;
    guardian.plan(plan, Viewer::Guardians).await;
    let collected = get_collected(&school.student, Viewer::Guardians, None);
    guardian.ask(collected.clone()).await.unwrap();
    is_denied(guardian.try_plan(plan, Viewer::Staff, None).await);
    is_denied(guardian.try_plan(classmates, Viewer::Guardians, None).await);
    is_denied(guardian.try_plan(&new_id(), Viewer::Guardians, None).await);
    is_denied(guardian.try_execute(write_status(plan, "x")).await);
    // Events tell more than the guardians' view, so they are for others.
    let follow = FollowEventsRequest {
        filter: Some(events_of_student(&school.student)),
        ..FollowEventsRequest::default()
    };
    assert_eq!(
        guardian.follow(follow).await.err().unwrap().reason,
        "ACCESS_DENIED"
    );
    // So the portal follows by reading again and again, and custody ends meanwhile.
    let (seen, mut reading) = tokio::sync::watch::channel(0_u64);
    let portal = (guardian.clone(), plan.to_owned());
    let following = tokio::spawn(async move {
        let (guardian, plan) = portal;
        loop {
            match guardian.try_plan(&plan, Viewer::Guardians, None).await {
                Ok(_) => seen.send_modify(|times| *times += 1),
                Err(refused) => return refused,
            }
        }
    });
    reading.wait_for(|times| *times > 1).await.unwrap();
    let yesterday = planledger::system::today().yesterday().unwrap();
    let end = EndGuardianship {
        guardian_id: school.guardian.clone(),
        last_day: yesterday.to_string(),
    };
    let end = person(&school.student, OnPerson::EndGuardianship(end));
    administrator.execute(end).await;
    // What is asked for after the receipt is denied.
    is_denied(guardian.try_plan(plan, Viewer::Guardians, None).await);
    is_denied(guardian.ask(collected).await);
    assert_eq!(following.await.unwrap().reason, "ACCESS_DENIED");
}

/// A colleague follows what happens to the student until the leader ends that.
async fn following(city: &City, school: &School, plan: &str) {
    let leader = city.in_platform("l1").await;
    let colleague = &school.pedagogue;
    let follow = FollowEventsRequest {
        filter: Some(events_of_student(&school.student)),
        ..FollowEventsRequest::default()
    };
    let follower = city.in_platform("tb").await;
    let refused = follower.follow(follow.clone()).await.err().unwrap();
    assert_eq!(refused.reason, "ACCESS_DENIED");
    let staff = Some(TeamStaff {
        person_id: colleague.clone(),
        role: StaffRole::Teacher.into(),
    });
    let leader_alone = city.person("l1").await;
    let join = team(&school.team, OnTeam::AddTeamStaff(AddTeamStaff { staff }));
    // Whoever leads a school may write its teams; the platform may not do that for anybody.
    is_denied(leader.try_execute(join.clone()).await);
    leader_alone.execute(join).await;
    let mut follower = follower.follow(follow).await.unwrap();
    follower.past().await;
    let teacher = city.in_platform("ta").await;
    teacher.execute(write_status(plan, "Øver sig")).await;
    follower.live(1).await;
    let person_id = colleague.clone();
    let leave = OnTeam::RemoveTeamStaff(RemoveTeamStaff { person_id });
    leader_alone.execute(team(&school.team, leave)).await;
    teacher.execute(write_status(plan, "Fortrolig")).await;
    let ended = follower.next().await;
    let Followed::Ended(refused) = ended else {
        panic!("{ended:?}")
    };
    assert_eq!(refused.reason, "ACCESS_DENIED");
    let resume = &refused.metadata["resume_position"];
    assert_eq!(*resume, follower.resume.to_string());
}

/// A leader sees what a teacher owns, and gives a plan to another one.
async fn leading(city: &City, school: &School, plan: &str) {
    let leader = city.person("l1").await;
    let owned = leader.owned(&school.teacher).await;
    assert!(!owned.is_empty());
    let plan = format!("plan/{plan}");
    leader.fulfil(give(&[&plan], &school.pedagogue)).await;
    let owned = leader.owned(&school.pedagogue).await;
    assert!(owned.iter().any(|item| item.stream == plan), "{owned:?}");
    let teacher = city.person("ta").await;
    let wish = give(&[&plan], &school.teacher);
    is_denied(teacher.run(&new_id(), wish, &"0".repeat(32)).await);
}

/// An auditor reads and exports everything, and writes nothing.
async fn auditing(city: &City, plan: &str) {
    let auditor = city.person("rev").await;
    assert!(!auditor.all_events().await.is_empty());
    let administrator = city.person("inge").await;
    let checkpoint = GetCheckpointRequest {
        create: true,
        min_size: 0,
    };
    administrator.ask(checkpoint).await.unwrap();
    let scope = export_bundle_request::Scope::PlanId(plan.to_owned());
    auditor.export(bundle_of(scope)).await.unwrap();
    is_denied(auditor.try_execute(write_status(plan, "x")).await);
}

/// The student sees in the portal who has read the plans: everybody who did, and nobody who was denied.
async fn looking_back(city: &City, school: &School, auditor: &str) {
    let student = city.in_portal(&school.student).await;
    let request = ListReadersRequest {
        student_id: school.student.clone(),
        page_size: 1_000,
        ..ListReadersRequest::default()
    };
    let reads = student.ask(request.clone()).await.unwrap().reads;
    let who = |read: &PlanRead| read.on_behalf_of.clone().or(read.actor.clone());
    let mut found: Vec<_> = reads
        .iter()
        .map(|read| (read.method.clone(), who(read)))
        .collect();
    found.reverse();
    found.dedup();
    let expected = [
        ("GetPlan", &school.guardian),
        ("GetCollectedView", &school.guardian),
        ("GetPlan", &school.guardian),
        ("FollowEvents", &school.pedagogue),
        ("ReadEvents", &auditor.to_owned()),
        ("ExportBundle", &auditor.to_owned()),
    ];
    let expected = expected.map(|(method, who)| (method.to_owned(), Some(actor_person(who))));
    assert_eq!(found, expected);
    is_denied(city.in_platform("ta").await.ask(request.clone()).await);
    // The leader and the administrator can look too, and that they did is seen.
    for who in ["l1", "inge"] {
        let seen = city.person(who).await.ask(request.clone()).await.unwrap();
        assert!(seen.reads.len() > reads.len(), "{who}");
    }
    let reads = student.ask(request).await.unwrap().reads;
    let [administrator, leader, ..] = reads.as_slice() else {
        panic!("{reads:?}");
    };
    assert_eq!(leader.actor, Some(actor_person(&school.leader)));
    assert_ne!(administrator.actor, leader.actor);
    for read in [administrator, leader] {
        assert_eq!(read.method, "ListReaders");
    }
}

/// Methods to which a message with something in each field is malformed whatever the ledger holds.
/// `rights::methods` asks them in a well-formed way.
const MALFORMED: [&str; 14] = [
    "ListDueErasures",
    "GetInclusionProof",
    "RevertPlan",
    "ReadEvents",
    "FollowEvents",
    "GetOverview",
    "GetSurveyOverview",
    "ListSurveyDiscussions",
    "ListSuccessors",
    "PreviewDeletion",
    "ProposeRecovery",
    "RunRecovery",
    "DiffPlan",
    "ListRosterLinks",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_no_role_may_do_nothing() {
    let city = City::found();
    let administrator = city.person("inge").await;
    city.admit_systems(&administrator).await;
    city.import().await;
    let token = city.signer.token(&city.provider.person("nob"));
    let ca = Certificate::from_pem(city.place.authority.pem());
    let endpoint = Endpoint::from_shared(city.place.server.url.clone()).unwrap();
    let endpoint = endpoint.tls_config(ClientTlsConfig::new().ca_certificate(ca));
    let channel = endpoint.unwrap().connect().await.unwrap();
    let mut otherwise = Vec::new();
    for (path, request) in requests() {
        if PER_MESSAGE.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        let mut grpc = Grpc::new(channel.clone());
        grpc.ready().await.unwrap();
        let codec = ProstCodec::<DynamicMessage, ()>::default();
        let message = request.descriptor().full_name().to_owned();
        let mut request = Request::new(request);
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
        let to = path.parse::<PathAndQuery>().unwrap();
        let answer = match grpc.server_streaming(request, to, codec).await {
            Ok(answers) => answers.into_inner().message().await.map(drop),
            Err(status) => Err::<(), Status>(status),
        };
        let reason = answer.map_err(|status| Refused::new(&status, &message).reason);
        if reason != Err("ACCESS_DENIED".to_owned()) {
            assert_eq!(reason, Err("REQUEST_INVALID".to_owned()), "{path}");
            let (_, method) = path.rsplit_once('/').unwrap();
            otherwise.push(method.to_owned());
        }
    }
    assert_eq!(otherwise, MALFORMED);
}
