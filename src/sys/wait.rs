//! Waiting for tracees, one report at a time.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;
use std::{io, mem};

/// What a wait tells of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It ended with this exit code.
    Exited(i32),
    /// A signal ended it.
    Killed {
        /// The signal's number.
        signal: i32,
        /// It dumped core.
        core: bool,
    },
    /// It stopped: the signal in the low byte, the ptrace event above it (ptrace(2)).
    Stopped(i32),
}

/// A report about one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The task.
    pub tid: i32,
    /// What happened to it.
    pub what: What,
}

/// For whom to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Any tracee of this thread. The kernel scans all of them.
    Any,
    /// One tracee: the time does not depend on how many there are.
    One(i32),
}

/// Only what the calling thread traces itself: several traces can run in one process, and no
/// stranger's child is touched (wait(2), `__WNOTHREAD`).
const OURS: i32 = libc::__WALL | libc::__WNOTHREAD;

fn waitid(target: Target, options: i32) -> io::Result<Option<Report>> {
    wait_for(target, options | OURS)
}

fn wait_for(target: Target, options: i32) -> io::Result<Option<Report>> {
    let (kind, id) = match target {
        Target::Any => (libc::P_ALL, 0),
        Target::One(tid) => (libc::P_PID, tid.unsigned_abs()),
    };
    // SAFETY: siginfo_t is plain data for which all zeroes is valid; waitid writes into it alone.
    let info = unsafe {
        let mut info: libc::siginfo_t = mem::zeroed();
        if libc::waitid(kind, id, &mut info, options) < 0 {
            return Err(io::Error::last_os_error());
        }
        info
    };
    // SAFETY: waitid filled in the SIGCHLD members, or left all zero.
    let (tid, status) = unsafe { (info.si_pid(), info.si_status()) };
    if tid == 0 {
        return Ok(None);
    }
    let what = match info.si_code {
        libc::CLD_EXITED => What::Exited(status & 0xff),
        libc::CLD_KILLED => What::Killed {
            signal: status,
            core: false,
        },
        libc::CLD_DUMPED => What::Killed {
            signal: status,
            core: true,
        },
        // CLD_TRAPPED and CLD_STOPPED: the whole exit_code, ptrace event included.
        _ => What::Stopped(status),
    };
    Ok(Some(Report { tid, what }))
}

/// Looks at the next report without taking it. `None`: nothing is there yet (only where `block` is
/// false).
///
/// # Errors
/// ECHILD: this thread has no tracee (or not that one). EINTR: a signal handler ran.
pub fn peek(target: Target, block: bool) -> io::Result<Option<Report>> {
    let hang = if block { 0 } else { libc::WNOHANG };
    waitid(
        target,
        libc::WEXITED | libc::WSTOPPED | libc::WNOWAIT | hang,
    )
}

/// Takes the stop of a task that was seen by [`peek`]. `None`: it was killed meanwhile.
///
/// # Errors
/// ECHILD: it is no tracee any more.
pub fn take_stop(tid: i32) -> io::Result<Option<Report>> {
    waitid(Target::One(tid), libc::WSTOPPED | libc::WNOHANG)
}

/// Reaps a task that [`peek`] reported as ended.
///
/// # Errors
/// ECHILD: it is no tracee any more.
pub fn reap(tid: i32) -> io::Result<Option<Report>> {
    waitid(Target::One(tid), libc::WEXITED | libc::WNOHANG)
}

/// Looks whether one task that another thread of this process traces has ended, without reaping it. A
/// stop is none of that, and is left: the kernel shows those of tracees whatever the options
/// (kernel/exit.c, wait_task_stopped), and who takes one must resume it.
///
/// # Errors
/// ECHILD: nobody here traces it.
pub fn ended_of_any_thread(tid: i32) -> io::Result<Option<Report>> {
    let seen = wait_for(
        Target::One(tid),
        libc::WEXITED | libc::WNOHANG | libc::WNOWAIT | libc::__WALL,
    )?;
    Ok(seen.filter(|report| !matches!(report.what, What::Stopped(_))))
}

/// Reaps one task that [`ended_of_any_thread`] has seen to have ended. For no others: their stops would
/// be taken.
///
/// # Errors
/// ECHILD: nobody here traces it.
pub fn reap_of_any_thread(tid: i32) -> io::Result<Option<Report>> {
    wait_for(
        Target::One(tid),
        libc::WEXITED | libc::WNOHANG | libc::__WALL,
    )
}

/// A task whose end can be waited for without being its tracer or parent (pidfd_open(2)).
#[derive(Debug)]
pub struct Watch(OwnedFd);

impl Watch {
    /// Opens it.
    ///
    /// # Errors
    /// ESRCH: not there. EINVAL: a thread that is no leader, before Linux 6.9.
    pub fn open(tid: i32) -> io::Result<Self> {
        // PIDFD_THREAD: one task rather than a whole process (Linux 6.9).
        let thread = libc::O_EXCL;
        // SAFETY: two integers in, a descriptor out that nothing else owns.
        unsafe {
            let mut fd = libc::syscall(libc::SYS_pidfd_open, tid, thread);
            if fd < 0 {
                fd = super::answer::check(libc::syscall(libc::SYS_pidfd_open, tid, 0))?;
            }
            Ok(Self(OwnedFd::from_raw_fd(
                i32::try_from(fd).map_err(io::Error::other)?,
            )))
        }
    }

    /// Whether it ends within this time.
    pub fn ended(&self, time: Duration) -> bool {
        let mut poll = libc::pollfd {
            fd: self.0.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let millis = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: one live pollfd.
        unsafe { libc::poll(&mut poll, 1, millis) > 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys;

    #[test]
    fn a_stop_is_left_to_who_must_resume_it() {
        let mut sleeper = std::process::Command::new("sleep");
        let mut child = sleeper.arg("1000").spawn().expect("sleep");
        let tid = child.id().cast_signed();
        sys::seize(tid, true, false).expect("a child can be seized");
        sys::interrupt(tid).expect("it runs");
        let seen = peek(Target::One(tid), true)
            .expect("a wait")
            .expect("a stop");
        assert!(matches!(seen.what, What::Stopped(_)), "{seen:?}");
        assert_eq!(ended_of_any_thread(tid).expect("a wait"), None);
        assert_eq!(take_stop(tid).expect("a wait"), Some(seen));
        child.kill().expect("SIGKILL");
        let end = child.wait().expect("its end");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&end), Some(9));
    }
}
