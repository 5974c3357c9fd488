//! Programs that make many tasks, and far too many; where CLONESPY_BIG=1 asks for them.

use std::ffi::OsStr;
use std::process::Command;

use clonespy::event::{Event, EventKind, Outcome};

use crate::calls::Calls;
use crate::fixtures::{Strace, program, scratch};
use crate::real_programs::big;
use crate::run::{End, root, run, tool};
use crate::strace::strace;
use crate::trace::{Traced, compare, expect_whole, trace};

fn words<'a>(line: &'a [&'a str]) -> Vec<&'a OsStr> {
    line.iter().map(OsStr::new).collect()
}

/// A program that makes the same calls in each run: what strace says is what we say.
#[track_caller]
fn same(line: &[&str]) {
    if !big(line[0]) || tool(line[0]).is_none() {
        return;
    }
    let what = line.join(" ");
    let traced = trace(&words(line));
    traced.run.expect(&what, End::Exit(0));
    expect_whole(&traced, &what);
    compare(&what, &words(line), Strace::Same);
}

/// A program that makes as many calls of each sort as time allows, or in any order: the trace is
/// whole, and each call of it has its like in what strace says, and the other way round.
#[track_caller]
fn alike(line: &[&str]) -> Option<Traced> {
    let traced = whole(line)?;
    let (_, theirs) = strace(&words(line))?;
    let what = line.join(" ");
    Calls::of_events(&traced.events).expect_alike(&theirs, &what);
    Some(traced)
}

/// A program whose calls differ from run to run: the trace is whole.
#[track_caller]
fn whole(line: &[&str]) -> Option<Traced> {
    if !big(line[0]) || tool(line[0]).is_none() {
        return None;
    }
    let what = line.join(" ");
    let traced = trace(&words(line));
    traced.run.expect(&what, End::Exit(0));
    expect_whole(&traced, &what);
    Some(traced)
}

fn created(traced: &Traced) -> usize {
    let created = |event: &&Event| matches!(&event.kind, EventKind::Clone(call) if matches!(call.outcome, Outcome::Created(_)));
    traced.events.iter().filter(created).count()
}

#[test]
fn perl_forks_and_waits() {
    same(&[
        "perl",
        "-e",
        "for (1..20) { my $p = fork // die; exit 0 unless $p; waitpid $p, 0 } system 'true'; print `echo x`",
    ]);
}

#[test]
fn sort_with_threads() {
    let file = scratch().join("lines");
    let lines: String = (0..200_000u32)
        .map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761)))
        .collect();
    std::fs::write(&file, lines).expect("a file");
    let file = file.to_str().expect("UTF-8");
    same(&["sort", "--parallel=4", "-S", "50M", "-o", "/dev/null", file]);
}

#[test]
fn xz_with_threads() {
    let file = scratch().join("zeroes");
    std::fs::write(&file, vec![7; 8 << 20]).expect("a file");
    let file = file.to_str().expect("UTF-8");
    alike(&["xz", "-T4", "--block-size=1MiB", "-k", "-c", "-1", file]);
}

#[test]
fn find_that_runs_a_program_each_time() {
    same(&[
        "find",
        "/etc/default",
        "-maxdepth",
        "1",
        "-exec",
        "true",
        "{}",
        ";",
    ]);
}

#[test]
fn git_makes_a_repository() {
    let place = scratch().join("git");
    let place = place.to_str().expect("UTF-8");
    let script = "git init -q \"$1\" && cd \"$1\" && echo a >a && git add a && \
                  git -c user.name=a -c user.email=a@b commit -qm a && git gc -q && git log --oneline | cat";
    let _ = std::fs::remove_dir_all(place);
    let line = ["sh", "-c", script, "sh", place];
    if let Some(traced) = whole(&line) {
        // As often as the first time there is nothing there.
        let _ = std::fs::remove_dir_all(place);
        if let Some((_, theirs)) = strace(&words(&line)) {
            Calls::of_events(&traced.events).expect_alike(&theirs, "git");
        }
    }
}

/// One instance makes the same calls each time, in the same order.
#[test]
fn stress_one_by_one() {
    for stressor in ["--fork", "--vfork", "--pthread"] {
        let ops = format!("{stressor}-ops");
        same(&[
            "stress-ng",
            stressor,
            "1",
            &ops,
            "200",
            "--timeout",
            "60s",
            "-q",
        ]);
    }
}

/// Several at once share the operations among them as they come.
#[test]
fn stress_with_bounded_operations() {
    for stressor in ["--fork", "--vfork", "--pthread", "--exec"] {
        let name = stressor.trim_start_matches("--");
        let ops = format!("{stressor}-ops");
        // It does nothing as root.
        if name == "exec" && root() {
            eprintln!("not tested: stress-ng --exec as root");
            continue;
        }
        let line = [
            "stress-ng",
            stressor,
            "2",
            &ops,
            "200",
            "--timeout",
            "60s",
            "-q",
        ];
        if let Some(traced) = alike(&line) {
            assert!(created(&traced) >= 50, "{name}: {}", created(&traced));
        }
    }
}

/// The clone stressor throws flags by chance: the same ones for the same seed. How many it throws
/// depends on how soon its children end.
#[test]
fn stress_with_flags_thrown_by_chance() {
    for seed in ["1", "2"] {
        let line = [
            "stress-ng",
            "--clone",
            "1",
            "--clone-ops",
            "500",
            "--seed",
            seed,
            "--timeout",
            "60s",
            "-q",
        ];
        let Some(traced) = whole(&line) else { return };
        let Some((_, theirs)) = strace(&words(&line)) else {
            return;
        };
        // strace cannot follow those that are made with CLONE_UNTRACED.
        let untraced = 0x0080_0000;
        let ours = Calls::of_events(&traced.events).without_descendants_of(untraced);
        let theirs = theirs.without_descendants_of(untraced);
        let compared = ours.expect_same_beginnings(&theirs, &line.join(" "));
        assert!(compared >= 100, "{compared} calls");
    }
}

/// Python's own tests start threads and processes in every way that Python has. What they do depends
/// on time in places, so: whole, and alike.
#[test]
fn pythons_own_tests() {
    if !big("python3 -m test") || tool("python3").is_none() {
        return;
    }
    for test in ["test_threading", "test_subprocess"] {
        let import = format!("import test.{test}");
        if run(Command::new("python3").args(["-c", &import])).end() != End::Exit(0) {
            eprintln!("not tested: python3 comes without its tests");
            return;
        }
        // As alone: some versions fail a test of theirs.
        let line = ["python3", "-m", "test", "-q", test];
        let alone = run(Command::new(line[0]).args(&line[1..]));
        let traced = trace(&words(&line));
        traced.run.expect(test, alone.end());
        expect_whole(&traced, test);
        assert!(created(&traced) >= 100, "{test}: {}", created(&traced));
        if let Some((_, theirs)) = strace(&words(&line)) {
            Calls::of_events(&traced.events).expect_alike(&theirs, test);
        }
    }
}

/// Eight processes, each of which makes threads as fast as it can.
#[test]
fn a_storm_in_eight_processes() {
    let storm = program("storm");
    let script = "for i in 1 2 3 4 5 6 7 8; do \"$1\" row 1000 >/dev/null & done; wait";
    let storm = storm.to_str().expect("UTF-8");
    if let Some(traced) = whole(&["sh", "-c", script, "sh", storm]) {
        assert_eq!(created(&traced), 8 * 1000 + 8);
    }
}

/// Three times as many threads as there are tids where pid_max is 32,768.
#[test]
fn a_hundred_thousand_threads() {
    let storm = program("storm");
    let storm = storm.to_str().expect("UTF-8");
    if let Some(traced) = whole(&[storm, "row", "100000"]) {
        assert_eq!(created(&traced), 100_000);
    }
}
