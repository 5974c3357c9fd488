//! One row per condition under which the kernel refuses a call that asks for a task, in the order in
//! which it checks them: the first that holds is the cause. And one per thing that it accepts and
//! then ignores.
//!
//! Rows whose rule can be decided from the arguments alone carry that decision as a predicate. For
//! the others the predicate says whether the rule can apply at all; whether it does is to be looked
//! up in limits and permissions, or cannot be seen.

mod arguments;
mod block;
mod combinations;
mod credentials;
mod ignored;
mod last;
mod namespaces;
mod pieces;
mod rule;
mod version;

pub use arguments::{Arguments, Kernel, Tids, Tls};
pub use ignored::{IGNORED, Ignored};
pub use rule::{Decided, Proof, Rule};
pub use version::Version;

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

#[cfg(test)]
mod tests;
