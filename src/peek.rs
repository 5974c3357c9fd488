//! What may be asked of a stopped task, as a trait: a live tracee answers through ptrace and /proc,
//! a recorded memory image answers in tests. Decoders and observers see nothing else.

use crate::abi::Abi;
use crate::event::Tid;
use crate::sys::Question;

/// An errno of a request on a task: a number from the kernel, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

/// ENOENT.
const NOT_THERE: Errno = Errno(2);

/// A system call as the kernel handed it out: who asked, in which ABI, with which registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syscall {
    /// The audit architecture (`AUDIT_ARCH_…`) of the call, not of the program.
    pub arch: u32,
    /// The system call's number in that ABI.
    pub nr: u64,
    /// The six argument registers.
    pub args: [u64; 6],
    /// The instruction pointer.
    pub ip: u64,
    /// The stack pointer.
    pub sp: u64,
}

/// A stopped task that answers questions.
pub trait Peek {
    /// Its thread id.
    fn tid(&self) -> Tid;

    /// Reads exactly `buf.len()` bytes of its memory at `addr`.
    ///
    /// # Errors
    /// The errno of the read: EFAULT (14) where any byte is not mapped, ESRCH (3) where the task is gone.
    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), Errno>;

    /// The content of `/proc/TID/NAME`.
    ///
    /// # Errors
    /// The errno of the open or the read.
    fn proc_file(&self, name: &str) -> Result<Vec<u8>, Errno>;

    /// Reads from `/proc/TID/NAME`, or from the file that such a link stands for (`exe`), as pread(2)
    /// does: up to `buf.len()` bytes from `offset`, and how many there were; 0 at the end.
    ///
    /// As it stands here it reads the whole file: right for a recorded image; a live task, whose
    /// program may be large, reads no more than is asked for.
    ///
    /// # Errors
    /// The errno of the open or the read.
    fn proc_read_at(&self, name: &str, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        let content = self.proc_file(name)?;
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|from| content.get(from..));
        let count = rest.map_or(0, |rest| rest.len().min(buf.len()));
        if let (Some(rest), Some(buf)) = (rest.and_then(|r| r.get(..count)), buf.get_mut(..count)) {
            buf.copy_from_slice(rest);
        }
        Ok(count)
    }

    /// The target of the link `/proc/TID/NAME`.
    ///
    /// # Errors
    /// The errno of the readlink.
    fn proc_link(&self, name: &str) -> Result<Vec<u8>, Errno>;

    /// The content of a file of the system's, such as `/proc/sys/kernel/threads-max`.
    ///
    /// As it stands here there is none.
    ///
    /// # Errors
    /// The errno of the open or the read.
    fn system_file(&self, _path: &str) -> Result<Vec<u8>, Errno> {
        Err(NOT_THERE)
    }

    /// The target of a link of the system's, such as `/proc/self/ns/user`.
    ///
    /// As it stands here there is none.
    ///
    /// # Errors
    /// The errno of the readlink.
    fn system_link(&self, _path: &str) -> Result<Vec<u8>, Errno> {
        Err(NOT_THERE)
    }

    /// The names in a directory of the system's, in any order.
    ///
    /// As it stands here there is none.
    ///
    /// # Errors
    /// The errno of the open or the read.
    fn system_list(&self, _path: &str) -> Result<Vec<String>, Errno> {
        Err(NOT_THERE)
    }

    /// The answer to a question to the kernel that is no reading of memory or files.
    ///
    /// As it stands here there is none.
    ///
    /// # Errors
    /// The errno of the question's system call.
    fn ask(&self, _question: Question) -> Result<u64, Errno> {
        Err(NOT_THERE)
    }

    /// Reads one native-endian unsigned word of the ABI's size (4 or 8 bytes).
    ///
    /// # Errors
    /// As [`Peek::read`].
    fn read_word(&self, abi: &Abi, addr: u64) -> Result<u64, Errno> {
        if abi.word == 4 {
            self.read_u32(addr).map(u64::from)
        } else {
            let mut bytes = [0; 8];
            self.read(addr, &mut bytes)?;
            Ok(u64::from_ne_bytes(bytes))
        }
    }

    /// Reads a native-endian 32-bit number.
    ///
    /// # Errors
    /// As [`Peek::read`].
    fn read_u32(&self, addr: u64) -> Result<u32, Errno> {
        let mut bytes = [0; 4];
        self.read(addr, &mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }
}

/// A task out of memory: what tests of decoders and observers read.
#[cfg(test)]
pub(crate) mod testing;
