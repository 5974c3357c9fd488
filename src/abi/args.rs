//! `struct clone_args`, which clone3 reads (include/uapi/linux/sched.h, struct clone_args). Its
//! layout is one for all ABIs: 64-bit fields, in the machine's byte order.

/// The first version, Linux 5.3 (`CLONE_ARGS_SIZE_VER0`). The kernel refuses anything shorter.
pub const SIZE_VER0: usize = 64;
/// With `set_tid`, Linux 5.5 (`CLONE_ARGS_SIZE_VER1`).
#[cfg(test)]
pub const SIZE_VER1: usize = 80;
/// With `cgroup`, Linux 5.7 (`CLONE_ARGS_SIZE_VER2`): the newest up to 7.2.
pub const SIZE_VER2: usize = 88;

/// The highest number of entries of `set_tid` (`MAX_PID_NS_LEVEL`, include/linux/pid_namespace.h).
pub const MAX_SET_TID: u64 = 32;

/// The block of arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloneArgs {
    /// The flags, without exit signal.
    pub flags: u64,
    /// CLONE_PIDFD: where the descriptor goes.
    pub pidfd: u64,
    /// CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID: the word in the child's memory.
    pub child_tid: u64,
    /// CLONE_PARENT_SETTID: where the tid goes in the caller's memory.
    pub parent_tid: u64,
    /// The exit signal.
    pub exit_signal: u64,
    /// The lowest address of the stack.
    pub stack: u64,
    /// Its size in bytes.
    pub stack_size: u64,
    /// CLONE_SETTLS: the thread pointer.
    pub tls: u64,
    /// Where the wanted tids are.
    pub set_tid: u64,
    /// How many.
    pub set_tid_size: u64,
    /// CLONE_INTO_CGROUP: a descriptor.
    pub cgroup: u64,
    /// The bytes past the fields that are known.
    pub tail: Vec<u8>,
}

impl CloneArgs {
    /// Reads a block of any size from [`SIZE_VER0`] up; `None` below that. As in the kernel
    /// (`copy_struct_from_user`, include/linux/uaccess.h) the bytes that a short block lacks are zero,
    /// even in the middle of a field.
    pub fn parse(bytes: &[u8]) -> Option<CloneArgs> {
        if bytes.len() < SIZE_VER0 {
            return None;
        }
        let (known, tail) = bytes.split_at(bytes.len().min(SIZE_VER2));
        let mut fields = known.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word.iter_mut()
                .zip(chunk)
                .for_each(|(to, from)| *to = *from);
            u64::from_ne_bytes(word)
        });
        let mut next = || fields.next().unwrap_or(0);
        // Fields of a struct expression are evaluated in the order in which they are written: that of the struct.
        Some(CloneArgs {
            flags: next(),
            pidfd: next(),
            child_tid: next(),
            parent_tid: next(),
            exit_signal: next(),
            stack: next(),
            stack_size: next(),
            tls: next(),
            set_tid: next(),
            set_tid_size: next(),
            cgroup: next(),
            tail: tail.to_vec(),
        })
    }

    /// Whether the block is longer than what is known and not all of that is zero: it comes from a
    /// newer world, and the kernel fails with E2BIG unless it knows that too.
    pub fn has_unknown_tail(&self) -> bool {
        self.tail.iter().any(|&byte| byte != 0)
    }
}

#[cfg(test)]
mod tests;
