//! Reaping while tasks are being seized.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::event::Tid;
use crate::sys::{self, What};

/// A thread that reaps, one by one, tasks that end while others are being seized. A task in exec
/// holds the lock that PTRACE_SEIZE takes until its siblings have been reaped (fs/exec.c,
/// de_thread, under cred_guard_mutex): if those are ours, seizing and reaping would wait for each
/// other.
pub(super) struct Reaper {
    shared: Arc<Mutex<Shared>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    watched: BTreeSet<Tid>,
    reaped: Vec<(Tid, What)>,
    over: bool,
}

impl Reaper {
    pub fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let theirs = Arc::clone(&shared);
        // Without the thread only that rare deadlock is not resolved.
        let thread = thread::Builder::new().name("reaper".into()).spawn(move || {
            loop {
                {
                    let Ok(mut shared) = theirs.lock() else {
                        return;
                    };
                    if shared.over {
                        return;
                    }
                    let watched: Vec<Tid> = shared.watched.iter().copied().collect();
                    for tid in watched {
                        if let Ok(Some(report)) = sys::reap_of_any_thread(tid) {
                            shared.watched.remove(&tid);
                            shared.reaped.push((tid, report.what));
                        }
                    }
                }
                thread::sleep(Duration::from_millis(1));
            }
        });
        Self {
            shared,
            thread: thread.ok(),
        }
    }

    pub fn watch(&self, tid: Tid) {
        if let Ok(mut shared) = self.shared.lock() {
            shared.watched.insert(tid);
        }
    }

    pub fn has_reaped(&self, tid: Tid) -> bool {
        self.shared
            .lock()
            .is_ok_and(|shared| shared.reaped.iter().any(|&(t, _)| t == tid))
    }

    pub fn stop(self) -> Vec<(Tid, What)> {
        if let Ok(mut shared) = self.shared.lock() {
            shared.over = true;
        }
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
        self.shared
            .lock()
            .map(|mut shared| std::mem::take(&mut shared.reaped))
            .unwrap_or_default()
    }
}
