//! How a trace ends before its program does, and programs that outlive their start.

use std::process::Command;

use clonespy::event::{Cut, Event, EventKind};

use crate::driven::{Driven, status};
use crate::fixtures::program;
use crate::run::{End, lacking, run, send, start_with, tool, until};
use crate::trace::{Traced, clonespy, expect_whole, format, fresh_file, trace_with};

fn cut(traced: &Traced) -> Option<Cut> {
    match traced.events.last().map(|event| &event.kind) {
        Some(EventKind::End(end)) => end.cut.clone(),
        other => panic!("no end: {other:?}"),
    }
}

fn kills(traced: &Traced) -> Vec<&str> {
    traced
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Kill(kill) => Some(kill.signal.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_timeout_asks_first_and_then_insists() {
    // It ends at SIGTERM.
    let words = ["sh", "-c", "sleep 1000"].map(std::ffi::OsStr::new);
    let traced = trace_with(&["--timeout", "0.3"], &words);
    traced.run.expect("sleep", End::Exit(124));
    assert_eq!(cut(&traced), Some(Cut::Timeout));
    assert_eq!(kills(&traced).first(), Some(&"SIGTERM"));
    expect_whole(&traced, "sleep");
    // It has ended, and what it left behind is asked; its own pid may be anybody's by now.
    let script = "sleep 1000 >/dev/null 2>&1 & exit 3";
    let words = ["sh", "-c", script].map(std::ffi::OsStr::new);
    let traced = trace_with(&["--timeout", "0.5"], &words);
    traced.run.expect("a daemon", End::Exit(124));
    assert_eq!(kills(&traced), ["SIGTERM"]);
    expect_whole(&traced, "a daemon");
    // It does not.
    let script = "trap '' TERM; while :; do sleep 1; done";
    let words = ["sh", "-c", script].map(std::ffi::OsStr::new);
    let traced = trace_with(&["--timeout", "0.3"], &words);
    traced.run.expect("a stubborn shell", End::Exit(124));
    assert!(kills(&traced).contains(&"SIGKILL"), "{:?}", kills(&traced));
    expect_whole(&traced, "a stubborn shell");
}

/// A program that leaves nothing behind is not said to have.
#[test]
fn until_main_has_nothing_to_say_of_nothing() {
    for way in ["seccomp", "event", "syscall"] {
        let words = ["sh", "-c", "/bin/true; exit 6"].map(std::ffi::OsStr::new);
        let way = format!("--intercept={way}");
        let traced = trace_with(&["--until=main", &way], &words);
        traced.run.expect(&way, End::Exit(6));
        assert_eq!(cut(&traced), None, "{way}");
        assert!(kills(&traced).is_empty(), "{way}");
        expect_whole(&traced, &way);
    }
}

/// A daemon that is left behind carries the filter: it is ended, and that is said. Without a filter
/// it is let go.
#[test]
fn until_main_ends_with_the_program() {
    for (way, lives) in [("seccomp", false), ("event", true), ("syscall", true)] {
        let (mark, fifo) = (fresh_file("pid"), fresh_file("fifo"));
        run(Command::new("mkfifo").arg(&fifo)).expect("mkfifo", End::Exit(0));
        // What is left behind answers, if it lives.
        let script = "(read line; echo alive >\"$1.alive\") <\"$2\" >/dev/null 2>&1 & \
                      echo $! >\"$1\"; exit 6";
        let mut both = std::fs::OpenOptions::new();
        let mut fifo_end = both.read(true).write(true).open(&fifo).expect("a FIFO");
        let files = [&mark, &fifo].map(|file| file.to_str().expect("UTF-8"));
        let words = ["sh", "-c", script, "sh", files[0], files[1]];
        let way = format!("--intercept={way}");
        let traced = trace_with(&["--until=main", &way], &words.map(std::ffi::OsStr::new));
        traced.run.expect(&way, End::Exit(6));
        assert_eq!(cut(&traced), Some(Cut::MainEnded), "{way}");
        assert_eq!(!kills(&traced).is_empty(), !lives, "{way}");
        // What is ended is not said to have been let go, and its end is waited for.
        let let_go = |event: &&Event| matches!(&event.kind, EventKind::Detach(_));
        let let_go = traced.events.iter().filter(let_go).count();
        assert_eq!(let_go, usize::from(lives), "{way}: {:#?}", traced.events);
        let pid = std::fs::read_to_string(&mark).expect("a pid");
        let pid: u32 = pid.trim().parse().expect("a pid");
        if lives {
            std::io::Write::write_all(&mut fifo_end, b"go on\n").expect("a FIFO");
            let answer = mark.with_extension("pid.alive");
            until("an answer", pid, || answer.exists().then_some(()));
        } else {
            // In a container nobody may reap it.
            let dead = || status(pid, "State").is_none_or(|state| state.starts_with('Z'));
            until("its end", pid, || dead().then_some(()));
        }
    }
}

/// What clonespy started does not outlive it, and does not run on with calls that fail.
#[test]
fn clonespy_killed_leaves_nothing_that_it_started() {
    for way in ["seccomp", "event", "syscall"] {
        let file = fresh_file("jsonl");
        let mut started = start_with(
            clonespy()
                .arg(format!("--intercept={way}"))
                .arg("--format")
                .arg(format(&file, "jsonl"))
                .args(["--", "sh", "-c", "sleep 1000 & read line; wait"]),
        );
        let stdin = started.stdin.take();
        let tasks = || {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let tids: Vec<u32> = text
                .lines()
                .filter_map(|line| serde_json::from_str::<Event>(line).ok())
                .filter_map(|event| match event.kind {
                    EventKind::Task(task) => Some(task.tid.unsigned_abs()),
                    EventKind::Clone(call) => match call.outcome {
                        clonespy::event::Outcome::Created(made) => Some(made.tid.unsigned_abs()),
                        _ => None,
                    },
                    _ => None,
                })
                .collect();
            (tids.len() == 2).then_some(tids)
        };
        let tids = until("two tasks", started.pid, tasks);
        send("KILL", i64::from(started.pid));
        started.finish().expect(way, End::Signal(9));
        for tid in tids {
            until("gone", tid, || {
                status(tid, "State")
                    .is_none_or(|s| s.starts_with('Z'))
                    .then_some(())
            });
        }
        drop(stdin);
    }
}

/// Who exits, stops, or is killed by a signal sent to clonespy alone: the program gets it.
#[test]
fn a_signal_to_clonespy_is_the_programs() {
    let file = fresh_file("jsonl");
    let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done";
    let mut driven = Driven::of(
        clonespy()
            .arg("--format")
            .arg(format(&file, "jsonl"))
            .args(["--", "sh", "-c", script]),
    );
    assert_eq!(driven.line(), "ready");
    send("TERM", i64::from(driven.pid()));
    assert_eq!(driven.end(None).code(), Some(7));
}

/// A terminal of tmux's own, which is asked what it shows.
struct Terminal(String);

impl Terminal {
    #[track_caller]
    fn new(name: &str) -> Option<Self> {
        tool("tmux")?;
        let terminal = Self(format!("clonespy-{name}-{}", std::process::id()));
        terminal
            .tmux(&[
                "-f",
                "/dev/null",
                "new-session",
                "-d",
                "-x",
                "200",
                "-y",
                "50",
                "env",
                "-i",
                "PS1=$ ",
                "PATH=/usr/bin:/bin",
                "TERM=dumb",
                "sh",
                "-i",
            ])
            .expect("tmux", End::Exit(0));
        Some(terminal)
    }

    fn tmux(&self, words: &[&str]) -> crate::run::Run {
        run(Command::new("tmux").args(["-L", &self.0]).args(words))
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Waits until the screen shows this.
    #[track_caller]
    fn shows(&self, what: &str) {
        until(what, std::process::id(), || {
            self.screen().contains(what).then_some(())
        });
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-J", "-S", "-200"]).out()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// An interactive shell under clonespy: jobs, Ctrl-Z, fg, Ctrl-C, and its exit status.
#[test]
fn job_control_in_an_interactive_shell() {
    let Some(terminal) = Terminal::new("jobs") else {
        return;
    };
    let (file, spy) = (fresh_file("jsonl"), env!("CARGO_BIN_EXE_clonespy"));
    terminal.keys(&[
        &format!("{spy} --format jsonl:{} -- sh -i", file.display()),
        "Enter",
    ]);
    terminal.keys(&["echo in''side", "Enter"]);
    terminal.shows("inside");
    terminal.keys(&["sh -c 'echo sleep''er=$$.; exec sleep 1000'", "Enter"]);
    let sleeper = until("the sleeper's pid", std::process::id(), || {
        let screen = terminal.screen();
        let (_, rest) = screen.split_once("\nsleeper=")?;
        rest.split_once('.')?.0.parse::<i64>().ok()
    });
    terminal.keys(&["C-z"]);
    terminal.shows("Stopped");
    terminal.keys(&["jobs; echo job''s told", "Enter"]);
    terminal.shows("jobs told");
    terminal.keys(&["fg", "Enter"]);
    // The shell says so before it does so: Ctrl-C goes to whom the terminal has in the foreground.
    until("in the foreground, and running", std::process::id(), || {
        let stat = std::fs::read_to_string(format!("/proc/{sleeper}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let [state, _, group, _, _, foreground, ..] = fields[..] else {
            return None;
        };
        (state == "S" && group == foreground).then_some(())
    });
    terminal.keys(&["C-c"]);
    terminal.keys(&["echo status $''?", "Enter"]);
    terminal.keys(&["echo after $((128+2))", "Enter"]);
    terminal.shows("after 130");
    terminal.keys(&["exit 42", "Enter"]);
    terminal.keys(&["echo ended=$?", "Enter"]);
    terminal.shows("ended=42");
}

/// Ctrl-C goes to the program, which may go on; a second one within a second ends both.
#[test]
fn ctrl_c_is_the_programs_and_twice_ends_both() {
    let Some(terminal) = Terminal::new("interrupt") else {
        return;
    };
    let (file, spy) = (fresh_file("jsonl"), env!("CARGO_BIN_EXE_clonespy"));
    let run = format!("{spy} --format jsonl:{} -- sh -c", file.display());
    terminal.keys(&[&format!("{run} 'trap \"echo caug\"\"ht; exit 9\" INT; echo wait\"\"ing; while :; do sleep 0.1; done'; echo one=$?"), "Enter"]);
    terminal.shows("waiting");
    terminal.keys(&["C-c"]);
    terminal.shows("caught");
    terminal.shows("one=9");
    terminal.keys(&["clear", "Enter"]);
    // The outer shell survives the Ctrl-C that come when both have ended, and tells.
    let script = fresh_file("sh");
    let deaf = format!(
        "trap : INT\n{run} 'trap \"\" INT; echo deafness; while :; do sleep 0.1; done'\necho two=$?\n"
    );
    std::fs::write(&script, deaf).unwrap();
    terminal.keys(&[&format!("sh {}", script.display()), "Enter"]);
    terminal.shows("deafness");
    // Two that are sent at once are one signal; so: again and again, until two are near enough. Not
    // faster than a slow terminal takes them, or what it shows of the rest scrolls the answer away.
    until("two=137", std::process::id(), || {
        terminal.keys(&["C-c"]);
        std::thread::sleep(std::time::Duration::from_millis(100));
        terminal.screen().contains("two=137").then_some(())
    });
}

/// A debugger and a tracer inside the trace: a task has one tracer, so theirs is refused, as under
/// strace, and they say so.
#[test]
fn a_tracer_in_the_tracee_is_refused_as_under_strace() {
    for (what, words) in [
        (
            "gdb",
            &["gdb", "-nx", "--batch", "-ex", "run", "/bin/true"][..],
        ),
        ("strace", &["strace", "-o", "/dev/null", "/bin/true"]),
    ] {
        if tool(what).is_none() {
            continue;
        }
        let Some(strace) = tool("strace") else {
            return;
        };
        let theirs = run(Command::new(strace)
            .args(["-f", "-o", "/dev/null", "-e", "trace=none", "--"])
            .args(words));
        let words: Vec<&std::ffi::OsStr> = words.iter().map(std::ffi::OsStr::new).collect();
        let ours = crate::trace::trace(&words);
        assert_eq!(ours.run.end(), theirs.end(), "{what}: {}", ours.run.err());
        expect_whole(&ours, what);
    }
}

/// As root, a set-uid program gets its privileges under the filter.
#[test]
fn a_set_uid_program_keeps_its_privileges_under_root() {
    let root = status(std::process::id(), "Uid").is_some_and(|uid| uid.starts_with("0\t"));
    if !root {
        eprintln!("not tested: only root can trace a set-uid program with its privileges");
        return;
    }
    let Some(setpriv) = tool("setpriv") else {
        return;
    };
    let place = std::env::temp_dir().join(format!("clonespy-setuid-{}", std::process::id()));
    let copy = "cp /usr/bin/id \"$1\" && chmod 4755 \"$1\"";
    run(Command::new("sh").args(["-c", copy, "sh"]).arg(&place))
        .expect("a set-uid copy", End::Exit(0));
    let words = |file: &std::path::Path| {
        vec![
            setpriv.clone().into_os_string(),
            "--reuid=65534".into(),
            "--clear-groups".into(),
            file.as_os_str().to_owned(),
            "-u".into(),
        ]
    };
    let line = words(&place);
    let alone = run(Command::new(&line[0]).args(&line[1..]));
    let traced = crate::trace::trace(&crate::trace::words(&line));
    std::fs::remove_file(&place).expect("the copy");
    if alone.out().trim() != "0" {
        lacking("set-uid programs have no effect in the temporary directory");
        return;
    }
    assert_eq!(traced.run.out(), alone.out());
}

/// New user, mount and time namespaces: the program finds itself there as it does alone.
#[test]
fn new_namespaces_are_as_alone() {
    if tool("unshare").is_none() {
        return;
    }
    for flags in [
        "--user --map-root-user --mount",
        "--user --map-root-user --time",
        "--user --pid --fork",
    ] {
        let script = format!("unshare {flags} sh -c 'id -u; (echo child) | cat'");
        let alone = run(Command::new("sh").args(["-c", &script]));
        let words = ["sh", "-c", &script].map(std::ffi::OsStr::new);
        let traced = crate::trace::trace(&words);
        assert_eq!(
            traced.run.end(),
            alone.end(),
            "{flags}: {}",
            traced.run.err()
        );
        assert_eq!(traced.run.out(), alone.out(), "{flags}");
        expect_whole(&traced, flags);
    }
}

/// A program that the harness drives is not disturbed by the driver itself.
#[test]
fn a_driven_program_under_clonespy() {
    let file = fresh_file("jsonl");
    let driven = Driven::of(
        clonespy()
            .arg("--format")
            .arg(format(&file, "jsonl"))
            .arg("--")
            .arg(program("driven")),
    );
    driven.goes_on();
}
