//! The planledger service: gRPC server, client, import of rosters and catalogues, command line.
//! It holds no rules of the domain; those are in `planledger-core`.

pub mod cli;
pub mod client;
pub mod clock;
pub mod import;
pub mod import_source;
pub mod metrics;
pub mod monitor;
pub mod notary;
pub mod notifying;
#[cfg(feature = "object-store")]
pub mod objects;
pub mod secret;
pub mod server;
pub mod settings;
pub mod system;
pub mod upload;
pub mod wire;
pub mod witness;
