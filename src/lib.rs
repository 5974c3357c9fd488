//! clonespy: what a program really creates, processes or threads, and how.
//!
//! # The flow
//!
//! ```text
//! argv ─ cli ─► Plan ─► Tracer ─ stops ─► decode + observe ─► Event ─┬─► TaskTree ─► reports
//!                                                                    │
//!                                      a recorded trace (.jsonl) ────┘
//! ```
//!
//! The tracer starts a program, stops it at the few system calls that create tasks, and turns what
//! it sees into [`event::Event`]s: plain data, one line of a trace each. Nothing right of the event
//! knows where it came from: [`run`] takes events from the tracer or from a file ([`replay`]), folds
//! them into the [`tasks::TaskTree`], looks for what deserves attention ([`lint`]), and hands all of
//! it to every [`report::Reporter`].
//!
//! # Who does what
//!
//! * [`abi`] says what the kernel says, as tables, and [`origins`] what libraries ask of it; [`decode`] reads a stopped task by them, through
//!   [`peek::Peek`] alone; [`symbols`], [`proc`] and [`observe`] add what else can be asked of it.
//! * `tracer` makes events and prints nothing; [`report`] prints events and asks nothing; `sys` is
//!   the one place that talks to the kernel unsafely.
//! * [`cli`] turns arguments into a plan, and `main` carries it out.
//!
//! # What it does not do
//!
//! It does not trace other system calls, change what the program does, watch the whole system, or
//! guess: what could not be seen is said to be unseen.

mod abi;
mod check;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod cli;
#[cfg(not(all(feature = "trace", target_os = "linux")))]
#[path = "cli/without_trace.rs"]
pub mod cli;
mod decode;
mod error;
pub mod event;
#[cfg(test)]
mod event_samples;
mod explain;
mod layout;
mod library;
mod lint;
#[cfg(all(feature = "trace", target_os = "linux"))]
mod observe;
mod origins;
mod output;
mod peek;
#[cfg(all(feature = "trace", target_os = "linux"))]
mod proc;
pub mod replay;
pub mod report;
mod seccomp;
mod suggest;
mod symbols;
#[cfg(all(feature = "trace", target_os = "linux"))]
mod sys;
pub mod tasks;
#[cfg(all(feature = "trace", target_os = "linux"))]
mod tracer;
#[cfg(test)]
mod watchdog;

pub use check::{Expectation, Mismatch, Problem};
pub use error::{Error, Result};
#[doc(hidden)]
pub use library::internals;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub use library::{Options, trace};
pub use library::{Outputs, Run, Trace, run};
pub use lint::{Linter, TaskRecord};
pub use output::Failure;
