//! Three teachers leave at once, and the server is killed in the middle of handing over what was
//! theirs.

use std::collections::BTreeMap;

use planledger_proto::v1::recovery_wish::Wish;
use planledger_proto::v1::transfer::{Fallback, Rule};
use planledger_proto::v1::*;

use super::{delete_team, depart};
use crate::support::*;

const TEAMS: usize = 20;
const STUDENTS: usize = 3;

/// A school with twenty teams, each with a year plan and a plan for every student.
struct Story {
    school: School,
    students: Vec<String>,
    guardian: String,
    /// Who owns each team.
    teachers: [String; 4],
    teams: Vec<String>,
    year_plans: Vec<String>,
    plans: Vec<String>,
}

impl Story {
    async fn begin(voice: &Voice) -> Self {
        let school = School::found(voice).await;
        let ids = |count: usize| (0..count).map(|_| new_id()).collect::<Vec<_>>();
        let story = Self {
            students: ids(STUDENTS),
            guardian: new_id(),
            teachers: std::array::from_fn(|_| new_id()),
            teams: ids(TEAMS),
            year_plans: ids(TEAMS),
            plans: ids(TEAMS * STUDENTS),
            school,
        };
        voice.all(story.people()).await;
        for team in 0..TEAMS {
            voice.all(story.team(team)).await;
        }
        story
    }

    fn people(&self) -> Vec<Command> {
        let at = &self.school.institution;
        let mut commands = vec![put_person(&self.guardian, "Værge", at, Role::Guardian)];
        let teachers = self.teachers.iter();
        commands.extend(teachers.map(|id| put_person(id, "Lærer", at, Role::Teacher)));
        for student in &self.students {
            commands.push(put_person(student, "Elev", at, Role::Student));
            let guardianship = Some(Guardianship {
                guardian_id: self.guardian.clone(),
                last_day: None,
            });
            let set = OnPerson::SetGuardianship(SetGuardianship { guardianship });
            commands.push(person(student, set));
        }
        commands
    }

    fn owner(&self, team: usize) -> &String {
        &self.teachers[team % self.teachers.len()]
    }

    /// A team with its year plan, and a plan of each student that the guardian sees.
    fn team(&self, nth: usize) -> Vec<Command> {
        let (id, owner) = (&self.teams[nth], self.owner(nth));
        let create = CreateTeam {
            details: Some(self.school.team_details(&format!("Hold {nth}"))),
            owner_id: Some(owner.clone()),
        };
        // The fourth teacher is on the staff of every team.
        let staff = Some(TeamStaff {
            person_id: self.teachers[3].clone(),
            role: StaffRole::Teacher.into(),
        });
        let kind = YearPlanKind::Subject;
        let mut details = self.school.year_plan_details(kind, &format!("Dansk {nth}"));
        details.team_id.clone_from(id);
        let year_plan_id = &self.year_plans[nth];
        let course = CreateYearPlan {
            details: Some(details),
            owner_id: owner.clone(),
        };
        let mut commands = vec![
            team(id, OnTeam::CreateTeam(create)),
            team(id, OnTeam::AddTeamStaff(AddTeamStaff { staff })),
            year_plan(year_plan_id, OnYearPlan::CreateYearPlan(course)),
        ];
        for (student, student_id) in self.students.iter().enumerate() {
            let plan_id = &self.plans[nth * STUDENTS + student];
            commands.extend([
                open_plan(plan_id, student_id, year_plan_id),
                write_status(plan_id, &format!("Hold {nth}: læser")),
                show_section(plan_id, Section::Status),
                plan(plan_id, OnPlan::SharePlan(SharePlan {})),
                set_visibility(plan_id, Audience::Guardians, true),
            ]);
        }
        commands
    }

    /// What a guardian sees of each student, plan by plan: the status.
    async fn seen(&self, voice: &Voice, position: u64) -> BTreeMap<String, String> {
        let mut seen = BTreeMap::new();
        for student in &self.students {
            let request = get_collected(student, Viewer::Guardians, Some(as_of_position(position)));
            let view = voice.ask(request).await.unwrap().view.unwrap();
            for plan in view.plans {
                let status = plan.status.unwrap();
                seen.insert(plan.plan_id, status.text);
            }
        }
        seen
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn three_teachers_leave_at_once_and_no_plan_is_lost_though_the_server_dies_midway() {
    let home = Home::new();
    let server = Serving::start(home.path());
    let voice = server.voice().await;
    let story = Story::begin(&voice).await;
    let [first, second, third, fourth] = &story.teachers;
    let events = voice.all_events().await;
    let before = voice.position().await;
    let all_seen = story.seen(&voice, before).await;
    assert_eq!(all_seen.len(), TEAMS * STUDENTS);

    // The first deletes everything of hers before she leaves.
    let as_first = voice.person(first);
    for item in voice.owned(first).await {
        let (kind, id) = item.stream.split_once('/').unwrap();
        let reason = || Some("Slut".to_owned());
        match kind {
            "team" => drop(as_first.execute(delete_team(id)).await),
            "year_plan" => {
                let delete = OnYearPlan::DeleteYearPlan(DeleteYearPlan { reason: reason() });
                as_first.execute(year_plan(id, delete)).await;
            }
            _ => {}
        }
    }
    voice
        .all([depart(first), depart(second), depart(third)])
        .await;
    let ownerless = voice.ownerless(&story.school.institution).await;
    assert_eq!(ownerless.len(), 15 + 15 + 15 * STUDENTS);

    let leader = voice.person(&story.school.leader);
    let items = voice.owned(first).await;
    let deleted: Vec<_> = items
        .iter()
        .filter(|item| item.deletion.is_some())
        .collect();
    assert_eq!(deleted.len(), 10);
    assert!(deleted.iter().all(|item| item.deleted_by_owner));
    let back = deleted
        .iter()
        .filter_map(|item| item.stream.strip_prefix("team/"));
    let restore = Restore {
        items: back
            .map(|team_id| RestoreItem {
                item: Some(restore_item::Item::Team(RestoreTeam {
                    team_id: team_id.to_owned(),
                    with_contents: true,
                })),
            })
            .collect(),
        give_to_person_id: Some(fourth.clone()),
        reason: None,
    };
    let restored = leader
        .fulfil(RecoveryWish {
            wish: Some(Wish::Restore(restore)),
        })
        .await;
    assert_eq!((restored.steps, restored.left_out.len()), (20, 0));
    // What is left of hers, the plans, go to one successor.
    let wish = transfer_of(first, Rule::ToPersonId(story.school.pedagogue.clone()));
    assert_eq!(leader.fulfil(wish).await.left_out, []);
    // The second's successor is chosen by rule, and what that gives nobody goes to a leader.
    let mut wish = transfer_of(second, Rule::ToTeam(TransferToTeam {}));
    if let Some(Wish::Transfer(transfer)) = &mut wish.wish {
        transfer.fallback = Some(Fallback::FallbackLeader(TransferToLeader {}));
    }
    assert_eq!(leader.fulfil(wish).await.left_out, []);
    // The server is killed in the middle of the third's.
    let wish = transfer_of(third, Rule::ToPersonId(fourth.clone()));
    let proposal = leader.propose(&wish).await.unwrap();
    assert_eq!(proposal.steps as usize, 5 + 5 + 5 * STUDENTS);
    let id = new_id();
    let mut updates = leader
        .begin(&id, wish.clone(), &proposal.digest)
        .await
        .unwrap();
    next(&mut updates).await.unwrap().unwrap();
    server.kill();

    let server = Serving::start(home.path());
    let voice = server.voice().await;
    let leader = voice.person(&story.school.leader);
    // It goes on by itself; the same request watches it to its end.
    let summary = leader.run(&id, wish, &proposal.digest).await.unwrap();
    assert_eq!(summary.phase(), RecoveryPhase::Finished);
    assert_eq!((summary.steps, summary.left_out.len()), (proposal.steps, 0));

    // Every plan has an owner who is there.
    assert!(voice.ownerless(&story.school.institution).await.is_empty());
    for teacher in [first, second, third] {
        assert!(voice.owned(teacher).await.is_empty());
    }
    for plan_id in &story.plans {
        let plan = voice.plan(plan_id, Viewer::Staff).await;
        assert!(!plan.owner_departed);
        assert!(plan.team.unwrap().deletion.is_none());
    }
    // Every event is what it was.
    let after = voice.all_events().await;
    assert_eq!(after[..events.len()], events);
    // Each step was done once.
    let steps = after
        .iter()
        .filter(|event| event.r#type.ends_with("ownership_transferred"));
    assert_eq!(steps.count(), 75);
    // The guardian saw every plan at every position in between.
    for position in before..=voice.position().await {
        assert_eq!(story.seen(&voice, position).await, all_seen, "{position}");
    }
    server.stop();
}
