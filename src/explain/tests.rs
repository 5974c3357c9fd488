//! What a set of flags is told to ask for, sentence by sentence.

use super::*;
use crate::layout::columns;

mod annotate;
mod golden;
mod question;

fn explained(question: &Explain) -> String {
    let mut out = Vec::new();
    explain(question, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn set(text: &str) -> Explain {
    Explain::new(What::Set(text.to_owned()))
}

fn annotated(input: &str) -> String {
    let mut out = Vec::new();
    annotate(&set(""), &mut input.as_bytes(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Text without the ends of its lines.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn parsed(text: &str, call: Option<Call>) -> (Call, u64, u64) {
    let set = Set::parse(text, call, Version::NEWEST).unwrap();
    (set.call, set.flags.0, set.signal)
}

#[test]
fn sets_are_read_as_people_write_them() {
    assert_eq!(parsed("0x3d0f00", None), (Call::Clone, 0x003d_0f00, 0));
    assert_eq!(parsed("0x1200011", None), (Call::Clone, 0x0120_0000, 17));
    assert_eq!(
        parsed(" CLONE_VM | CLONE_VFORK|SIGCHLD", None),
        (Call::Clone, 0x4100, 17)
    );
    assert_eq!(parsed("vm|vfork|sigchld", None), (Call::Clone, 0x4100, 17));
    // What legacy clone cannot pass is clone3's.
    assert_eq!(
        parsed("CLONE_VM|CLONE_CLEAR_SIGHAND", None),
        (Call::Clone3, 0x1_0000_0100, 0)
    );
    assert_eq!(
        parsed("CLONE_NEWTIME|SIGCHLD", None),
        (Call::Clone3, 0x80, 17)
    );
    // The same bit in legacy clone belongs to the signal.
    assert_eq!(
        parsed("CLONE_NEWTIME|SIGCHLD", Some(Call::Clone)),
        (Call::Clone, 0, 0x91)
    );
    // In clone3 a signal has its field, and a number is flags.
    assert_eq!(
        parsed("CLONE_NEWPID|SIGCHLD", Some(Call::Clone3)),
        (Call::Clone3, 0x2000_0000, 17)
    );
    assert_eq!(parsed("0x11", Some(Call::Clone3)), (Call::Clone3, 0x11, 0));
    assert_eq!(parsed("fork", None), (Call::Fork, 0, 17));
    assert_eq!(parsed("vfork", None), (Call::Vfork, 0x4100, 17));
    assert_eq!(
        parsed("pthread_create", None),
        (Call::Clone3, 0x003d_0f00, 0)
    );
    assert_eq!(
        parsed("pthread_create", Some(Call::Clone)),
        (Call::Clone, 0x003d_0f00, 0)
    );
    assert_eq!(
        parsed("fork", Some(Call::Clone)),
        (Call::Clone, 0x0120_0000, 17)
    );
    assert_eq!(parsed("0", None), (Call::Clone, 0, 0));
}

#[test]
fn what_is_no_set_is_said_so() {
    for text in [
        "",
        "CLONE_NOTHING",
        "CLONE_VM||SIGCHLD",
        "0xzz",
        "+1",
        "0x",
        "-1",
        "0x10000000000000000",
        "中",
    ] {
        let error = explain(&set(text), &mut Vec::new()).unwrap_err();
        assert!(matches!(error, Error::Usage(_)), "{text:?}: {error}");
    }
    let mut question = set("SIGCHLD|SIGUSR1");
    question.call = Some(Call::Clone3);
    let error = explain(&question, &mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("SIGCHLD and SIGUSR1"), "{error}");
    question.what = What::Set("CLONE_VM".to_owned());
    question.call = Some(Call::Fork);
    let error = explain(&question, &mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("fork takes no flags"), "{error}");
}

#[test]
fn a_set_that_is_refused_names_the_rule_and_where_the_walk_stops() {
    let text = explained(&set("CLONE_VM|CLONE_THREAD"));
    assert!(text.contains("[thread-needs-sighand]"), "{text}");
    assert!(!text.contains("copy_files"), "{text}");
    assert!(
        text.contains("EINVAL [thread-needs-sighand]: nothing was copied yet"),
        "{text}"
    );
    // What comes before the check is done, and undone.
    let text = explained(&set("CLONE_NEWIPC|CLONE_SYSVSEM"));
    let (files, stop) = (
        text.find("copy_files"),
        text.find("copy_namespaces  refused  EINVAL [newipc-with-sysvsem]"),
    );
    assert!(files.is_some() && files < stop, "{text}");
    assert!(!text.contains("copy_thread"), "{text}");
    let mut question = set("CLONE_PIDFD|CLONE_THREAD|CLONE_SIGHAND|CLONE_VM");
    question.on = Some(Version(5, 10, 0));
    assert!(explained(&question).contains("[pidfd-of-thread]"));
    question.on = Some(Version(6, 9, 0));
    assert!(explained(&question).contains("copy_files"));
}

#[test]
fn thread_process_or_in_between() {
    use analysis::{Kind, kind};
    let of = |text: &str| kind(&Set::parse(text, None, Version::NEWEST).unwrap());
    assert_eq!(of("pthread_create"), Kind::Thread);
    assert_eq!(of("fork"), Kind::Process);
    assert_eq!(of("0"), Kind::Process);
    assert_eq!(of("posix_spawn"), Kind::Process);
    assert_eq!(of("CLONE_VM"), Kind::InBetween);
    assert_eq!(
        of("CLONE_VM|CLONE_SIGHAND|CLONE_FILES|SIGCHLD"),
        Kind::InBetween
    );
}

#[test]
fn flags_that_a_kernel_does_not_know_have_no_effect_there() {
    let mut question = set("CLONE_VM|CLONE_PIDFD|SIGCHLD");
    question.on = Some(Version(5, 1, 0));
    let text = explained(&question);
    assert!(text.contains("[flag-newer-than-kernel]"), "{text}");
    assert!(!text.contains("pidfd_prepare"), "{text}");
}

#[test]
fn no_line_of_text_is_wider_than_80_columns() {
    for (name, _) in Lang::ALL {
        for what in [
            What::Set("0x3d0f00".to_owned()),
            What::Set("fork".to_owned()),
            What::Set("CLONE_NEWUSER|CLONE_NEWPID|CLONE_NEWNET|SIGCHLD".to_owned()),
            What::Set("0xffffffffff".to_owned()),
            What::Flags,
            What::Rules,
        ] {
            let mut question = Explain::new(what);
            question.language = Lang::ALL.iter().find(|l| l.0 == name).unwrap().1;
            for line in explained(&question).lines() {
                // A name of a file or of many flags is not cut.
                let words = line.split_whitespace().count();
                assert!(columns(line) <= 80 || words <= 2, "{line}");
                assert_eq!(line, line.trim_end());
            }
        }
    }
}

#[test]
fn every_set_of_two_flags_is_explained() {
    use crate::abi::flags::FLAGS;
    for a in FLAGS {
        for b in FLAGS {
            for call in [Call::Clone, Call::Clone3] {
                let mut question = set(&format!("{}|{}", a.name, b.name));
                question.call = Some(call);
                question.format = Format::Json;
                let json: serde_json::Value = serde_json::from_str(&explained(&question)).unwrap();
                let last = json["walk"].as_array().unwrap().last().unwrap();
                assert_eq!(
                    last["fate"] == "refused",
                    !json["refused"].is_null(),
                    "{}|{}",
                    a.name,
                    b.name
                );
            }
        }
    }
}

#[test]
fn lines_of_strace_are_annotated_and_all_others_pass() {
    let line = "[pid 12] clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 13\n";
    let text = annotated(line);
    assert!(text.starts_with(line));
    let note = text.strip_prefix(line).unwrap();
    assert!(note.starts_with("    A  a process"), "{note}");
    assert!(note.contains("as passed by fork"), "{note}");
    // The second time by letter.
    let text = annotated(&format!("{line}{line}"));
    assert!(text.contains("\n    as A: a process\n"), "{text}");
    for line in [
        "",
        "\n",
        "write(1, \"clone(flags=CLONE_VM)\", 21) = 21\n",
        "--- SIGCHLD {si_signo=SIGCHLD} ---\n",
        "+++ exited with 0 +++\n",
        "[pid\n",
        "[pid 1\n",
        "clone(\n",
        "clone(flags=\n",
        "clone(flags=CLONE_what) = 1\n",
        "clone3(0x7ffe\n",
        "clone3(what, 88) = 1\n",
        "clone3({flags=\n",
        "<... clone3 resumed>) = 3\n",
        "<... \n",
        "12:00:00.1 [pid 3] execve(\"fork()\", 0) = 0\n",
        "forkbomb() = 1\n",
        "no end",
    ] {
        assert_eq!(annotated(line), line);
    }
}

#[test]
fn what_strace_puts_before_a_call_is_taken_off() {
    for before in [
        "",
        "12 ",
        "[pid  12] ",
        "12:30:01.000123 ",
        "  0.000100 ",
        "12 1700000000.123456 ",
        "[pid 12<make>] ",
        "12<make> ",
        "[pid 12] [ 58] ",
        "[00007f3217b0a1c7] ",
        "12 [  58] [00007f3217b0a1c7] ",
    ] {
        let text = annotated(&format!("{before}vfork() = 13\n"));
        assert!(
            text.contains("    A  a process; it borrows"),
            "{before:?}: {text}"
        );
    }
}

#[test]
fn clone3_and_failures_are_understood() {
    let thread = "clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|CLONE_SETTLS|CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID, child_tid=0x7f1, parent_tid=0x7f2, exit_signal=0, stack=0x7f3000, stack_size=0x7ffb80, tls=0x7f46c0} => {parent_tid=[7]}, 88) = 7\n";
    let text = annotated(thread);
    assert!(text.contains("A  a thread"), "{text}");
    assert!(text.contains("as passed by pthread_create"), "{text}");
    let failed = "clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0, stack=NULL, stack_size=0}, 88) = -1 EINVAL (Invalid argument)\n";
    assert!(annotated(failed).contains("[thread-needs-sighand]"));
    let small = "clone3({flags=0, exit_signal=SIGCHLD, stack=NULL, stack_size=0}, 40) = -1 EINVAL (Invalid argument)\n";
    assert!(annotated(small).contains("[clone3-size-small]"));
    let signal = "clone3({flags=CLONE_PARENT, exit_signal=SIGCHLD, stack=NULL, stack_size=0}, 88) = -1 EINVAL (Invalid argument)\n";
    assert!(annotated(signal).contains("[exit-signal-not-own]"));
    let limit = "fork() = -1 EAGAIN (Resource temporarily unavailable)\n";
    let text = annotated(limit);
    assert!(
        text.contains("rlimit-nproc") && text.contains("pids-max"),
        "{text}"
    );
    let sandbox = "clone3({flags=CLONE_VM, exit_signal=SIGCHLD, stack=NULL, stack_size=0}, 88) = -1 ENOSYS (Function not implemented)\n";
    let text = unwrapped(&annotated(sandbox));
    assert!(
        text.contains("ENOSYS: no check of Linux 7.2 gives it"),
        "{text}"
    );
}

#[test]
fn a_call_that_was_interrupted_is_put_together_again() {
    let lines = "[pid 7] clone(child_stack=NULL, flags=CLONE_NEWUTS|SIGCHLD <unfinished ...>\n\
                 [pid 8] fork( <unfinished ...>\n\
                 [pid 8] <... fork resumed>) = 9\n\
                 [pid 7] <... clone resumed>) = -1 EPERM (Operation not permitted)\n";
    let text = annotated(lines);
    let after = text.rsplit_once("not permitted)\n").unwrap().1;
    assert!(after.contains("namespace-needs-admin"), "{text}");
    assert!(
        text.contains("[pid 8] <... fork resumed>) = 9\n[pid 7]"),
        "{text}"
    );
}

#[test]
fn numbers_with_comments_are_read_and_so_are_lines_that_strace_writes_into() {
    let verbose = "clone(child_stack=NULL, flags=0x1200000 /* CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID */|17 /* SIGCHLD */, child_tidptr=0x7f) = 13\n";
    let text = annotated(verbose);
    assert!(text.contains("as passed by fork"), "{text}");
    assert!(text.contains("SIGCHLD: the parent"), "{text}");
    let raw = "clone3({flags=0x4100, exit_signal=17, stack=0x7fa7, stack_size=0x9000}, 88) = 5\n";
    assert!(annotated(raw).contains("as passed by posix_spawn"));
    let unknown = "clone3({flags=0x8000000000000000 /* CLONE_??? */, exit_signal=SIGCHLD}, 88) = -1 EINVAL (Invalid argument)\n";
    assert!(annotated(unknown).contains("[unknown-flag]"));
    let broken = "[pid 7] clone(child_stack=NULL, flags=CLONE_NEWUTS|SIGCHLDstrace: Process 8 attached\n \
                  <unfinished ...>\n[pid 7] <... clone resumed>) = -1 EPERM (Operation not permitted)\n";
    let text = annotated(broken);
    assert!(text.contains("makes new CLONE_NEWUTS"), "{text}");
    assert!(text.ends_with("or a seccomp filter\n"), "{text}");
}

#[test]
fn bytes_that_are_no_text_pass_unchanged() {
    let mut input: Vec<u8> = (0..=255u8).rev().collect();
    input.extend(b"\nclone(\xff\xfe flags=\x80) = 1\n\xff");
    let mut out = Vec::new();
    annotate(&set(""), &mut input.as_slice(), &mut out).unwrap();
    assert_eq!(out, input);
}

#[test]
fn a_last_line_without_its_end_gets_one_before_the_words() {
    assert!(annotated("fork() = 3").starts_with("fork() = 3\n    A  "));
}

/// A pipe that counts what was flushed: each line must be out before the next is read.
#[test]
fn every_line_is_out_before_the_next_is_read() {
    use std::cell::RefCell;
    use std::io::Read;
    use std::rc::Rc;
    struct Out(Rc<RefCell<Vec<u8>>>, Vec<u8>);
    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            self.0.borrow_mut().append(&mut self.1);
            Ok(())
        }
    }
    struct In(Rc<RefCell<Vec<u8>>>, Vec<&'static [u8]>, usize);
    impl Read for In {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let newlines = self
                .0
                .borrow()
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            assert!(newlines >= self.2, "line {} is not out", self.2);
            let Some(line) = self.1.pop() else {
                return Ok(0);
            };
            self.2 += 1;
            buffer[..line.len()].copy_from_slice(line);
            Ok(line.len())
        }
    }
    let done = Rc::new(RefCell::new(Vec::new()));
    let lines: Vec<&[u8]> = vec![b"fork() = 1\n", b"close(3) = 0\n", b"vfork() = 2\n"];
    let input = In(Rc::clone(&done), lines, 0);
    annotate(
        &set(""),
        &mut io::BufReader::new(input),
        &mut Out(Rc::clone(&done), Vec::new()),
    )
    .unwrap();
    assert!(done.borrow().ends_with(b"\n"));
}

#[test]
fn an_output_that_takes_no_more_is_an_error() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = explain(&set("fork"), &mut Full).unwrap_err();
    assert!(matches!(error, Error::Output { why, .. } if why.kind() == io::ErrorKind::BrokenPipe));
}

proptest::proptest! {
    #[test]
    fn any_text_is_explained_or_refused(text in ".{0,40}", number: u64) {
        let _ = explain(&set(&text), &mut Vec::new());
        let number = set(&format!("{number:#x}"));
        proptest::prop_assert!(explain(&number, &mut Vec::new()).is_ok());
    }

    #[test]
    fn any_lines_pass_through(lines in "(clone3?\\(|v?fork\\(|\\{flags=|CLONE_VM|\\||[ -~]|\\}, 88|\\) = -1 E[A-Z]{3,5}|<\\.\\.\\. clone resumed>|\n|\\PC){0,40}") {
        let out = annotated(&lines);
        // Without the lines that we added (and the end that we gave to the last) it is the same.
        let kept: Vec<&str> = lines.lines().collect();
        let mut rest = out.lines();
        for line in kept {
            proptest::prop_assert!(rest.any(|other| other == line), "{line:?} is lost in {out:?}");
        }
    }
}
