//! What stands below lines of strace: refusals, what a line does not tell, calls that are made again.

use super::super::*;
use super::unwrapped;

/// What stands below one line, on Linux 6.18.
fn below(line: &str) -> String {
    in_language(line, Lang::English)
}

fn in_language(lines: &str, language: Lang) -> String {
    let question = Explain {
        on: Some(Version(6, 18, 0)),
        language,
        ..Explain::new(What::Set(String::new()))
    };
    let mut out = Vec::new();
    annotate(&question, &mut lines.as_bytes(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let first = lines.lines().next().unwrap_or_default();
    unwrapped(text.strip_prefix(first).unwrap())
}

/// What strace 6.1 prints of refusals by Linux 6.18 on x86-64.
#[test]
fn refusals_by_what_stands_in_the_struct_have_their_rule() {
    let fork = "clone3({flags=0, exit_signal=SIGCHLD, stack=NULL, stack_size=0";
    for (line, errno, rule) in [
        (
            "clone3({flags=0, exit_signal=0, stack=0xffff000000000000, stack_size=0x1000}, 88)",
            "EINVAL (Invalid argument)",
            "clone3-stack-address",
        ),
        (
            "clone3({flags=CLONE_SETTLS, exit_signal=SIGCHLD, stack=NULL, stack_size=0, tls=0xffffffffffffffff}, 88)",
            "EPERM (Operation not permitted)",
            "tls-address",
        ),
        (
            "clone(child_stack=NULL, flags=CLONE_SETTLS|SIGCHLD, tls=0xffffffffffffffff)",
            "EPERM (Operation not permitted)",
            "tls-address",
        ),
        (
            &format!("{fork}, set_tid=NULL, set_tid_size=1}}, 88)"),
            "EINVAL (Invalid argument)",
            "set-tid-half",
        ),
        (
            &format!("{fork}, set_tid=0x1, set_tid_size=1}}, 88)"),
            "EFAULT (Bad address)",
            "set-tid-unreadable",
        ),
        (
            &format!("{fork}, set_tid=0x1, set_tid_size=40}}, 88)"),
            "EINVAL (Invalid argument)",
            "set-tid-too-many",
        ),
        (
            &format!("{fork}, set_tid=[-1, 5], set_tid_size=2}}, 88)"),
            "EINVAL (Invalid argument)",
            "tid-below-one",
        ),
        (
            &format!(r#"{fork}, /* bytes 88..95 */ "\x05\x00\x00\x00\x00\x00\x00\x00"}}, 96)"#),
            "E2BIG (Argument list too long)",
            "clone3-unknown-tail",
        ),
        (
            &format!(r#"{fork}, /* bytes 88..127 */ "\x00\x00"...}}, 128)"#),
            "E2BIG (Argument list too long)",
            "clone3-unknown-tail",
        ),
        (
            &format!("{fork}, ???}}, 4096)"),
            "EFAULT (Bad address)",
            "clone3-unreadable",
        ),
        (
            "clone3({flags=CLONE_INTO_CGROUP, exit_signal=SIGCHLD, stack=NULL, stack_size=0}, 80)",
            "EINVAL (Invalid argument)",
            "cgroup-field",
        ),
        (
            "clone3(NULL, 88)",
            "EFAULT (Bad address)",
            "clone3-unreadable",
        ),
        (
            "clone3(0x1, 64)",
            "EFAULT (Bad address)",
            "clone3-unreadable",
        ),
        (
            "clone3(0x7ffd, 5000)",
            "E2BIG (Argument list too long)",
            "clone3-size-huge",
        ),
        (
            "clone3(0x7ffd, 63)",
            "EINVAL (Invalid argument)",
            "clone3-size-small",
        ),
    ] {
        let text = below(&format!("{line} = -1 {errno}\n"));
        assert!(text.ends_with(&format!("[{rule}]")), "{line}: {text}");
        let (name, _) = errno.split_once(' ').unwrap();
        assert!(text.contains(&format!("; {name}: ")), "{line}: {text}");
        let chinese = in_language(&format!("{line} = -1 {errno}\n"), Lang::Chinese);
        assert!(chinese.ends_with(&format!("[{rule}]")), "{line}: {chinese}");
    }
}

#[test]
fn a_struct_in_two_halves_is_put_together() {
    let text = below(
        "[pid 7] clone3({flags=0, exit_signal=SIGCHLD, stack=NULL, stack_size=0 <unfinished ...>\n\
         [pid 7] <... clone3 resumed>}, 72) = -1 EINVAL (Invalid argument)\n\
         [pid 7] clone3({flags=0, exit_signal=SIGCHLD, stack=NULL, stack_size=0, set_tid=NULL, set_tid_size=1 <unfinished ...>\n\
         [pid 7] <... clone3 resumed>}, 88) = -1 EINVAL (Invalid argument)\n",
    );
    assert!(
        text.contains("72) = -1 EINVAL (Invalid argument) EINVAL: no check"),
        "{text}"
    );
    assert!(text.ends_with("[set-tid-half]"), "{text}");
}

#[test]
fn what_a_line_does_not_tell_is_not_decided() {
    for line in [
        "clone3(0x7ffd, 0x58) = -1 EINVAL (Invalid argument)\n",
        "clone3(0x7ffd, 88) = -1 EPERM (Operation not permitted)\n",
        "clone3(0x7ffd, 96) = -1 E2BIG (Argument list too long)\n",
        "clone3({flags=0, exit_signal=SIGCHLD, ...}, 88) = -1 EINVAL (Invalid argument)\n",
        "clone3({flags=CLONE_SETTLS, exit_signal=SIGCHLD, stack=NULL, stack_size=0}, 88) = -1 EINVAL (Invalid argument)\n",
        "clone3({flags=0, exit_signal=SIGCHLD, stack=NULL, stack_size=0, ???}, 96) = -1 E2BIG (Argument list too long)\n",
    ] {
        let text = below(line);
        assert!(
            text.contains("cannot be decided from this line"),
            "{line}: {text}"
        );
        assert!(!text.contains("no check"), "{line}: {text}");
    }
    // Where something can be said it is, with the same doubt.
    let text = below(
        "clone3({flags=CLONE_NEWUTS, exit_signal=SIGCHLD}, 88) = -1 EPERM (Operation not permitted)\n",
    );
    assert!(text.contains("namespace-needs-admin"), "{text}");
    assert!(
        text.contains("or an argument that this line does not tell"),
        "{text}"
    );
    // Not a refusal: the address is all there is.
    let text = below("clone3(0x7ffd, 0x58) = 12\n");
    assert_eq!(
        text,
        "clone3, of whose struct this line shows the address alone"
    );
}

#[test]
fn a_name_that_no_flag_has_is_said_so() {
    let text = below("clone(child_stack=NULL, flags=CLONE_BOGUS|SIGCHLD) = 5\n");
    assert!(
        text.starts_with(
            "CLONE_BOGUS: no flag of this name is known; without it: a process: a tgid"
        ),
        "{text}"
    );
    let text = below(
        "clone(child_stack=NULL, flags=CLONE_BOGUS) = 5\nclone(child_stack=NULL, flags=0) = 6\n",
    );
    assert!(text.contains("= 6 A a process"), "{text}");
    let text = in_language(
        "clone3({flags=CLONE_A|CLONE_B|CLONE_VM, exit_signal=0, stack=NULL, stack_size=0}, 88) = -1 EINVAL (Invalid argument)\n",
        Lang::Chinese,
    );
    assert!(text.starts_with("CLONE_A|CLONE_B：不认识"), "{text}");
    assert!(text.contains("无法判定"), "{text}");
}

#[test]
fn what_was_not_made_is_only_asked_for() {
    let fork = "clone(child_stack=NULL, flags=SIGCHLD)";
    let text = below(&format!(
        "{fork} = 12\n{fork} = -1 EEXIST (File exists)\n{fork} = 13\n"
    ));
    assert!(
        text.contains("as A: asks for a process; EEXIST: no check"),
        "{text}"
    );
    assert!(text.ends_with("as A: a process"), "{text}");
    // Arguments that the kernel refuses, in a line that does not know the end.
    let text = below("clone(child_stack=NULL, flags=0xffffffff) = ?\n");
    assert!(text.starts_with("A asks for a thread"), "{text}");
    assert!(text.contains("Linux 6.18 refuses it with EINVAL"), "{text}");
    let text = below("clone(child_stack=NULL, flags=CLONE_THREAD) = 7\n");
    assert!(text.starts_with("A a thread"), "{text}");
    assert!(
        text.ends_with("[thread-needs-sighand]; so this is another kernel"),
        "{text}"
    );
}

#[test]
fn a_call_that_is_made_again_did_not_fail() {
    let fork = "clone(child_stack=NULL, flags=SIGCHLD)";
    let text = below(&format!(
        "{fork} = ? ERESTARTNOINTR (To be restarted)\n--- SIGALRM ---\n{fork} = 13\n"
    ));
    let again =
        "ERESTARTNOINTR: nothing is made yet: a signal came first, and then the call is made again";
    assert!(text.starts_with("A asks for a process"), "{text}");
    assert!(text.contains(again), "{text}");
    assert!(text.ends_with("as A: a process"), "{text}");
    let text = below(
        "[pid 7] vfork( <unfinished ...>\n[pid 7] <... vfork resumed>) = ? ERESTARTNOINTR (To be restarted)\n",
    );
    assert!(text.ends_with(again), "{text}");
}

#[test]
fn handlers_that_are_reset_are_no_copy() {
    let text = below(
        "clone3({flags=CLONE_VM|CLONE_VFORK|CLONE_CLEAR_SIGHAND, exit_signal=SIGCHLD, stack=0x7f3000, stack_size=0x9000}, 88) = 5\n",
    );
    assert!(
        text.contains("copies descriptors, directories and umask; as"),
        "{text}"
    );
    assert!(
        text.contains("signal handlers back to default, ignored signals stay ignored"),
        "{text}"
    );
    assert!(text.contains("posix_spawn"), "{text}");
}

#[test]
fn what_is_asked_for_reads_as_a_sentence() {
    let text = below("clone(child_stack=0x7f00, flags=CLONE_VM) = -1 EAGAIN (Try again)\n");
    assert!(
        text.starts_with("A asks for something in between: a process by its tgid"),
        "{text}"
    );
}

#[test]
fn a_kernel_newer_than_the_tables_is_said_to_be_that() {
    let question = Explain {
        on: Some(Version(9, 9, 9)),
        ..Explain::new(What::Set(String::new()))
    };
    let mut out = Vec::new();
    let mut line: &[u8] = b"fork() = -1 EXDEV (Invalid cross-device link)\n";
    annotate(&question, &mut line, &mut out).unwrap();
    let text = unwrapped(&String::from_utf8(out).unwrap());
    assert!(
        text.contains("no check of Linux 9.9.9 (by the rules of 7.2) gives it"),
        "{text}"
    );
}

#[test]
fn one_suspect_is_not_one_of_several() {
    let text = below(
        "clone3({flags=CLONE_PIDFD, pidfd=0x1, exit_signal=SIGCHLD, stack=NULL, stack_size=0}, 88) = -1 EFAULT (Bad address)\n",
    );
    assert!(
        text.ends_with("EFAULT: pidfd-address, or a seccomp filter"),
        "{text}"
    );
}

/// A line without an end is no call's, and takes no memory.
#[test]
fn a_line_of_any_length_passes() {
    let question = Explain::new(What::Set(String::new()));
    let long = format!("fork() = {}\nfork() = 7\n", "7".repeat(3 << 20));
    let mut out = Vec::new();
    annotate(&question, &mut long.as_bytes(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with(&long), "all of it passes");
    assert_eq!(text.matches("\n    A  a process").count(), 1);
}

/// `strace -e raw=all`: on s390 the first of these would be the stack.
#[test]
fn raw_arguments_of_clone_are_said_to_be_raw() {
    for line in [
        "[pid 7] clone(0x11, 0, 0, 0, 0) = 0x3c31",
        "clone(0x11, 0, 0, 0, 0 <unfinished ...>",
    ] {
        assert!(
            below(line).contains("raw arguments"),
            "{line}: {}",
            below(line)
        );
    }
    let failed = below("clone(0x10100, 0, 0, 0, 0) = -1 (errno 22)");
    assert!(
        failed.contains("raw arguments") && !failed.contains("a process"),
        "{failed}"
    );
    assert_eq!(below("clone(child_stack=NULL"), "");
}
