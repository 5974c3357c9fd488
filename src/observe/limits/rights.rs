//! Permissions: filters, capabilities, ids, the root directory.

use crate::abi::flags::CLONE_NEWUSER;
use crate::abi::rules::{Rule, Version};
use crate::event::{Call, Observation};
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
    let found = Found::says(Observation::Filter { all, ours })
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
    let found = |what: Observation| {
        let set = look.status("CapEff").unwrap_or_default().to_owned();
        Found::says(what).with("CapEff", set)
    };
    match look.capable(CAP_SYS_ADMIN) {
        Some(false) => {
            let flags: Vec<&str> = look
                .arguments
                .flags()
                .difference(CLONE_NEWUSER)
                .rows()
                .filter(|flag| flag.namespace.is_some())
                .map(|flag| flag.name)
                .collect();
            let what = match flags.is_empty() {
                true => Observation::CallWithoutAdmin,
                false => Observation::WithoutAdmin {
                    flags: flags.join(", "),
                },
            };
            found(what).certain()
        }
        Some(true) => found(Observation::HasAdmin).not(),
        None => Found::default().unknown(),
    }
}

/// Whether a distribution's switch is off.
pub(super) fn switched_off(look: &Look<'_>, _: &Rule) -> Answer {
    let switch = "/proc/sys/kernel/unprivileged_userns_clone";
    match (look.system_number(switch), look.capable(CAP_SYS_ADMIN)) {
        (Some(0), Some(false)) => Found::says(Observation::SwitchedOff)
            .with("unprivileged_userns_clone", 0)
            .certain(),
        _ => Answer::Silent,
    }
}

/// Whether a security module is known to restrict user namespaces.
pub(super) fn security_module(look: &Look<'_>, _: &Rule) -> Answer {
    let switch = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
    match look.system_number(switch) {
        Some(1) => Found::says(Observation::AppArmor)
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
        return Found::says(Observation::Chroot { root: root.clone() })
            .with("root", root)
            .certain();
    }
    // In a chroot that clonespy shares, no mount is at "/" unless the chroot is a mount point.
    let text = look.file("mountinfo").unwrap_or_default();
    if !text.is_empty() && !mounts(&text).any(|mount| mount.point == "/") {
        return Found::says(Observation::ChrootNoMount).certain();
    }
    Found::says(Observation::NoChroot).with("root", root).not()
}

/// Whether the caller's effective ids have no names in its own user namespace.
pub(super) fn unmapped(look: &Look<'_>, _: &Rule) -> Answer {
    for (key, file) in [("Uid", "uid_map"), ("Gid", "gid_map")] {
        // Real, effective, saved, file system.
        let (Some(id), Some(map)) = (look.numbers(key).get(1).copied(), look.file(file)) else {
            return Found::default().unknown();
        };
        if !id_map::has(&map, id) {
            let (name, file) = (key.to_lowercase(), file.to_owned());
            let evidence = (name.clone(), file.clone());
            let what = match map.is_empty() {
                true => Observation::MapEmpty { name, id, file },
                false => Observation::MapLacks { name, id, file },
            };
            return Found::says(what)
                .with(&evidence.0, id)
                .with(&evidence.1, map.trim().to_owned())
                .certain();
        }
    }
    Found::says(Observation::Mapped).not()
}

/// Whether the caller may not choose tids.
pub(super) fn choose_tids(look: &Look<'_>, _: &Rule) -> Answer {
    let restore = look.kernel.version >= Version(5, 9, 0)
        && look.capable(CAP_CHECKPOINT_RESTORE) == Some(true);
    let set = look.status("CapEff").unwrap_or_default().to_owned();
    match look.capable(CAP_SYS_ADMIN) {
        Some(false) if !restore => Found::says(Observation::MayNotChoose)
            .with("CapEff", set)
            .certain(),
        // It must hold over the owner of each pid namespace that is named.
        _ => Found::default().with("CapEff", set).unknown(),
    }
}
