//! The `planledger` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    planledger::cli::run()
}
