//! Which system calls ask for a task, and which stacks they pass: what the kernel's tables speak of too.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which of the four system calls.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// `clone(2)`, the raw system call (`clone2` on ia64 too).
    Clone,
    /// `clone3(2)`.
    Clone3,
    /// `fork(2)`.
    Fork,
    /// `vfork(2)`.
    Vfork,
}

impl Call {
    /// All four, in the order in which reports list them.
    pub const ALL: [Call; 4] = [Call::Clone, Call::Clone3, Call::Fork, Call::Vfork];

    /// The system call's name.
    pub fn name(self) -> &'static str {
        match self {
            Call::Clone => "clone",
            Call::Clone3 => "clone3",
            Call::Fork => "fork",
            Call::Vfork => "vfork",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which stack a call gives the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stack {
    /// None is given: the child goes on with the caller's stack pointer.
    Zero,
    /// The caller's own stack pointer is given, which comes to the same.
    Callers,
    /// Another one.
    Given,
}

impl Stack {
    /// Whether a stack pointer is passed.
    pub fn is_passed(self) -> bool {
        self != Stack::Zero
    }
}
