//! What clonespy itself says, beside its reports. No write here can panic: a closed pipe is no reason
//! to lose the exit status.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;

use super::hint::meant;
use super::status;
use super::subcommands::SUBCOMMANDS;
use crate::error::Error;

/// Words instead of deeds: help, the version, or what is wrong with the command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// The text.
    pub text: String,
    /// The exit status.
    pub status: u8,
}

impl Message {
    /// What is wrong with the command line, in one line.
    pub fn usage_error(text: impl Into<String>) -> Self {
        Message {
            text: text.into(),
            status: status::FAILED,
        }
    }

    /// Help goes to stdout as it is; an error becomes one line of ours.
    pub fn from_clap(error: clap::Error) -> Self {
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Message {
                text: error.render().to_string(),
                status: 0,
            },
            _ => Message::usage_error(first_part(&error.render().to_string())),
        }
    }

    /// Writes it: to stdout where that was asked for, else to stderr. Returns the exit status.
    pub fn print(&self) -> ExitCode {
        if self.status == 0 {
            print(&self.text);
        } else {
            warn(&self.text);
        }
        ExitCode::from(self.status)
    }
}

/// clap's message up to the usage, as one line: what is wrong, and its tips.
fn first_part(text: &str) -> String {
    let lines: Vec<_> = text
        .lines()
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .map(|line| {
            line.trim()
                .trim_start_matches("error: ")
                .trim_start_matches("tip: ")
        })
        // That a word can be passed after `--` helps nobody who misspelt an option.
        .filter(|line| !line.is_empty() && !line.starts_with("to pass "))
        .map(|line| match line.strip_prefix("[possible values: ") {
            Some(values) => format!("there are {}", values.trim_end_matches(']')),
            None => line.to_owned(),
        })
        .collect();
    lines.join("; ")
}

/// Writes a text to stdout.
pub(super) fn print(text: &str) {
    let mut out = io::stdout().lock();
    // Whoever closed it does not want to know.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes one line to stderr. Names in it cannot break the line or move the cursor.
pub(super) fn warn(text: &str) {
    let mut line = String::from("clonespy: ");
    for c in text.chars() {
        match c {
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line.push('\n');
    // There is nowhere left to complain to, and nobody waits for a reader who does not come.
    #[cfg(all(feature = "trace", target_os = "linux"))]
    if !crate::sys::writable(
        std::os::fd::AsFd::as_fd(&io::stderr()),
        std::time::Duration::from_secs(1),
    ) {
        return;
    }
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Writes an error to stderr; its exit status.
pub(super) fn report(error: &Error) -> ExitCode {
    // A subcommand that is misspelt is taken for a program.
    let hint = match error {
        Error::NotFound { program, .. } => meant(program, SUBCOMMANDS.iter().copied()),
        _ => String::new(),
    };
    warn(&format!("{error}{hint}"));
    ExitCode::from(match error {
        Error::NotFound { .. } => status::NOT_FOUND,
        Error::NotExecutable { .. } => status::NOT_EXECUTABLE,
        _ => status::FAILED,
    })
}
