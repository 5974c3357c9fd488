//! Every `unsafe` of clonespy: the system calls that no safe wrapper covers. Each function is thin;
//! what the answers mean is decided elsewhere.
#![allow(unsafe_code)]

mod answer;
mod command;
mod launch;
mod memory;
mod pidfd;
mod poll;
mod probe;
mod ptrace;
mod questions;
mod registers;
mod signals;
mod wait;

pub use command::{Coming, Host, hook};
pub use launch::{Identity, Note, Program, SockFilter, Spawned, spawn};
pub use memory::{read_memory, write_memory};
pub use pidfd::Pidfd;
pub use poll::writable;
pub use probe::{probe_clone3, probe_filter};
pub use ptrace::{
    Op, Request, Siginfo, SyscallInfo, detach, event_message, interrupt, own_tid, resume, seize,
    set_options, siginfo, syscall_info,
};
pub use questions::{Question, ask};
pub use registers::{
    Change, Instruction, Registers, WRITES, change_of, registers, set_argument, skip_call,
    step_back,
};
pub use signals::{
    Taken, Wish, alarm_after, block_ending_signals, block_sigchld, capture, die_by,
    forward_signals_to, kill, obey_ending_signals, outlive_limits, same_group, take_signal,
    take_wish,
};
pub use wait::{
    Report, Target, Watch, What, ended_of_any_thread, peek, reap, reap_of_any_thread, take_stop,
};
