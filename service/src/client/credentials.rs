//! What every request carries to show who sends it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

use super::{ConnectError, Target, usage};
use crate::server::auth::{Development, PURPOSE_KEY};
use crate::server::identity::ON_BEHALF_OF_KEY;

/// After how long the file with the token is read again.
const RENEWED: Duration = Duration::from_secs(5);

/// The metadata on every request that says who sends it.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub(super) actor: Option<MetadataValue<Ascii>>,
    pub(super) on_behalf_of: Option<MetadataValue<Ascii>>,
    pub(super) purpose: Option<MetadataValue<Ascii>>,
    pub(super) token: Option<Token>,
}

/// A token in a file. It is shown nowhere.
#[derive(Clone)]
pub(super) struct Token {
    path: PathBuf,
    read: Arc<Mutex<(Instant, MetadataValue<Ascii>)>>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

impl Credentials {
    pub(super) fn of(target: &Target) -> Result<Self, ConnectError> {
        let value = |text: &Option<String>, what| {
            let parsed = text.as_ref().map(|text| text.parse()).transpose();
            parsed.map_err(|_| usage(what))
        };
        let token = target.token_file.as_deref().map(Token::read).transpose()?;
        // A token says who acts, so nothing else does.
        let actor = target.actor.clone().filter(|_| token.is_none());
        Ok(Self {
            actor: value(&actor, "the actor is not valid")?,
            on_behalf_of: value(&target.on_behalf_of, "--on-behalf-of must be person/UUID")?,
            purpose: value(
                &target.purpose,
                "--for-purpose must be the name of a purpose",
            )?,
            token,
        })
    }
}

impl Token {
    fn read(path: &Path) -> Result<Self, ConnectError> {
        let read = header(path)?;
        Ok(Self {
            path: path.to_owned(),
            read: Arc::new(Mutex::new((Instant::now(), read))),
        })
    }

    /// The token that the file held a moment ago. If it cannot be read now, the last one will do:
    /// somebody may be renewing it.
    fn present(&self) -> MetadataValue<Ascii> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.0.elapsed() >= RENEWED
            && let Ok(now) = header(&self.path)
        {
            *read = (Instant::now(), now);
        }
        read.1.clone()
    }
}

/// Reads the file with a token.
fn header(path: &Path) -> Result<MetadataValue<Ascii>, ConnectError> {
    let wrong = |why: &str| ConnectError::Usage(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    let token = text.trim();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(wrong("there must be one token in it, and nothing else"));
    }
    let value = format!("Bearer {token}").parse();
    let mut value: MetadataValue<Ascii> = value.map_err(|_| wrong("it is no token"))?;
    value.set_sensitive(true);
    Ok(value)
}

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        if let Some(actor) = &self.actor {
            metadata.insert(Development::ACTOR_KEY, actor.clone());
        }
        if let Some(person) = &self.on_behalf_of {
            metadata.insert(ON_BEHALF_OF_KEY, person.clone());
        }
        if let Some(purpose) = &self.purpose {
            metadata.insert(PURPOSE_KEY, purpose.clone());
        }
        if let Some(token) = &self.token {
            metadata.insert("authorization", token.present());
        }
        Ok(request)
    }
}
