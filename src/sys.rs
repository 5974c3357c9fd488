//! Every `unsafe`: to come.

/// Ends this process by a signal.
pub fn die_by(signal: i32) -> ! {
    std::process::exit(128i32.saturating_add(signal))
}
