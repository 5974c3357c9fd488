//! Where an output goes.

use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

/// Where an output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, which is made or emptied.
    File(PathBuf),
}

impl Target {
    /// A file; `-` is standard output.
    pub fn named(path: &OsStr) -> Self {
        if path == "-" {
            Target::Stdout
        } else {
            Target::File(path.into())
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Stdout => f.write_str("standard output"),
            Target::Stderr => f.write_str("standard error"),
            Target::File(path) => path.display().fmt(f),
        }
    }
}
