//! The library's face: what a host program calls.
//!
//! | file | holds |
//! |---|---|
//! | `options` | `trace` and its options: a `Command` run and traced |
//! | `trace` | what came of it, or of a recorded trace, for questions |
//! | `deadline` | ends what a trace made, when its time is over |
//! | `run` | events from any source to tree, lints and reports |
//! | `internals` | a narrow door for this crate's own tests |
//! | `runner` | builds, runs and traces what an expectation file names |

#[cfg(all(feature = "trace", target_os = "linux"))]
mod deadline;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod internals;
#[cfg(all(feature = "trace", target_os = "linux"))]
mod options;
mod run;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub(crate) mod runner;
mod trace;

#[cfg(all(feature = "trace", target_os = "linux"))]
pub use self::options::{Options, trace};
pub use self::run::{Outputs, Run, run};
pub use self::trace::Trace;
