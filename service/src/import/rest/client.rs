//! Signs in and asks, and asks again when a server is busy.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ureq::http::Response;
use ureq::{Agent, Body, Error};

use super::address::{Address, escape, next_link};
use crate::import::fault::{FaultCode, ImportFault, Problem};

/// How often one thing is asked for.
const TRIES: u32 = 6;
/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// The longest that a client waits in its life, all waits together.
const ALL_WAITS: Duration = Duration::from_secs(3_600);
/// The longest that one answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(180);
/// How many bytes of an answer are taken at a time.
const PIECE: usize = 64 << 10;
/// The most bytes of the answer to a sign-in.
const TOKEN_LIMIT: u64 = 64 << 10;

/// What a client signs in with. Its secret is shown nowhere.
#[derive(Clone)]
pub struct Access {
    /// Where tokens are asked for.
    pub token_url: String,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub secret: String,
    /// What the token is for. Empty: whatever the server gives.
    pub scope: String,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").finish_non_exhaustive()
    }
}

/// What shows who asks.
pub(super) struct Token {
    header: String,
    until: Option<Instant>,
}

/// Asks one service.
pub struct Client {
    agent: Agent,
    base: Address,
    access: Option<(Address, Access)>,
    token: Option<Token>,
    wait: fn(Duration),
    waited: Duration,
}

/// An answer.
pub(super) struct Answer {
    /// Empty if the bytes went into a file.
    pub(super) body: Vec<u8>,
    /// How many records there are in all, if the server says so.
    pub(super) total: Option<u64>,
    /// The address of the next page, if the server names one.
    pub(super) next: Option<String>,
}

/// What came of asking once.
enum Outcome {
    Done(Answer),
    SignInAgain,
    Busy { wait: Option<Duration> },
    Failed(Problem),
}

impl Client {
    /// A client of the service at `base`, which signs in if there is something to sign in with.
    ///
    /// # Errors
    /// If an address is wrong.
    pub fn new(base: &str, access: Option<Access>) -> Result<Self, ImportFault> {
        let address = |text: &str, name: &'static str| {
            Address::parse(text).map_err(|problem| ImportFault::new(problem, name))
        };
        let access = match access {
            Some(access) => Some((address(&access.token_url, "--token-url")?, access)),
            None => None,
        };
        let agent = Agent::config_builder()
            .timeout_global(Some(ANSWER_TIME))
            .http_status_as_error(false)
            // A token must not follow to another address.
            .max_redirects(0)
            .build()
            .into();
        Ok(Self {
            agent,
            base: address(base, "--rest")?,
            access,
            token: None,
            wait: std::thread::sleep,
            waited: Duration::ZERO,
        })
    }

    /// The same client with another way to wait, for tests.
    #[cfg(test)]
    pub(super) fn waiting(mut self, wait: fn(Duration)) -> Self {
        self.wait = wait;
        self
    }

    pub(super) fn base(&self) -> &Address {
        &self.base
    }

    /// The address of something at the service.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base.url())
    }

    /// Asks for what is at `url`, at most `limit` bytes. `what` stands for it in faults.
    pub(super) fn get(
        &mut self,
        url: &str,
        what: &'static str,
        limit: u64,
    ) -> Result<Answer, ImportFault> {
        let mut body = Vec::new();
        let answer = self.get_into(url, what, limit, &mut body)?;
        Ok(Answer { body, ..answer })
    }

    /// The same, but what comes is written to a file without a name. So a large answer is never in
    /// memory as a whole. The file is gone when it is closed.
    pub(super) fn get_file(
        &mut self,
        url: &str,
        what: &'static str,
        limit: u64,
    ) -> Result<File, ImportFault> {
        let full = |_| ImportFault::new(cannot_keep(), format!("{what} over REST"));
        let mut file = tempfile::tempfile().map_err(full)?;
        self.get_into(url, what, limit, &mut file)?;
        file.rewind().map_err(full)?;
        Ok(file)
    }

    fn get_into(
        &mut self,
        url: &str,
        what: &'static str,
        limit: u64,
        into: &mut impl Keep,
    ) -> Result<Answer, ImportFault> {
        let mut signed_in_again = false;
        let mut tries = 0;
        loop {
            let token = self.token()?;
            let problem = match self.ask(url, token.as_deref(), limit, into) {
                Outcome::Done(answer) => return Ok(answer),
                Outcome::SignInAgain if self.access.is_some() && !signed_in_again => {
                    // The token may have ended early.
                    signed_in_again = true;
                    self.token = None;
                    continue;
                }
                Outcome::SignInAgain => FaultCode::RestSignInRefused.into(),
                Outcome::Failed(problem) => problem,
                Outcome::Busy { wait } => {
                    tries += 1;
                    match self.pause(tries, wait) {
                        Ok(()) => continue,
                        Err(problem) => problem,
                    }
                }
            };
            return Err(ImportFault::new(problem, format!("{what} over REST")));
        }
    }

    fn ask(&self, url: &str, token: Option<&str>, limit: u64, into: &mut impl Keep) -> Outcome {
        let mut request = self.agent.get(url).header("accept", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        match request.call() {
            Ok(mut response) => match response.status().as_u16() {
                200..=299 => take(&mut response, limit, into),
                401 => Outcome::SignInAgain,
                status => failed(status, &response),
            },
            Err(error) => broken(error),
        }
    }

    /// Waits before the next try.
    pub(super) fn pause(&mut self, tries: u32, asked: Option<Duration>) -> Result<(), Problem> {
        let wait = asked.unwrap_or_else(|| Duration::from_millis(250) * (1 << tries.min(8)));
        if tries >= TRIES || wait > LONGEST_WAIT || self.waited + wait > ALL_WAITS {
            return Err(FaultCode::RestBusy.into());
        }
        self.waited += wait;
        (self.wait)(wait);
        Ok(())
    }

    /// The header that shows who asks. `None` if nobody has to sign in.
    fn token(&mut self) -> Result<Option<String>, ImportFault> {
        let Some((address, access)) = self.access.clone() else {
            return Ok(None);
        };
        let valid = |token: &&Token| token.until.is_none_or(|until| Instant::now() < until);
        if let Some(token) = self.token.as_ref().filter(valid) {
            return Ok(Some(token.header.clone()));
        }
        let mut tries = 0;
        loop {
            let problem = match self.sign_in(&address.url(), &access) {
                Ok(token) => {
                    let header = token.header.clone();
                    self.token = Some(token);
                    return Ok(Some(header));
                }
                Err(Outcome::Busy { wait }) => {
                    tries += 1;
                    match self.pause(tries, wait) {
                        Ok(()) => continue,
                        Err(problem) => problem,
                    }
                }
                Err(Outcome::Failed(problem)) => problem,
                Err(Outcome::SignInAgain | Outcome::Done(_)) => FaultCode::RestSignInRefused.into(),
            };
            return Err(ImportFault::new(problem, "sign-in over REST"));
        }
    }

    /// Asks for a token: RFC 6749, section 4.4.
    fn sign_in(&self, url: &str, access: &Access) -> Result<Token, Outcome> {
        let pair = format!("{}:{}", escape(&access.client_id), escape(&access.secret));
        let request = self
            .agent
            .post(url)
            .header("accept", "application/json")
            .header("authorization", format!("Basic {}", STANDARD.encode(pair)));
        let mut form = vec![("grant_type", "client_credentials")];
        if !access.scope.is_empty() {
            form.push(("scope", &access.scope));
        }
        let mut response = request.send_form(form).map_err(broken)?;
        let mut body = Vec::new();
        let answer = match response.status().as_u16() {
            200..=299 => take(&mut response, TOKEN_LIMIT, &mut body),
            400 | 401 | 403 => Outcome::SignInAgain,
            status => failed(status, &response),
        };
        let Outcome::Done(_) = answer else {
            return Err(answer);
        };
        token(&body).ok_or_else(|| {
            Outcome::Failed(Problem::new(
                FaultCode::RestAnswerInvalid,
                "the answer holds no token; check --token-url",
            ))
        })
    }
}

/// Where the bytes of an answer are kept.
trait Keep: Write {
    /// Forgets what came of an earlier try.
    fn begin(&mut self) -> io::Result<()>;
}

impl Keep for Vec<u8> {
    fn begin(&mut self) -> io::Result<()> {
        self.clear();
        Ok(())
    }
}

impl Keep for File {
    fn begin(&mut self) -> io::Result<()> {
        self.set_len(0)?;
        self.rewind()
    }
}

/// Keeps the bytes of an answer.
fn take(response: &mut Response<Body>, limit: u64, into: &mut impl Keep) -> Outcome {
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    let total = header("x-total-count").and_then(|text| text.trim().parse().ok());
    let links = response.headers().get_all("link");
    let mut links = links.iter().filter_map(|link| link.to_str().ok());
    let next = links.find_map(next_link).map(str::to_owned);
    let mut body = response.body_mut().with_config().limit(limit).reader();
    if into.begin().is_err() {
        return Outcome::Failed(cannot_keep());
    }
    let mut piece = vec![0; PIECE];
    loop {
        let came = match body.read(&mut piece) {
            Ok(number) => piece.get(..number).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return broken(error.into()),
        };
        if came.is_empty() {
            let body = Vec::new();
            return Outcome::Done(Answer { body, total, next });
        }
        // This is no fault of the service: to ask again would not help.
        if into.write_all(came).is_err() {
            return Outcome::Failed(cannot_keep());
        }
    }
}

/// What is wrong if this machine cannot keep what came.
pub(super) fn cannot_keep() -> Problem {
    Problem::new(
        FaultCode::FileUnreadable,
        "what the server gives cannot be kept on this machine while it is read; check that the folder \
         for temporary files has room",
    )
}

/// The token in the answer to a sign-in.
pub(super) fn token(answer: &[u8]) -> Option<Token> {
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    let text = answer.get("access_token")?.as_str()?;
    let is_sound = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    // A token is given up a little before it ends, so that it does not end on its way.
    let seconds = answer.get("expires_in").and_then(serde_json::Value::as_u64);
    let until = seconds.and_then(|seconds| {
        let seconds = seconds.saturating_sub(10).max(1);
        Instant::now().checked_add(Duration::from_secs(seconds))
    });
    is_sound.then(|| Token {
        header: format!("Bearer {text}"),
        until,
    })
}

/// What an answer means that is neither good nor about signing in.
fn failed(status: u16, response: &Response<Body>) -> Outcome {
    let refused = |why| Outcome::Failed(Problem::new(FaultCode::RestRefused, why));
    match status {
        429 | 500 | 502 | 503 | 504 => Outcome::Busy {
            wait: response
                .headers()
                .get("retry-after")
                .and_then(|header| retry_after(header.to_str().ok()?)),
        },
        403 => refused(
            "the server does not let this client read this; ask its operator for the right to read \
             it, or correct --scope"
                .to_owned(),
        ),
        404 => Outcome::Failed(FaultCode::RestMissing.into()),
        300..=399 => refused("the server sends to another address; use that one".to_owned()),
        _ => refused(format!(
            "the server answered with HTTP status {status}; ask its operator"
        )),
    }
}

/// What a call means that brought no whole answer.
fn broken(error: Error) -> Outcome {
    let problem = match error {
        Error::BodyExceedsLimit(_) => FaultCode::RestAnswerTooLarge.into(),
        Error::Io(_) | Error::Timeout(_) | Error::ConnectionFailed => {
            return Outcome::Busy { wait: None };
        }
        error => Problem::new(
            FaultCode::RestUnreachable,
            // It speaks of addresses and certificates, never of what was sent.
            format!("the server cannot be reached ({error}); check the address and the network"),
        ),
    };
    Outcome::Failed(problem)
}

/// A number of seconds, or an instant.
pub(super) fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let instant = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let left = instant.duration_since(Timestamp::now());
    Some(Duration::try_from(left).unwrap_or_default())
}
