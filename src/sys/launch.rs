//! Starting the program: fork, then only raw system calls on data prepared before, then exec.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use super::answer::check;
use super::signals::{Inherited, inherited, set_disposition, set_mask};

/// One instruction of a seccomp program, as `struct sock_filter`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SockFilter {
    /// Operation.
    pub code: u16,
    /// Jump if true.
    pub jt: u8,
    /// Jump if false.
    pub jf: u8,
    /// Operand.
    pub k: u32,
}

/// `struct sock_fprog`.
#[repr(C)]
pub(super) struct SockFprog {
    pub(super) len: u16,
    pub(super) filter: *const SockFilter,
}

/// As whom the program runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Real, effective and saved user.
    pub uid: u32,
    /// Real, effective and saved group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Program {
    /// The files to try, in order.
    pub files: Vec<CString>,
    /// The arguments, argv\[0\] included.
    pub argv: Vec<CString>,
    /// The environment.
    pub envp: Vec<CString>,
    /// As whom; as we are, if none.
    pub identity: Option<Identity>,
    /// The seccomp program; empty: none.
    pub filter: Vec<SockFilter>,
}

/// A child that waits to be let go.
#[derive(Debug)]
pub struct Spawned {
    /// Its pid.
    pub pid: i32,
    go: File,
    notes: File,
}

/// What the child says before its exec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The filter could be had only with no_new_privs.
    NoNewPrivs,
    /// A step failed with this errno; the child is gone.
    Failed(&'static str, i32),
}

/// The steps of the child that can fail, by the byte that it sends.
const STEPS: [&str; 7] = [
    "",
    "seccomp",
    "setgroups",
    "setgid",
    "setuid",
    "exec",
    "no_new_privs",
];
const STEP_SECCOMP: u8 = 1;
const STEP_GROUPS: u8 = 2;
const STEP_GID: u8 = 3;
const STEP_UID: u8 = 4;
const STEP_EXEC: u8 = 5;
const STEP_NNP: u8 = 6;
const NOTE_NNP: u8 = 0;
/// Not a failure: the child's pid.
pub(super) const NOTE_PID: u8 = 0xfe;

impl Spawned {
    /// A child that waits to be let go through `go`.
    pub(super) fn new(pid: i32, go: File, notes: File) -> Self {
        Spawned { pid, go, notes }
    }

    /// Ends the child instead of letting it go on.
    pub fn stop(mut self) {
        // It is gone already, or goes now.
        let _ = self.go.write_all(&[0]);
    }

    /// Lets the child go on to its exec.
    ///
    /// # Errors
    /// EPIPE: it is gone.
    pub fn go(&mut self) -> io::Result<()> {
        self.go.write_all(&[1])
    }

    /// All that the child said; to be asked when its exec, or its end, was reported.
    pub fn notes(&mut self) -> Vec<Note> {
        let mut bytes = Vec::new();
        // A note is five bytes, written at once; an unreadable pipe is an empty one.
        let _ = (&mut self.notes).take(64).read_to_end(&mut bytes);
        let mut notes = Vec::new();
        for note in bytes.chunks_exact(5) {
            let &[step, b0, b1, b2, b3] = note else {
                continue;
            };
            let errno = i32::from_ne_bytes([b0, b1, b2, b3]);
            notes.push(match STEPS.get(usize::from(step)) {
                Some(_) if step == NOTE_NNP => Note::NoNewPrivs,
                Some(&name) => Note::Failed(name, errno),
                None => Note::Failed("start", errno),
            });
        }
        notes
    }
}

pub(super) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds: [RawFd; 2] = [-1; 2];
    // SAFETY: pipe2 fills in both descriptors, which nothing else owns.
    unsafe {
        check(i64::from(libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC)))?;
        Ok((OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])))
    }
}

/// NULL-terminated pointers to strings that outlive them.
fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings
        .iter()
        .map(|s| s.as_ptr())
        .chain([ptr::null()])
        .collect()
}

/// Everything that the child needs, prepared: between fork and exec it neither allocates nor locks.
struct Prepared {
    files: Vec<*const libc::c_char>,
    argv: Vec<*const libc::c_char>,
    /// `/bin/sh FILE args…`, with a place for FILE, for a script without an interpreter line.
    shell: Vec<*const libc::c_char>,
    envp: Vec<*const libc::c_char>,
    identity: Option<Identity>,
    filter: Option<SockFprog>,
    inherited: Inherited,
    go: RawFd,
    notes: RawFd,
}

/// Forks a child that waits until it is seized and let go, then becomes the program.
///
/// # Errors
/// Those of pipe2(2) and fork(2).
pub fn spawn(program: &Program) -> io::Result<Spawned> {
    let (go_read, go_write) = pipe()?;
    let (notes_read, notes_write) = pipe()?;
    let mut shell = vec![SHELL.as_ptr(), SHELL.as_ptr()];
    shell.extend(
        program
            .argv
            .iter()
            .skip(1)
            .map(|s| s.as_ptr())
            .chain([ptr::null()]),
    );
    let len = u16::try_from(program.filter.len())
        .map_err(|_| io::Error::from_raw_os_error(libc::E2BIG))?;
    let prepared = Prepared {
        files: program.files.iter().map(|s| s.as_ptr()).collect(),
        argv: pointers(&program.argv),
        shell,
        envp: pointers(&program.envp),
        identity: program.identity.clone(),
        filter: (len > 0).then_some(SockFprog {
            len,
            filter: program.filter.as_ptr(),
        }),
        inherited: inherited(),
        go: go_read.as_raw_fd(),
        notes: notes_write.as_raw_fd(),
    };
    // SAFETY: the child calls only `become_program`, which makes raw system calls on `prepared`.
    let pid = unsafe { check(i64::from(libc::fork()))? };
    if pid == 0 {
        // SAFETY: this is the forked child; the parent's ends of the pipes are closed here so that
        // a parent that dies is noticed.
        unsafe {
            libc::close(go_write.as_raw_fd());
            become_program(prepared)
        }
    }
    let pid = i32::try_from(pid).map_err(io::Error::other)?;
    Ok(Spawned {
        pid,
        go: go_write.into(),
        notes: notes_read.into(),
    })
}

static SHELL: &CStr = c"/bin/sh";

/// The child's side. Never returns.
///
/// # Safety
/// Only in a freshly forked child: descriptors, signals and identity are changed for good.
unsafe fn become_program(mut p: Prepared) -> ! {
    // SAFETY: raw system calls on data of `p`, which lives until exec or exit.
    unsafe {
        let mut byte = 0u8;
        while libc::read(p.go, (&raw mut byte).cast(), 1) < 0 && errno() == libc::EINTR {}
        if byte != 1 {
            libc::_exit(127);
        }
        restore(&p.inherited);
        if let Some(filter) = &p.filter {
            install(filter, p.notes);
        }
        if let Some(identity) = &p.identity {
            let groups = identity.groups.as_ptr();
            must(
                libc::setgroups(identity.groups.len(), groups),
                p.notes,
                STEP_GROUPS,
            );
            let gid = identity.gid;
            must(libc::setresgid(gid, gid, gid), p.notes, STEP_GID);
            let uid = identity.uid;
            must(libc::setresuid(uid, uid, uid), p.notes, STEP_UID);
        }
        // As execvp(3): the first file that can be run; the most telling error if none can.
        let mut worst = libc::ENOENT;
        for index in 0..p.files.len() {
            let file = *p.files.as_ptr().add(index);
            libc::execve(file, p.argv.as_ptr(), p.envp.as_ptr());
            let mut why = errno();
            if why == libc::ENOEXEC && is_text(file) {
                *p.shell.as_mut_ptr().add(1) = file;
                libc::execve(SHELL.as_ptr(), p.shell.as_ptr(), p.envp.as_ptr());
                why = libc::ENOEXEC;
            }
            if why != libc::ENOENT && why != libc::ENOTDIR {
                worst = why;
                if why != libc::EACCES {
                    break;
                }
            }
        }
        fail(p.notes, STEP_EXEC, worst)
    }
}

/// Whether a file without a known format may be a script, as shells decide it: no NUL byte in its
/// first line.
unsafe fn is_text(file: *const libc::c_char) -> bool {
    let mut head = [0u8; 256];
    // SAFETY: raw system calls on a live string and a live buffer.
    let got = unsafe {
        let fd = libc::open(file, libc::O_RDONLY | libc::O_CLOEXEC);
        if fd < 0 {
            return false;
        }
        let got = libc::read(fd, head.as_mut_ptr().cast(), head.len());
        libc::close(fd);
        got
    };
    for &byte in head.iter().take(usize::try_from(got).unwrap_or(0)) {
        match byte {
            b'\n' => return true,
            0 => return false,
            _ => {}
        }
    }
    got >= 0
}

/// Gives back what Rust's runtime and clonespy changed.
unsafe fn restore(inherited: &Inherited) {
    for signal in 1..=64 {
        let ignored = inherited.ignored & (1 << (signal - 1)) != 0;
        set_disposition(
            signal,
            if ignored {
                libc::SIG_IGN
            } else {
                libc::SIG_DFL
            },
        );
    }
    set_mask(inherited.blocked);
    for fd in 0..3 {
        if inherited.closed & (1 << fd) != 0 {
            // SAFETY: it was closed when clonespy began; what is there now is the runtime's.
            unsafe { libc::close(fd) };
        }
    }
}

/// As root a filter needs no no_new_privs, and set-uid programs keep working; so that is tried
/// first (seccomp(2): EACCES without either).
pub(super) unsafe fn install(filter: &SockFprog, notes: RawFd) {
    const SECCOMP_SET_MODE_FILTER: libc::c_long = 1;
    // SAFETY: `filter` and its instructions are live; the calls change only this task.
    unsafe {
        let load = || {
            libc::syscall(
                libc::SYS_seccomp,
                SECCOMP_SET_MODE_FILTER,
                0,
                &raw const *filter,
            )
        };
        if load() == 0 {
            return;
        }
        if errno() != libc::EACCES {
            fail(notes, STEP_SECCOMP, errno());
        }
        must(
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
            notes,
            STEP_NNP,
        );
        say(notes, NOTE_NNP, 0);
        if load() != 0 {
            fail(notes, STEP_SECCOMP, errno());
        }
    }
}

pub(super) fn errno() -> i32 {
    // SAFETY: the address of this thread's errno is always valid.
    unsafe { *libc::__errno_location() }
}

unsafe fn must(result: i32, notes: RawFd, step: u8) {
    if result < 0 {
        // SAFETY: as for the caller.
        unsafe { fail(notes, step, errno()) }
    }
}

pub(super) unsafe fn say(notes: RawFd, step: u8, errno: i32) {
    let [b0, b1, b2, b3] = errno.to_ne_bytes();
    let note = [step, b0, b1, b2, b3];
    // SAFETY: five bytes of a live array; the pipe is empty enough to take them at once.
    unsafe { libc::write(notes, note.as_ptr().cast(), note.len()) };
}

unsafe fn fail(notes: RawFd, step: u8, errno: i32) -> ! {
    // SAFETY: as for the caller.
    unsafe {
        say(notes, step, errno);
        libc::_exit(127)
    }
}
