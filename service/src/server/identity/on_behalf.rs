//! For whom a system acts.

use planledger_core::domain::Actor;
use planledger_core::ids::PersonId;
use planledger_core::ledger::Envelope;
use tonic::codegen::http::HeaderMap;

use super::rejection::Rejection;
use crate::server::auth::Caller;
use crate::wire::Failure;

/// The metadata key that names the person for whom a system acts: `person/UUID`.
pub const ON_BEHALF_OF_KEY: &str = "planledger-on-behalf-of";

/// The person whom the headers of a request name.
pub(super) fn named_in(headers: &HeaderMap) -> Result<Option<PersonId>, Rejection> {
    let mut values = headers.get_all(ON_BEHALF_OF_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Rejection::OnBehalfOfInvalid(
            "more than one person is named",
        ));
    }
    let actor = value.to_str().ok().and_then(|text| text.parse().ok());
    match actor {
        Some(Actor::Person(person)) => Ok(Some(person)),
        Some(Actor::System(_)) | None => Err(Rejection::OnBehalfOfInvalid(
            "the metadata planledger-on-behalf-of must be person/UUID",
        )),
    }
}

/// The person or system for whom a caller acts, when what it asks for says `said`. The caller's own
/// proof decides: what it asks for may repeat that, and nothing else.
pub(in crate::server) fn agreed(
    caller: &Caller,
    said: Option<Actor>,
) -> Result<Option<Actor>, Failure> {
    if caller.may_name_anybody {
        return Ok(said.or(caller.on_behalf_of.map(Actor::Person)));
    }
    let proved = caller.on_behalf_of.map(Actor::Person);
    match said {
        Some(said) if proved != Some(said) => Err(Failure::on_behalf_of_another()),
        Some(_) | None => Ok(proved),
    }
}

/// Writes into a command for whom it is carried out.
pub(in crate::server) fn adopt(caller: &Caller, envelope: &mut Envelope) -> Result<(), Failure> {
    envelope.on_behalf_of = agreed(caller, envelope.on_behalf_of)?;
    Ok(())
}
