//! Which question is asked about which rule. Yes means that the rule is behind the failure.

use crate::abi::rules::Rule;

use super::answer::Answer;
use super::failed_call::FailedCall;
use super::{cgroups, descriptors, namespaces, permissions, resources};

type Question = fn(&FailedCall<'_>, &Rule) -> Answer;

/// Who answers for which rule. A rule without a row leaves no trace.
const QUESTIONS: &[(&str, Question)] = &[
    ("sandbox-filter", permissions::filter),
    ("userns-switched-off", permissions::switched_off),
    ("init-has-no-siblings", namespaces::is_init),
    ("thread-after-unshare-pid", namespaces::pid_pending),
    ("time-namespace-pending", namespaces::time_pending),
    ("autokill-needs-nnp-or-admin", permissions::lacks_admin),
    ("userns-too-deep", namespaces::user_depth),
    ("user-namespace-limit", namespaces::limit),
    ("newuser-in-chroot", permissions::chrooted),
    ("newuser-unmapped-ids", permissions::unmapped),
    ("newuser-security-module", permissions::security_module),
    ("rlimit-nproc", resources::nproc),
    ("threads-max", resources::threads_max),
    ("deadline-cannot-fork", resources::deadline),
    ("nr-open-lowered", descriptors::nr_open),
    ("no-memory-for-copy", resources::memory),
    ("namespace-needs-admin", permissions::lacks_admin),
    ("namespace-not-built-in", namespaces::not_built_in),
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
    ("first-tid-must-be-one", namespaces::first_tid_is_another),
    ("set-tid-needs-capability", permissions::may_not_choose_tids),
    ("tid-in-use", namespaces::tid_in_use),
    ("no-free-pid", resources::pid_max),
    ("pid-namespace-dead", namespaces::init_has_ended),
    ("pidfd-no-descriptor", descriptors::table_full),
    ("pidfd-address", descriptors::pidfd_address),
    ("cgroup-not-a-cgroup", cgroups::not_a_cgroup),
    ("cgroup-removed", cgroups::removed),
    ("cgroup-permission", cgroups::permission),
    ("cgroup-domain", cgroups::domain),
    ("cgroup-inner-node", cgroups::inner_node),
    ("cgroup-cpuset", cgroups::cpuset),
    ("pids-max", cgroups::pids_max),
    ("sched-ext", resources::sched_ext),
    // What pid-namespace-dead says, a moment later.
    ("pid-namespace-died-meanwhile", |_, _| Answer::Silent),
    // Nobody is there to read it.
    ("caller-killed", |_, _| Answer::Silent),
    ("signal-pending", |_, _| Answer::Silent),
];

/// Looks at what the rule names.
pub(super) fn ask(call: &FailedCall<'_>, rule: &Rule) -> Answer {
    let question = QUESTIONS.iter().find(|(id, _)| *id == rule.id);
    question.map_or(Answer::Unseen, |(_, ask)| ask(call, rule))
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
