//! Finds out who sent a request before its body is read, and lets nobody else in.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use planledger_core::time::Clock;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http;
use tower::{Layer, Service};

use super::auth::{AuthError, Authenticator, Caller, purpose_in};
use super::ending::{Progress, Streaming, until};
use super::identity::rejection::Rejection;
use super::reads;
use super::transport::Connection;
use crate::system::SystemClock;
use crate::wire::Failure;
use crate::wire::errors::ServiceReason;

/// The method that health checks call. The server answers it also when it is overloaded.
pub(super) const HEALTH: &str = "/grpc.health.v1.Health/Check";
/// What the methods of reflection, which describe the API, have in front.
const REFLECTION: &str = "/grpc.reflection.";

/// Whether a method answers with a stream: one of these, or of reflection.
pub(super) fn is_streaming(streaming: &Streaming, path: &str) -> bool {
    streaming.contains(path) || path.starts_with(REFLECTION)
}

/// Asks the authenticator about each request, and puts the [`Caller`] among
/// its extensions. Only health checks need no caller, and reflection if the authenticator says so.
#[derive(Clone)]
pub(super) struct Entrance {
    authenticator: Arc<dyn Authenticator>,
    streaming: Streaming,
}

impl Entrance {
    /// Lets in whom the authenticator knows. `streaming` are the methods that answer with a stream,
    /// which ends when the proof of who asked for it ends.
    pub(super) fn guarded_by(authenticator: Arc<dyn Authenticator>, streaming: Streaming) -> Self {
        Self {
            authenticator,
            streaming,
        }
    }
}

impl<S> Layer<S> for Entrance {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded {
            inner,
            authenticator: self.authenticator.clone(),
            streaming: self.streaming.clone(),
        }
    }
}

/// A service that only callers whom the authenticator knows reach.
#[derive(Clone)]
pub(super) struct Guarded<S> {
    inner: S,
    authenticator: Arc<dyn Authenticator>,
    streaming: Streaming,
}

impl<S> Guarded<S> {
    fn is_open(&self, path: &str) -> bool {
        path == HEALTH
            || (path.starts_with(REFLECTION) && self.authenticator.describes_to_strangers())
    }
}

impl<S> Service<http::Request<Body>> for Guarded<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if self.is_open(request.uri().path()) {
            return Box::pin(self.inner.call(request));
        }
        // The clone takes the place of the service that is ready.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let authenticator = self.authenticator.clone();
        let streams = is_streaming(&self.streaming, request.uri().path());
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            let known = authenticator.authenticate(&head).await;
            let known = known.and_then(|caller| {
                let purpose = purpose_in(&head.headers)?;
                let method = reads::method(head.uri.path());
                Ok(Caller {
                    purpose,
                    method,
                    ..caller
                })
            });
            match known {
                Ok(caller) => {
                    if let Some(connection) = head.extensions.get::<Connection>() {
                        connection.standing.identified();
                    }
                    let progress = Progress::default();
                    let end = caller.expires.filter(|_| streams);
                    head.extensions.insert(caller);
                    head.extensions.insert(progress.clone());
                    let answer = inner.call(http::Request::from_parts(head, body)).await?;
                    Ok(match end {
                        Some(end) => until(answer, SystemClock.now(), end, progress),
                        None => answer,
                    })
                }
                Err(error) => Ok(Status::from(failure(&error)).into_http()),
            }
        })
    }
}

fn failure(error: &AuthError) -> Failure {
    let reason = match error {
        AuthError::Missing(_) => ServiceReason::ActorMissing,
        AuthError::Invalid(_) => ServiceReason::ActorInvalid,
        AuthError::Purpose => ServiceReason::PurposeInvalid,
        AuthError::Rejected(rejection) => reason(*rejection),
    };
    Failure::new(reason, error.to_string())
}

fn reason(rejection: Rejection) -> ServiceReason {
    match rejection {
        Rejection::TokenMissing => ServiceReason::TokenMissing,
        Rejection::TokenInvalid(_) => ServiceReason::TokenInvalid,
        Rejection::TokenExpired => ServiceReason::TokenExpired,
        Rejection::TokenNotYetValid => ServiceReason::TokenNotYetValid,
        Rejection::IssuerUnknown => ServiceReason::IssuerUnknown,
        Rejection::IssuerUnavailable => ServiceReason::IssuerUnavailable,
        Rejection::SystemUnknown => ServiceReason::SystemUnknown,
        Rejection::PersonUnknown => ServiceReason::PersonUnknown,
        Rejection::OnBehalfOfInvalid(_) => ServiceReason::OnBehalfOfInvalid,
        Rejection::OnBehalfOfDenied => ServiceReason::OnBehalfOfDenied,
        Rejection::Unreadable => ServiceReason::Internal,
    }
}
