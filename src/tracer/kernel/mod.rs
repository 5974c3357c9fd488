//! What the tracer may ask of the kernel, as a trait: [`Live`](crate::tracer::kernel::live::Live) asks for real; tests script the
//! answers, and with them the orders of events that cannot be forced.

pub mod live;
pub mod tracee;
pub mod wait;
pub mod waiter;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use crate::event::Tid;
use crate::peek::Errno;
use crate::sys::{self, Registers, Report, Request, Siginfo, SyscallInfo};

use crate::tracer::kernel::waiter::Woke;

/// Why a request on a tracee was refused.
#[derive(Debug)]
pub enum Refused {
    /// ESRCH. A tracee in ptrace-stop can vanish only by SIGKILL (or a sibling's exec): its end
    /// will be reported, and nothing is left to do at this stop (ptrace(2), "Death under ptrace").
    Gone,
    /// Anything else: a request that this kernel does not have, or a mistake of ours.
    Other(&'static str, io::Error),
}

/// An answer about a tracee.
pub type Answer<T> = Result<T, Refused>;

/// The kernel, as the tracer sees it.
pub trait Kernel {
    /// Monotonic nanoseconds since the trace began.
    fn now_ns(&self) -> u64;
    /// The next report, of which `live` tracees can be the object, or what else ended the wait;
    /// `restless`: [`Woke::Idle`] after a short silence. A stop is taken; an end is only seen, and stays readable until [`Kernel::reap`].
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
    /// Sends a signal to the process of a task; SIGKILL ends stopped ones too.
    fn kill(&self, tid: Tid, signal: i32);
    /// This task is likely to report soon.
    fn expect(&self, tid: Tid);
    /// Lets a stopped task go on.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn resume(&self, tid: Tid, how: Request, signal: i32) -> Answer<()>;
    /// Stops a running task soon.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn interrupt(&self, tid: Tid) -> Answer<()>;
    /// Begins to trace a task that was let go.
    ///
    /// # Errors
    /// [`Refused::Gone`] and those of PTRACE_SEIZE.
    fn seize(&self, tid: Tid, exit_kill: bool) -> Answer<()>;
    /// Has a stopped task, and what it will create, stop once more before it ends, if that is asked
    /// for; with what it was seized with otherwise.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn stop_before_end(&self, _tid: Tid, _exit_kill: bool, _filtered: bool) -> Answer<()> {
        Ok(())
    }
    /// Lets a task go with a signal that should end it, and says whether it has ended before the
    /// time was over.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn detach_until_dead(&self, tid: Tid, signal: i32, time: Duration) -> Answer<bool>;
    /// Which system call it is in.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn syscall_info(&self, tid: Tid) -> Answer<SyscallInfo>;
    /// The message of the event that it is stopped at.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn event_message(&self, tid: Tid) -> Answer<u64>;
    /// The signal that it is stopped for.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn siginfo(&self, tid: Tid) -> Answer<Siginfo>;
    /// The registers that a newborn has in common with its creator; `None` where the architecture
    /// has no row for them.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn registers(&self, tid: Tid) -> Answer<Option<Registers>>;
    /// Sets one register, by its place in `struct user`.
    ///
    /// # Errors
    /// [`Refused::Gone`].
    fn poke_user(&self, tid: Tid, slot: usize, value: u64) -> Answer<()>;
    /// Whether a task belongs to a thread group.
    fn same_group(&self, tgid: Tid, tid: Tid) -> bool;
    /// Whether a task of this tid is there and has not ended.
    fn lives(&self, tid: Tid) -> bool;
    /// Reads memory.
    ///
    /// # Errors
    /// The errno of the read.
    fn read_memory(&self, tid: Tid, addr: u64, buf: &mut [u8]) -> Result<(), Errno>;
    /// Writes memory, into private read-only pages too.
    ///
    /// # Errors
    /// The errno of the write.
    fn write_memory(&self, tid: Tid, addr: u64, bytes: &[u8]) -> Result<(), Errno>;
    /// Reads `/proc/TID/NAME`.
    ///
    /// # Errors
    /// The errno of the open or the read.
    fn proc_file(&self, tid: Tid, name: &str) -> Result<Vec<u8>, Errno>;
    /// The tids of a thread group, in order.
    ///
    /// # Errors
    /// The errno of reading `/proc/TGID/task`.
    fn threads(&self, tgid: Tid) -> Result<Vec<Tid>, Errno>;
    /// Reads the link `/proc/TID/NAME`.
    ///
    /// # Errors
    /// The errno of the readlink.
    fn proc_link(&self, tid: Tid, name: &str) -> Result<Vec<u8>, Errno>;
    /// Reads a part of the file behind `/proc/TID/NAME`.
    ///
    /// # Errors
    /// The errno of the open or the read.
    fn proc_read_at(
        &self,
        tid: Tid,
        name: &str,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<usize, Errno>;
    /// Reads a file of the system's.
    ///
    /// # Errors
    /// The errno of the open or the read.
    fn system_file(&self, _path: &str) -> Result<Vec<u8>, Errno> {
        Err(Errno(libc::ENOENT))
    }
    /// Reads a link of the system's.
    ///
    /// # Errors
    /// The errno of the readlink.
    fn system_link(&self, _path: &str) -> Result<Vec<u8>, Errno> {
        Err(Errno(libc::ENOENT))
    }
    /// The names in a directory of the system's.
    ///
    /// # Errors
    /// The errno of the open or the read.
    fn system_list(&self, _path: &str) -> Result<Vec<String>, Errno> {
        Err(Errno(libc::ENOENT))
    }
    /// The effective user of clonespy itself.
    fn own_uid(&self) -> u32 {
        nix::unistd::Uid::effective().as_raw()
    }
    /// The thread that traces, as /proc names it.
    fn own_tid(&self) -> Tid {
        sys::own_tid()
    }
    /// How many user namespaces lie around a task's own.
    ///
    /// # Errors
    /// The errno of the open, or of the first question.
    fn user_namespaces_around(&self, _tid: Tid) -> Result<usize, Errno> {
        Err(Errno(libc::ENOENT))
    }
    /// How often what was asked: requests, and reads.
    fn counts(&self) -> (BTreeMap<String, u64>, BTreeMap<String, u64>);
}
