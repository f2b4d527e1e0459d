//! Importing from a service instead of files.

use std::path::PathBuf;

use clap::Args;
use uuid::Uuid;

use super::error::CliError;
use crate::import::rest::{Access, Changes, Client, Framework};
use crate::import::roster::Terms;
use crate::import::{Catalogue, ImportFaults, Roster};

/// Where the secret stands if no file is named. An argument could be read by everybody on the machine.
const SECRET: &str = "PLANLEDGER_CLIENT_SECRET";

/// What the client signs in with.
#[derive(Debug, Clone, Args)]
struct SignIn {
    /// Client id for OAuth 2 client credentials; the secret stands in PLANLEDGER_CLIENT_SECRET or a file
    #[arg(long, value_name = "ID", requires_all = ["rest", "token_url"])]
    client_id: Option<String>,
    /// Where tokens are asked for
    #[arg(long, value_name = "URL", requires = "client_id")]
    token_url: Option<String>,
    /// File that holds the client's secret
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<PathBuf>,
    /// What the token is for; words with blanks between them [default: reading, for a roster]
    #[arg(long, value_name = "SCOPE", requires = "client_id")]
    scope: Option<String>,
}

impl SignIn {
    fn client(&self, base: &str, scope: &str) -> Result<Client, CliError> {
        let access = match (&self.client_id, &self.token_url) {
            (Some(client_id), Some(token_url)) => Some(Access {
                token_url: token_url.clone(),
                client_id: client_id.clone(),
                secret: self.secret()?,
                scope: self.scope.clone().unwrap_or_else(|| scope.to_owned()),
            }),
            _ => None,
        };
        Client::new(base, access).map_err(|fault| CliError::Usage(fault.to_string()))
    }

    fn secret(&self) -> Result<String, CliError> {
        let secret = match &self.client_secret_file {
            Some(path) => std::fs::read_to_string(path).map_err(|error| {
                CliError::Usage(format!("--client-secret-file cannot be read: {error}"))
            })?,
            None => std::env::var(SECRET).map_err(|_| {
                CliError::Usage(format!(
                    "--client-id needs a secret: set {SECRET}, or name a file with \
                     --client-secret-file"
                ))
            })?,
        };
        match secret.trim() {
            "" => Err(CliError::Usage("the client's secret is empty".to_owned())),
            secret => Ok(secret.to_owned()),
        }
    }
}

/// A OneRoster service.
#[derive(Debug, Clone, Args)]
pub(super) struct RosterService {
    /// Import from this OneRoster service instead: https://HOST/ims/oneroster/v1p1
    #[arg(long, value_name = "URL", conflicts_with = "path")]
    rest: Option<String>,
    /// Fetch only what was changed since this day or instant
    #[arg(long, value_name = "MOMENT", requires = "rest")]
    since: Option<String>,
    #[command(flatten)]
    sign_in: SignIn,
}

impl RosterService {
    /// Fetches the roster, if a service was named. `refused` makes the error if it has faults.
    pub(super) fn fetch(
        &self,
        terms: Terms,
        refused: impl FnOnce(&ImportFaults) -> CliError,
    ) -> Option<Result<Roster, CliError>> {
        Some(self.fetch_from(self.rest.as_deref()?, terms, refused))
    }

    fn fetch_from(
        &self,
        base: &str,
        terms: Terms,
        refused: impl FnOnce(&ImportFaults) -> CliError,
    ) -> Result<Roster, CliError> {
        let since = self.since.as_deref().map(|text| {
            Changes::since(text).ok_or_else(|| {
                CliError::Usage("--since is neither 2026-11-01 nor 2026-11-01T08:00:00Z".to_owned())
            })
        });
        let since = since.transpose()?;
        let version = if base.contains("/v1p2") {
            "v1p2"
        } else {
            "v1p1"
        };
        let scope =
            format!("https://purl.imsglobal.org/spec/or/{version}/scope/roster-core.readonly");
        let mut client = self.sign_in.client(base, &scope)?;
        Roster::fetch(&mut client, since.as_ref(), terms).map_err(|faults| refused(&faults))
    }
}

/// A CASE service.
#[derive(Debug, Clone, Args)]
pub(super) struct CatalogueService {
    /// Import from this CASE service instead: https://HOST/ims/case/v1p0
    #[arg(long, value_name = "URL", conflicts_with = "path")]
    rest: Option<String>,
    /// The framework to fetch: the identifier of its document
    #[arg(long, value_name = "UUID", requires = "rest")]
    framework: Option<Uuid>,
    /// Only list the frameworks that the service has; nothing is imported
    #[arg(long, requires = "rest", conflicts_with = "framework")]
    list: bool,
    #[command(flatten)]
    sign_in: SignIn,
}

impl CatalogueService {
    /// The frameworks of the service, if they were asked for.
    pub(super) fn list(&self) -> Option<Result<Vec<Framework>, CliError>> {
        let base = self.rest.as_deref().filter(|_| self.list)?;
        let client = self.sign_in.client(base, "");
        Some(client.and_then(|mut client| Catalogue::list(&mut client).map_err(CliError::refused)))
    }

    /// Fetches the catalogue, if a service was named. `refused` makes the error if it has faults.
    pub(super) fn fetch(
        &self,
        refused: impl FnOnce(&ImportFaults) -> CliError,
    ) -> Option<Result<Catalogue, CliError>> {
        let base = self.rest.as_deref()?;
        let Some(id) = self.framework else {
            return Some(Err(CliError::Usage(
                "--rest needs --framework, or --list, which names the frameworks of the service"
                    .to_owned(),
            )));
        };
        let client = self.sign_in.client(base, "");
        Some(client.and_then(|mut client| {
            Catalogue::fetch(&mut client, id).map_err(|faults| refused(&faults))
        }))
    }
}
