//! Text by display columns: how wide it is, where it may be broken, how it is padded and coloured.
//! What the report and the explanations are written with.

mod pen;
mod style;
mod width;
mod words;

pub(crate) use pen::{Ink, Pen};
pub(crate) use style::NARROW;
pub use style::Style;
pub(crate) use width::{columns, shorten};
