//! The names of subcommands.

/// Subcommands that exist.
#[cfg(all(feature = "trace", target_os = "linux"))]
pub(super) static SUBCOMMANDS: &[&str] = &["replay", "explain", "check"];
/// Names that are kept for those to come.
#[cfg(all(feature = "trace", target_os = "linux"))]
pub(super) static RESERVED: &[&str] = &["cost"];

/// Subcommands that exist where nothing can be traced.
#[cfg(not(all(feature = "trace", target_os = "linux")))]
pub(super) static SUBCOMMANDS: &[&str] = &["explain"];
