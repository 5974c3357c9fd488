//! CLONE_UNTRACED, taken off for the kernel and put back before the program can look.
//!
//! A child with that flag would not be traced and would carry our filter all the same: its own
//! calls that the filter stops would fail with ENOSYS (seccomp(2), SECCOMP_RET_TRACE: no tracer).
//! For clone the flags register is changed. For clone3 the struct is not touched, since it can lie
//! in read-only pages and other threads can see it: the kernel is shown a copy below the stack.

use crate::abi::{Order, flags};
use crate::decode::Decoded;
use crate::event::Call;
use crate::peek::{Peek, Syscall};

use super::Tracer;
use super::kernel::{Answer, Kernel};
use super::table::Edit;
use super::tracee::Stopped;

/// Below the stack pointer the ABI leaves this much to leaf functions (System V x86-64, "red zone").
const RED_ZONE: u64 = 128;

impl<K: Kernel> Tracer<K> {
    /// Takes the flag off at the entry of a call that has it. `None`: it could not be done, and the
    /// child will escape.
    pub(super) fn take_off_untraced(
        &self,
        task: &Stopped<K>,
        call: &Syscall,
        decoded: &Decoded,
    ) -> Answer<Option<Edit>> {
        let abi = &decoded.request.abi;
        let edit = match decoded.request.call {
            Call::Clone => flags_register(call, abi),
            Call::Clone3 => self.show_copy(task, call, decoded),
            Call::Fork | Call::Vfork => None,
        };
        if let Some(edit) = &edit {
            self.kernel.poke_user(task.tid(), edit.slot, edit.changed)?;
        }
        Ok(edit)
    }

    /// Writes a copy of the struct without the flag, and says how to point the kernel at it.
    fn show_copy(&self, task: &Stopped<K>, call: &Syscall, decoded: &Decoded) -> Option<Edit> {
        let mut block = decoded.block.clone()?;
        let word = block.first_chunk_mut::<8>()?;
        *word = (u64::from_ne_bytes(*word) & !flags::CLONE_UNTRACED.0).to_ne_bytes();
        let size = u64::try_from(block.len()).ok()?;
        let at = call.sp.checked_sub(RED_ZONE + size)? & !15;
        let mut saved = vec![0; block.len()];
        task.eye().read(at, &mut saved).ok()?;
        let slot = crate::sys::argument_slot(&decoded.request.abi, 0)?;
        self.kernel.write_memory(task.tid(), at, &block).ok()?;
        let [original, ..] = call.args;
        Some(Edit { slot, original, changed: at, saved: Some((at, saved)), index: 0 })
    }

    /// Puts everything back in a stopped task: the caller, or a newborn, which has copies of the
    /// caller's registers and, without CLONE_VM, of its memory.
    pub(super) fn put_back(&self, task: &Stopped<K>, edit: &Edit) -> Answer<()> {
        self.kernel.poke_user(task.tid(), edit.slot, edit.original)?;
        if let Some((at, bytes)) = &edit.saved {
            // A newborn may have lost the page only if its creator unmapped it: nothing to mend.
            let _ = self.kernel.write_memory(task.tid(), *at, bytes);
        }
        Ok(())
    }
}

/// The change of legacy clone's flags register.
fn flags_register(call: &Syscall, abi: &str) -> Option<Edit> {
    let row = crate::abi::arch::named(abi)?;
    let index = if row.order == Order::Backwards2 { 1 } else { 0 };
    let original = *call.args.get(index)?;
    Some(Edit {
        slot: crate::sys::argument_slot(abi, index)?,
        original,
        changed: original & !flags::CLONE_UNTRACED.0,
        saved: None,
        index,
    })
}
