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

pub mod abi;
pub mod check;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod cli;
#[cfg(not(all(feature = "trace", target_os = "linux")))]
#[path = "cli/without_trace.rs"]
pub mod cli;
pub mod decode;
pub mod error;
pub mod event;
#[cfg(test)]
mod event_samples;
pub mod explain;
pub mod library;
pub mod lint;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod observe;
pub mod origins;
pub mod output;
pub mod peek;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod proc;
pub mod replay;
pub mod report;
pub mod seccomp;
mod suggest;
pub mod symbols;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod sys;
pub mod tasks;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod tracer;
#[cfg(test)]
mod watchdog;

pub use check::Expectation;
pub use error::{Error, Result};
pub use library::{Failure, Outputs, Run, Trace, run};
#[cfg(all(feature = "trace", target_os = "linux"))]
pub use library::{Options, trace};
