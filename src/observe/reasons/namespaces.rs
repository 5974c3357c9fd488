//! Questions about namespaces: pending ones, nested ones, limits on their number, tids that are asked for.

use crate::abi::flags::{CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUSER};
use crate::abi::rules::{Rule, Tids, Version};
use crate::event::Observation;
use crate::sys::Question;

use super::answer::{Answer, Evidence};
use super::failed_call::FailedCall;

/// User and pid namespaces nest at most so deep below the first (kernel/user_namespace.c,
/// include/linux/pid_namespace.h).
const DEEPEST_USER: usize = 33;
const DEEPEST_PID: usize = 32;

/// No pid namespace can have a pid_max below this (kernel/pid.c: RESERVED_PIDS + 1).
const LEAST_PID_MAX: i32 = 301;

/// From here on the link of a pid namespace without init may be there. (It is in 7.2, and is not in
/// 6.18: between them nothing was looked at.)
const LINKED: Version = Version(6, 19, 0);

/// Which namespace the caller's children will be in, against its own.
enum Pending {
    /// The same.
    None,
    /// Another one, which has had an init.
    Begun,
    /// Another one, whose init is still to come.
    Empty,
    /// Another one, which may have had an init or not.
    Other,
    /// It cannot be read.
    Unknown,
}

fn pending(call: &FailedCall<'_>, kind: &str) -> Pending {
    let own = call.link(&format!("ns/{kind}"));
    let children = call.task.proc_link(&format!("ns/{kind}_for_children"));
    match (own, children) {
        (Some(own), Ok(children)) if children == own.as_bytes() => Pending::None,
        // The link of one without an init is there in 7.2, and was not in 6.18.
        (Some(_), Ok(_)) if call.kernel.version >= LINKED => Pending::Other,
        (Some(_), Ok(_)) => Pending::Begun,
        // fs/nsfs.c: ENOENT where there is no namespace to speak of (kernel/pid_namespace.c,
        // pidns_for_children_get: no init yet).
        (Some(_), Err(errno)) if errno.0 == 2 && kind == "pid" => Pending::Empty,
        _ => Pending::Unknown,
    }
}

fn other(call: &FailedCall<'_>, kind: &str) -> Evidence {
    let word = |link: Option<String>| link.unwrap_or_else(|| "none".to_owned());
    Evidence::default()
        .with(kind, word(call.link(&format!("ns/{kind}"))))
        .with(
            &format!("{kind}_for_children"),
            word(call.link(&format!("ns/{kind}_for_children"))),
        )
}

fn waits(call: &FailedCall<'_>, kind: &str) -> Answer {
    let found = other(call, kind);
    match pending(call, kind) {
        Pending::Begun | Pending::Empty | Pending::Other => found.certain(),
        Pending::None => Answer::Silent,
        Pending::Unknown => found.unknown(),
    }
}

/// Does another pid namespace wait for the caller's children?
pub(super) fn pid_pending(call: &FailedCall<'_>, _: &Rule) -> Answer {
    waits(call, "pid")
}

/// Does another time namespace?
pub(super) fn time_pending(call: &FailedCall<'_>, _: &Rule) -> Answer {
    waits(call, "time")
}

/// Has the init of the pid namespace for the caller's children ended? What the link says is that there is
/// another such namespace; it alone makes the kernel short of "memory" in most cases.
pub(super) fn init_has_ended(call: &FailedCall<'_>, _: &Rule) -> Answer {
    match pending(call, "pid") {
        Pending::Begun | Pending::Other => other(call, "pid").likely(),
        Pending::None => Evidence::says(Observation::PidNamespaceOwn).not(),
        Pending::Empty => Answer::Silent,
        Pending::Unknown => other(call, "pid").unknown(),
    }
}

/// Is the caller pid 1 of its pid namespace?
pub(super) fn is_init(call: &FailedCall<'_>, _: &Rule) -> Answer {
    match call.numbers("NStgid").last() {
        Some(1) => Evidence::default()
            .with("NStgid", call.status("NStgid").unwrap_or_default())
            .certain(),
        Some(_) => Answer::Silent,
        None => Evidence::default().unknown(),
    }
}

/// Is the pid namespace's owner no ancestor of the caller's user namespace? Who it is cannot be seen.
pub(super) fn foreign(call: &FailedCall<'_>, _: &Rule) -> Answer {
    // In the first user namespace every pid namespace's owner is an ancestor or itself.
    if call.in_first_userns() && !call.has(CLONE_NEWUSER) && call.numbers("NSpid").len() < 2 {
        return Answer::Silent;
    }
    Answer::Unseen
}

/// Are there too many user namespaces around the caller's?
pub(super) fn user_depth(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let around = call.task.ask(Question::UserNamespacesAround);
    let Some(around) = around.ok().and_then(|around| usize::try_from(around).ok()) else {
        return Evidence::default().unknown();
    };
    let found = Evidence::says(Observation::UserDepth {
        most: DEEPEST_USER,
        depth: around,
    })
    .with("depth", around);
    if around >= DEEPEST_USER {
        found.certain()
    } else if call.sees_all("user") {
        found.not()
    } else {
        found.unknown()
    }
}

/// Are there too many pid namespaces around the caller's?
pub(super) fn pid_depth(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let depth = call.numbers("NSpid").len().saturating_sub(1);
    let found = Evidence::says(Observation::PidDepth {
        most: DEEPEST_PID,
        depth,
    })
    .with("depth", depth);
    if depth >= DEEPEST_PID {
        found.certain()
    } else if call.sees_all("pid") {
        found.not()
    } else {
        found.unknown()
    }
}

/// Is a limit on the number of namespaces reached? Only that of clonespy's own user namespace can be read;
/// the caller's, and those between, are their own.
pub(super) fn limit(call: &FailedCall<'_>, rule: &Rule) -> Answer {
    let kind = rule.id.split('-').next().unwrap_or_default();
    let name = format!("max_{kind}_namespaces");
    match call.system_number(&format!("/proc/sys/user/{name}")) {
        Some(0) => Evidence::says(Observation::NamespacesForbidden { name: name.clone() })
            .with(&name, 0)
            .likely(),
        Some(most) => Evidence::says(Observation::NamespacesReached {
            name: name.clone(),
            most,
        })
        .with(&name, most)
        .unknown(),
        None => Evidence::default().unknown(),
    }
}

/// Was the kernel built without a kind of namespaces?
pub(super) fn not_built_in(call: &FailedCall<'_>, _: &Rule) -> Answer {
    // A task that is gone has no links at all.
    if call.link("ns/mnt").is_none() {
        return Evidence::default().unknown();
    }
    let wanted = call.arguments.flags();
    let lacking = wanted
        .rows()
        .filter_map(|flag| Some((flag, flag.namespace?)))
        .filter(|(_, file)| call.link(&format!("ns/{file}")).is_none())
        // The time namespace is the last that the kernel makes (create_new_namespaces).
        .min_by_key(|(flag, _)| flag.flags() == CLONE_NEWTIME);
    match lacking {
        Some((flag, file)) => Evidence::says(Observation::NotBuiltIn {
            flag: flag.name.to_owned(),
            file: file.to_owned(),
        })
        .certain(),
        None => Answer::Silent,
    }
}

/// The tids that are asked for.
fn tids<'a>(call: &'a FailedCall<'_>) -> &'a [i32] {
    match &call.arguments.tids {
        Tids::Read(tids) => tids,
        Tids::Unknown | Tids::Unreadable => &[],
    }
}

/// The pid namespaces in which the child will have a tid, as far as they can be seen.
fn levels(call: &FailedCall<'_>) -> usize {
    let newer = matches!(
        pending(call, "pid"),
        Pending::Begun | Pending::Empty | Pending::Other
    );
    call.numbers("NSpid").len() + usize::from(call.has(CLONE_NEWPID)) + usize::from(newer)
}

/// Are there more tids than namespaces?
pub(super) fn too_many_tids(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let (levels, asked) = (levels(call), call.arguments.set_tid_size);
    let found = Evidence::says(Observation::TooManyTids { asked, levels })
        .with("set_tid_size", asked)
        .with("namespaces", levels);
    match asked > levels as u64 {
        true if call.sees_all("pid") => found.certain(),
        true => found.unknown(),
        false => Answer::Silent,
    }
}

/// Is a tid too large?
pub(super) fn tid_above(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let Some(most) = call.system_number("/proc/sys/kernel/pid_max") else {
        return Evidence::default().unknown();
    };
    let large = tids(call)
        .iter()
        .find(|tid| i64::from(**tid) >= most.cast_signed());
    match large {
        Some(tid) => {
            let found =
                Evidence::says(Observation::TidAbove { tid: *tid, most }).with("pid_max", most);
            match levels(call) {
                1 => found.certain(),
                _ => found.likely(),
            }
        }
        None if levels(call) == 1 || tids(call).iter().all(|tid| *tid < LEAST_PID_MAX) => {
            Answer::Silent
        }
        None => Evidence::says(Observation::TidAboveNested).unknown(),
    }
}

/// Is the first task of a pid namespace to be another than its pid 1?
pub(super) fn first_tid_is_another(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let Some(tid) = tids(call).first().copied().filter(|tid| *tid != 1) else {
        return Answer::Silent;
    };
    let found = Evidence::says(Observation::FirstTid { tid });
    match pending(call, "pid") {
        _ if call.has(CLONE_NEWPID) => found.certain(),
        Pending::Empty => found.certain(),
        Pending::Other => found.likely(),
        Pending::None | Pending::Begun | Pending::Unknown => Answer::Silent,
    }
}

/// Is a tid taken?
pub(super) fn tid_in_use(call: &FailedCall<'_>, _: &Rule) -> Answer {
    // In a nested namespace it is another number in ours.
    let taken = tids(call)
        .iter()
        .find(|tid| levels(call) == 1 && call.system(&format!("/proc/{tid}/stat")).is_some());
    match taken {
        Some(tid) => Evidence::says(Observation::TidTaken { tid: *tid })
            .with("tid", *tid)
            .certain(),
        None => Evidence::default().unknown(),
    }
}
