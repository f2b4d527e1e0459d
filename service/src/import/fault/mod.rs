//! What is wrong with a file, where it is wrong, and what to do about it.

mod code;
mod collector;
mod findings;
mod passed;
mod problem;
mod report;

pub use self::code::FaultCode;
pub(crate) use self::collector::Collector;
pub(crate) use self::findings::Findings;
pub use self::passed::{PassedOver, PassedOverKind};
pub(crate) use self::problem::Problem;
pub use self::report::{ImportFault, ImportFaults};
