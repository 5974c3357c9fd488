//! The command line where nothing can be traced: `explain` needs no kernel.

mod explain;
mod hint;
mod language;
mod message;
mod status;
mod subcommands;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::message::Message;

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
    Explain(explain::ExplainOptions),
}

/// clonespy, from its command line to its exit status.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = Line::try_parse_from(words)
        .map_err(Message::from_clap)
        .and_then(|line| match line.command {
            Sub::Explain(options) => options.plan(),
        });
    match command {
        Ok(command) => explain::explain(&command).unwrap_or_else(|error| message::report(&error)),
        Err(message) => message.print(),
    }
}
