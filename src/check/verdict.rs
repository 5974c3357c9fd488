//! What came of checks.

use std::time::Duration;

use super::mismatch::Mismatch;

/// What came of one check.
#[derive(Debug)]
pub struct Checked {
    /// The file, or the command.
    pub name: String,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
    /// What the program wrote to standard output, as far as it was taken.
    pub stdout: Vec<u8>,
    /// The same of standard error.
    pub stderr: Vec<u8>,
}

/// What came of a check.
#[derive(Debug)]
pub enum Outcome {
    /// All is as expected.
    Holds,
    /// Something differs.
    Fails(Mismatch),
    /// It is not for this machine.
    Skipped(String),
    /// It could not be decided.
    Broken(String),
    /// What was seen was written. `false`: it stood there already.
    Blessed(bool),
}

/// The whole.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Every check, in the order of the plan.
    pub checks: Vec<Checked>,
    /// An output of it was lost.
    pub lost: bool,
}

impl Verdict {
    /// The exit status: 0 all hold, 1 an expectation fails, 2 a check could not run.
    pub fn status(&self) -> u8 {
        let any = |is: fn(&Outcome) -> bool| self.checks.iter().any(|done| is(&done.outcome));
        if any(|outcome| matches!(outcome, Outcome::Broken(_))) || self.lost {
            2
        } else {
            u8::from(any(|outcome| matches!(outcome, Outcome::Fails(_))))
        }
    }
}
