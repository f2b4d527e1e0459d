//! What auditors do: with the service, the program and witnesses, as they would.

mod bundles;
mod compared;
mod cosigned;
mod errors;
mod export;
mod hostile;
mod made;
mod monitor;
#[cfg(target_os = "linux")]
mod monitor_speed;
mod place;
mod proofs;
mod replay;
mod verify;
mod witness;
