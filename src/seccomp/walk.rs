//! A checker, an interpreter, and an explorer that tells what a filter can answer to a call whatever
//! its arguments are.
//!
//! The subset and its checks are those of `seccomp_check_filter` (kernel/seccomp.c) and
//! `bpf_check_classic` (net/core/filter.c). All jumps go forward, so every program ends and one pass
//! in order of the instructions sees each of them after everything that leads to it.

use std::collections::BTreeSet;

use super::insn::*;

/// Why a program cannot be run: the kernel would refuse it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProgram {
    /// It is empty, or longer than [`MAX_INSNS`].
    #[error("a program of {0} instructions")]
    Length(usize),
    /// An instruction that seccomp does not take, with its position.
    #[error("instruction {0} is not one that seccomp takes")]
    Insn(usize),
    /// It does not end with a return.
    #[error("the last instruction is not a return")]
    NoReturn,
    /// A scratch word is read before it is written, with the instruction's position.
    #[error("instruction {0} reads a scratch word that was never written")]
    Unwritten(usize),
}

#[derive(Clone, Copy, Debug)]
enum Reg {
    A,
    X,
}

#[derive(Clone, Copy, Debug)]
enum Src {
    K(u32),
    X,
}

/// An instruction that was found to be sound; jumps hold positions.
#[derive(Clone, Copy, Debug)]
enum Op {
    Data(u32),
    Set(Reg, u32),
    Fetch(Reg, usize),
    Store(Reg, usize),
    Alu(u16, Src),
    Neg,
    Move {
        to: Reg,
    },
    Goto(usize),
    Branch {
        test: u16,
        with: Src,
        yes: usize,
        no: usize,
    },
    RetK(u32),
    RetA,
}

/// Checks a whole program as the kernel does when it is installed.
fn check(program: &[Insn]) -> Result<Vec<Op>, BadProgram> {
    if program.is_empty() || program.len() > MAX_INSNS {
        return Err(BadProgram::Length(program.len()));
    }
    let ops = program
        .iter()
        .enumerate()
        .map(|(pc, insn)| decode(*insn, pc, program.len()).ok_or(BadProgram::Insn(pc)))
        .collect::<Result<Vec<_>, _>>()?;
    match ops.last() {
        Some(Op::RetK(_) | Op::RetA) => Ok(ops),
        _ => Err(BadProgram::NoReturn),
    }
}

fn decode(insn: Insn, pc: usize, len: usize) -> Option<Op> {
    let Insn { code, jt, jf, k } = insn;
    let slot = || usize::try_from(k).ok().filter(|slot| *slot < MEM_WORDS);
    let at = |distance: u32| {
        let to = pc
            .checked_add(1)?
            .checked_add(usize::try_from(distance).ok()?)?;
        (to < len).then_some(to)
    };
    let with = if code & X == 0 { Src::K(k) } else { Src::X };
    const LD_DATA: u16 = LD | W | ABS;
    const LD_LEN: u16 = LD | W | LEN;
    const LDX_LEN: u16 = LDX | W | LEN;
    const LD_IMM: u16 = LD | IMM;
    const LDX_IMM: u16 = LDX | IMM;
    const LD_MEM: u16 = LD | MEM;
    const LDX_MEM: u16 = LDX | MEM;
    const RET_K: u16 = RET | K;
    const RET_A: u16 = RET | A;
    const TO_X: u16 = MISC | TAX;
    const TO_A: u16 = MISC | TXA;
    const MINUS: u16 = ALU | NEG;
    const ALWAYS: u16 = JMP | JA;
    Some(match code {
        LD_DATA if k < DATA_LEN && k.is_multiple_of(4) => Op::Data(k),
        LD_LEN => Op::Set(Reg::A, DATA_LEN),
        LDX_LEN => Op::Set(Reg::X, DATA_LEN),
        LD_IMM => Op::Set(Reg::A, k),
        LDX_IMM => Op::Set(Reg::X, k),
        LD_MEM => Op::Fetch(Reg::A, slot()?),
        LDX_MEM => Op::Fetch(Reg::X, slot()?),
        ST => Op::Store(Reg::A, slot()?),
        STX => Op::Store(Reg::X, slot()?),
        RET_K => Op::RetK(k),
        RET_A => Op::RetA,
        TO_X => Op::Move { to: Reg::X },
        TO_A => Op::Move { to: Reg::A },
        MINUS => Op::Neg,
        ALWAYS => Op::Goto(at(k)?),
        _ => match (code & 0x07, code & !(0x07 | X)) {
            // The kernel refuses a constant division by zero, and constant shifts by 32 and more.
            (ALU, DIV) if matches!(with, Src::K(0)) => return None,
            (ALU, LSH | RSH) if matches!(with, Src::K(32..)) => return None,
            (ALU, op @ (ADD | SUB | MUL | DIV | OR | AND | LSH | RSH | XOR)) => Op::Alu(op, with),
            (JMP, test @ (JEQ | JGT | JGE | JSET)) => Op::Branch {
                test,
                with,
                yes: at(jt.into())?,
                no: at(jf.into())?,
            },
            _ => return None,
        },
    })
}

/// `None`: a division by zero, at which the filter answers 0 (`bpf_convert_filter`).
fn alu(op: u16, a: u32, b: u32) -> Option<u32> {
    Some(match op {
        ADD => a.wrapping_add(b),
        SUB => a.wrapping_sub(b),
        MUL => a.wrapping_mul(b),
        DIV => a.checked_div(b)?,
        OR => a | b,
        AND => a & b,
        LSH => a.wrapping_shl(b),
        RSH => a.wrapping_shr(b),
        _ => a ^ b,
    })
}

fn holds(test: u16, a: u32, b: u32) -> bool {
    match test {
        JEQ => a == b,
        JGT => a > b,
        JGE => a >= b,
        _ => a & b != 0,
    }
}

/// Runs a filter on a call and returns its answer, action and data.
///
/// # Errors
/// [`BadProgram`], for what the kernel would not have installed.
pub fn run(program: &[Insn], data: &SeccompData) -> Result<u32, BadProgram> {
    let ops = check(program)?;
    let (mut a, mut x, mut mem) = (0u32, 0u32, [None; MEM_WORDS]);
    let mut pc = 0;
    while let Some(op) = ops.get(pc) {
        let here = pc;
        pc += 1;
        let value = |src| match src {
            Src::K(k) => k,
            Src::X => x,
        };
        match *op {
            Op::Data(offset) => a = data.word(offset).ok_or(BadProgram::Insn(here))?,
            Op::Set(Reg::A, k) => a = k,
            Op::Set(Reg::X, k) => x = k,
            Op::Fetch(reg, slot) => {
                let word = mem
                    .get(slot)
                    .copied()
                    .flatten()
                    .ok_or(BadProgram::Unwritten(here))?;
                match reg {
                    Reg::A => a = word,
                    Reg::X => x = word,
                }
            }
            Op::Store(reg, slot) => {
                if let Some(word) = mem.get_mut(slot) {
                    *word = Some(if matches!(reg, Reg::A) { a } else { x });
                }
            }
            Op::Alu(op, src) => match alu(op, a, value(src)) {
                Some(result) => a = result,
                None => return Ok(0),
            },
            Op::Neg => a = a.wrapping_neg(),
            Op::Move { to: Reg::A } => a = x,
            Op::Move { to: Reg::X } => x = a,
            Op::Goto(to) => pc = to,
            Op::Branch {
                test,
                with,
                yes,
                no,
            } => {
                pc = if holds(test, a, value(with)) { yes } else { no };
            }
            Op::RetK(k) => return Ok(k),
            Op::RetA => return Ok(a),
        }
    }
    Err(BadProgram::NoReturn)
}

/// What a filter can answer to a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reachable {
    /// The actions (without data) that some arguments may lead to.
    pub actions: BTreeSet<u32>,
    /// Every other action is possible too: the answer is computed from the arguments, or the
    /// program is malformed.
    pub any: bool,
}

impl Reachable {
    /// Whether the filter may answer with this action.
    pub fn contains(&self, action: u32) -> bool {
        self.any || self.actions.contains(&(action & RET_ACTION_FULL))
    }

    /// Whether it answers with nothing but these actions.
    pub fn only(&self, actions: &[u32]) -> bool {
        !self.any && self.actions.iter().all(|action| actions.contains(action))
    }
}

/// Registers and scratch memory as far as they are known; `None`: any value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    a: Option<u32>,
    x: Option<u32>,
    mem: [Option<u32>; MEM_WORDS],
}

impl State {
    /// Where two paths meet, only what both agree on stays known.
    fn join(&mut self, other: &State) {
        fn agree(one: &mut Option<u32>, two: Option<u32>) {
            if *one != two {
                *one = None;
            }
        }
        agree(&mut self.a, other.a);
        agree(&mut self.x, other.x);
        for (one, two) in self.mem.iter_mut().zip(other.mem) {
            agree(one, two);
        }
    }
}

/// What a filter can answer to the call of this number and architecture, for any arguments and
/// instruction pointer. Never too little; too much where it cannot tell. Takes time in proportion
/// to the program's length.
pub fn explore(program: &[Insn], nr: u32, arch: u32) -> Reachable {
    match check(program) {
        Ok(ops) => walk(&ops, nr, arch),
        Err(_) => Reachable {
            any: true,
            ..Reachable::default()
        },
    }
}

fn walk(ops: &[Op], nr: u32, arch: u32) -> Reachable {
    let mut found = Reachable::default();
    let mut states: Vec<Option<State>> = vec![None; ops.len()];
    if let Some(first) = states.first_mut() {
        // The kernel clears both registers; an unwritten scratch word is never read.
        *first = Some(State {
            a: Some(0),
            x: Some(0),
            mem: [None; MEM_WORDS],
        });
    }
    for (pc, op) in ops.iter().enumerate() {
        let Some(mut state) = states.get(pc).copied().flatten() else {
            continue; // Nothing leads here.
        };
        let mut next = [Some(pc + 1), None];
        match *op {
            Op::Goto(to) => next = [Some(to), None],
            Op::Branch {
                test,
                with,
                yes,
                no,
            } => {
                next = match (state.a, source(&state, with)) {
                    (Some(a), Some(b)) if holds(test, a, b) => [Some(yes), None],
                    (Some(_), Some(_)) => [Some(no), None],
                    _ => [Some(yes), Some(no)],
                }
            }
            Op::RetK(k) => next = answer(&mut found, Some(k)),
            Op::RetA => next = answer(&mut found, state.a),
            Op::Alu(op, src) => {
                let by = source(&state, src);
                if op == DIV && by.unwrap_or(0) == 0 {
                    answer(&mut found, Some(0));
                }
                if op == DIV && by == Some(0) {
                    next = [None, None];
                }
                state.a = known_alu(op, state.a, by);
            }
            _ => step(&mut state, *op, nr, arch),
        }
        for to in next.into_iter().flatten() {
            match states.get_mut(to) {
                Some(Some(there)) => there.join(&state),
                Some(empty) => *empty = Some(state),
                None => found.any = true, // `check` leaves no such jump.
            }
        }
    }
    found
}

fn answer(found: &mut Reachable, value: Option<u32>) -> [Option<usize>; 2] {
    match value {
        Some(value) => {
            found.actions.insert(value & RET_ACTION_FULL);
        }
        None => found.any = true,
    }
    [None, None]
}

fn source(state: &State, src: Src) -> Option<u32> {
    match src {
        Src::K(k) => Some(k),
        Src::X => state.x,
    }
}

fn known_alu(op: u16, a: Option<u32>, by: Option<u32>) -> Option<u32> {
    match (op, by?) {
        // Shifts by 32 and more differed between architectures before Linux 5.15.
        (LSH | RSH, 32..) => None,
        (_, by) => alu(op, a?, by),
    }
}

/// The instructions that neither branch nor end.
fn step(state: &mut State, op: Op, nr: u32, arch: u32) {
    match op {
        Op::Data(OFF_NR) => state.a = Some(nr),
        Op::Data(OFF_ARCH) => state.a = Some(arch),
        Op::Data(_) => state.a = None,
        Op::Set(Reg::A, k) => state.a = Some(k),
        Op::Set(Reg::X, k) => state.x = Some(k),
        Op::Fetch(reg, slot) => {
            let word = state.mem.get(slot).copied().flatten();
            match reg {
                Reg::A => state.a = word,
                Reg::X => state.x = word,
            }
        }
        Op::Store(reg, slot) => {
            let value = if matches!(reg, Reg::A) {
                state.a
            } else {
                state.x
            };
            if let Some(word) = state.mem.get_mut(slot) {
                *word = value;
            }
        }
        Op::Neg => state.a = state.a.map(u32::wrapping_neg),
        Op::Move { to: Reg::A } => state.a = state.x,
        Op::Move { to: Reg::X } => state.x = state.a,
        Op::Alu(..) | Op::Goto(_) | Op::Branch { .. } | Op::RetK(_) | Op::RetA => {}
    }
}

/// Whether a filter lets all of these calls, `(arch, nr)`, run whatever their arguments are. Then it
/// cannot hide one of them from an older filter of ours that answers [`RET_TRACE`], the stronger
/// action. A malformed program is not harmless.
pub fn harmless(filter: &[Insn], calls: impl Iterator<Item = (u32, u32)>) -> bool {
    let Ok(ops) = check(filter) else { return false };
    calls
        .into_iter()
        .all(|(arch, nr)| walk(&ops, nr, arch).only(&[RET_LOG, RET_ALLOW]))
}

#[cfg(test)]
mod tests;
