//! `clonespy::trace` from a program of one's own: this one, whose tests run in many threads.

use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::time::Duration;

use clonespy::event::{EventKind, Intercept, Status};
use clonespy::{Error, Expectation, Options, Trace, trace};

use crate::run::guard;

fn sh(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::null());
    command
}

fn root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

#[test]
fn a_command_is_traced_as_it_is() {
    let _guard = guard();
    let mut command = sh("echo \"$NAME $0 $(pwd) $(cat)\"; echo no >&2; exit 3");
    command.arg("zero").env("NAME", "value").current_dir("/");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut options = Options::default();
    options.stdin = b"given".to_vec();
    let trace = options.trace(command).expect("it runs");
    assert_eq!(
        String::from_utf8_lossy(&trace.stdout),
        "value zero / given\n"
    );
    assert_eq!(trace.stderr, b"no\n");
    assert_eq!(trace.exit_code(), Some(3));
    assert!(!trace.timed_out());
    assert_eq!(trace.named("cat").count(), 1);
    assert_eq!(trace.failed().count(), 0);
    assert_eq!(trace.threads().count(), trace.processes().count());
    let Some(EventKind::Start(start)) = trace.events().first().map(|event| &event.kind) else {
        panic!("no start");
    };
    assert_eq!(start.command.len(), 4);
    assert_eq!(start.intercept, Intercept::Seccomp);
}

#[test]
fn closures_and_users_are_kept() {
    let _guard = guard();
    let (mut told, tell) = io::pipe().expect("a pipe");
    let mut command = sh("exit 0");
    let mut sent = tell.try_clone().expect("a copy");
    // SAFETY: the closure makes one write(2), which may be made between fork and exec.
    #[allow(unsafe_code, reason = "pre_exec is what is tested")]
    unsafe {
        command.pre_exec(move || sent.write_all(b"ran"));
    }
    trace(command).expect("it runs");
    drop(tell);
    let mut said = String::new();
    told.read_to_string(&mut said).expect("a pipe");
    assert_eq!(said, "ran");
    let mut command = Command::new("id");
    command.arg("-u").stdout(Stdio::piped());
    if root() {
        command.uid(65_534).gid(65_534);
        assert_eq!(trace(command).expect("it runs").stdout, b"65534\n");
    }
}

#[test]
fn what_cannot_be_run_is_an_error_and_leaves_nothing() {
    let _guard = guard();
    let missing = trace(Command::new("./no-such-program"));
    assert!(
        matches!(missing, Err(Error::NotFound { .. })),
        "{missing:?}"
    );
    // A folder in PATH that may not be read would be another error.
    let mut missing = Command::new("no-such-program-on-path");
    missing.env("PATH", "/usr/bin:/bin");
    let missing = trace(missing);
    assert!(
        matches!(missing, Err(Error::NotFound { .. })),
        "{missing:?}"
    );
    let folder = trace(Command::new("/"));
    assert!(
        matches!(folder, Err(Error::NotExecutable { .. })),
        "{folder:?}"
    );
    let mut nowhere = Command::new("true");
    nowhere.current_dir("/no/such/place");
    let nowhere = trace(nowhere);
    assert!(matches!(nowhere, Err(Error::Launch { .. })), "{nowhere:?}");
    let mut refused = Command::new("true");
    // SAFETY: the closure makes no call at all.
    #[allow(unsafe_code, reason = "pre_exec is what is tested")]
    unsafe {
        refused.pre_exec(|| Err(io::ErrorKind::PermissionDenied.into()));
    }
    let refused = trace(refused);
    assert!(matches!(refused, Err(Error::Launch { .. })), "{refused:?}");
}

/// Nothing stays behind of any trace that this thread made: its children are listed by the kernel.
#[test]
fn no_zombie_is_left() {
    let _guard = guard();
    for program in ["true", "./no-such-program", "/"] {
        let _ = trace(Command::new(program));
    }
    let mut command = Command::new("true");
    command.current_dir("/no/such/place");
    assert!(trace(command).is_err());
    let mine = "/proc/thread-self/children";
    let Ok(children) = std::fs::read_to_string(mine) else {
        // A kernel without CONFIG_PROC_CHILDREN.
        return crate::run::lacking(mine);
    };
    assert_eq!(children, "");
}

#[test]
fn a_child_of_the_host_stays_its_own() {
    let _guard = guard();
    let mut child = Command::new("sh")
        .args(["-c", "read line; exit 7"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("sh");
    // It ends while a trace is under way in this thread.
    let mut command = sh("read line");
    let (reader, writer) = io::pipe().expect("a pipe");
    command.stdin(reader);
    drop(child.stdin.take());
    drop(writer);
    assert_eq!(trace(command).expect("it runs").exit_code(), Some(1));
    assert_eq!(child.wait().expect("its status is there").code(), Some(7));
}

#[test]
fn many_traces_at_once_do_not_disturb_each_other() {
    let _guard = guard();
    const AT_ONCE: usize = 6;
    let start = Barrier::new(AT_ONCE);
    std::thread::scope(|scope| {
        for number in 0..AT_ONCE {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                for _ in 0..3 {
                    let mut command = sh(&format!(
                        "for i in 1 2 3; do (exit 0) & done; wait; echo {number}; exit {number}"
                    ));
                    command.stdout(Stdio::piped());
                    let trace = trace(command).expect("it runs");
                    assert_eq!(trace.processes().count(), 4);
                    assert_eq!(trace.stdout, format!("{number}\n").as_bytes());
                    assert_eq!(trace.exit_code(), i32::try_from(number).ok());
                    // A failed exec, between others that succeed.
                    let missing = clonespy::trace(Command::new("./no-such-program"));
                    assert!(
                        matches!(missing, Err(Error::NotFound { .. })),
                        "{missing:?}"
                    );
                }
            });
        }
    });
}

#[test]
fn what_does_not_end_is_ended_with_all_that_it_made() {
    let _guard = guard();
    let mut options = Options::default();
    options.timeout = Some(Duration::from_millis(300));
    // The shell ignores what asks nicely, and what it started left its session.
    let trace = options
        .trace(sh("trap '' TERM; setsid sleep 1000 & sleep 1000; wait"))
        .expect("it runs");
    assert!(trace.timed_out());
    let killed = |status: &Option<Status>| matches!(status, Some(Status::Signaled { signaled, .. }) if signaled == "SIGKILL");
    assert!(
        trace.threads().all(|task| killed(&task.status)),
        "{trace:#?}"
    );
    let expectation = Expectation::parse("exit = 0", Path::new("x.toml")).expect("good");
    let why = trace.check(&expectation).expect_err("it was cut short");
    assert!(why.to_string().contains("timeout"), "{why}");
}

#[test]
fn a_mismatch_shows_itself_in_a_panic() {
    let _guard = guard();
    let trace = trace(sh("true & wait; exit 1")).expect("it runs");
    let expectation = "exit = 0\n[tasks]\nprocesses = 1\n";
    let expectation = Expectation::parse(expectation, Path::new("one.toml")).expect("good");
    let panic = std::panic::catch_unwind(|| trace.check(&expectation).unwrap());
    let words = panic.expect_err("it differs");
    let words = words.downcast_ref::<String>().expect("a message");
    for part in [
        "one.toml:3",
        "tasks.processes",
        "- expected  1",
        "+ seen      2",
        "exit",
    ] {
        assert!(words.contains(part), "no {part:?} in\n{words}");
    }
}

#[test]
fn a_recorded_trace_answers_as_the_live_one() {
    let _guard = guard();
    let live = trace(sh("true & wait; (exit 2) & wait $!")).expect("it runs");
    let file = crate::trace::fresh_file("jsonl");
    let lines = live
        .events()
        .iter()
        .map(|event| serde_json::to_string(event).expect("JSON"));
    std::fs::write(&file, lines.collect::<Vec<_>>().join("\n") + "\n").expect("a file");
    let read = Trace::read(&file).expect("a trace");
    assert_eq!(read.events(), live.events());
    assert_eq!(read.exit_code(), Some(2));
    assert!(live.threads().eq(read.threads()) && live.calls().eq(read.calls()));
}

#[test]
fn mistakes_in_a_file_are_readable_in_a_panic() {
    let _guard = guard();
    let wrong = || Expectation::parse("exot = 0", Path::new("x.toml")).unwrap();
    let panic = std::panic::catch_unwind(wrong).expect_err("it is wrong");
    let words = panic.downcast_ref::<String>().expect("a message");
    assert!(words.contains("\n --> x.toml:1:1\n"), "{words}");
}

/// The functions of a program that its loader calls before `main`, by their names.
fn before_main(program: &Path) -> Vec<String> {
    let bytes = std::fs::read(program).expect("a program");
    let elf = goblin::elf::Elf::parse(&bytes).expect("an ELF file");
    let arrays = || {
        let sections = elf.section_headers.iter();
        sections.filter(|section| section.sh_type == goblin::elf::section_header::SHT_INIT_ARRAY)
    };
    // Where the program may lie anywhere, the addresses are in its relocations.
    let relocated = elf.dynrelas.iter().filter(|reloc| {
        arrays()
            .any(|array| (array.sh_addr..array.sh_addr + array.sh_size).contains(&reloc.r_offset))
    });
    let addresses: Vec<u64> = relocated
        .filter_map(|reloc| u64::try_from(reloc.r_addend?).ok())
        .collect();
    assert!(!addresses.is_empty(), "no function runs before main");
    let named = elf
        .syms
        .iter()
        .filter(|symbol| addresses.contains(&symbol.st_value));
    named
        .filter_map(|symbol| Some(elf.strtab.get_at(symbol.st_name)?.to_owned()))
        .collect()
}

/// The program takes down what it inherited before Rust's runtime changes it; a program that links
/// the library, as this one does, is not made to.
#[test]
fn nothing_of_the_library_runs_before_the_main_of_a_host() {
    let host = std::env::current_exe().expect("this program");
    let ours = |names: Vec<String>| -> Vec<String> {
        let ours = names.into_iter().filter(|name| name.contains("clonespy"));
        ours.collect()
    };
    assert_eq!(ours(before_main(&host)), [""; 0]);
    let program = ours(before_main(Path::new(env!("CARGO_BIN_EXE_clonespy"))));
    assert!(
        matches!(&program[..], [one] if one.contains("capture")),
        "{program:?}"
    );
}
