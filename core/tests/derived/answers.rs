//! What is asked of a ledger, and what it says.

use std::collections::BTreeSet;
use std::sync::Arc;

use planledger_core::derived::Term;
use planledger_core::domain::Aggregate;
use planledger_core::domain::plan::Audience;
use planledger_core::domain::view::{
    CollectedView, PlanView, Viewer, YearPlanView, collected_view, plan_view, year_plan_view,
};
use planledger_core::ids::{
    PersonId, PlanId, Position, Revision, StreamId, StreamKind, YearPlanId,
};
use planledger_core::ledger::{Ledger, ReadError, RecordedEvent};
use planledger_core::overview::{By, OverviewQuery, Report};
use planledger_core::time::Timestamp;

use crate::derived::history::Cast;
use planledger_fixtures::school::*;

#[derive(Clone, Debug)]
pub(crate) enum Question {
    State(StreamId),
    List(Term),
    Plan(PlanId, Viewer),
    YearPlan(YearPlanId),
    Collected(PersonId),
    /// At the end of the day that an instant falls on.
    Overview(By, Timestamp),
    /// Read by events, not by position, from the newest back.
    History(StreamId),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    State(Option<(Arc<Aggregate>, Revision)>),
    List(Arc<Vec<StreamId>>),
    Plan(Box<Option<PlanView>>),
    YearPlan(Box<Option<YearPlanView>>),
    Collected(Option<CollectedView>),
    Overview(Report),
    History(Vec<RecordedEvent>),
}

/// Everything that can be asked about a history.
pub(crate) fn questions(cast: &Cast) -> Vec<Question> {
    let streams = cast.streams();
    let mut all: Vec<_> = streams.iter().map(|id| Question::State(*id)).collect();
    all.extend(terms(cast, &streams).into_iter().map(Question::List));
    for plan in &cast.plans {
        all.push(Question::Plan(*plan, Viewer::Staff));
        all.push(Question::Plan(*plan, Viewer::Audience(Audience::Guardians)));
        all.push(Question::History((*plan).into()));
    }
    all.extend(cast.year_plans.iter().map(|id| Question::YearPlan(*id)));
    all.extend(cast.students.iter().map(|id| Question::Collected(*id)));
    for day in &cast.days {
        for by in [By::Institution, By::Grade, By::Team] {
            all.push(Question::Overview(by, *day));
        }
    }
    all
}

fn terms(cast: &Cast, streams: &[StreamId]) -> BTreeSet<Term> {
    let mut terms = BTreeSet::from([
        Term::All(StreamKind::Institution),
        Term::All(StreamKind::SchoolYear),
        Term::Ownerless(SCHOOL),
        Term::OpenRecoveries,
    ]);
    for stream in streams {
        match stream.kind {
            StreamKind::Person | StreamKind::Team | StreamKind::YearPlan => {
                terms.insert(Term::part_of(SCHOOL, *stream));
            }
            StreamKind::Institution
            | StreamKind::SchoolYear
            | StreamKind::Plan
            | StreamKind::Catalogue
            | StreamKind::Ledger
            | StreamKind::Recovery
            | StreamKind::RosterSource
            | StreamKind::System
            | StreamKind::Grants
            | StreamKind::Erasure => {}
        }
    }
    for person in cast.persons() {
        terms.extend([
            Term::Owner(person),
            Term::TeamsOf(person),
            Term::PlansOfStudent(person),
            Term::ChildrenOf(person),
            Term::OwnedBefore(person),
            Term::Departed(person.as_bytes()[0]),
        ]);
    }
    terms.extend(cast.teams.iter().map(|id| Term::YearPlansOfTeam(*id)));
    for year_plan in &cast.year_plans {
        terms.insert(Term::PlansOfYearPlan(*year_plan));
        let students = cast.students.iter();
        terms.extend(students.map(|student| Term::PlanOf(*student, *year_plan)));
    }
    terms
}

impl Question {
    /// Whether the past can be asked, and how it was then is the whole of the answer: lists and
    /// what is found by them are those of the present.
    pub(crate) fn has_a_past(&self) -> bool {
        match self {
            Self::State(_) | Self::Plan(..) | Self::YearPlan(_) => true,
            Self::List(_) | Self::Collected(_) | Self::Overview(..) | Self::History(_) => false,
        }
    }

    pub(crate) fn ask(&self, ledger: &Ledger, at: Option<Position>) -> Result<Answer, ReadError> {
        let read = |reading: &planledger_core::ledger::Reading<'_>| {
            Ok::<_, ReadError>(match self {
                Self::State(stream) => Answer::State(reading.stream(*stream)?),
                Self::List(term) => Answer::List(reading.find(*term)?),
                Self::Plan(plan, viewer) => {
                    Answer::Plan(Box::new(plan_view(reading, *plan, *viewer)?))
                }
                Self::YearPlan(id) => {
                    Answer::YearPlan(Box::new(year_plan_view(reading, *id, Viewer::Staff)?))
                }
                Self::Collected(student) => {
                    let plans = reading.plans_of(*student)?;
                    Answer::Collected(collected_view(reading, *student, &plans, Viewer::Staff)?)
                }
                Self::Overview(by, day) => {
                    Answer::Overview(reading.overview(&overview(*by, *day))?)
                }
                Self::History(_) => Answer::History(Vec::new()),
            })
        };
        match (self, at) {
            (Self::History(stream), _) => Ok(Answer::History(ledger.history(*stream, at, 10_000)?)),
            (_, None) => Ok(ledger.read(read)?.0),
            (_, Some(position)) => Ok(ledger.read_at(position, read)?.0),
        }
    }
}

fn overview(by: By, day: Timestamp) -> OverviewQuery {
    let day = jiff::Timestamp::from_nanosecond(i128::from(day.nanos())).unwrap();
    OverviewQuery {
        institutions: vec![SCHOOL, OTHER_SCHOOL],
        school_year: (YEAR, school_year()),
        by,
        // No day of the history ends at another hour there.
        day: jiff::tz::TimeZone::UTC.to_datetime(day).date(),
        untouched_months: Some(1),
        rules: None,
    }
}
