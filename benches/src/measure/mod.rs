//! How anything is measured here: clients and their latencies, a process, the machine. The load driver uses
//! it, and so do the comparisons with other systems.

pub mod clients;
pub mod flat;
pub mod latency;
pub mod machine;
pub mod plot;
pub mod process;
pub mod space;
pub mod usage;
pub mod watch;
