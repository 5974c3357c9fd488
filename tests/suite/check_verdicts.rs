//! What a check says of programs that change, cannot run, or find themselves where they may not be traced.

use std::ffi::OsStr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use clonespy::internals::Outcome;

use crate::expectation_files::{plan, verdict};
use crate::run::{End, run as run_command, tool};
use crate::trace::{clonespy, fresh_file};

/// A program that changes by one thing.
const PROGRAM: &str = r#"
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static void *wait_for_ever(void *unused) { for (;;) pause(); return unused; }
static void *brief(void *unused) { return unused; }
int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, brief, NULL);
    pthread_join(thread, NULL);
#ifdef FORKS
    if (fork() == 0) _exit(0);
    wait(NULL);
#endif
#ifdef LEAVES
    pthread_create(&thread, NULL, wait_for_ever, NULL);
#endif
#ifdef FLAG
    if (syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0) == 0) _exit(0);
    wait(NULL);
#endif
#ifdef NAMESPACE
    if (syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, 0, 0, 0, 0) == 0) _exit(0);
#endif
    (void)wait_for_ever;
    return 0;
}
"#;

const EXPECTED: &str = r#"
command = ["./NAME"]
build = "cc -pthread -DWHAT -o NAME changed.c"
exit = 0
[tasks]
processes = 1
threads = 2
cut_off = 0
[[clone]]
is = "pthread_create"
count = 1
[forbid]
flags = ["CLONE_NEWUSER"]
"#;

#[test]
fn a_program_that_changes_is_found_out_with_words() {
    if tool("cc").is_none() {
        return;
    }
    let folder = fresh_file("changed");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("changed.c"), PROGRAM).expect("a source");
    let cases: [(&str, &[&str]); 5] = [
        ("NOTHING", &[]),
        (
            "FORKS",
            &[
                "tasks.processes",
                "none describes",
                "(as fork does)",
                "which never execs",
                "is = \"fork\"",
            ],
        ),
        (
            "LEAVES",
            &[
                "tasks.cut_off",
                "+ seen      1",
                "pthread_create",
                "cut_off = 1",
            ],
        ),
        (
            "FLAG",
            &[
                "none describes",
                "CLONE_FS: Share root directory",
                "flags = [\"CLONE_FS\"]",
            ],
        ),
        (
            "NAMESPACE",
            &[
                "forbid.flags",
                "CLONE_NEWUSER",
                "failed with EINVAL: CLONE_NEWUSER with CLONE_FS",
                "[newuser-with-fs]",
            ],
        ),
    ];
    let files = cases.map(|(what, _)| {
        let file = folder.join(format!("{what}.toml"));
        let name = what.to_lowercase();
        let text = EXPECTED.replace("NAME", &name).replace("WHAT", what);
        std::fs::write(&file, text).expect("an expectation");
        file
    });
    let (verdict, text) = verdict(&plan(&files));
    assert_eq!(verdict.status(), 1, "{text}");
    for (done, (what, words)) in verdict.checks.iter().zip(cases) {
        let said = match &done.outcome {
            Outcome::Fails(mismatch) => mismatch.to_string(),
            Outcome::Holds => String::new(),
            other => panic!("{what}: {other:?}"),
        };
        assert_eq!(said.is_empty(), words.is_empty(), "{what}: {said}");
        for word in words {
            assert!(said.contains(word), "{what}: no {word:?} in\n{said}");
        }
    }
}

#[test]
fn what_cannot_run_is_told_apart_from_what_fails() {
    let folder = fresh_file("broken");
    std::fs::create_dir_all(&folder).expect("a folder");
    let cases = [
        ("missing", "command = ['./nowhere']", "`command`"),
        (
            "unbuilt",
            "command = ['true']\nbuild = 'echo no luck; false'",
            "no luck",
        ),
        ("misspelt", "comand = ['true']", "did you mean `command`?"),
        ("silent", "exit = 0", "names no `command`"),
        (
            "slow",
            "command = ['sleep', '1000']\ntimeout = 1",
            "`timeout`",
        ),
    ];
    let files = cases.map(|(name, text, _)| {
        let file = folder.join(format!("{name}.toml"));
        std::fs::write(&file, text).expect("a file");
        file
    });
    let (verdict, text) = verdict(&plan(&files));
    assert_eq!(verdict.status(), 2, "{text}");
    for (done, (name, _, word)) in verdict.checks.iter().zip(cases) {
        let Outcome::Broken(why) = &done.outcome else {
            panic!("{name}: {:?}", done.outcome);
        };
        assert!(why.contains(word) && !why.contains("/./"), "{name}: {why}");
    }
    assert!(text.contains("5 checks: 5 error"), "{text}");
}

#[test]
fn what_is_written_by_bless_is_what_is_checked_next() {
    let file = fresh_file("blessed.toml");
    std::fs::write(&file, "command = ['sh', '-c', 'cat; true & wait']\nstdin = \"a\\n\\u001b\"\nenv = { A = 'b', C = false }\n")
        .expect("a file");
    let mut plan = plan(&[file]);
    let blessings: Vec<bool> = [true, true, false]
        .into_iter()
        .filter_map(|bless| {
            plan.bless = bless;
            let (verdict, text) = verdict(&plan);
            assert_eq!(verdict.status(), 0, "{text}");
            match verdict.checks[0].outcome {
                Outcome::Blessed(changed) => Some(changed),
                _ => None,
            }
        })
        .collect();
    assert_eq!(blessings, [true, false]);
}

/// The file lies elsewhere than the program is run from, and what must not be stays in it.
#[test]
fn bless_writes_a_path_from_the_file_and_keeps_what_must_not_be() {
    let place = fresh_file("place");
    std::fs::create_dir_all(place.join("sub")).expect("a folder");
    symlink("/bin/true", place.join("program")).expect("a link");
    let bless = |file: &str| {
        run_command(clonespy().current_dir(&place).args([
            "check",
            "--bless",
            "--expect",
            file,
            "--",
            "./program",
        ]))
    };
    bless("sub/x.toml").expect("bless", End::Exit(0));
    let file = place.join("sub/x.toml");
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(text.contains("command = [\"../program\"]"), "{text}");
    run_command(clonespy().arg("check").arg(&file)).expect("check", End::Exit(0));

    let policy = "\n[forbid]\nflags = [\"CLONE_NEWUSER\"]\n\n[lints]\ndeny = [\"warnings\"]\n";
    std::fs::write(&file, text + policy).expect("a file");
    bless("sub/x.toml").expect("bless again", End::Exit(0));
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(text.ends_with(policy), "{text}");
}

/// A check without a file expects that the program ends well.
#[test]
fn a_program_that_fails_fails_a_check_without_a_file() {
    for (program, status) in [("true", 0), ("false", 1)] {
        let done = run_command(clonespy().args(["check", "--processes", "1", "--", program]));
        done.expect(program, End::Exit(status));
    }
}

/// A sandbox that answers one system call with EPERM, as a container's does.
const DENY: &str = r#"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(int argc, char **argv) {
    (void)argc;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DENIED, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &program))
        return 99;
    execv(argv[1], argv + 1);
    return 98;
}
"#;

#[test]
fn what_a_container_forbids_is_said_in_the_words_of_the_page_about_ci() {
    if tool("cc").is_none() {
        return;
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md");
    let page = std::fs::read_to_string(page).expect("docs/ci.md");
    for (denied, options) in [("ptrace", &[][..]), ("seccomp", &["--intercept=seccomp"])] {
        let (source, program) = (fresh_file("c"), fresh_file("deny"));
        let text = DENY.replace("DENIED", &format!("__NR_{denied}"));
        let text = format!("#include <sys/syscall.h>\n{text}");
        std::fs::write(&source, text).expect("a source");
        let made = crate::run::run(Command::new("cc").arg("-o").arg(&program).arg(&source));
        made.expect("cc", End::Exit(0));
        let mut command = Command::new(&program);
        command
            .arg(env!("CARGO_BIN_EXE_clonespy"))
            .args(options)
            .args(["--", "true"]);
        let said = crate::run::run(&mut command).err();
        let line = said
            .trim()
            .strip_prefix("clonespy: ")
            .expect("an error of ours");
        assert!(page.lines().any(|known| known.trim() == line), "{line}");
    }
}

/// The clone_vm fixture shares its memory and ends without a signal.
#[test]
fn what_lints_find_is_denied_and_allowed_live_and_recorded() {
    let program = crate::fixtures::program("clone_vm");
    let trace = fresh_file("clone_vm.jsonl");
    let recorded = run_command(
        clonespy()
            .arg("--format")
            .arg(crate::trace::format(&trace, "jsonl"))
            .arg("--")
            .arg(&program)
            .arg("clone_vm"),
    );
    recorded.expect("clone_vm", End::Exit(0));
    let file = fresh_file("lints.toml");
    let cases = [
        ("deny = ['exit-signal-odd']", 1, &["exit-signal-odd"][..]),
        (
            "deny = ['namespace-creation', 'warnings']",
            1,
            &["exit-signal-odd", "shared-memory-process"],
        ),
        (
            "deny = ['warnings']\nallow = ['exit-signal-odd', 'shared-memory-process']",
            0,
            &[],
        ),
    ];
    for (lints, status, named) in cases {
        std::fs::write(&file, format!("[lints]\n{lints}\n")).expect("a file");
        let asked = |more: &[&OsStr]| {
            let mut command = clonespy();
            command.args(["check", "--format", "text:-", "--expect"]);
            let done = run_command(command.arg(&file).args(more));
            done.expect(lints, End::Exit(status));
            done.out()
        };
        let live = asked(&["--".as_ref(), program.as_ref(), "clone_vm".as_ref()]);
        let replayed = asked(&["--trace".as_ref(), trace.as_ref()]);
        for text in [live, replayed] {
            for id in named {
                let expected = format!("- expected  no {id}");
                assert!(text.contains(&expected), "{lints}: {text}");
                assert!(text.contains("lints.toml:2"), "{lints}: {text}");
                assert!(
                    text.contains("clone with CLONE_VM, exit signal none by"),
                    "{text}"
                );
            }
        }
    }
    // On the command line.
    let line = |options: &[&str], status: i32| {
        let mut command = clonespy();
        command
            .arg("check")
            .args(options)
            .arg("--trace")
            .arg(&trace);
        let done = run_command(&mut command);
        done.expect(&format!("{options:?}"), End::Exit(status));
        done.err()
    };
    line(&["--deny", "warnings"], 1);
    line(
        &[
            "--deny",
            "warnings",
            "--allow",
            "exit-signal-odd,shared-memory-process",
        ],
        0,
    );
    line(&["--lint=untraced-child"], 0);
    let said = line(&["--deny", "exit-signal-od"], 2);
    assert!(said.contains("did you mean 'exit-signal-odd'?"), "{said}");
}

/// A trace that does not hold which descriptors were inherited cannot show that none leaked.
#[test]
fn what_was_not_looked_for_is_not_taken_for_absent() {
    let Some(shell) = tool("sh") else {
        return;
    };
    let script = "exec 9</dev/zero; (exec env >/dev/null); :";
    let trace = fresh_file("leak.jsonl");
    let record = |options: &[&str]| {
        let mut command = clonespy();
        command.args(options).arg("--format");
        command.arg(crate::trace::format(&trace, "jsonl"));
        command.arg("--").arg(&shell).args(["-c", script]);
        run_command(&mut command).expect("the shell", End::Exit(0));
        let done = run_command(
            clonespy()
                .args(["check", "--deny", "fd-leak-to-exec", "--trace"])
                .arg(&trace),
        );
        done.expect("the check", End::Exit(1));
        done.out()
    };
    let said = record(&[]);
    assert!(said.contains("it was not looked for"), "{said}");
    let said = record(&["--lint", "fd-leak-to-exec"]);
    assert!(
        said.contains("9 /dev/zero") && said.contains("1 finding"),
        "{said}"
    );
    // A check that runs the program looks for itself.
    let live = run_command(
        clonespy()
            .args(["check", "--deny", "fd-leak-to-exec", "--"])
            .arg(&shell)
            .args(["-c", script]),
    );
    live.expect("the live check", End::Exit(1));
    assert!(live.err().contains("9 /dev/zero"), "{}", live.err());
}

/// A verdict of this format into a file that the check reads is refused, and the file stays as it was.
fn refused(kept: &Path, arguments: &[&OsStr]) {
    let before = std::fs::read(kept).expect("the file");
    let done = run_command(clonespy().arg("check").args(arguments));
    done.expect("refused", End::Exit(2));
    let said = done.err();
    assert!(
        said.ends_with("is read or written for something else already\n")
            && said.lines().count() == 1,
        "{said}"
    );
    assert_eq!(std::fs::read(kept).expect("the file"), before);
}

#[test]
fn a_verdict_does_not_overwrite_the_trace_that_is_checked() {
    let trace = fresh_file("precious.jsonl");
    let mut recording = clonespy();
    recording
        .arg("--format")
        .arg(crate::trace::format(&trace, "jsonl"));
    run_command(recording.arg("true")).expect("true", End::Exit(0));
    let format = crate::trace::format(&trace, "json");
    let arguments = ["--processes=1", "--trace"].map(OsStr::new);
    let more = [trace.as_os_str(), OsStr::new("--format"), &format];
    refused(&trace, &[&arguments[..], &more[..]].concat());
}

#[test]
fn a_verdict_does_not_overwrite_what_is_expected() {
    let (file, link) = (fresh_file("precious.toml"), fresh_file("link.toml"));
    std::fs::write(&file, "command = ['true']\nexit = 0\n").expect("a file");
    symlink(&file, &link).expect("a link");
    for spelling in [&file, &link] {
        let format = crate::trace::format(spelling, "json");
        let format = [OsStr::new("--format"), &format];
        refused(&file, &[&[file.as_os_str()][..], &format].concat());
        let expect = [OsStr::new("--expect"), file.as_os_str()];
        let program = ["--", "true"].map(OsStr::new);
        refused(&file, &[&expect[..], &format, &program].concat());
        // What is about to be written by --bless is not to be written twice.
        let bless = [OsStr::new("--bless")];
        refused(&file, &[&bless[..], &expect, &format, &program].concat());
    }
}
