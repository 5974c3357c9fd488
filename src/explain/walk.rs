//! The walk through `copy_process`: a task is copied piece by piece, and at each piece the flags
//! decide between sharing, copying and making anew. Then `kernel_clone` lets the child run.

use serde::Serialize;

use crate::abi::rules::Rule;

use super::Lang;
use super::set::Set;
use fate::{Fate, Row};
use steps::ROWS;

mod fate;
mod steps;

/// A step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The kernel's function.
    pub function: &'static str,
    /// What becomes of its piece.
    pub fate: Fate,
    /// The same in words.
    pub text: String,
}

/// The walk of a set that is not refused.
pub fn walk(set: &Set, language: Lang) -> Vec<Step> {
    steps(ROWS, set, language)
}

/// The walk of a set that a rule refuses: as far as it goes. What was copied is undone.
pub fn walk_until(set: &Set, rule: &'static Rule, language: Lang) -> Vec<Step> {
    let function = place(rule);
    // These two check much before they do the last that the walk tells of them.
    let late = ["copy_process", "kernel_clone"];
    let at = ROWS
        .iter()
        .position(|row| row.function == function && !late.contains(&function));
    let before = ROWS.get(..at.unwrap_or(0)).unwrap_or_default();
    let mut steps = steps(before, set, language);
    let undone = if steps.is_empty() {
        ("nothing was copied yet", "此前什么也没有复制")
    } else {
        ("what was copied is undone", "已复制的都被撤销")
    };
    let (errno, undone) = (
        rule.errno().unwrap_or("?"),
        language.pick(undone.0, undone.1),
    );
    steps.push(Step {
        function,
        fate: Fate::Refused,
        text: match language {
            Lang::English => format!("{errno} [{}]: {undone}", rule.id),
            Lang::Chinese => format!("{errno} [{}]：{undone}", rule.id),
        },
    });
    steps
}

/// The function that checks a rule, among those of the walk where it is one of theirs.
fn place(rule: &'static Rule) -> &'static str {
    // The base of thread-local storage is set by copy_thread (arch/x86/kernel/process.c).
    if rule.id == "tls-address" {
        return "copy_thread";
    }
    let function = rule.source.rsplit(", ").next().unwrap_or_default();
    function.split(" (").next().unwrap_or_default()
}

fn steps(rows: &[Row], set: &Set, language: Lang) -> Vec<Step> {
    let step = |row: &Row| {
        let (fate, english, chinese) = (row.tell)(set)?;
        Some(Step {
            function: row.function,
            fate,
            text: language.pick(english, chinese).to_owned(),
        })
    };
    rows.iter().filter_map(step).collect()
}
