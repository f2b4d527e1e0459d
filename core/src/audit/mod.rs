//! For people who check: self-contained bundles of evidence, made from a running ledger and checked
//! on a machine that has nothing but the bundle and a key (P5). The format is described in
//! `core/DESIGN.md`, "Bundle"; what is proved and what is not, in `core/AUDITING.md`.

mod bundle;
mod chain;
mod export;
mod fault;
mod verify;

pub use self::bundle::{Bytes, Disclosure, End, EventLine, Header, HeadsLine, Line, Scope, Since};
pub(crate) use self::chain::{Broken, Chains, Place, continues};
pub use self::export::{Export, ExportError, ExportRequest};
pub use self::fault::{Fault, FaultKind};
pub use self::verify::{BundleFault, Report, StreamReport, VerifyOptions, verify_bundle};
