//! Which namespaces lie around one.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `_IO(0xb7, 0x2)` (include/uapi/linux/nsfs.h).
const NS_GET_PARENT: u32 = 0xb702;

/// No namespaces nest deeper (kernel/user_namespace.c: 33 below the first).
const DEEPEST: usize = 64;

/// How many user namespaces lie around that of a task, up to the caller's own (ioctl_ns(2)).
///
/// # Errors
/// /proc/TID/ns/user cannot be opened, or the kernel (before 4.9) does not have the question.
pub fn user_namespaces_around(tid: i32) -> io::Result<usize> {
    let mut inner = OwnedFd::from(File::open(format!("/proc/{tid}/ns/user"))?);
    for count in 0..DEEPEST {
        // SAFETY: the descriptor is open, and this request takes no argument.
        let outer = unsafe { libc::ioctl(inner.as_raw_fd(), NS_GET_PARENT as _) };
        if outer < 0 {
            let why = io::Error::last_os_error();
            // EPERM: the next one is outside of what the caller may see, or there is none.
            return match why.raw_os_error() {
                Some(libc::EPERM) => Ok(count),
                _ => Err(why),
            };
        }
        // SAFETY: the kernel has just made this descriptor, and nobody else has it.
        inner = unsafe { OwnedFd::from_raw_fd(outer) };
    }
    Ok(DEEPEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn around_our_own_namespace_none_can_be_seen() {
        assert_eq!(
            user_namespaces_around(std::process::id().cast_signed()).ok(),
            Some(0)
        );
        assert!(user_namespaces_around(0).is_err());
    }
}
