//! A process that is not mistaken for another: a descriptor of it, where a number could be used
//! again.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use super::answer::check;

/// A process.
#[derive(Debug)]
pub struct Pidfd(OwnedFd);

impl Pidfd {
    /// The process of this pid.
    ///
    /// # Errors
    /// Those of pidfd_open(2): it is gone (ESRCH), or a sandbox forbids it.
    pub fn open(pid: i32) -> io::Result<Self> {
        // SAFETY: a new descriptor, close-on-exec, that nothing else owns.
        unsafe {
            let fd = check(libc::syscall(libc::SYS_pidfd_open, pid, 0))?;
            let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
            Ok(Self(OwnedFd::from_raw_fd(fd)))
        }
    }

    /// Ends it with SIGKILL; one that is gone already is left alone.
    pub fn kill(&self) {
        // SAFETY: a signal to a process that the descriptor names; no memory is read.
        unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.0.as_raw_fd(),
                libc::SIGKILL,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            );
        }
    }
}
