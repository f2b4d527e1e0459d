//! `planledger serve`: the server.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use planledger_core::ledger::Ledger;

use super::{Failure, Place, block_on, listen_address, output};
use crate::server::auth::{Authenticator, Development};
use crate::server::{Server, stop_signal};
use crate::settings::File;

/// Run the server
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    place: Place,
    /// Address to listen on [default: 127.0.0.1:50051]
    #[arg(long, env = "PLANLEDGER_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Development mode: every request says itself who acts; loopback addresses only
    #[arg(long)]
    dev: bool,
}

impl Serve {
    pub(super) fn run(self, file: &File) -> Result<(), Failure> {
        if !self.dev {
            return Err(Failure::Usage(
                "there is no way yet to authenticate callers but development mode; \
                 start with --dev on a loopback address"
                    .to_owned(),
            ));
        }
        let address = listen_address(self.listen, file)?;
        if !Authenticator::permits(&Development, address) {
            return Err(Failure::Usage(format!(
                "development mode believes whoever connects, so it listens on loopback addresses \
                 only, not on {address}"
            )));
        }
        let ledger = Ledger::open(self.place.options(file)?).map_err(Failure::refused)?;
        block_on(async move {
            let server = Server::bind(address).await.map_err(|error| {
                Failure::Refused(format!("cannot listen on {address}: {error}"))
            })?;
            // Before anybody knows that there is somebody to stop.
            let stop = stop_signal()?;
            // Whatever the log level: whoever asked for port 0 waits for this line.
            output::note(format!("listening on http://{}", server.local_addr()));
            server
                .serve(ledger, Arc::new(Development), Arc::new(Development), stop)
                .await
                .map_err(Failure::refused)
        })
    }
}
