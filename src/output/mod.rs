//! Where what clonespy says goes: the one place that opens outputs, for every subcommand.
//!
//! | file | holds |
//! |---|---|
//! | `target` | where an output goes, as the command line says it |
//! | `open` | opening, by one rule: no output is an input, or another output |
//! | `identity` | which file something is, whatever it is called |
//! | `background` | a writer that a slow reader cannot make hold up the traced program |
//! | `sinks` | the outputs of a run: muted where they fail, closed at the end |

#[cfg(all(feature = "trace", target_os = "linux"))]
mod background;
mod identity;
mod open;
mod sinks;
mod target;

#[cfg(all(feature = "trace", target_os = "linux"))]
pub use self::open::WIDTH;
pub use self::open::{open, open_one};
pub use self::sinks::{Failure, Outputs};
pub use self::target::Target;

#[cfg(test)]
mod tests;
