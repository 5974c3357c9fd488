//! One integration binary.

/// Recorded traces, rendered and compared with files.
mod golden;
