//! Questions about permissions: filters, capabilities, ids, the root directory.

use crate::abi::flags::CLONE_NEWUSER;
use crate::abi::rules::{Rule, Version};
use crate::event::{Call, Observation};
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
    let found = Evidence::says(Observation::Filter { all, ours })
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
    let found = |what: Observation| {
        let set = call.status("CapEff").unwrap_or_default().to_owned();
        Evidence::says(what).with("CapEff", set)
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
            let what = match flags.is_empty() {
                true => Observation::CallWithoutAdmin,
                false => Observation::WithoutAdmin {
                    flags: flags.join(", "),
                },
            };
            found(what).certain()
        }
        Some(true) => found(Observation::HasAdmin).not(),
        None => Evidence::default().unknown(),
    }
}

/// Has a distribution's switch been turned off?
pub(super) fn switched_off(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let switch = "/proc/sys/kernel/unprivileged_userns_clone";
    match (call.system_number(switch), call.capable(CAP_SYS_ADMIN)) {
        (Some(0), Some(false)) => Evidence::says(Observation::SwitchedOff)
            .with("unprivileged_userns_clone", 0)
            .certain(),
        _ => Answer::Silent,
    }
}

/// Is a security module known to restrict user namespaces?
pub(super) fn security_module(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let switch = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
    match call.system_number(switch) {
        Some(1) => Evidence::says(Observation::AppArmor)
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
        return Evidence::says(Observation::Chroot { root: root.clone() })
            .with("root", root)
            .certain();
    }
    // In a chroot that clonespy shares, no mount is at "/" unless the chroot is a mount point.
    let text = call.file("mountinfo").unwrap_or_default();
    if !text.is_empty() && !mounts(&text).any(|mount| mount.point == "/") {
        return Evidence::says(Observation::ChrootNoMount).certain();
    }
    Evidence::says(Observation::NoChroot)
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
            let (name, file) = (key.to_lowercase(), file.to_owned());
            let evidence = (name.clone(), file.clone());
            let what = match map.is_empty() {
                true => Observation::MapEmpty { name, id, file },
                false => Observation::MapLacks { name, id, file },
            };
            return Evidence::says(what)
                .with(&evidence.0, id)
                .with(&evidence.1, map.trim().to_owned())
                .certain();
        }
    }
    Evidence::says(Observation::Mapped).not()
}

/// Does the caller lack what choosing tids takes?
pub(super) fn may_not_choose_tids(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let restore = call.kernel.version >= Version(5, 9, 0)
        && call.capable(CAP_CHECKPOINT_RESTORE) == Some(true);
    let set = call.status("CapEff").unwrap_or_default().to_owned();
    match call.capable(CAP_SYS_ADMIN) {
        Some(false) if !restore => Evidence::says(Observation::MayNotChoose)
            .with("CapEff", set)
            .certain(),
        // It must hold over the owner of each pid namespace that is named.
        _ => Evidence::default().with("CapEff", set).unknown(),
    }
}
