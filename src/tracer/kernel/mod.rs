//! The kernel, as the tracer sees it: what is asked of it, whose report comes next, and what a report
//! means. [`Live`](live::Live) asks for real; tests script the answers, and with them the orders of
//! events that cannot be forced.

pub mod live;
pub mod request;
mod task;
pub mod tracee;
pub mod wait;
pub mod waiter;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use crate::abi::Abi;
use crate::event::Tid;
use crate::peek::{Errno, Peek};
use crate::sys::{self, Instruction, Registers, Report, Request, Siginfo, SyscallInfo};

use self::request::{Answer, AtStop};
use self::waiter::Woke;

/// What the tracer may ask.
pub trait Kernel {
    /// A task that answers questions.
    type Task: Peek + 'static;

    /// A view of a task. What it answers is true for as long as the task does not run.
    fn task(&self, tid: Tid) -> Self::Task;

    /// Monotonic nanoseconds since the trace began.
    fn now_ns(&self) -> u64;
    /// The next report, of which `live` tracees can be the object, or what else ended the wait;
    /// `restless`: [`Woke::Idle`] after a short silence. A stop is taken; an end is only seen, and
    /// stays readable until [`Kernel::reap`].
    ///
    /// # Errors
    /// What wait(2) says beyond ECHILD and EINTR.
    fn next_report(&self, live: usize, restless: bool) -> io::Result<Woke>;
    /// A stop that was taken ahead of its turn, where nothing more is to be waited for.
    fn leftover(&self) -> Option<Report>;
    /// Reaps a task whose end was reported. Its tid is free from then on.
    fn reap(&self, tid: Tid);
    /// Wakes the wait after this time as a timeout does.
    fn wake_after(&self, time: Duration);
    /// This task is likely to report soon.
    fn expect(&self, tid: Tid);
    /// Sends a signal to the process of a task; SIGKILL ends stopped ones too.
    fn kill(&self, tid: Tid, signal: i32);

    /// Whether a task belongs to a thread group.
    fn same_group(&self, tgid: Tid, tid: Tid) -> bool;
    /// Whether a task of this tid is there and has not ended.
    fn lives(&self, tid: Tid) -> bool;
    /// The tids of a thread group, in order.
    ///
    /// # Errors
    /// The errno of reading `/proc/TGID/task`.
    fn threads(&self, tgid: Tid) -> Result<Vec<Tid>, Errno>;
    /// The effective user of clonespy itself.
    fn own_uid(&self) -> u32 {
        nix::unistd::Uid::effective().as_raw()
    }
    /// The thread that traces, as /proc names it.
    fn own_tid(&self) -> Tid {
        sys::own_tid()
    }
    /// How often what was asked: requests, and reads.
    fn counts(&self) -> (BTreeMap<String, u64>, BTreeMap<String, u64>);

    /// Begins to trace a task, or one that was let go. `filtered`: it carries our filter, and ends
    /// when we do.
    ///
    /// # Errors
    /// [`Refused::Gone`](request::Refused::Gone), as all requests below; those of PTRACE_SEIZE.
    fn seize(&self, tid: Tid, filtered: bool) -> Answer<()>;
    /// Stops a running task soon.
    ///
    /// # Errors
    /// It is gone.
    fn interrupt(&self, tid: Tid) -> Answer<()>;

    /// Lets a stopped task go on.
    ///
    /// # Errors
    /// It was killed, as with all that follow.
    fn resume(&self, task: AtStop, how: Request, signal: i32) -> Answer<()>;
    /// Lets a task go with a signal that should end it, and says whether it has ended before the
    /// time was over.
    ///
    /// # Errors
    /// It was killed.
    fn detach_until_dead(&self, task: AtStop, signal: i32, time: Duration) -> Answer<bool>;
    /// Has a stopped task, and what it will create, stop once more before it ends; with what it was
    /// seized with otherwise.
    ///
    /// # Errors
    /// It was killed.
    fn stop_before_end(&self, _: &AtStop, _exit_kill: bool, _filtered: bool) -> Answer<()> {
        Ok(())
    }
    /// Which system call it is in.
    ///
    /// # Errors
    /// It was killed.
    fn syscall_info(&self, task: &AtStop) -> Answer<SyscallInfo>;
    /// The message of the event that it is stopped at.
    ///
    /// # Errors
    /// It was killed.
    fn event_message(&self, task: &AtStop) -> Answer<u64>;
    /// The signal that it is stopped for.
    ///
    /// # Errors
    /// It was killed.
    fn siginfo(&self, task: &AtStop) -> Answer<Siginfo>;
    /// The registers that a newborn has in common with its creator; `None` where the machine has no
    /// row for them.
    ///
    /// # Errors
    /// It was killed.
    fn registers(&self, task: &AtStop) -> Answer<Option<Registers>>;
    /// Changes an argument of the call that it is about to make, or puts it back. `false`: that
    /// cannot be done on this machine.
    ///
    /// # Errors
    /// It was killed.
    fn set_argument(&self, task: &AtStop, abi: &Abi, index: usize, value: u64) -> Answer<bool>;
    /// Has it not make the call that it is about to make, and return this. `false`: that cannot be
    /// done on this machine.
    ///
    /// # Errors
    /// It was killed.
    fn set_result(&self, task: &AtStop, result: i64) -> Answer<bool>;
    /// Has it, which stands at `ip`, go back to the instruction that raised its signal. `false`: that cannot be done on
    /// this machine.
    ///
    /// # Errors
    /// It was killed.
    fn step_back(&self, task: &AtStop, ip: u64, instruction: Instruction) -> Answer<bool>;
    /// Writes its memory, into private read-only pages too.
    ///
    /// # Errors
    /// The errno of the write.
    fn write_memory(&self, task: &AtStop, addr: u64, bytes: &[u8]) -> Result<(), Errno>;
}
