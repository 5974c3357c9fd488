use std::io::Read;
use std::process::{Command, Stdio};

use super::*;
use crate::event::{Call, CallArgs, Ending, Outcome, Request};
use crate::peek::Errno;
use crate::peek::testing::Recorded;

const BANNER: &[u8] =
    b"\0GNU C Library (Debian GLIBC 2.36-9+deb12u4) stable release version 2.36.\nCopy";
const MUSL: &[u8] = b"\0musl libc (x86_64)\nVersion %s\n\0x\x001.2.3\0";

fn call(tgid: Tid) -> CloneCall {
    CloneCall {
        took_ns: None,
        tid: tgid,
        tgid,
        comm: String::new(),
        comm_hex: None,
        request: Request {
            abi: String::new(),
            call: Call::Fork,
            raw: None,
            flags: Vec::new(),
            flags_raw: None,
            flags_unknown: None,
            flags_ignored: Vec::new(),
            exit_signal: None,
            exit_signal_raw: None,
            args: CallArgs::default(),
            args_error: None,
        },
        wrote: None,
        outcome: Outcome::Unfinished {},
        libc: None,
        cgroup_path: None,
        origin: None,
        origin_certainty: None,
        caller: Vec::new(),
        runs: None,
        sharing: None,
        cost: None,
    }
}

fn exited(tgid: Tid, last: bool) -> Exit {
    Exit {
        tid: tgid,
        tgid,
        comm: None,
        comm_hex: None,
        how: Ending::Itself,
        status: None,
        last,
        lived_ns: None,
        usage: None,
        unreaped: None,
    }
}

/// A task with a program, and a library of two parts: headers, and constants with this text.
fn task(path: &str, text: &[u8]) -> Recorded {
    let maps = format!(
        "55d0c0000000-55d0c0001000 r--p 00000000 fe:00 11    /usr/bin/program with libc.so.6 in it\n\
         55d0c0001000-55d0c0002000 rw-p 00000000 00:00 0     [heap]\n\
         7f0000000000-7f0000001000 r--p 00000000 fe:00 12    {path}\n\
         7f0000001000-7f0000002000 r-xp 00001000 fe:00 12    {path}\n\
         7f0000002000-7f0000003000 r--p 00002000 fe:00 12    {path}\n\
         7f0000003000-7f0000004000 rw-p 00003000 fe:00 12    {path}\n\
         7ffd00000000-7ffd00001000 rw-p 00000000 00:00 0     [stack]\n"
    );
    let mut constants = vec![0; 0x1000];
    constants[0x100..0x100 + text.len()].copy_from_slice(text);
    Recorded::new()
        .with_file("maps", maps)
        .with(0x7f00_0000_0000, vec![0; 0x1000])
        .with(0x7f00_0000_1000, vec![0x90; 0x1000])
        .with(0x7f00_0000_2000, constants)
}

fn found(task: &dyn Peek) -> Option<String> {
    let mut call = call(100);
    Libc::default().entered(task, &mut call);
    call.libc
}

#[test]
fn names_and_versions() {
    let glibc = "/usr/lib/x86_64-linux-gnu/libc.so.6";
    for (path, text, want) in [
        (glibc, BANNER, Some("glibc 2.36")),
        ("/lib/libc.so.6 (deleted)", BANNER, Some("glibc 2.36")),
        ("/lib/libc-2.31.so", BANNER, Some("glibc 2.36")),
        (glibc, b"", Some("glibc")),
        (
            glibc,
            b"GNU C Library (x) development release version 2.36.9000.\n",
            Some("glibc 2.36.9000"),
        ),
        (
            glibc,
            b"GNU C Library (x) stable release version \x1b[31m.",
            Some("glibc"),
        ),
        (
            glibc,
            b"GNU C Library (x) stable release version 2.36",
            Some("glibc"),
        ),
        ("/lib/ld-musl-x86_64.so.1", MUSL, Some("musl 1.2.3")),
        (
            "/usr/lib/x86_64-linux-musl/libc.so",
            MUSL,
            Some("musl 1.2.3"),
        ),
        (
            "/lib/ld-musl-x86_64.so.1",
            b"musl libc (x86_64)\x001.2.3\x004.5.6\0",
            Some("musl"),
        ),
        ("/lib/ld-musl-x86_64.so.1", b"", Some("musl")),
        ("/apex/com.android.runtime/lib64/bionic/libc.so", b"", None),
        ("/lib/libcap.so.2", BANNER, None),
        ("/lib/libc.so.6.py", BANNER, None),
    ] {
        assert_eq!(found(&task(path, text)).as_deref(), want, "{path}");
    }
}

#[test]
fn a_static_program_has_none() {
    let maps = "00400000-00401000 r-xp 00000000 fe:00 11 /usr/bin/static\nnonsense\n\n-\n";
    let task = Recorded::new().with_file("maps", maps);
    assert_eq!(found(&task), None);
    assert_eq!(found(&Recorded::new()), None, "maps cannot be read");
}

#[test]
fn memory_that_cannot_be_read_leaves_the_name() {
    let mut task = task("/lib/libc.so.6", BANNER);
    task.memory.clear();
    assert_eq!(found(&task).as_deref(), Some("glibc"));
}

#[test]
fn one_read_of_maps_a_process_until_it_execs_or_ends() {
    let task = task("/lib/libc.so.6", BANNER);
    let mut libc = Libc::default();
    let ask = |libc: &mut Libc, tgid| {
        let mut call = call(tgid);
        libc.entered(&task, &mut call);
        assert_eq!(call.libc.as_deref(), Some("glibc 2.36"));
        task.times_asked("maps")
    };
    assert_eq!(ask(&mut libc, 100), 1);
    assert_eq!(ask(&mut libc, 100), 1);
    assert_eq!(ask(&mut libc, 101), 2, "a child asks for itself");
    libc.exit(&task, &mut exited(100, false));
    assert_eq!(ask(&mut libc, 100), 2, "a thread's end changes nothing");
    libc.exit(&task, &mut exited(100, true));
    assert_eq!(ask(&mut libc, 100), 3);
    assert_eq!(ask(&mut libc, 101), 3);
    let mut exec: Exec = serde_json::from_value(serde_json::json!({
        "tid": 101, "tgid": 101
    }))
    .unwrap();
    libc.exec(&task, &mut exec);
    assert_eq!(libc.processes.len(), 1);
    assert_eq!(ask(&mut libc, 101), 4);
}

/// A process that is not traced, through /proc.
struct Process(u32);

impl Peek for Process {
    fn tid(&self) -> Tid {
        self.0 as Tid
    }
    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), Errno> {
        use std::os::unix::fs::FileExt;
        let memory = std::fs::File::open(format!("/proc/{}/mem", self.0)).map_err(|_| Errno(13))?;
        memory.read_exact_at(buf, addr).map_err(|_| Errno(14))
    }
    fn proc_file(&self, name: &str) -> Result<Vec<u8>, Errno> {
        std::fs::read(format!("/proc/{}/{name}", self.0)).map_err(|_| Errno(2))
    }
    fn proc_link(&self, _: &str) -> Result<Vec<u8>, Errno> {
        Err(Errno(2))
    }
}

/// What a tool prints; `None`, said aloud, where it is missing or fails. In CI that is a failure.
fn tool(command: &mut Command) -> Option<String> {
    let _guard = crate::watchdog::guard();
    match command.output() {
        Ok(output) if output.status.success() => {
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        other => {
            let why = format!("{command:?}: {other:?}");
            assert!(
                std::env::var_os("CI").is_none_or(|ci| ci != "true"),
                "{why}"
            );
            eprintln!("skipped: {why}");
            None
        }
    }
}

#[cfg(target_env = "gnu")]
#[test]
fn the_library_of_this_test() {
    let Some(want) = tool(Command::new("getconf").arg("GNU_LIBC_VERSION")) else {
        return;
    };
    let mut libc = Libc::default();
    for tgid in [1, 2] {
        let mut call = call(tgid);
        libc.entered(&Process(std::process::id()), &mut call);
        assert_eq!(call.libc.as_ref(), Some(&want));
    }
    assert_eq!(
        libc.builds.len(),
        1,
        "the build id is known, and the text was searched once"
    );
}

#[test]
fn the_libraries_of_other_programs() {
    let _guard = crate::watchdog::guard();
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("wait.c");
    let program = dir.path().join("wait");
    let text = "#include <unistd.h>\nint main(void) { char c; write(1, \"!\", 1); return read(0, &c, 1) != 0; }\n";
    std::fs::write(&source, text).unwrap();
    for (compiler, options, name) in [
        ("cc", vec![], Some("glibc 2.")),
        ("cc", vec!["-static"], None),
        ("musl-gcc", vec![], Some("musl 1.")),
        ("musl-gcc", vec!["-static"], None),
    ] {
        let mut compile = Command::new(compiler);
        if tool(compile.args(&options).arg("-o").arg(&program).arg(&source)).is_none() {
            continue;
        }
        let mut child = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        let libc = found(&Process(child.id()));
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
        match name {
            None => assert_eq!(libc, None, "{compiler} {options:?}"),
            Some(name) => {
                assert!(
                    libc.as_ref().is_some_and(|libc| libc.starts_with(name)),
                    "{libc:?}"
                );
            }
        }
    }
}
