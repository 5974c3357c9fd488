//! Questions about resources: how many tasks there may be, memory, the caller's scheduling.

use crate::abi::rules::{Rule, Version};
use crate::event::Observation;
use crate::proc::stat::{self, Field, Line};
use crate::proc::text::first;
use crate::proc::{field, load};

use super::answer::{Answer, Evidence};
use super::failed_call::FailedCall;

/// include/uapi/linux/capability.h.
const CAP_SYS_ADMIN: u32 = 21;
const CAP_SYS_RESOURCE: u32 = 24;

/// SCHED_DEADLINE (include/uapi/linux/sched.h).
const DEADLINE: u64 = 6;

/// All tasks of the system.
fn all_tasks(call: &FailedCall<'_>) -> Option<u64> {
    load::tasks(&call.system("/proc/loadavg")?)
}

/// Has the user as many tasks as RLIMIT_NPROC allows?
pub(super) fn nproc(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let (Some(most), Some(uid)) = (
        call.soft_limit("Max processes"),
        call.numbers("Uid").first().copied(),
    ) else {
        return Evidence::default().unknown();
    };
    let first = call.in_first_userns();
    if most == u64::MAX && first {
        return Evidence::says(Observation::NprocUnlimited).not();
    }
    let exempt = (uid == 0 && call.sees_all("user"))
        || first
            && (call.capable(CAP_SYS_ADMIN) == Some(true)
                || call.capable(CAP_SYS_RESOURCE) == Some(true));
    if exempt {
        return Evidence::says(Observation::NprocExempt)
            .with("uid", uid)
            .not();
    }
    let Some(count) = call.count_tasks(uid) else {
        return Evidence::default().unknown();
    };
    let tasks = count.tasks;
    let found = Evidence::says(Observation::Nproc { uid, tasks, most })
        .with("uid", uid)
        .with("tasks", tasks)
        .with("limit", most);
    // Inside a user namespace only the tasks in it count, against limits of those around it too.
    let by_user = first || call.kernel.version < Version(5, 14, 0);
    let everyone = count.whole && all_tasks(call).is_some_and(|all| count.seen >= all - all / 10);
    if tasks >= most {
        if by_user {
            found.likely()
        } else {
            found.unknown()
        }
    } else if by_user && everyone && tasks < most - most / 10 {
        found.not()
    } else {
        found.unknown()
    }
}

/// Has the system as many tasks as threads-max allows?
pub(super) fn threads_max(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let (Some(most), Some(all)) = (
        call.system_number("/proc/sys/kernel/threads-max"),
        all_tasks(call),
    ) else {
        return Evidence::default().unknown();
    };
    let found = Evidence::says(Observation::ThreadsMax { all, most })
        .with("tasks", all)
        .with("threads-max", most);
    if all >= most {
        found.likely()
    } else if all < most - most / 10 {
        found.not()
    } else {
        found.unknown()
    }
}

/// Are the pids used up?
pub(super) fn pid_max(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let (Some(most), Some(all)) = (
        call.system_number("/proc/sys/kernel/pid_max"),
        all_tasks(call),
    ) else {
        return Evidence::default().unknown();
    };
    let pending = call.link("ns/pid") != call.link("ns/pid_for_children");
    let nested = pending || call.numbers("NSpid").len() > 1 || !call.sees_all("pid");
    if nested && call.kernel.version >= Version(6, 14, 0) {
        return Evidence::says(Observation::PidMaxNested).unknown();
    }
    let found = Evidence::says(Observation::PidMax { all, most })
        .with("tasks", all)
        .with("pid_max", most);
    // Groups and sessions whose leaders have ended keep pids as well.
    if all >= most - most / 10 {
        found.likely()
    } else if all < most / 2 {
        found.not()
    } else {
        found.unknown()
    }
}

/// Is the caller's scheduling policy one whose tasks may not create tasks?
pub(super) fn deadline(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let stat = stat::own(call.task).unwrap_or_default();
    let policy = Line::of(&stat).and_then(|line| line.number(Field::Policy));
    match policy {
        Some(DEADLINE) => Evidence::says(Observation::Deadline)
            .with("policy", DEADLINE)
            .likely(),
        Some(_) => Answer::Silent,
        None => Evidence::default().unknown(),
    }
}

/// Is a scheduler of the user's loaded?
pub(super) fn sched_ext(call: &FailedCall<'_>, _: &Rule) -> Answer {
    match call.system("/sys/kernel/sched_ext/state") {
        Some(state) if state.trim() == "enabled" => {
            Evidence::default().with("state", "enabled").unknown()
        }
        _ => Answer::Silent,
    }
}

/// Would a copy of the caller's memory be more than may be promised?
pub(super) fn memory(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let (Some(mode), Some(info), Some(data)) = (
        call.system_number("/proc/sys/vm/overcommit_memory"),
        call.task.system_file("/proc/meminfo").ok(),
        call.status("VmData").and_then(first::<u64>),
    ) else {
        return Evidence::default().unknown();
    };
    // In kilobytes.
    let of = |key| field(&info, key).and_then(first::<u64>).unwrap_or(0);
    let found = |what: Observation| {
        Evidence::says(what)
            .with("VmData_kib", data)
            .with("overcommit_memory", mode)
    };
    match mode {
        2 => {
            let left = of("CommitLimit").saturating_sub(of("Committed_AS"));
            let found = found(Observation::OvercommitStrict { data, left })
                .with("CommitLimit_kib", of("CommitLimit"))
                .with("Committed_AS_kib", of("Committed_AS"));
            if data > left {
                found.likely()
            } else {
                found.not()
            }
        }
        0 => {
            let whole = of("MemTotal").saturating_add(of("SwapTotal"));
            let found = found(Observation::OvercommitGuess { data, whole });
            if data > whole {
                found.unknown()
            } else {
                found.not()
            }
        }
        _ => found(Observation::OvercommitAll).not(),
    }
}
