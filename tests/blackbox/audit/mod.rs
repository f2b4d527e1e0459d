//! What auditors do: with the service, the program and witnesses, as they would.

mod bundles;
mod cosigned;
mod errors;
mod export;
mod place;
mod proofs;
mod replay;
mod verify;
mod witness;
