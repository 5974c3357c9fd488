//! One row per system-call ABI.

use crate::event::Call;

/// In which order raw `clone` takes its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `flags, stack, parent_tid, child_tid, tls`: no BACKWARDS option.
    Forward,
    /// `flags, stack, parent_tid, tls, child_tid`: CONFIG_CLONE_BACKWARDS.
    Backwards,
    /// `stack, flags, parent_tid, child_tid, tls`: CONFIG_CLONE_BACKWARDS2.
    Backwards2,
    /// `flags, stack, stack_size, parent_tid, child_tid, tls`: CONFIG_CLONE_BACKWARDS3.
    Backwards3,
}

/// A system-call ABI: how a program on some machine asks the kernel for a task.
#[derive(Debug, PartialEq, Eq)]
pub struct Abi {
    /// Its name, as events carry it.
    pub name: &'static str,
    /// `AUDIT_ARCH_…`, by which ptrace and seccomp name it.
    pub audit_arch: u32,
    /// Bytes of a word: 4 or 8.
    pub word: usize,
    /// The number of `clone`.
    pub clone: Option<u64>,
    /// The number of `clone3`.
    pub clone3: Option<u64>,
    /// The number of `fork`.
    pub fork: Option<u64>,
    /// The number of `vfork`.
    pub vfork: Option<u64>,
    /// The number of ia64's `clone2`.
    pub clone2: Option<u64>,
    /// The number of `prctl`.
    pub prctl: Option<u64>,
    /// The number of `seccomp`.
    pub seccomp: Option<u64>,
    /// The argument order of `clone`.
    pub order: Order,
    /// Which `uname -m` machines can run it (the machine's own name first).
    pub machines: &'static [&'static str],
    /// Where the row was read.
    pub source: &'static str,
}

/// Every ABI that is known.
pub static ABIS: &[Abi] = &[];

impl Abi {
    /// Which of the four calls this number is, here.
    pub fn call(&self, nr: u64) -> Option<Call> {
        let _ = nr;
        None
    }
}

/// The row for a call that the kernel reported with this audit architecture and number. x32 calls
/// come with x86-64's architecture and bit 30 in the number.
pub fn find(audit_arch: u32, nr: u64) -> Option<&'static Abi> {
    let _ = (audit_arch, nr);
    None
}

/// The row of this name.
pub fn named(name: &str) -> Option<&'static Abi> {
    ABIS.iter().find(|abi| abi.name == name)
}

/// Every ABI whose programs can run on a machine (`uname -m`), its own first.
pub fn of_machine(machine: &str) -> Vec<&'static Abi> {
    let _ = machine;
    Vec::new()
}
