//! Finds out who sent a request, in production mode: from a token of an identity provider (OpenID
//! Connect), or from the certificate of the connection.

pub mod rejection;

mod authenticator;
mod cache;
pub(in crate::server) mod certificate;
mod crypto;
mod directory;
mod fetch;
mod keys;
mod on_behalf;
mod setup;
mod token;

pub use self::authenticator::Identified;
pub use self::certificate::ClientCertificate;
pub use self::directory::{Directory, KnownSystem, LedgerDirectory, NamedPerson};
pub use self::on_behalf::ON_BEHALF_OF_KEY;
pub(super) use self::on_behalf::{adopt, agreed};
pub use self::setup::IdentityError;
