//! Limits on how many tasks there may be, on memory, and the caller's scheduling.

use crate::abi::rules::{Rule, Version};
use crate::event::Observation;
use crate::proc::stat::{self, Field, Line};
use crate::proc::text::first;
use crate::proc::{field, load};

use super::look::{Answer, Found, Look};
use super::users;

/// include/uapi/linux/capability.h.
const CAP_SYS_ADMIN: u32 = 21;
const CAP_SYS_RESOURCE: u32 = 24;

/// SCHED_DEADLINE (include/uapi/linux/sched.h).
const DEADLINE: u64 = 6;

/// All tasks of the system.
fn all_tasks(look: &Look<'_>) -> Option<u64> {
    load::tasks(&look.system("/proc/loadavg")?)
}

/// RLIMIT_NPROC.
pub(super) fn nproc(look: &Look<'_>, _: &Rule) -> Answer {
    let (Some(most), Some(uid)) = (
        look.soft_limit("Max processes"),
        look.numbers("Uid").first().copied(),
    ) else {
        return Found::default().unknown();
    };
    let first = look.in_first_userns();
    if most == u64::MAX && first {
        return Found::says(Observation::NprocUnlimited).not();
    }
    let exempt = (uid == 0 && look.sees_all("user"))
        || first
            && (look.capable(CAP_SYS_ADMIN) == Some(true)
                || look.capable(CAP_SYS_RESOURCE) == Some(true));
    if exempt {
        return Found::says(Observation::NprocExempt).with("uid", uid).not();
    }
    let Some(count) = users::count(look.task, look.counted, look.at_ns, uid) else {
        return Found::default().unknown();
    };
    let tasks = count.tasks;
    let found = Found::says(Observation::Nproc { uid, tasks, most })
        .with("uid", uid)
        .with("tasks", tasks)
        .with("limit", most);
    // Inside a user namespace only the tasks in it count, against limits of those around it too.
    let by_user = first || look.kernel.version < Version(5, 14, 0);
    let everyone = count.whole && all_tasks(look).is_some_and(|all| count.seen >= all - all / 10);
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

/// The limit for the whole system.
pub(super) fn threads_max(look: &Look<'_>, _: &Rule) -> Answer {
    let (Some(most), Some(all)) = (
        look.system_number("/proc/sys/kernel/threads-max"),
        all_tasks(look),
    ) else {
        return Found::default().unknown();
    };
    let found = Found::says(Observation::ThreadsMax { all, most })
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

/// The space of pids.
pub(super) fn pid_max(look: &Look<'_>, _: &Rule) -> Answer {
    let (Some(most), Some(all)) = (
        look.system_number("/proc/sys/kernel/pid_max"),
        all_tasks(look),
    ) else {
        return Found::default().unknown();
    };
    let pending = look.link("ns/pid") != look.link("ns/pid_for_children");
    let nested = pending || look.numbers("NSpid").len() > 1 || !look.sees_all("pid");
    if nested && look.kernel.version >= Version(6, 14, 0) {
        return Found::says(Observation::PidMaxNested).unknown();
    }
    let found = Found::says(Observation::PidMax { all, most })
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

/// The caller's scheduling policy.
pub(super) fn deadline(look: &Look<'_>, _: &Rule) -> Answer {
    let stat = stat::own(look.task).unwrap_or_default();
    let policy = Line::of(&stat).and_then(|line| line.number(Field::Policy));
    match policy {
        Some(DEADLINE) => Found::says(Observation::Deadline)
            .with("policy", DEADLINE)
            .likely(),
        Some(_) => Answer::Silent,
        None => Found::default().unknown(),
    }
}

/// Whether a scheduler of the user's is loaded.
pub(super) fn sched_ext(look: &Look<'_>, _: &Rule) -> Answer {
    match look.system("/sys/kernel/sched_ext/state") {
        Some(state) if state.trim() == "enabled" => {
            Found::default().with("state", "enabled").unknown()
        }
        _ => Answer::Silent,
    }
}

/// Memory that a copy would take.
pub(super) fn memory(look: &Look<'_>, _: &Rule) -> Answer {
    let (Some(mode), Some(info), Some(data)) = (
        look.system_number("/proc/sys/vm/overcommit_memory"),
        look.task.system_file("/proc/meminfo").ok(),
        look.status("VmData").and_then(first::<u64>),
    ) else {
        return Found::default().unknown();
    };
    // In kilobytes.
    let of = |key| field(&info, key).and_then(first::<u64>).unwrap_or(0);
    let found = |what: Observation| {
        Found::says(what)
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
