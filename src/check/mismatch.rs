//! What differs, for a person who never saw the program that says so.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::values::safe;

/// One thing that is not as expected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The key that does not hold: `tasks.threads`, `clone[2].count`, `forbid.flags`.
    pub key: String,
    /// Its line in the expectation file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What was expected.
    pub expected: String,
    /// What was seen instead.
    pub seen: String,
    /// The calls and tasks that it is about, and how they differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What to write in the file where this is meant: a line with its number, or lines to add.
    #[serde(rename = "accept", skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// A trace that is not as expected: all that differs.
///
/// Both [`fmt::Display`] and [`fmt::Debug`] are the readable difference, so that `unwrap()` and `?`
/// in a test show it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mismatch {
    /// The expectation file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// What was run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// What the file says of how it was run: `stdin`, `env`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// What differs: calls first, then what they add up to.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let things = if count == 1 { "thing" } else { "things" };
        write!(
            f,
            "the program did not do what was expected: {count} {things} differ"
        )?;
        if count == 1 {
            f.write_str("s")?;
        }
        if let Some(file) = &self.file {
            write!(f, "\n  expected by {}", safe(&file.display().to_string()))?;
        }
        if !self.command.is_empty() {
            let words: Vec<String> = self.command.iter().map(|word| shell(word)).collect();
            write!(f, "\n  command     {}", words.join(" "))?;
        }
        for condition in &self.conditions {
            write!(f, "\n  with        {}", safe(condition))?;
        }
        for problem in &self.problems {
            write!(f, "\n\n  {}", problem.key)?;
            if let Some(line) = problem.line {
                match &self.file {
                    Some(file) => write!(f, "   ({}:{line})", safe(&file.display().to_string()))?,
                    None => write!(f, "   (line {line})")?,
                }
            }
            write!(f, "\n    - expected  {}", safe(&problem.expected))?;
            write!(f, "\n    + seen      {}", safe(&problem.seen))?;
            for detail in &problem.details {
                write!(f, "\n      {}", safe(detail))?;
            }
        }
        self.suggestions(f)
    }
}

impl Mismatch {
    /// What to change in the file where all of this is meant.
    fn suggestions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all: Vec<&Problem> = self.problems.iter().collect();
        all.sort_by_key(|problem| problem.line);
        let all = all.into_iter();
        let suggested: Vec<&String> = all
            .filter_map(|problem| problem.suggestion.as_ref())
            .collect();
        let (Some(file), false) = (&self.file, suggested.is_empty()) else {
            return Ok(());
        };
        let file = safe(&file.display().to_string());
        write!(f, "\n\n  where this is meant, in {file}")?;
        // Lines that are changed first: those that are added move them.
        let (changed, added): (Vec<&String>, Vec<&String>) =
            suggested.into_iter().partition(|text| !text.contains('\n'));
        for text in changed.into_iter().chain(added) {
            for (n, line) in text.lines().enumerate() {
                let indent = if n == 0 { 4 } else { 6 };
                write!(f, "\n{:indent$}{}", "", safe(line))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Mismatch {}

/// A word as a shell takes it.
pub(super) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", safe(&word.replace('\'', r"'\''")))
}
