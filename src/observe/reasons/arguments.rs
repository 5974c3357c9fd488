//! The arguments of a failed call as the rules take them, and the kernel that it was made to.

use crate::abi::arch;
use crate::abi::args::{CloneArgs, SIZE_VER2};
use crate::abi::rules::{Arguments, Kernel, Tids, Tls, Version};
use crate::decode;
use crate::event::{Call, CloneCall, Request};
use crate::peek::{Peek, Syscall};

/// The arguments of a call, and whether they are not what they were when it was entered. The event
/// keeps only what a flag makes meaningful; the rest is read once more. `None` where the registers are not
/// known.
pub(super) fn of(task: &dyn Peek, call: &CloneCall) -> Option<(Arguments, bool)> {
    let request = &call.request;
    let abi = arch::named(&request.abi)?;
    let raw = request.raw.as_ref()?;
    let words = raw.args.map(|word| word.0);
    match request.call {
        Call::Fork | Call::Vfork => Some((Arguments::new(request.call), false)),
        Call::Clone => {
            let registers = abi.clone_registers(raw.nr, &words);
            Some((
                Arguments {
                    word: registers.flags,
                    stack: registers.stack,
                    parent_tid: registers.parent_tid,
                    child_tid: registers.child_tid,
                    tls: registers.tls,
                    ..Arguments::new(Call::Clone)
                },
                false,
            ))
        }
        Call::Clone3 => {
            let now = decode::decode(
                task,
                &Syscall {
                    arch: abi.audit_arch,
                    nr: raw.nr,
                    args: words,
                    ip: 0,
                    sp: 0,
                },
            )?;
            let changed = now.request != *request;
            let size = abi.register(words.get(1).copied()?);
            let block = now.block.as_deref().and_then(CloneArgs::parse);
            let arguments = match block {
                Some(block) => Arguments {
                    tids: tids(request),
                    ..Arguments::of_block(size, &block)
                },
                None => without_block(task, request, abi.register(words.first().copied()?), size),
            };
            Some((arguments, changed))
        }
    }
}

fn tids(request: &Request) -> Tids {
    match (&request.args.set_tid, &request.args_error) {
        (Some(tids), _) => Tids::Read(tids.clone()),
        (None, Some(error)) if error.what == "set_tid" => Tids::Unreadable,
        (None, _) => Tids::Unknown,
    }
}

/// A struct that was not read whole: its size is refused, or it lies where nothing is.
fn without_block(task: &dyn Peek, request: &Request, address: u64, size: u64) -> Arguments {
    let mut arguments = Arguments {
        size,
        ..Arguments::new(Call::Clone3)
    };
    if request.args_error.is_none() {
        return arguments; // a size at which the kernel reads nothing
    }
    let known = usize::try_from(size).unwrap_or(SIZE_VER2).min(SIZE_VER2);
    let mut bytes = vec![0; known];
    arguments.readable = task.read(address, &mut bytes).is_ok();
    if arguments.readable
        && let Some(block) = CloneArgs::parse(&bytes)
    {
        arguments = Arguments::of_block(size, &block);
    }
    if size > SIZE_VER2 as u64 {
        arguments.tail = None;
    }
    arguments
}

/// What of the kernel decides rules for a call of this ABI.
pub(super) fn kernel(task: &dyn Peek, call: &CloneCall, version: Version, wide: bool) -> Kernel {
    let mut kernel = match call.request.abi.as_str() {
        "x86_64" | "x32" => Kernel::x86_64(version),
        "i386" => Kernel {
            tls: Tls::Descriptor,
            ..Kernel::generic(version)
        },
        _ => Kernel::generic(version),
    };
    if wide && kernel.user_last.is_some() {
        kernel.user_last = Some(i64::MAX.unsigned_abs());
        kernel.tls = Tls::Below(1 << 63);
    }
    if let Some(abi) = arch::named(&call.request.abi) {
        // Where signals end: 128 on MIPS (arch/mips/include/uapi/asm/signal.h, _NSIG).
        let last = (1..=128).rev().find(|&n| abi.signals.name(n).is_some());
        kernel.max_signal = last.map_or(kernel.max_signal, |n| u64::from(n.unsigned_abs()));
    }
    // The struct is seldom large; only then does the size of a page matter.
    if call.request.args.size.is_none_or(|size| size > 4096) {
        kernel.page_size = decode::page_size(task).unwrap_or(kernel.page_size);
    }
    kernel
}
