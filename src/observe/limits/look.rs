//! What is looked at for each rule: a table of questions, and what they can be answered from.

use std::cell::OnceCell;

use serde_json::Value;

use crate::abi::flags::CloneFlags;
use crate::abi::rules::{Arguments, Kernel, Rule};
use crate::event::{Certainty, CloneCall};
use crate::peek::Peek;

use super::counts::Counted;
use super::{cgroups, counts, descriptors, namespaces, rights};

/// What was found: words, if there are better ones than the rule's own, and what was seen, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Found {
    pub text: Option<String>,
    pub evidence: Vec<(String, Value)>,
}

impl Found {
    pub fn text(text: impl Into<String>) -> Found {
        Found {
            text: Some(text.into()),
            evidence: Vec::new(),
        }
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Found {
        self.evidence.push((name.to_owned(), value.into()));
        self
    }

    pub fn certain(self) -> Answer {
        Answer::Holds(Certainty::Certain, self)
    }

    pub fn likely(self) -> Answer {
        Answer::Holds(Certainty::Likely, self)
    }

    pub fn not(self) -> Answer {
        Answer::Not(self)
    }

    pub fn unknown(self) -> Answer {
        Answer::Unknown(self)
    }
}

/// Whether a rule is behind a failure.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// Its condition holds, and how sure it is that this was the reason.
    Holds(Certainty, Found),
    /// It does not hold.
    Not(Found),
    /// It may.
    Unknown(Found),
    /// It may, and there is nothing to look at.
    Unseen,
    /// It does not hold, and nobody would have thought so.
    Silent,
}

/// One failed call, and what can be asked about it.
pub(super) struct Look<'a> {
    pub task: &'a dyn Peek,
    pub call: &'a CloneCall,
    pub arguments: &'a Arguments,
    pub kernel: &'a Kernel,
    /// The errno's name.
    pub errno: &'a str,
    /// The seccomp filters that are ours.
    pub filters: u64,
    pub counted: Option<&'a Counted>,
    status: OnceCell<Option<String>>,
}

type Question = fn(&Look<'_>, &Rule) -> Answer;

/// Who answers for which rule. A rule without a row leaves no trace.
const QUESTIONS: &[(&str, Question)] = &[
    ("sandbox-filter", rights::filter),
    ("userns-switched-off", rights::switched_off),
    ("init-has-no-siblings", namespaces::init),
    ("thread-after-unshare-pid", namespaces::pid_pending),
    ("time-namespace-pending", namespaces::time_pending),
    ("autokill-needs-nnp-or-admin", rights::admin),
    ("userns-too-deep", namespaces::user_depth),
    ("user-namespace-limit", namespaces::limit),
    ("newuser-in-chroot", rights::chrooted),
    ("newuser-unmapped-ids", rights::unmapped),
    ("newuser-security-module", rights::security_module),
    ("rlimit-nproc", counts::nproc),
    ("threads-max", counts::threads_max),
    ("deadline-cannot-fork", counts::deadline),
    ("nr-open-lowered", descriptors::nr_open),
    ("no-memory-for-copy", counts::memory),
    ("namespace-needs-admin", rights::admin),
    ("namespace-not-built-in", namespaces::built_in),
    ("mnt-namespace-limit", namespaces::limit),
    ("uts-namespace-limit", namespaces::limit),
    ("ipc-namespace-limit", namespaces::limit),
    ("newpid-while-pending", namespaces::pid_pending),
    ("newpid-in-foreign-userns", namespaces::foreign),
    ("pidns-too-deep", namespaces::pid_depth),
    ("pid-namespace-limit", namespaces::limit),
    ("cgroup-namespace-limit", namespaces::limit),
    ("net-namespace-limit", namespaces::limit),
    ("time-namespace-limit", namespaces::limit),
    ("tls-descriptor", descriptors::tls),
    ("set-tid-deeper-than-namespaces", namespaces::too_many_tids),
    ("tid-above-pid-max", namespaces::tid_above),
    ("first-tid-must-be-one", namespaces::first_tid),
    ("set-tid-needs-capability", rights::choose_tids),
    ("tid-in-use", namespaces::in_use),
    ("no-free-pid", counts::pid_max),
    ("pid-namespace-dead", namespaces::dead),
    ("pidfd-no-descriptor", descriptors::full),
    ("pidfd-address", descriptors::pidfd_address),
    ("cgroup-not-a-cgroup", cgroups::not_one),
    ("cgroup-removed", cgroups::removed),
    ("cgroup-permission", cgroups::permission),
    ("cgroup-domain", cgroups::domain),
    ("cgroup-inner-node", cgroups::inner),
    ("cgroup-cpuset", cgroups::cpuset),
    ("pids-max", cgroups::pids),
    ("sched-ext", counts::sched_ext),
    // What pid-namespace-dead says, a moment later.
    ("pid-namespace-died-meanwhile", |_, _| Answer::Silent),
    // Nobody is there to read it.
    ("caller-killed", |_, _| Answer::Silent),
    ("signal-pending", |_, _| Answer::Silent),
];

impl<'a> Look<'a> {
    pub fn new(
        task: &'a dyn Peek,
        call: &'a CloneCall,
        arguments: &'a Arguments,
        kernel: &'a Kernel,
        errno: &'a str,
    ) -> Self {
        Look {
            task,
            call,
            arguments,
            kernel,
            errno,
            filters: 0,
            counted: None,
            status: OnceCell::new(),
        }
    }

    pub fn with_filters(mut self, filters: u64) -> Self {
        self.filters = filters;
        self
    }

    pub fn with_counted(mut self, counted: &'a Counted) -> Self {
        self.counted = Some(counted);
        self
    }

    /// Looks at what the rule names.
    pub fn at(&self, rule: &Rule) -> Answer {
        let question = QUESTIONS.iter().find(|(id, _)| *id == rule.id);
        question.map_or(Answer::Unseen, |(_, ask)| ask(self, rule))
    }

    /// All of these flags were passed.
    pub fn has(&self, flags: CloneFlags) -> bool {
        self.arguments.flags().contains(flags)
    }

    /// A field of the caller's status.
    pub fn status(&self, key: &str) -> Option<&str> {
        let text = self
            .status
            .get_or_init(|| text(self.task.proc_file("status").ok()));
        field(text.as_deref()?, key)
    }

    /// A field of the caller's status that is a list of numbers.
    pub fn numbers(&self, key: &str) -> Vec<u64> {
        let words = self
            .status(key)
            .unwrap_or_default()
            .split_ascii_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    }

    /// Whether the caller has a capability in its own user namespace; `None` where that is not known.
    pub fn capable(&self, bit: u32) -> Option<bool> {
        let set = u64::from_str_radix(self.status("CapEff")?, 16).ok()?;
        Some(set & (1 << bit) != 0)
    }

    /// A file of the caller's, as text.
    pub fn file(&self, name: &str) -> Option<String> {
        text(self.task.proc_file(name).ok())
    }

    /// A link of the caller's.
    pub fn link(&self, name: &str) -> Option<String> {
        text(self.task.proc_link(name).ok())
    }

    /// A file of the system's, as text.
    pub fn system(&self, path: &str) -> Option<String> {
        text(self.task.system_file(path).ok())
    }

    /// A file of the system's that holds one number.
    pub fn system_number(&self, path: &str) -> Option<u64> {
        self.system(path)?.trim().parse().ok()
    }

    /// Whether clonespy itself is in the first namespace of this kind: then everything is in view.
    pub fn sees_all(&self, namespace: &str) -> bool {
        let first = match namespace {
            "cgroup" => "cgroup:[4026531835]",
            "pid" => "pid:[4026531836]",
            "user" => "user:[4026531837]",
            _ => return false,
        };
        let own = self.task.system_link(&format!("/proc/self/ns/{namespace}"));
        own.is_ok_and(|own| own == first.as_bytes())
    }

    /// Whether the caller is in the first user namespace (include/linux/proc_ns.h,
    /// PROC_USER_INIT_INO).
    pub fn in_first_userns(&self) -> bool {
        self.link("ns/user").as_deref() == Some("user:[4026531837]")
    }
}

fn text(bytes: Option<Vec<u8>>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// A field of `/proc/TID/status` and files like it.
pub(super) fn field<'t>(status: &'t str, key: &str) -> Option<&'t str> {
    let value = |line: &'t str| line.strip_prefix(key)?.strip_prefix(':');
    status.lines().find_map(value).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::rules;

    #[test]
    fn every_question_is_a_rules_and_every_rule_that_can_be_looked_up_has_one() {
        for (id, _) in QUESTIONS {
            assert!(rules::named(id).is_some(), "{id}");
        }
        for rule in rules::all().filter(|rule| rule.decided == rules::Decided::Look) {
            let asked = QUESTIONS.iter().filter(|(id, _)| *id == rule.id).count();
            assert_eq!(asked, 1, "{}", rule.id);
        }
    }
}
