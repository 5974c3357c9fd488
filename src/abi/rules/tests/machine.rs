//! This machine: its kernel, its C compiler, what the caller may do.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use super::super::*;

/// The uid of an ordinary user.
pub const NOBODY: u32 = 65534;

/// Says what this machine lacks for a test; under CI=true that is a failure.
#[track_caller]
pub fn lacking(what: &str) {
    assert!(
        std::env::var_os("CI").is_none_or(|value| value != "true"),
        "{what}, and CI=true wants all tests run"
    );
    eprintln!("not tested: {what}");
}

pub fn text(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// A field of `/proc/self/status`.
fn status(field: &str) -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

/// Whether this process has capability number `bit`.
pub fn capable(bit: u32) -> bool {
    let effective = status("CapEff").and_then(|hex| u64::from_str_radix(&hex, 16).ok());
    effective.is_some_and(|bits| bits & (1 << bit) != 0)
}

pub const CAP_SETUID: u32 = 7;
pub const CAP_SYS_ADMIN: u32 = 21;

/// The running kernel; `None`, and a word about it, where a filter answers in its place.
#[track_caller]
pub fn kernel() -> Option<Kernel> {
    if status("Seccomp").is_some_and(|mode| mode != "0") {
        lacking("a seccomp filter stands before this kernel");
        return None;
    }
    let release = text("/proc/sys/kernel/osrelease").expect("a kernel with a release");
    let mut kernel = Kernel::x86_64(Version::of_release(&release).expect("a version"));
    if wide_addresses(kernel.version) {
        kernel.user_last = Some(i64::MAX.unsigned_abs());
        kernel.tls = Tls::Below(1 << 63);
    }
    Some(kernel)
}

/// Whether it is not known beforehand where user addresses end: five levels of page tables, address
/// masking, and kernels whose test of an address was changed in stable releases.
pub fn wide_addresses(version: Version) -> bool {
    let info = text("/proc/cpuinfo").unwrap_or_default();
    let wide = |word| word == "la57" || word == "lam";
    info.split_whitespace().any(wide)
        || (version >= Version(6, 4, 0) && version < Version(6, 12, 0))
}

/// A directory of this test run; it stays until the directory for temporary files is cleaned.
pub struct Built {
    pub program: PathBuf,
    _directory: tempfile::TempDir,
}

/// Compiles a program of fixtures/rules with the machine's C compiler, where every user can run it.
#[track_caller]
pub fn compile(name: &str) -> Option<Built> {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/rules")
        .join(name)
        .with_extension("c");
    let program = directory.path().join(name);
    let _guard = crate::watchdog::guard();
    let made = Command::new("cc")
        .args(["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-o"])
        .args([&program, &source])
        .output();
    match made {
        Err(_) => {
            lacking("there is no C compiler");
            None
        }
        Ok(made) => {
            let words = String::from_utf8_lossy(&made.stderr);
            assert!(made.status.success(), "{words}");
            Some(Built {
                program,
                _directory: directory,
            })
        }
    }
}

/// Runs a program to its end with this on its standard input; standard output.
#[track_caller]
pub fn run(program: &Path, args: &[&str], input: Vec<u8>) -> String {
    let _guard = crate::watchdog::guard();
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    // It may end before it has read all.
    let writer = thread::spawn(move || stdin.write_all(&input));
    let mut output = String::new();
    child
        .stdout
        .take()
        .expect("piped")
        .read_to_string(&mut output)
        .expect("text");
    let status = child.wait().expect("its end");
    assert!(status.success(), "{args:?}: {status}\n{output}");
    writer
        .join()
        .expect("the writer")
        .expect("all input was read");
    output
}
