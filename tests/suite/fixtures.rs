//! The fixtures: which there are, how each ends, and their compilation with the machine's cc, once
//! a test run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use crate::run::{End, lacking, run, tool};

/// Whether strace can be asked about a case.
#[derive(Clone, Copy, Debug)]
pub enum Strace {
    /// It sees the same.
    Same,
    /// It loses children that were made with CLONE_UNTRACED.
    LosesUntraced,
    /// It cannot be compared, for this reason.
    No(&'static str),
}

/// One way to run one fixture.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The name of the case.
    pub name: &'static str,
    /// The C file, without its ending.
    pub fixture: &'static str,
    pub args: &'static [&'static str],
    pub end: End,
    pub strace: Strace,
}

const fn case(name: &'static str, args: &'static [&'static str]) -> Case {
    Case {
        name,
        fixture: name,
        args,
        end: End::Exit(0),
        strace: Strace::Same,
    }
}

impl Case {
    const fn of(mut self, fixture: &'static str) -> Self {
        self.fixture = fixture;
        self
    }

    const fn exits(mut self, code: i32) -> Self {
        self.end = End::Exit(code);
        self
    }

    const fn dies(mut self, signal: i32) -> Self {
        self.end = End::Signal(signal);
        self
    }

    const fn loses_untraced(mut self) -> Self {
        self.strace = Strace::LosesUntraced;
        self
    }

    const fn beyond_strace(mut self, why: &'static str) -> Self {
        self.strace = Strace::No(why);
        self
    }
}

const RACE: &str = "which calls are made differs from run to run";

/// Every fixture in every way that it is run; one row a case.
pub const CASES: &[Case] = &[
    // The essays' programs.
    case("thread", &[]),
    case("threads", &["7"]),
    case("fork", &[]),
    case("clone_vm", &["clone_vm"]),
    case("clone_vm_without", &[]).of("clone_vm"),
    case("vfork", &[]),
    case("cow", &[]),
    case("cow_elsewhere", &["0", "102399", "51200"]).of("cow"),
    case("io_threads", &["4"]),
    // How tasks end and change.
    case("exec_thread", &["leader-alive"]).exits(4),
    case("exec_thread_leader_exited", &["leader-exited"])
        .of("exec_thread")
        .exits(4),
    case("exec_thread_race", &["race"])
        .of("exec_thread")
        .exits(4)
        .beyond_strace(RACE),
    case("exec_thread_leader_sigsuspend", &["leader-sigsuspend"])
        .of("exec_thread")
        .exits(4),
    case("leader_exits", &[]).exits(3),
    case("exit_group_thread", &[]).exits(5),
    case("caller_dies", &["exit_group", "20"]).beyond_strace(RACE),
    case("caller_dies_exec", &["exec", "20"])
        .of("caller_dies")
        .beyond_strace(RACE),
    case("caller_dies_sigkill", &["sigkill", "20"])
        .of("caller_dies")
        .beyond_strace(RACE),
    case("newborn_killed", &[]),
    case("orphans", &[]).exits(2),
    case("unreaped", &[]),
    case("unreaped_waits", &["waits"]).of("unreaped"),
    case("tid_reuse", &[]),
    case("exit_code", &["41"]).exits(41),
    case("signal_exit", &["15"]).dies(15),
    case("signal_exit_kill", &["9"]).of("signal_exit").dies(9),
    case("signal_exit_segv", &["11"]).of("signal_exit").dies(11),
    case("signal_exit_rt", &["40"]).of("signal_exit").dies(40),
    // Which flags, in which call.
    case("clone_parent", &[]),
    case("clone_ptrace", &[]).loses_untraced(),
    case("clone_untraced", &[]).loses_untraced(),
    case("clone_untraced_tight", &["tight"])
        .of("clone_untraced")
        .loses_untraced(),
    case("shared_memory_process", &[]),
    case("vfork_variants", &[]),
    case("clone3_sizes", &[]),
    case("clone_flags", &[]),
    case("failures", &[]),
    case("int80", &[]).loses_untraced(),
    // Namespaces, signals, sandboxes.
    case("pidns", &[]),
    case("init_crash", &[]).beyond_strace("it never lets the init of a namespace die of its fault"),
    case("signals", &[]),
    case("restart", &[]),
    case("seccomp_errno", &[]),
    case("seccomp_tsync", &[]),
    case("seccomp_harmless", &[]),
    case("seccomp_strict", &[]).beyond_strace("its own filter makes strict mode impossible"),
    case("no_seccomp", &["1"]),
    case("tracer_inside", &[]),
    // Many.
    case("storm", &["row", "500"]),
    case("storm_alive", &["alive", "200"]).of("storm"),
    case("storm_forks", &["forks", "200"]).of("storm"),
    case("getppid", &["1000"]),
    case("streams", &[]),
    // What a test drives or attaches to.
    case("surroundings", &[]),
    case("sigchld", &[]),
    case("orphaned_group", &[]),
    case("fair", &["20"]),
    case("changing_args", &["200"]).beyond_strace(RACE),
    case("fork_bomb", &[]).beyond_strace(RACE),
    case("driven", &[]),
    case("exec_storm", &["20"]).exits(6),
];

/// The case of this name.
#[track_caller]
pub fn named(name: &str) -> &'static Case {
    CASES
        .iter()
        .find(|case| case.name == name)
        .unwrap_or_else(|| panic!("no case {name}"))
}

/// How a fixture is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Build {
    /// As the machine's cc does.
    Native,
    /// Without a dynamic loader.
    Static,
    /// With another C library.
    Musl,
    /// For the 32-bit ABI of an x86-64 machine.
    I386,
}

impl Build {
    fn compiler(self) -> &'static str {
        match self {
            Build::Musl => "musl-gcc",
            _ => "cc",
        }
    }

    fn options(self) -> &'static [&'static str] {
        match self {
            Build::Native | Build::Musl => &[],
            Build::Static => &["-static"],
            Build::I386 => &["-m32"],
        }
    }
}

type Slot = Arc<OnceLock<Option<PathBuf>>>;

/// The program of a fixture, compiled on first use.
#[track_caller]
pub fn program(fixture: &'static str) -> PathBuf {
    built(fixture, Build::Native).unwrap_or_else(|| panic!("{fixture}: no C compiler"))
}

/// The program of a fixture in a special build; `None` (and a word about it) where this machine
/// cannot make such programs.
#[track_caller]
pub fn built(fixture: &'static str, build: Build) -> Option<PathBuf> {
    static BUILT: OnceLock<Mutex<HashMap<(&'static str, Build), Slot>>> = OnceLock::new();
    let slot = Arc::clone(
        BUILT
            .get_or_init(Mutex::default)
            .lock()
            .expect("a build panicked")
            .entry((fixture, build))
            .or_default(),
    );
    slot.get_or_init(|| compile(fixture, build)).clone()
}

/// A directory of this test run alone, so that two runs side by side do not disturb each other.
pub fn scratch() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR"));
        remove_those_of_ended_runs(all);
        let mine = all.join(format!("run-{}", std::process::id()));
        std::fs::create_dir_all(&mine).expect("a directory for the test run");
        mine
    })
}

fn remove_those_of_ended_runs(all: &Path) {
    for entry in std::fs::read_dir(all).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix("run-"));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // Another run may be removing it as well.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Where the C files are.
pub fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn compile(fixture: &str, build: Build) -> Option<PathBuf> {
    let compiler = tool(build.compiler())?;
    let directory = scratch()
        .join("fixtures")
        .join(format!("{build:?}").to_lowercase());
    std::fs::create_dir_all(&directory).expect("a directory for the fixtures");
    let output = directory.join(fixture);
    let source = sources().join(format!("{fixture}.c"));
    let options = ["-pthread", "-O1", "-g", "-Wall", "-Wextra", "-Werror"];
    let made = run(Command::new(compiler)
        .args(build.options())
        .args(options)
        .arg("-o")
        .args([&output, &source]));
    if made.end() == End::Exit(0) {
        return Some(output);
    }
    // Without the libraries for it not even the empty program is linked.
    assert!(
        build != Build::Native && !can_link(build, &directory),
        "{fixture}.c, {build:?}:\n{}",
        made.err()
    );
    lacking(&format!(
        "the libraries for {build:?} programs are not installed"
    ));
    None
}

fn can_link(build: Build, directory: &Path) -> bool {
    let source = directory.join("empty.c");
    std::fs::write(
        &source,
        "#include <stdio.h>\nint main(void) { return puts(\"\") < 0; }\n",
    )
    .expect("a source file");
    run(Command::new(build.compiler())
        .args(build.options())
        .arg("-o")
        .args([&directory.join("empty"), &source]))
    .end()
        == End::Exit(0)
}
