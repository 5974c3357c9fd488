//! A crash in the init of a pid namespace.
//!
//! The init of a pid namespace is protected from fatal signals, and loses that protection for a
//! crash of its own only while nobody traces it (kernel/signal.c, force_sig_info_to_task and
//! get_signal). Traced, the signal is dropped and the instruction crashes again, for ever. So it is
//! let go at the signal stop, at the instruction that crashes: there it dies as it would alone.

use std::time::Duration;

use crate::abi::signals;
use crate::event::Status;
use crate::proc::{self, Stat};
use crate::sys::Instruction;
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::request::{Answer, Refused};
use crate::tracer::kernel::tracee::Stopped;

use super::context::Context;

/// The signals that an instruction raises.
const CRASHES: [&str; 6] = ["SIGILL", "SIGTRAP", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGSYS"];

/// How long an init that was let go may take to die.
const DYING: Duration = Duration::from_millis(500);

/// What became of an init that a signal stopped.
pub enum Crash<K: Kernel> {
    /// It is no crash of its own: the signal is to be delivered.
    None(Stopped<K>),
    /// It died of it.
    Died(Status, Option<Stat>),
    /// It lives, and is traced again.
    Lives,
}

/// Lets an init that crashes die.
///
/// # Errors
/// It was killed meanwhile.
pub fn crash<K: Kernel>(cx: &mut Context<K>, task: Stopped<K>, signal: i32) -> Answer<Crash<K>> {
    let tid = task.tid();
    let name = signals::name(signal).unwrap_or_default();
    if !CRASHES.contains(&name) || task.siginfo()?.code <= 0 {
        return Ok(Crash::None(task));
    }
    let Some(status) = proc::status(task.peek()) else {
        return Ok(Crash::None(task));
    };
    let caught = status.caught & (1 << (signal - 1)) != 0;
    if caught || status.ns_tgids.last() != Some(&1) {
        return Ok(Crash::None(task));
    }
    step_back(&task, name)?;
    let filtered = cx.table.get(tid).is_some_and(|t| cx.carries_filter(t));
    let stat = proc::stat(task.peek());
    if task.detach_until_dead(signal, DYING)? {
        // Whether it dumped core is its parent's to know.
        let status = Status::Signaled {
            signaled: name.to_owned(),
            core_dumped: false,
        };
        return Ok(Crash::Died(status, stat));
    }
    match cx.kernel.seize(tid, filtered) {
        Ok(()) | Err(Refused::Gone) => {
            if let Some(tracee) = cx.table.get_mut(tid) {
                tracee.stops_before_end = false;
            }
            Ok(Crash::Lives)
        }
        Err(refused) => Err(refused),
    }
}

/// Goes back to the instruction, where the processor has already left it.
fn step_back<K: Kernel>(task: &Stopped<K>, signal: &str) -> Answer<()> {
    if !matches!(signal, "SIGTRAP" | "SIGSYS") {
        return Ok(());
    }
    let info = task.syscall_info()?;
    let instruction = match signal {
        "SIGSYS" => {
            let call = proc::syscall(task.peek(), info.arch);
            Instruction::SystemCall(call.map(|call| call.nr))
        }
        _ => Instruction::Breakpoint,
    };
    task.step_back(info.ip, instruction).map(drop)
}
