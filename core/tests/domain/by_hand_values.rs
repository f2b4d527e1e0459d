//! A name or detail that a person changed stays until the roster says something new (P8).

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::institution::{
    InstitutionCommand, InstitutionDetail, InstitutionEvent, InstitutionFact,
};
use planledger_core::domain::person::{Person, PersonCommand, PersonEvent, PersonFact, Role};
use planledger_core::domain::team::{
    Team, TeamCommand, TeamDetail, TeamDetails, TeamEvent, TeamFact,
};
use planledger_core::domain::{Actor, Aggregate, RosterFact};
use planledger_core::ids::{InstitutionId, SchoolYearId};
use planledger_core::text::Name;
use planledger_fixtures::Memory;
use planledger_fixtures::school::*;
use proptest::prelude::*;

use crate::domain::harness::{Given, given};

/// The roster says this name, and otherwise what is so.
fn put(called: &str) -> PersonCommand {
    PersonCommand::Put {
        name: name(called),
        affiliations: BTreeSet::from([affiliation(SCHOOL, Role::Teacher)]),
        departed: false,
        record: None,
    }
}

fn rename(called: &str) -> PersonCommand {
    let name = name(called);
    PersonCommand::Rename { name }
}

fn renamed(called: &str) -> PersonEvent {
    let name = name(called);
    PersonEvent::Renamed { name }
}

fn name_left() -> PersonEvent {
    PersonEvent::LeftToRoster {
        facts: BTreeSet::from([PersonFact::Name]),
    }
}

fn put_team(details: TeamDetails) -> TeamCommand {
    TeamCommand::PutPart {
        details: Some(details),
        members: BTreeSet::new(),
        staff: BTreeMap::new(),
        gone: BTreeSet::new(),
        unsaid: None,
        owner: None,
        closed: None,
        source: None,
    }
}

fn team_left<const N: usize>(details: [TeamDetail; N]) -> TeamEvent {
    TeamEvent::LeftToRoster {
        facts: details.map(TeamFact::Detail).into(),
    }
}

fn person_of(memory: &Memory) -> &Person {
    match memory.state(TEACHER) {
        Some(Aggregate::Person(person)) => person,
        other => panic!("{other:?}"),
    }
}

fn team_of(memory: &Memory) -> &Team {
    match memory.state(TEAM) {
        Some(Aggregate::Team(team)) => team,
        other => panic!("{other:?}"),
    }
}

const NAME: [RosterFact; 1] = [RosterFact::Person(PersonFact::Name)];
const NO_EVENTS: [PersonEvent; 0] = [];
const NO_TEAM_EVENTS: [TeamEvent; 0] = [];

/// The teacher, whom a roster called "Læreren" and a leader calls something else.
fn renamed_by_a_leader() -> Given {
    given(a_school())
        .when(SYSTEM, (TEACHER, put("Læreren")))
        .then(NO_EVENTS)
        .when(LEADER, (TEACHER, rename("Lærer Asp")))
        .then([renamed("Lærer Asp")])
}

#[test]
fn a_name_that_a_leader_gave_stays_until_the_roster_says_a_new_one() {
    let stays = renamed_by_a_leader()
        .when(SYSTEM, (TEACHER, put("Læreren")))
        .then_keeping(NAME, NO_EVENTS)
        .when(LEADER, (TEACHER, put("Læreren")))
        .then_keeping(NAME, NO_EVENTS);
    let by_hand = person_of(&stays.clone().world()).decided_by_hand();
    assert_eq!(by_hand, BTreeSet::from([PersonFact::Name]));
    let new = stays
        .when(SYSTEM, (TEACHER, put("Læreren Asp")))
        .then([renamed("Læreren Asp")]);
    assert_eq!(
        person_of(&new.clone().world()).decided_by_hand(),
        BTreeSet::new()
    );
    // From here on the roster decides, also for what it said long ago.
    new.when(SYSTEM, (TEACHER, put("Læreren")))
        .then([renamed("Læreren")]);
}

#[test]
fn once_the_roster_has_said_the_name_that_a_leader_gave_it_decides_again() {
    renamed_by_a_leader()
        .when(SYSTEM, (TEACHER, put("Lærer Asp")))
        .then([name_left()])
        .when(SYSTEM, (TEACHER, put("Lærer Asp")))
        .then(NO_EVENTS)
        .when(SYSTEM, (TEACHER, put("Læreren")))
        .then([renamed("Læreren")]);
}

#[test]
fn what_the_roster_said_last_is_known_however_often_people_change_the_name() {
    let twice = renamed_by_a_leader()
        .when(LEADER, (TEACHER, rename("Lærer Birk")))
        .then([renamed("Lærer Birk")])
        .when(SYSTEM, (TEACHER, put("Læreren")))
        .then_keeping(NAME, NO_EVENTS);
    // A name that only a leader has given is new in the roster's mouth.
    twice
        .clone()
        .when(SYSTEM, (TEACHER, put("Lærer Asp")))
        .then([renamed("Lærer Asp")]);
    let back = twice
        .when(LEADER, (TEACHER, rename("Læreren")))
        .then([renamed("Læreren")]);
    assert_eq!(person_of(&back.world()).roster_name, None);
}

#[test]
fn a_name_that_an_import_brought_is_the_rosters_whoever_ran_it() {
    given(a_school())
        .when(LEADER, (TEACHER, put("Lærer Asp")))
        .then([renamed("Lærer Asp"), name_left()])
        .when(SYSTEM, (TEACHER, put("Læreren")))
        .then([renamed("Læreren")]);
}

/// A team that a leader has moved and called something else.
fn revised_by_a_leader() -> (Given, TeamDetails) {
    let details = TeamDetails {
        institution: OTHER_SCHOOL,
        title: title("7.b dansk og billedkunst"),
        ..team_details()
    };
    let given = given(a_team())
        .when(SYSTEM, (TEAM, put_team(team_details())))
        .then(NO_TEAM_EVENTS)
        .when(LEADER, (TEAM, TeamCommand::Revise(details.clone())))
        .then([TeamEvent::Revised(details.clone())]);
    (given, details)
}

fn kept<const N: usize>(details: [TeamDetail; N]) -> [RosterFact; N] {
    details.map(TeamFact::Detail).map(RosterFact::Team)
}

#[test]
fn a_team_that_a_leader_moved_and_renamed_stays_so_while_the_roster_says_nothing_new() {
    let (before, details) = revised_by_a_leader();
    let both = [TeamDetail::Institution, TeamDetail::Title];
    let with_subject = |subject: Option<Name>, details: &TeamDetails| TeamDetails {
        subject,
        ..details.clone()
    };
    // Another detail is new, and follows the roster.
    let moved = before
        .when(SYSTEM, (TEAM, put_team(team_details())))
        .then_keeping(kept(both), NO_TEAM_EVENTS)
        .when(
            SYSTEM,
            (TEAM, put_team(with_subject(None, &team_details()))),
        )
        .then_keeping(
            kept(both),
            [TeamEvent::Revised(with_subject(None, &details))],
        );
    // The roster names the team anew, and says the same institution as before.
    let new_title = |institution| TeamDetails {
        institution,
        title: title("7.b"),
        ..with_subject(None, &details)
    };
    let follows = moved
        .when(SYSTEM, (TEAM, put_team(new_title(SCHOOL))))
        .then_keeping(
            kept([TeamDetail::Institution]),
            [TeamEvent::Revised(new_title(OTHER_SCHOOL))],
        )
        .when(SYSTEM, (TEAM, put_team(new_title(OTHER_SCHOOL))))
        .then([team_left([TeamDetail::Institution])]);
    assert_eq!(team_of(&follows.clone().world()).roster_details, None);
    follows
        .when(SYSTEM, (TEAM, put_team(new_title(SCHOOL))))
        .then([TeamEvent::Revised(new_title(SCHOOL))]);
}

#[test]
fn a_step_of_a_recovery_moves_a_team_for_good_whoever_began_it() {
    let (from, to) = (SCHOOL, OTHER_SCHOOL);
    let third = InstitutionId::from_bytes([0x13; 16]);
    let moved_to = |institution| TeamDetails {
        institution,
        ..team_details()
    };
    let registered = InstitutionEvent::Registered(institution_details("Tredje skole"));
    for began in [SYSTEM, Actor::Person(LEADER)] {
        let moved = given(a_team())
            .and((third, registered.clone()))
            .when(began, (TEAM, TeamCommand::Move { from, to }))
            .then([TeamEvent::Moved { from, to }])
            .when(SYSTEM, (TEAM, put_team(team_details())))
            .then_keeping(kept([TeamDetail::Institution]), NO_TEAM_EVENTS);
        // The roster says a new institution, and decides again.
        moved
            .clone()
            .when(SYSTEM, (TEAM, put_team(moved_to(third))))
            .then([TeamEvent::Revised(moved_to(third))])
            .when(SYSTEM, (TEAM, put_team(team_details())))
            .then([TeamEvent::Revised(team_details())]);
        moved
            .clone()
            .when(SYSTEM, (TEAM, put_team(moved_to(to))))
            .then([team_left([TeamDetail::Institution])]);
        // A recovery that is undone leaves no trace: the roster decides, as before.
        let (from, to) = (to, from);
        let back = moved
            .when(began, (TEAM, TeamCommand::MoveBack { from, to }))
            .then([TeamEvent::Moved { from, to }]);
        assert_eq!(team_of(&back.clone().world()).roster_details, None);
        back.when(SYSTEM, (TEAM, put_team(moved_to(third))))
            .then([TeamEvent::Revised(moved_to(third))]);
    }
}

#[test]
fn an_import_that_says_nothing_of_a_detail_decides_nothing_about_it() {
    let other_year = SchoolYearId::from_bytes([0x22; 16]);
    let in_year = |school_year| TeamDetails {
        school_year,
        ..team_details()
    };
    let nothing_said = TeamCommand::PutPart {
        details: None,
        members: BTreeSet::new(),
        staff: BTreeMap::new(),
        gone: BTreeSet::new(),
        unsaid: None,
        owner: None,
        closed: None,
        source: None,
    };
    let defined = planledger_core::domain::school_year::SchoolYearEvent::Defined(school_year());
    given(a_team())
        .and((other_year, defined))
        .when(
            LEADER,
            (TEAM, TeamCommand::Revise(in_year(Some(other_year)))),
        )
        .then([TeamEvent::Revised(in_year(Some(other_year)))])
        .when(SYSTEM, (TEAM, put_team(in_year(None))))
        .then(NO_TEAM_EVENTS)
        .when(SYSTEM, (TEAM, nothing_said))
        .then(NO_TEAM_EVENTS)
        .when(SYSTEM, (TEAM, put_team(in_year(Some(YEAR)))))
        .then_keeping(kept([TeamDetail::SchoolYear]), NO_TEAM_EVENTS);
}

#[test]
fn a_name_that_a_leader_gave_an_institution_stays_until_the_roster_says_a_new_one() {
    let fact = InstitutionFact::Detail(InstitutionDetail::Name);
    let put = |called| InstitutionCommand::Put {
        details: institution_details(called),
        closed: false,
    };
    let revised = |called| InstitutionEvent::Revised(institution_details(called));
    let no_events: [InstitutionEvent; 0] = [];
    let revise = InstitutionCommand::Revise(institution_details("Skolen ved Parken"));
    let stays = given(a_school())
        .when(LEADER, (SCHOOL, revise))
        .then([revised("Skolen ved Parken")])
        .when(SYSTEM, (SCHOOL, put("Nordvestskolen")))
        .then_keeping([RosterFact::Institution(fact)], no_events);
    stays
        .clone()
        .when(SYSTEM, (SCHOOL, put("Nordvest Skole")))
        .then([revised("Nordvest Skole")]);
    stays
        .when(SYSTEM, (SCHOOL, put("Skolen ved Parken")))
        .then([InstitutionEvent::LeftToRoster {
            facts: BTreeSet::from([fact]),
        }])
        .when(SYSTEM, (SCHOOL, put("Nordvestskolen")))
        .then([revised("Nordvestskolen")]);
}

/// Who says something of the teacher's name, and of the title and subject of the team.
#[derive(Clone, Copy, Debug)]
enum Says {
    Roster { run_by_a_person: bool },
    System,
    Leader,
}

const WORDS: [&str; 4] = ["Asp", "Birk", "Eg", "Pil"];

fn says(memory: &mut Memory, who: Says, words: [usize; 3]) {
    let [called, headed, taught] = words.map(|word| WORDS[word]);
    let details = TeamDetails {
        title: title(headed),
        subject: Some(name(taught)),
        ..team_details()
    };
    match who {
        Says::Roster { run_by_a_person } => {
            let runs = match run_by_a_person {
                true => Actor::Person(LEADER),
                false => SYSTEM,
            };
            memory.does(runs, (TEACHER, put(called)));
            memory.does(runs, (TEAM, put_team(details)));
        }
        Says::System | Says::Leader => {
            let actor = match who {
                Says::Leader => Actor::Person(LEADER),
                Says::System | Says::Roster { .. } => SYSTEM,
            };
            memory.does(actor, (TEACHER, rename(called)));
            memory.does(actor, (TEAM, TeamCommand::Revise(details)));
        }
    }
}

fn anybody() -> impl Strategy<Value = Says> {
    prop_oneof![
        any::<bool>().prop_map(|run_by_a_person| Says::Roster { run_by_a_person }),
        Just(Says::System),
        Just(Says::Leader),
    ]
}

proptest! {
    /// Against a naive account of each value: what it is, and what the roster said last.
    #[test]
    fn a_value_is_what_was_said_last_unless_the_roster_only_repeats_itself(
        first in prop::array::uniform3(0..WORDS.len()),
        steps in prop::collection::vec((anybody(), prop::array::uniform3(0..WORDS.len())), 1..24),
    ) {
        let mut memory = given(a_team()).world();
        says(&mut memory, Says::Roster { run_by_a_person: false }, first);
        let mut expected = first.map(|word| (word, word));
        for (who, words) in steps {
            says(&mut memory, who, words);
            for ((now, said), word) in expected.iter_mut().zip(words) {
                match who {
                    Says::Leader => *now = word,
                    // Nothing changes, so nothing is recorded.
                    Says::System if word == *now => {}
                    Says::Roster { .. } if word != *now && word == *said => {}
                    Says::System | Says::Roster { .. } => (*now, *said) = (word, word),
                }
            }
            let (person, team) = (person_of(&memory), team_of(&memory));
            let subject = team.details.subject.as_ref().map(|subject| subject.as_str());
            let is = [Some(person.name.as_str()), Some(team.details.title.as_str()), subject];
            prop_assert_eq!(is, expected.map(|(now, _)| Some(WORDS[now])));
            let by_hand = [
                person.decided_by_hand().contains(&PersonFact::Name),
                team.decided_by_hand().contains(&TeamFact::Detail(TeamDetail::Title)),
                team.decided_by_hand().contains(&TeamFact::Detail(TeamDetail::Subject)),
            ];
            prop_assert_eq!(by_hand, expected.map(|(now, said)| now != said));
        }
    }
}
