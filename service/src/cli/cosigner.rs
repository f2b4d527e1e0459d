//! The key of a witness or a monitor, in its own folder.

use std::path::Path;

use planledger_core::tlog::{Algorithm, Signer};

use super::error::CliError;
use crate::notary::generate;
use crate::secret::{Links, read_secret, write_secret};

/// Reads the key, or makes one if there is none. `whose` names who signs with it.
pub(super) fn key(
    path: &Path,
    name: Option<&str>,
    algorithm: Algorithm,
    whose: &str,
) -> Result<Signer, CliError> {
    let refused =
        |error: &dyn std::fmt::Display| CliError::Refused(format!("{}: {error}", path.display()));
    match read_secret(path, Links::Refused) {
        Ok(text) => {
            let signer = Signer::from_secret(&text).map_err(|error| refused(&error))?;
            let found = match signer.verifier().algorithm() {
                found if found == algorithm => return Ok(signer),
                Algorithm::Ed25519 => "log",
                Algorithm::Cosignature => "witness",
                Algorithm::Monitor => "monitor",
            };
            Err(refused(&format!(
                "this is the key of a {found}, not of a {whose}"
            )))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let name = name.ok_or_else(|| {
                CliError::Usage(format!("a new {whose} needs a name; give it with --name"))
            })?;
            let signer = generate(name, algorithm).map_err(CliError::refused)?;
            write_secret(path, &signer.secret()).map_err(|error| refused(&error))?;
            Ok(signer)
        }
        Err(error) => Err(refused(&error)),
    }
}
