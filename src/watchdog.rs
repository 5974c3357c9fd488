//! What fails a test that would never end, with the state of all tasks.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// How long a test may take that is guarded as a whole. Generous: it only ends what would never end.
const WHOLE: Duration = Duration::from_secs(300);

/// Ends its watch when it is dropped.
#[must_use = "the watch ends with it"]
pub struct Guard(Sender<()>);

/// Watches over a test that waits for processes by itself: where it does not end, the tasks of this
/// process and of all that it started are shown, these are killed, and the test run fails.
pub fn guard() -> Guard {
    let (sender, receiver) = channel();
    let test = thread::current().name().unwrap_or("a test").to_owned();
    thread::spawn(move || {
        if receiver.recv_timeout(WHOLE) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        let root = std::process::id();
        // Not by eprintln, which is kept until the test has ended.
        let said = format!("{test}: not over after {WHOLE:?}:\n{}", state_of(root));
        let _ = std::io::stderr().write_all(said.as_bytes());
        for pid in family(root).into_iter().filter(|&pid| pid != root) {
            let mut kill = Command::new("kill");
            kill.args(["-s", "KILL", &pid.to_string()]);
            let _ = kill.stderr(Stdio::null()).status();
        }
        std::process::exit(101);
    });
    Guard(sender)
}

impl Drop for Guard {
    fn drop(&mut self) {
        // The watch may be over already.
        let _ = self.0.send(());
    }
}

/// What each task is doing that descends from a process or is in its group.
pub fn state_of(root: u32) -> String {
    let mut report = String::new();
    for pid in family(root) {
        for tid in numbers(&format!("/proc/{pid}/task")) {
            let file = |name: &str| {
                fs::read_to_string(format!("/proc/{pid}/task/{tid}/{name}"))
                    .unwrap_or_else(|error| error.to_string())
                    .trim()
                    .to_owned()
            };
            report += &format!(
                "  pid {pid} tid {tid}: {} | syscall {} | wchan {}\n",
                file("stat").chars().take(80).collect::<String>(),
                file("syscall"),
                file("wchan")
            );
        }
    }
    report
}

/// A process, its descendants, and who is in their group.
fn family(root: u32) -> Vec<u32> {
    let mut stats = HashMap::new();
    for pid in numbers("/proc") {
        if let Some(fields) = stat(&format!("/proc/{pid}/stat")) {
            stats.insert(pid, fields);
        }
    }
    let belongs = |pid: u32| {
        let mut at = pid;
        while let Some(fields) = stats.get(&at) {
            if at == root || fields.group == root {
                return true;
            }
            at = fields.parent;
        }
        false
    };
    let mut pids: Vec<u32> = stats.keys().copied().filter(|&pid| belongs(pid)).collect();
    pids.sort_unstable();
    pids
}

struct Stat {
    parent: u32,
    group: u32,
}

fn stat(path: &str) -> Option<Stat> {
    let text = fs::read_to_string(path).ok()?;
    let mut fields = text.rsplit_once(") ")?.1.split(' ').skip(1);
    Some(Stat {
        parent: fields.next()?.parse().ok()?,
        group: fields.next()?.parse().ok()?,
    })
}

fn numbers(directory: &str) -> Vec<u32> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}
