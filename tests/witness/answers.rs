//! Lists, plans, the past, histories and overviews, held against what follows from the receipts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use planledger_proto::v1::as_of::Moment;
use planledger_proto::v1::overview_count::Count;
use planledger_proto::v1::*;

use crate::Fault;
use crate::events::Seen;
use crate::expect::{Expected, Plan};
use crate::findings::Findings;
use crate::send::{Sender, Trouble};

const PAGE: i32 = 1_000;

/// What compares answers.
struct Comparing<'a> {
    sender: &'a Sender,
    expected: &'a Expected,
    found: &'a mut Findings,
}

/// Compares everything.
pub(crate) async fn compare(
    sender: &Sender,
    expected: &Expected,
    events: &[Seen],
    (one_in, others): (usize, bool),
    found: &mut Findings,
) -> Result<(), Fault> {
    let mut comparing = Comparing {
        sender,
        expected,
        found,
    };
    // What is of the whole ledger is of others too.
    if !others {
        comparing.institutions().await?;
        comparing.overview().await?;
    }
    for institution in &expected.institutions {
        comparing.persons(institution, None).await?;
        comparing.persons(institution, Some(Role::Student)).await?;
        comparing.teams(institution).await?;
    }
    for team in expected.teams.keys() {
        comparing.year_plans(team).await?;
    }
    for year_plan in expected.year_plans.keys() {
        comparing.plans_of(year_plan).await?;
    }
    let mut histories: HashMap<&str, Vec<u64>> = HashMap::new();
    for event in events {
        let positions = histories.entry(&event.stream).or_default();
        positions.push(event.position);
    }
    for (id, plan) in expected.plans.iter().step_by(one_in.max(1)) {
        comparing.plan(id, plan).await?;
        comparing.past(id, plan).await?;
        let positions = histories.get(format!("plan/{id}").as_str());
        let positions = positions.map(Vec::as_slice).unwrap_or_default();
        comparing.history(id, positions).await?;
    }
    Ok(())
}

/// Reads all pages of a list.
macro_rules! pages {
    ($comparing:ident, $service:ident.$method:ident($kind:ident: $request:expr), $items:ident) => {{
        let mut all = Vec::new();
        let mut page_token = String::new();
        loop {
            let mut request: $kind = $request.clone();
            (request.page_size, request.page_token) = (PAGE, page_token);
            let answer = $comparing
                .sender
                .ask(|client| {
                    let request = request.clone();
                    async move { client.$service().$method(request).await }
                })
                .await;
            let Some(page) = $comparing.answer(stringify!($method), answer)? else {
                break None;
            };
            all.extend(page.$items);
            if page.next_page_token.is_empty() {
                break Some(all);
            }
            page_token = page.next_page_token;
        }
    }};
}

impl Comparing<'_> {
    /// An answer, unless it is an error, which is a wrong answer.
    fn answer<T>(&mut self, of: &str, answer: Result<T, Trouble>) -> Result<Option<T>, Fault> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(Trouble::Gone(what)) => Err(Fault::Gone(what)),
            Err(Trouble::Refused(reason)) => {
                self.found.answers += 1;
                self.found.wrong_answer(format!("{of}: {reason}"));
                Ok(None)
            }
        }
    }

    /// Compares what a list holds, and says what is missing rather than the whole list.
    fn list<T: PartialEq>(
        &mut self,
        of: &str,
        is: BTreeMap<String, T>,
        should_be: BTreeMap<String, T>,
    ) {
        self.found.answers += 1;
        let differ = should_be
            .iter()
            .filter(|(id, item)| is.get(*id) != Some(item));
        let absent = should_be.keys().filter(|id| !is.contains_key(*id)).count();
        let other = differ.count() - absent;
        let more = is.keys().filter(|id| !should_be.contains_key(*id)).count();
        if absent + other + more > 0 {
            let all = should_be.len();
            self.found.wrong_answer(format!(
                "{of}: of {all} items {absent} are missing and {other} differ; {more} more"
            ));
        }
    }

    async fn institutions(&mut self) -> Result<(), Fault> {
        let listed = pages!(
            self,
            roster.list_institutions(ListInstitutionsRequest: ListInstitutionsRequest::default()),
            institutions
        );
        if let Some(listed) = listed {
            let is = listed.into_iter().map(|it| (it.institution_id, ()));
            let should_be = self.expected.institutions.iter();
            let should_be = should_be.map(|id| (id.clone(), ())).collect();
            self.list("institutions", is.collect(), should_be);
        }
        Ok(())
    }

    async fn persons(&mut self, institution: &str, role: Option<Role>) -> Result<(), Fault> {
        let request = ListPersonsRequest {
            institution_id: institution.to_owned(),
            role: role.map(i32::from),
            ..ListPersonsRequest::default()
        };
        let listed = pages!(self, roster.list_persons(ListPersonsRequest: request), persons);
        let Some(listed) = listed else {
            return Ok(());
        };
        let is = listed
            .into_iter()
            .map(|it| (it.person_id, (it.revision, it.name)));
        let there = |affiliations: &[Affiliation]| {
            affiliations.iter().any(|it| {
                it.institution_id == institution && role.is_none_or(|role| it.role() == role)
            })
        };
        let should_be = self.expected.persons.iter();
        let should_be = should_be
            .filter(|(_, person)| there(&person.put.affiliations))
            .map(|(id, person)| (id.clone(), (person.revision, person.put.name.clone())));
        let should_be = should_be.collect();
        self.list("persons of an institution", is.collect(), should_be);
        Ok(())
    }

    async fn teams(&mut self, institution: &str) -> Result<(), Fault> {
        let filter = list_teams_request::Filter::InstitutionId(institution.to_owned());
        let request = ListTeamsRequest {
            filter: Some(filter),
            ..ListTeamsRequest::default()
        };
        let Some(listed) = pages!(self, roster.list_teams(ListTeamsRequest: request), teams) else {
            return Ok(());
        };
        let set = |ids: Vec<String>| ids.into_iter().collect::<BTreeSet<_>>();
        let is = listed.into_iter().map(|it| {
            let title = it.details.map(|details| details.title);
            (it.team_id, (it.revision, title, set(it.member_ids)))
        });
        let should_be = self.expected.teams.iter().filter_map(|(id, team)| {
            let put = team.put.clone();
            let details = put.details?;
            let there = details.institution_id == institution;
            let team = (team.revision, Some(details.title), set(put.member_ids));
            there.then(|| (id.clone(), team))
        });
        let should_be = should_be.collect();
        self.list("teams of an institution", is.collect(), should_be);
        Ok(())
    }

    async fn year_plans(&mut self, team: &str) -> Result<(), Fault> {
        let filter = list_year_plans_request::Filter::TeamId(team.to_owned());
        let request = ListYearPlansRequest {
            filter: Some(filter),
            ..ListYearPlansRequest::default()
        };
        let listed =
            pages!(self, roster.list_year_plans(ListYearPlansRequest: request), year_plans);
        let Some(listed) = listed else {
            return Ok(());
        };
        let is = listed
            .into_iter()
            .map(|it| (it.year_plan_id, (it.revision, it.unit_count as usize)));
        let should_be = self.expected.year_plans.iter();
        let should_be = should_be
            .filter(|(_, year_plan)| year_plan.team == team)
            .map(|(id, it)| (id.clone(), (it.revision, it.units.len())));
        let should_be = should_be.collect();
        self.list("year plans of a team", is.collect(), should_be);
        Ok(())
    }

    async fn plans_of(&mut self, year_plan: &str) -> Result<(), Fault> {
        let filter = list_plans_request::Filter::YearPlanId(year_plan.to_owned());
        let request = ListPlansRequest {
            filter: Some(filter),
            ..ListPlansRequest::default()
        };
        let Some(listed) = pages!(self, plans.list_plans(ListPlansRequest: request), plans) else {
            return Ok(());
        };
        let set = |audiences: &[i32]| audiences.iter().copied().collect::<BTreeSet<_>>();
        let is = listed.into_iter().map(|it| {
            let visible_to = set(&it.visible_to);
            (
                it.plan_id,
                (it.revision, it.student_id, it.shared, visible_to),
            )
        });
        let should_be = self.expected.plans.iter();
        let should_be = should_be
            .filter(|(_, plan)| plan.year_plan == year_plan)
            .map(|(id, it)| {
                let visible_to = it.visible_to.clone();
                let plan = (it.revision, it.student.clone(), it.shared, visible_to);
                (id.clone(), plan)
            });
        let should_be = should_be.collect();
        self.list("plans of a year plan", is.collect(), should_be);
        Ok(())
    }

    async fn overview(&mut self) -> Result<(), Fault> {
        let years = pages!(
            self,
            roster.list_school_years(ListSchoolYearsRequest: ListSchoolYearsRequest::default()),
            school_years
        );
        let Some(year) = years.and_then(|years| years.into_iter().next()) else {
            return Ok(());
        };
        let request = GetOverviewRequest {
            school_year_id: Some(year.school_year_id),
            ..GetOverviewRequest::default()
        };
        let answer = self.sender.ask(|client| {
            let request = request.clone();
            async move { client.overview().get_overview(request).await }
        });
        let answer = answer.await;
        let Some(answer) = self.answer("overview", answer)? else {
            return Ok(());
        };
        let total = answer.total.unwrap_or_default();
        let is = [
            total.students,
            total.with_plan,
            total.visible_to_guardians,
            total.evaluated,
            total.with_talk,
            total.plans,
        ];
        let expected = self.expected;
        let students = expected.persons.values().filter(|person| {
            let mut affiliations = person.put.affiliations.iter();
            affiliations.any(|it| it.role() == Role::Student)
        });
        let plans = || expected.plans.values();
        let should_be = [
            students.count(),
            plans().count(),
            expected.visible_to_guardians().count(),
            plans().filter(|plan| !plan.evaluations.is_empty()).count(),
            plans().filter(|plan| !plan.talks.is_empty()).count(),
            plans().count(),
        ];
        let is = is.map(|count| match count.and_then(|count| count.count) {
            Some(Count::Exact(count)) => count as usize,
            Some(Count::Below(_) | Count::Withheld(_)) | None => usize::MAX,
        });
        self.found
            .compare(|| "overview".to_owned(), &is, &should_be);
        Ok(())
    }

    async fn view(&mut self, id: &str, at: Option<u64>) -> Result<Option<PlanView>, Fault> {
        let request = GetPlanRequest {
            plan_id: id.to_owned(),
            viewer: Viewer::Staff.into(),
            min_position: 0,
            at: at.map(|position| AsOf {
                moment: Some(Moment::Position(position)),
            }),
        };
        let answer = self.sender.ask(|client| {
            let request = request.clone();
            async move { client.plans().get_plan(request).await }
        });
        let answer = answer.await;
        Ok(self.answer("plan", answer)?.and_then(|answer| answer.plan))
    }

    async fn plan(&mut self, id: &str, plan: &Plan) -> Result<(), Fault> {
        let Some(view) = self.view(id, None).await? else {
            return Ok(());
        };
        let of = |what: &str| format!("{what} of plan/{id}");
        let found = &mut *self.found;
        found.compare(|| of("revision"), &view.revision, &plan.revision);
        found.compare(|| of("student"), &view.student_id, &plan.student);
        let status = view.status.map(|status| status.text);
        found.compare(|| of("status"), &(status == plan.status), &true);
        let follow_up = view.follow_up.map(|follow_up| follow_up.text);
        found.compare(|| of("follow-up"), &(follow_up == plan.follow_up), &true);
        let visible_to: BTreeSet<_> = view.visible_to.into_iter().collect();
        found.compare(|| of("audiences"), &visible_to, &plan.visible_to);
        let talks: BTreeSet<_> = view.talks.into_iter().map(|talk| talk.talk_id).collect();
        found.compare(|| of("talks"), &talks, &plan.talks);
        let goals = view.units.into_iter().flat_map(|unit| unit.goals);
        let evaluations = goals.flat_map(|goal| goal.evaluations);
        let evaluations: BTreeMap<_, _> = evaluations
            .map(|it| {
                let level = it.assessment.and_then(|assessment| assessment.level);
                (it.evaluation_id, level)
            })
            .collect();
        found.compare(|| of("evaluations"), &evaluations, &plan.evaluations);
        Ok(())
    }

    /// One moment of the past: just after a status in the middle of all.
    async fn past(&mut self, id: &str, plan: &Plan) -> Result<(), Fault> {
        let Some((at, text)) = plan.statuses.get(plan.statuses.len() / 2) else {
            return Ok(());
        };
        let Some(view) = self.view(id, Some(*at)).await? else {
            return Ok(());
        };
        let status = view.status.map(|status| status.text);
        let same = status.as_ref() == Some(text);
        let of = || format!("status of plan/{id} at {at}");
        self.found.compare(of, &same, &true);
        Ok(())
    }

    async fn history(&mut self, id: &str, positions: &[u64]) -> Result<(), Fault> {
        let request = GetPlanHistoryRequest {
            plan_id: id.to_owned(),
            ..GetPlanHistoryRequest::default()
        };
        let events = pages!(self, plans.get_plan_history(GetPlanHistoryRequest: request), events);
        if let Some(events) = events {
            let is: Vec<_> = events.into_iter().map(|event| event.position).collect();
            let of = || format!("history of plan/{id}");
            self.found.compare(of, &(is == positions), &true);
        }
        Ok(())
    }
}
