//! The commands that led to the ledger in the fixture.

use planledger_fixtures::commands;
use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::catalogue::CatalogueCommand;
use planledger_core::domain::institution::InstitutionCommand;
use planledger_core::domain::person::{Guardianship, PersonCommand, Role};
use planledger_core::domain::plan::{Assessment, Audience, PlanCommand, Section};
use planledger_core::domain::school_year::SchoolYearCommand;
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::year_plan::{GoalKind, WordingChoice};
use planledger_core::domain::{Actor, Command};
use planledger_core::ids::{CommandId, PersonId, Revision};
use planledger_core::ledger::Envelope;
use planledger_core::seal::RescueKey;
use planledger_core::time::Timestamp;
use x25519_dalek::{PublicKey, StaticSecret};

use planledger_fixtures::school::*;
use planledger_fixtures::{ActsAs, IntoCommand};

pub(crate) const MASTER: [u8; 32] = [7; 32];
/// The rescue key's private half.
pub(crate) const PRIVATE: [u8; 32] = [9; 32];
pub(crate) const CREATED: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);

pub(crate) fn rescue_key() -> RescueKey {
    RescueKey(*PublicKey::from(&StaticSecret::from(PRIVATE)).as_bytes())
}

/// Who asks for what, each in one commit.
pub(crate) fn commits() -> Vec<(Actor, Vec<Envelope>)> {
    let mut number = 0;
    let mut asked = Vec::new();
    for (actor, commands) in commands() {
        let envelopes = commands.into_iter().map(|command| {
            number += 1;
            Envelope::new(CommandId::from_bytes([number; 16]), command)
        });
        asked.push((actor, envelopes.collect::<Vec<_>>()));
    }
    // One on behalf of somebody, and one that says which revision it expects.
    let last = asked.len() - 1;
    asked[last].1[0].on_behalf_of = Some(TEACHER.actor());
    asked[last - 1].1[0].expected_revision = Some(Revision::new(7));
    asked
}

fn put_person(id: PersonId, called: &str, role: Role) -> Command {
    let put = commands::put_person(
        name(called),
        BTreeSet::from([affiliation(SCHOOL, role)]),
        false,
    );
    (id, put).into_command()
}

fn commands() -> Vec<(Actor, Vec<Command>)> {
    let mut details = institution_details("Nordvestskolen");
    details.code = Some(code("101123"));
    let guardianship = Guardianship {
        guardian: GUARDIAN,
        last_day: Some(day(12, 31)),
    };
    let from_catalogue = WordingChoice::Catalogue {
        catalogue: CATALOGUE,
        item: ITEM,
    };
    let mut goal = chosen_goal(GoalKind::Reflection, "unused");
    goal.wording = from_catalogue;
    let evaluate = commands::record_evaluation(
        EVALUATION,
        THE_UNIT,
        REFLECTION_GOAL,
        Assessment {
            level: Some(2),
            comment: Some(text("Læser højt – og gerne")),
        },
    );
    let open = || commands::open_plan(STUDENT, YEAR_PLAN, None);
    let write = |words| PlanCommand::WriteStatus { text: text(words) };
    let catalogue = CatalogueCommand::Put {
        details: catalogue_details(),
        items: BTreeMap::from([(ITEM, catalogue_item("Eleven kan læse"))]),
    };
    let create_team = TeamCommand::Create {
        details: team_details(),
        owner: Some(TEACHER),
    };
    let create_year_plan = commands::create_year_plan(subject_year_plan(), TEACHER);
    let teacher = TEACHER.actor();
    let audience = Audience::Guardians;
    let section = Section::Status;
    vec![
        (
            SYSTEM,
            vec![(SCHOOL, InstitutionCommand::Register(details)).into_command()],
        ),
        (
            SYSTEM,
            vec![(YEAR, SchoolYearCommand::Define(school_year())).into_command()],
        ),
        (
            SYSTEM,
            vec![
                put_person(STUDENT, "Eleven", Role::Student),
                put_person(GUARDIAN, "Forælderen", Role::Guardian),
                put_person(TEACHER, "Læreren", Role::Teacher),
                (STUDENT, PersonCommand::SetGuardianship(guardianship)).into_command(),
            ],
        ),
        (SYSTEM, vec![(CATALOGUE, catalogue).into_command()]),
        (
            teacher,
            vec![
                (TEAM, create_team).into_command(),
                (TEAM, TeamCommand::AddMember { student: STUDENT }).into_command(),
            ],
        ),
        (
            teacher,
            vec![
                (YEAR_PLAN, create_year_plan).into_command(),
                (
                    YEAR_PLAN,
                    commands::add_unit(UNIT, unit_details("Noveller")),
                )
                    .into_command(),
                (YEAR_PLAN, commands::add_goal(UNIT, REFLECTION_GOAL, goal)).into_command(),
            ],
        ),
        (teacher, vec![(PLAN, open()).into_command()]),
        (
            teacher,
            vec![
                (PLAN, PlanCommand::IncludeUnit(THE_UNIT)).into_command(),
                (PLAN, evaluate).into_command(),
            ],
        ),
        (
            teacher,
            vec![(PLAN, write("Læser flydende")).into_command()],
        ),
        // Nothing to change, yet recorded: the same text again, and a plan that is open already.
        (
            teacher,
            vec![(PLAN, write("Læser flydende")).into_command()],
        ),
        (teacher, vec![(OTHER_PLAN, open()).into_command()]),
        (
            teacher,
            vec![
                (PLAN, PlanCommand::ShowSection { section }).into_command(),
                (PLAN, PlanCommand::Share).into_command(),
                (PLAN, commands::set_visibility(audience, true)).into_command(),
            ],
        ),
        (
            teacher,
            vec![(PLAN, write("Læser flydende og gerne")).into_command()],
        ),
        (
            SYSTEM,
            vec![
                (
                    TEAM,
                    TeamCommand::Delete {
                        reason: why("Rydder op"),
                    },
                )
                    .into_command(),
            ],
        ),
    ]
}
