//! Why a call failed: which rule of the kernel's it broke, or which limit it ran into, and how sure
//! that is.
//!
//! What the arguments decide is decided from them. Everything else is looked up while the caller is
//! stopped at the return of the call: its own state cannot have changed since, so what it shows is
//! certain; counters of the system can have, so that a limit that is reached is likely to be the reason.
//! Where all but one of the reasons that there can be are excluded, the one that is left is likely too.
//!
//! | part | holds |
//! |---|---|
//! | `questions` | the table: which question is asked about which rule |
//! | `permissions`, `namespaces`, `cgroups`, `descriptors`, `resources` | the questions |
//! | `failed_call`, `arguments`, `user_tasks` | what they are asked about, and with what |
//! | `answer`, `weigh` | what they answer, and what the answers add up to |

mod answer;
mod arguments;
mod cgroups;
mod descriptors;
mod failed_call;
mod namespaces;
mod permissions;
mod questions;
mod resources;
mod user_tasks;
mod weigh;

use serde_json::Value;

use crate::abi::rules::{self, Version};
use crate::event::{Certainty, Circumstance, CloneCall, Exec, Outcome, Reason};
use crate::peek::Peek;
use crate::proc::field;

use super::observer::Observer;

use self::failed_call::FailedCall;
use self::user_tasks::LastCount;
use self::weigh::weigh;

/// Fills the reasons of [`Outcome::Failed`].
#[derive(Debug, Default)]
pub struct Reasons {
    kernel: Option<Running>,
    /// The seccomp filters of ours that a program carries that we started; `None` before its exec.
    filters: Option<u64>,
    counted: LastCount,
}

/// The kernel that runs.
#[derive(Clone, Copy, Debug)]
struct Running {
    version: Version,
    /// Where user addresses end differs from machine to machine: five levels of page tables.
    wide: bool,
}

impl Observer for Reasons {
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

impl Reasons {
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
        let failed = FailedCall::new(task, &arguments, &kernel, errno)
            .with_filters(self.filters.unwrap_or(0))
            .with_counted(&self.counted, at_ns);
        let mut reasons = weigh(&failed, rules::suspects(&arguments, &kernel, errno));
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

#[cfg(test)]
mod tests;
