//! What lines of every kind have in common: how they begin, how a remark stands under one.

use std::fmt::Display;

use super::columns::Columns;
use crate::layout::{Ink, Pen};
use crate::report::Look;

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
