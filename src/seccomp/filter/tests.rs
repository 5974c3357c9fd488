use proptest::prelude::*;

use super::super::insn::{self, ALU, AND, OFF_ARGS, RET_ACTION_FULL, RET_ERRNO, SeccompData};
use super::super::walk::{self, run};
use super::*;
use crate::abi::{ABIS, Order};

const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
const AARCH64: u32 = 0xc000_00b7;
const IA64: u32 = 0xc000_0032;
const BIT_30: u64 = 0x4000_0000;

const EMPTY: Abi = Abi {
    name: "empty",
    audit_arch: 0,
    word: 8,
    clone: None,
    clone3: None,
    fork: None,
    vfork: None,
    clone2: None,
    prctl: None,
    seccomp: None,
    order: Order::Forward,
    signals: &crate::abi::signals::GENERIC,
    machines: &[],
    source: "made up",
};

fn rows() -> Vec<Abi> {
    vec![
        Abi {
            audit_arch: X86_64,
            clone: Some(56),
            fork: Some(57),
            vfork: Some(58),
            prctl: Some(157),
            seccomp: Some(317),
            clone3: Some(435),
            ..EMPTY
        },
        Abi {
            audit_arch: I386,
            fork: Some(2),
            clone: Some(120),
            prctl: Some(172),
            vfork: Some(190),
            seccomp: Some(354),
            clone3: Some(435),
            ..EMPTY
        },
        Abi {
            audit_arch: X86_64,
            clone: Some(BIT_30 | 56),
            fork: Some(BIT_30 | 57),
            vfork: Some(BIT_30 | 58),
            prctl: Some(BIT_30 | 157),
            seccomp: Some(BIT_30 | 317),
            clone3: Some(BIT_30 | 435),
            ..EMPTY
        },
        Abi {
            audit_arch: AARCH64,
            prctl: Some(167),
            clone: Some(220),
            seccomp: Some(277),
            clone3: Some(435),
            ..EMPTY
        },
        Abi {
            audit_arch: IA64,
            clone: Some(1128),
            clone2: Some(1213),
            ..EMPTY
        },
    ]
}

/// What the filter ought to answer, by a look through the rows.
fn expected(abis: &[&Abi], data: &SeccompData) -> u32 {
    let nr = Some(u64::from(data.nr));
    let stops = abis.iter().any(|abi| {
        let listed = [
            abi.clone,
            abi.clone3,
            abi.fork,
            abi.vfork,
            abi.clone2,
            abi.seccomp,
        ];
        abi.audit_arch == data.arch
            && (listed.contains(&nr) || (abi.prctl == nr && data.args[0] as u32 == 22))
    });
    if stops {
        RET_TRACE | TRACE_DATA
    } else {
        RET_ALLOW
    }
}

fn assert_right(abis: &[&Abi], numbers: impl Iterator<Item = u32>) -> usize {
    let program = build(abis);
    let mut archs: Vec<u32> = abis.iter().map(|abi| abi.audit_arch).collect();
    archs.extend([0, 1, u32::MAX, X86_64, I386, AARCH64, X86_64 ^ 0x8000_0000]);
    let mut stops = 0;
    for nr in numbers {
        for &arch in &archs {
            for first in [0, 22, 22 << 32, 0xdead_beef_0000_0016] {
                let data = SeccompData {
                    nr,
                    arch,
                    ip: 22,
                    args: [first, 22, 22, 22, 22, 22],
                };
                let want = expected(abis, &data);
                assert_eq!(run(&program, &data), Ok(want), "{data:x?}");
                stops += usize::from(want != RET_ALLOW);
            }
        }
    }
    stops
}

fn low_and_x32() -> impl Iterator<Item = u32> {
    (0..600)
        .chain((0..600).map(|nr| nr | 1 << 30))
        .chain(1100..1300)
        .chain(4000..4400)
        .chain(5000..5400)
        .chain([u32::MAX, 1 << 31, i32::MAX as u32])
}

#[test]
fn stops_on_the_listed_calls_and_on_nothing_else() {
    let rows = rows();
    let together: Vec<&Abi> = rows.iter().collect();
    assert!(assert_right(&together, low_and_x32()) > 0);
    for row in &rows {
        assert!(assert_right(&[row], low_and_x32()) > 0);
    }
}

/// One number of each sort that the filter, or a look through the rows, can tell apart. The filter
/// only compares what it loads with constants, and the rows are constants: between two neighbours
/// among them nothing changes. So what holds for these holds for all 2^32 numbers, and, taken for
/// architectures and for prctl's first argument, for all of those.
fn all_sorts(program: &[Insn]) -> Vec<u32> {
    let rows = ABIS.iter().flat_map(|abi| {
        let numbers = creators(abi).chain([abi.seccomp, abi.prctl]);
        let numbers = numbers.flatten().filter_map(|nr| u32::try_from(nr).ok());
        numbers.chain([abi.audit_arch])
    });
    let constants = program
        .iter()
        .filter(|insn| insn.code & 7 == JMP)
        .map(|insn| {
            assert!(
                [JMP | JEQ | K, JMP | JGE | K, JMP | JA].contains(&insn.code),
                "it does more than compare: {insn:?}"
            );
            insn.k
        });
    let mut sorts: Vec<u32> = rows
        .chain(constants)
        .chain([0, 22, u32::MAX])
        .flat_map(|nr| [nr.wrapping_sub(1), nr, nr.wrapping_add(1)])
        .collect();
    sorts.sort_unstable();
    sorts.dedup();
    sorts
}

#[test]
fn it_is_right_for_every_number_architecture_and_argument() {
    for machine in ["x86_64", "x86", "aarch64", "s390x", "powerpc64", "riscv64"] {
        let abis = crate::abi::arch::of_machine(machine);
        let program = build(&abis);
        let only_compares = program
            .iter()
            .all(|insn| [LD, JMP, RET].contains(&(insn.code & 7)) && insn.code != RET | insn::A);
        assert!(only_compares, "{machine}");
        let sorts = all_sorts(&program);
        for &nr in &sorts {
            for &arch in &sorts {
                // An argument is loaded for these alone.
                let prctl = abis.iter().any(|abi| abi.prctl == Some(u64::from(nr)));
                let firsts: &[u64] = match prctl {
                    true => &[0, 21, 22, 23, 0xffff_ffff, 22 << 32, 1 << 32 | 22],
                    false => &[22],
                };
                for &first in firsts {
                    let data = SeccompData {
                        nr,
                        arch,
                        ip: 22,
                        args: [first, 22, 22, 22, 22, 22],
                    };
                    let want = expected(&abis, &data);
                    assert_eq!(run(&program, &data), Ok(want), "{machine}: {data:x?}");
                }
            }
        }
    }
}

#[test]
fn every_known_machine_has_a_right_filter() {
    let all: Vec<&Abi> = ABIS.iter().collect();
    assert_right(&all, all_sorts(&build(&all)).into_iter());
    for row in ABIS {
        let machine = row.machines.first().copied().unwrap_or(row.name);
        let mut abis = vec![row];
        abis.extend(
            ABIS.iter()
                .filter(|abi| abi.machines.contains(&machine) && *abi != row),
        );
        let stops = assert_right(&abis, all_sorts(&build(&abis)).into_iter());
        assert!(stops > 0, "{}: the filter stops on nothing", row.name);
    }
}

#[test]
fn without_abis_everything_runs() {
    assert_eq!(assert_right(&[], low_and_x32()), 0);
}

#[test]
fn the_low_word_of_an_argument() {
    assert_eq!(low_word(0, false), 16);
    assert_eq!(low_word(0, true), 20);
    assert_eq!(low_word(1, true), OFF_ARGS + 12);
    let data = SeccompData {
        nr: 0,
        arch: 0,
        ip: 0,
        args: [0x1_0000_0016, 0, 0, 0, 0, 0],
    };
    assert_eq!(
        data.word(low_word(0, cfg!(target_endian = "big"))),
        Some(22)
    );
}

#[test]
fn the_kernel_can_evaluate_it_in_advance() {
    // `seccomp_is_const_allow` knows loads of number and architecture, JA, JEQ, JGT, JGE, JSET with
    // a constant, AND with a constant, and constant returns; an argument is loaded for prctl alone.
    let rows = rows();
    let program = build(&rows.iter().collect::<Vec<_>>());
    let argument = Insn::new(LD | W | ABS, low_word(0, cfg!(target_endian = "big")));
    let loads = program.iter().filter(|insn| **insn == argument).count();
    assert_eq!(loads, 4, "one for each prctl");
    for insn in program.iter().filter(|insn| **insn != argument) {
        assert!(
            matches!(
                (insn.code, insn.k),
                (0x20, OFF_NR | OFF_ARCH) | (0x05 | 0x15 | 0x25 | 0x35 | 0x45 | 0x54 | 0x06, _)
            ),
            "{insn:?}"
        );
    }
}

#[test]
fn our_own_filter_is_not_harmless() {
    let rows = rows();
    let abis: Vec<&Abi> = rows.iter().collect();
    assert!(!harmless(&build(&abis), &abis));
    assert!(harmless(&[GO], &abis));
    assert!(!harmless(&[], &abis));
}

/// Answers `action` to one call and lets all others run.
fn but(arch: u32, nr: u32, action: u32) -> Vec<Insn> {
    vec![
        Insn::new(LD | W | ABS, OFF_ARCH),
        Insn::jump(JMP | JEQ | K, arch, 0, 3),
        Insn::new(LD | W | ABS, OFF_NR),
        Insn::jump(JMP | JEQ | K, nr, 0, 1),
        Insn::new(RET | K, action),
        GO,
    ]
}

#[test]
fn what_hides_a_call_is_found() {
    let rows = rows();
    let abis: Vec<&Abi> = rows.iter().collect();
    for nr in [56, 57, 58, 435, 0x4000_0038] {
        for action in [RET_ERRNO, RET_TRACE, RET_USER_NOTIF, 0] {
            assert!(
                !harmless(&but(X86_64, nr, action), &abis),
                "{nr} {action:#x}"
            );
        }
        assert!(harmless(&but(X86_64, nr, insn::RET_LOG), &abis));
    }
    assert!(
        harmless(&but(X86_64, 0, RET_ERRNO), &abis),
        "read may be refused"
    );
    assert!(
        harmless(&but(7, 56, RET_ERRNO), &abis),
        "another machine's clone"
    );
    for installer in [157, 317] {
        assert!(harmless(&but(X86_64, installer, RET_ERRNO), &abis));
        assert!(!harmless(&but(X86_64, installer, RET_USER_NOTIF), &abis));
    }
}

#[test]
fn a_filter_on_clone_flags_is_not_harmless() {
    // As containers have it: clone with CLONE_NEWUSER is refused.
    let mut filter = vec![
        Insn::new(LD | W | ABS, OFF_NR),
        Insn::jump(JMP | JEQ | K, 56, 0, 4),
        Insn::new(LD | W | ABS, low_word(0, cfg!(target_endian = "big"))),
        Insn::new(ALU | AND | K, 0x1000_0000),
        Insn::jump(JMP | JEQ | K, 0, 1, 0),
        Insn::new(RET | K, RET_ERRNO | 1),
        GO,
    ];
    let rows = rows();
    let abis: Vec<&Abi> = rows.iter().collect();
    assert!(!harmless(&filter, &abis));
    filter[5] = GO;
    assert!(harmless(&filter, &abis));
}

proptest! {
    #[test]
    fn any_number_and_architecture(nr: u32, arch: u32, row in 0usize..5, args: [u64; 6], ip: u64) {
        let rows = rows();
        let abis: Vec<&Abi> = rows.iter().collect();
        let program = build(&abis);
        for arch in [arch, rows[row].audit_arch] {
            let data = SeccompData { nr, arch, ip, args };
            let got = run(&program, &data);
            prop_assert_eq!(got, Ok(expected(&abis, &data)));
            let reachable = walk::explore(&program, nr, arch);
            prop_assert!(!reachable.any);
            prop_assert!(reachable.contains(got.unwrap() & RET_ACTION_FULL));
        }
    }
}
