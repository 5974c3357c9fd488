//! What newborns inherit from their creators, and what is kept of creators that died.

use crate::event::Tid;
use crate::peek::Syscall;
use crate::proc::Status;
use crate::sys::Registers;
use crate::tracer::state::pending::Pending;
use crate::tracer::state::table::Lineage;

/// What a newborn inherited.
#[derive(Clone, Debug, Default)]
pub struct Inherited {
    pub call: Option<Syscall>,
    pub registers: Option<Registers>,
    pub status: Status,
}

/// A call whose caller died inside.
#[derive(Debug)]
pub struct DeadCall {
    pub pending: Pending,
    pub ppid: Option<Tid>,
    pub caller: Lineage,
}
