//! The `planledger` binary.

use std::process::ExitCode;

/// The allocator of most systems keeps a heap for each thread. What one thread of the server makes
/// and another throws away then takes a third more memory, and time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    planledger::cli::run()
}
