//! The endpoint that Prometheus asks: plain HTTP on an address of its own, `GET /metrics` and nothing
//! else. Whoever reaches it reads the counts, and can ask so often that others must wait, and nothing
//! beyond that: connections are few and short, requests are small, and the work is done at most a few
//! times in a second.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic::codegen::http::{Method, Request, Response, StatusCode, header};

use super::{Metrics, text};

/// The path of the metrics.
pub const PATH: &str = "/metrics";
/// Most connections at once. More wait until there is a place.
const CONNECTIONS: usize = 16;
/// How long a connection may last. It is for one request.
const LASTING: Duration = Duration::from_secs(5);
/// Most headers of a request, and most bytes of them, which is the least that hyper can be told.
const HEADERS: usize = 32;
const HEADER_BYTES: usize = 8 << 10;
/// How long an answer is given again without a look at the values.
const FRESH: Duration = Duration::from_millis(200);
/// How long to wait after a connection could not be accepted, for example because there are no
/// descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// An endpoint that has taken its address.
pub struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
}

impl Endpoint {
    /// Takes an address. Port 0 means any free port.
    ///
    /// # Errors
    /// When the address is in use or does not belong to this machine.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it is: `http://127.0.0.1:9464/metrics`.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Whether only this machine reaches it.
    pub fn is_on_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }

    /// Answers until it is dropped.
    pub async fn serve(self, metrics: Arc<Metrics>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let answers = Arc::new(Answers {
            metrics,
            last: Mutex::default(),
        });
        loop {
            // Nobody closes the places.
            let Ok(place) = places.clone().acquire_owned().await else {
                return;
            };
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let answers = answers.clone();
            tokio::spawn(async move {
                // One that takes longer is closed.
                let _ = tokio::time::timeout(LASTING, answers.serve(stream)).await;
                drop(place);
            });
        }
    }
}

/// What the endpoint answers.
struct Answers {
    metrics: Arc<Metrics>,
    /// The last answer. The lock is held while one is made, so that only one is made at a time.
    last: Mutex<Option<(Instant, String)>>,
}

impl Answers {
    async fn serve(self: Arc<Self>, stream: TcpStream) {
        let service = service_fn(|request: Request<Incoming>| {
            let answers = self.clone();
            async move { Ok::<_, Infallible>(answers.answer(&request).await) }
        });
        let serving = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(LASTING)
            .max_headers(HEADERS)
            .max_buf_size(HEADER_BYTES)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        // The client has gone, or sent something that is no request.
        let _ = serving.await;
    }

    async fn answer(self: Arc<Self>, request: &Request<Incoming>) -> Response<Body> {
        if request.uri().path() != PATH {
            return empty(StatusCode::NOT_FOUND);
        }
        if request.method() != Method::GET {
            return empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        let made = tokio::task::spawn_blocking(move || self.text()).await;
        let Ok(text) = made else {
            return empty(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let mut answer = Response::new(Body::new(text));
        let media = header::HeaderValue::from_static(text::MEDIA_TYPE);
        answer.headers_mut().insert(header::CONTENT_TYPE, media);
        answer
    }

    /// The metrics of now, or of a moment ago.
    fn text(&self) -> String {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, text)) = &*last
            && at.elapsed() < FRESH
        {
            return text.clone();
        }
        let text = text::write(&self.metrics.gather());
        *last = Some((Instant::now(), text.clone()));
        text
    }
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}
