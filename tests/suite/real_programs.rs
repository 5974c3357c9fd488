//! Programs that people use, under clonespy and under strace: every task is in the tree, and the
//! calls are the same. Those that take long run where CLONESPY_BIG=1 asks for them (.ci/run does).

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use clonespy::internals::Job;
use clonespy::{Expectation, Trace};

use crate::calls::Calls;
use crate::fixtures::{Strace, program, scratch, sources};
use crate::run::{End, run, tool};
use crate::strace::strace;
use crate::trace::{Traced, clonespy, compare, expect_whole, format, fresh_file, trace, words};

/// The file that says what one of these programs is expected to create.
#[track_caller]
fn expectation(name: &str) -> Expectation {
    let file = sources().join(format!("programs/{name}.toml"));
    Expectation::from_file(file).unwrap_or_else(|why| panic!("{why}"))
}

/// Its command, with the files that lie beside the expectation by their whole paths.
fn command(expectation: &Expectation) -> Vec<OsString> {
    let recipe = Job::of(expectation).recipe;
    let whole = |word: &String| match recipe.directory.join(word) {
        file if file.is_file() => file.into(),
        _ => word.into(),
    };
    recipe.command.iter().map(whole).collect()
}

/// A trace is whole and what the file expects.
#[track_caller]
fn expect(what: &str, expectation: &Expectation, traced: &Traced) {
    traced.run.expect(what, End::Exit(0));
    expect_whole(traced, what);
    if let Err(differs) = Trace::of(traced.events.clone()).check(expectation) {
        panic!("{differs}");
    }
}

/// Traces a program whose calls are the same in each run, and compares them with strace's.
#[track_caller]
fn same_as_strace(name: &str) {
    let expectation = expectation(name);
    let line = command(&expectation);
    if tool(&line[0].to_string_lossy()).is_none() {
        return;
    }
    let traced = trace(&words(&line));
    expect(name, &expectation, &traced);
    compare(name, &words(&line), Strace::Same);
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
    same_as_strace("pipeline");
}

#[test]
fn python_threads_and_processes() {
    same_as_strace("python");
}

#[test]
fn make_with_four_jobs() {
    same_as_strace("make");
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
        let mut words: Vec<OsString> = vec![server.clone().into()];
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
                expect("redis-server", &expectation("redis"), &traced);
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
fn memory_of(threads: u64) -> u64 {
    let script = "\"$1\" row \"$2\" >&2 && sed -n 's/^VmData:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$PPID/status";
    let file = fresh_file("jsonl");
    let traced = run(clonespy()
        .arg("--format")
        .arg(format(&file, "jsonl"))
        .args(["--", "sh", "-c", script, "sh"])
        .arg(program("storm"))
        .arg(threads.to_string()));
    traced.expect("storm", End::Exit(0));
    // The storm, the shell around it, and sed.
    let expected = format!(
        "exit = 0\n[tasks]\nprocesses = 3\nthreads = {}\n",
        3 + threads
    );
    let expected = Expectation::parse(&expected, Path::new("storm.toml")).expect("a good file");
    let seen = Trace::read(&file).expect("a trace");
    if let Err(differs) = seen.check(&expected) {
        panic!("{differs}");
    }
    traced.out().trim().parse().expect("a size in KiB")
}

/// Two of the steps in which malloc lets the heap grow (128 KiB, mallopt(3), M_TOP_PAD), in KiB.
/// 3,600 tasks that are kept would take more from 70 bytes each.
const HEAP_STEPS: u64 = 256;

#[test]
fn memory_does_not_grow_with_what_has_ended() {
    let (few, many) = (memory_of(400), memory_of(4_000));
    assert!(
        many < few + HEAP_STEPS,
        "{few} KiB for 400 threads, {many} KiB for 4,000"
    );
}

/// More threads than there are tids (pid_max is 32,768 on small machines): all are told apart.
#[test]
fn forty_thousand_threads_in_a_row() {
    if big("40,000 threads") {
        let (few, many) = (memory_of(400), memory_of(40_000));
        assert!(
            many < few + HEAP_STEPS,
            "{few} KiB for 400 threads, {many} KiB for 40,000"
        );
    }
}

/// Programs whose number of threads differs from run to run: the trace is whole and within what is
/// expected, and the program ends as it does alone.
#[track_caller]
fn whole(name: &str) {
    let expectation = expectation(name);
    let line = command(&expectation);
    if !big(name) || tool(&line[0].to_string_lossy()).is_none() {
        return;
    }
    expect(name, &expectation, &trace(&words(&line)));
}

#[test]
fn a_go_program() {
    if !big("go") || tool("go").is_none() {
        return;
    }
    let expectation = expectation("go");
    let recipe = Job::of(&expectation).recipe;
    let build = recipe.build.as_ref().expect("it is built");
    run(Command::new("sh")
        .args(["-c", build])
        .current_dir(&recipe.directory))
    .expect("go build", End::Exit(0));
    whole("go");
}

/// The compiler itself, which is a Go program that starts many others.
#[test]
fn a_build_of_a_go_program() {
    if !big("go build") || tool("go").is_none() {
        return;
    }
    let source = sources().join("programs/go/main.go");
    let binary = directory("go").join("main");
    let line = [
        OsStr::new("go"),
        "build".as_ref(),
        "-o".as_ref(),
        binary.as_ref(),
        source.as_ref(),
    ];
    let traced = trace(&line);
    traced.run.expect("go build", End::Exit(0));
    expect_whole(&traced, "go build");
}

#[test]
fn a_jvm() {
    whole("jvm");
}

#[test]
fn node_with_a_child() {
    whole("node");
}
