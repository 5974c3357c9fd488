//! A stopped task, as a token: whoever holds it may ask and change; resuming consumes it, so a
//! task cannot be resumed twice. It is the only caller of requests on a tracee.

use std::rc::Rc;
use std::time::Duration;

use crate::abi::Abi;
use crate::event::Tid;
use crate::peek::Errno;
use crate::sys::{Instruction, Registers, Request, Siginfo, SyscallInfo};

use super::Kernel;
use super::request::{Answer, AtStop};

/// A task in ptrace-stop.
#[must_use = "a stopped task must be resumed or kept"]
pub struct Stopped<K: Kernel> {
    kernel: Rc<K>,
    view: K::Task,
    at: AtStop,
}

impl<K: Kernel> Stopped<K> {
    /// Only for a stop that was just reported.
    pub(in crate::tracer) fn new(kernel: &Rc<K>, tid: Tid) -> Self {
        Self {
            view: kernel.task(tid),
            kernel: Rc::clone(kernel),
            at: AtStop::new(tid),
        }
    }

    /// What it answers.
    pub fn peek(&self) -> &K::Task {
        &self.view
    }

    /// Its tid.
    pub fn tid(&self) -> Tid {
        self.at.tid()
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// It was killed meanwhile, as with all requests.
    pub fn resume(self, how: Request, signal: i32) -> Answer<()> {
        self.kernel.resume(self.at, how, signal)
    }

    /// Lets it go for good, with a signal that should end it; says whether it has ended in time.
    ///
    /// # Errors
    /// It was killed meanwhile.
    pub fn detach_until_dead(self, signal: i32, time: Duration) -> Answer<bool> {
        self.kernel.detach_until_dead(self.at, signal, time)
    }

    /// Has it stop once more before it ends ([`Kernel::stop_before_end`]).
    ///
    /// # Errors
    /// It was killed meanwhile.
    pub fn stop_before_end(&self, exit_kill: bool, filtered: bool) -> Answer<()> {
        self.kernel.stop_before_end(&self.at, exit_kill, filtered)
    }

    /// Which system call it is in.
    ///
    /// # Errors
    /// It was killed meanwhile.
    pub fn syscall_info(&self) -> Answer<SyscallInfo> {
        self.kernel.syscall_info(&self.at)
    }

    /// The message of the event that it is stopped at.
    ///
    /// # Errors
    /// It was killed meanwhile.
    pub fn event_message(&self) -> Answer<u64> {
        self.kernel.event_message(&self.at)
    }

    /// The signal that it is stopped for.
    ///
    /// # Errors
    /// It was killed meanwhile.
    pub fn siginfo(&self) -> Answer<Siginfo> {
        self.kernel.siginfo(&self.at)
    }

    /// The registers that a newborn has in common with its creator.
    ///
    /// # Errors
    /// It was killed meanwhile.
    pub fn registers(&self) -> Answer<Option<Registers>> {
        self.kernel.registers(&self.at)
    }

    /// Changes an argument of its call, or puts it back; `false`: not on this machine.
    ///
    /// # Errors
    /// It was killed meanwhile.
    pub fn set_argument(&self, abi: &Abi, index: usize, value: u64) -> Answer<bool> {
        self.kernel.set_argument(&self.at, abi, index, value)
    }

    /// Has it return this without making its call; `false`: not on this machine.
    ///
    /// # Errors
    /// It was killed meanwhile.
    pub fn set_result(&self, result: i64) -> Answer<bool> {
        self.kernel.set_result(&self.at, result)
    }

    /// Has it go back to an instruction from where it stands; `false`: not on this machine.
    ///
    /// # Errors
    /// It was killed meanwhile.
    pub fn step_back(&self, ip: u64, instruction: Instruction) -> Answer<bool> {
        self.kernel.step_back(&self.at, ip, instruction)
    }

    /// Writes its memory.
    ///
    /// # Errors
    /// The errno of the write.
    pub fn write_memory(&self, addr: u64, bytes: &[u8]) -> Result<(), Errno> {
        self.kernel.write_memory(&self.at, addr, bytes)
    }
}
