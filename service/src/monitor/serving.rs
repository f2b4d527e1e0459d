//! What a monitor answers: the checkpoints that it has cosigned, over HTTP.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::shown::Shown;
use crate::notary::origin_hash;
use crate::witness::Bounds;
use crate::witness::connections::Bounded;

/// Serves until `stop` is ready.
pub(super) async fn serve(
    shown: Arc<Shown>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/{origin}/checkpoint", get(newest))
        .route("/{origin}/checkpoint/{size}", get(of_size))
        .with_state(shown);
    axum::serve(Bounded::new(listener, Bounds::default()), router)
        .with_graceful_shutdown(stop)
        .await
}

async fn newest(State(shown): State<Arc<Shown>>, UrlPath(hash): UrlPath<String>) -> Response {
    answer(&shown, &hash, shown.newest())
}

async fn of_size(
    State(shown): State<Arc<Shown>>,
    UrlPath((hash, size)): UrlPath<(String, u64)>,
) -> Response {
    answer(&shown, &hash, shown.of_size(size))
}

fn answer(shown: &Shown, hash: &str, note: Option<String>) -> Response {
    match note.filter(|_| origin_hash(shown.origin()) == hash) {
        Some(note) => note.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
