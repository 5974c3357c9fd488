//! What strace says of a program: its lines (6.1 and later), read into [`Calls`].

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::calls::{Calls, Made, Result};
use crate::fixtures::scratch;
use crate::run::{Run, run, tool};

/// Runs a command under strace. `None` where there is no strace.
#[track_caller]
pub fn strace(command: &[&OsStr]) -> Option<(Run, Calls)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let program = tool("strace")?;
    let file: PathBuf = scratch().join(format!("strace-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    let done = run(Command::new(program)
        .args(["-f", "-q", "-e", "signal=none", "-X", "raw"])
        .args(["-e", "trace=clone,clone3,fork,vfork", "--decode-pids=pidns"])
        .arg("-o")
        .arg(&file)
        .arg("--")
        .args(command));
    let lines = std::fs::read(&file).expect("strace's output");
    Some((done, read(&String::from_utf8_lossy(&lines))))
}

/// One life of a tid: tids are used again.
type Life = usize;

#[derive(Default)]
struct Reader {
    /// The life that each tid leads now.
    now: HashMap<i64, Life>,
    /// Lives that have been seen but whose creator is not known yet, by tid, oldest first.
    unclaimed: HashMap<i64, Vec<Life>>,
    /// By life: the creator and the place among its children.
    parents: Vec<Option<(Life, usize)>>,
    children: Vec<usize>,
    calls: Vec<Vec<Made>>,
    /// Calls that strace shows in two parts, by the tid that made them.
    open: HashMap<i64, String>,
    /// The place in `calls` that was kept for a call in two parts.
    kept: HashMap<i64, usize>,
}

/// Reads strace's lines.
#[track_caller]
pub fn read(text: &str) -> Calls {
    let mut reader = Reader::default();
    for line in text.lines() {
        let (tid, rest) = line
            .split_once(' ')
            .unwrap_or_else(|| panic!("strace: {line:?}"));
        let tid = tid.parse().unwrap_or_else(|_| panic!("strace: {line:?}"));
        reader.line(tid, rest.trim_start());
    }
    reader.finish()
}

impl Reader {
    #[track_caller]
    fn line(&mut self, tid: i64, rest: &str) {
        let life = self.life(tid);
        if let Some(ended) = rest.strip_prefix("+++ ") {
            self.ended(tid, ended);
        } else if rest.starts_with('[') || rest.starts_with("---") || rest.starts_with("???") {
            // Remarks on personality, signals, and a task whose call strace did not see begin.
        } else if let Some(start) = rest
            .strip_suffix(" <unfinished ...>")
            .or_else(|| rest.strip_suffix("<unfinished ...>"))
        {
            if rest.starts_with("<... ") {
                return;
            }
            self.open.insert(tid, start.to_owned());
            self.kept.insert(tid, self.calls[life].len());
            self.calls[life].push(made(start, Result::Unfinished));
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let tail = resumed.split_once(" resumed>").map_or("", |(_, tail)| tail);
            let whole = self.open.remove(&tid).unwrap_or_default() + tail;
            let whole = whole.replace(" <unfinished ...>", "");
            let place = self.kept.remove(&tid);
            self.call(tid, &whole, place);
        } else {
            self.call(tid, rest, None);
        }
    }

    /// The present life of a tid; a new one where there is none.
    fn life(&mut self, tid: i64) -> Life {
        if let Some(&life) = self.now.get(&tid) {
            return life;
        }
        let life = self.new_life();
        self.now.insert(tid, life);
        if life > 0 {
            self.unclaimed.entry(tid).or_default().push(life);
        }
        life
    }

    fn new_life(&mut self) -> Life {
        self.parents.push(None);
        self.children.push(0);
        self.calls.push(Vec::new());
        self.parents.len() - 1
    }

    fn ended(&mut self, tid: i64, how: &str) {
        if let Some(other) = how.strip_prefix("superseded by execve in pid ") {
            // The other thread goes on under the leader's tid, and its own is free.
            let other = other.split(' ').next().and_then(|tid| tid.parse().ok());
            let life = self.life(other.expect("strace: superseded by whom?"));
            self.now.retain(|_, at| *at != life);
            self.now.insert(tid, life);
        } else {
            self.now.remove(&tid);
        }
    }

    /// A whole call. `place`: where its first part was noted.
    #[track_caller]
    fn call(&mut self, tid: i64, whole: &str, place: Option<usize>) {
        let life = self.life(tid);
        let (start, result) = whole
            .rsplit_once(" = ")
            .unwrap_or_else(|| panic!("strace: {whole:?}"));
        let result = result.trim();
        let made = made(start, outcome(result));
        // A call that the kernel starts again is one call, and its second line is still to come.
        if result.starts_with("? ERESTART") {
            if let Some(place) = place {
                self.calls[life].truncate(place);
            }
            return;
        }
        match place {
            Some(place) => self.calls[life][place] = made.clone(),
            None => self.calls[life].push(made.clone()),
        }
        if made.result == Result::Created {
            self.created(life, child_tid(result));
        }
    }

    fn created(&mut self, parent: Life, tid: i64) {
        let index = self.children[parent];
        self.children[parent] += 1;
        let waiting = self
            .unclaimed
            .get_mut(&tid)
            .filter(|lives| !lives.is_empty());
        let child = match waiting {
            // It was heard of before its creator's call was over.
            Some(lives) => lives.remove(0),
            None => {
                let life = self.new_life();
                self.now.insert(tid, life);
                life
            }
        };
        self.parents[child] = Some((parent, index));
    }

    fn finish(mut self) -> Calls {
        let mut calls = Calls::default();
        for life in 0..self.calls.len() {
            let made = std::mem::take(&mut self.calls[life]);
            if !made.is_empty() {
                calls.0.insert(self.name(life), made);
            }
        }
        calls
    }

    fn name(&self, life: Life) -> String {
        match self.parents[life] {
            Some((parent, index)) => format!("{}.{index}", self.name(parent)),
            None if life == 0 => "0".to_owned(),
            None => format!("orphan{life}"),
        }
    }
}

/// The call's name, flags and exit signal from the text up to its result.
fn made(start: &str, result: Result) -> Made {
    let (call, arguments) = start.split_once('(').unwrap_or((start, ""));
    let value = |key: &str| {
        let at = arguments.find(key)? + key.len();
        let rest = &arguments[at..];
        Some(&rest[..rest.find([',', '}', ')']).unwrap_or(rest.len())])
    };
    let (flags, exit_signal) = match (call, value("flags=")) {
        ("fork", _) => (Some(0), Some(17)),
        ("vfork", _) => (Some(0x4100), Some(17)),
        // Legacy clone: 0xFLAGS|SIGNAL, 0xFLAGS, SIGNAL (in decimal), or 0.
        ("clone", Some(word)) => match word.trim().split_once('|') {
            Some((flags, signal)) => (number(flags), number(signal)),
            None if word.starts_with("0x") => (number(word), Some(0)),
            None => (Some(0), number(word.trim())),
        },
        ("clone3", Some(word)) => (number(word), value("exit_signal=").and_then(number)),
        _ => (None, None),
    };
    Made {
        call: call.to_owned(),
        flags,
        exit_signal,
        result,
    }
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn outcome(result: &str) -> Result {
    if let Some(failed) = result.strip_prefix("-1 ") {
        Result::Failed(failed.split(' ').next().unwrap_or_default().to_owned())
    } else if result.starts_with('?') {
        Result::Unfinished
    } else {
        Result::Created
    }
}

/// The new tid in strace's own pid namespace.
fn child_tid(result: &str) -> i64 {
    let inner = result.split(' ').next();
    let outer = result
        .split_once("/* ")
        .and_then(|(_, comment)| comment.split(' ').next());
    outer
        .or(inner)
        .and_then(|tid| tid.parse().ok())
        .unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{CASES, Strace};
    use crate::trace::{command, words};

    #[test]
    fn lines_in_two_parts_restarts_and_reused_tids_are_read() {
        let text = "\
10 clone(child_stack=NULL, flags=0x1200000|17 <unfinished ...>
11 vfork() = 12
11 +++ exited with 0 +++
10 <... clone resumed>, child_tidptr=0x7f) = 11
10 clone(child_stack=NULL, flags=17) = ? ERESTARTNOINTR (To be restarted)
10 clone(child_stack=NULL, flags=17) = 11
11 clone3({flags=0x3d0f00, exit_signal=0, stack=NULL} => {parent_tid=[2 /* 44 in strace's PID NS */]}, 88) = 2 /* 44 in strace's PID NS */
11 clone3(0x8, 88) = -1 EFAULT (Bad address)
10 clone(child_stack=NULL, flags=0 <unfinished ...>
10 <... clone resumed> <unfinished ...>) = ?
";
        let calls = read(text);
        let shown: Vec<String> = calls
            .0
            .iter()
            .map(|(name, calls)| format!("{name} {calls:?}"))
            .collect();
        assert_eq!(
            shown,
            [
                "0 [clone(0x1200000, signal 0x11) = Created, clone(0x0, signal 0x11) = Created, clone(0x0, signal 0x0) = Unfinished]",
                "0.0 [vfork(0x4100, signal 0x11) = Created]",
                "0.1 [clone3(0x3d0f00, signal 0x0) = Created, clone3(?, signal ?) = Failed(\"EFAULT\")]",
            ]
        );
    }

    #[test]
    fn a_thread_that_execs_goes_on_under_the_leaders_tid() {
        let text = "\
10 clone3({flags=0x3d0f00, exit_signal=0}, 88) = 11
10 +++ superseded by execve in pid 11 +++
10 vfork() = 11
11 vfork() = 12
";
        let names: Vec<String> = read(text).0.into_keys().collect();
        assert_eq!(names, ["0", "0.0", "0.0.0"]);
    }

    /// A comparison with strace says something only if strace says the same each time and finds
    /// every task's creator.
    #[test]
    fn strace_agrees_with_itself() {
        for case in CASES {
            if matches!(case.strace, Strace::No(_)) {
                continue;
            }
            let line = command(case);
            let Some((run, first)) = strace(&words(&line)) else {
                return;
            };
            run.expect(case.name, case.end);
            let Some((_, second)) = strace(&words(&line)) else {
                return;
            };
            first.expect_same(&second, case.name);
            if matches!(case.strace, Strace::Same) {
                let orphan = first.0.keys().find(|name| name.starts_with("orphan"));
                assert_eq!(orphan, None, "{}", case.name);
            }
        }
    }
}
