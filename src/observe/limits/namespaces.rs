//! Namespaces: pending ones, nested ones, limits on their number, tids that are asked for.

use crate::abi::flags::{CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUSER};
use crate::abi::rules::{Rule, Tids, Version};
use crate::event::Observation;

use super::look::{Answer, Found, Look};

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

fn pending(look: &Look<'_>, kind: &str) -> Pending {
    let own = look.link(&format!("ns/{kind}"));
    let children = look.task.proc_link(&format!("ns/{kind}_for_children"));
    match (own, children) {
        (Some(own), Ok(children)) if children == own.as_bytes() => Pending::None,
        // The link of one without an init is there in 7.2, and was not in 6.18.
        (Some(_), Ok(_)) if look.kernel.version >= LINKED => Pending::Other,
        (Some(_), Ok(_)) => Pending::Begun,
        // fs/nsfs.c: ENOENT where there is no namespace to speak of (kernel/pid_namespace.c,
        // pidns_for_children_get: no init yet).
        (Some(_), Err(errno)) if errno.0 == 2 && kind == "pid" => Pending::Empty,
        _ => Pending::Unknown,
    }
}

fn other(look: &Look<'_>, kind: &str) -> Found {
    let word = |link: Option<String>| link.unwrap_or_else(|| "none".to_owned());
    Found::default()
        .with(kind, word(look.link(&format!("ns/{kind}"))))
        .with(
            &format!("{kind}_for_children"),
            word(look.link(&format!("ns/{kind}_for_children"))),
        )
}

fn waits(look: &Look<'_>, kind: &str) -> Answer {
    let found = other(look, kind);
    match pending(look, kind) {
        Pending::Begun | Pending::Empty | Pending::Other => found.certain(),
        Pending::None => Answer::Silent,
        Pending::Unknown => found.unknown(),
    }
}

/// Another pid namespace waits for the caller's children.
pub(super) fn pid_pending(look: &Look<'_>, _: &Rule) -> Answer {
    waits(look, "pid")
}

/// Another time namespace does.
pub(super) fn time_pending(look: &Look<'_>, _: &Rule) -> Answer {
    waits(look, "time")
}

/// The pid namespace for the caller's children has had its init, and that has ended. What the link says
/// is that there is such a namespace; it alone makes the kernel short of "memory" in most cases.
pub(super) fn dead(look: &Look<'_>, _: &Rule) -> Answer {
    match pending(look, "pid") {
        Pending::Begun | Pending::Other => other(look, "pid").likely(),
        Pending::None => Found::says(Observation::PidNamespaceOwn).not(),
        Pending::Empty => Answer::Silent,
        Pending::Unknown => other(look, "pid").unknown(),
    }
}

/// The caller is pid 1 of its pid namespace.
pub(super) fn init(look: &Look<'_>, _: &Rule) -> Answer {
    match look.numbers("NStgid").last() {
        Some(1) => Found::default()
            .with("NStgid", look.status("NStgid").unwrap_or_default())
            .certain(),
        Some(_) => Answer::Silent,
        None => Found::default().unknown(),
    }
}

/// What is known of the pid namespace's owner is not enough.
pub(super) fn foreign(look: &Look<'_>, _: &Rule) -> Answer {
    // In the first user namespace every pid namespace's owner is an ancestor or itself.
    if look.in_first_userns() && !look.has(CLONE_NEWUSER) && look.numbers("NSpid").len() < 2 {
        return Answer::Silent;
    }
    Answer::Unseen
}

/// The user namespaces around the caller's.
pub(super) fn user_depth(look: &Look<'_>, _: &Rule) -> Answer {
    let Ok(around) = look.task.user_namespaces_around() else {
        return Found::default().unknown();
    };
    let found = Found::says(Observation::UserDepth {
        most: DEEPEST_USER,
        depth: around,
    })
    .with("depth", around);
    if around >= DEEPEST_USER {
        found.certain()
    } else if look.sees_all("user") {
        found.not()
    } else {
        found.unknown()
    }
}

/// The pid namespaces around the caller's.
pub(super) fn pid_depth(look: &Look<'_>, _: &Rule) -> Answer {
    let depth = look.numbers("NSpid").len().saturating_sub(1);
    let found = Found::says(Observation::PidDepth {
        most: DEEPEST_PID,
        depth,
    })
    .with("depth", depth);
    if depth >= DEEPEST_PID {
        found.certain()
    } else if look.sees_all("pid") {
        found.not()
    } else {
        found.unknown()
    }
}

/// A limit on the number of namespaces. Only that of clonespy's own user namespace can be read; the
/// caller's, and those between, are their own.
pub(super) fn limit(look: &Look<'_>, rule: &Rule) -> Answer {
    let kind = rule.id.split('-').next().unwrap_or_default();
    let name = format!("max_{kind}_namespaces");
    match look.system_number(&format!("/proc/sys/user/{name}")) {
        Some(0) => Found::says(Observation::NamespacesForbidden { name: name.clone() })
            .with(&name, 0)
            .likely(),
        Some(most) => Found::says(Observation::NamespacesReached {
            name: name.clone(),
            most,
        })
        .with(&name, most)
        .unknown(),
        None => Found::default().unknown(),
    }
}

/// The kernel was built without a kind of namespaces.
pub(super) fn built_in(look: &Look<'_>, _: &Rule) -> Answer {
    // A task that is gone has no links at all.
    if look.link("ns/mnt").is_none() {
        return Found::default().unknown();
    }
    let wanted = look.arguments.flags();
    let lacking = wanted
        .rows()
        .filter_map(|flag| Some((flag, flag.namespace?)))
        .filter(|(_, file)| look.link(&format!("ns/{file}")).is_none())
        // The time namespace is the last that the kernel makes (create_new_namespaces).
        .min_by_key(|(flag, _)| flag.flags() == CLONE_NEWTIME);
    match lacking {
        Some((flag, file)) => Found::says(Observation::NotBuiltIn {
            flag: flag.name.to_owned(),
            file: file.to_owned(),
        })
        .certain(),
        None => Answer::Silent,
    }
}

/// The tids that are asked for.
fn tids<'a>(look: &'a Look<'_>) -> &'a [i32] {
    match &look.arguments.tids {
        Tids::Read(tids) => tids,
        Tids::Unknown | Tids::Unreadable => &[],
    }
}

/// The pid namespaces in which the child will have a tid, as far as they can be seen.
fn levels(look: &Look<'_>) -> usize {
    let newer = matches!(
        pending(look, "pid"),
        Pending::Begun | Pending::Empty | Pending::Other
    );
    look.numbers("NSpid").len() + usize::from(look.has(CLONE_NEWPID)) + usize::from(newer)
}

/// More tids than namespaces.
pub(super) fn too_many_tids(look: &Look<'_>, _: &Rule) -> Answer {
    let (levels, asked) = (levels(look), look.arguments.set_tid_size);
    let found = Found::says(Observation::TooManyTids { asked, levels })
        .with("set_tid_size", asked)
        .with("namespaces", levels);
    match asked > levels as u64 {
        true if look.sees_all("pid") => found.certain(),
        true => found.unknown(),
        false => Answer::Silent,
    }
}

/// A tid that is too large.
pub(super) fn tid_above(look: &Look<'_>, _: &Rule) -> Answer {
    let Some(most) = look.system_number("/proc/sys/kernel/pid_max") else {
        return Found::default().unknown();
    };
    let large = tids(look)
        .iter()
        .find(|tid| i64::from(**tid) >= most.cast_signed());
    match large {
        Some(tid) => {
            let found =
                Found::says(Observation::TidAbove { tid: *tid, most }).with("pid_max", most);
            match levels(look) {
                1 => found.certain(),
                _ => found.likely(),
            }
        }
        None if levels(look) == 1 || tids(look).iter().all(|tid| *tid < LEAST_PID_MAX) => {
            Answer::Silent
        }
        None => Found::says(Observation::TidAboveNested).unknown(),
    }
}

/// The first task of a pid namespace is its pid 1.
pub(super) fn first_tid(look: &Look<'_>, _: &Rule) -> Answer {
    let Some(tid) = tids(look).first().copied().filter(|tid| *tid != 1) else {
        return Answer::Silent;
    };
    let found = Found::says(Observation::FirstTid { tid });
    match pending(look, "pid") {
        _ if look.has(CLONE_NEWPID) => found.certain(),
        Pending::Empty => found.certain(),
        Pending::Other => found.likely(),
        Pending::None | Pending::Begun | Pending::Unknown => Answer::Silent,
    }
}

/// A tid that is taken.
pub(super) fn in_use(look: &Look<'_>, _: &Rule) -> Answer {
    // In a nested namespace it is another number in ours.
    let taken = tids(look)
        .iter()
        .find(|tid| levels(look) == 1 && look.system(&format!("/proc/{tid}/stat")).is_some());
    match taken {
        Some(tid) => Found::says(Observation::TidTaken { tid: *tid })
            .with("tid", *tid)
            .certain(),
        None => Found::default().unknown(),
    }
}
