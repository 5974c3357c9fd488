//! The program: the library does it all, from the command line to the exit status.

use std::process::ExitCode;

#[cfg(all(feature = "trace", target_os = "linux"))]
clonespy::before_main!();

fn main() -> ExitCode {
    clonespy::cli::main(std::env::args_os())
}
