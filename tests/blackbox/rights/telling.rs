//! No answer of any method holds a text for which a gate or a right is shut, whatever has happened.

use planledger_fixtures::dice::Dice;
use planledger_proto::v1::*;
use prost::Message;

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
}

const BEGINNING: State = State {
    staff: true,
    closed: false,
    departed: false,
    custody: true,
    shared: false,
    visible: false,
    shown: false,
};

impl State {
    fn open_to_guardians(self) -> bool {
        self.shared && self.visible && self.shown
    }
}

/// Lets something happen. Returns who has it done and what.
fn happen<'w>(world: &'w World, state: &mut State, act: usize) -> (&'w String, Command) {
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

macro_rules! told {
    ($voice:ident; $($request:expr;)*) => {{
        let mut told = Vec::new();
        $(match $request.send(&$voice.client).await {
            Ok(answer) => told.extend(answer.encode_to_vec()),
            Err(status) => told.extend(format!("{status:?}").into_bytes()),
        })*
        told
    }};
}

/// Everything that a caller is told who asks for everything about a school. `at` is the moment that is
/// asked for where one can be.
async fn told(voice: &Voice, world: &World, of: &super::Place, at: Option<u64>) -> Vec<u8> {
    let (school, plan_id) = (&of.school, &of.plan);
    let mut all = Vec::new();
    let at = at.map(as_of_position);
    for viewer in [
        Viewer::Staff,
        Viewer::Student,
        Viewer::Guardians,
        Viewer::Others,
    ] {
        all.extend(told! { voice;
            GetPlanRequest {
                plan_id: plan_id.clone(),
                viewer: viewer.into(),
                min_position: 0,
                at,
            };
            get_collected(&school.student, viewer, at);
            DiffPlanRequest {
                plan_id: plan_id.clone(),
                viewer: viewer.into(),
                from: Some(as_of_position(1)),
                to: at,
                ..DiffPlanRequest::default()
            };
            GetYearPlanRequest {
                year_plan_id: of.course.year_plan.clone(),
                viewer: viewer.into(),
                min_position: 0,
            };
        });
    }
    all.extend(told! { voice;
        ListPlansRequest {
            filter: Some(list_plans_request::Filter::StudentId(school.student.clone())),
            ..ListPlansRequest::default()
        };
        ListPlansRequest {
            filter: Some(list_plans_request::Filter::OwnerId(school.teacher.clone())),
            ..ListPlansRequest::default()
        };
        GetPlanHistoryRequest { plan_id: plan_id.clone(), ..GetPlanHistoryRequest::default() };
        GetPersonRequest { person_id: school.student.clone(), min_position: 0 };
        ListPersonsRequest {
            institution_id: school.institution.clone(),
            ..ListPersonsRequest::default()
        };
        GetTeamRequest { team_id: school.team.clone(), min_position: 0 };
        ListInstitutionsRequest::default();
        ListCatalogueGoalsRequest {
            catalogue_id: new_id(),
            institution_id: school.institution.clone(),
            ..ListCatalogueGoalsRequest::default()
        };
        GetOverviewRequest::default();
        GetSurveyOverviewRequest::default();
        ListSurveyDiscussionsRequest::default();
        ListOwnedRequest { person_id: school.teacher.clone(), ..ListOwnedRequest::default() };
        ListOwnerlessRequest {
            institution_id: school.institution.clone(),
            ..ListOwnerlessRequest::default()
        };
        ListSuggestionsRequest {
            institution_id: school.institution.clone(),
            ..ListSuggestionsRequest::default()
        };
        ProposeRecoveryRequest {
            wish: Some(give(&[&format!("plan/{plan_id}")], &school.pedagogue)),
            ..ProposeRecoveryRequest::default()
        };
        GetRecoveryRequest {
            recovery_id: world.recovery.clone(),
            ..GetRecoveryRequest::default()
        };
        ListRecoveriesRequest::default();
        RevertPlanRequest {
            command_id: new_id(),
            plan_id: plan_id.clone(),
            to: Some(as_of_position(1)),
            reason: "prøve".to_owned(),
            dry_run: true,
            ..RevertPlanRequest::default()
        };
        inclusion(1, 0);
    });
    let filters = [
        None,
        Some(events_of_student(&school.student)),
        Some(EventFilter {
            streams: vec![format!("plan/{plan_id}")],
            ..EventFilter::default()
        }),
    ];
    for filter in filters {
        let request = ReadEventsRequest {
            filter,
            ..ReadEventsRequest::default()
        };
        match voice.read_events(request).await {
            Ok((events, _)) => {
                for event in events {
                    all.extend(event.encode_to_vec());
                }
            }
            Err(refused) => all.extend(refused.whole.into_bytes()),
        }
    }
    let scope = export_bundle_request::Scope::PlanId(plan_id.clone());
    match voice.export(bundle_of(scope)).await {
        Ok(bundle) => all.extend(bundle.into_bytes()),
        Err(refused) => all.extend(refused.whole.into_bytes()),
    }
    all
}

fn holds(told: &[u8], marker: &str) -> bool {
    told.windows(marker.len())
        .any(|part| part == marker.as_bytes())
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
        let mut past = (auditor.position().await, state);
        for _ in 0..8 {
            let before = state;
            let (by, command) = happen(&world, &mut state, dice.below(7));
            if let Err(refused) = voice.person(by).try_execute(command).await {
                // Nobody joins a team that is closed, and nobody who has left does.
                assert_ne!(refused.reason, "ACCESS_DENIED");
                state = before;
            }
            for at in [None, Some(past)] {
                let then = at.map_or(state, |(_, then)| then);
                check(&world, &voice, state, then, at.map(|(at, _)| at)).await;
            }
            if dice.below(3) == 0 {
                past = (auditor.position().await, state);
            }
        }
    }
}

/// Holds what everybody is told against what they may know.
async fn check(world: &World, voice: &Voice, now: State, then: State, at: Option<u64>) {
    let (here, there) = (&world.here.school, &world.there.school);
    let staff = now.staff && !now.closed && !now.departed;
    // The present decides who may look at the past; what is shown then was shown then.
    let guardian = now.custody && then.open_to_guardians();
    for (who, may) in [
        (&world.auditor, true),
        (&here.teacher, true),
        (&here.leader, true),
        (&here.pedagogue, staff),
        (&here.guardian, guardian),
        (&here.student, false),
        (&here.classmate, false),
        (&there.teacher, false),
        (&there.leader, false),
        (&there.guardian, false),
        (&world.administrator, false),
    ] {
        let told = told(&voice.person(who), world, &world.here, at).await;
        assert_eq!(
            holds(&told, &world.here.marker),
            may,
            "{now:?} {then:?} {at:?}"
        );
    }
    let told = told(&voice.person(&here.leader), world, &world.there, at).await;
    assert!(!holds(&told, &world.there.marker));
}
