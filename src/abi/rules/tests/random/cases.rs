//! Random calls: what the tables are asked, and what the program is told.

use std::fmt::Write;

use crate::abi::args::CloneArgs;
use crate::abi::flags::*;
use crate::abi::rules::{Arguments, Tids};
use crate::event::Call;

// The pages of fixtures/rules/random_clone.c.
const ARENA: u64 = 0x1000_0000_0000;
pub const PAGE: u64 = 0x1000;
pub const BLOCK: u64 = ARENA + PAGE;
pub const WORDS: u64 = ARENA + 3 * PAGE;
const READ_ONLY: u64 = ARENA + 4 * PAGE;
pub const TIDS: u64 = ARENA + 6 * PAGE;
const STACK: u64 = ARENA + 8 * PAGE;
const HOLE: u64 = ARENA + 5 * PAGE;
const USER_END: u64 = 0x7fff_ffff_f000;
const KERNEL: u64 = 0xffff_8000_0000_0000;

/// xorshift64*.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 33) % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// Who calls, and what is known of the place.
#[derive(Clone, Copy)]
pub struct Caller {
    pub admin: bool,
    /// Pid namespaces that number it.
    pub levels: u64,
    /// Which flags are left out, because a policy of this machine stands before them.
    pub without: CloneFlags,
    pub wide: bool,
}

/// A call, as the table sees it and as the program is told.
pub struct Case {
    pub arguments: Arguments,
    pub line: String,
}

fn flags(random: &mut Random, clone3: bool) -> u64 {
    // What programs pass, so that calls come past the first checks, with a few bits turned over.
    let mut flags = random.of(&[
        0,
        0x4100,
        0x0120_0000,
        0x003d_0f00,
        0x0001_0f00,
        0x0001_0d00,
        0x900,
        0x1100,
        // For ordinary users too: IPC namespace and undo list, in a user namespace.
        0x1804_0000,
    ]);
    for _ in 0..random.below(4) {
        flags ^= random.of(FLAGS.iter().map(|f| f.bits).collect::<Vec<_>>().as_slice());
    }
    if random.one_in(12) {
        flags ^= 1 << random.below(if clone3 { 64 } else { 40 });
    }
    // A network namespace takes long to make and longer to go.
    if !random.one_in(8) {
        flags &= !CLONE_NEWNET.0;
    }
    flags
}

fn address(random: &mut Random) -> u64 {
    match random.below(8) {
        0 => 0,
        1 => HOLE,
        2 => READ_ONLY,
        3 => KERNEL,
        // Two results share a place now and then.
        4 => WORDS,
        _ => WORDS + 8 * random.below(16),
    }
}

fn thread_pointer(random: &mut Random, wide: bool) -> u64 {
    let far = [KERNEL, u64::MAX, 1 << 63];
    match random.below(8) {
        0 => random.of(&far),
        1 if !wide => random.of(&[USER_END - 1, USER_END, USER_END + 1, 1 << 62]),
        _ => random.of(&[0, 8, WORDS]),
    }
}

/// A random call.
pub fn clone(random: &mut Random, caller: &Caller) -> Case {
    let signal = random.of(&[0, 0, 17, 17, 17, 9, 10, 19, 64, 65, 0x91, 255]);
    let word = (flags(random, false) & !caller.without.0 & !0xff) | signal;
    let arguments = Arguments {
        word,
        stack: random.of(&[0, STACK + 2 * PAGE, HOLE, KERNEL]),
        parent_tid: address(random),
        child_tid: address(random),
        tls: thread_pointer(random, caller.wide),
        ..Arguments::new(Call::Clone)
    };
    let Arguments {
        stack,
        parent_tid,
        child_tid,
        tls,
        ..
    } = arguments;
    Case {
        line: format!("clone {word:x} {stack:x} {parent_tid:x} {child_tid:x} {tls:x}"),
        arguments,
    }
}

/// A random call.
pub fn clone3(random: &mut Random, caller: &Caller) -> Case {
    let flags = flags(random, true) & !caller.without.0;
    let own = CloneFlags(flags).intersects(CLONE_THREAD.union(CLONE_PARENT));
    let (stack, stack_size) = stack(random, caller.wide);
    let tids: Vec<i32> = match random.below(20) {
        0..16 => Vec::new(),
        16 => vec![random.of(&[0, -1, i32::MIN])],
        17 => vec![i32::MAX],
        18 => vec![1; usize::try_from(random.below(4)).unwrap()],
        _ => vec![1],
    };
    let block = CloneArgs {
        flags,
        pidfd: address(random),
        child_tid: address(random),
        parent_tid: address(random),
        exit_signal: match (own, random.below(8)) {
            (true, 1..) => 0,
            (false, 1..) => 17,
            (_, 0) => random.of(&[0, 9, 19, 64, 65, 255, 256, 1 << 32, u64::MAX]),
        },
        stack,
        stack_size,
        tls: thread_pointer(random, caller.wide),
        set_tid: match (tids.is_empty(), random.below(30)) {
            (_, 0) => random.of(&[0, HOLE, KERNEL]),
            (true, _) => 0,
            (false, _) => TIDS,
        },
        set_tid_size: match random.below(40) {
            0 => random.of(&[1, 33, 1 << 32, u64::MAX]),
            _ => tids.len() as u64,
        },
        cgroup: match random.below(4) {
            0 => random.of(&[0x7fff_ffff, 0x8000_0000, u64::MAX]),
            _ => random.of(&[0, 0x7fff_fffe]),
        },
        tail: Vec::new(),
    };
    placed(random, &block, &tids)
}

fn stack(random: &mut Random, wide: bool) -> (u64, u64) {
    match random.below(12) {
        0 => random.of(&[(0, 1), (STACK, 0), (0, u64::MAX)]),
        1 => random.of(&[(KERNEL, PAGE), (u64::MAX, 1), (STACK, u64::MAX)]),
        2 if !wide => random.of(&[
            (USER_END - PAGE, PAGE),
            (USER_END - PAGE, PAGE + 1),
            (1 << 62, PAGE),
        ]),
        3 => (HOLE, 1),
        4..8 => (STACK, 2 * PAGE),
        _ => (0, 0),
    }
}

/// The block at an address, with a size, and what of it can be read there.
fn placed(random: &mut Random, block: &CloneArgs, tids: &[i32]) -> Case {
    let size = match random.below(10) {
        0 => random.of(&[0, 63, 64, 67, 72, 80, 87]),
        1 => random.of(&[89, 96, 200, PAGE]),
        2 => random.of(&[PAGE, PAGE + 1, u64::MAX]),
        _ => 88,
    };
    let words = [
        block.flags,
        block.pidfd,
        block.child_tid,
        block.parent_tid,
        block.exit_signal,
        block.stack,
        block.stack_size,
        block.tls,
        block.set_tid,
        block.set_tid_size,
        block.cgroup,
    ];
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let shown = usize::try_from(size.min(PAGE)).unwrap();
    bytes.resize(shown, 0);
    if shown > 88 && random.one_in(2) {
        let at = 88 + usize::try_from(random.below(shown as u64 - 88)).unwrap();
        bytes[at] = 1;
    }
    let at = match random.below(16) {
        0 => random.of(&[0, HOLE, KERNEL, u64::MAX - 8]),
        1 => BLOCK - 8 * (1 + random.below(10)), // the beginning cannot be read
        2 => BLOCK + PAGE - 8 * (1 + random.below(14)), // the end cannot
        _ => BLOCK,
    };
    let mut arguments = match CloneArgs::parse(&bytes) {
        Some(parsed) => Arguments::of_block(size, &parsed),
        None => Arguments {
            size,
            ..Arguments::new(Call::Clone3)
        },
    };
    let can_read = |offset: usize| {
        let byte = at.checked_add(offset as u64);
        byte.is_some_and(|byte| (BLOCK..BLOCK + PAGE).contains(&byte))
    };
    arguments.readable = (0..shown.min(88)).all(can_read);
    // The kernel reads the tail from its beginning, until something is not zero or cannot be read.
    arguments.tail = (88..shown)
        .find(|&offset| !can_read(offset) || bytes[offset] != 0)
        .map_or(Some(false), |offset| can_read(offset).then_some(true));
    arguments.tids = if arguments.set_tid == TIDS {
        let count = usize::try_from(arguments.set_tid_size.min(32)).unwrap();
        Tids::Read(
            (0..count)
                .map(|i| tids.get(i).copied().unwrap_or(0))
                .collect(),
        )
    } else {
        Tids::Unreadable
    };
    let mut hex = String::from(if bytes.is_empty() { "-" } else { "" });
    bytes
        .iter()
        .for_each(|byte| write!(hex, "{byte:02x}").unwrap());
    let numbers: Vec<String> = tids.iter().map(i32::to_string).collect();
    let numbers = if tids.is_empty() {
        "-".to_owned()
    } else {
        numbers.join(",")
    };
    Case {
        line: format!("clone3 {at:x} {size:x} {hex} {numbers}"),
        arguments,
    }
}
