//! Files of /proc as text.

use crate::peek::Errno;

/// What was read, as text; `None` where it could not be.
pub(super) fn text(read: Result<Vec<u8>, Errno>) -> Option<String> {
    let bytes = read.ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A field of `/proc/TID/status` and files like it.
pub(super) fn field<'t>(status: &'t str, key: &str) -> Option<&'t str> {
    let value = |line: &'t str| line.strip_prefix(key)?.strip_prefix(':');
    status.lines().find_map(value).map(str::trim)
}
