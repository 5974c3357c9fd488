//! How a pid is named in a sentence.

use super::Look;
use crate::event::Tid;
use crate::tasks::TaskTree;

/// A pid as it is named in a sentence: with `-y` its command as well.
pub(super) fn pid(look: &Look, tree: &TaskTree, tid: Tid) -> String {
    match tree.by_tid(tid) {
        Some(task) if look.names => format!("{tid}<{}>", look.comm(&task.comm)),
        _ => tid.to_string(),
    }
}
