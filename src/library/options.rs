//! Tracing from a program of one's own: [`trace`] a [`Command`], and ask the [`Trace`].

use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, Command};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, Scope};
use std::time::Duration;

use super::deadline::Deadline;
use super::trace::Trace;
use crate::error::{Error, Result};
use crate::event::{Cut, Event, EventKind, Extras};
use crate::sys::Host;
use crate::tracer::start::command::{self, Hook};

/// Runs a command to the end of its last task, and tells what it created.
///
/// The command is used as it is: its standard streams, user, working directory, environment and
/// `pre_exec` closures all stay. Streams that are [piped](std::process::Stdio::piped) are read to
/// their end into [`Trace::stdout`] and [`Trace::stderr`]; a piped standard input is empty.
///
/// ```
/// use std::process::Command;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut command = Command::new("sh");
/// command.args(["-c", "true & wait"]);
/// let trace = clonespy::trace(command)?;
///
/// assert_eq!(trace.processes().count(), 2);
/// assert_eq!(trace.threads().count(), 2); // as ps -eLf counts: each process has a first thread
/// assert_eq!(trace.failed().count(), 0);
/// assert_eq!(trace.exit_code(), Some(0));
///
/// // The same in the words of an expectation file, whose difference `?` and `unwrap` show.
/// let expected = "exit = 0\n tasks.processes = 2\n clone = [{ is = ['fork', 'vfork'] }]";
/// trace.check(&clonespy::Expectation::parse(expected, "inline".as_ref())?)?;
/// # Ok(())
/// # }
/// ```
///
/// Several traces may run at once in one process, each in a thread. Two things are to be known:
/// the program gets the filter's `no_new_privs` unless it is started by root (set-uid programs
/// then have no effect); and a host program one of whose threads calls `waitpid(-1)` takes reports
/// that are the tracer's, and must trace from a helper process instead.
///
/// # Errors
/// The program cannot be run ([`Error::NotFound`], [`Error::NotExecutable`]), or tracing is not
/// permitted ([`Error::Trace`]).
pub fn trace(command: Command) -> Result<Trace> {
    Options::default().trace(command)
}

/// How [`trace`] goes about it.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut command = std::process::Command::new("cat");
/// command.stdin(std::process::Stdio::piped());
/// command.stdout(std::process::Stdio::piped());
///
/// let mut options = clonespy::Options::default();
/// options.stdin = b"read by cat".to_vec();
/// options.timeout = Some(std::time::Duration::from_secs(60));
/// let trace = options.trace(command)?;
///
/// assert!(!trace.timed_out());
/// assert_eq!(trace.stdout, b"read by cat");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Everything is killed after this time; the trace then says so ([`Trace::timed_out`]).
    pub timeout: Option<Duration>,
    /// What a piped standard input gives.
    pub stdin: Vec<u8>,
    /// What is recorded on demand: what some lints need.
    pub record: Extras,
}

impl Options {
    /// As [`trace`].
    ///
    /// # Errors
    /// As [`trace`].
    pub fn trace(&self, mut command: Command) -> Result<Trace> {
        let program = command.get_program().to_string_lossy().into_owned();
        let (mut hook, host) = command::hook(&mut command)?;
        hook.record(self.record.clone());
        let stopped = |why| Error::Launch {
            what: "starting the tracing thread".to_owned(),
            why,
        };
        thread::scope(|scope| {
            // A thread of its own has no children but those that it traces: nobody else's child is
            // taken for one of ours. The child is spawned, and so is a child of, this thread.
            let timeout = self.timeout;
            let tracing = thread::Builder::new()
                .name("clonespy".to_owned())
                .spawn_scoped(scope, move || follow(hook, timeout))
                .map_err(stopped)?;
            let (spawned, host) = spawn(command, host);
            let spawned = spawned.map(|child| self.attend(scope, child));
            drop(host);
            let followed = tracing.join().unwrap_or_else(|_| {
                Err(Error::Check {
                    what: "the tracing thread panicked".to_owned(),
                })
            });
            conclude(&program, followed, spawned)
        })
    }

    /// Feeds and reads the streams that are piped, to their ends.
    fn attend<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        mut child: Child,
    ) -> Attended {
        let stdin = child.stdin.take();
        let feeder = scope.spawn(move || feed(stdin, &self.stdin));
        let stdout = child.stdout.take();
        let reader = scope.spawn(move || drain(stdout));
        let stderr = drain(child.stderr.take());
        // What panics shows itself by its message.
        let _ = feeder.join();
        Attended {
            child,
            stdout: reader.join().unwrap_or_default(),
            stderr,
        }
    }
}

/// A child whose streams have been read.
struct Attended {
    child: Child,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// What came of it, from what both threads know.
fn conclude(
    program: &str,
    followed: Result<Followed>,
    spawned: io::Result<Attended>,
) -> Result<Trace> {
    match (followed, spawned) {
        (Ok(Followed { events, .. }), Ok(attended)) if !events.is_empty() => {
            let mut trace = Trace::of(events);
            trace.stdout = attended.stdout;
            trace.stderr = attended.stderr;
            Ok(trace)
        }
        (Ok(Followed { reached, .. }), Err(why)) => {
            Err(command::spawn_failure(program, reached, why))
        }
        // It ended between the filter and the exec: spawn took that for the exec, and the status
        // is still to be taken.
        (followed, Ok(mut attended)) => {
            let status = attended.child.wait();
            Err(followed.err().unwrap_or_else(|| Error::Launch {
                what: format!("{program} ended before its exec ({status:?})"),
                why: io::ErrorKind::Other.into(),
            }))
        }
        // The tracer saw the end of a child that could not exec; spawn knows why.
        (Err(Error::Launch { .. }), Err(why)) => Err(command::spawn_failure(program, true, why)),
        (Err(error), Err(_)) => Err(error),
    }
}

/// Spawns the command, which returns when its exec is over, and tells the tracer where there is no
/// child. The command goes, and with it its ends of our pipes; the host's end stays.
fn spawn(mut command: Command, host: Host) -> (io::Result<Child>, Option<Host>) {
    match command.spawn() {
        Ok(child) => (Ok(child), Some(host)),
        Err(why) => {
            host.no_child();
            (Err(why), None)
        }
    }
}

fn feed(stdin: Option<ChildStdin>, bytes: &[u8]) {
    if let Some(mut stdin) = stdin {
        // A program may end without reading all: that is its right.
        let _ = stdin.write_all(bytes);
    }
}

fn drain(stream: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        // What was read before an error is kept.
        let _ = stream.read_to_end(&mut bytes);
    }
    bytes
}

/// What the tracing thread brings.
struct Followed {
    events: Vec<Event>,
    /// The child came to its exec.
    reached: bool,
}

/// The tracing thread.
fn follow(hook: Hook, timeout: Option<Duration>) -> Result<Followed> {
    let Some(tracer) = hook.trace()? else {
        return Ok(Followed {
            events: Vec::new(),
            reached: false,
        });
    };
    let Some(timeout) = timeout else {
        let events: Vec<Event> = tracer.collect::<Result<_>>()?;
        return Ok(Followed {
            events: begun(events),
            reached: true,
        });
    };
    let deadline = Deadline::default();
    deadline.born(tracer.root());
    thread::scope(|scope| {
        let (over, waiting) = mpsc::channel::<()>();
        scope.spawn({
            let deadline = &deadline;
            move || {
                if waiting.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout) {
                    deadline.kill();
                }
            }
        });
        let mut events = Vec::new();
        let mut failed = None;
        for event in tracer {
            match event {
                Ok(event) => {
                    deadline.note(&event);
                    events.push(event);
                }
                Err(why) => failed = Some(why),
            }
        }
        drop(over);
        if let Some(why) = failed {
            return Err(why);
        }
        if deadline.killed()
            && let Some(EventKind::End(end)) = events.last_mut().map(|event| &mut event.kind)
        {
            end.cut = Some(Cut::Timeout);
        }
        Ok(Followed {
            events: begun(events),
            reached: true,
        })
    })
}

/// The events of a program that ran; none, where only its end before the exec was seen.
fn begun(events: Vec<Event>) -> Vec<Event> {
    match events.first().map(|event| &event.kind) {
        Some(EventKind::Start(_)) => events,
        _ => Vec::new(),
    }
}
