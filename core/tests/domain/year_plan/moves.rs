//! A year plan moves to another institution.

use planledger_core::domain::institution::InstitutionEvent;
use planledger_core::domain::team::{TeamCommand, TeamDetails, TeamEvent};
use planledger_core::domain::year_plan::{Place, YearPlanCommand, YearPlanEvent};
use planledger_core::domain::{Aggregate, Reason};
use planledger_core::ids::{InstitutionId, TeamId};

use super::deleted;
use crate::domain::harness::{Given, given, refusals};
use planledger_fixtures::school::*;

const THERE: TeamId = TeamId::from_bytes([0x42; 16]);
const HOME: Place = Place {
    institution: SCHOOL,
    team: TEAM,
};

/// The year plan, and a team of the other school.
fn two_schools() -> Given {
    let details = TeamDetails {
        institution: OTHER_SCHOOL,
        ..team_details()
    };
    given(a_year_plan()).and((
        THERE,
        TeamEvent::Created {
            details,
            owner: None,
        },
    ))
}

fn at(institution: InstitutionId, team: TeamId) -> Place {
    Place { institution, team }
}

fn move_to(to: InstitutionId, team: Option<TeamId>) -> YearPlanCommand {
    YearPlanCommand::MoveToInstitution {
        to,
        team,
        reason: why("Lagt sammen"),
    }
}

fn moved(from: Place, to: Place) -> YearPlanEvent {
    YearPlanEvent::Moved {
        from,
        to,
        reason: why("Lagt sammen"),
    }
}

fn closed() -> InstitutionEvent {
    InstitutionEvent::Closed { reason: None }
}

#[test]
fn a_year_plan_moves_with_the_team_it_has_or_to_a_team_there() {
    for (team, to) in [
        (None, at(OTHER_SCHOOL, TEAM)),
        (Some(THERE), at(OTHER_SCHOOL, THERE)),
    ] {
        let after = two_schools()
            .when(LEADER, (YEAR_PLAN, move_to(OTHER_SCHOOL, team)))
            .then([moved(HOME, to)]);
        let Aggregate::YearPlan(plan) = after.state(YEAR_PLAN) else {
            panic!()
        };
        assert_eq!(plan.details.place(), to);
    }
}

#[test]
fn a_deleted_year_plan_moves_too_and_out_of_a_closed_school() {
    two_schools()
        .and((YEAR_PLAN, deleted()))
        .and((SCHOOL, closed()))
        .when(LEADER, (YEAR_PLAN, move_to(OTHER_SCHOOL, None)))
        .then([moved(HOME, at(OTHER_SCHOOL, TEAM))]);
}

#[test]
fn a_step_moves_once_and_back_once_also_to_a_closed_school() {
    let to = at(OTHER_SCHOOL, THERE);
    let reason = || why("Lagt sammen");
    let over = YearPlanCommand::Move {
        from: HOME,
        to,
        reason: reason(),
    };
    let back = YearPlanCommand::MoveBack {
        from: to,
        to: HOME,
        reason: reason(),
    };
    two_schools()
        .and((SCHOOL, closed()))
        .when(LEADER, (YEAR_PLAN, over.clone()))
        .then([moved(HOME, to)])
        .when(LEADER, (YEAR_PLAN, over))
        .then_nothing()
        .when(LEADER, (YEAR_PLAN, back.clone()))
        .then([moved(to, HOME)])
        .when(LEADER, (YEAR_PLAN, back))
        .then_nothing();
}

#[test]
fn a_team_moves_once_and_back_once_also_to_a_closed_school() {
    let over = TeamCommand::Move {
        from: SCHOOL,
        to: OTHER_SCHOOL,
    };
    let back = TeamCommand::MoveBack {
        from: OTHER_SCHOOL,
        to: SCHOOL,
    };
    two_schools()
        .and((SCHOOL, closed()))
        .when(LEADER, (TEAM, over.clone()))
        .then([TeamEvent::Moved {
            from: SCHOOL,
            to: OTHER_SCHOOL,
        }])
        .when(LEADER, (TEAM, over))
        .then_nothing()
        .when(LEADER, (TEAM, back.clone()))
        .then([TeamEvent::Moved {
            from: OTHER_SCHOOL,
            to: SCHOOL,
        }])
        .when(LEADER, (TEAM, back))
        .then_nothing();
}

pub(super) fn refusals() -> Vec<Reason> {
    let unknown = InstitutionId::from_bytes([0x1F; 16]);
    let no_team = TeamId::from_bytes([0x4F; 16]);
    let both = |team| move_to(OTHER_SCHOOL, Some(team));
    let step = YearPlanCommand::Move {
        from: at(OTHER_SCHOOL, TEAM),
        to: at(OTHER_SCHOOL, THERE),
        reason: None,
    };
    let team_step = TeamCommand::Move {
        from: OTHER_SCHOOL,
        to: unknown,
    };
    refusals! {
        two_schools(), LEADER, (YEAR_PLAN, move_to(SCHOOL, None)) => AlreadyThere at NewInstitution;
        two_schools(), LEADER, (YEAR_PLAN, move_to(unknown, None))
            => InstitutionNotFound at NewInstitution;
        two_schools().and((OTHER_SCHOOL, closed())), LEADER, (YEAR_PLAN, move_to(OTHER_SCHOOL, None))
            => InstitutionClosed at NewInstitution;
        two_schools(), LEADER, (YEAR_PLAN, move_to(SCHOOL, Some(THERE))) => TeamElsewhere at NewTeam;
        two_schools(), LEADER, (YEAR_PLAN, both(no_team)) => TeamNotFound at NewTeam;
        two_schools().and((THERE, TeamEvent::Deleted { reason: None })), LEADER,
            (YEAR_PLAN, both(THERE)) => TeamDeleted at NewTeam;
        two_schools(), LEADER, (YEAR_PLAN, step) => MovedMeanwhile;
        two_schools(), LEADER, (TEAM, team_step) => MovedMeanwhile;
        given(a_team()), LEADER, (YEAR_PLAN, move_to(OTHER_SCHOOL, None))
            => YearPlanNotFound at Target;
    }
}
