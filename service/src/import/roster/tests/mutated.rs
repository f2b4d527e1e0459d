//! An export that was spoiled on its way ends nothing in silence that the whole one would not end.

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::person::{Person, PersonCommand, PersonFact, Role};
use planledger_core::domain::plan::PlanEvent;
use planledger_core::domain::team::{TeamCommand, TeamFact};
use planledger_core::domain::year_plan::{YearPlanDetails, YearPlanEvent, YearPlanKind};
use planledger_core::domain::{Aggregate, Command, Event, RosterFact};
use planledger_core::ids::{
    InstitutionId, PersonId, PlanId, RosterSourceId, SchoolYearId, StreamId, TeamId, YearPlanId,
};
use planledger_core::ledger::Foreseen;
use planledger_core::text::SourceName;
use planledger_fixtures::school::{SYSTEM, subject_year_plan};
use planledger_fixtures::spoiled::{Spoiling, users_and_roles};
use planledger_fixtures::{Fact, Memory};
use proptest::prelude::*;

use super::super::{Origin, Roster, Terms};
use super::TODAY;
use super::export::{Export, export, person};
use super::formats::two_classes;
use crate::import::names;
use crate::upload::{Foresight, Kind, Line, Looked, Subject, is_after_notes};
use crate::wire;

/// What an import must not end without saying so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Link {
    /// A guardianship without an end, a role, a place in a team.
    Is(StreamId, RosterFact),
    /// Who owns a team, year plan or plan.
    Owner(StreamId, PersonId),
    /// A person who has not left, or a team that is not closed.
    There(StreamId),
    /// A person who has left, or a team that is closed.
    Gone(StreamId),
    /// Somebody or something that is in the newest export.
    Seen(StreamId),
}

pub(super) fn links(memory: &Memory) -> BTreeSet<Link> {
    let mut links = BTreeSet::new();
    for stream in memory.streams() {
        let presence = |is_gone| match is_gone {
            true => Link::Gone(stream),
            false => Link::There(stream),
        };
        match memory.state(stream) {
            Some(Aggregate::Person(person)) => {
                let open = person.guardians.iter().filter(|(_, last)| last.is_none());
                let guardians = open.map(|(id, _)| PersonFact::Guardian(*id));
                let roles = person
                    .affiliations
                    .iter()
                    .map(|at| PersonFact::Affiliation {
                        institution: at.institution,
                        role: at.role,
                    });
                let facts = guardians.chain(roles).map(RosterFact::Person);
                links.extend(facts.map(|fact| Link::Is(stream, fact)));
                links.insert(presence(person.departed.is_some()));
                links.extend(person.absent.is_empty().then_some(Link::Seen(stream)));
            }
            Some(Aggregate::Team(team)) => {
                let members = team.members.iter().map(|id| TeamFact::Member(*id));
                let staff = team.staff.keys().map(|id| TeamFact::Staff(*id));
                let facts = members.chain(staff).map(RosterFact::Team);
                links.extend(facts.map(|fact| Link::Is(stream, fact)));
                links.insert(presence(team.closed));
                links.extend(team.absent.is_empty().then_some(Link::Seen(stream)));
                links.extend(team.owner.map(|owner| Link::Owner(stream, owner)));
            }
            Some(Aggregate::YearPlan(plan)) => {
                links.extend([Link::Owner(stream, plan.owner)]);
            }
            Some(Aggregate::Plan(plan)) => {
                links.extend([Link::Owner(stream, plan.owner)]);
            }
            _ => {}
        }
    }
    links
}

/// What an import says.
#[derive(Default)]
pub(super) struct Said {
    links: BTreeSet<Link>,
    /// Whether it says of any row, value or command that it does nothing.
    passes_over: bool,
}

fn stream_of(line: &Line) -> StreamId {
    let kind = match line.subject.kind {
        Kind::Team => "team",
        Kind::Institution => "institution",
        _ => "person",
    };
    format!("{kind}/{}", line.subject.id).parse().unwrap()
}

fn foreseen(stream: StreamId, dropped: Vec<RosterFact>) -> Foreseen {
    Foreseen {
        stream,
        creates: false,
        events: Vec::new(),
        renames: false,
        links: 0,
        kept: Vec::new(),
        dropped,
    }
}

/// Whether a line of a listing is about this fact of this stream.
fn tells(line: &Line, stream: StreamId, fact: RosterFact) -> bool {
    let as_message = foreseen(stream, vec![fact]);
    line.fact.as_slice() == wire::preview(as_message).dropped && stream_of(line) == stream
}

/// Any share of bad rows is allowed, so that what is left of an export is imported.
pub(super) const TERMS: Terms = Terms {
    today: TODAY,
    bad_rows: 100,
};

/// Imports an export as `planledger import` does. Unless it stops, it accepts everything.
fn import(memory: &mut Memory, export: &Export) -> Option<Said> {
    Some(import_roster(memory, export.open_on(TERMS).ok()?))
}

pub(super) fn import_roster(memory: &mut Memory, mut roster: Roster) -> Said {
    let name = SourceName::new("default").unwrap();
    roster.set_origin(Origin {
        name: name.clone(),
        id: RosterSourceId::FIRST,
    });
    let mut said = Said {
        passes_over: roster.summary().passed_over() > 0,
        ..Said::default()
    };
    let mut notes = absences(memory, &roster, &name, &mut said).into_iter();
    let before = links(memory);
    let mut foresight = Foresight::default();
    let mut commands = Vec::new();
    for found in roster.commands().map_while(Result::ok) {
        let kind = Subject::of(
            &wire::unless_unchanged(found.command.clone()),
            String::new(),
        )
        .kind;
        if is_after_notes(kind) {
            commands.extend(notes.by_ref());
        }
        commands.push(found.command);
    }
    for command in commands.into_iter().chain(notes) {
        look(memory, &mut foresight, command);
    }
    said.passes_over |= foresight.refused.count > 0;
    let listed = foresight.dropped.lines.iter();
    for link in &before {
        let is_said = match *link {
            Link::Is(stream, fact) => listed.clone().any(|line| tells(line, stream, fact)),
            Link::There(stream) | Link::Gone(stream) => {
                let mut turned = foresight.turned.lines.iter();
                turned.any(|line| stream_of(line) == stream)
            }
            // Nothing that an import does may end these.
            Link::Owner(..) | Link::Seen(_) => false,
        };
        if is_said {
            said.links.insert(*link);
        }
    }
    said
}

/// Whether somebody is at no institution but as a guardian.
fn only_guards(person: &Person) -> bool {
    let mut places = person.affiliations.iter();
    places.all(|place| place.role == Role::Guardian)
}

/// Notes of who is not in a bulk export. They are said.
fn absences(memory: &Memory, roster: &Roster, name: &SourceName, said: &mut Said) -> Vec<Command> {
    let members = roster.members();
    let mut notes = Vec::new();
    for stream in memory.streams().filter(|_| !roster.is_delta()) {
        if members.contains(&stream.id) {
            continue;
        }
        let (source, last_seen) = (name.clone(), TODAY);
        match memory.state(stream) {
            Some(Aggregate::Person(person))
                if person.records.contains_key(name)
                    && !roster.hides_persons()
                    && !(roster.hides_guardians() && only_guards(person)) =>
            {
                let note = PersonCommand::NoteAbsence { source, last_seen };
                notes.push(Command::Person(PersonId::from_uuid(stream.id), note));
            }
            Some(Aggregate::Team(team))
                if team.sources.contains(name) && !roster.hides_classes() =>
            {
                let note = TeamCommand::NoteAbsence { source, last_seen };
                notes.push(Command::Team(TeamId::from_uuid(stream.id), note));
            }
            _ => continue,
        }
        said.links.insert(Link::Seen(stream));
    }
    notes
}

/// Carries a command out, and adds what it does to what the import says.
fn look(memory: &mut Memory, foresight: &mut Foresight, command: Command) {
    let subject = Subject::of(&wire::unless_unchanged(command.clone()), String::new());
    let known: BTreeSet<_> = memory.streams().collect();
    let Ok(decision) = memory.execute(SYSTEM, &command) else {
        foresight.refused.count += 1;
        return;
    };
    let preview = wire::preview(Foreseen {
        creates: !known.contains(&decision.stream),
        events: decision.events.iter().map(Event::event_type).collect(),
        ..foreseen(decision.stream, decision.dropped)
    });
    foresight.add(Looked {
        subject,
        outcome: Ok(preview),
    });
}

fn text(export: &Export, file: &str) -> String {
    String::from_utf8(export.0[file].clone()).unwrap()
}

/// The export in OneRoster 1.2: what people are stands in a table of its own.
fn as_1_2(mut export: Export) -> Export {
    let (users, roles) = users_and_roles(&text(&export, "users.csv"));
    export.0.insert("users.csv", users.into_bytes());
    export.0.insert("roles.csv", roles.into_bytes());
    export.replace("manifest.csv", "version,1.1", "version,1.2")
}

/// The next export: somebody joins a class, a father gets another child, a teacher stops guarding a
/// child, somebody leaves and another one is back.
fn next() -> Export {
    export()
        .replace("enrollments.csv", "n2,tobedeleted", "n2,active")
        .replace("users.csv", "Bo,,,07", "Bo,,f1,07")
        .replace("users.csv", "\"f1,l1\"", "f1")
        .replace("users.csv", "x1,active", "x1,tobedeleted")
        .replace("users.csv", "l2,tobedeleted", "l2,active")
}

/// The same as changes: nothing is in it but what they need.
fn changes() -> Export {
    let mut changes = next().replace("manifest.csv", "users,bulk", "users,delta");
    let kept = [
        ("users.csv", &["e1,", "e2,", "f1,", "x1,", "l2,"][..]),
        ("enrollments.csv", &["n2,", "n6,"]),
        ("courses.csv", &[]),
        ("classes.csv", &[]),
        ("academicSessions.csv", &[]),
    ];
    for (file, ids) in kept {
        let text = text(&changes, file);
        let rows = text.lines().enumerate();
        let rows = rows.filter(|(at, row)| *at == 0 || ids.iter().any(|id| row.starts_with(id)));
        let rows: String = rows.map(|(_, row)| format!("{row}\n")).collect();
        changes.0.insert(file, rows.into_bytes());
    }
    changes.replace("enrollments.csv", "n6,active", "n6,tobedeleted")
}

/// A ledger with the first export, and a year plan and a plan of the team's owner.
fn school(first: &Export) -> Memory {
    let mut memory = Memory::default();
    import(&mut memory, first).unwrap();
    let id = |kind, id| names::derive("oneroster", kind, id);
    let (year_plan, plan) = (YearPlanId::from_bytes([1; 16]), PlanId::from_bytes([2; 16]));
    let created = YearPlanEvent::Created {
        details: YearPlanDetails {
            institution: InstitutionId::from_uuid(id("org", "sk1")),
            team: TeamId::from_uuid(id("class", "7b")),
            school_year: SchoolYearId::from_uuid(id("academicSession", "y1")),
            ..subject_year_plan()
        },
        owner: person("l1"),
    };
    let opened = PlanEvent::Opened {
        student: person("e1"),
        kind: YearPlanKind::Subject,
        year_plan,
        owner: person("l1"),
    };
    memory.record(Fact::from((year_plan, created)));
    memory.record(Fact::from((plan, opened)));
    let owners = links(&memory);
    let owners = owners.iter().filter(|link| matches!(link, Link::Owner(..)));
    // School Data Sync does not say who answers for a class.
    assert!([2, 3].contains(&owners.count()));
    memory
}

/// A ledger, an export for it, and what the export leads to if it is not spoiled.
pub(super) struct Case {
    pub(super) memory: Memory,
    pub(super) before: BTreeSet<Link>,
    pub(super) export: Export,
    pub(super) after: BTreeSet<Link>,
}

impl Case {
    fn new(first: &Export, export: Export) -> Self {
        let memory = school(first);
        let before = links(&memory);
        let mut whole = memory.clone();
        assert!(!import(&mut whole, &export).unwrap().passes_over);
        let after = links(&whole);
        // It ends and makes something of its own.
        assert!(before.difference(&after).count() > 1 && after.difference(&before).count() > 2);
        Self {
            memory,
            before,
            export,
            after,
        }
    }

    pub(super) fn all() -> BTreeMap<&'static str, Self> {
        [
            ("1.1 bulk", Self::new(&export(), next())),
            ("1.1 delta", Self::new(&export(), changes())),
            ("1.2 bulk", Self::new(&as_1_2(export()), as_1_2(next()))),
            ("sds", Self::new(&two_classes(false), two_classes(true))),
            ("1.2 delta", Self::new(&as_1_2(export()), as_1_2(changes()))),
        ]
        .into()
    }

    /// What goes wrong in silence if the export comes like this.
    fn silence(&self, spoiled: &Export) -> Vec<String> {
        let mut memory = self.memory.clone();
        let Some(said) = import(&mut memory, spoiled) else {
            return Vec::new();
        };
        let after = links(&memory);
        let mut silence = Vec::new();
        for link in self.after.difference(&after) {
            let is_said = match self.before.contains(link) {
                true => said.links.contains(link),
                // It is new. Only a row that is still there can be missed, and whoever has left gets
                // no place.
                false => {
                    let leaves = whom(link).is_some_and(|of| said.links.contains(&Link::There(of)));
                    said.passes_over || leaves || !self.is_named(link, spoiled)
                }
            };
            if !is_said {
                silence.push(format!("{link:?}"));
            }
        }
        // Whoever owns something goes on to own it, whatever the whole export says.
        let lost = self.before.difference(&after);
        let lost = lost.filter(|link| matches!(link, Link::Owner(..)));
        silence.extend(lost.map(|link| format!("{link:?}")));
        silence
    }

    /// Whether a row that makes a new link is in the spoiled export as it is in the whole one. Without
    /// anybody in `users.csv` the import stops before it comes here.
    fn is_named(&self, link: &Link, spoiled: &Export) -> bool {
        if text(spoiled, "users.csv").lines().nth(1).is_none() {
            return false;
        }
        let rows: &[(&str, &str)] = match link {
            Link::Is(_, RosterFact::Team(TeamFact::Member(_))) => {
                &[("enrollments.csv", "n2,"), ("enrollments.csv", "7b,e2,")]
            }
            Link::Is(_, RosterFact::Person(PersonFact::Guardian(_))) => {
                match self.export.0.contains_key("relationships.csv") {
                    true => &[("relationships.csv", "e2,f1,")],
                    false => &[("users.csv", "e2,")],
                }
            }
            Link::Gone(_) => &[("users.csv", "x1,")],
            Link::There(_) => &[("users.csv", "l2,")],
            _ => &[],
        };
        let there = |file: &str| self.export.0.contains_key(file);
        // Whoever is named as a guardian and is something else by their own row guards nobody.
        if matches!(
            link,
            Link::Is(_, RosterFact::Person(PersonFact::Guardian(_)))
        ) {
            let own = [("users.csv", "f1,"), ("roles.csv", "f1-")];
            let mut own = own.iter().filter(|(file, _)| there(file));
            let is_there = |(file, start): &(&str, &str)| {
                let (whole, spoiled) = (text(&self.export, file), text(spoiled, file));
                let mut rows = whole.lines().filter(|row| row.starts_with(start));
                rows.all(|row| spoiled.lines().any(|line| line == row))
            };
            if !own.all(is_there) {
                return false;
            }
        }
        rows.iter()
            .filter(|(file, _)| there(file))
            .any(|(file, start)| {
                let whole = text(&self.export, file);
                let row = whole.lines().find(|row| row.starts_with(start));
                let spoiled = text(spoiled, file);
                spoiled.lines().any(|line| Some(line) == row)
            })
    }
}

/// The person whom a place or guardianship names.
fn whom(link: &Link) -> Option<StreamId> {
    match link {
        Link::Is(_, RosterFact::Team(TeamFact::Member(id) | TeamFact::Staff(id)))
        | Link::Is(_, RosterFact::Person(PersonFact::Guardian(id))) => Some((*id).into()),
        _ => None,
    }
}

/// Which table, what is done to it, and to which rows and cells.
type Change = (usize, Spoiling, usize, usize, usize);

fn spoil(export: &Export, changes: &[Change]) -> Export {
    let mut spoiled = export.clone();
    for (file, how, row, other, cell) in changes {
        let names: Vec<_> = spoiled.0.keys().copied().collect();
        let file = names[file % names.len()];
        let table = how.of(&text(&spoiled, file), *row, *other, *cell);
        spoiled.0.insert(file, table.into_bytes());
    }
    spoiled
}

fn spoiled() -> impl Strategy<Value = Vec<Change>> {
    let how = prop::sample::select(Spoiling::ALL.to_vec());
    let one = (0..8usize, how, 0..20usize, 0..20usize, 0..100usize);
    prop::collection::vec(one, 1..5)
}

/// Whatever is done to the rows and cells of an export: it is refused, or every link that the whole
/// export keeps and the spoiled one ends is said. So is each row that the whole export uses and the
/// spoiled one does not.
#[test]
fn a_spoiled_export_ends_nothing_in_silence_that_the_whole_one_would_not_end() {
    let cases = Case::all();
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(600)
    };
    proptest!(config, |(changes in spoiled())| {
        for (name, case) in &cases {
            let silence = case.silence(&spoil(&case.export, &changes));
            prop_assert!(silence.is_empty(), "{name}: {silence:#?}");
        }
    });
}

/// Whose own row says that they are a student guards nobody, although a child's row names them.
#[test]
fn whoever_is_a_student_by_their_own_row_guards_nobody() {
    let changes = [
        (3, Spoiling::CutShort, 2, 0, 0),
        (6, Spoiling::CellsOfRowsExchanged, 8, 1, 53),
    ];
    for (name, case) in Case::all() {
        let silence = case.silence(&spoil(&case.export, &changes));
        assert!(silence.is_empty(), "{name}: {silence:#?}");
    }
}

/// The property above would find an import that says nothing: without what is said, each of these spoils.
#[test]
fn an_import_of_a_spoiled_export_says_what_it_ends() {
    let case = Case::new(&export(), next());
    // Rows are counted from the first one below the header.
    let ended = |file, how: Spoiling, row, cell| {
        let mut spoiled = case.export.clone();
        let table = how.of(&text(&spoiled, file), row, row, cell);
        spoiled.0.insert(file, table.into_bytes());
        let mut memory = case.memory.clone();
        let said = import(&mut memory, &spoiled).unwrap();
        let after = links(&memory);
        let ended: Vec<_> = case.after.difference(&after).copied().collect();
        assert!(
            ended.iter().all(|link| said.links.contains(link)),
            "{ended:?}"
        );
        ended
    };
    let place = ended("enrollments.csv", Spoiling::RowDropped, 5, 0);
    assert!(matches!(
        place[..],
        [Link::Is(_, RosterFact::Team(TeamFact::Staff(_)))]
    ));
    let guardian = ended("users.csv", Spoiling::CellEmptied, 0, 7);
    assert!(matches!(
        guardian[..],
        [Link::Is(_, RosterFact::Person(PersonFact::Guardian(_)))]
    ));
    let back = ended("users.csv", Spoiling::CellEmptied, 2, 1);
    assert!(matches!(back[..], [Link::Gone(_)]));
    let missing = ended("users.csv", Spoiling::RowDropped, 6, 0);
    assert!(matches!(missing[..], [Link::Seen(_)]));
}
