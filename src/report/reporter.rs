//! What every format is to the program.

use std::io::{self, Write};

use crate::event::Event;
use crate::tasks::TaskTree;

/// Renders a trace. `tree` has already taken in the event.
pub trait Reporter {
    /// One event, as it happens.
    ///
    /// # Errors
    /// What the destination says; the reporter is not called again after one.
    fn event(&mut self, event: &Event, tree: &TaskTree) -> io::Result<()>;
    /// The trace is over (in order or cut short).
    ///
    /// # Errors
    /// As [`Reporter::event`].
    fn finish(&mut self, tree: &TaskTree) -> io::Result<()>;
}

/// Where a report goes.
pub type Destination = Box<dyn Write>;
