//! A crash in the init of a pid namespace.
//!
//! The init of a pid namespace is protected from fatal signals, and loses that protection for a
//! crash of its own only while nobody traces it (kernel/signal.c, force_sig_info_to_task and
//! get_signal). Traced, the signal is dropped and the instruction crashes again, for ever. So it is
//! let go at the signal stop, at the instruction that crashes: there it dies as it would alone.

use std::time::Duration;

use crate::abi::signals;
use crate::event::Status;
use crate::sys;

use crate::proc;
use crate::tracer::Tracer;
use crate::tracer::kernel::tracee::Stopped;
use crate::tracer::kernel::{Answer, Kernel, Refused};

/// The signals that an instruction raises.
const CRASHES: [&str; 6] = ["SIGILL", "SIGTRAP", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGSYS"];

/// How long an init that was let go may take to die.
const DYING: Duration = Duration::from_millis(500);

impl<K: Kernel> Tracer<K> {
    /// Lets an init that crashes die. Gives the task back where this is no such crash.
    pub(in crate::tracer) fn crashing_init(
        &mut self,
        task: Stopped<K>,
        signal: i32,
    ) -> Answer<Option<Stopped<K>>> {
        let tid = task.tid();
        let name = signals::name(signal).unwrap_or_default();
        if !CRASHES.contains(&name) || self.kernel.siginfo(tid)?.code <= 0 {
            return Ok(Some(task));
        }
        let Some(status) = proc::status(task.eye()) else {
            return Ok(Some(task));
        };
        let caught = status.caught & (1 << (signal - 1)) != 0;
        if caught || status.ns_tgids.last() != Some(&1) {
            return Ok(Some(task));
        }
        self.rewind(&task, name)?;
        let exit_kill = self.table.get(tid).is_some_and(|t| self.carries_filter(t));
        let stat = proc::stat(task.eye());
        if task.detach_until_dead(signal, DYING)? {
            let at_ns = self.kernel.now_ns();
            if let Some(tracee) = self.table.remove(tid) {
                // Whether it dumped core is its parent's to know.
                let status = Status::Signaled {
                    signaled: name.to_owned(),
                    core_dumped: false,
                };
                self.tell_exit(tid, &tracee, Some(status), stat.as_ref(), at_ns);
                self.vfork_ends(tid)?;
            }
            return Ok(None);
        }
        match self.kernel.seize(tid, exit_kill) {
            Ok(()) | Err(Refused::Gone) => {
                if let Some(tracee) = self.table.get_mut(tid) {
                    tracee.asked_before_end = false;
                }
                Ok(None)
            }
            Err(refused) => Err(refused),
        }
    }

    /// Goes back to the instruction, where the processor has already left it: a breakpoint is
    /// reported behind its one byte, a refused system call behind its two (x86).
    fn rewind(&self, task: &Stopped<K>, signal: &str) -> Answer<()> {
        let back = match signal {
            "SIGTRAP" => 1,
            "SIGSYS" => 2,
            _ => return Ok(()),
        };
        let Some((_, result, ip)) = sys::return_slots() else {
            return Ok(());
        };
        let info = self.kernel.syscall_info(task.tid())?;
        if signal == "SIGSYS"
            && let Some(call) = proc::syscall(task.eye(), info.arch)
        {
            self.kernel.poke_user(task.tid(), result, call.nr)?;
        }
        self.kernel
            .poke_user(task.tid(), ip, info.ip.wrapping_sub(back))
    }
}
