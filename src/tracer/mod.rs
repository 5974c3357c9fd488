//! The ptrace loop.

pub mod filter;
pub mod launch;

use crate::Result;
use crate::event::Event;
pub use launch::Launch;

/// A running trace: an iterator of events.
#[derive(Debug)]
pub struct Tracer {}

impl Tracer {
    /// Starts a program.
    ///
    /// # Errors
    /// Where it cannot be started or traced.
    pub fn launch(launch: &Launch) -> Result<Self> {
        let _ = launch;
        Ok(Tracer {})
    }
}

impl Iterator for Tracer {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}
