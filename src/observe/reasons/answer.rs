//! The answer to one question about a failed call: whether a rule is behind the failure, and what shows it.

use serde_json::Value;

use crate::event::{Certainty, Explanation, Observation};

/// What was found: words, if there are better ones than the rule's own, and what was seen, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Evidence {
    pub text: Option<Explanation>,
    pub values: Vec<(String, Value)>,
}

impl Evidence {
    pub fn says(what: Observation) -> Evidence {
        Evidence {
            text: Some(what.into()),
            values: Vec::new(),
        }
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Evidence {
        self.values.push((name.to_owned(), value.into()));
        self
    }

    pub fn certain(self) -> Answer {
        Answer::Holds(Certainty::Certain, self)
    }

    pub fn likely(self) -> Answer {
        Answer::Holds(Certainty::Likely, self)
    }

    pub fn not(self) -> Answer {
        Answer::Not(self)
    }

    pub fn unknown(self) -> Answer {
        Answer::Unknown(self)
    }
}

/// Whether a rule is behind a failure.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// Its condition holds, and how sure it is that this was the reason.
    Holds(Certainty, Evidence),
    /// It does not hold.
    Not(Evidence),
    /// It may.
    Unknown(Evidence),
    /// It may, and there is nothing to look at.
    Unseen,
    /// It does not hold, and nobody would have thought so.
    Silent,
}
