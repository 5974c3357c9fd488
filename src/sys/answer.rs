//! What a system call answers.

use std::io;

/// A system call's result: negative means that errno says why.
pub(super) fn check(result: i64) -> io::Result<i64> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
