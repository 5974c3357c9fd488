//! A program that does what a test says (fixtures/driven.c), and clonespy attached to one.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use clonespy::event::{Event, EventKind, How, Tid};

use crate::fixture_facts::{Fact, facts};
use crate::fixtures::program;
use crate::run::{LIMIT, Run, Started, send, start_with, state_of, until};
use crate::trace::{clonespy, events, format, fresh_file};

/// A running program that listens.
pub struct Driven {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
}

impl Driven {
    /// The fixture.
    #[track_caller]
    pub fn start() -> Self {
        Self::of(&mut Command::new(program("driven")))
    }

    /// A command that runs the fixture.
    #[track_caller]
    pub fn of(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a fixture");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            stdin: child.stdin.take(),
            child,
            lines,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells it something without waiting for the answer.
    #[track_caller]
    pub fn tell(&mut self, what: &str) {
        let stdin = self.stdin.as_mut().expect("it listens");
        writeln!(stdin, "{what}").expect("it listens");
    }

    /// The line that it says next.
    #[track_caller]
    pub fn line(&mut self) -> String {
        self.lines
            .recv_timeout(LIMIT)
            .unwrap_or_else(|why| panic!("no answer, {why}:\n{}", state_of(self.pid())))
    }

    /// What it says next.
    #[track_caller]
    pub fn answer(&mut self) -> Fact {
        facts(&self.line()).remove(0)
    }

    /// Tells it something, and what it answers.
    #[track_caller]
    pub fn ask(&mut self, what: &str) -> Fact {
        self.tell(what);
        self.answer()
    }

    /// Ends its input, or tells it to end, and waits for its end.
    #[track_caller]
    pub fn end(mut self, with: Option<i32>) -> ExitStatus {
        if let Some(code) = with {
            self.tell(&format!("exit {code}"));
        }
        self.stdin = None;
        let pid = self.pid();
        until("the program ends", pid, || {
            self.child.try_wait().expect("its status")
        })
    }

    /// It makes what it made before, and ends as it would have: nobody has harmed it.
    #[track_caller]
    pub fn goes_on(mut self) {
        assert_ne!(self.ask("fork").number("forked"), 0);
        self.ask("thread");
        assert_eq!(self.end(Some(5)).code(), Some(5));
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        // Ended already, mostly.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A field of /proc/PID/status; `None` once the task is gone.
pub fn status(pid: u32, field: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
        .map(|value| value.trim().to_owned())
}

/// The tids of a process.
pub fn threads(pid: u32) -> Vec<Tid> {
    std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// clonespy, attached.
pub struct Spy {
    pub started: Started,
    jsonl: PathBuf,
    text: PathBuf,
}

/// What an attached clonespy left.
pub struct Seen {
    pub run: Run,
    pub events: Vec<Event>,
    pub text: String,
}

impl Spy {
    /// Attaches to these, with these options, and waits until that is done.
    #[track_caller]
    pub fn attach<S: AsRef<OsStr>>(pids: &str, options: &[S]) -> Self {
        let (jsonl, text) = (fresh_file("jsonl"), fresh_file("txt"));
        let started = start_with(
            clonespy()
                .args(["-p", pids, "--format"])
                .arg(format(&jsonl, "jsonl"))
                .arg("--format")
                .arg(format(&text, "text"))
                .args(options),
        );
        let spy = Self {
            started,
            jsonl,
            text,
        };
        // Attaching is over when its outcome is told; one that failed leaves nothing.
        let pid = spy.started.pid;
        until("attached", pid, || {
            let text = std::fs::read_to_string(&spy.jsonl).unwrap_or_default();
            let state = status(pid, "State");
            let over = state.is_none_or(|state| state.starts_with('Z'));
            (over || text.contains("\"how\":\"attached\"")).then_some(())
        });
        spy
    }

    /// Sends it a signal and waits for its end.
    #[track_caller]
    pub fn end(self, signal: &str) -> Seen {
        send(signal, i64::from(self.started.pid));
        self.finish()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn finish(self) -> Seen {
        let run = self.started.finish();
        let said = run.err();
        Seen {
            events: events(&self.jsonl, &said),
            text: std::fs::read_to_string(&self.text).unwrap_or_default(),
            run,
        }
    }
}

impl Seen {
    /// The tids of the tasks that were attached to.
    pub fn attached(&self) -> Vec<Tid> {
        let mut tids: Vec<Tid> = self
            .events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::Task(task) if task.how == How::Attached => Some(task.tid),
                _ => None,
            })
            .collect();
        tids.sort_unstable();
        tids
    }
}
