//! Why calls fail: each refusal that can be brought about on this machine is put down to its rule.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use clonespy::event::{Certainty, Event, EventKind, Outcome, Reason};

use crate::fixtures::{program, scratch, sources};
use crate::run::lacking;
use crate::trace::{trace, words};

/// fixtures/rules/refusals.c: the scene, and the rule where that has another name.
const SCENES: &[(&str, &str)] = &[
    ("sandbox-filter", ""),
    ("init-has-no-siblings", ""),
    ("thread-after-unshare-pid", ""),
    ("userns-too-deep", ""),
    ("user-namespace-limit", ""),
    ("newuser-in-chroot", ""),
    ("newuser-unmapped-ids", ""),
    ("rlimit-nproc", ""),
    ("deadline-cannot-fork", ""),
    ("namespace-needs-admin", ""),
    ("mnt-namespace-limit", ""),
    ("uts-namespace-limit", ""),
    ("ipc-namespace-limit", ""),
    ("newpid-while-pending", ""),
    ("pidns-too-deep", ""),
    ("pid-namespace-limit", ""),
    ("cgroup-namespace-limit", ""),
    ("net-namespace-limit", ""),
    ("time-namespace-limit", ""),
    ("tls-descriptor", ""),
    ("tls-descriptor-entry", "tls-descriptor"),
    ("first-tid-must-be-one", ""),
    ("no-free-pid", ""),
    ("pid-namespace-dead", ""),
    ("pidfd-no-descriptor", ""),
    ("cgroup-removed", ""),
    ("cgroup-permission", ""),
    ("cgroup-domain", ""),
    ("cgroup-domain-thread", "cgroup-domain"),
    ("cgroup-inner-node", ""),
    ("pids-max", ""),
    // Two rules hold: the first in the kernel's order is the reason.
    ("nproc-and-admin", "rlimit-nproc"),
    ("block-and-nproc", "clone3-exit-signal"),
    ("chroot-and-nproc", "newuser-in-chroot"),
    ("descriptors-and-address", "pidfd-no-descriptor"),
    ("ipc-and-pids", "newipc-with-sysvsem"),
];

/// Those of them that are decided by what the caller itself shows.
const CERTAIN: &[&str] = &[
    "sandbox-filter",
    "init-has-no-siblings",
    "thread-after-unshare-pid",
    "newuser-in-chroot",
    "newuser-unmapped-ids",
    "namespace-needs-admin",
    "newpid-while-pending",
    "pidns-too-deep",
    "tls-descriptor",
    "first-tid-must-be-one",
    "pidfd-no-descriptor",
    "cgroup-removed",
    "cgroup-inner-node",
    "clone3-exit-signal",
    "newipc-with-sysvsem",
];

/// A program of fixtures/rules, compiled once a test run.
fn refusals() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let program = scratch().join("refusals");
        let made = crate::run::run(
            Command::new("cc")
                .args(["-O1", "-o"])
                .args([&program, &sources().join("rules/refusals.c")]),
        );
        made.expect("refusals.c compiles", crate::run::End::Exit(0));
        program
    })
}

/// The failed calls of a trace: errno, number, reasons.
fn failures(events: &[Event]) -> Vec<(&str, i32, &[Reason])> {
    let failed = events.iter().filter_map(|event| match &event.kind {
        EventKind::Clone(call) => match &call.outcome {
            Outcome::Failed {
                errno,
                code,
                reasons,
            } => Some((errno.as_str(), *code, reasons.as_slice())),
            _ => None,
        },
        _ => None,
    });
    failed.collect()
}

fn root() -> bool {
    std::fs::read_to_string("/proc/self/status")
        .expect("status")
        .lines()
        .any(|line| line.starts_with("CapEff") && line.ends_with("1ffffffffff"))
}

#[track_caller]
fn play(scene: &str, rule: &str, user: Option<&str>) {
    let mut command: Vec<OsString> = vec![refusals().into(), scene.into()];
    command.extend(user.map(OsString::from));
    let traced = trace(&words(&command));
    let said = String::from_utf8_lossy(&traced.run.stdout)
        .trim()
        .to_owned();
    if let Some(why) = said.strip_prefix("skip: ") {
        match user.is_none() && root() {
            true => lacking(&format!("{scene}: {why}")),
            false => eprintln!("not tested: {scene} as an ordinary user: {why}"),
        }
        return;
    }
    let failures = failures(&traced.events);
    let (errno, code, reasons) = *failures.last().unwrap_or_else(|| panic!("{scene}: {said}"));
    assert_eq!(code.to_string(), said, "{scene}");
    let (first, others) = reasons
        .split_first()
        .unwrap_or_else(|| panic!("{scene}: nothing is said about {errno}"));
    assert_eq!(first.rule, rule, "{scene}: {reasons:#?}");
    // Since then the link of a pid namespace does not tell any more whether it has an init.
    let linked = rule == "first-tid-must-be-one" && release() >= (6, 19);
    let sure = if CERTAIN.contains(&rule) && !linked {
        first.certainty == Certainty::Certain && others.is_empty()
    } else {
        matches!(first.certainty, Certainty::Certain | Certainty::Likely)
    };
    assert!(sure, "{scene}: {reasons:#?}");
    assert!(
        others
            .iter()
            .all(|other| other.certainty == Certainty::Excluded),
        "{scene}: {reasons:#?}"
    );
}

/// The running kernel's version.
fn release() -> (u32, u32) {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    let mut next = || numbers.next().and_then(|n| n.parse().ok()).unwrap();
    (next(), next())
}

#[test]
fn every_refusal_is_put_down_to_its_rule() {
    for (scene, rule) in SCENES {
        play(scene, if rule.is_empty() { scene } else { rule }, None);
    }
}

#[test]
fn an_ordinary_users_too() {
    if !root() {
        eprintln!("not tested: the other test runs as an ordinary user already");
        return;
    }
    for (scene, rule) in SCENES {
        play(
            scene,
            if rule.is_empty() { scene } else { rule },
            Some("65534"),
        );
    }
}

/// What the arguments decide, call by call: fixtures/failures.c and fixtures/clone3_sizes.c.
#[test]
fn what_arguments_decide_is_certain() {
    let rules = |name: &'static str| {
        let traced = trace(&[program(name).as_os_str()]);
        let rules: Vec<String> = failures(&traced.events)
            .into_iter()
            .map(|(errno, _, reasons)| match reasons {
                [only] if only.certainty == Certainty::Certain => format!("{errno} {}", only.rule),
                [first, ..] => format!("{errno} {}: {:?}", first.rule, first.certainty),
                [] => format!("{errno} for no reason"),
            })
            .collect();
        rules
    };
    let mut expected = vec![
        "EINVAL thread-needs-sighand",
        "EINVAL thread-needs-sighand",
        "EINVAL sighand-needs-vm",
        "EINVAL newns-with-fs",
        "EINVAL newuser-with-fs",
        "EINVAL pidfd-and-parent-tid",
        "EINVAL pidfd-with-detached",
        "EINVAL thread-across-namespaces",
        #[cfg(target_arch = "x86_64")]
        "EPERM tls-address",
        "EINVAL exit-signal-not-own",
        "EINVAL sighand-shared-and-cleared",
        "EINVAL clone3-stack-half",
        "EINVAL clone3-stack-half",
        "EPERM namespace-needs-admin",
        "EPERM namespace-needs-admin",
        "EAGAIN rlimit-nproc: Likely",
    ];
    let seen = rules("failures");
    assert_eq!(seen, expected);
    expected = vec![
        "EINVAL clone3-size-small",
        "EINVAL clone3-size-small",
        "E2BIG clone3-unknown-tail",
        "EFAULT clone3-unreadable",
        "EINVAL clone3-size-small",
        "E2BIG clone3-size-huge",
        "E2BIG clone3-size-huge",
        "E2BIG clone3-size-huge",
        "E2BIG clone3-size-huge",
        "EFAULT clone3-unreadable",
        "EINVAL clone3-stack-address",
        "EINVAL set-tid-too-many",
        "EFAULT clone3-unreadable",
        "EFAULT clone3-unreadable",
    ];
    let seen = rules("clone3_sizes");
    let (plain, tids) = seen.split_at(expected.len());
    assert_eq!(plain, expected);
    assert!(
        tids.iter()
            .all(|one| one.contains("set-tid") && !one.contains(": ")),
        "{seen:?}"
    );
    assert_eq!(tids.len(), 3);
}

/// No refusal of any fixture is left without a word.
#[test]
fn clone_flags_are_refused_for_reasons() {
    let traced = trace(&[program("clone_flags").as_os_str()]);
    for (errno, _, reasons) in failures(&traced.events) {
        let sure = |one: &Reason| matches!(one.certainty, Certainty::Certain | Certainty::Likely);
        assert!(reasons.first().is_some_and(sure), "{errno}: {reasons:?}");
    }
}
