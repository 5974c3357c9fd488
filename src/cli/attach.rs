//! Options about tasks that run already, and about when a trace ends.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::message::Message;
use super::values::seconds;
use crate::event::Tid;

/// Whom to attach to, and until when.
#[derive(Debug, Args)]
#[command(next_help_heading = "The program, and how it is traced")]
pub(super) struct AttachOptions {
    /// Attach to these running processes, every thread of them; again, or with commas or blanks,
    /// for more. Ctrl-C lets them go
    #[arg(short = 'p', long = "attach", value_name = "PID[,PID]", value_parser = pids)]
    pub attach: Vec<Pids>,
    /// With -p: their descendants too
    #[arg(long, requires = "attach", hide_short_help = true)]
    pub descendants: bool,
    /// End the trace after this time: a started program gets SIGTERM, and SIGKILL two seconds later
    /// (status 124); attached processes are let go
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<Duration>,
    /// When the trace of a program ends: all (with its last descendant) or main (with the program
    /// itself: what it leaves behind carries the filter, and is ended)
    #[arg(long, value_name = "WHO", value_enum, default_value = "all")]
    #[arg(
        hide_short_help = true,
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub until: Until,
}

/// One word of `-p`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pids(pub Vec<Tid>);

/// When a trace of a program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Until {
    /// With the last task.
    All,
    /// With the program itself.
    Main,
}

/// `12,13 14`: strace's spelling, and what `pidof` prints.
fn pids(word: &str) -> Result<Pids, String> {
    let pids = word
        .split([',', ' ', '\n', '\t'])
        .filter(|part| !part.is_empty())
        .map(|part| match part.parse() {
            Ok(pid) if pid > 0 => Ok(pid),
            _ => Err(format!("'{part}' is no process id")),
        })
        .collect::<Result<Vec<Tid>, String>>()?;
    if pids.is_empty() {
        return Err("no process id (does the program run?)".to_owned());
    }
    Ok(Pids(pids))
}

impl AttachOptions {
    /// Every process that was named.
    pub fn pids(&self) -> Vec<Tid> {
        self.attach
            .iter()
            .flat_map(|word| word.0.iter().copied())
            .collect()
    }

    /// What makes sense only with a program.
    ///
    /// # Errors
    /// What is to be said.
    pub fn without_program(&self) -> Result<(), Message> {
        if self.until == Until::Main {
            return Err(Message::usage_error(
                "--until=main is about a program that clonespy starts; there is none",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pids_come_as_strace_and_pidof_write_them() {
        assert_eq!(pids("1,2"), Ok(Pids(vec![1, 2])));
        assert_eq!(pids("31 7\n"), Ok(Pids(vec![31, 7])));
        assert!(pids("").is_err() && pids("-3").is_err() && pids("1,x").is_err());
    }
}
