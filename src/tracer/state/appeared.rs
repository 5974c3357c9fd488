//! Tasks that no seen call made: attached, or born unseen.

use crate::event::{Appeared, EventKind, How, Kind, Tid};

use crate::proc;
use crate::tracer::Tracer;
use crate::tracer::kernel::Kernel;
use crate::tracer::state::created::is_init;
use crate::tracer::state::table::Tracee;

impl<K: Kernel> Tracer<K> {
    /// Tells of such a task, with what /proc says of it; the answer is to be completed and taken in.
    /// (A thread that the kernel made for io_uring or vhost is told as that, however it was found.)
    pub(in crate::tracer) fn tell_appeared(
        &mut self,
        tid: Tid,
        tgid: Tid,
        status: &proc::Status,
        how: How,
    ) -> Tracee {
        let eye = self.eye(tid);
        let stat = proc::stat(&eye);
        let (comm, comm_hex) = proc::comm(&eye).unwrap_or_default();
        let worker = stat.as_ref().is_some_and(|stat| stat.worker);
        let kind = if tid == tgid {
            Kind::Process
        } else {
            Kind::Thread
        };
        let ns_tids = (status.ns_tids.len() > 1).then(|| status.ns_tids.clone());
        let task = self.new_id();
        let tracee = Tracee {
            nested: ns_tids.is_some(),
            init: is_init(Some(status)),
            ..Tracee::new(task, tgid, kind)
        };
        let at_ns = self.kernel.now_ns();
        self.emit(
            at_ns,
            task,
            EventKind::Task(Appeared {
                tid,
                tgid,
                ppid: status.ppid,
                kind,
                comm,
                comm_hex,
                how: if worker { How::Worker } else { how },
                start_ticks: stat.map(|stat| stat.start_ticks),
                ns_tids,
            }),
        );
        tracee
    }
}
