//! The command line where nothing can be traced: `explain` needs no kernel.

mod explain;
mod hint;
mod language;
mod said;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use explain::{Explaining, explain};
pub use said::{Said, fail, say};

/// Subcommands that exist, for who misspells one.
static SUBCOMMANDS: &[&str] = &["explain"];

/// Exit statuses of clonespy's own.
pub mod status {
    /// clonespy itself failed.
    pub const FAILED: u8 = 125;
    /// A program is there and cannot be executed.
    pub const NOT_EXECUTABLE: u8 = 126;
    /// A program is not there.
    pub const NOT_FOUND: u8 = 127;
}

#[derive(Parser)]
#[command(
    name = "clonespy",
    version,
    about = "Explains the flags of clone, clone3, fork and vfork. (Programs are traced on Linux alone.)"
)]
struct Line {
    #[command(subcommand)]
    command: Sub,
}

#[derive(Subcommand)]
enum Sub {
    /// Explain flags, or annotate strace's lines
    #[command(override_usage = explain::USAGE, after_help = explain::AFTER)]
    Explain(explain::Question),
}

/// Parses the command line and carries it out.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let asked = Line::try_parse_from(args)
        .map_err(Said::from_clap)
        .and_then(|line| match line.command {
            Sub::Explain(question) => question.plan(),
        });
    match asked {
        Ok(asked) => explain(&asked).unwrap_or_else(|error| fail(&error)),
        Err(said) => said.print(),
    }
}
