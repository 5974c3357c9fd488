//! All integration tests in one binary, which links once.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a helper of a test fails by panicking, as the test does"
)]

// How to run things.
mod run; // a command to its end, with a watchdog; the tools that a machine may lack
#[path = "../../src/watchdog.rs"]
mod watchdog; // what fails a test that would never end

// The fixtures.
mod fixture_facts; // what a fixture says
mod fixtures; // which there are, how each ends, how each is compiled
mod without_tracer; // every fixture without a tracer

// The design.
mod folders; // each folder says what lives there
mod layers; // imports point one way, and no files in a ring

// The tracer.
mod calls; // who made which calls, comparable between two runs
mod cli; // bad input, bad output, exit statuses
mod every_fixture; // under clonespy: unchanged, and seen as it is
mod failure_reasons; // why calls fail
mod lints; // what deserves attention
mod real_programs; // programs that people use
mod strace; // what strace says of a program
mod trace; // runs a program under clonespy

// Trust.
mod attach; // running programs: seen, let go, and as before
mod driven; // a program that does what a test says
mod ending; // Ctrl-C, --timeout, --until, SIGKILL; terminals
mod environment; // what a program finds is the same, traced or not
mod fuzz; // input that lies, from a corpus and changed by chance
mod many_tasks; // programs that make many tasks, and far too many
mod races; // again and again on busy processors
mod restrictions; // what a container, the kernel or a tracer refuses; files that are no programs

// Expectations.
mod check_verdicts; // what a check says of programs that change or cannot run
mod expectation_files; // every fixture's: it holds, and each of its values matters
mod library; // clonespy::trace, from this multi-threaded program

// The face.
mod documents; // each command in the documents says what stands there
mod golden; // recorded traces, rendered and compared with files
mod outputs; // outputs and statuses around a live trace, and that a replay shows the same
mod replay; // clonespy replay, its inputs and outputs
mod strace_lines; // --format strace, beside strace and read by others
