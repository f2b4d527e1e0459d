//! Systems in the driver's own process.

pub(crate) mod core;
pub(crate) mod tephra;
