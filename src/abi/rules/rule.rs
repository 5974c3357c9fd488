//! A condition under which the kernel refuses.

use super::arguments::{Arguments, Kernel};
use super::version::Version;
use crate::abi::flags::CloneFlags;
use crate::abi::lang::Text;
use crate::event::Call;

/// How a rule can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// By the arguments and the kernel's version alone.
    Arguments,
    /// By a look at limits, permissions or the state of the caller.
    Look,
    /// It leaves no trace that could be looked up.
    Unseen,
}

/// What stands behind a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Observed on a running kernel: 6.18 or 7.2, x86-64.
    Observed,
    /// Read in the kernel's source.
    Read,
    /// Taken from documentation or a commit's message.
    Documented,
}

/// Something that makes the kernel refuse.
#[derive(Debug)]
pub struct Rule {
    /// Its name, which reports carry.
    pub id: &'static str,
    /// The names of the errnos with which the kernel refuses, the usual one first. None: any.
    pub errnos: &'static [&'static str],
    /// The calls that it concerns.
    pub calls: &'static [Call],
    /// The first kernel that has it.
    pub since: Version,
    /// The first kernel that no longer has it.
    pub until: Option<Version>,
    /// What there is to say about other kernels: a distribution's patch, a different errno, a
    /// different place in the order. Empty where there is nothing.
    pub kernels: Text,
    /// How it can be decided.
    pub decided: Decided,
    /// The condition in words.
    pub condition: &'static str,
    /// The reason, or the advice.
    pub english: &'static str,
    /// Condition and reason, in Chinese.
    pub chinese: &'static str,
    /// Where to look, for a rule that needs it.
    pub look: Text,
    /// Where the row was read, in the Linux tree.
    pub source: &'static str,
    /// What stands behind the row.
    pub proof: Proof,
    /// [`Decided::Arguments`]: whether the rule refuses. Otherwise: whether it can.
    pub(super) test: fn(&Arguments, &Kernel) -> bool,
}

pub(super) const ANY: &[Call] = &Call::ALL;
pub(super) const CLONE: &[Call] = &[Call::Clone];
pub(super) const CLONE3: &[Call] = &[Call::Clone3];
pub(super) const BOTH: &[Call] = &[Call::Clone, Call::Clone3];

/// What most rows have in common.
pub(super) const RULE: Rule = Rule {
    id: "",
    errnos: &["EINVAL"],
    calls: ANY,
    since: Version::FIRST,
    until: None,
    kernels: Text::EMPTY,
    decided: Decided::Arguments,
    condition: "",
    english: "",
    chinese: "",
    look: Text::EMPTY,
    source: "kernel/fork.c, copy_process",
    proof: Proof::Observed,
    test: |_, _| true,
};

impl Rule {
    /// Whether kernels of this version have the rule.
    pub fn on(&self, version: Version) -> bool {
        version >= self.since && self.until.is_none_or(|until| version < until)
    }

    /// Whether the rule can refuse this call: kernel and call have it, and the arguments meet it as
    /// far as they decide. For a rule that is decided by arguments: whether it refuses.
    pub fn can_refuse(&self, arguments: &Arguments, kernel: &Kernel) -> bool {
        self.on(kernel.version)
            && self.calls.contains(&arguments.call)
            && (self.test)(arguments, kernel)
    }

    /// Whether a refusal by this rule can bear this errno, given by name.
    pub fn gives(&self, errno: &str) -> bool {
        self.errnos.is_empty() || self.errnos.contains(&errno)
    }

    /// The errno that it usually gives; `None` where it may be any.
    pub fn errno(&self) -> Option<&'static str> {
        self.errnos.first().copied()
    }
}

/// All of these flags.
pub(super) fn all_of(arguments: &Arguments, flags: CloneFlags) -> bool {
    arguments.flags().contains(flags)
}

/// Any of these flags.
pub(super) fn any_of(arguments: &Arguments, flags: CloneFlags) -> bool {
    arguments.flags().intersects(flags)
}
