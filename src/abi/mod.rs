//! What the kernel says: tables and pure functions. No I/O, and no constants taken from crates,
//! whose values differ between platforms and libcs; every row names its source.

pub mod arch;
pub mod args;
pub mod errno;
pub mod flags;
mod lang;
pub mod rules;
pub mod signals;

pub use arch::{ABIS, Abi, Order};
pub use flags::{CloneFlags, FLAGS};
pub use lang::{Lang, Text};
pub(crate) use lang::{same, say, text};

// The one thing that the tables share with events: which of the four calls.
pub use crate::event::{Call, Stack};

#[cfg(test)]
pub(crate) mod testing;
