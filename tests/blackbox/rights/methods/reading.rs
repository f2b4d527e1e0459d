//! The rows of what plans, rosters and catalogues say.

use planledger_proto::v1::*;

use super::{Rows, both, same};
use crate::support::*;

pub(super) async fn plans(rows: &mut Rows<'_>) {
    let world = rows.world;
    let (here, there) = (&world.here.school, &world.there.school);
    let plan = &world.here.plan;
    let may = [&here.pedagogue, &here.teacher, &here.leader, &world.auditor];
    let may_not = [
        &here.guardian,
        &here.classmate,
        &there.teacher,
        &there.leader,
        &world.administrator,
    ];
    let staff = Viewer::Staff.into();
    let request = both(plan, |plan_id| GetPlanRequest {
        plan_id,
        viewer: staff,
        ..GetPlanRequest::default()
    });
    rows.row("get_plan", request, &may, &may_not).await;
    let request = both(&here.student, |student_id| ListPlansRequest {
        filter: Some(list_plans_request::Filter::StudentId(student_id)),
        ..ListPlansRequest::default()
    });
    // Who owns a plan and teaches nobody sees that plan, and not everything of the student.
    let teach = [&here.pedagogue, &here.leader, &world.auditor];
    rows.row("list_plans", request, &teach, &may_not).await;
    let request = both(plan, |plan_id| GetPlanHistoryRequest {
        plan_id,
        ..GetPlanHistoryRequest::default()
    });
    rows.row("get_plan_history", request, &may, &may_not).await;
    let request = both(&here.student, |id| get_collected(&id, Viewer::Staff, None));
    rows.row("get_collected_view", request, &teach, &may_not)
        .await;
    let request = both(plan, |plan_id| DiffPlanRequest {
        plan_id,
        viewer: staff,
        from: Some(as_of_position(1)),
        ..DiffPlanRequest::default()
    });
    rows.row("diff_plan", request, &may, &may_not).await;
}

pub(super) async fn roster(rows: &mut Rows<'_>) {
    let world = rows.world;
    let (here, there) = (&world.here.school, &world.there.school);
    let (administrator, auditor) = (&world.administrator, &world.auditor);
    let request = both(&here.institution, |institution_id| GetInstitutionRequest {
        institution_id,
        ..GetInstitutionRequest::default()
    });
    let staff = [&there.teacher, &here.leader, administrator];
    rows.row(
        "get_institution",
        request,
        &staff,
        &[&here.guardian, &here.student],
    )
    .await;
    let everybody = [&here.guardian, &here.student, &there.teacher, auditor];
    let request = same(ListInstitutionsRequest::default());
    rows.row("list_institutions", request, &everybody, &[])
        .await;
    let request = both(&here.school_year, |school_year_id| GetSchoolYearRequest {
        school_year_id,
        ..GetSchoolYearRequest::default()
    });
    rows.row("get_school_year", request, &staff, &[&here.guardian])
        .await;
    let request = same(ListSchoolYearsRequest::default());
    rows.row("list_school_years", request, &staff, &[&here.guardian])
        .await;
    let may = [&here.pedagogue, &here.leader, administrator, auditor];
    let may_not = [&there.teacher, &there.leader, &here.classmate];
    let request = both(&here.student, |person_id| GetPersonRequest {
        person_id,
        ..GetPersonRequest::default()
    });
    rows.row("get_person", request, &may, &may_not).await;
    let request = both(&here.institution, |institution_id| ListPersonsRequest {
        institution_id,
        ..ListPersonsRequest::default()
    });
    rows.row("list_persons", request, &may, &[&here.guardian])
        .await;
    let request = both(&here.team, |team_id| GetTeamRequest {
        team_id,
        ..GetTeamRequest::default()
    });
    rows.row("get_team", request, &may, &may_not).await;
    let request = both(&here.institution, |id| ListTeamsRequest {
        filter: Some(list_teams_request::Filter::InstitutionId(id)),
        ..ListTeamsRequest::default()
    });
    rows.row("list_teams", request, &may, &[&here.guardian])
        .await;
    let request = both(&world.here.course.year_plan, |id| GetYearPlanRequest {
        year_plan_id: id,
        viewer: Viewer::Staff.into(),
        min_position: 0,
    });
    let may_not = [&there.teacher, &here.guardian, &here.student];
    rows.row(
        "get_year_plan",
        request,
        &[&here.teacher, auditor],
        &may_not,
    )
    .await;
    let request = both(&here.team, |id| ListYearPlansRequest {
        filter: Some(list_year_plans_request::Filter::TeamId(id)),
        ..ListYearPlansRequest::default()
    });
    rows.row("list_year_plans", request, &may, &may_not).await;
    let request = same(LookupPersonRequest {
        id: "ta".to_owned(),
        ..LookupPersonRequest::default()
    });
    rows.row("lookup_person", request, &everybody, &[]).await;
    let request = same(ListRosterSourcesRequest::default());
    let may_not = [&here.teacher, &here.leader, &here.guardian];
    rows.row(
        "list_roster_sources",
        request,
        &[administrator, auditor],
        &may_not,
    )
    .await;
}

pub(super) async fn catalogues_and_counts(rows: &mut Rows<'_>) {
    let world = rows.world;
    let (here, there) = (&world.here.school, &world.there.school);
    let everybody = [&here.guardian, &here.student, &there.teacher];
    let [catalogue_id, item_id] = [new_id(), new_id()];
    let request = same(GetCatalogueRequest {
        catalogue_id: catalogue_id.clone(),
        min_position: 0,
    });
    rows.row("get_catalogue", request, &everybody, &[]).await;
    let request = same(ListCataloguesRequest::default());
    rows.row("list_catalogues", request, &everybody, &[]).await;
    let request = same(GetCatalogueItemRequest {
        catalogue_id: catalogue_id.clone(),
        item_id,
        min_position: 0,
    });
    rows.row("get_catalogue_item", request, &everybody, &[])
        .await;
    let request = same(ListCatalogueItemsRequest {
        catalogue_id: catalogue_id.clone(),
        ..ListCatalogueItemsRequest::default()
    });
    rows.row("list_catalogue_items", request, &everybody, &[])
        .await;
    let request = same(ListCatalogueScalesRequest {
        catalogue_id: catalogue_id.clone(),
        ..ListCatalogueScalesRequest::default()
    });
    rows.row("list_catalogue_scales", request, &everybody, &[])
        .await;
    let request = both(&here.institution, |institution_id| {
        ListCatalogueGoalsRequest {
            catalogue_id: catalogue_id.clone(),
            institution_id,
            ..ListCatalogueGoalsRequest::default()
        }
    });
    rows.row(
        "list_catalogue_goals",
        request,
        &[&there.teacher],
        &[&here.guardian],
    )
    .await;
    let request = both(&here.institution, |id| GetOverviewRequest {
        institution_ids: vec![id],
        ..GetOverviewRequest::default()
    });
    let may = [&here.leader, &world.auditor];
    rows.row(
        "get_overview",
        request,
        &may,
        &[&here.teacher, &there.leader],
    )
    .await;
    let may = [&here.leader, &here.teacher, &world.auditor];
    let may_not = [&there.teacher, &here.guardian];
    let request = both(&here.institution, |id| GetSurveyOverviewRequest {
        institution_ids: vec![id],
        ..GetSurveyOverviewRequest::default()
    });
    rows.row("get_survey_overview", request, &may, &may_not)
        .await;
    let request = both(&here.institution, |id| ListSurveyDiscussionsRequest {
        institution_ids: vec![id],
        ..ListSurveyDiscussionsRequest::default()
    });
    rows.row("list_survey_discussions", request, &may, &may_not)
        .await;
}
