//! Runs a command to its end, with what it read and wrote. A command that does not end is not
//! waited for: the state of all its tasks is shown, then it is killed and the test fails.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

pub use crate::watchdog::{guard, state_of};

/// How long a command may take. Generous: it only ends what would never end.
pub const LIMIT: Duration = Duration::from_secs(120);

/// What came of a command.
pub struct Run {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Run {
    /// Standard output as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The exit status as the program's user sees it.
    pub fn end(&self) -> End {
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => End::Exit(code),
            (None, signal) => End::Signal(signal.expect("neither code nor signal")),
        }
    }

    /// Fails the test, with all that was written, unless the command ended like this.
    #[track_caller]
    pub fn expect(&self, what: &str, end: End) -> &Self {
        assert_eq!(
            self.end(),
            end,
            "{what}\n--- stdout\n{}\n--- stderr\n{}",
            self.out(),
            self.err()
        );
        self
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Exit(i32),
    Signal(i32),
}

/// Runs a command whose standard input is empty.
#[track_caller]
pub fn run(command: &mut Command) -> Run {
    run_with(command, b"")
}

/// Runs a command with this on its standard input.
#[track_caller]
pub fn run_with(command: &mut Command, input: &'static [u8]) -> Run {
    run_within(LIMIT, command, input)
}

#[track_caller]
fn run_within(limit: Duration, command: &mut Command, input: &'static [u8]) -> Run {
    let mut started = start_with(command);
    let mut stdin = started.stdin.take().expect("stdin is piped");
    // A program may end without reading all: that is its right.
    thread::spawn(move || stdin.write_all(input));
    started.finish_within(limit)
}

/// A command that is running; what it writes is read as it comes.
pub struct Started {
    words: String,
    pub pid: u32,
    pub stdin: Option<ChildStdin>,
    receive: mpsc::Receiver<Run>,
    over: bool,
}

/// Starts a command whose standard input stays open until it is dropped.
#[track_caller]
pub fn start_with(command: &mut Command) -> Started {
    let words = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A process group of its own, so that it can be killed as a whole.
        .process_group(0)
        .spawn()
        .unwrap_or_else(|error| panic!("{words}: {error}"));
    let pid = child.id();
    let stdin = child.stdin.take();
    let mut stdout = child.stdout.take().expect("stdout is piped");
    let mut stderr = child.stderr.take().expect("stderr is piped");
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let errors = thread::spawn(move || read_all(&mut stderr));
        // Both streams end only when every descendant has closed them: daemons are waited for.
        let stdout = read_all(&mut stdout);
        let stderr = errors.join().expect("reading standard error");
        let status = child.wait().expect("waiting for a child");
        // Nobody listens any more after the limit.
        let _ = send.send(Run {
            status,
            stdout,
            stderr,
        });
    });
    Started {
        words,
        pid,
        stdin,
        receive,
        over: false,
    }
}

impl Started {
    /// Waits for its end and all that it wrote.
    #[track_caller]
    pub fn finish(self) -> Run {
        self.finish_within(LIMIT)
    }

    #[track_caller]
    fn finish_within(mut self, limit: Duration) -> Run {
        drop(self.stdin.take());
        let done = self.receive.recv_timeout(limit);
        let state = if done.is_err() {
            state_of(self.pid)
        } else {
            self.over = true;
            String::new()
        };
        done.unwrap_or_else(|_| {
            panic!(
                "{}: still running after {limit:?}:\n{state}",
                self.words.clone()
            )
        })
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if !self.over {
            send("KILL", -i64::from(self.pid));
        }
    }
}

/// Sends a signal to a process, or, with a negative number, to a process group.
pub fn send(signal: &str, pid: i64) {
    // It may have ended already.
    let _ = Command::new("kill")
        .args(["-s", signal, "--", &pid.to_string()])
        .stderr(Stdio::null())
        .status();
}

/// Asks until there is an answer. What never comes fails the test, with the state of the tasks
/// that belong to this process.
#[track_caller]
pub fn until<T>(what: &str, root: u32, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            Instant::now() < end,
            "{what}: not so after {LIMIT:?}:\n{}",
            state_of(root)
        );
        thread::yield_now();
    }
}

fn read_all(from: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).expect("reading a pipe");
    bytes
}

/// Whether the tests run as root.
pub fn root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
}

/// The path of a tool. Where it is missing the test says so and is over; under CI=true it fails.
#[track_caller]
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|file| is_executable(file));
    if found.is_none() {
        lacking(&format!("{name} is not installed"));
    }
    found
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Says that this machine lacks what the test needs; under CI=true that is a failure.
#[track_caller]
pub fn lacking(what: &str) {
    assert!(
        std::env::var_os("CI").is_none_or(|value| value != "true"),
        "{what}, and CI=true wants all tests run"
    );
    eprintln!("not tested: {what}");
}

#[test]
fn what_does_not_end_is_shown_and_ended() {
    // A shell whose child waits for a pipe that nobody writes to; it would wait for ever.
    let script = "mkfifo \"$1\" && (read line <\"$1\"); true";
    let fifo = crate::trace::fresh_file("fifo");
    let failed = std::panic::catch_unwind(|| {
        run_within(
            Duration::from_millis(300),
            Command::new("sh").args(["-c", script, "sh"]).arg(&fifo),
            b"",
        );
    })
    .expect_err("it cannot have ended");
    let words = failed.downcast_ref::<String>().expect("a message");
    assert!(words.contains("still running"), "{words}");
    assert!(words.contains("(sh)") && words.contains("wchan"), "{words}");
}
