//! Object stores as places for backups: S3 and what speaks like it, and Azure.

use std::io;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, parse_url_opts};
use planledger_core::backup::Place;
use tokio::runtime::Runtime;
use tokio_stream::StreamExt;
use url::Url;

/// A bucket or container, and a path in it.
pub struct Objects {
    store: Box<dyn ObjectStore>,
    base: Path,
    url: String,
    runtime: Runtime,
}

/// Why a URL does not lead to an object store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectsError {
    /// It is not a URL.
    #[error("{url} is not the URL of an object store: {source}")]
    Url {
        /// The text.
        url: String,
        /// What is wrong with it.
        source: url::ParseError,
    },
    /// The settings in the environment do not fit it.
    #[error("{url}: {source}")]
    Store {
        /// The URL.
        url: String,
        /// What is wrong.
        source: object_store::Error,
    },
    /// The operating system gives no threads.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Objects {
    /// The place that a URL names: `s3://BUCKET/PATH` or `az://CONTAINER/PATH`. Where it is and who asks is taken
    /// from the environment (`AWS_…`, `AZURE_…`), as the tools of both have it.
    ///
    /// # Errors
    /// [`ObjectsError`]. Nothing is asked of the store yet.
    pub fn open(text: &str) -> Result<Self, ObjectsError> {
        // Fails if there is one already, which is then the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let parsed = Url::parse(text).map_err(|source| ObjectsError::Url {
            url: text.to_owned(),
            source,
        })?;
        let is_ours = |name: &str| name.starts_with("AWS_") || name.starts_with("AZURE_");
        let settings = std::env::vars().filter(|(name, _)| is_ours(name));
        let opened = parse_url_opts(&parsed, settings);
        let (store, base) = opened.map_err(|source| ObjectsError::Store {
            url: text.to_owned(),
            source,
        })?;
        Self::on(store, base, text)
    }

    fn on(store: Box<dyn ObjectStore>, base: Path, url: &str) -> Result<Self, ObjectsError> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        Ok(Self {
            store,
            base,
            url: url.to_owned(),
            runtime: runtime.enable_all().build()?,
        })
    }

    fn path(&self, name: &str) -> Path {
        let parts = name.split('/');
        parts.fold(self.base.clone(), |path, part| path.join(part))
    }

    fn put(&self, name: &str, bytes: &[u8], mode: PutMode) -> io::Result<()> {
        let how = PutOptions {
            mode,
            ..PutOptions::default()
        };
        let payload = PutPayload::from(bytes.to_vec());
        let path = self.path(name);
        let put = self.store.put_opts(&path, payload, how);
        self.runtime.block_on(put).map_err(said)?;
        Ok(())
    }
}

fn said(error: object_store::Error) -> io::Error {
    match error {
        object_store::Error::AlreadyExists { .. } => {
            io::Error::new(io::ErrorKind::AlreadyExists, error)
        }
        error => error.into(),
    }
}

impl Place for Objects {
    fn describe(&self) -> String {
        self.url.clone()
    }

    fn list(&self, folder: &str) -> io::Result<Vec<(String, u64)>> {
        let prefix = self.path(folder);
        self.runtime.block_on(async {
            let mut found = self.store.list(Some(&prefix));
            let mut names = Vec::new();
            while let Some(object) = found.next().await {
                let object = object.map_err(said)?;
                let name = object.location.filename().unwrap_or_default();
                names.push((name.to_owned(), object.size));
            }
            Ok(names)
        })
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let path = self.path(name);
        self.runtime.block_on(async {
            let found = self.store.get(&path).await.map_err(said)?;
            Ok(found.bytes().await.map_err(said)?.to_vec())
        })
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.put(name, bytes, PutMode::Overwrite)
    }

    fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.put(name, bytes, PutMode::Create)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.path(name);
        self.runtime
            .block_on(self.store.delete(&path))
            .map_err(said)
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[test]
    fn an_object_store_keeps_lists_and_removes_what_a_place_does() {
        let place = Objects::on(Box::new(InMemory::new()), Path::from("school"), "memory").unwrap();
        assert!(place.list("objects").unwrap().is_empty());
        place.write("objects/ab", b"one").unwrap();
        place.write("objects/ab", b"three").unwrap();
        place.write_new("manifests/00000001", b"x").unwrap();
        let again = place.write_new("manifests/00000001", b"y").unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(place.list("objects").unwrap(), [("ab".to_owned(), 5)]);
        assert_eq!(place.read("objects/ab").unwrap(), b"three");
        place.remove("objects/ab").unwrap();
        let gone = place.read("objects/ab").unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_url_that_names_no_object_store_is_refused() {
        assert!(Objects::open("nothing").is_err());
        assert!(Objects::open("ftp://host/path").is_err());
    }
}
