//! What an interrupt does to a running thread.

use crate::event::Tid;
use crate::peek::Peek;
use crate::proc::Position;
use crate::tracer::kernel::Kernel;

use super::context::Context;

/// Where a running thread is, as far as PTRACE_INTERRUPT matters to it.
pub enum Whereabouts {
    /// In a call that the interrupt would end with EINTR.
    Interruptible,
    /// In vfork: it sleeps until its child has exec'd or ended.
    Vfork,
    /// Where it would not notice.
    Elsewhere,
}

/// Looks where a running thread is.
pub fn whereabouts<K: Kernel>(cx: &Context<K>, tid: Tid) -> Whereabouts {
    let Ok(bytes) = cx.task(tid).proc_file("syscall") else {
        return Whereabouts::Elsewhere;
    };
    let Some(Position::Call(nr)) = Position::parse(&bytes) else {
        return Whereabouts::Elsewhere;
    };
    if cx.abis.iter().any(|abi| abi.call(nr).is_some()) {
        Whereabouts::Vfork
    } else if INTERRUPTIBLE.contains(&nr) {
        Whereabouts::Interruptible
    } else {
        Whereabouts::Elsewhere
    }
}

/// x86-64's calls in which PTRACE_INTERRUPT shows as EINTR (signal(7), "Interruption of system calls
/// by stop signals"): recvfrom, recvmsg, semop, semtimedop, rt_sigtimedwait, epoll_wait,
/// epoll_pwait, recvmmsg, epoll_pwait2. Other machines have other numbers; there nobody is spared.
#[cfg(target_arch = "x86_64")]
const INTERRUPTIBLE: &[u64] = &[45, 47, 65, 220, 128, 232, 281, 299, 441];
#[cfg(not(target_arch = "x86_64"))]
const INTERRUPTIBLE: &[u64] = &[];
