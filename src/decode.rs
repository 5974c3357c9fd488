//! A stopped task at the entry of a call → what it asks for. Pure: everything comes through
//! [`Peek`].

use crate::abi::args::{self, CloneArgs};
use crate::abi::flags::{
    CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CLONE_INTO_CGROUP, CLONE_PARENT_SETTID, CLONE_PIDFD,
    CLONE_SETTLS, CLONE_VFORK, CLONE_VM, Split, split_clone, split_clone3,
};
use crate::abi::{Abi, CloneFlags, arch, errno};
use crate::event::{ArgsError, Call, CallArgs, Hex, RawCall, Request, Tid, Wrote, hex};
use crate::peek::{Errno, Peek, Syscall};

mod block;

pub use block::page_size;

/// A size below this can be told as a JSON number without loss.
const EXACT_INTEGERS: u64 = 1 << 53;

/// A decoded call, with what the tracer needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// What goes into the event.
    pub request: Request,
    /// The bits that take effect: fork's and vfork's implied ones too, ignored ones taken off. clone3's
    /// bits without a name stay: a newer kernel acts on them.
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
    let abi = arch::find(call.arch, call.nr)?;
    let kind = abi.call(call.nr)?;
    let blank = Decoded {
        request: Request {
            abi: abi.name.to_owned(),
            call: kind,
            raw: Some(RawCall {
                nr: call.nr,
                args: call.args.map(Hex),
            }),
            flags: Vec::new(),
            flags_raw: None,
            flags_unknown: None,
            flags_ignored: Vec::new(),
            exit_signal: None,
            exit_signal_raw: None,
            args: CallArgs::default(),
            args_error: None,
        },
        flags: CloneFlags(0),
        parent_tid_at: None,
        pidfd_at: None,
        block: None,
    };
    Some(match kind {
        Call::Fork => implied(abi, blank, CloneFlags(0)),
        Call::Vfork => implied(abi, blank, CLONE_VFORK.union(CLONE_VM)),
        Call::Clone => legacy(abi, blank, call),
        Call::Clone3 => clone3(task, abi, blank, call),
    })
}

/// fork and vfork: what the kernel passes on for them (`SYSCALL_DEFINE0(fork)`,
/// `SYSCALL_DEFINE0(vfork)` in kernel/fork.c).
fn implied(abi: &Abi, mut decoded: Decoded, flags: CloneFlags) -> Decoded {
    let sigchld = abi.signals.number("SIGCHLD").unwrap_or_default();
    decoded.request.flags_raw = Some(Hex(flags.0));
    decoded.request.flags = owned(flags);
    decoded.flags = flags;
    set_exit_signal(abi, &mut decoded.request, u64::from(sigchld.unsigned_abs()));
    decoded
}

/// `clone`, and ia64's `clone2`.
fn legacy(abi: &Abi, mut decoded: Decoded, call: &Syscall) -> Decoded {
    let registers = abi.clone_registers(call.nr, &call.args);
    let split = split_clone(registers.flags);
    set_flags(&mut decoded, &split);
    set_exit_signal(abi, &mut decoded.request, u64::from(split.exit_signal));
    // Bits without a name are all above the 32 that this call knows.
    decoded.flags = split.effective;

    let flags = split.effective;
    let args = &mut decoded.request.args;
    args.stack = nonzero(registers.stack);
    args.callers_stack = registers.stack != 0 && registers.stack == call.sp;
    args.stack_size = registers.stack_size.and_then(nonzero);
    // The descriptor comes back through the pointer that the tid has, which is why the kernel refuses
    // both flags together.
    args.pidfd = flags
        .contains(CLONE_PIDFD)
        .then_some(Hex(registers.parent_tid));
    set_flagged_args(args, flags, &registers.into());
    set_written(&mut decoded);
    decoded
}

/// `clone3`: everything is in memory.
fn clone3(task: &dyn Peek, abi: &Abi, mut decoded: Decoded, call: &Syscall) -> Decoded {
    let [address, size, ..] = call.args.map(|value| abi.register(value));
    let request = &mut decoded.request;
    request.args.size = (size < EXACT_INTEGERS).then_some(size);
    // The kernel refuses such sizes before it reads anything: there are no flags to speak of.
    let Some(size) = block::readable_size(task, size) else {
        return decoded;
    };
    // The fields that are known and the rest are read apart, as copy_struct_from_user() does: fields that
    // can be read are shown even if the kernel will not come to use them.
    let known = size.min(args::SIZE_VER2);
    let mut bytes = match block::read(task, address, known) {
        Ok(bytes) => bytes,
        Err((errno, at)) => {
            request.args_error = Some(unreadable(errno, at, "struct clone_args"));
            return decoded;
        }
    };
    let rest = block::read_at(task, address, known, size.saturating_sub(known));
    match rest {
        Ok(tail) => {
            bytes.extend(tail);
            decoded.block = Some(bytes.clone());
        }
        Err((errno, at)) => {
            request.args_error = Some(unreadable(errno, at, "struct clone_args"));
        }
    }
    if let Some(args) = CloneArgs::parse(&bytes) {
        fill_clone3(task, abi, &mut decoded, &args);
    }
    decoded
}

/// What a block says.
fn fill_clone3(task: &dyn Peek, abi: &Abi, decoded: &mut Decoded, block: &CloneArgs) {
    let split = split_clone3(block.flags);
    set_flags(decoded, &split);
    set_exit_signal(abi, &mut decoded.request, block.exit_signal);
    decoded.flags = CloneFlags(block.flags);

    let flags = split.effective;
    let request = &mut decoded.request;
    let args = &mut request.args;
    if block.stack != 0 || block.stack_size != 0 {
        args.stack = Some(Hex(block.stack));
        args.stack_size = Some(Hex(block.stack_size));
    }
    args.pidfd = flags.contains(CLONE_PIDFD).then_some(Hex(block.pidfd));
    set_flagged_args(args, flags, &block.into());
    args.cgroup = flags
        .contains(CLONE_INTO_CGROUP)
        .then_some(Hex(block.cgroup));
    args.unknown_tail = block.has_unknown_tail().then(|| hex(&block.tail));
    match set_tid(task, block) {
        Ok(tids) => args.set_tid = tids,
        Err((errno, at)) => {
            // What the block itself lacks was noted first and is what the kernel fails with.
            request
                .args_error
                .get_or_insert_with(|| unreadable(errno, at, "set_tid"));
        }
    }
    set_written(decoded);
}

/// The array of wanted tids. Without a pointer or with more entries than pid namespaces can nest the
/// kernel refuses the call before it would read them (`copy_clone_args_from_user`).
fn set_tid(task: &dyn Peek, block: &CloneArgs) -> Result<Option<Vec<Tid>>, (Errno, u64)> {
    let count = block.set_tid_size;
    if block.set_tid == 0 || count == 0 || count > args::MAX_SET_TID {
        return Ok(None);
    }
    let len = usize::try_from(count).unwrap_or(0) * size_of::<Tid>();
    let bytes = block::read(task, block.set_tid, len)?;
    let tids = bytes
        .chunks_exact(size_of::<Tid>())
        .filter_map(|chunk| chunk.try_into().ok().map(Tid::from_ne_bytes))
        .collect();
    Ok(Some(tids))
}

/// The arguments that both calls have and one flag each makes meaningful.
struct Flagged {
    parent_tid: u64,
    child_tid: u64,
    tls: u64,
}

impl From<arch::CloneRegisters> for Flagged {
    fn from(registers: arch::CloneRegisters) -> Self {
        Flagged {
            parent_tid: registers.parent_tid,
            child_tid: registers.child_tid,
            tls: registers.tls,
        }
    }
}

impl From<&CloneArgs> for Flagged {
    fn from(args: &CloneArgs) -> Self {
        Flagged {
            parent_tid: args.parent_tid,
            child_tid: args.child_tid,
            tls: args.tls,
        }
    }
}

fn set_flagged_args(args: &mut CallArgs, flags: CloneFlags, given: &Flagged) {
    let child_tid = CLONE_CHILD_SETTID.union(CLONE_CHILD_CLEARTID);
    args.tls = flags.contains(CLONE_SETTLS).then_some(Hex(given.tls));
    args.parent_tid = flags
        .contains(CLONE_PARENT_SETTID)
        .then_some(Hex(given.parent_tid));
    args.child_tid = flags.intersects(child_tid).then_some(Hex(given.child_tid));
}

/// The fields that say which bits were passed and what the call does with them.
fn set_flags(decoded: &mut Decoded, split: &Split) {
    let request = &mut decoded.request;
    let all = split.effective.union(split.ignored).union(split.unknown);
    request.flags_raw = Some(Hex(all.0));
    request.flags = owned(split.effective);
    request.flags_unknown = nonzero(split.unknown.0);
    request.flags_ignored = owned(split.ignored);
}

/// Zero is no signal, and a number that no signal has is shown raw alone.
fn set_exit_signal(abi: &Abi, request: &mut Request, number: u64) {
    request.exit_signal_raw = Some(Hex(number));
    let name = i32::try_from(number).ok().and_then(|n| abi.signals.name(n));
    request.exit_signal = match (number, name) {
        (0, _) => Some(None),
        (_, Some(name)) => Some(Some(name.to_owned())),
        (_, None) => None,
    };
}

/// Where the kernel will write in the caller's memory.
fn set_written(decoded: &mut Decoded) {
    let args = &decoded.request.args;
    decoded.parent_tid_at = args.parent_tid.map(|at| at.0);
    decoded.pidfd_at = args.pidfd.map(|at| at.0);
}

fn owned(flags: CloneFlags) -> Vec<String> {
    flags.names().map(str::to_owned).collect()
}

fn nonzero(word: u64) -> Option<Hex> {
    (word != 0).then_some(Hex(word))
}

fn unreadable(Errno(number): Errno, address: u64, what: &str) -> ArgsError {
    ArgsError {
        errno: errno::name(number).map_or_else(|| number.to_string(), str::to_owned),
        address: Hex(address),
        what: what.to_owned(),
    }
}

/// Reads what the kernel wrote, at the caller's event stop. `None` where it was asked to write nothing,
/// or none of it can be read: the kernel ignores a bad address for the tid.
pub fn wrote(task: &dyn Peek, decoded: &Decoded) -> Option<Wrote> {
    let int = |at: Option<u64>| task.read_u32(at?).ok().map(u32::cast_signed);
    let wrote = Wrote {
        parent_tid: int(decoded.parent_tid_at),
        pidfd: int(decoded.pidfd_at),
    };
    (wrote != Wrote::default()).then_some(wrote)
}

#[cfg(test)]
mod tests;
