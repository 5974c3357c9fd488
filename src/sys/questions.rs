//! Questions to the kernel about a task that are no reading of its memory or files.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// What can be asked; a new question is a row here and its function below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// How many user namespaces lie around the task's own, up to the caller's (ioctl_ns(2)).
    UserNamespacesAround,
}

impl Question {
    /// What it looks at, for statistics.
    pub fn name(self) -> &'static str {
        match self {
            Question::UserNamespacesAround => "/proc/TID/ns/user",
        }
    }
}

/// Asks the kernel.
///
/// # Errors
/// What the question's function says.
pub fn ask(tid: i32, question: Question) -> io::Result<u64> {
    match question {
        Question::UserNamespacesAround => user_namespaces_around(tid),
    }
}

/// `_IO(0xb7, 0x2)` (include/uapi/linux/nsfs.h).
const NS_GET_PARENT: u32 = 0xb702;

/// No namespaces nest deeper (kernel/user_namespace.c: 33 below the first).
const DEEPEST: u64 = 64;

/// Fails where /proc/TID/ns/user cannot be opened, or the kernel (before 4.9) does not have the
/// question.
fn user_namespaces_around(tid: i32) -> io::Result<u64> {
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
        let question = Question::UserNamespacesAround;
        assert_eq!(
            ask(std::process::id().cast_signed(), question).ok(),
            Some(0)
        );
        assert!(ask(0, question).is_err());
    }
}
