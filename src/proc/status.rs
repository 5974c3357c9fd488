//! `/proc/TID/status`: rows of `KEY: VALUE`. Here is what is kept of it for a while; a single row is
//! asked for with [`field`](super::field).

use crate::event::Tid;
use crate::peek::Peek;

use super::text::{numbers, rows};

/// What is kept of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The thread group.
    pub tgid: Option<Tid>,
    /// The parent's thread group.
    pub ppid: Option<Tid>,
    /// The tid in each pid namespace, outermost first.
    pub ns_tids: Vec<Tid>,
    /// The tgid in each pid namespace.
    pub ns_tgids: Vec<Tid>,
    /// Caught signals, bit `n - 1` for signal `n`.
    pub caught: u64,
    /// The thread that traces it; 0: none.
    pub tracer: Option<Tid>,
}

impl Status {
    /// From the file's bytes. What is not there is absent.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut status = Self::default();
        for (key, value) in rows(bytes) {
            match key {
                "Tgid" => status.tgid = value.parse().ok(),
                "PPid" => status.ppid = value.parse().ok(),
                "TracerPid" => status.tracer = value.parse().ok(),
                "NSpid" => status.ns_tids = numbers(value).collect(),
                "NStgid" => status.ns_tgids = numbers(value).collect(),
                "SigCgt" => status.caught = u64::from_str_radix(value, 16).unwrap_or(0),
                _ => {}
            }
        }
        status
    }
}

/// Reads and parses it.
pub fn status(task: &dyn Peek) -> Option<Status> {
    let bytes = task.proc_file("status").ok()?;
    Some(Status::parse(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_every_namespace() {
        let text = b"Name:\t\xff\nTgid:\t12\nPPid:\t3\nTracerPid:\t0\nNStgid:\t12\t1\nNSpid:\t13\t2\nSigCgt:\t0000000000000400\n";
        let status = Status::parse(text);
        let want = Status {
            tgid: Some(12),
            ppid: Some(3),
            ns_tids: vec![13, 2],
            ns_tgids: vec![12, 1],
            caught: 0x400,
            tracer: Some(0),
        };
        assert_eq!(status, want);
        assert_eq!(Status::parse(b""), Status::default());
    }

    #[test]
    fn this_task_is_readable() {
        let own = std::fs::read("/proc/self/status").expect("/proc");
        let status = Status::parse(&own);
        let pid = std::process::id().cast_signed();
        assert_eq!(status.tgid, Some(pid));
        assert_eq!(status.ns_tids.first(), Some(&pid));
    }
}
