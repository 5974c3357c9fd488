//! A narrow door for this crate's own integration tests: what they fuzz, and what they compare with
//! the fixtures, beyond the library's face. Nothing here is a promise; a host program has no use for
//! it.

pub use crate::abi::flags;
pub use crate::check::{
    CheckPlan, Job, Outcome, Recording, Task, Verdict, bless, format, run as check,
};
#[cfg(all(feature = "trace", target_os = "linux"))]
pub use crate::decode::{decode, wrote};
pub use crate::explain::{Explain, What, annotate};
pub use crate::library::runner::run_job;
pub use crate::lint::{Analysis, lints};
pub use crate::output::Outputs;
#[cfg(all(feature = "trace", target_os = "linux"))]
pub use crate::peek::{Errno, Peek, Syscall};
#[cfg(all(feature = "trace", target_os = "linux"))]
pub use crate::seccomp::{insn, walk};

/// How the program is expected to end, in words.
pub fn expected_exit(expectation: &crate::Expectation) -> Option<String> {
    let exit = expectation.exit.as_ref()?;
    Some(exit.value.to_string())
}
