//! Where the columns of a row stand.

use crate::layout::Style;

/// The column of the kind, which goes by the width.
pub(super) fn kind_column(style: &Style) -> usize {
    style.width.min(100).saturating_sub(RIGHT)
}

/// Columns of the right-hand side: kind, ending, life.
pub(super) const RIGHT: usize = 33;
pub(super) const ENDING: usize = 10;
