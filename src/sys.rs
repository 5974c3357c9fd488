//! Every `unsafe` of clonespy: the system calls that no safe wrapper covers. Each function is thin;
//! what the answers mean is decided elsewhere.
#![allow(unsafe_code)]

mod command;
mod launch;
mod memory;
mod namespaces;
mod pidfd;
mod poll;
mod probe;
mod ptrace;
mod signals;
mod wait;

pub use command::{Coming, Host, hook};
pub use launch::{Identity, Note, Program, SockFilter, Spawned, spawn};
pub use memory::{read_memory, write_memory};
pub use namespaces::user_namespaces_around;
pub use pidfd::Pidfd;
pub use poll::writable;
pub use probe::{probe_clone3, probe_filter};
pub use ptrace::{
    Op, Registers, Request, Siginfo, SyscallInfo, argument_slot, detach, event_message, interrupt,
    own_tid, poke_user, registers, resume, return_slots, seize, set_options, siginfo, syscall_info,
};
pub use signals::{
    Taken, Wish, alarm_after, block_ending_signals, block_sigchld, capture, die_by,
    forward_signals_to, kill, obey_ending_signals, outlive_limits, same_group, take_signal,
    take_wish,
};
pub use wait::{
    Report, Target, Watch, What, ended_of_any_thread, peek, reap, reap_of_any_thread, take_stop,
};

use std::io;

/// A system call's result: negative means that errno says why.
fn check(result: i64) -> io::Result<i64> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
