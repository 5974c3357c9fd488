//! Whether a write would wait.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// Whether a descriptor takes something within this time: up to PIPE_BUF bytes without waiting, or
/// an error (poll(2), pipe(7)).
pub fn writable(fd: BorrowedFd<'_>, time: Duration) -> bool {
    let mut poll = libc::pollfd {
        fd: fd.as_raw_fd(),
        events: libc::POLLOUT,
        revents: 0,
    };
    let millis = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: one live pollfd.
    unsafe { libc::poll(&mut poll, 1, millis) != 0 }
}
