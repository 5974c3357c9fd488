//! Programs that people use, under clonespy and under strace: every task is in the tree, and the
//! calls are the same. Those that take long run where CLONESPY_BIG=1 asks for them (.ci/run does).

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use clonespy::event::{Event, Kind, Outcome};

use crate::calls::Calls;
use crate::fixtures::{Strace, program, scratch};
use crate::run::{End, run, tool};
use crate::strace::strace;
use crate::trace::{Traced, clonespy, compare, expect_whole, format, fresh_file, trace};

/// Traces a program that ends well and whose calls are the same in each run.
#[track_caller]
fn same_as_strace(what: &str, command: &[&str]) -> Traced {
    let words: Vec<&OsStr> = command.iter().map(OsStr::new).collect();
    let traced = trace(&words);
    traced.run.expect(what, End::Exit(0));
    expect_whole(&traced, what);
    compare(what, &words, Strace::Same);
    traced
}

/// How many threads and processes the calls made.
fn made(traced: &Traced) -> (usize, usize) {
    let of = |kind: Kind| {
        let created = traced.events.iter().filter(|event| match event {
            Event::Clone(call) => {
                matches!(&call.outcome, Outcome::Created(created) if created.kind == kind)
            }
            _ => false,
        });
        created.count()
    };
    (of(Kind::Thread), of(Kind::Process))
}

/// Whether the programs that take long are asked for.
pub fn big(what: &str) -> bool {
    let asked = std::env::var_os("CLONESPY_BIG").is_some_and(|value| value == "1");
    if !asked {
        eprintln!("{what}: not asked for (CLONESPY_BIG=1 asks)");
    }
    asked
}

/// A directory of this name, made anew.
fn directory(name: &str) -> PathBuf {
    let path = scratch().join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory");
    path
}

#[test]
fn a_shell_pipeline() {
    let traced = same_as_strace(
        "sh",
        &["sh", "-c", "ls / | wc -l; (echo a; echo b) | sort | uniq"],
    );
    let (threads, processes) = made(&traced);
    assert_eq!(threads, 0);
    assert!(processes >= 5, "{processes} processes");
}

const PYTHON: &str = r#"
import multiprocessing, os, subprocess, sys, threading

def work(queue, n):
    queue.put(n * n)

def main():
    together = threading.Barrier(4)
    threads = [threading.Thread(target=together.wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    together.wait()
    for thread in threads:
        thread.join()
    for way in ("fork", "spawn"):
        context = multiprocessing.get_context(way)
        queue = context.SimpleQueue()
        for n in range(2):
            process = context.Process(target=work, args=(queue, n))
            process.start()
            process.join()
        assert sorted(queue.get() for _ in range(2)) == [0, 1]
    assert subprocess.run(["true"]).returncode == 0
    assert subprocess.run("exit 3", shell=True).returncode == 3
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)

if __name__ == "__main__":
    main()
"#;

#[test]
fn python_threads_and_processes() {
    let Some(python) = tool("python3") else {
        return;
    };
    let script = directory("python").join("main.py");
    std::fs::write(&script, PYTHON).expect("a script");
    // The interpreter itself, not a script of a version manager around it.
    let found = run(Command::new(python).args(["-c", "import sys; print(sys.executable)"]));
    let python = found.out();
    let traced = same_as_strace("python3", &[python.trim(), script.to_str().expect("UTF-8")]);
    let (threads, processes) = made(&traced);
    assert_eq!(threads, 3);
    // Two forks, two spawns and their resource tracker, two subprocesses, one fork.
    assert!(processes >= 8, "{processes} processes");
}

#[test]
fn make_with_four_jobs() {
    if tool("make").is_none() {
        return;
    }
    let place = directory("make");
    let makefile = "all: a b c d e f\na b c d e f:\n\t@echo $@ | tr a-z A-Z >$@\n";
    std::fs::write(place.join("Makefile"), makefile).expect("a Makefile");
    let place = place.to_str().expect("UTF-8");
    let line = ["make", "-s", "-j4", "-B", "-C", place];
    let traced = same_as_strace("make", &line);
    let (threads, processes) = made(&traced);
    assert_eq!(threads, 0);
    assert!(processes >= 6, "{processes} processes");
    assert_eq!(
        std::fs::read_to_string(Path::new(place).join("f")).expect("f"),
        "F\n"
    );
}

/// A conversation with a server by Redis's inline commands.
struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    /// Connects once the server listens; the watchdog of the server's run ends what never does.
    fn connect(socket: &Path) -> Self {
        loop {
            if let Ok(stream) = UnixStream::connect(socket) {
                return Self {
                    stream: BufReader::new(stream),
                };
            }
            thread::yield_now();
        }
    }

    fn ask(&mut self, command: &str) -> String {
        writeln!(self.stream.get_mut(), "{command}\r").expect("the server listens");
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("an answer");
        // A bulk answer: its length, then that many bytes and a line end.
        if let Some(length) = line.strip_prefix('$') {
            let length: usize = length.trim().parse().expect("a length");
            let mut bytes = vec![0; length + 2];
            std::io::Read::read_exact(&mut self.stream, &mut bytes).expect("the answer");
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        line
    }
}

/// What is asked of the server: a snapshot, and an end.
fn use_redis(socket: &Path) {
    let mut client = Client::connect(socket);
    assert_eq!(client.ask("SET key value").trim(), "+OK");
    assert!(
        client
            .ask("BGSAVE")
            .starts_with("+Background saving started")
    );
    while !client
        .ask("INFO persistence")
        .contains("rdb_bgsave_in_progress:0")
    {
        thread::yield_now();
    }
    assert!(
        client
            .ask("INFO persistence")
            .contains("rdb_last_bgsave_status:ok")
    );
    // The answer to this is the end of the connection.
    writeln!(client.stream.get_mut(), "SHUTDOWN NOSAVE\r").expect("the server listens");
}

#[test]
fn redis_with_io_threads_and_a_snapshot() {
    let Some(server) = tool("redis-server") else {
        return;
    };
    let line = |place: &Path, socket: &Path| {
        let mut words: Vec<std::ffi::OsString> = vec![server.clone().into()];
        for word in ["--port", "0", "--io-threads", "4", "--save", "", "--dir"] {
            words.push(word.into());
        }
        words.extend([place.into(), "--unixsocket".into(), socket.into()]);
        words
    };
    let serve = |name: &str, traced: bool| {
        let place = directory(name);
        let socket = place.join("socket");
        let words = line(&place, &socket);
        let words: Vec<&OsStr> = words.iter().map(|word| word.as_os_str()).collect();
        thread::scope(|scope| {
            scope.spawn(|| use_redis(&socket));
            if traced {
                let traced = trace(&words);
                traced.run.expect("redis-server", End::Exit(0));
                expect_whole(&traced, "redis-server");
                let (threads, processes) = made(&traced);
                assert_eq!(processes, 1, "the snapshot");
                // Three background threads, three I/O threads, perhaps one of the allocator.
                assert!(threads >= 6, "{threads} threads");
                for name in ["bio_close_file", "io_thd_1", "io_thd_3"] {
                    let named = |event: &Event| matches!(event, Event::Exit(exit) if exit.comm.as_deref() == Some(name));
                    assert!(traced.events.iter().any(named), "no {name}");
                }
                Some(Calls::of_events(&traced.events))
            } else {
                strace(&words).map(|(_, calls)| calls)
            }
        })
    };
    let ours = serve("redis-traced", true).expect("clonespy is there");
    if tool("strace").is_some()
        && let Some(theirs) = serve("redis-strace", false)
    {
        ours.expect_same(&theirs, "redis-server");
    }
}

/// The writable memory of clonespy itself, in KiB, after it has traced this many threads in a row:
/// the traced shell asks, whose parent clonespy is. `VmData` is what has been asked of the kernel
/// (proc_pid_status(5)); resident pages also count how much of the program's file happens to be
/// mapped, which differs from run to run.
fn memory_of(threads: &str) -> u64 {
    let script = "\"$1\" row \"$2\" >&2 && sed -n 's/^VmData:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$PPID/status";
    let file = fresh_file("jsonl");
    let traced = run(clonespy()
        .arg("--format")
        .arg(format(&file, "jsonl"))
        .args(["--", "sh", "-c", script, "sh"])
        .arg(program("storm"))
        .arg(threads));
    traced.expect("storm", End::Exit(0));
    let text = std::fs::read_to_string(&file).expect("a trace");
    let mut tasks: Vec<u64> = Vec::new();
    for line in text.lines() {
        if let Event::Clone(call) = serde_json::from_str(line).expect("an event")
            && let Outcome::Created(created) = &call.outcome
            && created.kind == Kind::Thread
        {
            tasks.push(created.task.0);
        }
    }
    tasks.sort_unstable();
    tasks.dedup();
    assert_eq!(tasks.len().to_string(), threads, "distinct threads");
    traced.out().trim().parse().expect("a size in KiB")
}

/// Two of the steps in which malloc lets the heap grow (128 KiB, mallopt(3), M_TOP_PAD), in KiB.
/// 3,600 tasks that are kept would take more from 70 bytes each.
const HEAP_STEPS: u64 = 256;

#[test]
fn memory_does_not_grow_with_what_has_ended() {
    let (few, many) = (memory_of("400"), memory_of("4000"));
    assert!(
        many < few + HEAP_STEPS,
        "{few} KiB for 400 threads, {many} KiB for 4,000"
    );
}

/// More threads than there are tids (pid_max is 32,768 on small machines): all are told apart.
#[test]
fn forty_thousand_threads_in_a_row() {
    if big("40,000 threads") {
        let (few, many) = (memory_of("400"), memory_of("40000"));
        assert!(
            many < few + HEAP_STEPS,
            "{few} KiB for 400 threads, {many} KiB for 40,000"
        );
    }
}

/// Programs whose number of threads differs from run to run: the trace is whole, and the program
/// ends as it does alone.
#[track_caller]
fn whole(what: &str, command: &[&str], least: usize) {
    if !big(what) || tool(command[0]).is_none() {
        return;
    }
    let words: Vec<&OsStr> = command.iter().map(OsStr::new).collect();
    let traced = trace(&words);
    traced.run.expect(what, End::Exit(0));
    expect_whole(&traced, what);
    let (threads, _) = made(&traced);
    assert!(threads >= least, "{threads} threads");
}

const GO: &str = r#"package main

import (
	"fmt"
	"os/exec"
	"runtime"
	"sync"
)

func main() {
	var group sync.WaitGroup
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			runtime.LockOSThread()
			if err := exec.Command("true").Run(); err != nil {
				panic(err)
			}
		}()
	}
	group.Wait()
	fmt.Println("done")
}
"#;

#[test]
fn a_go_program_and_its_build() {
    let place = directory("go");
    let source = place.join("main.go");
    std::fs::write(&source, GO).expect("a source");
    let (binary, source) = (place.join("main"), source.display().to_string());
    let binary = binary.display().to_string();
    whole("go build", &["go", "build", "-o", &binary, &source], 2);
    if Path::new(&binary).exists() {
        let words = [OsStr::new(&binary)];
        let traced = trace(&words);
        traced.run.expect("a Go program", End::Exit(0));
        expect_whole(&traced, "a Go program");
        assert_eq!(made(&traced).1, 8, "processes");
    }
}

#[test]
fn a_jvm() {
    whole("java", &["java", "-version"], 5);
}

#[test]
fn node_with_a_child() {
    let script = "require('child_process').execSync('true')";
    whole("node", &["node", "-e", script], 2);
}
