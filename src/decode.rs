//! A stopped task at the entry of a call → what it asks for. Pure: everything comes through
//! [`Peek`].

use crate::abi::CloneFlags;
use crate::event::{Request, Wrote};
use crate::peek::{Peek, Syscall};

/// A decoded call, with what the tracer needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// What goes into the event.
    pub request: Request,
    /// The bits that take effect: fork's and vfork's implied ones too, ignored ones taken off.
    pub flags: CloneFlags,
    /// Where the kernel will write the new tid in the caller's memory (CLONE_PARENT_SETTID).
    pub parent_tid_at: Option<u64>,
    /// Where the kernel will write the descriptor (CLONE_PIDFD).
    pub pidfd_at: Option<u64>,
    /// clone3: the bytes of the struct as they were read, whole.
    pub block: Option<Vec<u8>>,
}

/// Decodes a call; `None` where the number is none of the four in its ABI.
pub fn decode(task: &dyn Peek, call: &Syscall) -> Option<Decoded> {
    let _ = (task, call);
    None
}

/// Reads what the kernel wrote, at the caller's event stop.
pub fn wrote(task: &dyn Peek, decoded: &Decoded) -> Option<Wrote> {
    let _ = (task, decoded);
    None
}
