//! Exit statuses of clonespy's own. Anything else is the traced program's: its own status, or death
//! by the same signal. They are those of env(1) and timeout(1).

/// `--timeout` ended what was started.
#[cfg(all(feature = "trace", target_os = "linux"))]
pub(super) const TIMEOUT: u8 = 124;
/// clonespy itself failed: the command line, an output, tracing, a trace that is none.
pub(super) const FAILED: u8 = 125;
/// A check could not run.
#[cfg(all(feature = "trace", target_os = "linux"))]
pub(super) const NOT_CHECKED: u8 = 2;
/// The program is there and cannot be executed.
pub(super) const NOT_EXECUTABLE: u8 = 126;
/// The program is not there.
pub(super) const NOT_FOUND: u8 = 127;
