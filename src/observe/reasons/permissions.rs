//! Questions about permissions: filters, capabilities, ids, the root directory.

use crate::abi::flags::CLONE_NEWUSER;
use crate::abi::rules::{Rule, Version};
use crate::event::Call;
use crate::proc::id_map;
use crate::proc::mounts::mounts;

use super::answer::{Answer, Evidence};
use super::failed_call::FailedCall;

/// include/uapi/linux/capability.h.
const CAP_SYS_ADMIN: u32 = 21;
const CAP_CHECKPOINT_RESTORE: u32 = 40;

/// Did a seccomp filter answer in the kernel's place?
pub(super) fn filter(call: &FailedCall<'_>, _: &Rule) -> Answer {
    if call.status("Seccomp") == Some("0") {
        return Answer::Silent;
    }
    let Some(all) = call.numbers("Seccomp_filters").first().copied() else {
        // Before 5.9 the kernel does not say how many there are.
        let mode = call.status("Seccomp").unwrap_or("unknown").to_owned();
        return Evidence::default().with("Seccomp", mode).unknown();
    };
    let ours = call.filters.min(all);
    if all <= ours {
        return Answer::Silent;
    }
    let found = Evidence::text(format!(
        "a filter answers for the kernel (Seccomp_filters {all}, ours is {ours})"
    ))
    .with("Seccomp_filters", all)
    .with("ours", ours);
    // A kernel that has the call never says that it has not.
    let has = call.arguments.call != Call::Clone3 || call.kernel.version >= Version(5, 3, 0);
    match call.errno {
        "ENOSYS" if has => found.certain(),
        _ => found.unknown(),
    }
}

/// Does the caller lack CAP_SYS_ADMIN over its own user namespace?
pub(super) fn lacks_admin(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let found = |text: String| {
        let set = call.status("CapEff").unwrap_or_default().to_owned();
        Evidence::text(text).with("CapEff", set)
    };
    match call.capable(CAP_SYS_ADMIN) {
        Some(false) => {
            let flags: Vec<&str> = call
                .arguments
                .flags()
                .difference(CLONE_NEWUSER)
                .rows()
                .filter(|flag| flag.namespace.is_some())
                .map(|flag| flag.name)
                .collect();
            let what = if flags.is_empty() {
                "the call".to_owned()
            } else {
                flags.join(", ")
            };
            found(format!(
                "{what} without CAP_SYS_ADMIN in the user namespace: add CLONE_NEWUSER, which gives it \
                 inside, or privilege"
            ))
            .certain()
        }
        Some(true) => found("CAP_SYS_ADMIN: the caller has it".into()).not(),
        None => Evidence::default().unknown(),
    }
}

/// Has a distribution's switch been turned off?
pub(super) fn switched_off(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let switch = "/proc/sys/kernel/unprivileged_userns_clone";
    match (call.system_number(switch), call.capable(CAP_SYS_ADMIN)) {
        (Some(0), Some(false)) => Evidence::text(
            "kernel.unprivileged_userns_clone is 0, and the caller lacks CAP_SYS_ADMIN",
        )
        .with("unprivileged_userns_clone", 0)
        .certain(),
        _ => Answer::Silent,
    }
}

/// Is a security module known to restrict user namespaces?
pub(super) fn security_module(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let switch = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
    match call.system_number(switch) {
        Some(1) => Evidence::text(
            "kernel.apparmor_restrict_unprivileged_userns is 1: AppArmor's policy decides",
        )
        .with("apparmor_restrict_unprivileged_userns", 1)
        .likely(),
        _ => Answer::Unseen,
    }
}

/// Is the caller's root another than that of its mount namespace?
pub(super) fn chrooted(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let Some(root) = call.link("root") else {
        return Evidence::default().unknown();
    };
    // Of a mount that is the root of another namespace the path is "/" as well.
    if root != "/" {
        return Evidence::text(format!(
            "the caller's root is {root}: a user namespace would be a way out of a chroot"
        ))
        .with("root", root)
        .certain();
    }
    // In a chroot that clonespy shares, no mount is at "/" unless the chroot is a mount point.
    let text = call.file("mountinfo").unwrap_or_default();
    if !text.is_empty() && !mounts(&text).any(|mount| mount.point == "/") {
        return Evidence::text(
            "the caller's root is no mount point: a user namespace would be a way out of a chroot",
        )
        .certain();
    }
    Evidence::text("chroot: the caller's root is the root of its mounts")
        .with("root", root)
        .not()
}

/// Have the caller's effective ids no number in its own user namespace?
pub(super) fn unmapped(call: &FailedCall<'_>, _: &Rule) -> Answer {
    for (key, file) in [("Uid", "uid_map"), ("Gid", "gid_map")] {
        // Real, effective, saved, file system.
        let (Some(id), Some(map)) = (call.numbers(key).get(1).copied(), call.file(file)) else {
            return Evidence::default().unknown();
        };
        if !id_map::has(&map, id) {
            let name = key.to_lowercase();
            let why = if map.is_empty() {
                "is empty"
            } else {
                "does not have it"
            };
            return Evidence::text(format!(
                "the caller's {name} {id} is not mapped in its own user namespace: {file} {why}"
            ))
            .with(&name, id)
            .with(file, map.trim().to_owned())
            .certain();
        }
    }
    Evidence::text("uid_map and gid_map: the caller's ids are mapped").not()
}

/// Does the caller lack what choosing tids takes?
pub(super) fn may_not_choose_tids(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let restore = call.kernel.version >= Version(5, 9, 0)
        && call.capable(CAP_CHECKPOINT_RESTORE) == Some(true);
    let set = call.status("CapEff").unwrap_or_default().to_owned();
    match call.capable(CAP_SYS_ADMIN) {
        Some(false) if !restore => {
            Evidence::text("the caller lacks CAP_CHECKPOINT_RESTORE and CAP_SYS_ADMIN: who may choose tids is privileged")
                .with("CapEff", set)
                .certain()
        }
        // It must hold over the owner of each pid namespace that is named.
        _ => Evidence::default().with("CapEff", set).unknown(),
    }
}
