//! The tables against themselves; `random` and `refusals` hold them against the running kernel.

use std::collections::BTreeSet;

use super::*;
use crate::abi::testing::is_translated;
use crate::abi::{CloneFlags, Lang, Text, errno, flags};
use crate::event::Call;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod machine;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod random;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod refusals;

const NOW: Kernel = Kernel {
    user_last: Some(0x7fff_ffff_f000),
    tls: Tls::Below(0x7fff_ffff_f000),
    ..kernel(6, 18)
};

const fn kernel(major: u32, minor: u32) -> Kernel {
    Kernel {
        version: Version(major, minor, 0),
        page_size: 4096,
        max_signal: 64,
        user_last: None,
        tls: Tls::Anything,
    }
}

fn clone3(flags: &str) -> Arguments {
    Arguments::of_flags(Call::Clone3, bits(flags), 0)
}

fn clone(flags: &str) -> Arguments {
    Arguments::of_flags(Call::Clone, bits(flags), 0)
}

fn bits(text: &str) -> u64 {
    text.parse::<CloneFlags>().unwrap().0
}

fn id(arguments: &Arguments, kernel: &Kernel) -> &'static str {
    judge(arguments, kernel).map_or("accepted", |rule| rule.id)
}

#[test]
fn every_row_is_complete_and_its_name_its_own() {
    let mut names = BTreeSet::new();
    for rule in all() {
        assert!(names.insert(rule.id), "{} twice", rule.id);
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(rule.id.chars().all(kebab), "{}", rule.id);
        for text in [rule.condition, rule.english, rule.chinese, rule.source] {
            assert!(!text.is_empty(), "{}", rule.id);
        }
        assert!(rule.chinese.ends_with('。'), "{}", rule.id);
        assert!(
            rule.decided != Decided::Look || !rule.look.is_empty(),
            "{}: where to look?",
            rule.id
        );
        for text in [rule.look, rule.kernels] {
            assert!(is_translated(text), "{}", rule.id);
        }
        assert!(!rule.calls.is_empty(), "{}", rule.id);
        assert!(
            rule.until.is_none_or(|until| until > rule.since),
            "{}",
            rule.id
        );
        for name in rule.errnos {
            assert!(errno::number(name).is_some(), "{}: {name}", rule.id);
        }
        // A rule that the arguments decide has one answer.
        assert!(
            rule.decided != Decided::Arguments || rule.errnos.len() == 1,
            "{}",
            rule.id
        );
    }
    for row in IGNORED {
        assert!(names.insert(row.id), "{} twice", row.id);
        for text in [row.condition, row.english, row.chinese, row.source] {
            assert!(!text.is_empty(), "{}", row.id);
        }
        assert!(is_translated(row.kernels), "{}", row.id);
    }
}

#[test]
fn flags_in_words_are_flags() {
    let en = |text: Text| text.pick(Lang::English);
    let texts =
        all().flat_map(|rule| [rule.condition, rule.english, rule.chinese, en(rule.kernels)]);
    let texts = texts.chain(
        IGNORED
            .iter()
            .flat_map(|row| [row.condition, row.english, row.chinese, en(row.kernels)]),
    );
    for text in texts {
        let word = |c: char| c.is_ascii_uppercase() || c == '_';
        for name in text.split(|c| !word(c)) {
            let known = flags::named(name).is_some() || ["CLONE_NEW", "CLONE_NEW_"].contains(&name);
            assert!(!name.starts_with("CLONE_") || known, "{name} in {text:?}");
        }
    }
}

#[test]
fn the_first_rule_in_the_kernels_order_is_the_cause() {
    assert_eq!(
        id(&clone3("CLONE_THREAD|CLONE_VM"), &NOW),
        "thread-needs-sighand"
    );
    assert_eq!(id(&clone("CLONE_SIGHAND"), &NOW), "sighand-needs-vm");
    // The block before the flags, and within it the order of the kernel's source.
    let mut arguments = clone3("CLONE_THREAD|CLONE_NEWNS|CLONE_FS");
    assert_eq!(id(&arguments, &NOW), "newns-with-fs");
    arguments.exit_signal = 17;
    assert_eq!(id(&arguments, &NOW), "exit-signal-not-own");
    arguments.exit_signal = 65;
    assert_eq!(id(&arguments, &NOW), "clone3-exit-signal");
    arguments.set_tid = 8;
    assert_eq!(id(&arguments, &NOW), "set-tid-half");
    arguments.size = 63;
    assert_eq!(id(&arguments, &NOW), "clone3-size-small");
    arguments.size = 4097;
    assert_eq!(id(&arguments, &NOW), "clone3-size-huge");
}

#[test]
fn what_libraries_pass_is_accepted() {
    for arguments in [
        Arguments::new(Call::Fork),
        Arguments::new(Call::Vfork),
        Arguments::of_flags(Call::Clone, 0x0120_0000, 17),
        Arguments::of_flags(Call::Clone, 0x003d_0f00, 0),
        Arguments::of_flags(Call::Clone, 0x007d_0f00, 0),
        Arguments::of_flags(Call::Clone3, 0x003d_0f00, 0),
        Arguments::of_flags(Call::Clone3, 0x4100, 17),
        Arguments::of_flags(Call::Clone3, 0x1_0000_4100, 17),
    ] {
        assert_eq!(id(&arguments, &NOW), "accepted", "{arguments:?}");
    }
}

#[test]
fn legacy_clone_sees_32_bits_and_no_exit_signal_among_its_flags() {
    let shared = clone("CLONE_VM|CLONE_SIGHAND|CLONE_CLEAR_SIGHAND");
    assert_eq!(id(&shared, &NOW), "accepted");
    assert_eq!(
        id(&clone3("CLONE_VM|CLONE_SIGHAND|CLONE_CLEAR_SIGHAND"), &NOW),
        "sighand-shared-and-cleared"
    );
    let names = |arguments: &Arguments| -> Vec<&str> {
        ignored(arguments, &NOW).iter().map(|row| row.id).collect()
    };
    assert_eq!(names(&shared), ["high-bits"]);
    let word = Arguments::of_flags(Call::Clone, 0, 0x91);
    assert_eq!(names(&word), ["newtime-bit", "exit-signal-invalid"]);
    assert_eq!(
        names(&Arguments::of_flags(Call::Clone, 0x007d_0f00, 17)),
        ["exit-signal-of-thread", "detached"]
    );
    assert_eq!(
        names(&Arguments::of_flags(Call::Clone, 0x8000, 10)),
        ["exit-signal-of-sibling"]
    );
    assert!(names(&Arguments::of_flags(Call::Clone3, 0x003d_0f00, 0)).is_empty());
    assert!(names(&Arguments::new(Call::Fork)).is_empty());
}

#[test]
fn kernels_differ_as_the_rows_say() {
    let old = kernel(5, 2);
    assert_eq!(id(&clone3("0"), &old), "no-clone3");
    let time = clone3("CLONE_NEWTIME");
    assert_eq!(id(&time, &kernel(5, 5)), "clone3-reserved-bits");
    assert_eq!(id(&time, &kernel(5, 6)), "accepted");
    let reset = clone3("CLONE_CLEAR_SIGHAND");
    assert_eq!(id(&reset, &kernel(5, 4)), "unknown-flag");
    assert_eq!(id(&reset, &kernel(5, 5)), "accepted");
    let thread = clone("CLONE_VM|CLONE_SIGHAND|CLONE_THREAD|CLONE_PIDFD");
    assert_eq!(id(&thread, &kernel(6, 8)), "pidfd-of-thread");
    assert_eq!(id(&thread, &kernel(6, 9)), "accepted");
    let reap = Arguments::of_flags(Call::Clone3, bits("CLONE_AUTOREAP"), 17);
    assert_eq!(id(&reap, &kernel(7, 0)), "unknown-flag");
    assert_eq!(id(&reap, &kernel(7, 1)), "autoreap-with-parent-or-signal");
    // A field past those that a kernel knows is a tail there.
    let mut late = clone3("0");
    (late.set_tid, late.set_tid_size, late.cgroup) = (8, 1, 3);
    assert_eq!(id(&late, &kernel(5, 4)), "clone3-unknown-tail");
    assert_eq!(id(&late, &kernel(5, 6)), "clone3-unknown-tail");
    assert_eq!(id(&late, &kernel(5, 7)), "accepted");
    late.size = 80;
    assert_eq!(id(&late, &kernel(5, 6)), "accepted");
    // Clone never refuses a flag that it does not know.
    let pidfd = clone("CLONE_PIDFD|CLONE_PARENT_SETTID");
    assert_eq!(id(&pidfd, &kernel(5, 1)), "accepted");
    let rows: Vec<&str> = ignored(&pidfd, &kernel(5, 1))
        .iter()
        .map(|row| row.id)
        .collect();
    assert_eq!(rows, ["flag-newer-than-kernel"]);
}

#[test]
fn suspects_are_those_before_the_certain_one() {
    let ids = |arguments: &Arguments, errno: &str| -> Vec<&str> {
        suspects(arguments, &NOW, errno)
            .iter()
            .map(|rule| rule.id)
            .collect()
    };
    assert_eq!(
        ids(&clone3("CLONE_THREAD|CLONE_VM"), "EINVAL"),
        ["sandbox-filter", "thread-needs-sighand"]
    );
    assert_eq!(
        ids(&Arguments::new(Call::Fork), "EAGAIN"),
        [
            "sandbox-filter",
            "rlimit-nproc",
            "threads-max",
            "deadline-cannot-fork",
            "no-free-pid",
            "pids-max",
            "sched-ext"
        ]
    );
    // Newer rules of the pid are not reached: the IPC contradiction is found before.
    let ipc = ids(&clone("CLONE_NEWIPC|CLONE_SYSVSEM"), "EAGAIN");
    assert!(
        ipc.contains(&"rlimit-nproc") && !ipc.contains(&"pids-max"),
        "{ipc:?}"
    );
    // An ordinary user hears of the missing privilege first.
    assert_eq!(
        ids(&clone("CLONE_NEWUTS"), "EPERM"),
        [
            "sandbox-filter",
            "security-module",
            "namespace-needs-admin",
            "sched-ext"
        ]
    );
}

#[test]
fn what_was_looked_up_counts_in_the_kernels_order() {
    let arguments = clone("CLONE_NEWIPC|CLONE_SYSVSEM");
    let with = |truth: &'static [&'static str]| {
        judge_with(&arguments, &NOW, |rule| Some(truth.contains(&rule.id))).map(|rule| rule.id)
    };
    assert_eq!(with(&[]), Some("newipc-with-sysvsem"));
    assert_eq!(with(&["pids-max"]), Some("newipc-with-sysvsem"));
    assert_eq!(
        with(&["namespace-needs-admin"]),
        Some("namespace-needs-admin")
    );
    assert_eq!(
        with(&["namespace-needs-admin", "rlimit-nproc"]),
        Some("rlimit-nproc")
    );
}

#[test]
fn versions_are_read_as_the_system_writes_them() {
    let read = Version::of_release;
    assert_eq!(read("6.18.44-fc-v657"), Some(Version(6, 18, 44)));
    assert_eq!(read("5.10"), Some(Version(5, 10, 0)));
    assert_eq!(read("3.10.0-1160.el7.x86_64"), Some(Version(3, 10, 0)));
    assert_eq!(read("6.1.0+"), Some(Version(6, 1, 0)));
    assert_eq!(read("7.2-rc1"), Some(Version(7, 2, 0)));
    for text in ["", "6", "six", ".", "6.", "-6.1", "99999999999.1"] {
        assert_eq!(read(text), None, "{text:?}");
    }
    assert_eq!(Version(5, 10, 0).to_string(), "5.10");
    assert_eq!(Version(2, 6, 24).to_string(), "2.6.24");
    assert!(Version(5, 9, 0) < Version(5, 10, 0));
    // Every flag's version can be compared with a kernel's.
    for flag in flags::FLAGS {
        assert!(read(flag.since).is_some(), "{}: {}", flag.name, flag.since);
    }
}

proptest::proptest! {
    /// Any arguments on any kernel: an answer, and always the same as the list of suspects ends with.
    #[test]
    fn any_arguments_are_judged(
        call in 0..4usize,
        words: [u64; 12],
        size in 0..200u64,
        version in (2..9u32, 0..20u32),
    ) {
        let [word, exit_signal, stack, stack_size, pidfd, parent_tid, child_tid, tls, set_tid,
             set_tid_size, cgroup, _] = words;
        let arguments = Arguments {
            word, exit_signal, stack, stack_size, pidfd, parent_tid, child_tid, tls, set_tid,
            set_tid_size, cgroup, size,
            ..Arguments::new(Call::ALL[call])
        };
        let kernel = Kernel::x86_64(Version(version.0, version.1, 0));
        if let Some(rule) = judge(&arguments, &kernel) {
            let errno = rule.errno().unwrap();
            let last = suspects(&arguments, &kernel, errno).last().map(|rule| rule.id);
            proptest::prop_assert_eq!(last, Some(rule.id));
        }
        let _ = ignored(&arguments, &kernel);
    }
}
