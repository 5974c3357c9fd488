//! What lines of every kind have in common: how they begin, how a remark stands under one, how a pid is
//! named.

use std::fmt::Display;

use super::Look;
use super::columns::Columns;
use super::pen::{Ink, Pen};
use crate::event::Tid;
use crate::tasks::TaskTree;

/// Where the lines begin that belong to the one above.
pub(super) const UNDER: usize = 6;

/// `48211 demo     `: the beginning of every line.
pub(super) fn who(pen: &mut Pen<'_>, look: &Look, at: Columns, tid: impl Display, comm: &str) {
    pen.put(&format!("{:>width$} ", tid.to_string(), width = at.tid()))
        .put(&look.comm(comm))
        .to(at.what());
}

/// What the reader must not miss, on lines of its own under the one that it is about.
pub(super) fn remark(pen: &mut Pen<'_>, text: &str) {
    pen.to(UNDER)
        .ink("! ", Ink::Odd)
        .words(text, Ink::Odd, UNDER + 2)
        .end();
}

/// A pid as it is named in a sentence: with `-y` its command as well.
pub(super) fn pid(look: &Look, tree: &TaskTree, tid: Tid) -> String {
    match tree.by_tid(tid) {
        Some(task) if look.names => format!("{tid}<{}>", look.comm(&task.comm)),
        _ => tid.to_string(),
    }
}
