//! Places for backups, as the command line names them: a folder, or a URL of an object store.

use std::sync::Arc;

use clap::Args;
use planledger_core::backup::{Folder, Place};

use super::super::error::CliError;

/// The place that a text names.
pub(in super::super) fn place(text: &str) -> Result<Arc<dyn Place>, CliError> {
    match text.split_once("://") {
        None if text == "-" => Err(CliError::Usage(
            "standard input is not a place; unpack the stream with tar, and name the folder"
                .to_owned(),
        )),
        None => Ok(Arc::new(Folder::new(text))),
        Some(_) => object_store(text),
    }
}

#[cfg(feature = "object-store")]
fn object_store(url: &str) -> Result<Arc<dyn Place>, CliError> {
    let place =
        crate::objects::Objects::open(url).map_err(|error| CliError::Usage(error.to_string()))?;
    Ok(Arc::new(place))
}

#[cfg(not(feature = "object-store"))]
fn object_store(url: &str) -> Result<Arc<dyn Place>, CliError> {
    let what = "this program was built without object stores; name a folder, or build it with `cargo build \
                --release --features object-store`";
    Err(CliError::Usage(format!("{url}: {what}")))
}

/// A place that has backups, and where their keys lie.
#[derive(Debug, Args)]
pub(in super::super) struct Existing {
    /// Where the backups are: a folder, s3://BUCKET/PATH or az://CONTAINER/PATH
    #[arg(value_name = "PLACE")]
    pub(in super::super) place: String,
}

impl Existing {
    pub(in super::super) fn open(&self) -> Result<Arc<dyn Place>, CliError> {
        place(&self.place)
    }
}
