//! Finds out who sent a request before its body is read, and lets nobody else in.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http;
use tower::{Layer, Service};

use super::auth::{AuthError, Authenticator};
use super::limits::HEALTH;
use crate::wire::Failure;
use crate::wire::errors::ServiceReason;

/// What the methods of reflection, which describe the API, have in front.
const REFLECTION: &str = "/grpc.reflection.";

/// Asks the authenticator about each request, and puts the [`Caller`](super::auth::Caller) among
/// its extensions. Only health checks need no caller, and reflection if the authenticator says so.
#[derive(Clone)]
pub(super) struct Entrance(Arc<dyn Authenticator>);

impl Entrance {
    pub(super) fn guarded_by(authenticator: Arc<dyn Authenticator>) -> Self {
        Self(authenticator)
    }
}

impl<S> Layer<S> for Entrance {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded {
            inner,
            authenticator: self.0.clone(),
        }
    }
}

/// A service that only callers whom the authenticator knows reach.
#[derive(Clone)]
pub(super) struct Guarded<S> {
    inner: S,
    authenticator: Arc<dyn Authenticator>,
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
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            match authenticator.authenticate(&head).await {
                Ok(caller) => {
                    head.extensions.insert(caller);
                    inner.call(http::Request::from_parts(head, body)).await
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
    };
    Failure::new(reason, error.to_string())
}
