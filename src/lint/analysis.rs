//! A trace whose events have been read by the index and by every lint.

use super::index::TraceIndex;
use super::linter::Linter;
use crate::event::Event;

/// What a trace holds, and what all lints found in it.
#[derive(Debug)]
pub struct Analysis {
    index: TraceIndex,
    linter: Linter,
}

impl Default for Analysis {
    fn default() -> Self {
        Analysis {
            index: TraceIndex::default(),
            linter: Linter::all(),
        }
    }
}

impl Analysis {
    /// From the events of a trace.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut analysis = Analysis::default();
        for event in events {
            analysis.apply(event);
        }
        analysis
    }

    /// Takes in one event.
    pub fn apply(&mut self, event: &Event) {
        self.index.apply(event);
        self.linter.event(event, self.index.tree());
    }

    /// Tasks and calls.
    pub fn index(&self) -> &TraceIndex {
        &self.index
    }

    /// The lints, each having watched, whoever asks later.
    pub fn linter(&self) -> &Linter {
        &self.linter
    }
}
