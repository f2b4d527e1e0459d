//! The story: a teacher's plans, and what happens to them after the teacher leaves.

use planledger_core::ids::PlanId;
use planledger_proto::v1::list_plans_request::Filter;
use planledger_proto::v1::{
    Event, GetPersonRequest, GetStatusRequest, ListReadersRequest, PlanView, StaffRole, Viewer,
};

use super::super::error::CliError;
use super::super::names::Names;
use super::super::output;
use super::super::plan::read;
use super::super::remote::DEFAULT_ACTOR;
use super::super::sheet::sheet;
use super::actor::Acting;
use super::acts::{self, Course, Group};
use super::checks::Checks;
use super::scene::{CLASS, Cast, SUBJECT_TEAM, bring_in, cast, group, national_goal};
use super::survey;
use crate::client::Client;

/// Tells the story. Returns the whole history of one plan, and the names of the people who acted in
/// it.
pub(super) async fn tell(url: &str, checks: &mut Checks) -> Result<(Vec<Event>, Names), CliError> {
    let client = Client::connect(url, DEFAULT_ACTOR).await?;
    output::heading("Roster and catalogue");
    bring_in(&client, checks).await?;
    let cast = cast(&client).await?;
    let (teacher, leader) = (&cast.teacher, &cast.leader);

    output::heading("A teacher plans");
    let goal = national_goal(teacher).await?;
    let (team, class) = (group(&cast.team)?, group(&cast.class)?);
    let dansk = acts::course(teacher, team, "Dansk i 7.A", &["Dansk"], goal).await?;
    let both = ["Dansk", "Historie"];
    let combined = acts::course(teacher, class, "Dansk og historie", &both, goal).await?;
    output::line(format!(
        "{} makes a subject year plan for team {} and a combined one for {CLASS}.",
        cast.name(teacher.id),
        SUBJECT_TEAM
    ));
    let (plans, first) = open_plans(&cast, &dansk, &combined, checks).await?;

    output::heading("Evaluations by teacher and student");
    evaluate(&cast, first, &dansk, checks).await?;

    output::heading("What guardians see");
    show(&cast, first, &dansk, checks).await?;
    let before = views(teacher, &plans, None).await?;
    let position = before.1;

    output::heading("The wellbeing survey is followed up");
    survey::follow_up(&cast, class, checks).await?;

    output::heading("The owner deletes the team and the year plans, and leaves");
    let all = [(team, &dansk), (class, &combined)];
    acts::delete(teacher, &all).await?;
    acts::depart(leader, teacher.id).await?;
    output::line(format!("{} has left.", cast.name(teacher.id)));
    let after = views(leader, &plans, None).await?;
    checks.check(
        "every plan is still there, and whole",
        same(&before.0, &after.0),
    );
    let said = after.0.iter().all(|plan| {
        let year_plan = plan
            .year_plan
            .as_ref()
            .is_some_and(|found| found.deletion.is_some());
        year_plan && plan.owner_departed
    });
    checks.check(
        "every plan says that its year plan is deleted and its owner gone",
        said,
    );
    let seen = view(leader, first, Viewer::Guardians, None).await?;
    checks.check("guardians still see the plan", seen.is_some());

    output::heading("Who can pick them up");
    pick_up(&cast, &plans, checks).await?;
    restore(&cast, &all, first, checks).await?;

    output::heading("As it was before");
    let past = views(leader, &plans, Some(position)).await?;
    checks.check(
        &format!("at position {position} every plan reads as it did then, to the byte"),
        past.0 == before.0,
    );
    output::heading("Who has seen this");
    who_has_seen(&cast, checks).await?;
    let (events, _) = read::history(&client, first).await?;
    let mut names = Names::of_events(&client, &events).await?;
    for person in [cast.colleague, teacher.id, leader.id] {
        names.learn(&client, &person.to_string()).await?;
    }
    Ok((events, names))
}

/// Says who has read the plans of the first student.
async fn who_has_seen(cast: &Cast, checks: &mut Checks) -> Result<(), CliError> {
    let Some(student) = cast.students.first() else {
        return Ok(());
    };
    let request = ListReadersRequest {
        student_id: student.to_string(),
        page_size: 1_000,
        ..ListReadersRequest::default()
    };
    let answer = cast.leader.client.access().list_readers(request).await?;
    let reads = answer.into_inner().reads;
    let as_guardians = reads
        .iter()
        .filter(|read| read.viewer() == Viewer::Guardians);
    output::line(format!(
        "{} reads of the plans of {} are on record, {} of them as guardians see them.",
        reads.len(),
        cast.name(*student),
        as_guardians.clone().count()
    ));
    let named = reads.iter().all(|read| read.actor.is_some());
    checks.check(
        "every read of a plan is on record, with who read it",
        named && as_guardians.count() > 0,
    );
    Ok(())
}

/// Opens a subject plan for every student, and one combined plan. Returns all plans, and one plan
/// to show in detail.
async fn open_plans(
    cast: &Cast,
    dansk: &Course,
    combined: &Course,
    checks: &mut Checks,
) -> Result<(Vec<PlanId>, PlanId), CliError> {
    let teacher = &cast.teacher;
    let mut plans = Vec::new();
    for (course, students) in [
        (dansk, cast.students.as_slice()),
        (combined, &cast.students),
    ] {
        for student in students {
            let text = format!("{} læser med stigende lyst.", cast.name(*student));
            plans.push(acts::open(teacher, course, *student, &text).await?);
        }
    }
    output::line(format!(
        "{} plans for {} students: a subject plan and a combined plan each.",
        plans.len(),
        cast.students.len()
    ));
    let first = *plans
        .first()
        .ok_or_else(|| CliError::Refused("no students".to_owned()))?;
    let student = *cast.students.first().unwrap_or(&teacher.id);
    let receipt = acts::open_again(teacher, dansk, student).await?;
    let known = receipt.unchanged && receipt.stream == format!("plan/{first}");
    checks.check("opening a plan again gives the plan that is there", known);
    Ok((plans, first))
}

/// Records evaluations by the teacher and by the student.
async fn evaluate(
    cast: &Cast,
    plan: PlanId,
    course: &Course,
    checks: &mut Checks,
) -> Result<(), CliError> {
    let student = Acting::person(
        &cast.teacher.client,
        *cast.students.first().unwrap_or(&cast.teacher.id),
    )?;
    acts::evaluate(&cast.teacher, &student, plan, course).await?;
    let shown = view(&cast.teacher, plan, Viewer::Staff, None).await?;
    let goals = shown
        .iter()
        .flat_map(|plan| &plan.units)
        .flat_map(|unit| &unit.goals);
    let numbers: Vec<usize> = goals.map(|goal| goal.evaluations.len()).collect();
    checks.check(
        "a lower rating later stands beside the earlier one",
        numbers == [2, 2],
    );
    let reason = acts::evaluate_subject_goal(&student, plan, course).await?;
    checks.check(
        "a student evaluates no subject goal: GOAL_KIND_NOT_EVALUABLE_BY_STUDENT",
        reason.as_deref() == Some("GOAL_KIND_NOT_EVALUABLE_BY_STUDENT"),
    );
    Ok(())
}

/// Writes in a plan, makes parts of it visible, shares it, and prints what a guardian sees.
async fn show(
    cast: &Cast,
    plan: PlanId,
    course: &Course,
    checks: &mut Checks,
) -> Result<(), CliError> {
    let teacher = &cast.teacher;
    let unseen = view(teacher, plan, Viewer::Guardians, None).await?;
    checks.check(
        "guardians see nothing before the plan is made visible",
        unseen.is_none(),
    );
    acts::share(teacher, cast.colleague, plan, course).await?;
    let staff = view(teacher, plan, Viewer::Staff, None).await?;
    let holders = staff.iter().flat_map(|plan| &plan.talks);
    let holders: Vec<_> = holders.flat_map(|talk| &talk.held_by_ids).collect();
    let names = [teacher.id, cast.colleague].map(|id| cast.name(id));
    checks.check(
        &format!("the talk names both who held it: {}", names.join(" and ")),
        holders.len() == 2,
    );
    let Some(seen) = view(teacher, plan, Viewer::Guardians, None).await? else {
        checks.check("guardians see the plan", false);
        return Ok(());
    };
    output::lines(&sheet(&seen));
    let goals: Vec<_> = seen.units.iter().flat_map(|unit| &unit.goals).collect();
    let hidden = goals
        .iter()
        .all(|goal| goal.goal_id != course.subject_goal.to_string());
    checks.check(
        "guardians see what is shown to them",
        seen.status.is_some() && goals.len() == 1,
    );
    checks.check(
        "and nothing that is hidden",
        hidden && seen.follow_up.is_none(),
    );
    let others = view(teacher, plan, Viewer::Others, None).await?;
    checks.check("others see nothing", others.is_none());
    Ok(())
}

/// A plan as a viewer sees it, now or as of a position; `None` if the viewer sees nothing.
async fn view(
    who: &Acting,
    plan: PlanId,
    viewer: Viewer,
    at: Option<u64>,
) -> Result<Option<PlanView>, CliError> {
    read::view_at(&who.client, plan, viewer, at).await
}

/// Reads every plan as staff see it, and the position of the answers.
async fn views(
    who: &Acting,
    plans: &[PlanId],
    at: Option<u64>,
) -> Result<(Vec<PlanView>, u64), CliError> {
    let mut views = Vec::new();
    for plan in plans {
        views.extend(view(who, *plan, Viewer::Staff, at).await?);
    }
    let request = GetStatusRequest::default();
    let status = who.client.ledger().get_status(request).await?;
    Ok((views, status.into_inner().position))
}

/// Whether two lists of plans are equal. Changes of owner, team and year plan are ignored.
fn same(before: &[PlanView], after: &[PlanView]) -> bool {
    let bare = |plan: &PlanView| {
        let mut plan = plan.clone();
        plan.owner_departed = false;
        for container in [&mut plan.year_plan, &mut plan.team].into_iter().flatten() {
            container.deletion = None;
        }
        plan
    };
    before.len() == after.len() && before.iter().map(bare).eq(after.iter().map(bare))
}

/// The leader finds the plans of the teacher who left, and gives them to a colleague.
async fn pick_up(cast: &Cast, plans: &[PlanId], checks: &mut Checks) -> Result<(), CliError> {
    let leader = &cast.leader;
    let owned = Filter::OwnerId(cast.teacher.id.to_string());
    let (found, _) = read::list(&leader.client, owned.clone()).await?;
    checks.check(
        "a leader finds every plan of who left",
        found.len() == plans.len(),
    );
    for staff in &cast.team.staff {
        let role = match staff.role() {
            StaffRole::Teacher => "teacher",
            StaffRole::Pedagogue => "pedagogue",
            StaffRole::Unspecified => "staff",
        };
        let request = GetPersonRequest {
            person_id: staff.person_id.clone(),
            ..GetPersonRequest::default()
        };
        let person = leader
            .client
            .roster()
            .get_person(request)
            .await?
            .into_inner()
            .person;
        let left = person.is_some_and(|person| person.departure.is_some());
        let can = if left { "has left" } else { "can take over" };
        let name = cast.names.person(&staff.person_id);
        output::line(format!("  {name}, {role} of the deleted team, {can}"));
    }
    let ids = found.iter().map(|summary| summary.plan_id.parse());
    let ids = ids.collect::<Result<Vec<PlanId>, _>>()?;
    acts::give(leader, ids, cast.colleague).await?;
    let (left, _) = read::list(&leader.client, owned).await?;
    let (taken, _) =
        read::list(&leader.client, Filter::OwnerId(cast.colleague.to_string())).await?;
    checks.check(
        &format!("{} takes over all of them", cast.name(cast.colleague)),
        left.is_empty() && taken.len() == plans.len(),
    );
    Ok(())
}

/// Restores what was deleted. Before that, somebody writes in a plan whose team is deleted.
async fn restore(
    cast: &Cast,
    all: &[(Group, &Course)],
    plan: PlanId,
    checks: &mut Checks,
) -> Result<(), CliError> {
    let colleague = Acting::person(&cast.leader.client, cast.colleague)?;
    let written = acts::write(&colleague, plan).await;
    checks.check(
        "plans are written on while team and year plan are deleted",
        written.is_ok(),
    );
    let leader = &cast.leader;
    acts::undelete(leader, all, cast.colleague).await?;
    let restored = view(leader, plan, Viewer::Staff, None).await?;
    let whole = restored.is_some_and(|plan| {
        let containers = [plan.year_plan, plan.team];
        let mut containers = containers.into_iter().flatten();
        containers.all(|found| found.deletion.is_none()) && !plan.owner_departed
    });
    checks.check("team and year plan are restored, with a new owner", whole);
    Ok(())
}
