//! Who sends a request, in production mode: tokens of an identity provider, certificates of systems,
//! and for whom a system acts. Real keys, real HTTP, real TLS.

mod authority;
mod certificates;
mod connections;
mod cost;
mod erasing;
mod handshakes;
mod on_behalf;
mod place;
mod program;
mod provider;
mod signer;
mod story;
mod strangers;
mod streams;
mod tokens;
