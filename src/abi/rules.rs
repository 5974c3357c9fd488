//! One row per condition under which the kernel refuses a call that asks for a task, in the order in
//! which it checks them: the first that holds is the cause. And one per thing that it accepts and
//! then ignores.
//!
//! Rows whose rule can be decided from the arguments alone carry that decision as a predicate. For
//! the others the predicate says whether the rule can apply at all; whether it does is to be looked
//! up in limits and permissions, or cannot be seen.

use crate::abi::flags::CloneFlags;
use crate::event::Call;

mod arguments;
mod block;
mod combinations;
mod credentials;
mod ignored;
mod last;
mod namespaces;
mod pieces;
mod version;

pub use arguments::{Arguments, Kernel, Tids, Tls};
pub use ignored::{IGNORED, Ignored};
pub use version::Version;

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
    pub kernels: &'static str,
    /// How it can be decided.
    pub decided: Decided,
    /// The condition in words.
    pub condition: &'static str,
    /// The reason, or the advice.
    pub english: &'static str,
    /// Condition and reason, in Chinese.
    pub chinese: &'static str,
    /// Where to look, for a rule that needs it.
    pub look: &'static str,
    /// Where the row was read, in the Linux tree.
    pub source: &'static str,
    /// What stands behind the row.
    pub proof: Proof,
    /// [`Decided::Arguments`]: whether the rule refuses. Otherwise: whether it can.
    test: fn(&Arguments, &Kernel) -> bool,
}

const ANY: &[Call] = &Call::ALL;
const CLONE: &[Call] = &[Call::Clone];
const CLONE3: &[Call] = &[Call::Clone3];
const BOTH: &[Call] = &[Call::Clone, Call::Clone3];

/// What most rows have in common.
const RULE: Rule = Rule {
    id: "",
    errnos: &["EINVAL"],
    calls: ANY,
    since: Version::FIRST,
    until: None,
    kernels: "",
    decided: Decided::Arguments,
    condition: "",
    english: "",
    chinese: "",
    look: "",
    source: "kernel/fork.c, copy_process",
    proof: Proof::Observed,
    test: |_, _| true,
};

/// The tables, in the kernel's order.
static TABLES: [&[Rule]; 6] = [
    block::ROWS,
    combinations::ROWS,
    credentials::ROWS,
    pieces::ROWS,
    namespaces::ROWS,
    last::ROWS,
];

/// Every rule, in the order in which the kernel checks.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    TABLES.iter().flat_map(|rows| rows.iter())
}

/// The rule of this name.
pub fn named(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

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

/// The first rule in the kernel's order that refuses by the arguments alone. Limits and permissions
/// that are checked earlier may refuse first, with their own errno.
pub fn judge(arguments: &Arguments, kernel: &Kernel) -> Option<&'static Rule> {
    judge_with(arguments, kernel, |_| None)
}

/// The first rule in the kernel's order that refuses, with what was looked up: `known` says of a rule
/// that arguments do not decide whether its condition holds. What is not known counts as not holding.
pub fn judge_with(
    arguments: &Arguments,
    kernel: &Kernel,
    known: impl Fn(&Rule) -> Option<bool>,
) -> Option<&'static Rule> {
    all().find(|rule| {
        rule.can_refuse(arguments, kernel)
            && (rule.decided == Decided::Arguments || known(rule) == Some(true))
    })
}

/// The rules that can be behind this errno, in the kernel's order: those to look at, up to the first
/// that the arguments decide. Where that one gives this errno, it would have refused whatever the
/// others say.
pub fn suspects(arguments: &Arguments, kernel: &Kernel, errno: &str) -> Vec<&'static Rule> {
    let mut found = Vec::new();
    for rule in all().filter(|rule| rule.can_refuse(arguments, kernel)) {
        if rule.gives(errno) {
            found.push(rule);
        }
        if rule.decided == Decided::Arguments {
            // Later checks were never made.
            break;
        }
    }
    found
}

/// What the kernel accepts in this call and then ignores.
pub fn ignored(arguments: &Arguments, kernel: &Kernel) -> Vec<&'static Ignored> {
    let holds = |row: &&Ignored| row.calls.contains(&arguments.call) && row.test(arguments, kernel);
    IGNORED.iter().filter(holds).collect()
}

/// All of these flags.
fn all_of(arguments: &Arguments, flags: CloneFlags) -> bool {
    arguments.flags().contains(flags)
}

/// Any of these flags.
fn any_of(arguments: &Arguments, flags: CloneFlags) -> bool {
    arguments.flags().intersects(flags)
}

#[cfg(test)]
mod tests;
