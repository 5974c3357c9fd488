//! The program itself around a live trace: statuses, outputs, and that a replay shows the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::run::guard;

fn clonespy(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clonespy"));
    command
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .env_remove("CLICOLOR_FORCE");
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn path(dir: &Path, name: &str) -> String {
    dir.join(name).to_str().unwrap().to_owned()
}

#[test]
fn the_replayed_text_is_the_live_text() {
    let _guard = guard();
    let dir = tempfile::tempdir().unwrap();
    let (trace, text) = (path(dir.path(), "t.jsonl"), path(dir.path(), "t.txt"));
    for looks in [
        &[][..],
        &["-v"],
        &["-q"],
        &["-qq"],
        &["-qqq"],
        &["--color=always"],
        &["-vv", "--lang=zh"],
        &["--all", "-y", "-C"],
        &["-t", "-r", "-T"],
        &["-ttt", "-Z"],
        &["-c", "--lang=zh"],
        &["--threads-only", "-z"],
        &["--depth=1", "--why-flags"],
    ] {
        let formats = [
            format!("--format=jsonl:{trace}"),
            format!("--format=text:{text}"),
        ];
        let mut args: Vec<&str> = formats.iter().map(String::as_str).collect();
        args.extend(looks);
        args.extend(["--stats", "--", "sh", "-c", "ls | wc -l; (exit 3); true"]);
        let live = clonespy(&args).output().unwrap();
        assert_eq!(live.status.code(), Some(0), "{}", stderr(&live));
        assert_eq!(stderr(&live), "");
        let replayed = clonespy(&[&["replay"], looks, &[&trace]].concat())
            .output()
            .unwrap();
        assert_eq!(stderr(&replayed), "");
        assert_eq!(
            String::from_utf8_lossy(&replayed.stdout),
            fs::read_to_string(&text).unwrap(),
            "{looks:?}"
        );
    }
}

/// The kernel refuses some structs for their size alone: what they asked for has nobody read. A size
/// that JSON's numbers cannot hold is shown all the same.
#[test]
fn of_a_struct_that_nobody_read_nothing_is_claimed() {
    let _guard = guard();
    let dir = tempfile::tempdir().unwrap();
    let (lines, text) = (path(dir.path(), "t.strace"), path(dir.path(), "t.txt"));
    let formats = [
        format!("--format=strace:{lines}"),
        format!("--format=text:{text}"),
    ];
    let sizes = crate::fixtures::program("clone3_sizes");
    let done = clonespy(&[
        &formats[0],
        &formats[1],
        "-v",
        "--",
        sizes.to_str().unwrap(),
    ])
    .output()
    .unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    let lines = fs::read_to_string(&lines).unwrap();
    assert!(lines.contains(", 18446744073709551615)"), "{lines}");
    let text = fs::read_to_string(&text).unwrap();
    let refused: Vec<&str> = text.split("clone3 → failed: ").collect();
    let unread =
        |part: &&&str| part.contains("[clone3-size-small]") || part.contains("[clone3-size-huge]");
    let unread: Vec<_> = refused.iter().filter(unread).collect();
    assert!(unread.len() >= 6, "{text}");
    for part in unread {
        assert!(!part.contains("what it asked for"), "{part}");
        assert!(!part.lines().next().unwrap().contains("flags"), "{part}");
    }
}

#[test]
fn a_storm_is_folded_live_as_it_is_replayed() {
    let _guard = guard();
    let dir = tempfile::tempdir().unwrap();
    let (trace, text) = (path(dir.path(), "t.jsonl"), path(dir.path(), "t.txt"));
    let formats = [
        format!("--format=jsonl:{trace}"),
        format!("--format=text:{text}"),
    ];
    let storm = crate::fixtures::program("storm");
    let args = [
        &formats[0],
        &formats[1],
        "--",
        storm.to_str().unwrap(),
        "row",
        "300",
    ];
    let live = clonespy(&args).output().unwrap();
    assert_eq!(live.status.code(), Some(0), "{}", stderr(&live));
    let text = fs::read_to_string(&text).unwrap();
    assert!(text.contains("292 more like this in "), "{text}");
    // pthread_join returns a moment before its thread is gone, and the next may be there by then.
    let few = [", one at a time", " of them at once"];
    assert!(few.iter().any(|words| text.contains(words)), "{text}");
    // Another program may have taken a tid in between.
    assert!(text.contains("storm ×300   "), "{text}");
    assert!(text.contains("tids "), "{text}");
    let replayed = clonespy(&["replay", &trace]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&replayed.stdout), text);
    let all = clonespy(&["replay", "--all", &trace]).output().unwrap();
    let all = String::from_utf8_lossy(&all.stdout).into_owned();
    assert_eq!(all.matches("clone3 → thread ").count(), 300);
}

#[test]
fn ends_are_told_as_they_happen_but_for_the_last() {
    let _guard = guard();
    let script = "(exit 3); (kill -9 $(exec sh -c 'echo $PPID')); true";
    let ends = |options: &[&str]| {
        let args = [options, &["sh", "-c", script]].concat();
        let text = stderr(&clonespy(&args).output().unwrap());
        let live = text.lines().take_while(|line| !line.starts_with("task "));
        let live: Vec<_> = live.map(str::to_owned).collect();
        let many = |what: &str| live.iter().filter(|line| line.contains(what)).count();
        (
            many(" exit 3 after "),
            many(" exit 0 after "),
            many(" killed by SIGKILL after "),
        )
    };
    // The shell that prints its parent's pid ends in order; the first shell's end is in the tree.
    assert_eq!(ends(&["-q"]), (1, 1, 1));
    assert_eq!(ends(&["-v"]), (1, 2, 1));
    assert_eq!(ends(&["-q", "-Z"]), (0, 0, 0));
    assert_eq!(ends(&["-qq"]), (0, 0, 0));
}

/// Bytes of a line beyond its columns: those of the tree's branches.
fn extra(line: &str) -> usize {
    line.len() - unicode_width::UnicodeWidthStr::width(line)
}

#[test]
fn nothing_is_shortened_on_a_pipe_and_the_columns_stay() {
    let _guard = guard();
    let word = "x".repeat(300);
    let script = format!("/bin/echo {word} >/dev/null; true");
    let rows = |options: &[&str]| {
        let args = [options, &["sh", "-c", &script]].concat();
        let text = stderr(&clonespy(&args).output().unwrap());
        let rows = text.lines().filter(|line| line.contains(&word));
        // The heads of the tree, and what stands under them.
        let mut below = text.lines().skip_while(|line| !line.starts_with("task "));
        let kind = below.next().and_then(|heads| heads.find("kind"));
        let ends = below.filter(|line| line.contains("exit 0"));
        let at = |line: &str| Some(line.find("process")?.saturating_sub(extra(line)));
        assert!(ends.into_iter().all(|line| at(line) == kind), "{text}");
        (rows.count(), text.contains('…'))
    };
    // The exec, and the tree's two rows.
    assert_eq!(rows(&[]), (3, false));
    // With -v the shell's own exec as well.
    assert_eq!(rows(&["-v"]), (4, false));
}

#[test]
fn a_call_says_what_made_it_and_where_a_child_is_born() {
    let _guard = guard();
    let dir = tempfile::tempdir().unwrap();
    let trace = path(dir.path(), "t.jsonl");
    let program = crate::fixtures::program("thread");
    let args = [
        "--format",
        &format!("jsonl:{trace}"),
        program.to_str().unwrap(),
    ];
    assert_eq!(clonespy(&args).output().unwrap().status.code(), Some(0));
    let text = fs::read_to_string(&trace).unwrap();
    let origin = "\"origin\":\"pthread_create\",\"origin_certainty\":\"likely\"";
    assert!(text.contains(origin), "{text}");

    // clone_flags opens its own cgroup, where the machine has cgroup v2.
    let program = crate::fixtures::program("clone_flags");
    let args = [
        "--format",
        &format!("jsonl:{trace}"),
        program.to_str().unwrap(),
    ];
    assert_eq!(clonespy(&args).output().unwrap().status.code(), Some(0));
    for line in fs::read_to_string(&trace).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let into = line["flags"]
            .as_array()
            .is_some_and(|flags| flags.iter().any(|flag| flag == "CLONE_INTO_CGROUP"));
        if into && line["outcome"]["created"].is_object() {
            let path = line["cgroup_path"].as_str().unwrap();
            assert!(path.starts_with('/'), "{line}");
        } else {
            assert!(into || line.get("cgroup_path").is_none(), "{line}");
        }
    }
}

#[test]
fn the_report_goes_to_stderr_and_the_programs_output_stays_its_own() {
    let _guard = guard();
    let output = clonespy(&["sh", "-c", "echo out; (echo err >&2)"])
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"out\n");
    assert!(stderr(&output).contains("err\n") && stderr(&output).contains("2 processes"));
}

#[test]
fn it_ends_as_the_program_ended() {
    let _guard = guard();
    for code in [0, 1, 3, 255] {
        let output = clonespy(&["-qqq", "sh", "-c", &format!("exit {code}")])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code));
    }
    for signal in [9, 15, 10] {
        let script = format!("kill -{signal} $$");
        let output = clonespy(&["-qqq", "sh", "-c", &script]).output().unwrap();
        assert_eq!(output.status.signal(), Some(signal), "{}", stderr(&output));
    }
}

#[test]
fn what_cannot_be_run_has_its_own_status_and_one_line() {
    let _guard = guard();
    let dir = tempfile::tempdir().unwrap();
    let file = path(dir.path(), "file");
    fs::write(&file, "").unwrap();
    for (program, status) in [("/nowhere/prog", 127), (file.as_str(), 126)] {
        let output = clonespy(&[program]).output().unwrap();
        assert_eq!(output.status.code(), Some(status));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
        assert!(stderr(&output).starts_with(&format!("clonespy: {program}: ")));
    }
}

#[test]
fn an_output_that_cannot_be_opened_stops_before_anything_runs() {
    let _guard = guard();
    let dir = tempfile::tempdir().unwrap();
    let proof = path(dir.path(), "ran");
    let output = clonespy(&["-o", "/nowhere/x", "touch", &proof])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert_eq!(stderr(&output).lines().count(), 1);
    assert!(!Path::new(&proof).exists());
}

#[test]
fn a_lost_output_leaves_the_program_alone() {
    let _guard = guard();
    let dir = tempfile::tempdir().unwrap();
    let proof = path(dir.path(), "ran");
    let script = format!("(true); (true); touch {proof}; exit 4");
    let output = clonespy(&["-o", "/dev/full", "sh", "-c", &script])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(Path::new(&proof).exists());
    let lost = "clonespy: the report to /dev/full was lost: No space left on device\n";
    assert_eq!(stderr(&output), lost);

    // A reader that goes away at once: the same, with a pipe.
    fs::remove_file(&proof).unwrap();
    let mut child = clonespy(&["-o", "-", "sh", "-c", &script])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(Path::new(&proof).exists());
    let lost = "clonespy: the report to standard output was lost: Broken pipe\n";
    assert_eq!(stderr(&output), lost);
}

#[test]
fn outputs_are_not_inherited() {
    let _guard = guard();
    let dir = tempfile::tempdir().unwrap();
    let out = path(dir.path(), "out");
    let output = clonespy(&["-o", &out, "sh", "-c", "ls -l /proc/self/fd"])
        .output()
        .unwrap();
    assert!(!String::from_utf8_lossy(&output.stdout).contains(&out));
}
