//! No answer of any method holds a text, a name or an id for which a gate or a right is shut, whatever has
//! happened.

use std::collections::BTreeSet;

use planledger_fixtures::dice::Dice;
use planledger_proto::v1::*;
use prost::{Message, Name as _};
use tonic::Status;

use super::World;
use super::world::{end_custody, leave_staff};
use crate::support::*;

/// What has happened, as far as it matters for who may read what.
#[derive(Clone, Copy, Debug)]
struct State {
    /// Whether the pedagogue is on the staff of the team.
    staff: bool,
    closed: bool,
    departed: bool,
    custody: bool,
    shared: bool,
    visible: bool,
    shown: bool,
    /// Whether the guardian of the other school has a grant as the student's guardian.
    granted: bool,
    /// Whether the student's guardian has one too, which lasts when custody ends.
    fostered: bool,
    /// Whether the teacher of the other school has a grant as the student's teacher.
    lent: bool,
    /// Whether a grant has ever told somebody of the other school the student's id.
    named: bool,
}

/// How many acts [`happen`] knows.
const ACTS: usize = 10;

const BEGINNING: State = State {
    staff: true,
    closed: false,
    departed: false,
    custody: true,
    shared: false,
    visible: false,
    shown: false,
    granted: false,
    fostered: false,
    lent: false,
    named: false,
};

impl State {
    fn open_to_guardians(self) -> bool {
        self.shared && self.visible && self.shown
    }
}

/// Lets something happen. Returns who has it done and what.
fn happen<'w>(
    world: &'w World,
    state: &mut State,
    given: &mut Given,
    act: usize,
) -> (&'w String, Command) {
    let (here, plan_id) = (&world.here.school, &world.here.plan);
    let (leader, teacher, office) = (&here.leader, &here.teacher, &world.administrator);
    let flipped = |flag: &mut bool| {
        *flag = !*flag;
        *flag
    };
    match act {
        0 => {
            let command = match flipped(&mut state.staff) {
                true => {
                    let staff = Some(TeamStaff {
                        person_id: here.pedagogue.clone(),
                        role: StaffRole::Pedagogue.into(),
                    });
                    team(&here.team, OnTeam::AddTeamStaff(AddTeamStaff { staff }))
                }
                false => leave_staff(&here.team, &here.pedagogue),
            };
            (leader, command)
        }
        1 => {
            let command = match flipped(&mut state.closed) {
                true => OnTeam::CloseTeam(CloseTeam { reason: None }),
                false => OnTeam::ReopenTeam(ReopenTeam {}),
            };
            (leader, team(&here.team, command))
        }
        2 => {
            let command = match flipped(&mut state.departed) {
                true => OnPerson::DepartPerson(DepartPerson::default()),
                false => OnPerson::ReturnPerson(ReturnPerson {}),
            };
            (leader, person(&here.pedagogue, command))
        }
        3 => {
            let command = match flipped(&mut state.custody) {
                true => {
                    let guardianship = Some(Guardianship {
                        guardian_id: here.guardian.clone(),
                        last_day: None,
                    });
                    let set = SetGuardianship { guardianship };
                    person(&here.student, OnPerson::SetGuardianship(set))
                }
                false => end_custody(&here.student, &here.guardian),
            };
            (office, command)
        }
        4 => {
            let command = match flipped(&mut state.shared) {
                true => OnPlan::SharePlan(SharePlan {}),
                false => OnPlan::UnsharePlan(UnsharePlan {}),
            };
            (teacher, plan(plan_id, command))
        }
        5 => {
            let visible = flipped(&mut state.visible);
            (
                teacher,
                set_visibility(plan_id, Audience::Guardians, visible),
            )
        }
        6 => {
            state.named = true;
            (office, given.flip(&mut state.granted, world, 0))
        }
        7 => (office, given.flip(&mut state.fostered, world, 1)),
        8 => {
            state.named = true;
            (office, given.flip(&mut state.lent, world, 2))
        }
        _ => {
            let section = Section::Status.into();
            let command = match flipped(&mut state.shown) {
                true => OnPlan::ShowSection(ShowSection { section }),
                false => OnPlan::HideSection(HideSection { section }),
            };
            (teacher, plan(plan_id, command))
        }
    }
}

/// The grants that are given and taken back: whose each is, and the present one.
#[derive(Default)]
struct Given([Option<String>; 3]);

impl Given {
    /// Gives a grant for the student, or takes it back.
    fn flip(&mut self, flag: &mut bool, world: &World, which: usize) -> Command {
        let (here, there) = (&world.here.school, &world.there.school);
        let (who, role) = match which {
            0 => (&there.guardian, AccessRole::Guardian),
            1 => (&here.guardian, AccessRole::Guardian),
            _ => (&there.teacher, AccessRole::Teacher),
        };
        *flag = !*flag;
        match self.0[which].take() {
            Some(grant) => revoke_grant(&grant, actor_person(who)),
            None => {
                let grant = new_id();
                let scope = GrantScope {
                    scope: Some(grant_scope::Scope::StudentId(here.student.clone())),
                };
                self.0[which] = Some(grant.clone());
                grant_role(&grant, actor_person(who), grant_details(role, scope))
            }
        }
    }
}

/// What somebody was told, and by which methods.
#[derive(Default)]
struct Told {
    bytes: Vec<u8>,
    asked: BTreeSet<String>,
}

impl Told {
    /// Notes what a method answers.
    fn note<A: Message>(&mut self, request: &str, answer: Result<A, Status>) {
        self.asked.insert(method_of(request));
        match answer {
            Ok(answer) => self.bytes.extend(answer.encode_to_vec()),
            Err(status) => {
                self.bytes.extend(format!("{status:?}").into_bytes());
                self.bytes.extend(status.details());
            }
        }
    }

    /// Notes what a method that answers with a stream said to its end.
    fn note_stream<A: Message>(&mut self, request: &str, answer: Result<Vec<A>, Refused>) {
        self.asked.insert(method_of(request));
        match answer {
            Ok(answers) => {
                for answer in answers {
                    self.bytes.extend(answer.encode_to_vec());
                }
            }
            Err(refused) => self.bytes.extend(refused.whole.into_bytes()),
        }
    }

    fn holds(&self, marker: &str) -> bool {
        let mut windows = self.bytes.windows(marker.len());
        windows.any(|part| part == marker.as_bytes())
    }
}

/// The method that a request is for: "GetPlanRequest" is for `get_plan`.
fn method_of(request: &str) -> String {
    let name = request.strip_suffix("Request").unwrap();
    let mut method = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !method.is_empty() {
            method.push('_');
        }
        method.push(letter.to_ascii_lowercase());
    }
    method
}

/// The methods that are not asked here: they change something, and what they answer is what they did.
const CHANGING: [&str; 6] = [
    "execute",
    "execute_batch",
    "execute_stream",
    "preview_stream",
    "run_recovery",
    "undo_recovery",
];

/// What the answers of a stream are, up to its end.
async fn all_of<A>(
    call: Result<tonic::Response<tonic::Streaming<A>>, Status>,
    root: &str,
) -> Result<Vec<A>, Refused> {
    let refused = |status| Refused::new(&status, root);
    let mut answers = call.map_err(refused)?.into_inner();
    let mut all = Vec::new();
    while let Some(answer) = next(&mut answers).await.map_err(refused)? {
        all.push(answer);
    }
    Ok(all)
}

macro_rules! tell {
    ($told:ident, $voice:ident; $($request:ident $fields:tt;)*) => {
        $(
            let answer = (ask!($request $fields)).send(&$voice.client).await;
            $told.note($request::NAME, answer);
        )*
    };
}

/// A request with these fields, and nothing in all others.
macro_rules! ask {
    ($request:ident { $($field:ident: $value:expr),* $(,)? }) => {
        $request { $($field: $value,)* ..$request::default() }
    };
}

/// Everything that a caller is told who asks for everything about a school. `at` is the moment that is
/// asked for where one can be.
#[allow(
    clippy::needless_update,
    reason = "a request can have the fields that are given and no others"
)]
async fn told(voice: &Voice, world: &World, of: &super::Place, at: Option<u64>) -> Told {
    let (school, plan_id) = (&of.school, &of.plan);
    let mut all = Told::default();
    let at = at.map(as_of_position);
    for viewer in [
        Viewer::Staff,
        Viewer::Student,
        Viewer::Guardians,
        Viewer::Others,
    ] {
        tell! { all, voice;
            GetPlanRequest { plan_id: plan_id.clone(), viewer: viewer.into(), at: at };
            GetCollectedViewRequest {
                student_id: school.student.clone(), viewer: viewer.into(), at: at
            };
            DiffPlanRequest {
                plan_id: plan_id.clone(), viewer: viewer.into(), from: Some(as_of_position(1)), to: at
            };
            GetYearPlanRequest { year_plan_id: of.course.year_plan.clone(), viewer: viewer.into() };
        }
    }
    let institutions = vec![school.institution.clone()];
    let plan_stream = format!("plan/{plan_id}");
    let about = AccessThing {
        thing: Some(access_thing::Thing::PlanId(plan_id.clone())),
    };
    tell! { all, voice;
        ListPlansRequest {
            filter: Some(list_plans_request::Filter::StudentId(school.student.clone()))
        };
        ListPlansRequest {
            filter: Some(list_plans_request::Filter::OwnerId(school.teacher.clone()))
        };
        ListPlansRequest { filter: Some(list_plans_request::Filter::TeamId(school.team.clone())) };
        GetPlanHistoryRequest { plan_id: plan_id.clone() };
        GetInstitutionRequest { institution_id: school.institution.clone() };
        ListInstitutionsRequest {};
        GetSchoolYearRequest { school_year_id: school.school_year.clone() };
        ListSchoolYearsRequest {};
        GetPersonRequest { person_id: school.student.clone() };
        ListPersonsRequest { institution_id: school.institution.clone() };
        GetTeamRequest { team_id: school.team.clone() };
        ListTeamsRequest {
            filter: Some(list_teams_request::Filter::InstitutionId(school.institution.clone()))
        };
        ListYearPlansRequest {
            filter: Some(list_year_plans_request::Filter::TeamId(school.team.clone()))
        };
        LookupPersonRequest { id: super::world::ROSTER_ID.to_owned() };
        ListRosterSourcesRequest {};
        GetCatalogueRequest { catalogue_id: new_id() };
        ListCataloguesRequest {};
        GetCatalogueItemRequest { catalogue_id: new_id(), item_id: new_id() };
        ListCatalogueItemsRequest { catalogue_id: new_id() };
        ListCatalogueScalesRequest { catalogue_id: new_id() };
        ListCatalogueGoalsRequest {
            catalogue_id: new_id(), institution_id: school.institution.clone()
        };
        GetOverviewRequest {};
        GetOverviewRequest { institution_ids: institutions.clone(), by: OverviewBy::Team.into() };
        GetSurveyOverviewRequest {};
        GetSurveyOverviewRequest { institution_ids: institutions.clone() };
        ListSurveyDiscussionsRequest {};
        ListSurveyDiscussionsRequest { institution_ids: institutions };
        ListOwnedRequest { person_id: school.teacher.clone() };
        ListOwnerlessRequest { institution_id: school.institution.clone() };
        ListSuggestionsRequest { institution_id: school.institution.clone() };
        ListSuccessorsRequest { stream: plan_stream.clone() };
        PreviewDeletionRequest { stream: format!("team/{}", school.team) };
        ProposeRecoveryRequest { wish: Some(give(&[&plan_stream], &school.pedagogue)) };
        GetRecoveryRequest { recovery_id: world.recovery.clone() };
        ListRecoveriesRequest {};
        RevertPlanRequest {
            command_id: new_id(), plan_id: plan_id.clone(), to: Some(as_of_position(1)),
            reason: "prøve".to_owned(), dry_run: true
        };
        GetStatusRequest {};
        ListGrantsRequest {};
        ListGrantsRequest { grantee: Some(actor_person(&school.guardian)) };
        GetSystemRequest { system_id: new_id() };
        ListSystemsRequest {};
        ListErasuresRequest {};
        ListDueErasuresRequest { classes: vec![retention_class("alle", "1d")] };
        ExplainAccessRequest {
            actor: Some(actor_person(&school.teacher)), action: "read_plan_as_staff".to_owned(),
            about: Some(about)
        };
        ReviewAccessRequest {};
        ListReadersRequest { student_id: school.student.clone() };
        GetVerifierKeysRequest {};
        GetCheckpointRequest {};
        ListCheckpointsRequest {};
        GetInclusionProofRequest { position: 1 };
        GetConsistencyProofRequest { from_size: 1 };
    }
    let filters = [
        None,
        Some(events_of_student(&school.student)),
        Some(EventFilter {
            streams: vec![plan_stream],
            ..EventFilter::default()
        }),
    ];
    for filter in filters {
        let request = ReadEventsRequest {
            filter: filter.clone(),
            ..ReadEventsRequest::default()
        };
        let answer = voice.read_events(request).await;
        all.note_stream(ReadEventsRequest::NAME, answer.map(|(events, _)| events));
        let request = FollowEventsRequest {
            filter,
            ..FollowEventsRequest::default()
        };
        let answer = match voice.follow(request).await {
            Ok(mut follower) => follower.past_or_end().await,
            Err(refused) => Err(refused),
        };
        all.note_stream(FollowEventsRequest::NAME, answer);
    }
    let mut roster = voice.client.roster();
    let request = ListRosterMembersRequest {
        source: super::world::SOURCE.to_owned(),
        min_position: 0,
    };
    let answers = roster.list_roster_members(request).await;
    let name = ListRosterMembersRequest::NAME;
    all.note_stream(
        name,
        all_of(answers, &ListRosterMembersRequest::full_name()).await,
    );
    let request = ListRosterLinksRequest {
        source: super::world::SOURCE.to_owned(),
        streams: vec![format!("team/{}", school.team)],
        min_position: 0,
    };
    let answers = roster.list_roster_links(request).await;
    let name = ListRosterLinksRequest::NAME;
    all.note_stream(
        name,
        all_of(answers, &ListRosterLinksRequest::full_name()).await,
    );
    let scope = export_bundle_request::Scope::PlanId(plan_id.clone());
    all.asked.insert(method_of(ExportBundleRequest::NAME));
    match voice.export(bundle_of(scope)).await {
        Ok(bundle) => all.bytes.extend(bundle.into_bytes()),
        Err(refused) => all.bytes.extend(refused.whole.into_bytes()),
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_holds_a_text_for_which_a_gate_or_right_is_shut() {
    for seed in 0..2 {
        let world = World::found().await;
        let server = world.serve();
        let voice = server.voice().await;
        let auditor = voice.person(&world.auditor);
        let mut dice = Dice::new(seed);
        let mut state = BEGINNING;
        let mut given = Given::default();
        let mut past = (auditor.position().await, state);
        let elsewhere = counts(&voice, &world).await;
        for step in 0..8 {
            let before = (state, given.0.clone());
            // The first ones are of each kind that gives or ends a right to somebody outside.
            let act = match step {
                0 if seed == 0 => 6,
                1 if seed == 0 => 8,
                2 => 3,
                _ => dice.below(ACTS),
            };
            let (by, command) = happen(&world, &mut state, &mut given, act);
            if let Err(refused) = voice.person(by).try_execute(command).await {
                // Nobody joins a team that is closed, and nobody who has left does.
                assert_ne!(refused.reason, "ACCESS_DENIED");
                (state, given.0) = before;
            }
            for at in [None, Some(past)] {
                let then = at.map_or(state, |(_, then)| then);
                check(&world, &voice, state, then, at.map(|(at, _)| at)).await;
            }
            assert_eq!(counts(&voice, &world).await, elsewhere, "{state:?}");
            if dice.below(3) == 0 {
                past = (auditor.position().await, state);
            }
        }
    }
}

/// What the leader of the other school is told of counts and lists that name no institution: nothing that
/// happens at the first school changes it.
async fn counts(voice: &Voice, world: &World) -> String {
    let leader = voice.person(&world.there.school.leader);
    let overview = leader.ask(GetOverviewRequest::default()).await.unwrap();
    let surveys = leader
        .ask(GetSurveyOverviewRequest::default())
        .await
        .unwrap();
    let discussed = leader
        .ask(ListSurveyDiscussionsRequest::default())
        .await
        .unwrap();
    let recoveries = leader.ask(ListRecoveriesRequest::default()).await.unwrap();
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        overview.rows,
        overview.total,
        surveys.rows,
        surveys.total,
        discussed.discussions,
        recoveries.recoveries,
    )
}

/// Holds what everybody is told against what they may know.
async fn check(world: &World, voice: &Voice, now: State, then: State, at: Option<u64>) {
    let (here, there) = (&world.here.school, &world.there.school);
    let staff = now.staff && !now.closed && !now.departed;
    let (custody, fostered) = (now.custody, now.fostered);
    // The present decides who may look at the past; what is shown then was shown then.
    let open = then.open_to_guardians();
    let guardian = (custody || fostered) && open;
    let mut asked = BTreeSet::new();
    // Who may read the text, and who may learn that there is such a student, and such a plan.
    for (who, text, name) in [
        (&world.auditor, true, None),
        (&here.teacher, true, None),
        (&here.leader, true, None),
        (&here.pedagogue, staff, None),
        (&here.guardian, guardian, Some(custody || fostered)),
        (&here.student, false, None),
        (&here.classmate, false, Some(false)),
        (&there.teacher, now.lent, Some(now.lent)),
        (&there.leader, false, Some(false)),
        (&there.guardian, now.granted && open, Some(now.granted)),
        (&there.student, false, Some(false)),
        (&world.administrator, false, None),
    ] {
        let mut told = told(&voice.person(who), world, &world.here, at).await;
        let says = format!("{who} of {here:?}: {now:?} {then:?} {at:?}");
        assert_eq!(told.holds(&world.here.marker), text, "{says}");
        if name == Some(false) {
            assert!(!told.holds(super::world::STUDENT_HERE), "name: {says}");
            assert!(!told.holds(&world.here.plan), "plan: {says}");
            // Whoever had a grant for the student, or leads somebody who had, knows the id from it.
            let outside = [&there.teacher, &there.guardian, &there.leader];
            let knows = who == &here.guardian || (now.named && outside.contains(&who));
            assert!(knows || !told.holds(&here.student), "student: {says}");
        }
        asked.append(&mut told.asked);
    }
    let all = methods().into_iter();
    let readable: BTreeSet<_> = all
        .filter(|method| !CHANGING.contains(&&**method))
        .collect();
    assert_eq!(asked, readable, "every method that answers is asked");
    let told = told(&voice.person(&here.leader), world, &world.there, at).await;
    assert!(!told.holds(&world.there.marker));
    assert!(!told.holds(&there.student) && !told.holds(&world.there.plan));
}
