//! The ptrace loop.

pub mod filter;
