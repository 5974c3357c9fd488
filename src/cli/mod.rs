//! The command line: parsing does nothing but parse, then a plan says what is to be done, and
//! [`main`] does it.
//!
//! | file | holds |
//! |---|---|
//! | `arguments` | the options, as clap reads them; `attach`, `lint_options`: some of them, with their meaning |
//! | `parse`, `plan` | from words to what is to be done |
//! | `check`, `explain` | the subcommands of these names |
//! | `reports` | opens the reports of a plan |
//! | `exit`, `status` | how clonespy ends |
//! | `message`, `hint` | what it says itself |
//! | `generate` | manual page, schema, completions |
//! | `without_trace` | the command line where nothing can be traced |

mod arguments;
mod attach;
mod check;
mod exit;
mod explain;
mod generate;
mod hint;
mod language;
mod lint_options;
mod message;
mod parse;
mod plan;
mod reports;
mod status;
mod subcommands;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use self::plan::{Plan, Replay, Trace};
use crate::error::Result;
use crate::library::run;
use crate::replay;
#[doc(hidden)]
pub use crate::sys::capture;
use crate::tracer::{self, Tracer};

/// clonespy, from its command line (the program's own name first) to its exit status.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let plan = match parse::parse(words) {
        Ok(plan) => plan,
        Err(message) => return message.print(),
    };
    let done = match plan {
        Plan::Trace(plan) => trace(*plan),
        Plan::Replay(plan) => replay(plan),
        Plan::Explain(command) => explain::explain(&command),
        Plan::Check(command) => return check::check(&command),
        Plan::Print(text) => {
            message::print(&text);
            Ok(ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| message::report(&error))
}

/// Outputs are opened first: one that cannot be written is an error before anything has run.
fn trace(plan: Trace) -> Result<ExitCode> {
    let outputs = reports::open(&plan.outputs, &[])?;
    let run = match (plan.attach, plan.launch) {
        (Some(pids), launch) => run(tracer::attach::trace(pids, launch)?, plan.lints, outputs),
        (None, Some(launch)) => run(Tracer::launch(&launch)?, plan.lints, outputs),
        (None, None) => return Ok(ExitCode::SUCCESS),
    };
    exit::traced(run)
}

fn replay(plan: Replay) -> Result<ExitCode> {
    let events = replay::Replay::open(&plan.file)?;
    let outputs = reports::open(&plan.outputs, std::slice::from_ref(&plan.file))?;
    exit::replayed(run(events, plan.lints, outputs), &plan.file)
}

#[cfg(test)]
mod tests;
