//! The one error type: every variant says what happened, to what, and what to do about it.

use std::io;
use std::path::PathBuf;

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// The system's words about an error, without the number that Rust adds.
pub fn plain(why: &io::Error) -> String {
    let text = why.to_string();
    match text.rsplit_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// What can go wrong in clonespy itself. What goes wrong in the traced program is an event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program is not there.
    #[error(
        "{program}: not found: {}; give a path, or a name that PATH finds",
        plain(why)
    )]
    NotFound {
        /// As it was given.
        program: String,
        /// The system's words.
        why: io::Error,
    },
    /// The program is there and cannot be run.
    #[error("{program}: cannot be executed: {}", plain(why))]
    NotExecutable {
        /// As it was given.
        program: String,
        /// The system's words.
        why: io::Error,
    },
    /// The start of the program failed before its exec.
    #[error("cannot start the program: {what}: {}", plain(why))]
    Launch {
        /// The step that failed.
        what: String,
        /// The system's words.
        why: io::Error,
    },
    /// Tracing is not permitted, or broke.
    #[error("cannot trace: {what}: {}{}", plain(why), hint.as_deref().map(|h| format!("; {h}")).unwrap_or_default())]
    Trace {
        /// The request that failed.
        what: String,
        /// The system's words.
        why: io::Error,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A file for output cannot be opened.
    #[error("cannot write {}: {}", path.display(), plain(why))]
    Output {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: io::Error,
    },
    /// A recorded trace cannot be opened or read.
    #[error("cannot read {}: {}", path.display(), plain(why))]
    Input {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: io::Error,
    },
    /// A line of a recorded trace makes no sense.
    #[error("{}:{line}: not a clonespy trace: {why}", path.display())]
    Garbage {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// An expectation file has mistakes: each with its place, and what was probably meant.
    #[error("{0}")]
    Expectation(Shown),
    /// What a check needs could not be made or done.
    #[error("{what}")]
    Check {
        /// What happened, with what was said about it.
        what: String,
    },
    /// The command line is well formed but asks for what cannot be.
    #[error("{0}")]
    Usage(String),
}

/// Text of several lines that is for people, in `{:?}` too: what `unwrap()` and `?` show in a test.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown(pub String);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
