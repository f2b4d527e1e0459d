//! For auditors: bundles of evidence. A running ledger makes a bundle, and anybody checks it on a
//! machine that has only the bundle and a key (P5). `core/DESIGN.md` describes the format under
//! "Bundle". `core/AUDITING.md` says what a bundle proves and what it does not.

mod bundle;
mod chain;
pub mod compare;
mod export;
mod fault;
mod fold;
mod verify;

pub use self::bundle::{
    Bytes, Disclosure, End, EventLine, Gone, Header, HeadsLine, Line, Scope, Since,
};
pub(crate) use self::chain::{Broken, Chains, StreamPlace, continues};
pub use self::export::{Export, ExportError, ExportRequest};
pub use self::fault::{Fault, FaultKind};
pub use self::fold::LogFold;
pub use self::verify::{
    BundleFault, HeadsChecked, ProvedAct, Report, StreamReport, VerifyOptions, verify_bundle,
};
pub(crate) use self::verify::{Placed, open as open_line};
