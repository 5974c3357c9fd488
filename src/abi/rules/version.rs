//! Versions of the kernel.

use std::fmt;
use std::str::FromStr;

/// A version of the kernel: `6.18`, `2.6.24`, `5.10.234`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Before every other: a rule since this one has always been there.
    pub const FIRST: Version = Version(0, 0, 0);

    /// The newest that the tables know: Linux 7.2.
    pub const NEWEST: Version = Version(7, 2, 0);

    /// Reads a release as `uname -r` gives it: `6.1.0-18-amd64` is 6.1.0.
    pub fn of_release(release: &str) -> Option<Version> {
        let end = release
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(release.len());
        let (digits, rest) = release.split_at(end);
        let mut numbers = digits.trim_end_matches('.').split('.');
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        let patch = numbers.next().map_or(Some(0), |n| n.parse().ok())?;
        // The rest says which build it is. A digit cannot follow, and a fourth number is a distribution's.
        let _ = rest;
        Some(Version(major, minor, patch))
    }
}

/// Not a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a kernel version such as 5.10")]
pub struct NotAVersion(pub String);

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let release = text.trim();
        let release = release.strip_prefix('v').unwrap_or(release);
        Version::of_release(release).ok_or_else(|| NotAVersion(text.to_owned()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Version(major, minor, patch) = self;
        match patch {
            0 => write!(f, "{major}.{minor}"),
            _ => write!(f, "{major}.{minor}.{patch}"),
        }
    }
}
