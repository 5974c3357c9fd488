//! Requests on tracees: who may be asked, and how a request can be refused.

use std::io;

use crate::event::Tid;

/// Why a request on a tracee was refused.
#[derive(Debug)]
pub enum Refused {
    /// ESRCH. A tracee in ptrace-stop can vanish only by SIGKILL (or a sibling's exec): its end
    /// will be reported, and nothing is left to do at this stop (ptrace(2), "Death under ptrace").
    Gone,
    /// Anything else: a request that this kernel does not have, or a mistake of ours.
    Other(&'static str, io::Error),
}

/// An answer about a tracee.
pub type Answer<T> = Result<T, Refused>;

/// What ends the handling of one stop early: [`Refused`], which is mostly "the task was killed".
pub type Handled = Answer<()>;

/// A task whose stop was reported and has not been answered: whom ptrace(2) lets one make requests
/// on. Only [`Stopped`](super::tracee::Stopped) makes one, so that no request goes to a bare tid.
#[derive(Debug)]
pub struct AtStop(Tid);

impl AtStop {
    /// Only for a stop that was just reported.
    pub(super) fn new(tid: Tid) -> Self {
        Self(tid)
    }

    /// Its tid.
    pub fn tid(&self) -> Tid {
        self.0
    }
}
