//! What the rules are broken in.

use planledger_proto::v1::*;

use crate::support::*;

/// The id of a ledger's first source of rosters.
pub(super) const FIRST_SOURCE: &str = "726f7374-6572-8000-8000-000000000001";

/// A school in which every rule can be broken.
pub(super) struct World {
    pub(super) school: School,
    pub(super) system: Voice,
    pub(super) teacher: Voice,
    pub(super) student: Voice,
    /// A subject year plan with a plan on it, and a combined one with another.
    pub(super) course: Course,
    pub(super) plan: String,
    pub(super) combined: Course,
    pub(super) combined_plan: String,
    /// An evaluation of the teacher's in `plan`, and a talk.
    pub(super) evaluation: String,
    pub(super) talk: String,
    /// What is there and cannot be used.
    pub(super) closed_institution: String,
    pub(super) withdrawn_discussion: String,
    pub(super) deleted_team: String,
    /// A team of another institution.
    pub(super) other_team: String,
    pub(super) deleted_year_plan: Course,
    pub(super) deleted_unit: String,
    pub(super) retired_goal: String,
    pub(super) withdrawn_plan: String,
    pub(super) departed: String,
    /// The same, acting.
    pub(super) left: Voice,
    /// Staff of another institution.
    pub(super) elsewhere: String,
    pub(super) catalogue: String,
    pub(super) item: String,
    /// A system, and one that is revoked.
    pub(super) platform: String,
    pub(super) revoked_system: String,
    /// A system with a role, which was given to it before there was an administrator.
    pub(super) granted_system: String,
    /// The grant that makes the teacher the only administrator, and one that is revoked.
    pub(super) grant: String,
    pub(super) revoked_grant: String,
    /// Somebody whose erasure is asked for by the teacher, somebody whose erasure was taken back, and
    /// somebody who was erased.
    pub(super) leaving_traces: String,
    pub(super) spared: String,
    pub(super) erased: String,
}

impl World {
    pub(super) async fn new(voice: &Voice) -> Self {
        let (school, course) = School::with_course(voice).await;
        let combined = school.course(voice, YearPlanKind::Combined).await;
        let deleted_year_plan = school.course(voice, YearPlanKind::Subject).await;
        let departed = new_id();
        let world = Self {
            system: voice.clone(),
            teacher: voice.person(&school.teacher),
            student: voice.person(&school.student),
            plan: school.plan(voice, &course).await,
            combined_plan: school.plan(voice, &combined).await,
            withdrawn_plan: school.plan_of(voice, &school.classmate, &course).await,
            evaluation: new_id(),
            talk: new_id(),
            closed_institution: new_id(),
            withdrawn_discussion: new_id(),
            deleted_team: new_id(),
            other_team: new_id(),
            deleted_unit: new_id(),
            retired_goal: new_id(),
            left: voice.person(&departed),
            departed,
            elsewhere: new_id(),
            catalogue: new_id(),
            item: new_id(),
            platform: new_id(),
            revoked_system: new_id(),
            granted_system: new_id(),
            grant: new_id(),
            revoked_grant: new_id(),
            leaving_traces: new_id(),
            spared: new_id(),
            erased: new_id(),
            school,
            course,
            combined,
            deleted_year_plan,
        };
        voice.all(world.preparations()).await;
        let name = "Kommune A".to_owned();
        let register = OnRosterSource::RegisterRosterSource(RegisterRosterSource { name });
        voice.execute(roster_source(FIRST_SOURCE, register)).await;
        voice.all(world.rights()).await;
        let evaluate = world.evaluate(&world.evaluation, &world.course.subject_goal);
        world.teacher.execute(evaluate).await;
        world.teacher.execute(world.record_talk(&world.talk)).await;
        let discussion = &world.withdrawn_discussion;
        let record = world.record_discussion(discussion, Vec::new());
        world.teacher.execute(record).await;
        let withdraw = world.withdraw_discussion(discussion);
        world.teacher.execute(withdraw).await;
        world.erase(voice).await;
        world
    }

    async fn erase(&self, voice: &Voice) {
        for person in [&self.leaving_traces, &self.spared, &self.erased] {
            let put = put_person(person, "Navn", &self.school.institution, Role::Student);
            voice.execute(put).await;
            self.teacher
                .execute(request_erasure(erasure_of(person)))
                .await;
        }
        let spared = withdraw_erasure(erasure_of(&self.spared));
        self.teacher.execute(spared).await;
        let other = voice.person(&self.school.leader);
        let receipt = other
            .execute(approve_erasure(erasure_of(&self.erased)))
            .await;
        // The next event records that it is carried out.
        let carried_out = ListErasuresRequest {
            min_position: receipt.position + 1,
            ..ListErasuresRequest::default()
        };
        voice.ask(carried_out).await.unwrap();
    }

    fn rights(&self) -> Vec<Command> {
        let register = |id: &str, dns: &str| {
            let details = Some(system_details(dns));
            system(id, OnSystem::RegisterSystem(RegisterSystem { details }))
        };
        let teacher = actor_person(&self.school.teacher);
        let administrator = grant_details(AccessRole::Administrator, municipality());
        let auditor = grant_details(AccessRole::Auditor, municipality());
        let platform = grant_details(AccessRole::LearningPlatform, municipality());
        let revoke = OnSystem::RevokeSystem(RevokeSystem { reason: None });
        vec![
            register(&self.platform, "platform.example"),
            register(&self.revoked_system, "revoked.example"),
            system(&self.revoked_system, revoke),
            register(&self.granted_system, "granted.example"),
            grant_role(&new_id(), actor_system(&self.granted_system), platform),
            grant_role(&self.grant, teacher.clone(), administrator),
            grant_role(&self.revoked_grant, teacher.clone(), auditor),
            revoke_grant(&self.revoked_grant, teacher),
        ]
    }

    pub(super) fn preparations(&self) -> Vec<Command> {
        let school = &self.school;
        let closed = &self.closed_institution;
        let create = CreateTeam {
            details: Some(school.team_details("8.a")),
            owner_id: Some(school.teacher.clone()),
        };
        let other = new_id();
        let elsewhere = CreateTeam {
            details: Some(TeamDetails {
                institution_id: other.clone(),
                ..school.team_details("8.b")
            }),
            owner_id: None,
        };
        vec![
            register_institution(&other, "Naboskolen"),
            team(&self.other_team, OnTeam::CreateTeam(elsewhere)),
            register_institution(closed, "Lukket Skole"),
            institution(
                closed,
                OnInstitution::CloseInstitution(CloseInstitution { reason: None }),
            ),
            team(&self.deleted_team, OnTeam::CreateTeam(create)),
            team(
                &self.deleted_team,
                OnTeam::DeleteTeam(DeleteTeam { reason: None }),
            ),
            self.deleted_year_plan.delete(),
            self.course.add_unit(&self.deleted_unit, "Opgivet"),
            self.on_course(OnYearPlan::DeleteUnit(DeleteUnit {
                unit_id: self.deleted_unit.clone(),
                reason: None,
            })),
            self.course
                .add_goal(&self.retired_goal, GoalKind::Reflection, "Udgået"),
            self.retire(&self.retired_goal),
            plan(
                &self.withdrawn_plan,
                OnPlan::WithdrawPlan(WithdrawPlan { reason: None }),
            ),
            put_person(&self.departed, "Væk", &school.institution, Role::Teacher),
            put_person(&self.elsewhere, "Andetsteds", closed, Role::Teacher),
            self.depart(&self.departed),
            self.put_catalogue(&self.catalogue, &self.item, None),
        ]
    }

    pub(super) fn on_course(&self, operation: OnYearPlan) -> Command {
        year_plan(&self.course.year_plan, operation)
    }

    pub(super) fn relocate(&self, institution: &str, team: Option<&String>) -> Command {
        self.on_course(OnYearPlan::MoveYearPlan(MoveYearPlan {
            institution_id: institution.to_owned(),
            team_id: team.cloned(),
            reason: None,
        }))
    }

    pub(super) fn on_plan(&self, operation: OnPlan) -> Command {
        plan(&self.plan, operation)
    }

    pub(super) fn on_team(&self, operation: OnTeam) -> Command {
        team(&self.school.team, operation)
    }

    pub(super) fn retire(&self, goal: &str) -> Command {
        self.on_course(OnYearPlan::RetireGoal(RetireGoal {
            goal_id: goal.to_owned(),
            reason: None,
        }))
    }

    pub(super) fn depart(&self, who: &str) -> Command {
        let depart = DepartPerson {
            last_day: None,
            reason: None,
        };
        person(who, OnPerson::DepartPerson(depart))
    }

    pub(super) fn evaluate(&self, evaluation: &str, goal: &str) -> Command {
        let assessment = assessment(1, "Godt på vej");
        self.course
            .evaluate(&self.plan, evaluation, goal, assessment)
    }

    pub(super) fn assess(&self, assessment: Assessment) -> Command {
        let goal = &self.course.subject_goal;
        self.course
            .evaluate(&self.plan, &new_id(), goal, assessment)
    }

    pub(super) fn correct(&self, evaluation: &str) -> Command {
        self.on_plan(OnPlan::CorrectEvaluation(CorrectEvaluation {
            evaluation_id: evaluation.to_owned(),
            assessment: Some(assessment(2, "I mål")),
            reason: None,
        }))
    }

    pub(super) fn talk_details(&self) -> Option<TalkDetails> {
        Some(TalkDetails {
            kind: TalkKind::StudentTalk.into(),
            held_on: "2026-11-23".to_owned(),
            notes: "Aftalt: læs hver aften".to_owned(),
            held_by_ids: Vec::new(),
        })
    }

    pub(super) fn talk_held_by(&self, person: &str) -> Command {
        let details = self.talk_details().map(|details| TalkDetails {
            held_by_ids: vec![person.to_owned()],
            ..details
        });
        self.on_plan(OnPlan::RecordTalk(RecordTalk {
            talk_id: new_id(),
            details,
        }))
    }

    pub(super) fn record_discussion(&self, discussion: &str, goals: Vec<GoalRef>) -> Command {
        let details = SurveyDetails {
            goals,
            ..survey_details(&self.school.school_year, SurveyForum::Class)
        };
        record_discussion(&self.school.institution, discussion, details)
    }

    pub(super) fn withdraw_discussion(&self, discussion: &str) -> Command {
        let withdraw = WithdrawSurveyDiscussion {
            survey_discussion_id: discussion.to_owned(),
            reason: None,
        };
        let withdraw = OnInstitution::WithdrawSurveyDiscussion(withdraw);
        institution(&self.school.institution, withdraw)
    }

    pub(super) fn record_talk(&self, talk: &str) -> Command {
        self.on_plan(OnPlan::RecordTalk(RecordTalk {
            talk_id: talk.to_owned(),
            details: self.talk_details(),
        }))
    }

    pub(super) fn record_talk_on(&self, day: &str) -> Command {
        let details = self.talk_details().map(|details| TalkDetails {
            held_on: day.to_owned(),
            ..details
        });
        self.on_plan(OnPlan::RecordTalk(RecordTalk {
            talk_id: new_id(),
            details,
        }))
    }

    pub(super) fn put_catalogue(
        &self,
        catalogue_id: &str,
        item: &str,
        parent: Option<&str>,
    ) -> Command {
        let item = CatalogueItem {
            item_id: item.to_owned(),
            text: "Eleven kan læse".to_owned(),
            kind: None,
            code: None,
            parent_ids: parent.into_iter().map(str::to_owned).collect(),
            sequence_number: None,
            parent_orders: Vec::new(),
            licence: None,
        };
        let details = CatalogueDetails {
            title: "Fælles Mål".to_owned(),
            publisher: None,
            version: None,
            language: Some("da".to_owned()),
            licence: None,
            rights_holder: None,
        };
        let put = PutCatalogue {
            details: Some(details),
            items: vec![item],
        };
        catalogue(catalogue_id, OnCatalogue::PutCatalogue(put))
    }

    pub(super) fn goal_from(&self, catalogue: &str, item: &str) -> Command {
        let source = CatalogueItemRef {
            catalogue_id: catalogue.to_owned(),
            item_id: item.to_owned(),
        };
        let details = NewGoal {
            catalogue_scale: None,
            kind: GoalKind::Subject.into(),
            area: GoalArea::Academic.into(),
            wording: Some(WordingChoice {
                wording: Some(wording_choice::Wording::CatalogueItem(source)),
            }),
            scale: Some(scale()),
        };
        self.on_course(OnYearPlan::AddGoal(AddGoal {
            unit_id: self.course.unit.clone(),
            goal_id: new_id(),
            details: Some(details),
        }))
    }

    pub(super) fn goal_with_scale(&self, levels: &[&str]) -> Command {
        let mut scale = scale();
        scale.levels = levels.iter().map(|level| (*level).to_owned()).collect();
        self.on_course(OnYearPlan::ReviseGoal(ReviseGoal {
            catalogue_scale: None,
            goal_id: self.course.subject_goal.clone(),
            wording: Some(own_words("Eleven kan")),
            scale: Some(scale),
        }))
    }

    pub(super) fn create_team(&self, change: impl FnOnce(&mut TeamDetails)) -> Command {
        let mut details = self.school.team_details("Nyt hold");
        change(&mut details);
        let create = CreateTeam {
            details: Some(details),
            owner_id: None,
        };
        team(&new_id(), OnTeam::CreateTeam(create))
    }

    pub(super) fn create_year_plan(&self, change: impl FnOnce(&mut CreateYearPlan)) -> Command {
        let details = self
            .school
            .year_plan_details(YearPlanKind::Subject, "Ny årsplan");
        let mut create = CreateYearPlan {
            details: Some(details),
            owner_id: self.school.teacher.clone(),
        };
        change(&mut create);
        year_plan(&new_id(), OnYearPlan::CreateYearPlan(create))
    }

    pub(super) fn include(&self, unit: UnitRef) -> Command {
        self.on_plan(OnPlan::IncludeUnit(IncludeUnit { unit: Some(unit) }))
    }

    pub(super) fn move_to(&self, plan_id: &str, year_plan: &str) -> Command {
        let to = MoveToYearPlan {
            year_plan_id: year_plan.to_owned(),
            reason: None,
        };
        plan(plan_id, OnPlan::MoveToYearPlan(to))
    }

    pub(super) fn transfer(&self, to: &str) -> Command {
        self.on_plan(OnPlan::TransferPlanOwnership(TransferPlanOwnership {
            to_person_id: to.to_owned(),
            reason: None,
        }))
    }

    pub(super) fn remove_subject(&self, course: &Course, subject: &str) -> Command {
        let subject = subject.to_owned();
        let remove = RemoveSubject { subject };
        year_plan(&course.year_plan, OnYearPlan::RemoveSubject(remove))
    }
}
