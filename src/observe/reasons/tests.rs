use super::*;
use crate::abi::flags::{CLONE_NEWUSER, CLONE_NEWUTS, CLONE_THREAD, CLONE_VM};
use crate::decode;
use crate::event::{Certainty, Hex};
use crate::peek::Syscall;
use crate::peek::testing::{Recorded, x86_64};
use crate::sys::Question;

/// An ordinary user's task on this kernel, with limits far away.
fn user_on(release: &str) -> Recorded {
    Recorded::new()
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
        .with_link("ns/pid_for_children", "pid:[4026531836]")
        .with_system_file("/proc/sys/kernel/osrelease", release)
        .with_system_file("/proc/sys/kernel/threads-max", "30000\n")
        .with_system_file("/proc/sys/kernel/pid_max", "32768\n")
        .with_system_file("/proc/loadavg", "0.00 0.01 0.05 1/200 4711\n")
        .with_system_file(
            "/proc/self/mountinfo",
            "30 1 0:25 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
        )
        .with_system_file("/sys/fs/cgroup/user.slice/pids.max", "512\n")
        .with_system_file("/sys/fs/cgroup/user.slice/pids.current", "37\n")
        .with_system_file("/sys/fs/cgroup/user.slice/pids.events", "max 0\n")
        .with_system_file("/sys/fs/cgroup/user.slice/app/pids.max", "max\n")
        .with_system_list("/proc", &["1", "100", "self", "7777"])
        .with_system_file("/proc/1/status", "Uid:\t0\t0\t0\t0\nThreads:\t50\n")
        .with_system_file(
            "/proc/100/status",
            "Uid:\t1000\t1000\t1000\t1000\nThreads:\t150\n",
        )
        .with_system_link("/proc/self/ns/cgroup", "cgroup:[4026531835]")
        .with_system_link("/proc/self/ns/pid", "pid:[4026531836]")
        .with_system_link("/proc/self/ns/user", "user:[4026531837]")
}

/// The reasons of a call that fails so.
fn why(task: &Recorded, limits: &mut Reasons, call: Syscall, errno: &str) -> Vec<Reason> {
    why_at(task, limits, call, errno, 0)
}

fn why_at(
    task: &Recorded,
    limits: &mut Reasons,
    call: Syscall,
    errno: &str,
    at_ns: u64,
) -> Vec<Reason> {
    let mut event = failed(task, call, errno);
    limits.failed(task, at_ns, &mut event);
    match event.outcome {
        Outcome::Failed { reasons, .. } => reasons,
        other => panic!("{other:?}"),
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

fn ours() -> Reasons {
    Reasons {
        filters: Some(1),
        ..Reasons::default()
    }
}

/// `certain rule` of each.
fn told(reasons: &[Reason]) -> Vec<String> {
    let line = |one: &Reason| format!("{:?} {}", one.certainty, one.rule);
    reasons.iter().map(line).collect()
}

#[test]
fn what_the_arguments_decide_stands_alone() {
    let task = user_on("6.18.44");
    let reasons = why(
        &task,
        &mut ours(),
        clone(CLONE_THREAD.union(CLONE_VM).0),
        "EINVAL",
    );
    assert_eq!(told(&reasons), ["Certain thread-needs-sighand"]);
    assert_eq!(
        reasons[0].text.to_string(),
        "CLONE_THREAD without CLONE_SIGHAND: threads must share signal handlers"
    );
    assert!(reasons[0].evidence.is_empty());
}

#[test]
fn a_limit_that_is_reached_is_likely_and_the_others_are_excluded() {
    let task = user_on("6.18.44").with_system_file(
        "/proc/100/status",
        "Uid:\t1000\t1000\t1000\t1000\nThreads:\t400\n",
    );
    let task = task.with_system_file("/proc/loadavg", "0 0 0 1/460 4711\n");
    let reasons = why(&task, &mut ours(), clone(17), "EAGAIN");
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
    let task =
        user_on("6.18.44").with_system_file("/sys/fs/cgroup/user.slice/pids.current", "512\n");
    let reasons = why(&task, &mut ours(), clone(17), "EAGAIN");
    assert_eq!(told(&reasons)[0], "Likely pids-max");
    assert_eq!(
        reasons[0].text.to_string(),
        "pids.max: 512 of 512 in /user.slice"
    );
}

#[test]
fn what_is_left_when_all_others_are_excluded_is_likely_and_never_certain() {
    let task = user_on("6.18.44").with_system_file("/proc/sys/kernel/pid_max", "300\n");
    let reasons = why(&task, &mut ours(), clone(17), "EAGAIN");
    // 200 of 300: neither reached nor far away.
    assert_eq!(told(&reasons)[0], "Likely no-free-pid");
}

#[test]
fn what_cannot_be_seen_is_possible() {
    let mut task = user_on("6.18.44");
    task.system_links.clear();
    task.system_files.remove("/proc/self/mountinfo");
    task.system_files.remove("/proc/sys/kernel/threads-max");
    let reasons = why(&task, &mut ours(), clone(17), "EAGAIN");
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
        let mut task = user_on(release)
            .with_words(0x1000, block)
            .with(0x2000, 2_i32.to_ne_bytes())
            .with_file(
                "status",
                "Uid:\t0\t0\t0\t0\nNSpid:\t100\nCapEff:\t000001ffffffffff\n",
            );
        task.links.remove("ns/pid_for_children");
        if let Some(link) = link {
            task = task.with_link("ns/pid_for_children", link);
        }
        let reasons = told(&why(&task, &mut ours(), clone3(88), "EINVAL"));
        assert_eq!(
            reasons.first().map(String::as_str),
            Some(reason),
            "{reasons:?}"
        );
    }
}

#[test]
fn users_are_not_counted_at_every_retry() {
    let task = user_on("6.18.44");
    let mut limits = ours();
    for at_ns in [0, 1, 99_999_999] {
        why_at(&task, &mut limits, clone(17), "EAGAIN", at_ns);
    }
    assert_eq!(task.times_asked("/proc"), 1);
    why_at(&task, &mut limits, clone(17), "EAGAIN", 100_000_000);
    assert_eq!(task.times_asked("/proc"), 2);
}

#[test]
fn a_filter_is_told_from_ours() {
    let block: &[u64] = &[0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0];
    let task = user_on("6.18.44").with_words(0x1000, block);
    assert_eq!(
        told(&why(&task, &mut ours(), clone3(88), "ENOSYS")),
        [""; 0]
    );
    // Attached to: the one filter that there is is not ours.
    let mut attached = Reasons::default();
    let reasons = why(&task, &mut attached, clone3(88), "ENOSYS");
    assert_eq!(told(&reasons), ["Certain sandbox-filter"]);
    assert_eq!(
        reasons[0].text.to_string(),
        "a filter answers for the kernel (Seccomp_filters 1, ours is 0)"
    );
    let old = task.with_system_file("/proc/sys/kernel/osrelease", "5.2.0");
    assert_eq!(
        told(&why(&old, &mut ours(), clone3(88), "ENOSYS")),
        ["Certain no-clone3"]
    );
}

#[test]
fn arguments_that_have_changed_decide_nothing_for_certain() {
    let mut task = user_on("6.18.44").with_words(0x1000, &[0, 0, 0, 0, 17, 0, 0, 0]);
    let mut event = failed(&task, clone3(64), "EINVAL");
    task = task.with_words(0x1000, &[0, 0, 0, 0, 65, 0, 0, 0]);
    ours().failed(&task, 0, &mut event);
    let Outcome::Failed { reasons, .. } = event.outcome else {
        panic!("it failed");
    };
    assert_eq!(told(&reasons), ["Likely clone3-exit-signal"]);
    assert!(reasons[0].evidence.contains_key("arguments"));
}

#[test]
fn a_capability_that_is_missing_is_certain() {
    let task = user_on("6.18.44");
    let reasons = why(&task, &mut ours(), clone(CLONE_NEWUTS.0 | 17), "EPERM");
    assert_eq!(told(&reasons), ["Certain namespace-needs-admin"]);
    assert!(
        reasons[0]
            .text
            .to_string()
            .starts_with("CLONE_NEWUTS without CAP_SYS_ADMIN")
    );
}

/// The kernel answers, or does not have the question.
#[test]
fn namespaces_around_the_callers_are_counted_by_the_kernel() {
    let first = |around: Option<u64>| {
        let task = user_on("6.18.44");
        let question = Question::UserNamespacesAround;
        let task = match around {
            Some(around) => task.with_answer(question, around),
            None => task,
        };
        let call = clone(CLONE_NEWUSER.0 | 17);
        let reasons = told(&why(&task, &mut ours(), call, "ENOSPC"));
        reasons
            .into_iter()
            .find(|one| one.ends_with("userns-too-deep"))
    };
    assert_eq!(first(Some(33)).as_deref(), Some("Certain userns-too-deep"));
    assert_eq!(first(Some(1)).as_deref(), Some("Excluded userns-too-deep"));
    assert_eq!(first(None).as_deref(), Some("Possible userns-too-deep"));
}

#[test]
fn nothing_is_said_without_a_label_or_a_cause() {
    let task = user_on("6.18.44");
    // No rule gives this.
    assert_eq!(told(&why(&task, &mut ours(), clone(17), "EXDEV")), [""; 0]);
    // A task that is gone, a kernel that does not name itself, a call without registers.
    let gone = user_on("6.18.44").failing(3);
    for errno in ["EAGAIN", "ENOMEM", "EPERM", "ENOSPC", "EINVAL"] {
        for reason in why(&gone, &mut ours(), clone(CLONE_NEWUTS.0 | 17), errno) {
            assert_ne!(reason.certainty, Certainty::Certain, "{reason:?}");
        }
    }
    let nameless = user_on("a kernel");
    assert_eq!(
        told(&why(&nameless, &mut ours(), clone(17), "EAGAIN")),
        [""; 0]
    );
    let mut blank = failed(&task, clone(17), "EAGAIN");
    blank.request.raw = None;
    ours().failed(&task, 0, &mut blank);
    assert!(matches!(blank.outcome, Outcome::Failed { reasons, .. } if reasons.is_empty()));
    let mut absurd = failed(&task, clone(17), "EAGAIN");
    absurd.request.abi = "unheard of".into();
    absurd.request.flags_raw = Some(Hex(u64::MAX));
    ours().failed(&task, 0, &mut absurd);
    assert!(matches!(absurd.outcome, Outcome::Failed { reasons, .. } if reasons.is_empty()));
}
