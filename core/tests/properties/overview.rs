//! The overview, against a naive recount of all states: after every command, for every day that has
//! passed, and the same after a rebuild.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::Date;
use planledger_core::domain::person::{Affiliation, Evidence, PersonCommand, Role};
use planledger_core::domain::plan::{Audience, Evaluator, Plan, PlanEvent, TalkKind};
use planledger_core::domain::year_plan::YearPlan;
use planledger_core::domain::{Aggregate, Command, Event, EventMeta};
use planledger_core::ids::{InstitutionId, PersonId, PlanId, TeamId};
use planledger_core::ledger::{Ledger, Options, rebuild};
use planledger_core::overview::{
    By, Column, Day, Due, DueRule, DueRules, OverviewQuery, Report, Requirement, Row, RowKey,
    Subjects,
};
use planledger_core::time::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::properties::acts::{Act, acts, founding};
use crate::properties::check::check;
use crate::properties::place::{CREATED, JournalledLedger, run};
use planledger_fixtures::Memory;
use planledger_fixtures::place::events;
use planledger_fixtures::school::*;

const INSTITUTIONS: [InstitutionId; 2] = [SCHOOL, OTHER_SCHOOL];
/// The clock goes on so far each time it is asked: days pass within a few commands.
const STEP: u64 = 5 * 3_600_000_000_000 + 11;

/// Students change grade and school, too.
fn moves() -> impl Strategy<Value = Act> + Clone {
    (any::<bool>(), any::<bool>(), 0_usize..4).prop_map(|(student, school, grade)| {
        let person = if student { STUDENT } else { CLASSMATE };
        let institution = INSTITUTIONS[usize::from(school)];
        let role = Role::Student;
        let grade = ["7", "07", "8"].get(grade).copied().map(code);
        let set = Affiliation {
            institution,
            role,
            grade,
        };
        Act {
            actor: SYSTEM,
            command: Command::Person(person, PersonCommand::SetAffiliation(set)),
        }
    })
}

/// People are to leave on a day that is past, present or ahead, and some are back before it.
fn leaves() -> impl Strategy<Value = Act> + Clone {
    // The clock is asked often: the founding and a long story take weeks.
    (0_usize..4, 0_i64..30, any::<bool>()).prop_map(|(who, day, returns)| {
        let person = [STUDENT, TEACHER, TEACHER, PEDAGOGUE][who];
        let first = date(Day::of(CREATED));
        let on = Some(first + jiff::Span::new().days(day * 2));
        let command = match returns {
            true => PersonCommand::Return,
            false => PersonCommand::Depart { on, reason: None },
        };
        Act {
            actor: SYSTEM,
            command: Command::Person(person, command),
        }
    })
}

fn options(place: &JournalledLedger) -> Options {
    let asked = AtomicU64::new(1);
    Options {
        clock: Arc::new(move || CREATED.plus(STEP * asked.fetch_add(1, Ordering::Relaxed))),
        ..place.options()
    }
}

fn rules() -> DueRules {
    let rule =
        |called, grades: Option<BTreeSet<String>>, subjects, requires, due_from_day| DueRule {
            title: title(called),
            grades,
            subjects,
            requires,
            due_from_day,
        };
    let each = Subjects::Each([name("Dansk"), name("Matematik")].into());
    let graded = Some(["7".to_owned()].into());
    DueRules {
        title: title("Regler"),
        source: text("Prøven"),
        description: None,
        rules: vec![
            rule("Plan", None, Subjects::Any, Requirement::Plan, 1),
            rule("Fag", graded, each.clone(), Requirement::Visible, 2),
            rule("Set", None, each, Requirement::Evaluated, 180),
            rule("Talt", None, Subjects::Any, Requirement::Talk, 366),
        ],
    }
}

fn ask(by: By, day: Date) -> OverviewQuery {
    OverviewQuery {
        institutions: INSTITUTIONS.to_vec(),
        school_year: (YEAR, school_year()),
        by,
        day,
        untouched_months: Some(1),
        rules: Some(rules()),
    }
}

/// A plan with what its year plan says, and when it was last worked on.
struct Known<'a> {
    plan: &'a Plan,
    year_plan: &'a YearPlan,
    ownerless: bool,
    worked_on: Day,
}

/// A student in a row: the grade, and the plans that count there.
type Entry<'a> = (String, Vec<Known<'a>>);

/// All states, and when each plan was last worked on.
#[derive(Default)]
struct World {
    memory: Memory,
    worked_on: BTreeMap<PlanId, Day>,
}

impl World {
    fn take(&mut self, meta: EventMeta, event: Event) {
        if let Event::Plan(event) = &event
            && !matches!(
                event,
                PlanEvent::OwnershipTransferred { .. } | PlanEvent::MovedToYearPlan { .. }
            )
        {
            let plan = PlanId::from_uuid(meta.stream.id);
            self.worked_on.insert(plan, Day::of(meta.recorded_at));
        }
        self.memory.fold(meta, event);
    }

    fn plans(&self, student: PersonId, day: Date) -> Vec<Known<'_>> {
        let mut known = Vec::new();
        for id in self.memory.plans() {
            let Some(Aggregate::Plan(plan)) = self.memory.state(id) else {
                continue;
            };
            let Some(Aggregate::YearPlan(year_plan)) = self.memory.state(plan.year_plan) else {
                panic!("a plan without a year plan");
            };
            if plan.student == student && !plan.withdrawn && year_plan.details.school_year == YEAR {
                let worked_on = self.worked_on[&id];
                let at = year_plan.details.institution;
                let ownerless = match self.memory.state(plan.owner) {
                    Some(Aggregate::Person(owner)) => {
                        let places = &owner.affiliations;
                        let mut staff = places.iter().filter(|place| place.role.is_staff());
                        let works_there = match self.memory.state(year_plan.details.team) {
                            Some(Aggregate::Team(team)) if team.staff.contains_key(&plan.owner) => {
                                staff.next().is_some()
                            }
                            _ => {
                                staff.clone().next().is_some() && {
                                    let kept = Evidence::OwnerElsewhere { institution: at };
                                    staff.any(|place| place.institution == at)
                                        || owner.dismissed.contains(&kept)
                                }
                            }
                        };
                        owner.has_left_on(day) || !works_there
                    }
                    _ => false,
                };
                known.push(Known {
                    plan,
                    year_plan,
                    ownerless,
                    worked_on,
                });
            }
        }
        known
    }

    /// Where everybody is a student on a day.
    fn students(&self, day: Date) -> Vec<(PersonId, InstitutionId, String)> {
        let mut students = Vec::new();
        for stream in self.memory.streams() {
            if let Some(Aggregate::Person(person)) = self.memory.state(stream)
                && !person.has_left_on(day)
            {
                for at in person
                    .affiliations
                    .iter()
                    .filter(|at| at.role == Role::Student)
                {
                    let grade = at.grade.as_ref().map(ToString::to_string);
                    let id = PersonId::from_uuid(stream.id);
                    students.push((id, at.institution, grade.unwrap_or_default()));
                }
            }
        }
        students
    }

    fn rows(&self, by: By, day: Date) -> BTreeMap<RowKey, Vec<Entry<'_>>> {
        let mut rows: BTreeMap<RowKey, Vec<Entry<'_>>> = BTreeMap::new();
        let students = self.students(day);
        if by == By::Institution {
            for institution in INSTITUTIONS.map(Some) {
                rows.insert(
                    RowKey {
                        institution,
                        ..RowKey::default()
                    },
                    vec![],
                );
            }
        }
        for (student, institution, grade) in &students {
            let key = match by {
                By::Institution => RowKey {
                    institution: Some(*institution),
                    ..RowKey::default()
                },
                By::Grade => RowKey {
                    grade: Some(grade.clone()),
                    ..RowKey::default()
                },
                By::Team => continue,
            };
            let entry = (grade.clone(), self.plans(*student, day));
            rows.entry(key).or_default().push(entry);
        }
        for stream in self.memory.streams().filter(|_| by == By::Team) {
            let Some(Aggregate::Team(team)) = self.memory.state(stream) else {
                continue;
            };
            let id = TeamId::from_uuid(stream.id);
            for member in &team.members {
                let mut places = students.iter().filter(|(student, ..)| student == member);
                if places.clone().count() == 0 {
                    continue;
                }
                let here = places.find(|(_, at, _)| *at == team.details.institution);
                let grade = here.map(|(.., grade)| grade.clone()).unwrap_or_default();
                let mut plans = self.plans(*member, day);
                plans.retain(|known| known.year_plan.details.team == id);
                let key = RowKey {
                    institution: Some(team.details.institution),
                    team: Some(id),
                    ..RowKey::default()
                };
                rows.entry(key).or_default().push((grade, plans));
            }
        }
        rows
    }

    fn recount(&self, ask: &OverviewQuery) -> Report {
        let columns = ask.columns();
        let count = |entries: &[Entry<'_>]| -> Vec<u64> {
            let counts = columns.iter().map(|column| count(ask, column, entries));
            counts.map(|count| count as u64).collect()
        };
        let everybody: Vec<_> = self
            .rows(By::Institution, ask.day)
            .into_values()
            .flatten()
            .collect();
        let rows = self
            .rows(ask.by, ask.day)
            .into_iter()
            .map(|(key, entries)| Row {
                key,
                counts: count(&entries),
            });
        Report {
            rows: rows.collect(),
            total: count(&everybody),
            columns: columns.clone(),
        }
    }
}

fn visible(known: &Known<'_>) -> bool {
    known.plan.shared && known.plan.visible_to.contains(&Audience::Guardians)
}

fn evaluated(known: &Known<'_>) -> bool {
    let made = known.plan.evaluations.iter();
    let mut kept = made.filter(|made| known.plan.units.contains(&made.unit));
    kept.any(|made| made.by == Evaluator::Staff)
}

fn talked(known: &Known<'_>) -> bool {
    !known.plan.talks.is_empty()
}

/// Months from year 0 on, of a day.
fn month(day: Day) -> u32 {
    day.number() / 10_000 * 12 + day.number() / 100 % 100
}

fn count(ask: &OverviewQuery, column: &Column, entries: &[Entry<'_>]) -> usize {
    let with = |test: fn(&Known<'_>) -> bool| {
        let found = entries.iter().filter(|(_, plans)| plans.iter().any(test));
        found.count()
    };
    let plans = || entries.iter().flat_map(|(_, plans)| plans);
    let due = |due: &Due, only_missing: bool| {
        let rule = &ask.rules.as_ref().unwrap().rules[due.rule];
        let about = entries.iter().filter(|(grade, _)| match &rule.grades {
            None => true,
            Some(_) => grade == "7" || grade == "07",
        });
        let lacks = |plans: &[Known<'_>]| {
            let mut plans = plans.iter().filter(|known| match &due.subject {
                None => true,
                Some(subject) => known.year_plan.details.subjects.contains(subject),
            });
            !plans.any(|known| match rule.requires {
                Requirement::Plan => true,
                Requirement::Visible => visible(known),
                Requirement::Evaluated => evaluated(known),
                Requirement::Talk => talked(known),
            })
        };
        about
            .filter(|(_, plans)| !only_missing || lacks(plans))
            .count()
    };
    match column {
        Column::Students => entries.len(),
        Column::WithPlan => with(|_| true),
        Column::Visible => with(visible),
        Column::Evaluated => with(evaluated),
        Column::WithTalk => with(talked),
        Column::Plans => plans().count(),
        Column::Ownerless => plans().filter(|known| known.ownerless).count(),
        Column::Untouched => {
            let months = |known: &&Known<'_>| month(ask.day.into()) - month(known.worked_on);
            plans().filter(|known| months(known) >= 1).count()
        }
        Column::Talks(kind) => {
            let talks = plans().flat_map(|known| known.plan.talks.values());
            talks.filter(|talk| talk.details.kind == *kind).count()
        }
        Column::Due(rule) => due(rule, false),
        Column::Met(rule) => due(rule, false) - due(rule, true),
        Column::Missing(rule) => due(rule, true),
    }
}

fn date(day: Day) -> Date {
    day.to_string().parse().unwrap()
}

fn read(ledger: &Ledger, ask: &OverviewQuery) -> Report {
    ledger.read(|reading| reading.overview(ask)).unwrap().0
}

const ALL: [By; 3] = [By::Institution, By::Grade, By::Team];

/// How many days after the last event are read: some of the noted departures are over by then.
const AHEAD: i64 = 9;

/// The overview of each day that has passed is what the events up to its end lead to. So is that of
/// each day on which nothing was recorded, whether or not anything was recorded after it.
fn every_day_reads_as_the_events_say(ledger: &Ledger) -> TestCaseResult {
    let events = events(ledger);
    let mut world = World::default();
    let day = |at: usize| events.get(at).map(|event| Day::of(event.recorded_at));
    let mut days = 0;
    for (at, event) in events.iter().enumerate() {
        let (meta, event) = planledger_fixtures::decoded(event);
        world.take(meta, event);
        if day(at + 1) != day(at) {
            days += 1;
            let first = date(day(at).unwrap());
            let end = match day(at + 1) {
                Some(next) => date(next),
                None => first + jiff::Span::new().days(AHEAD),
            };
            for day in first.series(jiff::Span::new().days(1)) {
                if day >= end {
                    break;
                }
                for by in ALL {
                    let ask = ask(by, day);
                    prop_assert_eq!(read(ledger, &ask), world.recount(&ask), "{:?}", ask);
                }
            }
        }
    }
    prop_assert!(days > 3, "days pass");
    Ok(())
}

#[test]
fn what_is_counted_is_what_a_recount_finds_at_every_position_and_day_and_after_a_rebuild() {
    let stories =
        prop::collection::vec(prop_oneof![6 => acts(), 1 => moves(), 2 => leaves()], 1..50);
    check(12, &stories, |story| {
        let place = JournalledLedger::new();
        let ledger = Ledger::open(options(&place)).unwrap();
        run(&ledger, founding());
        for (number, act) in story.into_iter().enumerate() {
            // Refusals are seen elsewhere.
            let answer = run(&ledger, vec![act]);
            if let Ok(receipt) = &answer[0]
                && number % 5 == 0
            {
                // What is not on the disk yet is read as well as what is.
                let day = date(Day::of(receipt.recorded_at));
                let now = read(&ledger, &ask(By::Grade, day));
                let before = day.yesterday().unwrap();
                let _ = read(&ledger, &ask(By::Team, before));
                ledger.settle();
                prop_assert_eq!(read(&ledger, &ask(By::Grade, day)), now);
            }
        }
        every_day_reads_as_the_events_say(&ledger)?;
        drop(ledger);
        rebuild(options(&place)).unwrap();
        let ledger = Ledger::open(options(&place)).unwrap();
        every_day_reads_as_the_events_say(&ledger)
    });
}

/// Clocks are set forward on 29 March and back on 25 October.
#[test]
fn what_is_recorded_in_the_last_instant_of_a_day_counts_on_it_also_when_clocks_change() {
    for last in [
        "2026-01-15T22:59:59.9Z",
        "2026-03-28T22:59:59.9Z",
        "2026-03-29T21:59:59.9Z",
        "2026-10-24T21:59:59.9Z",
        "2026-10-25T22:59:59.9Z",
    ] {
        let last: jiff::Timestamp = last.parse().unwrap();
        let last = u64::try_from(last.as_nanosecond()).unwrap();
        let now = Arc::new(AtomicU64::new(last - 3_600_000_000_000));
        let clock = now.clone();
        let place = JournalledLedger::new();
        let options = || Options {
            clock: {
                let clock = clock.clone();
                Arc::new(move || Timestamp::from_nanos(clock.load(Ordering::Relaxed)))
            },
            ..place.options()
        };
        let ledger = Ledger::open(options()).unwrap();
        run(&ledger, founding());
        for (instant, grade) in [(last, "8"), (last + 100_000_000, "9")] {
            now.store(instant, Ordering::Relaxed);
            let set = Affiliation {
                institution: SCHOOL,
                role: Role::Student,
                grade: Some(code(grade)),
            };
            let command = Command::Person(STUDENT, PersonCommand::SetAffiliation(set));
            let actor = SYSTEM;
            run(&ledger, vec![Act { actor, command }])[0]
                .as_ref()
                .unwrap();
        }
        let day = date(Day::of(Timestamp::from_nanos(last)));
        let grades = |ledger: &Ledger, day| {
            let rows = read(ledger, &ask(By::Grade, day)).rows.into_iter();
            let grades = rows.filter_map(|row| row.key.grade);
            let grades: Vec<_> = grades
                .filter(|grade| ["8", "9"].contains(&&**grade))
                .collect();
            grades
        };
        let both = |ledger: &Ledger| {
            assert_eq!(grades(ledger, day), ["8"], "{day}");
            assert_eq!(grades(ledger, day.tomorrow().unwrap()), ["9"], "{day}");
        };
        both(&ledger);
        ledger.settle();
        both(&ledger);
        drop(ledger);
        rebuild(options()).unwrap();
        both(&Ledger::open(options()).unwrap());
    }
}

/// Before anything was recorded, and on the last day, the answer is there as well.
#[test]
fn days_before_everything_count_nothing() {
    let place = JournalledLedger::new();
    let ledger = Ledger::open(options(&place)).unwrap();
    run(&ledger, founding());
    let before = date(Day::of(Timestamp::from_nanos(CREATED.nanos())))
        .yesterday()
        .unwrap();
    let report = read(&ledger, &ask(By::Institution, before));
    assert_eq!(report.rows.len(), 2);
    assert!(
        report
            .rows
            .iter()
            .all(|row| row.counts.iter().all(|count| *count == 0))
    );
    let later = read(
        &ledger,
        &ask(
            By::Institution,
            before.saturating_add(jiff::Span::new().years(1)),
        ),
    );
    let students = later
        .columns
        .iter()
        .position(|column| *column == Column::Students);
    assert_eq!(later.total[students.unwrap()], 2);
    assert_eq!(later.columns[8], Column::Talks(TalkKind::StudentTalk));
}

/// A student and the owner of a plan leave on a day ahead, and nothing is recorded when it is over.
#[test]
fn who_leaves_tomorrow_is_counted_tomorrow_and_not_the_day_after_whether_or_not_anything_happens() {
    let place = JournalledLedger::new();
    let ledger = Ledger::open(options(&place)).unwrap();
    run(&ledger, founding());
    let today = Day::of(events(&ledger).last().unwrap().recorded_at);
    let last = date(today) + jiff::Span::new().days(2);
    let depart = |person| Act {
        actor: SYSTEM,
        command: Command::Person(
            person,
            PersonCommand::Depart {
                on: Some(last),
                reason: None,
            },
        ),
    };
    let answers = run(&ledger, vec![depart(CLASSMATE), depart(TEACHER)]);
    assert!(answers.iter().all(Result::is_ok));
    let mut world = World::default();
    for event in events(&ledger) {
        let (meta, event) = planledger_fixtures::decoded(&event);
        world.take(meta, event);
    }
    let days = [
        last,
        last.tomorrow().unwrap(),
        last + jiff::Span::new().days(9),
    ];
    let [before, after, later] = days.map(|day| {
        ALL.map(|by| {
            let ask = ask(by, day);
            let found = read(&ledger, &ask);
            assert_eq!(found, world.recount(&ask), "{by:?} on {day}");
            found.total
        })
    });
    let [students, ownerless] = [Column::Students, Column::Ownerless].map(|column| {
        let columns = ask(By::Institution, last).columns();
        columns.iter().position(|known| *known == column).unwrap()
    });
    assert_eq!(after[0][students], before[0][students] - 1);
    assert!(after[0][ownerless] > before[0][ownerless]);
    assert_eq!(
        (after[0][students], after[0][ownerless]),
        (later[0][students], later[0][ownerless])
    );
}
