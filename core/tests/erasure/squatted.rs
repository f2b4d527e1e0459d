//! Somebody who may write takes the id under which the ledger records that an act is carried out.

use planledger_core::domain::erasure::{ErasureEvent, Target};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::{Actor, Command, Event};
use planledger_core::ids::{ErasureId, StreamId};
use planledger_core::ledger::{Envelope, ExecuteError};
use planledger_fixtures::decoded;
use planledger_fixtures::own_ids::of_erasure;
use planledger_fixtures::place::events;

use super::decide;
use crate::audit::school::{NotarisedSchool, OTHERS, STUDENT, TEACHER};

#[test]
fn an_erasure_comes_to_its_end_whoever_took_the_id_of_its_last_step() {
    let school = NotarisedSchool::new();
    let target = Target::Person(STUDENT);
    let id = ErasureId::of(target);
    decide(&school.ledger, target);
    // Asked for and approved: the next step begins at the second revision.
    for (purpose, revision) in [(1, 2), (2, 2), (1, 3)] {
        for taken in of_erasure(id, purpose, revision) {
            let command = Command::Plan(OTHERS, PlanCommand::Unshare);
            let envelope = Envelope::new(taken, command);
            match school.ledger.execute(Actor::Person(TEACHER), envelope) {
                Ok(_) | Err(ExecuteError::IdReserved { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert_eq!(school.ledger.carry_out_erasures().unwrap(), [id]);
    let all = events(&school.ledger);
    let mut of_act = all
        .iter()
        .filter(|event| event.stream == StreamId::from(id));
    let (_, last) = decoded(of_act.next_back().unwrap());
    assert!(matches!(
        last,
        Event::Erasure(ErasureEvent::CarriedOut { .. })
    ));
}
