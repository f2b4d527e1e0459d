//! A server that tells the events of one ledger and shows what another leads to, as one would that
//! lies, or whose derived state is wrong without its noticing.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};
use tonic::server::NamedService;
use tonic::transport::{Channel, Endpoint, Server};

/// Hands on every call as it is.
#[derive(Clone)]
struct HandOn(Channel);

impl HandOn {
    fn hand_on(
        &mut self,
        request: Request<Body>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>> {
        let mut to = self.0.clone();
        Box::pin(async move {
            let ready = std::future::poll_fn(|context| to.poll_ready(context)).await;
            let answered = match ready {
                Ok(()) => to.call(request).await,
                Err(error) => Err(error),
            };
            let unavailable =
                |error: tonic::transport::Error| Status::unavailable(error.to_string()).into_http();
            Ok(answered.unwrap_or_else(unavailable))
        })
    }
}

macro_rules! handed_on {
    ($($service:ident)*) => {$(
        #[derive(Clone)]
        struct $service(HandOn);

        impl NamedService for $service {
            const NAME: &'static str = concat!("planledger.v1.", stringify!($service));
        }

        impl Service<Request<Body>> for $service {
            type Response = Response<Body>;
            type Error = Infallible;
            type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: Request<Body>) -> Self::Future {
                self.0.hand_on(request)
            }
        }
    )*};
}

handed_on! { EventService LedgerService PlanService RosterService CatalogueService }

/// The server.
pub(crate) struct Lying {
    pub(crate) url: String,
    serving: AbortHandle,
}

impl Lying {
    /// One that tells the events of the server at `telling` and shows what the one at `showing` does.
    pub(crate) async fn start(telling: &str, showing: &str) -> Self {
        let to = |url: &str| {
            HandOn(
                Endpoint::from_shared(url.to_owned())
                    .unwrap()
                    .connect_lazy(),
            )
        };
        let (telling, showing) = (to(telling), to(showing));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::builder()
            .add_service(EventService(telling.clone()))
            .add_service(LedgerService(telling))
            .add_service(PlanService(showing.clone()))
            .add_service(RosterService(showing.clone()))
            .add_service(CatalogueService(showing));
        let serving = tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Self {
            url,
            serving: serving.abort_handle(),
        }
    }
}

impl Drop for Lying {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
