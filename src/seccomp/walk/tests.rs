use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::insn::*;
use super::*;

const NR: u32 = 56;
const ARCH: u32 = 0xc000_003e;

fn data(args: [u64; 6]) -> SeccompData {
    SeccompData {
        nr: NR,
        arch: ARCH,
        ip: 0x1111_2222_3333_4444,
        args,
    }
}

fn answer_of(program: &[Insn]) -> u32 {
    run(program, &data([0x8877_6655_4433_2211, 2, 3, 4, 5, 6])).unwrap()
}

const RETURN_A: Insn = Insn::new(RET | A, 0);

/// `A = a; X = x; A = A op X`, and the same with a constant.
fn compute(op: u16, a: u32, x: u32) -> [u32; 2] {
    let by_x = [
        Insn::new(LDX | IMM, x),
        Insn::new(LD | IMM, a),
        Insn::new(ALU | op | X, 0),
        RETURN_A,
    ];
    let by_k = [Insn::new(LD | IMM, a), Insn::new(ALU | op | K, x), RETURN_A];
    [answer_of(&by_x), answer_of(&by_k)]
}

#[test]
fn an_instruction_is_laid_out_as_the_kernels() {
    assert_eq!(size_of::<Insn>(), 8);
    assert_eq!(std::mem::offset_of!(Insn, jt), 2);
    assert_eq!(std::mem::offset_of!(Insn, jf), 3);
    assert_eq!(std::mem::offset_of!(Insn, k), 4);
}

#[test]
fn codes_are_the_kernels() {
    // Numbers that a disassembler prints for well-known instructions.
    assert_eq!(LD | W | ABS, 0x20);
    assert_eq!(JMP | JEQ | K, 0x15);
    assert_eq!(JMP | JGE | K, 0x35);
    assert_eq!(JMP | JSET | X, 0x4d);
    assert_eq!(ALU | AND | K, 0x54);
    assert_eq!(ALU | NEG, 0x84);
    assert_eq!(RET | K, 0x06);
    assert_eq!(RET | A, 0x16);
    assert_eq!(MISC | TXA, 0x87);
}

#[test]
fn actions_go_from_the_strongest_to_the_weakest() {
    let order = [
        RET_KILL_PROCESS,
        RET_KILL_THREAD,
        RET_TRAP,
        RET_ERRNO,
        RET_USER_NOTIF,
        RET_TRACE,
        RET_LOG,
        RET_ALLOW,
    ];
    assert!(order.is_sorted_by_key(|action| *action as i32));
    assert!(order.iter().all(|action| action & RET_DATA == 0));
}

#[test]
fn data_words() {
    let data = data([0x8877_6655_4433_2211, 0, 0, 0, 0, 0xaaaa_aaaa_bbbb_bbbb]);
    let (low, high) = if cfg!(target_endian = "big") {
        (4, 0)
    } else {
        (0, 4)
    };
    assert_eq!(data.word(0), Some(NR));
    assert_eq!(data.word(4), Some(ARCH));
    assert_eq!(data.word(8 + low), Some(0x3333_4444));
    assert_eq!(data.word(8 + high), Some(0x1111_2222));
    assert_eq!(data.word(16 + low), Some(0x4433_2211));
    assert_eq!(data.word(16 + high), Some(0x8877_6655));
    assert_eq!(data.word(56 + low), Some(0xbbbb_bbbb));
    assert_eq!(data.word(64), None);
    assert_eq!(data.word(18), None);
    assert_eq!(data.word(u32::MAX), None);
}

#[test]
fn arithmetic() {
    assert_eq!(compute(ADD, u32::MAX, 2), [1, 1]);
    assert_eq!(compute(SUB, 1, 2), [u32::MAX; 2]);
    assert_eq!(compute(MUL, 0x8000_0001, 2), [2, 2]);
    assert_eq!(compute(DIV, 7, 2), [3, 3]);
    assert_eq!(compute(OR, 5, 3), [7, 7]);
    assert_eq!(compute(AND, 5, 3), [1, 1]);
    assert_eq!(compute(XOR, 5, 3), [6, 6]);
    assert_eq!(compute(LSH, 3, 31), [0x8000_0000; 2]);
    assert_eq!(compute(RSH, 0x8000_0000, 31), [1, 1]);
    assert_eq!(
        answer_of(&[Insn::new(LD | IMM, 1), Insn::new(ALU | NEG, 0), RETURN_A]),
        u32::MAX
    );
}

#[test]
fn division_by_zero_answers_zero() {
    let divide = [
        Insn::new(LD | IMM, 7),
        Insn::new(ALU | DIV | X, 0),
        Insn::new(RET | K, RET_ALLOW),
    ];
    assert_eq!(answer_of(&divide), 0);
    assert_eq!(
        explore(&divide, NR, ARCH).actions,
        BTreeSet::from([RET_KILL_THREAD])
    );
    let unknown = [
        Insn::new(LD | W | ABS, OFF_ARGS),
        Insn::new(MISC | TAX, 0),
        Insn::new(ALU | DIV | X, 0),
        Insn::new(RET | K, RET_ALLOW),
    ];
    assert_eq!(
        explore(&unknown, NR, ARCH).actions,
        BTreeSet::from([RET_KILL_THREAD, RET_ALLOW])
    );
}

#[test]
fn registers_memory_and_length() {
    let program = [
        Insn::new(LD | W | LEN, 0),
        Insn::new(ST, 15),
        Insn::new(LDX | MEM, 15),
        Insn::new(LD | IMM, 2),
        Insn::new(ALU | MUL | X, 0),
        Insn::new(MISC | TAX, 0),
        Insn::new(STX, 0),
        Insn::new(LD | IMM, 0),
        Insn::new(MISC | TXA, 0),
        Insn::new(LD | MEM, 0),
        RETURN_A,
    ];
    assert_eq!(answer_of(&program), 128);
    assert_eq!(
        answer_of(&[
            Insn::new(LDX | W | LEN, 0),
            Insn::new(MISC | TXA, 0),
            RETURN_A
        ]),
        64
    );
    assert_eq!(answer_of(&[RETURN_A]), 0, "A begins as 0");
}

#[test]
fn jumps() {
    const ALL: [u32; 7] = [0, 4, 5, 6, 8, 13, u32::MAX];
    // By test, the numbers of ALL for which it holds against 5.
    let holds: [(u16, &[u32]); 4] = [
        (JEQ, &[5]),
        (JGT, &[6, 8, 13, u32::MAX]),
        (JGE, &[5, 6, 8, 13, u32::MAX]),
        (JSET, &[4, 5, 6, 13, u32::MAX]),
    ];
    for (test, holds_for) in holds {
        for a in ALL {
            for source in [K, X] {
                let program = [
                    Insn::new(LDX | IMM, 5),
                    Insn::new(LD | IMM, a),
                    Insn::jump(JMP | test | source, 5, 1, 0),
                    Insn::new(RET | K, 0),
                    Insn::new(JMP | JA, 1),
                    Insn::new(RET | K, 9),
                    Insn::new(RET | K, 1),
                ];
                let want = u32::from(holds_for.contains(&a));
                assert_eq!(answer_of(&program), want, "{test:#x} {source:#x} {a}");
            }
        }
    }
}

#[test]
fn bad_programs_are_refused() {
    let end = Insn::new(RET | K, RET_ALLOW);
    let bad = [
        vec![],
        vec![end; MAX_INSNS + 1],
        vec![Insn::new(LD | IMM, 0)],
        vec![Insn::jump(JMP | JEQ | K, 0, 1, 0), end],
        vec![Insn::jump(JMP | JEQ | K, 0, 0, 255), end],
        vec![Insn::new(JMP | JA, 1), end],
        vec![Insn::new(JMP | JA, u32::MAX), end],
        vec![Insn::new(LD | W | ABS, 64), end],
        vec![Insn::new(LD | W | ABS, 2), end],
        vec![Insn::new(0x28, 0), end], // a half word
        vec![Insn::new(0x40, 0), end], // indirect
        vec![Insn::new(ST, 16), end],
        vec![Insn::new(LD | MEM, u32::MAX), end],
        vec![Insn::new(ALU | DIV | K, 0), end],
        vec![Insn::new(ALU | LSH | K, 32), end],
        vec![Insn::new(ALU | 0x90 | K, 3), end], // modulo: not for seccomp
        vec![Insn::new(0xffff, 0), end],
        vec![Insn::new(0x16 | X, 0), end],
    ];
    for program in bad {
        assert!(run(&program, &data([0; 6])).is_err(), "{program:?}");
        assert!(explore(&program, NR, ARCH).any, "{program:?}");
        assert!(!harmless(&program, std::iter::empty()), "{program:?}");
    }
    let unwritten = [Insn::new(LD | MEM, 3), end];
    assert_eq!(
        run(&unwritten, &data([0; 6])),
        Err(BadProgram::Unwritten(0))
    );
}

#[test]
fn both_ways_of_an_unknown_test_are_followed() {
    let program = |end: u32| {
        [
            Insn::new(LD | W | ABS, OFF_ARGS),
            Insn::jump(JMP | JSET | K, 1, 0, 1),
            Insn::new(RET | K, end | 7),
            Insn::new(RET | K, RET_ALLOW),
        ]
    };
    let found = explore(&program(RET_ERRNO), NR, ARCH);
    assert_eq!(found.actions, BTreeSet::from([RET_ERRNO, RET_ALLOW]));
    assert!(!found.any && !found.contains(RET_TRAP));
    assert!(!harmless(&program(RET_ERRNO), [(ARCH, NR)].into_iter()));
    assert!(harmless(&program(RET_LOG), [(ARCH, NR)].into_iter()));
}

#[test]
fn a_path_that_a_known_test_excludes_is_not_followed() {
    let program = [
        Insn::new(LD | W | ABS, OFF_NR),
        Insn::jump(JMP | JEQ | K, NR, 0, 1),
        Insn::new(RET | K, RET_ERRNO),
        Insn::new(RET | K, RET_ALLOW),
    ];
    assert!(explore(&program, NR, ARCH).only(&[RET_ERRNO]));
    assert!(explore(&program, NR + 1, ARCH).only(&[RET_ALLOW]));
    assert!(harmless(&program, [(ARCH, NR + 1)].into_iter()));
    assert!(!harmless(
        &program,
        [(ARCH, NR + 1), (ARCH, NR)].into_iter()
    ));
}

#[test]
fn joins_keep_what_both_paths_agree_on() {
    // Both ways store RET_ALLOW in word 0; word 1 differs.
    let program = |word| {
        [
            Insn::new(LD | W | ABS, OFF_ARGS),
            Insn::jump(JMP | JEQ | K, 0, 0, 4),
            Insn::new(LD | IMM, RET_ALLOW),
            Insn::new(ST, 0),
            Insn::new(ST, 1),
            Insn::new(JMP | JA, 4),
            Insn::new(LD | IMM, RET_ALLOW),
            Insn::new(ST, 0),
            Insn::new(LD | IMM, RET_TRAP),
            Insn::new(ST, 1),
            Insn::new(LD | MEM, word),
            RETURN_A,
        ]
    };
    assert!(explore(&program(0), NR, ARCH).only(&[RET_ALLOW]));
    assert!(explore(&program(1), NR, ARCH).any);
}

#[test]
fn a_computed_answer_may_be_anything() {
    let program = [Insn::new(LD | W | ABS, OFF_ARGS), RETURN_A];
    let found = explore(&program, NR, ARCH);
    assert!(found.any && found.contains(RET_KILL_PROCESS) && !found.only(&[RET_ALLOW]));
}

#[test]
fn the_longest_program_of_branches_is_one_pass() {
    // Followed path by path it would never end: 2^2000 of them.
    let mut program = vec![Insn::new(LD | W | ABS, OFF_ARGS)];
    while program.len() < MAX_INSNS - 1 {
        program.push(Insn::jump(JMP | JSET | K, 1, 1, 0));
    }
    program.insert(MAX_INSNS - 2, Insn::new(RET | K, RET_LOG));
    program[MAX_INSNS - 1] = Insn::new(RET | K, RET_ALLOW);
    assert!(explore(&program, NR, ARCH).only(&[RET_LOG, RET_ALLOW]));
}

/// An instruction that seccomp takes wherever it stands; jumps are cut to fit by [`program`].
fn insn() -> impl Strategy<Value = Insn> {
    let number = prop_oneof![
        4 => 0u32..4,
        1 => any::<u32>(),
        2 => prop::sample::select(vec![NR, ARCH, RET_ALLOW, RET_LOG, RET_ERRNO, RET_TRACE]),
    ];
    let alu = prop::sample::select(vec![ADD, SUB, MUL, OR, AND, XOR]);
    let test = prop::sample::select(vec![JEQ, JGT, JGE, JSET]);
    let source = prop::sample::select(vec![K, X]);
    prop_oneof![
        3 => (0u32..16).prop_map(|word| Insn::new(LD | W | ABS, word * 4)),
        2 => (prop::sample::select(vec![LD, LDX]), number.clone())
            .prop_map(|(class, k)| Insn::new(class | IMM, k)),
        2 => (prop::sample::select(vec![ST, STX, LD | MEM, LDX | MEM]), 0u32..3)
            .prop_map(|(code, slot)| Insn::new(code, slot)),
        1 => prop::sample::select(vec![
            Insn::new(MISC | TAX, 0), Insn::new(MISC | TXA, 0), Insn::new(ALU | NEG, 0),
            Insn::new(LD | W | LEN, 0), Insn::new(LDX | W | LEN, 0), Insn::new(ALU | DIV | X, 0),
            Insn::new(ALU | LSH | X, 0), Insn::new(ALU | RSH | X, 0),
        ]),
        2 => (alu, source.clone(), number.clone())
            .prop_map(|(op, source, k)| Insn::new(ALU | op | source, k)),
        1 => (prop::sample::select(vec![LSH, RSH]), 0u32..32)
            .prop_map(|(op, k)| Insn::new(ALU | op | K, k)),
        4 => (test, source, number.clone(), 0u8..6, 0u8..6)
            .prop_map(|(test, source, k, jt, jf)| Insn::jump(JMP | test | source, k, jt, jf)),
        1 => (0u32..6).prop_map(|k| Insn::new(JMP | JA, k)),
        1 => number.prop_map(|k| Insn::new(RET | K, k)),
        1 => Just(RETURN_A),
    ]
}

/// A program that the kernel would install: three scratch words written, jumps inside, an end.
fn program() -> impl Strategy<Value = Vec<Insn>> {
    prop::collection::vec(insn(), 0..40).prop_map(|body| {
        let mut program: Vec<Insn> = (0..3).map(|slot| Insn::new(ST, slot)).collect();
        program.extend(body);
        program.push(RETURN_A);
        let last = program.len() - 1;
        for (pc, insn) in program.iter_mut().enumerate() {
            let furthest = last.saturating_sub(pc + 1);
            if insn.code == JMP | JA {
                insn.k = insn.k.min(furthest as u32);
            } else if insn.code & 7 == JMP {
                insn.jt = insn.jt.min(furthest as u8);
                insn.jf = insn.jf.min(furthest as u8);
            }
        }
        program
    })
}

fn args() -> impl Strategy<Value = [u64; 6]> {
    prop::array::uniform6(prop_oneof![0u64..4, any::<u64>(), Just(u64::from(NR))])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn the_explorer_never_misses_an_answer(
        program in program(), nr in prop_oneof![Just(NR), 0u32..4], args in args(), ip: u64
    ) {
        let data = SeccompData { nr, arch: ARCH, ip, args };
        let answer = run(&program, &data);
        prop_assert!(answer.is_ok(), "{answer:?}");
        let found = explore(&program, nr, ARCH);
        prop_assert!(found.contains(answer.unwrap()), "{found:x?} lacks {answer:x?}");
    }

    #[test]
    fn garbage_is_no_panic(
        words in prop::collection::vec((0u16..0x100, 0u8..8, 0u8..8, prop_oneof![0u32..70, any::<u32>()]), 0..30)
    ) {
        let program: Vec<Insn> =
            words.into_iter().map(|(code, jt, jf, k)| Insn { code, jt, jf, k }).collect();
        let ran = run(&program, &data([0; 6]));
        let found = explore(&program, NR, ARCH);
        match ran {
            Ok(answer) => prop_assert!(found.contains(answer)),
            Err(BadProgram::Unwritten(_)) => {}
            Err(_) => prop_assert!(found.any),
        }
    }
}
