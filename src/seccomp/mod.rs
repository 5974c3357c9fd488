//! Seccomp filters: ours, which stops a program at the few calls that matter, and the reading of those
//! that a program installs itself.

pub mod filter;
pub mod insn;
pub mod walk;
