//! Bad input and bad output: one line that says what happened, the right status, nothing lost that
//! was written already.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::fixtures::{program, scratch};
use crate::run::{End, Run, guard, run};
use crate::trace::{clonespy, format, fresh_file, replay, trace};

/// clonespy's own failures.
const OWN: End = End::Exit(125);

/// The command said one thing on standard error, in this many lines, with this word in it.
#[track_caller]
fn complains(run: &Run, end: End, word: &str) {
    run.expect(word, end);
    let said = run.err();
    assert_eq!(
        said.trim_end().lines().count(),
        1,
        "more than a line: {said}"
    );
    assert!(said.contains(word), "{word:?} is not in {said:?}");
    assert!(run.stdout.is_empty(), "on standard output: {}", run.out());
}

#[test]
fn no_program_is_an_error() {
    for arguments in [&[][..], &["--"], &["-q"]] {
        let run = run(clonespy().args(arguments));
        run.expect("no program", OWN);
        assert!(run.err().contains("PROGRAM"), "{}", run.err());
    }
}

#[test]
fn a_missing_program_is_127() {
    complains(
        &run(clonespy().args(["--", "/nowhere/at/all"])),
        End::Exit(127),
        "/nowhere/at/all",
    );
    complains(
        // A folder that this user may not look into would make it "not permitted", as for a shell.
        &run(clonespy()
            .args(["--", "no-such-program-in-the-path"])
            .env("PATH", "/usr/bin:/bin")),
        End::Exit(127),
        "no-such-program-in-the-path",
    );
    complains(
        &run(clonespy()
            .args(["repaly", "trace.jsonl"])
            .env("PATH", "/usr/bin:/bin")),
        End::Exit(127),
        "did you mean 'replay'?",
    );
}

#[test]
fn a_program_that_cannot_be_run_is_126() {
    let file = scratch().join("not-executable");
    std::fs::write(&file, "no program\n").expect("a file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("its mode");
    complains(
        &run(clonespy().arg("--").arg(&file)),
        End::Exit(126),
        "not-executable",
    );
    complains(&run(clonespy().args(["--", "/"])), End::Exit(126), "/");
    // Executable by its mode, but nothing that the kernel knows.
    let file = scratch().join("no-format");
    std::fs::write(&file, [0x7f, b'?', 0, 1, 2, 3]).expect("a file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    complains(
        &run(clonespy().arg("--").arg(&file)),
        End::Exit(126),
        "no-format",
    );
}

#[test]
fn an_unknown_format_or_option_is_an_error() {
    for arguments in [
        &["--format", "no-such-format", "--", "true"][..],
        &["--no-such-option", "--", "true"],
        &["--intercept=no-such-way", "--", "true"],
        &["-e", "trace=no-such-call", "--", "true"],
    ] {
        let run = run(clonespy().args(arguments));
        run.expect(&arguments.join(" "), OWN);
        assert!(run.err().contains("no-such"), "{}", run.err());
    }
}

#[test]
fn two_formats_for_one_destination_are_an_error() {
    let file = fresh_file("out");
    let run = run(clonespy()
        .arg("--format")
        .arg(format(&file, "jsonl"))
        .arg("--format")
        .arg(format(&file, "text"))
        .args(["--", "true"]));
    run.expect("two formats", OWN);
}

#[test]
fn output_that_cannot_be_opened_is_an_error_before_the_program_runs() {
    let mark = fresh_file("ran");
    let line = |output: &str| run(clonespy().args(["-o", output, "--", "touch"]).arg(&mark));
    complains(&line("/nowhere/at/all"), OWN, "/nowhere/at/all");
    complains(&line("/"), OWN, "/");
    assert!(!mark.exists(), "the program ran");
}

#[test]
fn a_program_runs_on_when_nobody_reads_the_report() {
    let _guard = guard();
    let mark = fresh_file("ran");
    // The reader of standard error is gone before the first line; a full disk refuses all.
    let script = format!(
        "for i in 1 2 3; do ls /; done >/dev/null; echo done >{}",
        mark.display()
    );
    let mut child = clonespy()
        .args(["--", "sh", "-c", &script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("clonespy");
    drop(child.stderr.take());
    let status = child.wait().expect("its end");
    assert_eq!(status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(&mark).expect("the mark"), "done\n");

    if Path::new("/dev/full").exists() {
        std::fs::remove_file(&mark).expect("the mark");
        run(clonespy().args(["-o", "/dev/full", "--", "sh", "-c", &script]));
        assert_eq!(std::fs::read_to_string(&mark).expect("the mark"), "done\n");
    }
}

/// A limit on the size of files is meant for the program; the report that it cuts off is lost, as on
/// a full disk.
#[test]
fn a_program_runs_on_when_the_report_is_larger_than_a_file_may_be() {
    let file = fresh_file("txt");
    let script = "ulimit -f 0; exec \"$0\" -o \"$1\" -- sh -c '(exit 3); echo hello; exit 7'";
    let run = run(Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_clonespy")])
        .arg(&file));
    run.expect("a limit", End::Exit(7));
    assert_eq!(run.out(), "hello\n");
    assert!(run.err().contains("was lost"), "{}", run.err());
}

#[test]
fn the_report_goes_to_standard_error_and_the_program_keeps_its_output() {
    let run = run(clonespy().args(["--", "sh", "-c", "echo hello; (echo child)"]));
    run.expect("sh", End::Exit(0));
    assert_eq!(run.out(), "hello\nchild\n");
    assert!(run.err().contains("process"), "{}", run.err());
}

#[test]
fn replay_of_garbage_says_where() {
    let file = fresh_file("garbage");
    for garbage in [
        "this is no trace\n",
        "{\"type\":\"start\"}\n",
        "[1,2]\n",
        "\u{0}\u{1}",
    ] {
        std::fs::write(&file, garbage).expect("a file");
        let run = run(clonespy().arg("replay").arg(&file));
        run.expect(garbage, OWN);
        assert!(run.err().contains(":1:"), "{garbage:?}: {}", run.err());
    }
    let missing = run(clonespy().args(["replay", "/nowhere/at/all"]));
    complains(&missing, OWN, "/nowhere/at/all");
}

#[test]
fn half_a_trace_is_rendered_as_far_as_it_goes() {
    let path = program("io_threads");
    let traced = trace(&[path.as_os_str()]);
    let whole = std::fs::read(&traced.jsonl).expect("a trace");
    let half = fresh_file("half.jsonl");
    // Cut in the middle of a line, as a full disk or a crash does.
    let cut = whole.len() * 2 / 3;
    let cut = if whole[cut - 1] == b'\n' {
        cut - 3
    } else {
        cut
    };
    std::fs::write(&half, &whole[..cut]).expect("half a trace");
    let text = fresh_file("half.txt");
    let done = run(clonespy()
        .arg("replay")
        .arg(&half)
        .arg("--format")
        .arg(format(&text, "text")));
    let text = std::fs::read_to_string(&text).expect("what could be rendered");
    assert!(
        text.contains("bio_close_file") || text.contains("clone3"),
        "{text}"
    );
    let said = format!("{}{text}", done.err());
    assert!(said.contains("cut short"), "{said}");
    assert!(matches!(done.end(), End::Exit(_)), "{:?}", done.end());

    // Cut between two lines: all that is there, and a word that the end is not.
    let end = whole[..cut]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .expect("a line")
        + 1;
    std::fs::write(&half, &whole[..end]).expect("half a trace");
    assert!(replay(&half).contains("cut short"));
}

#[test]
fn subcommands_and_programs_are_not_confused() {
    // A program of a subcommand's name can be run after --.
    let directory = scratch().join("bin");
    std::fs::create_dir_all(&directory).expect("a directory");
    let file = directory.join("replay");
    std::fs::write(&file, "#!/bin/sh\nexit 5\n").expect("a script");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    run(clonespy().arg("--").arg("replay").env("PATH", &directory))
        .expect("a program called replay", End::Exit(5));
    // After an option and without --, it could be either.
    let either = run(clonespy().args(["-q", "replay", "x.jsonl"]));
    either.expect("either", OWN);
    assert!(either.err().contains("--"), "{}", either.err());
}

#[test]
fn the_program_may_have_options_of_its_own() {
    let run = run(clonespy().args(["-q", "sh", "-c", "exit 3"]));
    run.expect("sh -c", End::Exit(3));
    let plain = crate::run::run(Command::new("sh").args(["-c", "exit 3"]));
    plain.expect("sh alone", End::Exit(3));
}

#[test]
fn the_schema_is_json() {
    let run = run(clonespy().args(["--generate", "schema"]));
    run.expect("--generate schema", End::Exit(0));
    let schema: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
    assert!(schema.get("$schema").is_some(), "{schema}");
}

/// A reader that does not read: the program ends in its time, and the loss is told. (What is kept for
/// a slow reader has a bound; this report is larger.)
#[test]
fn a_reader_that_never_reads_does_not_hold_up_the_program() {
    let mark = fresh_file("ran");
    let fifo = fresh_file("fifo");
    run(Command::new("mkfifo").arg(&fifo)).expect("mkfifo", End::Exit(0));
    // Opened for both, it needs no other side to open; and nobody reads.
    let open = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&fifo);
    let script = "\"$1\" row 6000 >/dev/null; echo done >\"$2\"; exit 3";
    let done = run(clonespy()
        .arg("--format")
        .arg(format(&fifo, "jsonl"))
        .args(["--", "sh", "-c", script, "sh"])
        .arg(program("storm"))
        .arg(&mark));
    done.expect("storm", End::Exit(3));
    assert_eq!(std::fs::read_to_string(&mark).expect("the mark"), "done\n");
    assert!(done.err().contains("nobody reads it"), "{}", done.err());
    drop(open.expect("a FIFO"));
}

/// Standard output that is appended to what is read would never end.
#[test]
fn what_is_read_is_not_written_by_way_of_standard_output() {
    let file = fresh_file("lines.strace");
    let lines = "1 clone(child_stack=NULL, flags=SIGCHLD) = 2\n";
    std::fs::write(&file, lines).expect("a file");
    for arguments in ["explain - <\"$2\"", "replay - <\"$2\"", "replay \"$2\""] {
        let script = format!("\"$1\" {arguments} >>\"$2\"");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, "sh"]);
        let own = clonespy().get_program().to_owned();
        let word = "standard output is read or written for something else already";
        complains(&run(shell.arg(own).arg(&file)), OWN, word);
        assert_eq!(std::fs::read_to_string(&file).expect("a file"), lines);
    }
}
