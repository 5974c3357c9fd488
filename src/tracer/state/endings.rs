//! How tasks end: by themselves, cut off, by a signal, by a filter.

use crate::abi::signals;
use crate::event::{Ending, Status};
use crate::proc::Stat;

use super::table::Tracee;

/// Whether a seccomp filter ended a task, and nobody else of its process (kernel/seccomp.c,
/// SECCOMP_RET_KILL_THREAD): a signal would have been one for the whole group.
pub fn by_filter(status: &Status, stat: Option<&Stat>) -> bool {
    let by_sigsys = matches!(status, Status::Signaled { signaled, .. } if signaled == "SIGSYS");
    by_sigsys && stat.is_some_and(|stat| !stat.cut_off)
}

/// How a task ended. The wait status alone does not tell a thread that ended itself from one that
/// was cut off; PF_SIGNALED does.
pub fn how(tracee: &Tracee, leader: bool, status: Option<&Status>, stat: Option<&Stat>) -> Ending {
    let taken = tracee.signal.and_then(signals::name);
    match (status, stat) {
        (None, _) => Ending::Unknown,
        (Some(Status::Signaled { .. }), _) if leader => Ending::Signal,
        (Some(Status::Signaled { signaled, .. }), _) if taken == Some(signaled) => Ending::Signal,
        (Some(Status::Signaled { .. }), _) => Ending::CutOff,
        (Some(Status::Exited { .. }), Some(stat)) if stat.cut_off => Ending::CutOff,
        (Some(Status::Exited { .. }), Some(_)) => Ending::Itself,
        (Some(Status::Exited { .. }), None) => Ending::Unknown,
    }
}
