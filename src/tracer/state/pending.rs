//! Calls between their entry and their outcome.

use crate::abi::Abi;
use crate::decode::Decoded;
use crate::event::{CloneCall, TaskId};
use crate::peek::Syscall;
use crate::sys::{Change, Registers};

/// A change that the program must not see, with what undoes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// An argument register that was changed.
    pub register: Option<Poked>,
    /// Memory that was overwritten: where, and what it held.
    pub memory: Option<(u64, Vec<u8>)>,
}

/// A changed argument register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poked {
    /// The ABI of the call.
    pub abi: &'static Abi,
    /// Which argument.
    pub index: usize,
    /// What becomes of it.
    pub change: Change,
    /// What it held.
    pub original: u64,
    /// What the call takes from it.
    pub changed: u64,
}

impl Edit {
    /// The argument registers as the kernel shows them with the change.
    pub fn apply(&self, mut args: [u64; 6]) -> [u64; 6] {
        if let Some(poked) = self.register
            && poked.change != (Change::Ends { shown: false })
            && let Some(argument) = args.get_mut(poked.index)
        {
            *argument = poked.changed;
        }
        args
    }

    /// What may still be changed when the call is made again. Memory and what stays of registers are
    /// put back; what the kernel keeps for the call itself (riscv64's `orig_a0`) nobody can.
    pub fn kept(self) -> Option<Self> {
        let mut poked = self.register?;
        if poked.change == Change::Stays {
            return None;
        }
        // Seen on aarch64 with 7.2 too, whatever is shown in the meantime.
        poked.change = Change::Ends { shown: true };
        Some(Self {
            register: Some(poked),
            memory: None,
        })
    }

    /// The argument registers as the program passed them.
    pub fn undo(&self, mut args: [u64; 6]) -> [u64; 6] {
        if let Some(poked) = self.register
            && let Some(argument) = args.get_mut(poked.index)
        {
            *argument = poked.original;
        }
        args
    }
}

/// A call between its entry and its outcome.
#[derive(Clone, Debug)]
pub struct Pending {
    /// When the call was entered, or its event reported, in nanoseconds of the trace.
    pub at_ns: u64,
    /// The caller.
    pub task: TaskId,
    /// The event to be, still without its outcome.
    pub event: Box<CloneCall>,
    /// The call decoded.
    pub decoded: Decoded,
    /// The call as the registers had it.
    pub syscall: Syscall,
    /// When it was let go from its entry stop, where that was seen: what we did there does not
    /// count as time in the call.
    pub entered_ns: Option<u64>,
    /// Registers that the newborn will have too.
    pub registers: Option<Registers>,
    /// It returned -ERESTART…: it will be made again (signal(7)).
    pub restarting: bool,
    /// CLONE_UNTRACED was taken off. Of a call that will be made again: what it may begin with.
    pub edit: Option<Edit>,
    /// CLONE_UNTRACED was given and could not be taken off.
    pub escapes: bool,
    /// It returned a positive result without an event: what that means shows at the next report.
    pub odd: Option<i64>,
}

impl Pending {
    /// The argument registers as the caller, and a newborn, hold them now.
    pub fn args_now(&self) -> [u64; 6] {
        let args = self.syscall.args;
        self.edit.as_ref().map_or(args, |edit| edit.apply(args))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi;

    /// Of what was changed for a call that is made again, the kernel keeps no more than an argument
    /// that ends with the call, and what was passed takes its place.
    #[test]
    fn a_call_made_again_keeps_what_nobody_can_put_back() {
        let abi = abi::arch::named("riscv64").expect("a row");
        let changes = [
            (Change::Stays, false),
            (Change::Ends { shown: false }, true),
            (Change::Ends { shown: true }, true),
        ];
        for (change, stays) in changes {
            let register = Some(Poked {
                abi,
                index: 0,
                change,
                original: 1,
                changed: 2,
            });
            let memory = Some((16, vec![0]));
            let kept = Edit { register, memory }.kept();
            assert_eq!(kept.is_some(), stays, "{change:?}");
            if let Some(kept) = kept {
                assert_eq!(kept.memory, None);
                assert_eq!(kept.apply([1; 6]), [2, 1, 1, 1, 1, 1]);
                assert_eq!(kept.undo([2; 6]), [1, 2, 2, 2, 2, 2]);
            }
        }
    }
}
