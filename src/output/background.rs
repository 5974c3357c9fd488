//! A destination that a slow reader cannot make hold up the program.
//!
//! The traced program waits while clonespy writes. A file takes what it is given; a pipe takes no
//! more than fits until somebody reads, which may be never. So what would have to wait is kept, up
//! to a bound, and a thread writes it; at the bound the reader gets a little time, then the output
//! has failed: the program is not to wait for ever. As long as the reader keeps up, everything is
//! written at once and in place.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use crate::sys;

/// What is kept for a slow reader, in bytes.
const BOUND: usize = 4 << 20;
/// How long a reader that takes nothing may hold up the program once that much is kept.
const PATIENCE: Duration = Duration::from_secs(2);
/// What a pipe that has room takes without waiting (pipe(7), PIPE_BUF).
const AT_ONCE: usize = 4096;

/// The destination.
pub struct BackgroundWriter(Arc<Shared>);

/// To wait for what is kept.
pub struct Pending(Arc<Shared>);

struct Shared {
    file: File,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    kept: Vec<u8>,
    /// Bytes that the thread has taken and not written yet.
    taken: usize,
    /// A thread is writing what was kept.
    writing: bool,
    failed: Option<io::Error>,
    gave_up: bool,
}

impl BackgroundWriter {
    /// Writes to this file, pipe or socket.
    pub fn new(fd: OwnedFd) -> Self {
        Self(Arc::new(Shared {
            file: fd.into(),
            state: Mutex::default(),
            changed: Condvar::new(),
        }))
    }

    /// The other end of it, for when the program has ended.
    pub fn pending(&self) -> Pending {
        Pending(Arc::clone(&self.0))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The thread's life: writes until nothing is kept.
    fn write_kept(&self) {
        loop {
            let mut state = self.lock();
            let bytes = std::mem::take(&mut state.kept);
            if bytes.is_empty() || state.failed.is_some() {
                state.writing = false;
                self.changed.notify_all();
                return;
            }
            state.taken = bytes.len();
            drop(state);
            for part in bytes.chunks(AT_ONCE) {
                let wrote = (&self.file).write_all(part);
                let mut state = self.lock();
                if let Err(why) = wrote {
                    state.failed = Some(why);
                    state.writing = false;
                    self.changed.notify_all();
                    return;
                }
                // The reader lives.
                state.taken = state.taken.saturating_sub(part.len());
                self.changed.notify_all();
            }
        }
    }
}

impl State {
    /// Fails if the output has; the reason is told once and then repeated in kind.
    fn check(&mut self) -> io::Result<()> {
        if self.gave_up {
            return Err(given_up());
        }
        match self.failed.take() {
            None => Ok(()),
            Some(why) => {
                let again = io::Error::from(why.kind());
                self.failed = Some(again);
                Err(why)
            }
        }
    }
}

fn given_up() -> io::Error {
    let why = format!("nobody reads it, and {} MiB wait", BOUND >> 20);
    io::Error::new(io::ErrorKind::TimedOut, why)
}

impl Write for BackgroundWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let shared = &self.0;
        let mut state = shared.lock();
        state.check()?;
        if !state.writing && sys::writable(shared.file.as_fd(), Duration::ZERO) {
            let part = bytes.get(..AT_ONCE).unwrap_or(bytes);
            return (&shared.file).write(part);
        }
        while state.writing && state.taken + state.kept.len() + bytes.len() > BOUND {
            let (woken, timeout) = shared
                .changed
                .wait_timeout(state, PATIENCE)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            state = woken;
            state.check()?;
            if timeout.timed_out() {
                state.gave_up = true;
                state.kept = Vec::new();
                return Err(given_up());
            }
        }
        state.kept.extend_from_slice(bytes);
        if !state.writing {
            state.writing = true;
            let theirs = Arc::clone(shared);
            let started = thread::Builder::new()
                .name("writer".to_owned())
                .spawn(move || theirs.write_kept());
            if let Err(why) = started {
                state.writing = false;
                return Err(why);
            }
        }
        Ok(bytes.len())
    }

    /// What is kept is on its way: nothing is to wait for it.
    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().check()
    }
}

impl Pending {
    /// Waits until all is written. The program has ended: only clonespy waits, for as long as the
    /// reader takes, as every program does; Ctrl-C ends it.
    ///
    /// # Errors
    /// What was not written, and why.
    pub fn wait(self) -> io::Result<()> {
        let mut state = self.0.lock();
        if state.writing && !state.gave_up {
            sys::obey_ending_signals();
        }
        while state.writing && !state.gave_up {
            state = self
                .0
                .changed
                .wait(state)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        state.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn pipe() -> (File, BackgroundWriter) {
        let (read, write) = io::pipe().unwrap();
        (
            OwnedFd::from(read).into(),
            BackgroundWriter::new(write.into()),
        )
    }

    #[test]
    fn what_waits_comes_in_order_when_somebody_reads() {
        let (mut reader, mut writer) = pipe();
        let lines: Vec<String> = (0..100_000).map(|n| format!("{n}\n")).collect();
        // Far more than a pipe holds, and nobody reads.
        for line in &lines {
            writer.write_all(line.as_bytes()).unwrap();
            writer.flush().unwrap();
        }
        let pending = writer.pending();
        drop(writer);
        let read = thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        });
        pending.wait().unwrap();
        assert_eq!(read.join().unwrap(), lines.concat());
    }

    #[test]
    fn who_never_reads_loses_the_output_and_holds_up_nobody() {
        let (reader, mut writer) = pipe();
        let block = vec![0; 1 << 20];
        let failed = (0..8).find_map(|_| writer.write_all(&block).err()).unwrap();
        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
        assert!(failed.to_string().contains("nobody reads it"), "{failed}");
        assert_eq!(writer.flush().unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(writer.pending().wait().is_err());
        drop(reader);
    }

    #[test]
    fn a_reader_that_leaves_is_noticed_at_the_end_at_the_latest() {
        let (reader, mut writer) = pipe();
        writer.write_all(&vec![0; 1 << 20]).unwrap();
        drop(reader);
        assert_eq!(
            writer.pending().wait().unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
    }
}
