//! A stopped task, as a token: whoever holds it may ask and change; resuming consumes it, so a
//! task cannot be resumed twice.

use std::rc::Rc;
use std::time::Duration;

use crate::event::Tid;
use crate::peek::{Errno, Peek};
use crate::sys::Request;

use crate::tracer::kernel::{Answer, Kernel};

/// A view of a task that answers questions as long as it does not run.
pub struct Eye<K> {
    pub(in crate::tracer) kernel: Rc<K>,
    pub(in crate::tracer) tid: Tid,
}

impl<K: Kernel> Peek for Eye<K> {
    fn tid(&self) -> Tid {
        self.tid
    }

    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), Errno> {
        self.kernel.read_memory(self.tid, addr, buf)
    }

    fn proc_file(&self, name: &str) -> Result<Vec<u8>, Errno> {
        self.kernel.proc_file(self.tid, name)
    }

    fn proc_link(&self, name: &str) -> Result<Vec<u8>, Errno> {
        self.kernel.proc_link(self.tid, name)
    }

    fn proc_read_at(&self, name: &str, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        self.kernel.proc_read_at(self.tid, name, offset, buf)
    }

    fn system_file(&self, path: &str) -> Result<Vec<u8>, Errno> {
        self.kernel.system_file(path)
    }

    fn system_link(&self, path: &str) -> Result<Vec<u8>, Errno> {
        self.kernel.system_link(path)
    }

    fn system_list(&self, path: &str) -> Result<Vec<String>, Errno> {
        self.kernel.system_list(path)
    }

    fn user_namespaces_around(&self) -> Result<usize, Errno> {
        self.kernel.user_namespaces_around(self.tid)
    }
}

/// A task in ptrace-stop.
#[must_use = "a stopped task must be resumed or kept"]
pub struct Stopped<K>(Eye<K>);

impl<K: Kernel> Stopped<K> {
    /// Only for a stop that was just reported.
    pub(in crate::tracer) fn new(kernel: Rc<K>, tid: Tid) -> Self {
        Self(Eye { kernel, tid })
    }

    /// What it answers.
    pub fn eye(&self) -> &Eye<K> {
        &self.0
    }

    /// Its tid.
    pub fn tid(&self) -> Tid {
        self.0.tid
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// It was killed meanwhile.
    pub fn resume(self, how: Request, signal: i32) -> Answer<()> {
        self.0.kernel.resume(self.0.tid, how, signal)
    }

    /// Lets it go for good, with a signal that should end it; says whether it has ended in time.
    ///
    /// # Errors
    /// It was killed meanwhile.
    pub fn detach_until_dead(self, signal: i32, time: Duration) -> Answer<bool> {
        self.0.kernel.detach_until_dead(self.0.tid, signal, time)
    }
}
