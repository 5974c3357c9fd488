//! Every rule that can be provoked by bringing about its state, provoked: the kernel's errno is the
//! rule's, and the rule is among those that the tables suspect.

use super::super::*;
use super::machine::{self, Built, CAP_SETUID, CAP_SYS_ADMIN, NOBODY, lacking};
use crate::abi::errno;
use crate::abi::flags::{
    CLONE_INTO_CGROUP, CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID,
    CLONE_NEWTIME, CLONE_NEWUSER, CLONE_NEWUTS, CLONE_PARENT, CLONE_PIDFD, CLONE_SETTLS,
    CLONE_SIGHAND, CLONE_SYSVSEM, CLONE_THREAD, CLONE_VM,
};
use crate::event::Call;

/// A scene of fixtures/rules/refusals.c: its name, the rule, and the call that it ends with.
struct Scene {
    name: &'static str,
    rule: &'static str,
    call: Call,
    flags: u64,
    /// clone3's set_tid.
    tids: &'static [i32],
}

const fn scene(name: &'static str, call: Call, flags: u64) -> Scene {
    Scene {
        name,
        rule: name,
        call,
        flags,
        tids: &[],
    }
}

impl Scene {
    const fn of(mut self, rule: &'static str) -> Self {
        self.rule = rule;
        self
    }

    const fn tids(mut self, tids: &'static [i32]) -> Self {
        self.tids = tids;
        self
    }
}

const SIBLING: u64 = CLONE_PARENT.0;
const THREAD: u64 = CLONE_VM.0 | CLONE_SIGHAND.0 | CLONE_THREAD.0;
const INTO: u64 = CLONE_INTO_CGROUP.0;

const SCENES: &[Scene] = &[
    scene("sandbox-filter", Call::Clone3, 0),
    scene("init-has-no-siblings", Call::Clone, SIBLING),
    scene("thread-after-unshare-pid", Call::Clone, THREAD),
    scene("userns-too-deep", Call::Clone, CLONE_NEWUSER.0),
    scene("user-namespace-limit", Call::Clone3, CLONE_NEWUSER.0),
    scene("newuser-in-chroot", Call::Clone, CLONE_NEWUSER.0),
    scene("newuser-unmapped-ids", Call::Clone, CLONE_NEWUSER.0),
    scene("rlimit-nproc", Call::Clone, 0),
    scene("deadline-cannot-fork", Call::Clone, 0),
    scene("namespace-needs-admin", Call::Clone3, CLONE_NEWTIME.0),
    scene("mnt-namespace-limit", Call::Clone3, CLONE_NEWNS.0),
    scene("uts-namespace-limit", Call::Clone3, CLONE_NEWUTS.0),
    scene("ipc-namespace-limit", Call::Clone3, CLONE_NEWIPC.0),
    scene("newpid-while-pending", Call::Clone, CLONE_NEWPID.0),
    scene("pidns-too-deep", Call::Clone, CLONE_NEWPID.0),
    scene("pid-namespace-limit", Call::Clone3, CLONE_NEWPID.0),
    scene("cgroup-namespace-limit", Call::Clone3, CLONE_NEWCGROUP.0),
    scene("net-namespace-limit", Call::Clone3, CLONE_NEWNET.0),
    scene("time-namespace-limit", Call::Clone3, CLONE_NEWTIME.0),
    scene("tls-descriptor", Call::Clone, CLONE_SETTLS.0),
    scene("tls-descriptor-entry", Call::Clone, CLONE_SETTLS.0).of("tls-descriptor"),
    scene("first-tid-must-be-one", Call::Clone3, 0).tids(&[2]),
    scene("no-free-pid", Call::Fork, 0),
    scene("pid-namespace-dead", Call::Clone, 0),
    scene("pidfd-no-descriptor", Call::Clone, CLONE_PIDFD.0),
    scene("cgroup-not-a-cgroup", Call::Clone3, INTO),
    scene("cgroup-removed", Call::Clone3, INTO),
    scene("cgroup-permission", Call::Clone3, INTO),
    scene("cgroup-domain", Call::Clone3, INTO),
    scene("cgroup-domain-thread", Call::Clone3, INTO | THREAD).of("cgroup-domain"),
    scene("cgroup-inner-node", Call::Clone3, INTO),
    scene("pids-max", Call::Clone, 0),
];

/// Whether a scene brings this rule about.
pub fn provokes(rule: &str) -> bool {
    SCENES.iter().any(|scene| scene.rule == rule)
}

/// The errno with which the kernel answers in a scene; `None`, and a word about it, where it cannot be
/// played.
fn answer(scene: &str, program: &Built, user: Option<u32>) -> Option<&'static str> {
    let user_text = user.map(|uid| uid.to_string());
    let args: Vec<&str> = [scene].into_iter().chain(user_text.as_deref()).collect();
    let output = machine::run(&program.program, &args, Vec::new());
    let answer = output.trim();
    if let Some(why) = answer.strip_prefix("skip: ") {
        // What an ordinary user may not do is no fault of the machine's.
        if user.is_none() && machine::capable(CAP_SYS_ADMIN) {
            lacking(&format!("{scene}: {why}"));
        } else {
            eprintln!("not tested: {scene} as an ordinary user: {why}");
        }
        return None;
    }
    let name = answer.parse().ok().and_then(errno::name);
    Some(name.unwrap_or_else(|| panic!("{scene}: the kernel says {answer}")))
}

/// The kernel's answer in a scene is its rule's, and the rule is suspected.
fn play(scene: &Scene, program: &Built, kernel: &Kernel, user: Option<u32>) {
    let rule = named(scene.rule).expect(scene.rule);
    if !rule.on(kernel.version) {
        return;
    }
    let Some(name) = answer(scene.name, program, user) else {
        return;
    };
    assert!(
        rule.gives(name),
        "{}: {name}, not {:?}",
        scene.name,
        rule.errnos
    );
    let mut arguments = Arguments::of_flags(scene.call, scene.flags, 0);
    arguments.set_tid = scene.tids.as_ptr().addr() as u64 * u64::from(!scene.tids.is_empty());
    arguments.set_tid_size = scene.tids.len() as u64;
    arguments.tids = Tids::Read(scene.tids.to_vec());
    let mut kernel = *kernel;
    if scene.rule == "tls-descriptor" {
        kernel.tls = Tls::Descriptor; // a call of i386
    }
    assert_eq!(
        judge(&arguments, &kernel).map(|rule| rule.id),
        None,
        "{}",
        scene.name
    );
    let suspects = suspects(&arguments, &kernel, name);
    assert!(
        suspects.iter().any(|suspect| suspect.id == scene.rule),
        "{}: {name} is put down to {:?}",
        scene.name,
        suspects.iter().map(|rule| rule.id).collect::<Vec<_>>()
    );
}

#[test]
fn states_in_which_the_kernel_refuses() {
    let (Some(kernel), Some(program)) = (machine::kernel(), machine::compile("refusals")) else {
        return;
    };
    for scene in SCENES {
        play(scene, &program, &kernel, None);
    }
}

#[test]
fn an_ordinary_user_is_refused_for_the_same_reasons() {
    if !(machine::capable(CAP_SETUID) && machine::capable(CAP_SYS_ADMIN)) {
        eprintln!("not tested: the other test runs as an ordinary user already");
        return;
    }
    let (Some(kernel), Some(program)) = (machine::kernel(), machine::compile("refusals")) else {
        return;
    };
    for scene in SCENES {
        play(scene, &program, &kernel, Some(NOBODY));
    }
}

/// Scenes with two reasons to refuse: the name, the call, and the rules that hold, of which the kernel
/// must find the first of the table first.
const ORDERS: &[(&str, Call, u64, u64, &[&str])] = &[
    (
        "nproc-and-admin",
        Call::Clone,
        CLONE_NEWUTS.0,
        17,
        &["namespace-needs-admin", "rlimit-nproc"],
    ),
    ("block-and-nproc", Call::Clone3, 0, 65, &["rlimit-nproc"]),
    (
        "chroot-and-nproc",
        Call::Clone,
        CLONE_NEWUSER.0,
        17,
        &["rlimit-nproc", "newuser-in-chroot"],
    ),
    (
        "descriptors-and-address",
        Call::Clone,
        CLONE_PIDFD.0,
        17,
        &["pidfd-address", "pidfd-no-descriptor"],
    ),
    (
        "ipc-and-pids",
        Call::Clone,
        CLONE_NEWIPC.0 | CLONE_SYSVSEM.0,
        17,
        &["pids-max"],
    ),
];

#[test]
fn of_two_reasons_the_kernel_finds_the_one_that_comes_first_in_the_table() {
    let (Some(kernel), Some(program)) = (machine::kernel(), machine::compile("refusals")) else {
        return;
    };
    // Up to 5.13 RLIMIT_NPROC was looked at before the user namespace was made.
    let recent = kernel.version >= Version(5, 14, 0);
    for (name, call, flags, signal, truth) in ORDERS {
        if !recent && truth.contains(&"newuser-in-chroot") {
            continue;
        }
        let Some(errno) = answer(name, &program, None) else {
            continue;
        };
        let arguments = Arguments::of_flags(*call, *flags, *signal);
        let first = judge_with(&arguments, &kernel, |rule| Some(truth.contains(&rule.id)));
        let first = first.expect("a rule that refuses");
        assert_eq!(first.errno(), Some(errno), "{name}: {}", first.id);
        // The others would have given another errno, else nothing is shown.
        let others = truth.iter().filter(|id| **id != first.id);
        for other in others.filter_map(|id| named(id)) {
            assert!(!other.gives(errno), "{name}: {}", other.id);
        }
    }
}

/// What is marked as observed was: by a scene, by a random call, or by a fixture that is named here.
#[test]
fn every_observed_rule_has_its_proof() {
    let elsewhere = [
        // Only a tracer sees it: fixtures/restart.c.
        "signal-pending",
        // Told by where user memory ends and what is mapped: random calls.
        "tls-address",
        "pidfd-address",
        "set-tid-deeper-than-namespaces",
        "tid-above-pid-max",
        "set-tid-needs-capability",
        "tid-in-use",
    ];
    for rule in all().filter(|rule| rule.proof == Proof::Observed) {
        let scene = provokes(rule.id);
        let random = rule.decided == Decided::Arguments;
        assert!(
            scene || random || elsewhere.contains(&rule.id),
            "{} is called observed; where?",
            rule.id
        );
    }
    let names: std::collections::BTreeSet<&str> = SCENES.iter().map(|scene| scene.name).collect();
    assert_eq!(names.len(), SCENES.len());
}
