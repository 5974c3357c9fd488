use std::cell::RefCell;
use std::collections::BTreeMap;

use super::*;
use crate::abi::flags::{CLONE_NEWUTS, CLONE_THREAD, CLONE_VM};
use crate::decode;
use crate::event::{Certainty, Hex, Tid};
use crate::peek::testing::{Recorded, x86_64};
use crate::peek::{Errno, Syscall};

const ENOENT: Errno = Errno(2);

/// A task, and the system around it.
#[derive(Default)]
struct World {
    task: Recorded,
    system: BTreeMap<String, String>,
    links: BTreeMap<String, String>,
    processes: Vec<String>,
    lists: RefCell<usize>,
}

impl Peek for World {
    fn tid(&self) -> Tid {
        100
    }
    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), Errno> {
        self.task.read(addr, buf)
    }
    fn proc_file(&self, name: &str) -> Result<Vec<u8>, Errno> {
        self.task.proc_file(name)
    }
    fn proc_link(&self, name: &str) -> Result<Vec<u8>, Errno> {
        self.task.proc_link(name)
    }
    fn system_file(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let text = self.system.get(path).ok_or(ENOENT)?;
        Ok(text.clone().into_bytes())
    }
    fn system_link(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let text = self.links.get(path).ok_or(ENOENT)?;
        Ok(text.clone().into_bytes())
    }
    fn system_list(&self, _: &str) -> Result<Vec<String>, Errno> {
        *self.lists.borrow_mut() += 1;
        Ok(self.processes.clone())
    }
}

impl World {
    /// An ordinary user's task on this kernel, with limits far away.
    fn new(release: &str) -> World {
        let mut world = World {
            task: Recorded::new()
                .with_file(
                    "status",
                    "Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nNSpid:\t100\nNStgid:\t100\n\
                     CapEff:\t0000000000000000\nSeccomp:\t2\nSeccomp_filters:\t1\n",
                )
                .with_file("limits", "Max processes             400                  800 processes\n")
                .with_file("stat", format!("100 (a) b) S{}", " 0".repeat(49)))
                .with_file("cgroup", "0::/user.slice/app\n")
                .with_link("ns/user", "user:[4026531837]")
                .with_link("ns/pid", "pid:[4026531836]")
                .with_link("ns/pid_for_children", "pid:[4026531836]"),
            ..World::default()
        };
        for (path, text) in [
            ("/proc/sys/kernel/osrelease", release),
            ("/proc/sys/kernel/threads-max", "30000\n"),
            ("/proc/sys/kernel/pid_max", "32768\n"),
            ("/proc/loadavg", "0.00 0.01 0.05 1/200 4711\n"),
            (
                "/proc/self/mountinfo",
                "30 1 0:25 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
            ),
            ("/sys/fs/cgroup/user.slice/pids.max", "512\n"),
            ("/sys/fs/cgroup/user.slice/pids.current", "37\n"),
            ("/sys/fs/cgroup/user.slice/pids.events", "max 0\n"),
            ("/sys/fs/cgroup/user.slice/app/pids.max", "max\n"),
            ("/proc/1/status", "Uid:\t0\t0\t0\t0\nThreads:\t50\n"),
            (
                "/proc/100/status",
                "Uid:\t1000\t1000\t1000\t1000\nThreads:\t150\n",
            ),
        ] {
            world.system.insert(path.into(), text.into());
        }
        for kind in [
            "cgroup:[4026531835]",
            "pid:[4026531836]",
            "user:[4026531837]",
        ] {
            let (name, _) = kind.split_once(':').unwrap();
            world
                .links
                .insert(format!("/proc/self/ns/{name}"), kind.into());
        }
        world.processes = vec!["1".into(), "100".into(), "self".into(), "7777".into()];
        world
    }

    fn with(mut self, path: &str, text: &str) -> World {
        self.system.insert(path.into(), text.into());
        self
    }

    /// The reasons of a call that fails so.
    fn why(&self, limits: &mut Limits, call: Syscall, errno: &str) -> Vec<Reason> {
        self.why_at(limits, call, errno, 0)
    }

    fn why_at(&self, limits: &mut Limits, call: Syscall, errno: &str, at_ns: u64) -> Vec<Reason> {
        let mut event = failed(self, call, errno);
        limits.failed(self, at_ns, &mut event);
        match event.outcome {
            Outcome::Failed { reasons, .. } => reasons,
            other => panic!("{other:?}"),
        }
    }
}

fn failed(task: &dyn Peek, call: Syscall, errno: &str) -> CloneCall {
    CloneCall {
        took_ns: None,
        tid: 100,
        tgid: 100,
        comm: "a".into(),
        comm_hex: None,
        request: decode::decode(task, &call).expect("a call").request,
        wrote: None,
        outcome: Outcome::Failed {
            errno: errno.into(),
            code: 0,
            reasons: Vec::new(),
        },
        libc: None,
        cgroup_path: None,
        origin: None,
        origin_certainty: None,
        caller: Vec::new(),
        runs: None,
        sharing: None,
        cost: None,
    }
}

fn clone(flags: u64) -> Syscall {
    x86_64(56, [flags, 0, 0, 0, 0, 0])
}

fn clone3(size: u64) -> Syscall {
    x86_64(435, [0x1000, size, 0, 0, 0, 0])
}

fn ours() -> Limits {
    Limits {
        filters: Some(1),
        ..Limits::default()
    }
}

/// `certain rule` of each.
fn told(reasons: &[Reason]) -> Vec<String> {
    let line = |one: &Reason| format!("{:?} {}", one.certainty, one.rule);
    reasons.iter().map(line).collect()
}

#[test]
fn what_the_arguments_decide_stands_alone() {
    let world = World::new("6.18.44");
    let reasons = world.why(&mut ours(), clone(CLONE_THREAD.union(CLONE_VM).0), "EINVAL");
    assert_eq!(told(&reasons), ["Certain thread-needs-sighand"]);
    assert_eq!(
        reasons[0].text.to_string(),
        "CLONE_THREAD without CLONE_SIGHAND: threads must share signal handlers"
    );
    assert!(reasons[0].evidence.is_empty());
}

#[test]
fn a_limit_that_is_reached_is_likely_and_the_others_are_excluded() {
    let world = World::new("6.18.44").with(
        "/proc/100/status",
        "Uid:\t1000\t1000\t1000\t1000\nThreads:\t400\n",
    );
    let world = world.with("/proc/loadavg", "0 0 0 1/460 4711\n");
    let reasons = world.why(&mut ours(), clone(17), "EAGAIN");
    assert_eq!(
        told(&reasons),
        [
            "Likely rlimit-nproc",
            "Excluded threads-max",
            "Excluded no-free-pid",
            "Excluded pids-max"
        ]
    );
    assert_eq!(
        reasons[0].text.to_string(),
        "RLIMIT_NPROC: user 1000 has 400 of 400 tasks"
    );
    assert_eq!(
        reasons[3].text.to_string(),
        "pids.max: 37 of 512 in /user.slice"
    );
    assert_eq!(reasons[3].evidence["pids.events"], 0);
}

#[test]
fn the_limit_of_any_cgroup_on_the_way_up_counts() {
    let world = World::new("6.18.44").with("/sys/fs/cgroup/user.slice/pids.current", "512\n");
    let reasons = world.why(&mut ours(), clone(17), "EAGAIN");
    assert_eq!(told(&reasons)[0], "Likely pids-max");
    assert_eq!(
        reasons[0].text.to_string(),
        "pids.max: 512 of 512 in /user.slice"
    );
}

#[test]
fn what_is_left_when_all_others_are_excluded_is_likely_and_never_certain() {
    let world = World::new("6.18.44").with("/proc/sys/kernel/pid_max", "300\n");
    let reasons = world.why(&mut ours(), clone(17), "EAGAIN");
    // 200 of 300: neither reached nor far away.
    assert_eq!(told(&reasons)[0], "Likely no-free-pid");
}

#[test]
fn what_cannot_be_seen_is_possible() {
    let mut world = World::new("6.18.44");
    world.links.clear();
    world.system.remove("/proc/self/mountinfo");
    world.system.remove("/proc/sys/kernel/threads-max");
    let reasons = world.why(&mut ours(), clone(17), "EAGAIN");
    assert_eq!(
        told(&reasons),
        [
            "Possible threads-max",
            "Possible no-free-pid",
            "Possible pids-max",
            "Excluded rlimit-nproc"
        ]
    );
}

/// Whether the namespace for the children has an init shows in its link up to 6.18, and no more in 7.2.
#[test]
fn a_namespace_that_waits_for_its_pid_1() {
    let block: &[u64] = &[0, 0, 0, 0, 17, 0, 0, 0, 0x2000, 1, 0];
    for (release, link, reason) in [
        ("6.18.44", None, "Certain first-tid-must-be-one"),
        (
            "7.2.13",
            Some("pid:[4026532000]"),
            "Likely first-tid-must-be-one",
        ),
    ] {
        let mut world = World::new(release);
        world.task = Recorded::new()
            .with_words(0x1000, block)
            .with(0x2000, 2_i32.to_ne_bytes())
            .with_file(
                "status",
                "Uid:\t0\t0\t0\t0\nNSpid:\t100\nCapEff:\t000001ffffffffff\n",
            )
            .with_link("ns/user", "user:[4026531837]")
            .with_link("ns/pid", "pid:[4026531836]");
        if let Some(link) = link {
            world.task = world.task.with_link("ns/pid_for_children", link);
        }
        let reasons = told(&world.why(&mut ours(), clone3(88), "EINVAL"));
        assert_eq!(
            reasons.first().map(String::as_str),
            Some(reason),
            "{reasons:?}"
        );
    }
}

#[test]
fn users_are_not_counted_at_every_retry() {
    let world = World::new("6.18.44");
    let mut limits = ours();
    for at_ns in [0, 1, 99_999_999] {
        world.why_at(&mut limits, clone(17), "EAGAIN", at_ns);
    }
    assert_eq!(*world.lists.borrow(), 1);
    world.why_at(&mut limits, clone(17), "EAGAIN", 100_000_000);
    assert_eq!(*world.lists.borrow(), 2);
}

#[test]
fn a_filter_is_told_from_ours() {
    let mut world = World::new("6.18.44");
    let block: &[u64] = &[0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0];
    world.task = world.task.with_words(0x1000, block);
    assert_eq!(told(&world.why(&mut ours(), clone3(88), "ENOSYS")), [""; 0]);
    // Attached to: the one filter that there is is not ours.
    let mut attached = Limits::default();
    let reasons = world.why(&mut attached, clone3(88), "ENOSYS");
    assert_eq!(told(&reasons), ["Certain sandbox-filter"]);
    assert_eq!(
        reasons[0].text.to_string(),
        "a filter answers for the kernel (Seccomp_filters 1, ours is 0)"
    );
    let old = World {
        task: world.task.clone(),
        ..World::new("5.2.0")
    };
    assert_eq!(
        told(&old.why(&mut ours(), clone3(88), "ENOSYS")),
        ["Certain no-clone3"]
    );
}

#[test]
fn arguments_that_have_changed_decide_nothing_for_certain() {
    let mut world = World::new("6.18.44");
    world.task = world.task.with_words(0x1000, &[0, 0, 0, 0, 17, 0, 0, 0]);
    let mut event = failed(&world, clone3(64), "EINVAL");
    world.task = world.task.with_words(0x1000, &[0, 0, 0, 0, 65, 0, 0, 0]);
    ours().failed(&world, 0, &mut event);
    let Outcome::Failed { reasons, .. } = event.outcome else {
        panic!("it failed");
    };
    assert_eq!(told(&reasons), ["Likely clone3-exit-signal"]);
    assert!(reasons[0].evidence.contains_key("arguments"));
}

#[test]
fn a_capability_that_is_missing_is_certain() {
    let world = World::new("6.18.44");
    let reasons = world.why(&mut ours(), clone(CLONE_NEWUTS.0 | 17), "EPERM");
    assert_eq!(told(&reasons), ["Certain namespace-needs-admin"]);
    assert!(
        reasons[0]
            .text
            .to_string()
            .starts_with("CLONE_NEWUTS without CAP_SYS_ADMIN")
    );
}

#[test]
fn nothing_is_said_without_a_label_or_a_cause() {
    let world = World::new("6.18.44");
    // No rule gives this.
    assert_eq!(told(&world.why(&mut ours(), clone(17), "EXDEV")), [""; 0]);
    // A task that is gone, a kernel that does not name itself, a call without registers.
    let gone = World {
        task: Recorded::new().failing(3),
        ..World::new("6.18.44")
    };
    for errno in ["EAGAIN", "ENOMEM", "EPERM", "ENOSPC", "EINVAL"] {
        for reason in gone.why(&mut ours(), clone(CLONE_NEWUTS.0 | 17), errno) {
            assert_ne!(reason.certainty, Certainty::Certain, "{reason:?}");
        }
    }
    let nameless = World::new("a kernel");
    assert_eq!(
        told(&nameless.why(&mut ours(), clone(17), "EAGAIN")),
        [""; 0]
    );
    let mut blank = failed(&world, clone(17), "EAGAIN");
    blank.request.raw = None;
    ours().failed(&world, 0, &mut blank);
    assert!(matches!(blank.outcome, Outcome::Failed { reasons, .. } if reasons.is_empty()));
    let mut absurd = failed(&world, clone(17), "EAGAIN");
    absurd.request.abi = "unheard of".into();
    absurd.request.flags_raw = Some(Hex(u64::MAX));
    ours().failed(&world, 0, &mut absurd);
    assert!(matches!(absurd.outcome, Outcome::Failed { reasons, .. } if reasons.is_empty()));
}
