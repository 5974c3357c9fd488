//! A lint that looks at each call alone.

use super::site::of_call;
use crate::abi::CloneFlags;
use crate::event::{CloneCall, Event, EventKind, Kind, Outcome};
use crate::lint::definition::{Occurrence, Watch, Words};
use crate::tasks::TaskTree;

/// A lint that looks at each call alone.
pub(super) struct Each(pub fn(&CloneCall) -> Option<Words>);

impl Watch for Each {
    fn event(&mut self, event: &Event, tree: &TaskTree, occurrences: &mut Vec<Occurrence>) {
        if let EventKind::Clone(call) = &event.kind
            && let Some(text) = (self.0)(call)
        {
            occurrences.push(of_call(&event.header, call, tree, text));
        }
    }
}

/// The process that a call made, if it made one: its tid.
pub(super) fn process(call: &CloneCall) -> Option<i32> {
    match &call.outcome {
        Outcome::Created(created) if created.kind == Kind::Process => Some(created.tid),
        _ => None,
    }
}

/// Whether a flag was passed, and the kernel's deed does not contradict it.
pub(super) fn took(call: &CloneCall, flag: CloneFlags) -> bool {
    let contradicted = match &call.outcome {
        Outcome::Created(created) => flag.is_among(&created.flags_contradicted),
        _ => false,
    };
    call.request.has(flag) && !contradicted
}
