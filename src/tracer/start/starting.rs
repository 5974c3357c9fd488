//! The program between its fork and its exec.

use std::ffi::OsString;
use std::io;

use crate::error::Error;
use crate::event::{Appeared, How, Intercept, Kind, Start, Status};
use crate::proc;
use crate::sys::{Note, Spawned};
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::tracee::Stopped;
use crate::tracer::state::context::Context;
use crate::tracer::state::exit_stops::Options;

use super::program::cannot_run;

/// What is known of it until then.
pub struct Starting {
    pub child: Spawned,
    /// The trace's first line, which comes when it has begun.
    pub line: Start,
    /// As it was given.
    pub program: OsString,
    /// The host program spawned it and takes its status itself, should it end before its exec.
    pub hosted: bool,
    /// From its exec on tasks are asked to stop before they end.
    pub exit_stops: Option<Options>,
}

impl Starting {
    /// The program's own exec: the trace begins.
    pub fn begin<K: Kernel>(mut self, cx: &mut Context<K>, task: &Stopped<K>) {
        if self.line.intercept == Intercept::Seccomp {
            self.line.visible.push("Seccomp".to_owned());
        }
        if self.child.notes().contains(&Note::NoNewPrivs) {
            self.line.visible.push("NoNewPrivs".to_owned());
        }
        cx.ledger.start(self.line);
        cx.exit_stops.options = self.exit_stops;
        // Where it was killed meanwhile its end is what comes next.
        let _ = cx.ask_for_exit_stop(task);
        let tid = task.tid();
        let status = proc::status(task.peek()).unwrap_or_default();
        let full = cx.intercept == Intercept::Syscall;
        let Some(tracee) = cx.table.get_mut(tid) else {
            return;
        };
        tracee.full = full;
        tracee.nested = status.ns_tids.len() > 1;
        let line = Appeared {
            tid,
            tgid: tid,
            ppid: status.ppid,
            kind: Kind::Process,
            comm: "clonespy".to_owned(),
            comm_hex: None,
            how: How::Launched,
            start_ticks: proc::stat(task.peek()).map(|stat| stat.start_ticks),
            ns_tids: None,
        };
        cx.ledger.unseen_birth(0, tracee.id, line, true);
    }

    /// The child ended before its exec: it said why.
    pub fn failed(mut self, status: &Status) -> Error {
        let program = self.program.to_string_lossy().into_owned();
        let failed = self.child.notes().into_iter().find_map(|note| match note {
            Note::Failed(step, errno) => Some((step, errno)),
            Note::NoNewPrivs => None,
        });
        match failed {
            Some(("exec", errno)) => cannot_run(program, errno),
            Some((step, errno)) => Error::Launch {
                what: step.to_owned(),
                why: io::Error::from_raw_os_error(errno),
            },
            None => Error::Launch {
                what: program,
                why: io::Error::other(match status {
                    Status::Exited { exited } => {
                        format!("it ended before its exec, with status {exited}")
                    }
                    Status::Signaled { signaled, .. } => {
                        format!("{signaled} ended it before its exec")
                    }
                }),
            },
        }
    }
}
