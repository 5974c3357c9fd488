//! Why a call failed: which rule of the kernel's it broke, or which limit it ran into, and how sure
//! that is.
//!
//! What the arguments decide is decided from them. Everything else is looked up while the caller is
//! stopped at the return of the call: its own state cannot have changed since, so what it shows is
//! certain; counters of the system can have, so that a limit that is reached is likely to be the reason.
//! Where all but one of the reasons that there can be are excluded, the one that is left is likely too.

mod arguments;
mod cgroups;
mod counts;
mod descriptors;
mod look;
mod namespaces;
mod questions;
mod rights;
mod users;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::abi::rules::{self, Decided, Rule, Version};
use crate::event::{Certainty, Circumstance, CloneCall, Exec, Explanation, Outcome, Reason};
use crate::observe::Observer;
use crate::peek::Peek;
use crate::proc::field;

use self::look::{Answer, Found, Look};

/// Fills the reasons of [`Outcome::Failed`].
#[derive(Debug, Default)]
pub struct Limits {
    kernel: Option<Running>,
    /// The seccomp filters of ours that a program carries that we started; `None` before its exec.
    filters: Option<u64>,
    counted: users::Counted,
}

/// The kernel that runs.
#[derive(Clone, Copy, Debug)]
struct Running {
    version: Version,
    /// Where user addresses end differs from machine to machine: five levels of page tables.
    wide: bool,
}

impl Observer for Limits {
    fn exec(&mut self, task: &dyn Peek, _: &mut Exec) {
        // The first exec of a trace is that of the program that we started, if we started one: until
        // then it has had no chance to install a filter of its own.
        if self.filters.is_none() {
            self.filters = Some(filters_of_ours(task).unwrap_or(0));
        }
    }

    fn failed(&mut self, task: &dyn Peek, at_ns: u64, call: &mut CloneCall) {
        let Outcome::Failed { errno, .. } = &call.outcome else {
            return;
        };
        let errno = errno.clone();
        let found = self.why(task, at_ns, call, &errno);
        if let Outcome::Failed { reasons, .. } = &mut call.outcome {
            reasons.extend(found);
        }
    }
}

/// The filters that a child of ours carries beyond those that we run under ourselves.
fn filters_of_ours(task: &dyn Peek) -> Option<u64> {
    let status = task.proc_file("status").ok()?;
    let own = task.system_file("/proc/self/status").ok()?;
    let started = field(&status, "PPid")?.parse() == Ok(std::process::id());
    let filters = |status| field(status, "Seccomp_filters")?.parse::<u64>().ok();
    let more = filters(&status)?.checked_sub(filters(&own)?)?;
    Some(if started { more } else { 0 })
}

impl Limits {
    fn why(&mut self, task: &dyn Peek, at_ns: u64, call: &CloneCall, errno: &str) -> Vec<Reason> {
        if self.kernel.is_none() {
            self.kernel = running(task);
        }
        let Some(running) = self.kernel else {
            return Vec::new();
        };
        let Some((arguments, changed)) = arguments::of(task, call) else {
            return Vec::new();
        };
        let kernel = arguments::kernel(task, call, running.version, running.wide);
        let look = Look::new(task, &arguments, &kernel, errno)
            .with_filters(self.filters.unwrap_or(0))
            .with_counted(&self.counted, at_ns);
        let mut reasons = weigh(&look, rules::suspects(&arguments, &kernel, errno));
        if changed {
            // What is read now is not what the call was made with.
            for reason in &mut reasons {
                if reason.certainty == Certainty::Certain {
                    reason.certainty = Certainty::Likely;
                }
                let changed = Value::from(Circumstance::ArgumentsChanged.to_string());
                reason.evidence.insert("arguments".into(), changed);
            }
        }
        reasons
    }
}

/// The running kernel, as the system tells of it.
fn running(task: &dyn Peek) -> Option<Running> {
    let release = task.system_file("/proc/sys/kernel/osrelease").ok()?;
    let version = Version::of_release(String::from_utf8_lossy(&release).trim())?;
    let processors = task.system_file("/proc/cpuinfo").unwrap_or_default();
    let wide = String::from_utf8_lossy(&processors)
        .split_whitespace()
        .any(|word| word == "la57" || word == "lam");
    Some(Running { version, wide })
}

/// What was found about one rule.
struct Weighed {
    rule: &'static Rule,
    certainty: Certainty,
    found: Found,
}

/// Looks at each rule that can be behind the errno, in the kernel's order, and weighs what is found.
fn weigh(look: &Look<'_>, suspects: Vec<&'static Rule>) -> Vec<Reason> {
    let mut all = Vec::new();
    let mut unseen: Vec<&'static Rule> = Vec::new();
    for rule in suspects {
        let answer = match rule.decided {
            Decided::Arguments => Answer::Holds(Certainty::Certain, Found::default()),
            Decided::Look | Decided::Unseen => questions::ask(look, rule),
        };
        match answer {
            Answer::Holds(certainty, found) => {
                let certain = certainty == Certainty::Certain;
                all.push(Weighed {
                    rule,
                    certainty,
                    found,
                });
                if certain {
                    break;
                }
            }
            Answer::Not(found) => all.push(Weighed {
                rule,
                certainty: Certainty::Excluded,
                found,
            }),
            Answer::Unknown(found) => all.push(Weighed {
                rule,
                certainty: Certainty::Possible,
                found,
            }),
            Answer::Unseen => unseen.push(rule),
            Answer::Silent => {}
        }
    }
    settle(&mut all, unseen);
    all.into_iter().map(Weighed::told).collect()
}

/// Draws the conclusions: what is certain needs no others, what alone is left is likely.
fn settle(all: &mut Vec<Weighed>, unseen: Vec<&'static Rule>) {
    let has = |all: &[Weighed], certainty| all.iter().any(|one| one.certainty == certainty);
    if has(all, Certainty::Certain) {
        all.retain(|one| one.certainty == Certainty::Certain);
        return;
    }
    if !has(all, Certainty::Likely) {
        all.extend(together(&unseen));
        let mut left = all
            .iter_mut()
            .filter(|one| one.certainty == Certainty::Possible);
        if let (Some(only), None) = (left.next(), left.next()) {
            only.certainty = Certainty::Likely;
        }
    }
    all.sort_by_key(|one| match one.certainty {
        Certainty::Certain => 0,
        Certainty::Likely => 1,
        Certainty::Possible => 2,
        Certainty::Excluded | Certainty::Other(_) => 3,
    });
}

/// What leaves no trace, as one reason: ten kinds of missing memory are no ten reasons.
fn together(unseen: &[&'static Rule]) -> Option<Weighed> {
    let (first, others) = unseen.split_first()?;
    let mut found = Found::default();
    if !others.is_empty() {
        let names: Vec<&str> = unseen.iter().map(|rule| rule.id).collect();
        found.text = Some(Explanation::Among {
            rule: first.id,
            others: others.len(),
        });
        found = found.with("rules", names);
    }
    Some(Weighed {
        rule: first,
        certainty: Certainty::Possible,
        found,
    })
}

impl Weighed {
    fn told(self) -> Reason {
        let Found { text, evidence } = self.found;
        Reason {
            rule: self.rule.id.to_owned(),
            certainty: self.certainty,
            text: text.unwrap_or(Explanation::Rule(self.rule.id)),
            evidence: evidence.into_iter().collect::<BTreeMap<String, Value>>(),
        }
    }
}

#[cfg(test)]
mod tests;
