//! The seccomp program that stops on the few calls alone.
//!
//! For each audit architecture that the machine can run: the numbers of the calls that make a task
//! and of those that install a filter answer RET_TRACE, all others run. It uses loads of number and
//! architecture, forward jumps and constant returns only, which the kernel evaluates in advance for
//! every number (`seccomp_is_const_allow`, kernel/seccomp.c, since Linux 5.11): there an ordinary
//! call costs a look into a bitmap. prctl(2) alone has an argument tested.

use crate::abi::Abi;

use super::insn::{
    ABS, Insn, JA, JEQ, JGE, JMP, K, LD, OFF_ARCH, OFF_ARGS, OFF_NR, PR_SET_SECCOMP, RET,
    RET_ALLOW, RET_TRACE, RET_USER_NOTIF, W,
};
use super::walk;

/// The data of our RET_TRACE, which the SECCOMP stop reports. A hint and no proof: a newer filter
/// of the program's own may answer RET_TRACE as well, and then its data is reported.
pub const TRACE_DATA: u32 = 0x0c5b;

const STOP: Insn = Insn::new(RET | K, RET_TRACE | TRACE_DATA);
const GO: Insn = Insn::new(RET | K, RET_ALLOW);

/// The program for a machine that runs these ABIs, the most used first. Rows of one audit
/// architecture (x86-64 and x32) are taken together, and need not stand together.
pub fn build(abis: &[&Abi]) -> Vec<Insn> {
    let mut program = vec![Insn::new(LD | W | ABS, OFF_ARCH)];
    for (index, abi) in abis.iter().enumerate() {
        let arch = abi.audit_arch;
        if abis
            .iter()
            .take(index)
            .any(|earlier| earlier.audit_arch == arch)
        {
            continue;
        }
        let block = block(abis.iter().copied().filter(|abi| abi.audit_arch == arch));
        // A conditional jump reaches 255 instructions, this one any distance.
        let length = u32::try_from(block.len()).unwrap_or(u32::MAX);
        program.push(Insn::jump(JMP | JEQ | K, arch, 1, 0));
        program.push(Insn::new(JMP | JA, length));
        program.extend(block);
    }
    program.push(GO);
    program
}

/// What is done once the architecture is known; every path through it ends with an answer.
fn block<'a>(rows: impl Iterator<Item = &'a Abi> + Clone) -> Vec<Insn> {
    let stops = sorted(
        rows.clone()
            .flat_map(|abi| creators(abi).chain([abi.seccomp])),
    );
    let prctls = sorted(rows.map(|abi| abi.prctl));
    let mut block = vec![Insn::new(LD | W | ABS, OFF_NR)];
    // The most frequent calls have low numbers: read, write, mmap, ioctl on x86-64.
    if let Some(lowest) = stops.iter().chain(&prctls).min() {
        block.extend([Insn::jump(JMP | JGE | K, *lowest, 1, 0), GO]);
    }
    for nr in stops {
        block.extend([Insn::jump(JMP | JEQ | K, nr, 0, 1), STOP]);
    }
    for nr in prctls {
        block.extend([
            Insn::jump(JMP | JEQ | K, nr, 0, 4),
            Insn::new(LD | W | ABS, low_word(0, cfg!(target_endian = "big"))),
            Insn::jump(JMP | JEQ | K, PR_SET_SECCOMP, 0, 1),
            STOP,
            GO,
        ]);
    }
    block.push(GO);
    block
}

/// Where the low 32 bits of an argument lie. They are all that prctl's `int option` takes, so a
/// program may put anything into the high ones.
fn low_word(argument: u32, big_endian: bool) -> u32 {
    OFF_ARGS + 8 * argument + if big_endian { 4 } else { 0 }
}

fn creators(abi: &Abi) -> impl Iterator<Item = Option<u64>> {
    [abi.clone, abi.clone3, abi.fork, abi.vfork, abi.clone2].into_iter()
}

/// The numbers, each once, ascending. One beyond 32 bits cannot occur: a filter sees an `int`.
fn sorted(numbers: impl Iterator<Item = Option<u64>>) -> Vec<u32> {
    let mut numbers: Vec<u32> = numbers.flatten().flat_map(u32::try_from).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Whether a filter that the program installs can hide nothing from ours: it lets every call run that
/// makes a task, and cannot have a supervisor wave through the installation of yet another filter (a
/// call that RET_USER_NOTIF answers with "continue" runs without a SECCOMP stop). Refusing such an
/// installation hides nothing: then nothing is installed.
pub fn harmless(filter: &[Insn], abis: &[&Abi]) -> bool {
    let calls = |numbers: fn(&Abi) -> Vec<Option<u64>>| {
        abis.iter().flat_map(move |abi| {
            let numbers = sorted(numbers(abi).into_iter());
            numbers.into_iter().map(|nr| (abi.audit_arch, nr))
        })
    };
    walk::harmless(filter, calls(|abi| creators(abi).collect()))
        && calls(|abi| vec![abi.seccomp, abi.prctl])
            .all(|(arch, nr)| !walk::explore(filter, nr, arch).contains(RET_USER_NOTIF))
}

#[cfg(test)]
mod tests;
