//! CLONE_UNTRACED, taken off for the kernel and put back before the program can look.
//!
//! A child with that flag would not be traced and would carry our filter all the same: its own
//! calls that the filter stops would fail with ENOSYS (seccomp(2), SECCOMP_RET_TRACE: no tracer).
//! For clone the flags register is changed. For clone3 the struct is not touched, since it can lie
//! in read-only pages and other threads can see it: the kernel is shown a copy below the stack.

use crate::abi::{self, Abi, Order, flags};
use crate::decode::Decoded;
use crate::event::Call;
use crate::peek::{Peek, Syscall};
use crate::sys::{self, Change};
use crate::tracer::kernel::Kernel;
use crate::tracer::kernel::request::Answer;
use crate::tracer::kernel::tracee::Stopped;

use super::pending::{Edit, Pending, Poked};

/// Below the stack pointer the ABI leaves this much to leaf functions (System V x86-64, "red zone";
/// others have a smaller one or none).
const RED_ZONE: u64 = 128;

/// Takes the flag off a call that is entered with it. Where that cannot be done the child will
/// escape.
///
/// # Errors
/// The caller was killed meanwhile.
pub fn hide<K: Kernel>(task: &Stopped<K>, call: &Syscall, pending: &mut Pending) -> Answer<()> {
    if pending.decoded.flags.contains(flags::CLONE_UNTRACED) && pending.edit.is_none() {
        pending.edit = take_off(task, call, &pending.decoded)?;
        pending.escapes = pending.edit.is_none();
    }
    Ok(())
}

/// Puts everything back in a stopped task: the caller, or a newborn, which has copies of the
/// caller's registers and, without CLONE_VM, of its memory.
///
/// # Errors
/// It was killed meanwhile.
pub fn put_back<K: Kernel>(task: &Stopped<K>, edit: &Edit) -> Answer<()> {
    if let Some(poked) = edit.register
        && poked.change == Change::Stays
    {
        task.set_argument(poked.abi, poked.index, poked.original)?;
    }
    if let Some((at, bytes)) = &edit.memory {
        // It was writable a moment ago; where it is gone, there is nothing to mend.
        let _ = task.write_memory(*at, bytes);
    }
    Ok(())
}

/// `None`: it could not be done.
fn take_off<K: Kernel>(
    task: &Stopped<K>,
    call: &Syscall,
    decoded: &Decoded,
) -> Answer<Option<Edit>> {
    let Some(abi) = abi::arch::named(&decoded.request.abi) else {
        return Ok(None);
    };
    let edit = match decoded.request.call {
        Call::Clone => flags_register(call, abi),
        Call::Clone3 => show_copy(task, call, abi, decoded),
        Call::Fork | Call::Vfork => None,
    };
    if let Some(edit) = edit {
        let poked = edit.register;
        let set = poked.map(|one| task.set_argument(one.abi, one.index, one.changed));
        if set.transpose()?.unwrap_or(true) {
            return Ok(Some(edit));
        }
        // This kernel cannot: what was written for it is mended.
        let memory = edit.memory;
        put_back(
            task,
            &Edit {
                register: None,
                memory,
            },
        )?;
    }
    match decoded.request.call {
        Call::Clone3 => Ok(change_in_place(task, call, decoded)),
        Call::Clone | Call::Fork | Call::Vfork => Ok(None),
    }
}

/// Writes a copy of the struct without the flag, and says how to point the kernel at it.
fn show_copy<K: Kernel>(
    task: &Stopped<K>,
    call: &Syscall,
    abi: &'static Abi,
    decoded: &Decoded,
) -> Option<Edit> {
    let mut block = decoded.block.clone()?;
    clear(block.first_chunk_mut()?);
    let size = u64::try_from(block.len()).ok()?;
    let at = call.sp.checked_sub(RED_ZONE + size)? & !15;
    if abi.word == 4 && u32::try_from(at).is_err() {
        // int 0x80 in a 64-bit program: its stack is out of such a pointer's reach.
        return None;
    }
    let change = sys::change_of(abi.name, 0)?;
    let memory = overwrite(task, at, &block)?;
    let [original, ..] = call.args;
    let register = Some(Poked {
        abi,
        index: 0,
        change,
        original,
        changed: at,
    });
    Some(Edit {
        register,
        memory: Some(memory),
    })
}

/// The second best: other threads can see it for the length of the call.
fn change_in_place<K: Kernel>(
    task: &Stopped<K>,
    call: &Syscall,
    decoded: &Decoded,
) -> Option<Edit> {
    let mut word = *decoded.block.as_ref()?.first_chunk()?;
    clear(&mut word);
    let [at, ..] = call.args;
    let memory = overwrite(task, at, &word)?;
    Some(Edit {
        register: None,
        memory: Some(memory),
    })
}

/// Overwrites memory, and says with what to undo it.
fn overwrite<K: Kernel>(task: &Stopped<K>, at: u64, bytes: &[u8]) -> Option<(u64, Vec<u8>)> {
    let mut saved = vec![0; bytes.len()];
    task.peek().read(at, &mut saved).ok()?;
    task.write_memory(at, bytes).ok()?;
    Some((at, saved))
}

/// Takes the flag off the struct's first word.
fn clear(word: &mut [u8; 8]) {
    *word = (u64::from_ne_bytes(*word) & !flags::CLONE_UNTRACED.0).to_ne_bytes();
}

/// The change of legacy clone's flags register.
fn flags_register(call: &Syscall, abi: &'static Abi) -> Option<Edit> {
    let index = if abi.order == Order::Backwards2 { 1 } else { 0 };
    let original = *call.args.get(index)?;
    let register = Some(Poked {
        abi,
        index,
        change: sys::change_of(abi.name, index)?,
        original,
        changed: original & !flags::CLONE_UNTRACED.0,
    });
    Some(Edit {
        register,
        memory: None,
    })
}
