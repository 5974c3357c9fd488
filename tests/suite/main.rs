//! One integration binary.

/// The program itself around a live trace: statuses, outputs, replay.
mod face;
/// Recorded traces, rendered and compared with files.
mod golden;
