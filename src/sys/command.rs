//! Starting a program through the caller's own [`Command`]: all that it holds (streams, user,
//! closures, environment) stays as it is; a last `pre_exec` closure waits until the task is seized
//! and installs the filter.
//!
//! `Command::spawn` returns only after the exec, so it runs in one thread (the caller's) and the
//! tracing in another. Children that other threads fork meanwhile hold copies of our pipes until
//! they exec, so nothing here relies on the end of a pipe.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::answer::check;
use super::launch::{NOTE_PID, SockFilter, SockFprog, Spawned, errno, install, pipe, say};

/// How often a child that waits looks whether its parent is still there, in milliseconds.
const LOOK_ROUND: i32 = 250;
/// The first byte of a note of the host: the child was never made, or did not come to our closure.
const NOTE_NO_CHILD: u8 = 0xff;

/// The tracing thread's side of a start: the child is yet to come.
#[derive(Debug)]
pub struct Coming {
    go: File,
    notes: File,
}

/// The spawning thread's side.
#[derive(Debug)]
pub struct Host(File);

/// Adds the closure that waits for the tracer to a command. The command is to be spawned once, and
/// dropped.
///
/// # Errors
/// Those of pipe2(2), or the filter is too long.
pub fn hook(command: &mut Command, filter: Vec<SockFilter>) -> io::Result<(Coming, Host)> {
    let (go_read, go_write) = pipe()?;
    let (notes_read, notes_write) = pipe()?;
    let host = Host(notes_write.try_clone()?.into());
    let len = u16::try_from(filter.len()).map_err(|_| io::Error::from_raw_os_error(libc::E2BIG))?;
    let parent = std::process::id();
    let wait = move || {
        let program = SockFprog {
            len,
            filter: filter.as_ptr(),
        };
        // SAFETY: this runs in the forked child (pre_exec's contract) and makes raw system calls
        // alone, on data of the closure.
        unsafe { wait_for_tracer(&go_read, &notes_write, parent, &program) };
        Ok(())
    };
    // SAFETY: the closure neither allocates nor locks.
    unsafe { command.pre_exec(wait) };
    let (go, notes) = (go_write.into(), notes_read.into());
    Ok((Coming { go, notes }, host))
}

impl Host {
    /// Tells the tracing thread that there is no child.
    pub fn no_child(mut self) {
        // The pipe holds more than a note, and its other end is open or nobody listens.
        let _ = self.0.write_all(&[NOTE_NO_CHILD, 0, 0, 0, 0]);
    }
}

impl Coming {
    /// Waits for the child. `None`: there is none.
    ///
    /// # Errors
    /// Those of read(2) and fcntl(2).
    pub fn wait(mut self) -> io::Result<Option<Spawned>> {
        let mut note = [0; 5];
        self.notes.read_exact(&mut note)?;
        let [NOTE_PID, b0, b1, b2, b3] = note else {
            return Ok(None);
        };
        // From here on what was said is read, and nothing is waited for.
        // SAFETY: F_SETFL changes the status flags of our own descriptor.
        unsafe {
            let fd = self.notes.as_raw_fd();
            check(i64::from(libc::fcntl(
                fd,
                libc::F_SETFL,
                libc::O_RDONLY | libc::O_NONBLOCK,
            )))?;
        }
        let pid = i32::from_ne_bytes([b0, b1, b2, b3]);
        Ok(Some(Spawned::new(pid, self.go, self.notes)))
    }
}

/// The child's side: says its pid, waits to be let go, installs the filter.
///
/// # Safety
/// Only in a freshly forked child; `filter` must be live.
unsafe fn wait_for_tracer(go: &OwnedFd, notes: &OwnedFd, parent: u32, filter: &SockFprog) {
    // SAFETY: raw system calls on live local data.
    unsafe {
        let notes = notes.as_raw_fd();
        say(notes, NOTE_PID, libc::getpid());
        let mut poll = libc::pollfd {
            fd: go.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        loop {
            let ready = libc::poll(&raw mut poll, 1, LOOK_ROUND);
            if ready > 0 {
                break;
            }
            let alone = u32::try_from(libc::getppid()).ok() != Some(parent);
            if alone || (ready < 0 && errno() != libc::EINTR) {
                libc::_exit(127);
            }
        }
        let mut byte = 0u8;
        if libc::read(poll.fd, (&raw mut byte).cast(), 1) != 1 || byte != 1 {
            libc::_exit(127);
        }
        if filter.len > 0 {
            install(filter, notes);
        }
    }
}
