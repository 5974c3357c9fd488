//! clonespy: what a program really creates, processes or threads, and how.
//!
//! # From a program of one's own
//!
//! `trace` runs a [`Command`](std::process::Command) to the end of its last task; the [`Trace`]
//! answers questions, holds an [`Expectation`], and gives its [events](event) and its
//! [tree](tasks::TaskTree). A recorded trace ([`replay`], [`Trace::read`]) answers like a live one,
//! and [`run`] renders either in every [format](report::FORMATS).
//!
//! # The flow
//!
//! ```text
//!                               peek ◄── decode, proc, symbols, observe
//!                                 ▲          │
//!  a program ──► tracer ── stops ─┘          ▼
//!                  └─► ledger ────────► event ─┬─► tasks: the tree ─┬─► lint ─► findings, as events
//!  a recorded trace ─► replay ────────────────┘                    ├─► check ─► verdicts ─┐
//!                                                                  └─► report ────────────┼─► output
//!  flags, by name or by number ─► explain ───────────────────────────────────────────────┘
//! ```
//!
//! The tracer starts a program, or attaches to one, stops it at the few system calls that create
//! tasks, and turns what it sees into [`event::Event`]s: plain data, one line of a trace each.
//! Nothing behind the event knows where it came from: [`run`] takes events from the tracer or from a
//! file, folds them into the tree, lets the lints look at them, and hands all of it to every
//! [`report::Reporter`].
//!
//! # Who does what
//!
//! | module | is responsible for |
//! |---|---|
//! | `abi`, `origins` | what the kernel says, and what libraries pass: tables and pure functions |
//! | [`event`] | the lines of a trace, and nothing that makes or shows them |
//! | `peek` | what may be asked of a stopped task; `decode`, `proc`, `symbols`, `observe` ask it |
//! | `seccomp` | filters: clonespy's own, and the reading of a program's |
//! | `layout`, `suggest`, `error` | lines and columns, what a misspelt word was meant to be, what can go wrong |
//! | `sys` | every `unsafe` request to the kernel |
//! | `tracer` | stops and their order; it makes events and prints nothing |
//! | `ledger` | sequence numbers, task numbers, totals: of any source of events |
//! | [`tasks`] | events folded into the tree, whose size follows what lives and not what has ended |
//! | `lint` | what deserves attention, and the index of a trace that lints and checks ask |
//! | `check` | expectations, and the verdict on a trace |
//! | [`report`] | events to text; a function of the events alone, which asks nothing |
//! | [`replay`] | a recorded trace to events |
//! | `explain` | flags, rules and strace's lines explained, without a trace |
//! | `output` | where all that is written goes, opened by one rule |
//! | `library` | this face |
//! | [`cli`] | arguments to a plan, and the plan carried out |
//!
//! Imports point one way, from the lower rows to the upper ones; a test holds the table.
//!
//! # What it does not do
//!
//! It does not trace other system calls, change what the program does, watch the whole system, or
//! guess: what could not be seen is said to be unseen. In a host program it runs nothing before `main`.

#![cfg_attr(
    not(all(feature = "trace", target_os = "linux")),
    allow(
        dead_code,
        unused_imports,
        reason = "tables and outputs have fewer users where nothing is traced"
    )
)]

mod abi;
mod check;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub mod cli;
#[cfg(not(all(feature = "trace", target_os = "linux")))]
#[path = "cli/without_trace.rs"]
pub mod cli;
#[cfg(all(feature = "trace", target_os = "linux"))]
mod decode;
mod error;
pub mod event;
#[cfg(test)]
mod event_samples;
mod explain;
mod layout;
#[cfg(all(feature = "trace", target_os = "linux"))]
mod ledger;
mod library;
mod lint;
#[cfg(all(feature = "trace", target_os = "linux"))]
mod observe;
mod origins;
mod output;
#[cfg(all(feature = "trace", target_os = "linux"))]
mod peek;
#[cfg(all(feature = "trace", target_os = "linux"))]
mod proc;
pub mod replay;
pub mod report;
#[cfg(test)]
mod scripted;
#[cfg(all(feature = "trace", target_os = "linux"))]
mod seccomp;
mod suggest;
#[cfg(all(feature = "trace", target_os = "linux"))]
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
#[cfg(all(feature = "trace", target_os = "linux"))]
#[doc(hidden)]
pub use library::internals;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub use library::{Options, trace};
pub use library::{Outputs, Run, Trace, run};
pub use lint::{Linter, TaskRecord};
pub use output::Failure;
