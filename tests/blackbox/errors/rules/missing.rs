//! A command names something that is not there.

use planledger_core::domain::Reason;
use planledger_proto::v1::*;

use super::Breach;
use super::world::World;
use crate::support::*;

pub(super) fn breaches(w: &World) -> Vec<Breach<'_>> {
    use Reason::*;
    let (school, course) = (&w.school, &w.course);
    let close = OnInstitution::CloseInstitution(CloseInstitution { reason: None });
    let rename = OnPerson::RenamePerson(RenamePerson {
        name: "Ny Navnesen".to_owned(),
    });
    let revise = |team_id: &str, school_year: &str| {
        let mut details = school.team_details("7.b");
        details.school_year_id = Some(school_year.to_owned());
        let details = Some(details);
        team(team_id, OnTeam::ReviseTeam(ReviseTeam { details }))
    };
    let put_team = |change: &dyn Fn(&mut PutTeam)| {
        let mut put = PutTeam {
            details: Some(school.team_details("7.b")),
            ..PutTeam::default()
        };
        change(&mut put);
        w.on_team(OnTeam::PutTeam(put))
    };
    let unknown_staff = vec![TeamStaff {
        person_id: new_id(),
        role: StaffRole::Teacher.into(),
    }];
    let guardianship = |guardian: &str| {
        let guardianship = Some(Guardianship {
            guardian_id: guardian.to_owned(),
            last_day: None,
        });
        let set = SetGuardianship { guardianship };
        person(&school.student, OnPerson::SetGuardianship(set))
    };
    let end_guardianship = OnPerson::EndGuardianship(EndGuardianship {
        guardian_id: school.teacher.clone(),
        last_day: "2026-11-23".to_owned(),
    });
    let end_affiliation = OnPerson::EndAffiliation(EndAffiliation {
        institution_id: school.institution.clone(),
        role: Role::Leader.into(),
    });
    let correct_talk = w.on_plan(OnPlan::CorrectTalk(CorrectTalk {
        talk_id: new_id(),
        details: w.talk_details(),
        reason: None,
    }));
    let show = |item| {
        let item = Some(Item { item: Some(item) });
        w.on_plan(OnPlan::ShowItem(ShowItem { item }))
    };
    let unit_of_no_subject = {
        let mut add = AddUnit {
            unit_id: new_id(),
            details: Some(UnitDetails {
                title: "Forløb".to_owned(),
                ..UnitDetails::default()
            }),
        };
        let details = add.details.as_mut().unwrap();
        details.subject = Some("Fysik".to_owned());
        w.on_course(OnYearPlan::AddUnit(add))
    };
    let absence = OnPerson::NotePersonAbsence(NotePersonAbsence {
        source: "Kommune B".to_owned(),
        last_seen: "2026-11-01".to_owned(),
    });
    let profiles = OnPerson::PutSomeProfiles(PutSomeProfiles {
        source: "Kommune B".to_owned(),
        ..PutSomeProfiles::default()
    });
    let import = OnRosterSource::RecordRosterImport(RecordRosterImport {
        day: "2026-11-01".to_owned(),
        mode: RosterImportMode::Bulk.into(),
        counts: Some(RosterCounts::default()),
    });
    let evidence = AbsenceEvidence {
        source: "Kommune B".to_owned(),
        last_seen: "2026-11-01".to_owned(),
    };
    let dismiss = OnPerson::DecideSuggestion(DecideSuggestion {
        evidence: Some(DepartureEvidence {
            evidence: Some(departure_evidence::Evidence::AbsentFromRoster(evidence)),
        }),
        ..DecideSuggestion::default()
    });
    let s = &w.system;
    breaches! {
        s, RosterRecordNotFound at "person.note_person_absence.source" =>
            person(&school.student, absence);
        s, RosterRecordNotFound at "person.put_some_profiles.source" =>
            person(&school.student, profiles);
        s, RosterSourceNotFound at "roster_source.roster_source_id" =>
            roster_source(&new_id(), import);
        s, SuggestionNotFound => person(&school.teacher, dismiss);
        s, InstitutionNotFound at "institution.institution_id" => institution(&new_id(), close);
        s, InstitutionNotFound at "team.create_team.details.institution_id" =>
            w.create_team(|details| details.institution_id = new_id());
        s, InstitutionNotFound at "person.put_person.affiliations.institution_id" =>
            put_person(&school.student, STUDENT, &new_id(), Role::Student);
        s, SchoolYearNotFound at "team.create_team.details.school_year_id" =>
            w.create_team(|details| details.school_year_id = Some(new_id()));
        s, SchoolYearNotFound at "team.revise_team.details.school_year_id" =>
            revise(&school.team, &new_id());
        s, SchoolYearNotFound at "team.put_team.details.school_year_id" =>
            put_team(&|put| put.details.as_mut().unwrap().school_year_id = Some(new_id()));
        s, SchoolYearNotFound at "year_plan.create_year_plan.details.school_year_id" =>
            w.create_year_plan(|plan| plan.details.as_mut().unwrap().school_year_id = new_id());
        s, PersonNotFound at "person.person_id" => person(&new_id(), rename);
        s, PersonNotFound at "team.put_team.member_ids" =>
            put_team(&|put| put.member_ids = vec![new_id()]);
        s, PersonNotFound at "team.put_team.staff.person_id" =>
            put_team(&|put| put.staff.clone_from(&unknown_staff));
        s, PersonNotFound at "person.set_guardianship.guardianship.guardian_id" =>
            guardianship(&new_id());
        s, SelfGuardianship at "person.set_guardianship.guardianship.guardian_id" =>
            guardianship(&school.student);
        s, PersonNotFound at "plan.open_plan.student_id" =>
            open_plan(&new_id(), &new_id(), &course.year_plan);
        s, TeamNotFound at "team.team_id" => revise(&new_id(), &school.school_year);
        s, TeamNotFound at "year_plan.create_year_plan.details.team_id" =>
            w.create_year_plan(|plan| plan.details.as_mut().unwrap().team_id = new_id());
        s, YearPlanNotFound at "year_plan.year_plan_id" =>
            year_plan(&new_id(), OnYearPlan::UndeleteYearPlan(UndeleteYearPlan {}));
        s, YearPlanNotFound at "plan.open_plan.year_plan_id" =>
            open_plan(&new_id(), &school.student, &new_id());
        s, YearPlanNotFound at "plan.move_to_year_plan.year_plan_id" =>
            w.move_to(&w.plan, &new_id());
        s, PlanNotFound at "plan.plan_id" => write_status(&new_id(), "Læser");
        s, CatalogueNotFound at "year_plan.add_goal.details.wording" =>
            w.goal_from(&new_id(), &w.item);
        s, CatalogueItemNotFound at "year_plan.add_goal.details.wording" =>
            w.goal_from(&w.catalogue, &new_id());
        s, CatalogueParentInvalid at "catalogue.put_catalogue.items.parent_ids" =>
            w.put_catalogue(&w.catalogue, &w.item, Some(&new_id()));
        s, CatalogueParentInvalid at "catalogue.put_catalogue.items.parent_ids" =>
            w.put_catalogue(&w.catalogue, &w.item, Some(&w.item));
        s, UnitNotFound at "year_plan.undelete_unit.unit_id" =>
            w.on_course(OnYearPlan::UndeleteUnit(UndeleteUnit { unit_id: new_id() }));
        s, UnitNotFound at "plan.include_unit.unit.unit_id" =>
            w.include(course.unit_called(&new_id()));
        s, GoalNotFound at "year_plan.retire_goal.goal_id" => w.retire(&new_id());
        &w.teacher, GoalNotFound at "plan.record_evaluation.goal_id" =>
            w.evaluate(&new_id(), &new_id());
        s, GoalNotFound at "plan.show_item.item" => show(item::Item::GoalId(new_id()));
        &w.teacher, EvaluationNotFound at "plan.correct_evaluation.evaluation_id" =>
            w.correct(&new_id());
        s, EvaluationNotFound at "plan.show_item.item" => show(item::Item::EvaluationId(new_id()));
        &w.teacher, TalkNotFound at "plan.correct_talk.talk_id" => correct_talk;
        s, MemberNotFound at "team.remove_team_member.student_id" =>
            w.on_team(OnTeam::RemoveTeamMember(RemoveTeamMember { student_id: school.guardian.clone() }));
        s, StaffNotFound at "team.remove_team_staff.person_id" =>
            w.on_team(OnTeam::RemoveTeamStaff(RemoveTeamStaff { person_id: school.leader.clone() }));
        s, AffiliationNotFound at "person.end_affiliation.institution_id" =>
            person(&school.teacher, end_affiliation);
        s, GuardianshipNotFound at "person.end_guardianship.guardian_id" =>
            person(&school.student, end_guardianship);
        s, SubjectNotFound at "year_plan.remove_subject.subject" =>
            w.remove_subject(&w.combined, "Fysik");
        s, SubjectNotFound at "year_plan.add_unit.details.subject" => unit_of_no_subject;
    }
}
