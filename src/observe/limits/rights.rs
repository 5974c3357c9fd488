//! Permissions: filters, capabilities, ids, the root directory.

use crate::abi::rules::{Rule, Version};
use crate::event::Call;
use crate::proc::id_map;
use crate::proc::mounts::mounts;

use super::look::{Answer, Found, Look};

/// include/uapi/linux/capability.h.
const CAP_SYS_ADMIN: u32 = 21;
const CAP_CHECKPOINT_RESTORE: u32 = 40;

/// Whether a seccomp filter answered in the kernel's place.
pub(super) fn filter(look: &Look<'_>, _: &Rule) -> Answer {
    if look.status("Seccomp") == Some("0") {
        return Answer::Silent;
    }
    let Some(all) = look.numbers("Seccomp_filters").first().copied() else {
        // Before 5.9 the kernel does not say how many there are.
        let mode = look.status("Seccomp").unwrap_or("unknown").to_owned();
        return Found::default().with("Seccomp", mode).unknown();
    };
    let ours = look.filters.min(all);
    if all <= ours {
        return Answer::Silent;
    }
    let found = Found::text(format!(
        "a filter answers for the kernel (Seccomp_filters {all}, ours is {ours})"
    ))
    .with("Seccomp_filters", all)
    .with("ours", ours);
    // A kernel that has the call never says that it has not.
    let has = look.arguments.call != Call::Clone3 || look.kernel.version >= Version(5, 3, 0);
    match look.errno {
        "ENOSYS" if has => found.certain(),
        _ => found.unknown(),
    }
}

/// Whether the caller lacks CAP_SYS_ADMIN over its own user namespace.
pub(super) fn admin(look: &Look<'_>, _: &Rule) -> Answer {
    let found = |text: String| {
        let set = look.status("CapEff").unwrap_or_default().to_owned();
        Found::text(text).with("CapEff", set)
    };
    match look.capable(CAP_SYS_ADMIN) {
        Some(false) => {
            let flags: Vec<&str> = look
                .arguments
                .flags()
                .names()
                .filter(|name| name.starts_with("CLONE_NEW") && *name != "CLONE_NEWUSER")
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
        None => Found::default().unknown(),
    }
}

/// Whether a distribution's switch is off.
pub(super) fn switched_off(look: &Look<'_>, _: &Rule) -> Answer {
    let switch = "/proc/sys/kernel/unprivileged_userns_clone";
    match (look.system_number(switch), look.capable(CAP_SYS_ADMIN)) {
        (Some(0), Some(false)) => {
            Found::text("kernel.unprivileged_userns_clone is 0, and the caller lacks CAP_SYS_ADMIN")
                .with("unprivileged_userns_clone", 0)
                .certain()
        }
        _ => Answer::Silent,
    }
}

/// Whether a security module is known to restrict user namespaces.
pub(super) fn security_module(look: &Look<'_>, _: &Rule) -> Answer {
    let switch = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
    match look.system_number(switch) {
        Some(1) => Found::text(
            "kernel.apparmor_restrict_unprivileged_userns is 1: AppArmor's policy decides",
        )
        .with("apparmor_restrict_unprivileged_userns", 1)
        .likely(),
        _ => Answer::Unseen,
    }
}

/// Whether the caller's root is not that of its mount namespace.
pub(super) fn chrooted(look: &Look<'_>, _: &Rule) -> Answer {
    let Some(root) = look.link("root") else {
        return Found::default().unknown();
    };
    // Of a mount that is the root of another namespace the path is "/" as well.
    if root != "/" {
        return Found::text(format!(
            "the caller's root is {root}: a user namespace would be a way out of a chroot"
        ))
        .with("root", root)
        .certain();
    }
    // In a chroot that clonespy shares, no mount is at "/" unless the chroot is a mount point.
    let text = look.file("mountinfo").unwrap_or_default();
    if !text.is_empty() && !mounts(&text).any(|mount| mount.point == "/") {
        return Found::text(
            "the caller's root is no mount point: a user namespace would be a way out of a chroot",
        )
        .certain();
    }
    Found::text("chroot: the caller's root is the root of its mounts")
        .with("root", root)
        .not()
}

/// Whether the caller's effective ids have no names in its own user namespace.
pub(super) fn unmapped(look: &Look<'_>, _: &Rule) -> Answer {
    for (key, file) in [("Uid", "uid_map"), ("Gid", "gid_map")] {
        // Real, effective, saved, file system.
        let (Some(id), Some(map)) = (look.numbers(key).get(1).copied(), look.file(file)) else {
            return Found::default().unknown();
        };
        if !id_map::has(&map, id) {
            let name = key.to_lowercase();
            let why = if map.is_empty() {
                "is empty"
            } else {
                "does not have it"
            };
            return Found::text(format!(
                "the caller's {name} {id} is not mapped in its own user namespace: {file} {why}"
            ))
            .with(&name, id)
            .with(file, map.trim().to_owned())
            .certain();
        }
    }
    Found::text("uid_map and gid_map: the caller's ids are mapped").not()
}

/// Whether the caller may not choose tids.
pub(super) fn choose_tids(look: &Look<'_>, _: &Rule) -> Answer {
    let restore = look.kernel.version >= Version(5, 9, 0)
        && look.capable(CAP_CHECKPOINT_RESTORE) == Some(true);
    let set = look.status("CapEff").unwrap_or_default().to_owned();
    match look.capable(CAP_SYS_ADMIN) {
        Some(false) if !restore => {
            Found::text("the caller lacks CAP_CHECKPOINT_RESTORE and CAP_SYS_ADMIN: who may choose tids is privileged")
                .with("CapEff", set)
                .certain()
        }
        // It must hold over the owner of each pid namespace that is named.
        _ => Found::default().with("CapEff", set).unknown(),
    }
}
