//! Questions about control groups: the one that CLONE_INTO_CGROUP names, and limits on the number of tasks
//! up the tree.

use crate::abi::flags::{CLONE_INTO_CGROUP, CLONE_THREAD};
use crate::abi::rules::Rule;
use crate::event::Observation;
use crate::proc::cgroups::{Membership, memberships};
use crate::proc::mounts::{Mount, mounts};

use super::answer::{Answer, Evidence};
use super::failed_call::FailedCall;

/// No tree is looked at higher than this.
const LEVELS: usize = 64;

/// Where the descriptor of CLONE_INTO_CGROUP leads; `None`: nowhere.
fn target(call: &FailedCall<'_>) -> Option<String> {
    call.link(&format!("fd/{}", call.arguments.cgroup))
}

fn about(what: Observation, path: &str) -> Evidence {
    Evidence::says(what).with("cgroup", path)
}

/// The mount of cgroup v2, or of v1's hierarchy with a controller.
fn mount(call: &FailedCall<'_>, controller: Option<&str>) -> Option<Mount> {
    let wanted = |mount: &Mount| match controller {
        None => mount.kind == "cgroup2",
        Some(name) => mount.kind == "cgroup" && mount.has_option(name),
    };
    mounts(&call.system("/proc/self/mountinfo")?).find(wanted)
}

/// Does the descriptor lead to no directory of cgroup v2?
pub(super) fn not_a_cgroup(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let fd = call.arguments.cgroup;
    let Some(path) = target(call) else {
        let found = Evidence::says(Observation::NotOpen { fd });
        // A task that is gone has no links at all.
        return match call.link("exe") {
            Some(_) => found.certain(),
            None => found.unknown(),
        };
    };
    let inside = mount(call, None).is_some_and(|mount| path.starts_with(&mount.point));
    let found = about(
        Observation::NoCgroup {
            fd,
            path: path.clone(),
        },
        &path,
    );
    if inside {
        found.unknown()
    } else {
        found.likely()
    }
}

/// Is the cgroup gone?
pub(super) fn removed(call: &FailedCall<'_>, _: &Rule) -> Answer {
    match target(call) {
        Some(path) if path.ends_with(" (deleted)") => {
            about(Observation::CgroupRemoved { path: path.clone() }, &path).certain()
        }
        Some(path) => about(Observation::CgroupThere { path: path.clone() }, &path).not(),
        None => Answer::Silent,
    }
}

/// May the caller move no tasks there? Nothing else gives this errno.
pub(super) fn permission(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let path = target(call).unwrap_or_default();
    let uid = call.numbers("Uid").get(1).copied();
    let what = match uid {
        Some(uid) => Observation::UserMayNotWrite {
            uid,
            path: path.clone(),
        },
        None => Observation::CallerMayNotWrite { path: path.clone() },
    };
    about(what, &path).likely()
}

/// Is it a thread for another domain, or a domain that is invalid?
pub(super) fn domain(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let path = target(call).unwrap_or_default();
    let kind = call
        .system(&format!("{path}/cgroup.type"))
        .unwrap_or_default();
    let kind = kind.trim();
    if kind == "domain invalid" {
        about(Observation::DomainInvalid { path: path.clone() }, &path).certain()
    } else if call.has(CLONE_THREAD) {
        about(
            Observation::OtherDomain {
                path: path.clone(),
                kind: kind.to_owned(),
            },
            &path,
        )
        .likely()
    } else {
        about(
            Observation::CgroupType {
                path: path.clone(),
                kind: kind.to_owned(),
            },
            &path,
        )
        .unknown()
    }
}

/// Has the cgroup given its controllers to its children?
pub(super) fn inner_node(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let path = target(call).unwrap_or_default();
    match call.system(&format!("{path}/cgroup.subtree_control")) {
        Some(controllers) if !controllers.trim().is_empty() => {
            let controllers = controllers.trim();
            about(
                Observation::InnerNode {
                    path: path.clone(),
                    controllers: controllers.to_owned(),
                },
                &path,
            )
            .certain()
        }
        _ => about(Observation::SubtreeControl { path: path.clone() }, &path).unknown(),
    }
}

/// Is its set of processors empty?
pub(super) fn cpuset(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let path = target(call).unwrap_or_default();
    match call.system(&format!("{path}/cpuset.cpus.effective")) {
        Some(processors) if processors.trim().is_empty() => {
            about(Observation::NoProcessors { path: path.clone() }, &path).likely()
        }
        // Without the controller there is nothing that could refuse.
        Some(_) => Evidence::default().with("cgroup", path).unknown(),
        None => Answer::Silent,
    }
}

/// The cgroup of the caller, or the one that it names: the files' directory, and what is above it.
fn position(call: &FailedCall<'_>) -> Option<(Mount, String)> {
    let lines = call.file("cgroup")?;
    if let Some(v1) = memberships(&lines).find(|one| one.has("pids")) {
        return Some((mount(call, Some("pids"))?, v1.path.to_owned()));
    }
    let path = memberships(&lines).find(Membership::is_v2)?.path;
    let mount = mount(call, None)?;
    if call.has(CLONE_INTO_CGROUP) {
        let target = target(call)?;
        let below = target.strip_prefix(&mount.point)?;
        return Some((
            Mount {
                root: "/".into(),
                ..mount
            },
            format!("/{}", below.trim_start_matches('/')),
        ));
    }
    Some((mount, path.to_owned()))
}

/// One limit on the way up.
struct Level {
    path: String,
    current: u64,
    most: u64,
    refused: Option<u64>,
}

impl Level {
    /// What it shows; `whole` where nothing above it is hidden.
    fn found(&self, whole: bool) -> Evidence {
        let (current, most, path) = (self.current, self.most, self.path.clone());
        let what = match whole {
            true => Observation::Pids {
                current,
                most,
                path,
            },
            false => Observation::PidsBelow {
                current,
                most,
                path,
            },
        };
        let mut found = about(what, &self.path)
            .with("pids.current", current)
            .with("pids.max", most);
        if let Some(refused) = self.refused {
            found = found.with("pids.events", refused);
        }
        found
    }
}

/// The limits from a cgroup up to the root of its mount.
fn limits(call: &FailedCall<'_>, mount: &Mount, path: &str) -> Vec<Level> {
    let within = match mount.root.as_str() {
        "/" => path,
        root => path.strip_prefix(root).unwrap_or(path),
    };
    let mut here = within.trim_end_matches('/').to_owned();
    let mut found = Vec::new();
    for _ in 0..LEVELS {
        let directory = format!("{}{here}", mount.point);
        let most = call.system_number(&format!("{directory}/pids.max"));
        if let (Some(most), Some(current)) = (
            most,
            call.system_number(&format!("{directory}/pids.current")),
        ) {
            let events = call.system(&format!("{directory}/pids.events"));
            let refused = events.and_then(|events| {
                let max = events.lines().find_map(|line| line.strip_prefix("max "));
                max?.trim().parse().ok()
            });
            found.push(Level {
                path: if here.is_empty() {
                    "/".into()
                } else {
                    here.clone()
                },
                current,
                most,
                refused,
            });
        }
        match here.rsplit_once('/') {
            Some((above, _)) => here = above.to_owned(),
            None => break,
        }
    }
    found
}

/// Is a limit of the pids controller reached?
pub(super) fn pids_max(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let Some((mount, path)) = position(call) else {
        return Evidence::says(Observation::PidsUnseen).unknown();
    };
    let levels = limits(call, &mount, &path);
    if let Some(level) = levels.iter().find(|level| level.current >= level.most) {
        return level.found(true).likely();
    }
    let tightest = levels.iter().min_by_key(|level| level.most - level.current);
    let close = tightest.filter(|level| {
        // Others may have ended since.
        level.refused != Some(0) && level.current >= level.most - level.most / 10
    });
    if let Some(level) = close {
        return level.found(true).unknown();
    }
    let all = call.sees_all("cgroup") && mount.root == "/";
    let unlimited = || match all {
        true => Observation::PidsUnlimited { path: path.clone() },
        false => Observation::PidsUnlimitedBelow { path: path.clone() },
    };
    let found = tightest.map_or_else(|| about(unlimited(), &path), |level| level.found(all));
    if all { found.not() } else { found.unknown() }
}
