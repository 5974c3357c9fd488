//! All integration tests in one binary, which links once.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a helper of a test fails by panicking, as the test does"
)]

// How to run things.
mod run;
#[path = "../../src/watchdog.rs"]
mod watchdog; // what fails a test that would never end // a command to its end, with a watchdog; the tools that a machine may lack

// The fixtures.
mod bare; // every fixture without a tracer
mod facts; // what a fixture says
mod fixtures; // which there are, how each ends, how each is compiled

// The design.
mod layers; // imports point one way, and no files in a ring

// The tracer.
mod calls; // who made which calls, comparable between two runs
mod cli; // bad input, bad output, exit statuses
mod lints; // what deserves attention
mod live; // every fixture: unchanged, and seen as it is
mod real; // programs that people use
mod reasons; // why calls fail
mod strace; // what strace says of a program
mod trace; // runs a program under clonespy

// Trust.
mod attach; // running programs: seen, let go, and as before
mod denied; // what a container, the kernel or a tracer refuses; files that are no programs
mod driven; // a program that does what a test says
mod ending; // Ctrl-C, --timeout, --until, SIGKILL; terminals
mod fuzz; // input that lies, from a corpus and changed by chance
mod programs; // programs that make many tasks, and far too many
mod repeat; // races, again and again on busy processors
mod surroundings; // what a program finds is the same, traced or not

// Expectations.
mod check; // every fixture's expectation file: it holds, and each of its values matters
mod library;
mod verdict; // what a check says of programs that change or cannot run // clonespy::trace, from this multi-threaded program

// The face.
mod documents; // each command in the documents says what stands there
mod face; // outputs and statuses around a live trace, and that a replay shows the same
mod golden; // recorded traces, rendered and compared with files
mod strace_lines; // --format strace, beside strace and read by others
