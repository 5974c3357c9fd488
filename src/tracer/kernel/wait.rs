//! Wait status → what the stop means. Pure.

use crate::event::Status;
use crate::sys::What;

/// What a report about a task means (ptrace(2), "Stopped states").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Entry or exit of a system call; PTRACE_GET_SYSCALL_INFO tells which.
    Syscall,
    /// The seccomp filter said RET_TRACE.
    Filter,
    /// The task made another: FORK, VFORK or CLONE. Which of them says nothing about thread or
    /// process (kernel/fork.c, kernel_clone).
    NewTask,
    /// It replaced its program.
    Exec,
    /// EVENT_STOP with SIGTRAP: a newborn's first stop, the end of a group stop, or an interrupt.
    Trap,
    /// EVENT_STOP with a stop signal: the group is stopped.
    Group(i32),
    /// A signal is about to be delivered.
    Signal(i32),
    /// EVENT_EXIT: it is about to end, and will not run again.
    Exiting,
    /// An event that was not asked for, or that a later kernel has added.
    Unknown(i32),
    /// It ended.
    Gone(Status),
}

/// The kinds of stop, for statistics.
impl Stop {
    /// A name for the kind.
    pub fn name(&self) -> &'static str {
        match self {
            Stop::Syscall => "syscall",
            Stop::Filter => "seccomp",
            Stop::NewTask => "new task",
            Stop::Exec => "exec",
            Stop::Trap => "first or trap",
            Stop::Group(_) => "group stop",
            Stop::Signal(_) => "signal",
            Stop::Exiting => "leaving",
            Stop::Unknown(_) => "unknown",
            Stop::Gone(_) => "end",
        }
    }
}

/// SIGTRAP, on every architecture.
pub(in crate::tracer) const SIGTRAP: i32 = 5;
/// PTRACE_O_TRACESYSGOOD marks system-call stops with this bit.
const SYSGOOD: i32 = 0x80;
const EVENT_FORK: i32 = 1;
const EVENT_VFORK: i32 = 2;
const EVENT_CLONE: i32 = 3;
const EVENT_EXEC: i32 = 4;
const EVENT_EXIT: i32 = 6;
const EVENT_SECCOMP: i32 = 7;
const EVENT_STOP: i32 = 128;
/// What PTRACE_GETSIGINFO has as si_code at an EXEC stop (kernel/signal.c, ptrace_notify).
pub(in crate::tracer) const EXEC_CODE: i32 = SIGTRAP | EVENT_EXEC << 8;

/// Sorts a report.
pub fn classify(what: What) -> Stop {
    let code = match what {
        What::Exited(exited) => return Stop::Gone(Status::Exited { exited }),
        What::Killed { signal, core } => {
            let signaled = crate::abi::signals::name(signal)
                .map_or_else(|| format!("signal {signal}"), str::to_owned);
            return Stop::Gone(Status::Signaled {
                signaled,
                core_dumped: core,
            });
        }
        What::Stopped(code) => code,
    };
    let (signal, event) = (code & 0xff, code >> 8);
    match event {
        0 if signal == SIGTRAP | SYSGOOD => Stop::Syscall,
        0 => Stop::Signal(signal),
        EVENT_FORK | EVENT_VFORK | EVENT_CLONE => Stop::NewTask,
        EVENT_EXEC => Stop::Exec,
        EVENT_EXIT => Stop::Exiting,
        EVENT_SECCOMP => Stop::Filter,
        EVENT_STOP if signal == SIGTRAP => Stop::Trap,
        EVENT_STOP => Stop::Group(signal),
        _ => Stop::Unknown(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_stop_is_told_apart() {
        let stopped = |code| classify(What::Stopped(code));
        assert_eq!(stopped(0x85), Stop::Syscall);
        assert_eq!(stopped(5), Stop::Signal(5));
        assert_eq!(stopped(19), Stop::Signal(19));
        assert_eq!(stopped(64), Stop::Signal(64));
        for event in 1..=3 {
            assert_eq!(stopped(5 | event << 8), Stop::NewTask);
        }
        assert_eq!(stopped(5 | 4 << 8), Stop::Exec);
        assert_eq!(stopped(5 | 6 << 8), Stop::Exiting);
        assert_eq!(stopped(5 | 7 << 8), Stop::Filter);
        assert_eq!(stopped(5 | 128 << 8), Stop::Trap);
        assert_eq!(stopped(19 | 128 << 8), Stop::Group(19));
        assert_eq!(stopped(5 | 9 << 8), Stop::Unknown(5 | 9 << 8));
        assert_eq!(
            classify(What::Exited(7)),
            Stop::Gone(Status::Exited { exited: 7 })
        );
        assert_eq!(
            classify(What::Killed {
                signal: 9,
                core: false
            }),
            Stop::Gone(Status::Signaled {
                signaled: "SIGKILL".into(),
                core_dumped: false
            })
        );
    }
}
