//! Reaping while tasks are being seized.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::event::Tid;
use crate::sys::{self, Report};

use crate::proc;

/// A thread that reaps, one by one, tasks that end while others of their process are being seized. A
/// task in exec holds the lock that PTRACE_SEIZE takes until its siblings have been reaped
/// (fs/exec.c, de_thread, under cred_guard_mutex): if those are ours, seizing and reaping would wait
/// for each other. Ours are also the siblings that a seized thread has made since, so it is the
/// list of threads that is gone through.
pub(in crate::tracer) struct Reaper {
    shared: Arc<Mutex<Shared>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    process: Option<Tid>,
    ended: Vec<Ended>,
    over: bool,
}

/// A task that was reaped, and what it was while it was a zombie.
pub(in crate::tracer) struct Ended {
    pub report: Report,
    pub status: proc::Status,
    pub stat: Option<proc::Stat>,
}

/// The shortest rest between two looks.
const REST: Duration = Duration::from_millis(1);
/// A look may take a fifth of the time.
const RATION: u32 = 4;

impl Reaper {
    pub fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let theirs = Arc::clone(&shared);
        // Without the thread only that rare deadlock is not resolved.
        let thread = thread::Builder::new().name("reaper".into()).spawn(move || {
            loop {
                let process = {
                    let shared = theirs.lock().unwrap_or_else(PoisonError::into_inner);
                    if shared.over {
                        return;
                    }
                    shared.process
                };
                let began = Instant::now();
                for ended in process.into_iter().flat_map(reap_threads) {
                    let mut shared = theirs.lock().unwrap_or_else(PoisonError::into_inner);
                    shared.ended.push(ended);
                }
                thread::sleep((began.elapsed() * RATION).max(REST));
            }
        });
        Self {
            shared,
            thread: thread.ok(),
        }
    }

    /// The process that is being seized.
    pub fn watch(&self, tgid: Tid) {
        self.lock().process = Some(tgid);
    }

    /// Who was reaped since the last time.
    pub fn take(&self) -> Vec<Ended> {
        std::mem::take(&mut self.lock().ended)
    }

    /// Ends the thread; the rest of who was reaped.
    pub fn stop(mut self) -> Vec<Ended> {
        self.lock().over = true;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reaps the tracees of this process among the threads of another that have ended.
fn reap_threads(tgid: Tid) -> impl Iterator<Item = Ended> {
    let tids = std::fs::read_dir(format!("/proc/{tgid}/task")).into_iter();
    let tids = tids.flatten().filter_map(|entry| {
        let name = entry.ok()?.file_name();
        name.to_str()?.parse::<Tid>().ok()
    });
    tids.filter_map(|tid| {
        let report = sys::ended_of_any_thread(tid).ok()??;
        // It can be read until it is reaped.
        let read = |name: &str| std::fs::read(format!("/proc/{tid}/task/{tid}/{name}"));
        let status = read("status").map(|bytes| proc::Status::parse(&bytes));
        let stat = read("stat").ok();
        sys::reap_of_any_thread(tid).ok()??;
        Some(Ended {
            report,
            status: status.unwrap_or_default(),
            stat: stat.and_then(|bytes| proc::Stat::parse(&bytes)),
        })
    })
}
