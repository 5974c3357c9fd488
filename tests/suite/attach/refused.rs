//! Processes that cannot be attached to, and why.

use std::process::Command;

use super::{NONE, state};
use crate::driven::{Driven, Spy, status};
use crate::run::{End, lacking, root, run, tool, until};
use crate::trace::clonespy;

#[track_caller]
fn refused(pid: u32, words: &[&str]) {
    let run = run(clonespy().args(["-p", &pid.to_string()]));
    run.expect("refused", End::Exit(125));
    let said = run.err();
    for word in words {
        assert!(said.contains(word), "{word:?} is not in {said:?}");
    }
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn what_cannot_be_attached_to_is_told_why() {
    // Above any pid_max (include/linux/threads.h, PID_MAX_LIMIT).
    refused(4_194_305, &["4194305", "no such process"]);

    let own =
        run(Command::new("sh").args(["-c", "exec \"$0\" -p $$", env!("CARGO_BIN_EXE_clonespy")]));
    own.expect("itself", End::Exit(125));
    assert!(own.err().contains("it is clonespy itself"), "{}", own.err());

    let mut zombie = Command::new("true").spawn().expect("true");
    let pid = zombie.id();
    until("a zombie", pid, || (state(pid) == 'Z').then_some(()));
    refused(pid, &["zombie"]);
    zombie.wait().expect("its end");

    let mut driven = Driven::start();
    let spy = Spy::attach(&driven.pid().to_string(), NONE);
    refused(
        driven.pid(),
        &["traced already", "clonespy", &spy.started.pid.to_string()],
    );
    driven.ask("thread");
    spy.end("INT").run.expect("the first", End::Exit(0));
    driven.goes_on();
}

#[test]
fn a_kernel_thread_is_told_as_one() {
    if status(2, "Kthread").is_some_and(|kthread| kthread == "1") {
        refused(2, &["kernel thread"]);
    } else {
        lacking("there is no kernel thread in this pid namespace");
    }
}

#[test]
fn other_peoples_processes_are_theirs() {
    if root() {
        let Some(setpriv) = tool("setpriv") else {
            return;
        };
        let driven = Driven::start();
        // A copy where everybody may read it: the build directory may not be so.
        let place = std::env::temp_dir().join(format!("clonespy-{}", std::process::id()));
        // By another process: one that this one starts meanwhile would hold the open file.
        run(Command::new("cp")
            .arg(env!("CARGO_BIN_EXE_clonespy"))
            .arg(&place));
        let run = run(Command::new(setpriv)
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&place)
            .args(["-p", &driven.pid().to_string()]));
        std::fs::remove_file(&place).expect("the copy");
        run.expect("another user's", End::Exit(125));
        assert!(run.err().contains("belongs to root"), "{}", run.err());
        driven.goes_on();
    } else {
        refused(1, &["belongs to root", "as root"]);
    }
}
