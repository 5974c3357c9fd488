//! What every observer is: something that looks at a task at the moments when it is stopped.

use crate::event::{CloneCall, Exec, Exit};
use crate::peek::Peek;

/// Adds fields to events at the five moments when a task is stopped and can be asked.
#[allow(unused_variables, reason = "a default that looks at nothing")]
pub trait Observer {
    /// A call is entered (without a filter: its event was reported).
    fn entered(&mut self, task: &dyn Peek, call: &mut CloneCall) {}
    /// A call failed that was entered at this time of the trace.
    fn failed(&mut self, task: &dyn Peek, at_ns: u64, call: &mut CloneCall) {}
    /// A child is born; it has not run yet.
    fn born(&mut self, creator: &dyn Peek, child: &dyn Peek, call: &mut CloneCall) {}
    /// A task replaced its program.
    fn exec(&mut self, task: &dyn Peek, event: &mut Exec) {}
    /// A task ended and is still readable as a zombie.
    fn exit(&mut self, task: &dyn Peek, event: &mut Exit) {}
}
