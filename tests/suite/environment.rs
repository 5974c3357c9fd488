//! What a program finds when it starts is the same, traced or not (fixtures/surroundings.c), but for
//! what the trace's first line names.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use clonespy::event::EventKind;

use crate::fixtures::program;
use crate::run::{End, run, tool};
use crate::trace::{events, format, fresh_file};

/// What it says alone, and under clonespy: `before` is shell that runs "$@".
struct Said {
    alone: String,
    traced: String,
    visible: Vec<String>,
}

/// Copies that everybody may run, and a folder that everybody may write to.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("clonespy-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        let mode = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(&path, mode).expect("its mode");
        for file in [
            Path::new(env!("CARGO_BIN_EXE_clonespy")),
            &program("surroundings"),
        ] {
            // By another process: one that is started meanwhile would hold the open file.
            run(Command::new("cp").arg(file).arg(&path)).expect("cp", End::Exit(0));
        }
        Self(path)
    }

    #[track_caller]
    fn says(&self, before: &str, options: &[&str]) -> Said {
        let (alone, traced) = (self.0.join("alone"), self.0.join("traced"));
        let jsonl = self.0.join("trace.jsonl");
        for file in [&alone, &traced, &jsonl] {
            let _ = std::fs::remove_file(file);
        }
        let fixture = self.0.join("surroundings");
        let shell = |words: &mut Command| {
            run(words).expect(before, End::Exit(0));
        };
        shell(
            Command::new("sh")
                .args(["-c", before, "sh"])
                .args([&fixture, &alone]),
        );
        shell(
            Command::new("sh")
                .args(["-c", before, "sh"])
                .arg(self.0.join("clonespy"))
                .args(options)
                .arg("--format")
                .arg(format(&jsonl, "jsonl"))
                .arg("--")
                .args([&fixture, &traced]),
        );
        let visible = match events(&jsonl, "")
            .into_iter()
            .next()
            .map(|event| event.kind)
        {
            Some(EventKind::Start(start)) => start.visible,
            other => panic!("no start: {other:?}"),
        };
        let read = |file| std::fs::read_to_string(file).expect("what it said");
        Said {
            alone: read(&alone),
            traced: read(&traced),
            visible,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn split(text: &str) -> (Vec<&str>, BTreeMap<&str, &str>) {
    let (differs, same): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with("differs "));
    let differs = differs
        .iter()
        .filter_map(|line| line.strip_prefix("differs ")?.split_once('='));
    (same, differs.collect())
}

#[track_caller]
fn same_but_for_what_is_named(before: &str, said: &Said) {
    let ((alone, was), (traced, is)) = (split(&said.alone), split(&said.traced));
    assert_eq!(alone, traced, "{before}");
    let mut changed: Vec<&str> = was
        .iter()
        .filter(|&(name, value)| is.get(name) != Some(value))
        .map(|(name, _)| *name)
        .collect();
    changed.sort_unstable();
    let mut named: Vec<&str> = said.visible.iter().map(String::as_str).collect();
    named.sort_unstable();
    assert_eq!(changed, named, "{before}: what differs, and what is named");
}

/// Ways to be started; each ends in the program.
const STARTS: &[&str] = &[
    "exec \"$@\"",
    "trap '' PIPE INT QUIT TSTP USR1 CHLD; exec \"$@\"",
    "umask 027; ulimit -n 100; ulimit -s 4096; ulimit -Sv 4000000; cd /; exec \"$@\"",
    "exec nice -n 7 \"$@\"",
    "exec env -i A=1 B='two words' \"$@\"",
    "exec 5</dev/null 6>&1 7>>/dev/null; exec \"$@\"",
    "exec setsid -w \"$@\"",
    "exec setarch -R \"$@\"",
    "echo 300 >/proc/self/oom_score_adj; exec \"$@\"",
];

#[test]
fn every_way_to_be_started() {
    let place = Place::new("starts");
    for before in STARTS {
        same_but_for_what_is_named(before, &place.says(before, &[]));
    }
}

#[test]
fn every_set_of_closed_streams() {
    let place = Place::new("streams");
    for set in 0..8 {
        let close = [" <&-", " >&-", " 2>&-"];
        let closed: String = (0..3)
            .filter(|bit| set & (1 << bit) != 0)
            .map(|bit| close[bit])
            .collect();
        // The report is not asked for on a stream; it goes to a file.
        let before = format!("exec \"$@\"{closed}");
        let said = place.says(&before, &[]);
        same_but_for_what_is_named(&before, &said);
        for fd in 0..3 {
            let open = said.traced.contains(&format!("fact fd={fd} "));
            assert_eq!(open, set & (1 << fd) == 0, "{before}: {fd}");
        }
    }
}

#[test]
fn blocked_signals_stay_blocked() {
    let Some(python) = tool("python3") else {
        return;
    };
    let place = Place::new("mask");
    let script = "import os,signal,sys; \
                  signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD, signal.SIGINT, signal.SIGUSR2, 40]); \
                  os.execv(sys.argv[1], sys.argv[1:])";
    let before = format!(
        "exec {} -c '{}' \"$@\"",
        python.display(),
        script.replace('\'', "\"")
    );
    let said = place.says(&before, &[]);
    same_but_for_what_is_named(&before, &said);
    assert!(
        said.alone.contains("blocked=-b---------b----b"),
        "{}",
        said.alone
    );
}

#[test]
fn an_ordinary_user_finds_the_same_but_for_no_new_privs() {
    let place = Place::new("user");
    let root = std::fs::metadata("/proc/self")
        .is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    let before = if !root {
        "exec \"$@\""
    } else if tool("setpriv").is_some() {
        "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\""
    } else {
        return;
    };
    let said = place.says(before, &[]);
    same_but_for_what_is_named(before, &said);
    assert_eq!(said.visible, ["Seccomp", "NoNewPrivs"]);
}

#[test]
fn without_a_filter_nothing_differs() {
    let place = Place::new("syscall");
    for way in ["--intercept=syscall", "--intercept=event"] {
        let said = place.says("exec \"$@\"", &[way]);
        same_but_for_what_is_named(way, &said);
        assert!(said.visible.is_empty(), "{way}");
    }
}

/// The address of the stack is another one in each run, and the same where that was asked for.
#[test]
fn addresses_are_as_random_as_alone() {
    let script = "sed -n 's/ .*stack.$//p' /proc/self/maps";
    let addresses = |setarch: &[&str]| {
        let one = || {
            let file = fresh_file("jsonl");
            let mut words = setarch.to_vec();
            words.push(env!("CARGO_BIN_EXE_clonespy"));
            run(Command::new(words[0])
                .args(&words[1..])
                .arg("--format")
                .arg(format(&file, "jsonl"))
                .args(["--", "sh", "-c", script]))
            .out()
        };
        [one(), one()]
    };
    let [a, b] = addresses(&[]);
    assert!(!a.is_empty() && a != b, "{a} {b}");
    if tool("setarch").is_some() {
        let [a, b] = addresses(&["setarch", "-R"]);
        assert!(!a.is_empty() && a == b, "{a} {b}");
    }
}
