//! What is refused: filters in a container, strict mode, a tracer inside; files that are no programs.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use clonespy::event::{Event, EventKind, Gap, Intercept, Outcome, Start};

use crate::fixtures::{program, scratch};
use crate::run::{End, Run, lacking, run, tool};
use crate::trace::{Traced, clonespy, events, expect_whole, format, fresh_file, trace, trace_with};

fn start(events: &[Event]) -> &Start {
    match events.first().map(|event| &event.kind) {
        Some(EventKind::Start(start)) => start,
        other => panic!("no start: {other:?}"),
    }
}

/// The lines that are allowed to differ between alone and traced.
fn differing(run: &Run) -> Vec<String> {
    run.out()
        .lines()
        .filter(|line| line.starts_with("differs "))
        .map(str::to_owned)
        .collect()
}

/// A container without seccomp(2), whichever way it answers: all calls are seen all the same, and
/// it is said how, and why so.
#[test]
fn without_seccomp_every_call_is_stopped_and_the_reason_told() {
    let thread = program("thread");
    let alone = run(&mut Command::new(&thread));
    for (answer, word) in [
        ("1", "Operation not permitted"),
        ("38", "Function not implemented"),
        ("kill", "signal 31"),
    ] {
        let (jsonl, text) = (fresh_file("jsonl"), fresh_file("txt"));
        let traced = run(Command::new(program("no_seccomp"))
            .args([answer, env!("CARGO_BIN_EXE_clonespy"), "--format"])
            .arg(format(&jsonl, "jsonl"))
            .arg("--format")
            .arg(format(&text, "text"))
            .arg("--")
            .arg(&thread));
        traced.expect(answer, End::Exit(0));
        assert_eq!(
            crate::fixture_facts::normal(&traced.out()),
            crate::fixture_facts::normal(&alone.out()),
            "{answer}"
        );
        let events = events(&jsonl, &traced.err());
        let start = start(&events);
        assert_eq!(start.intercept, Intercept::Syscall, "{answer}");
        let why = start.intercept_why.as_ref().expect("a reason").to_string();
        assert!(why.contains("seccomp(2)") && why.contains(word), "{why}");
        assert!(!start.visible.contains(&"Seccomp".to_owned()), "{start:?}");
        let text = std::fs::read_to_string(&text).expect("a report");
        assert!(text.contains("by a stop at every system call"), "{text}");
        let created = |event: &&Event| matches!(&event.kind, EventKind::Clone(call) if matches!(call.outcome, Outcome::Created(_)));
        assert_eq!(events.iter().filter(created).count(), 1, "{answer}");
        let run = Run {
            status: traced.status,
            stdout: traced.stdout,
            stderr: traced.stderr,
        };
        let traced = Traced {
            run,
            events,
            text,
            jsonl,
        };
        expect_whole(&traced, answer);
    }
}

/// Who asks for the filter gets it or hears why not.
#[test]
fn a_filter_that_is_asked_for_and_refused_is_an_error() {
    let done = run(Command::new(program("no_seccomp"))
        .args(["1", env!("CARGO_BIN_EXE_clonespy")])
        .args(["--intercept=seccomp", "--", "true"]));
    done.expect("refused", End::Exit(125));
    assert!(done.err().contains("seccomp"), "{}", done.err());
    assert_eq!(done.err().lines().count(), 1, "{}", done.err());
}

/// Our filter makes strict mode impossible (EINVAL); without a filter it is had, and what the kernel
/// then does to a fork is seen.
#[test]
fn strict_mode_works_without_the_filter() {
    let fixture = program("seccomp_strict");
    let alone = run(&mut Command::new(&fixture));
    assert_eq!(differing(&alone), ["differs strict=yes"]);
    for (way, strict) in [("seccomp", "no"), ("syscall", "yes"), ("event", "yes")] {
        let traced = trace_with(&[&format!("--intercept={way}")], &[fixture.as_os_str()]);
        traced.run.expect(way, End::Exit(0));
        expect_whole(&traced, way);
        assert_eq!(
            differing(&traced.run),
            [format!("differs strict={strict}")],
            "{way}"
        );
    }
}

/// PTRACE_TRACEME and PTRACE_SEIZE inside are refused, as strace has it too, and nobody is harmed.
#[test]
fn a_tracer_inside_is_refused_with_eperm_as_under_strace() {
    let fixture = program("tracer_inside");
    let alone = run(&mut Command::new(&fixture));
    assert_eq!(
        differing(&alone),
        ["differs traceme=yes", "differs seize=yes"]
    );
    let refused = ["differs traceme=EPERM", "differs seize=EPERM"];
    for way in ["seccomp", "syscall", "event"] {
        let traced = trace_with(&[&format!("--intercept={way}")], &[fixture.as_os_str()]);
        traced.run.expect(way, End::Exit(0));
        assert_eq!(differing(&traced.run), refused, "{way}");
        expect_whole(&traced, way);
    }
    if let Some(strace) = tool("strace") {
        let theirs = run(Command::new(strace)
            .args(["-f", "-o", "/dev/null", "-e", "trace=none", "--"])
            .arg(&fixture));
        assert_eq!(differing(&theirs), refused);
    }
}

fn executable(name: &str, bytes: &[u8]) -> PathBuf {
    let file = scratch().join(name);
    // By another process: one that is started meanwhile by another test would hold the open file.
    let raw = scratch().join(format!("{name}.bytes"));
    std::fs::write(&raw, bytes).expect("a file");
    run(Command::new("cp").arg(&raw).arg(&file)).expect("cp", End::Exit(0));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    file
}

/// What the kernel says to a file: its errno, or how the program ended.
fn alone(file: &Path) -> Result<End, i32> {
    let script = "import os, sys\n\
                  try: os.execv(sys.argv[1], sys.argv[1:])\n\
                  except OSError as why: print(why.errno); sys.exit(111)\n";
    let done = run(Command::new("python3").args(["-c", script]).arg(file));
    match done.end() {
        End::Exit(111) => Err(done.out().trim().parse().expect("an errno")),
        end => Ok(end),
    }
}

/// An executable that was cut off, at every length that matters: what the kernel refuses is 126 and a
/// reason; what it begins to run ends as it does alone.
#[test]
fn a_truncated_executable_ends_as_it_does_alone() {
    if tool("python3").is_none() {
        return;
    }
    let whole = std::fs::read(program("fork")).expect("an executable");
    let lengths = [
        8, 16, 20, 40, 52, 63, 64, 100, 120, 500, 900, 2000, 4096, 8192,
    ];
    let last = [
        whole.len() / 2,
        whole.len() - 64,
        whole.len() - 1,
        whole.len(),
    ];
    let (mut refused, mut ran) = (0, 0);
    for length in lengths.into_iter().chain(last) {
        let what = format!("cut at {length}");
        let Some(bytes) = whole.get(..length) else {
            continue;
        };
        let file = executable(&format!("cut-{length}"), bytes);
        match alone(&file) {
            Err(errno) => {
                refused += 1;
                let run = run(clonespy().arg("--").arg(&file));
                run.expect(&what, End::Exit(126));
                assert_eq!(run.err().lines().count(), 1, "{what}: {}", run.err());
                let said = std::io::Error::from_raw_os_error(errno).to_string();
                let said = said.split(" (os").next().expect("words");
                assert!(run.err().contains(said), "{what}: {}", run.err());
            }
            Ok(end) => {
                ran += 1;
                let traced = trace(&[file.as_os_str()]);
                // Killed within execve, past the point of no return, it never began.
                if traced.run.end() != End::Exit(125) {
                    traced.run.expect(&what, end);
                    expect_whole(&traced, &what);
                }
            }
        }
    }
    assert!(refused > 3 && ran > 1, "{refused} refused, {ran} ran");
}

/// A script without a first line that names its interpreter is run as shells and execvp(3) do.
#[test]
fn a_script_without_an_interpreter_is_run_by_the_shell() {
    let file = executable("plain-script", b"echo \"$0 and $1\"; (exit 3) & wait $!\n");
    let traced = trace(&[file.as_os_str(), OsStr::new("word")]);
    traced.run.expect("a script", End::Exit(3));
    let said = traced.run.out();
    assert!(said.ends_with("plain-script and word\n"), "{said}");
    expect_whole(&traced, "a script");
}

/// A format that the kernel knows by binfmt_misc, in a namespace of its own, so that nothing stays
/// behind: the interpreter runs, as it does alone.
#[test]
fn a_registered_format_runs_its_interpreter() {
    let file = executable("registered", b"CLONESPYTEST body\n");
    let script = "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || exit 77; \
                  echo ':clonespytest:M::CLONESPYTEST::/bin/echo:' \
                  >/proc/sys/fs/binfmt_misc/register || exit 77; \"$1\" word";
    let words = [
        OsStr::new("unshare"),
        OsStr::new("--user"),
        OsStr::new("--map-root-user"),
        OsStr::new("--mount"),
        OsStr::new("sh"),
        OsStr::new("-c"),
        OsStr::new(script),
        OsStr::new("sh"),
        file.as_os_str(),
    ];
    if tool(words[0].to_str().expect("ASCII")).is_none() {
        return;
    }
    let alone = run(Command::new(words[0]).args(&words[1..]));
    if alone.end() != End::Exit(0) {
        eprintln!(
            "not tested: binfmt_misc cannot be mounted in a user namespace (before Linux 6.7, or \
             not permitted): {}",
            alone.err()
        );
        return;
    }
    let traced = trace(&words);
    traced.run.expect("binfmt_misc", End::Exit(0));
    assert_eq!(traced.run.out(), alone.out());
    assert!(
        alone.out().trim().ends_with("registered word"),
        "{}",
        alone.out()
    );
    expect_whole(&traced, "binfmt_misc");
    let echo = traced.events.iter().any(|event| {
        matches!(&event.kind, EventKind::Exec(exec) if exec.comm.as_deref() == Some("registered")
            && exec.argv.as_ref().is_some_and(|argv| argv.len() == 3))
    });
    assert!(echo, "{:#?}", traced.events);
}

/// In a new pid namespace under the old /proc the tids are those of strangers there: nothing of theirs
/// is told, the program is traced all the same, and that names are missing is said.
#[test]
fn a_proc_of_another_pid_namespace_is_not_read() {
    let namespaces = ["--user", "--map-root-user", "--pid", "--fork"];
    let inside = |words: &[&OsStr]| {
        let own = [OsStr::new(env!("CARGO_BIN_EXE_clonespy"))];
        run(Command::new("unshare")
            .args(namespaces)
            .args(own)
            .args(words))
    };
    if tool("unshare").is_none() {
        return;
    }
    if run(Command::new("unshare").args(namespaces).arg("true")).end() != End::Exit(0) {
        return lacking("no user namespace may be made here");
    }
    let jsonl = fresh_file("jsonl");
    let to = format(&jsonl, "jsonl");
    let words = ["--", "sh", "-c", "(exit 3); exit 7"].map(OsStr::new);
    let traced = inside(&[&[OsStr::new("--format"), &to], &words[..]].concat());
    traced.expect("inside", End::Exit(7));
    let events = events(&jsonl, &traced.err());
    let blind = &start(&events).blind;
    assert!(blind.contains(&Gap::Proc), "{blind:?}");
    let names: Vec<&str> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Clone(call) => Some(call.comm.as_str()),
            EventKind::Exit(exit) => exit.comm.as_deref(),
            _ => None,
        })
        .collect();
    assert!(names.iter().all(|name| name.is_empty()), "{names:?}");
    assert!(events.iter().any(created), "{events:#?}");
    // Who could be attached to is not known either.
    let refused = inside(&["-p", "1"].map(OsStr::new));
    refused.expect("attach", End::Exit(125));
    assert!(refused.err().contains("/proc"), "{}", refused.err());
}

/// The init of a pid namespace, as a container's first program, cannot be ended by a signal of its own:
/// it says with its status which one ended the program.
#[test]
fn as_the_first_program_of_a_container_it_ends_with_128_and_the_signal() {
    if tool("unshare").is_none() {
        return;
    }
    let flags = [
        "--user",
        "--map-root-user",
        "--pid",
        "--fork",
        "--mount-proc",
    ];
    if run(Command::new("unshare").args(flags).arg("true")).end() != End::Exit(0) {
        return lacking("no user namespace may be made here");
    }
    for (signal, status) in [("TERM", 143), ("KILL", 137), ("ABRT", 134)] {
        let script = format!("kill -s {signal} $$");
        let traced = run(Command::new("unshare")
            .args(flags)
            .arg(env!("CARGO_BIN_EXE_clonespy"))
            .args(["-q", "--", "sh", "-c", &script]));
        traced.expect(signal, End::Exit(status));
    }
}

fn created(event: &Event) -> bool {
    matches!(&event.kind, EventKind::Clone(call) if matches!(call.outcome, Outcome::Created(_)))
}
