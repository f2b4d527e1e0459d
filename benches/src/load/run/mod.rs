//! The measurements, a module each. Other systems under the same load are compared in `benches/peers`.

pub(crate) mod bars;
pub(crate) mod batch;
pub(crate) mod city;
pub(crate) mod echo;
pub(crate) mod follow;
pub(crate) mod import;
pub(crate) mod leaving;
pub(crate) mod mixed;
pub(crate) mod plan;
pub(crate) mod replay;
pub(crate) mod scale;
pub(crate) mod sequence;
pub(crate) mod stream;
pub(crate) mod unary;

use planledger::wire;
use planledger_benches::school::School;
use planledger_proto::v1 as proto;

use super::fault::Fault;

/// Messages of status commands with these numbers, made before anything is measured.
fn statuses(
    school: &School,
    numbers: impl Iterator<Item = u64>,
) -> Result<Vec<proto::Command>, Fault> {
    numbers
        .map(|number| {
            let command = school.status(number)?;
            Ok(wire::message(&school.envelope(number, command)))
        })
        .collect()
}
