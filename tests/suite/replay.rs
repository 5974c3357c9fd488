//! `clonespy replay` and the command line around it: inputs, outputs, statuses, one line for what is
//! wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::process::{Command, Output, Stdio};

use clonespy::report::Look;

use crate::golden::{golden, text};
use crate::run::guard;

/// The program itself, away from this machine's locale and colours.
fn clonespy(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clonespy"));
    command
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .current_dir(golden("."));
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "TERM"] {
        command.env_remove(name);
    }
    command
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8(bytes.to_vec())
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[track_caller]
fn check(output: &Output, status: i32, errors: &[&str]) {
    assert_eq!(lines(&output.stderr), errors);
    assert_eq!(output.status.code(), Some(status));
}

#[test]
fn replay_writes_to_stdout_or_where_it_is_told() {
    let _guard = guard();
    let output = clonespy(&["replay", "pthread.jsonl"]).output().unwrap();
    check(&output, 0, &[]);
    let wanted = text("pthread", &Look::default()).into_bytes();
    assert_eq!(output.stdout, wanted);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("out.txt");
    let output = clonespy(&["replay", "-o", file.to_str().unwrap(), "pthread.jsonl"]).output();
    check(&output.unwrap(), 0, &[]);
    assert_eq!(fs::read(&file).unwrap(), wanted);
}

#[test]
fn replay_reads_stdin_and_arrays() {
    let _guard = guard();
    let dir = tempfile::tempdir().unwrap();
    let array = dir.path().join("t.json");
    let to = format!("json:{}", array.display());
    check(
        &clonespy(&["replay", "--format", &to, "pthread.jsonl"])
            .output()
            .unwrap(),
        0,
        &[],
    );
    let output = clonespy(&["replay", "-"])
        .stdin(fs::File::open(&array).unwrap())
        .output()
        .unwrap();
    check(&output, 0, &[]);
    assert_eq!(
        output.stdout,
        text("pthread", &Look::default()).into_bytes()
    );
}

#[test]
fn a_cut_trace_is_a_warning_and_garbage_a_failure() {
    let _guard = guard();
    let output = clonespy(&["replay", "cut.jsonl"]).output().unwrap();
    check(
        &output,
        0,
        &["clonespy: cut.jsonl: this trace was cut short"],
    );
    assert_eq!(output.stdout, text("cut", &Look::default()).into_bytes());

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t");
    let whole = fs::read_to_string(golden("pthread.jsonl")).unwrap();
    let mut broken: Vec<_> = whole.lines().collect();
    broken.insert(4, "\x1b[2J");
    fs::write(&path, broken.join("\n")).unwrap();
    let output = clonespy(&["replay", path.to_str().unwrap()])
        .output()
        .unwrap();
    let error = format!(
        "clonespy: {}:5: not a clonespy trace: expected value",
        path.display()
    );
    check(&output, 125, &[&error]);
    assert!(lines(&output.stdout)[1].contains("clone3 → thread 48212"));

    let output = clonespy(&["replay", "/nowhere"]).output().unwrap();
    check(
        &output,
        125,
        &["clonespy: cannot read /nowhere: No such file or directory"],
    );
}

#[test]
fn the_command_line_fails_with_125_and_one_line() {
    let _guard = guard();
    check(
        &clonespy(&[]).output().unwrap(),
        125,
        &["clonespy: no program to run; usage: clonespy [OPTIONS] [--] PROGRAM [ARGS]..."],
    );
    let output = clonespy(&["replay", "pthread.jsonl", "--fromat=json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert_eq!(lines(&output.stderr).len(), 1);
    assert!(lines(&output.stderr)[0].contains("--format"));
    let output = clonespy(&["-o", "/nowhere/x", "true"]).output().unwrap();
    let error = "clonespy: cannot write /nowhere/x: No such file or directory";
    check(&output, 125, &[error]);
}

#[test]
fn help_and_schema_go_to_stdout() {
    let _guard = guard();
    for args in [
        &["--help"][..],
        &["-h"],
        &["--version"],
        &["--generate=schema"],
        &["--generate=man"],
        &["--generate=complete-bash"],
        &["--generate=complete-zsh"],
        &["--generate=complete-fish"],
    ] {
        let output = clonespy(args).output().unwrap();
        check(&output, 0, &[]);
        assert!(!output.stdout.is_empty());
    }
}

#[test]
fn a_closed_pipe_is_no_noise_and_a_full_disk_is() {
    let _guard = guard();
    for args in [&["replay", "pthread.jsonl"][..], &["--help"]] {
        let mut child = clonespy(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Closed before a byte can be read, or after the pipe took it all: both are fine.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        check(&output, 0, &[]);
    }
    let output = clonespy(&["replay", "-o", "/dev/full", "pthread.jsonl"])
        .output()
        .unwrap();
    let error = "clonespy: the report to /dev/full was lost: No space left on device";
    check(&output, 125, &[error]);
}

#[test]
fn one_lost_output_does_not_cost_the_other() {
    let _guard = guard();
    let args = [
        "replay",
        "--format=jsonl:/dev/full",
        "--format=text",
        "pthread.jsonl",
    ];
    let output = clonespy(&args).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert_eq!(
        output.stdout,
        text("pthread", &Look::default()).into_bytes()
    );
}
