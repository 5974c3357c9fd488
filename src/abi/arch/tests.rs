use super::*;
use crate::abi::testing::header;

/// Six registers that can be told apart.
const REGISTERS: [u64; 6] = [10, 11, 12, 13, 14, 15];

#[test]
fn every_abi_reads_its_argument_order() {
    // flags, stack, parent_tid, child_tid, tls: which register holds each.
    let expected = |abi: &Abi| match abi.name {
        "x86_64" | "x32" | "loongarch64" | "m68k" | "sh" | "shel" | "alpha" | "ia64" => {
            [10, 11, 12, 13, 14]
        }
        "s390x" => [11, 10, 12, 13, 14],
        "microblaze" => [10, 11, 13, 14, 15],
        _ => [10, 11, 12, 14, 13],
    };
    for abi in ABIS {
        let nr = abi.clone.expect("every ABI has clone");
        let got = abi.clone_registers(nr, &REGISTERS);
        assert_eq!(
            [got.flags, got.stack, got.parent_tid, got.child_tid, got.tls],
            expected(abi),
            "{}",
            abi.name
        );
        assert_eq!(got.stack_size, None, "{}", abi.name);
    }
}

#[test]
fn ia64_clone2_has_a_stack_size() {
    let ia64 = named("ia64").unwrap();
    assert_eq!(
        ia64.clone_registers(1213, &REGISTERS),
        CloneRegisters {
            flags: 10,
            stack: 11,
            stack_size: Some(12),
            parent_tid: 13,
            child_tid: 14,
            tls: 15
        }
    );
    assert_eq!(ia64.call(1213), Some(Call::Clone));
}

#[test]
fn registers_of_32_bit_calls_lose_their_upper_halves() {
    let all = [u64::MAX; 6];
    for (name, flags) in [
        ("i386", 0xffff_ffff),
        ("arm", 0xffff_ffff),
        ("x86_64", u64::MAX),
        // Words of 4 bytes, but registers of 8: the kernel reads them whole.
        ("x32", u64::MAX),
        ("mips-n32", u64::MAX),
    ] {
        let abi = named(name).unwrap();
        let nr = abi.clone.unwrap();
        assert_eq!(abi.clone_registers(nr, &all).flags, flags, "{name}");
    }
}

#[test]
fn the_x32_bit_decides_between_rows_of_one_architecture() {
    let name = |arch, nr| find(arch, nr).map(|abi| abi.name);
    assert_eq!(name(0xc000_003e, 56), Some("x86_64"));
    assert_eq!(name(0xc000_003e, 0x4000_0038), Some("x32"));
    assert_eq!(name(0x4000_0003, 120), Some("i386"));
    // A number of -1: the call is to be skipped.
    assert_eq!(name(0xc000_003e, u64::MAX), Some("x86_64"));
    assert_eq!(name(0xc000_003e, 0xffff_ffff), Some("x86_64"));
    // The bit means nothing elsewhere.
    assert_eq!(name(0xc000_00b7, 0x4000_0000), Some("aarch64"));
    assert_eq!(name(0xdead_beef, 56), None);
}

#[test]
fn numbers_name_their_calls() {
    for abi in ABIS {
        for (number, call) in [
            (abi.clone, Call::Clone),
            (abi.clone2, Call::Clone),
            (abi.clone3, Call::Clone3),
            (abi.fork, Call::Fork),
            (abi.vfork, Call::Vfork),
        ] {
            if let Some(nr) = number {
                assert_eq!(abi.call(nr), Some(call), "{} {nr}", abi.name);
                assert_eq!(find(abi.audit_arch, nr), Some(abi), "{} {nr}", abi.name);
            }
        }
        assert_eq!(abi.call(u64::MAX), None, "{}", abi.name);
        assert_eq!(abi.call(abi.prctl.unwrap()), None, "{}", abi.name);
    }
}

#[test]
fn rows_are_distinct() {
    for (index, one) in ABIS.iter().enumerate() {
        for other in ABIS.iter().skip(index + 1) {
            assert_ne!(one.name, other.name);
            assert!(
                one.audit_arch != other.audit_arch || (one.name, other.name) == ("x86_64", "x32"),
                "{} and {} cannot be told apart",
                one.name,
                other.name
            );
        }
    }
}

#[test]
fn words_follow_the_audit_architecture() {
    for abi in ABIS {
        // x32 and n32: 64-bit registers, 32-bit words.
        let narrow = matches!(abi.name, "x32" | "mips-n32" | "mipsel-n32");
        let expected = if abi.wide_registers() && !narrow {
            8
        } else {
            4
        };
        assert_eq!(abi.word, expected, "{}", abi.name);
    }
}

#[test]
fn machines_know_their_abis_own_first() {
    let names = |machine| -> Vec<_> { of_machine(machine).iter().map(|abi| abi.name).collect() };
    assert_eq!(names("x86_64"), ["x86_64", "i386", "x32"]);
    // setarch(8) makes a 64-bit kernel say this.
    assert_eq!(names("i686"), ["i386", "x86_64", "x32"]);
    assert_eq!(names("i486"), ["i386"]);
    assert_eq!(names("aarch64"), ["aarch64", "arm"]);
    assert_eq!(names("armv8l"), ["arm", "aarch64"]);
    assert_eq!(names("armv7l"), ["arm"]);
    assert_eq!(names("riscv64"), ["riscv64", "riscv32"]);
    assert_eq!(names("ppc64le"), ["ppc64le"]);
    assert_eq!(names("ppc64"), ["ppc64", "ppc"]);
    assert_eq!(names("s390x"), ["s390x"]);
    assert_eq!(names("sparc64"), ["sparc64", "sparc"]);
    assert_eq!(names("vax"), [""; 0]);
    for abi in ABIS {
        for machine in abi.machines {
            assert!(of_machine(machine).contains(&abi), "{} {machine}", abi.name);
        }
    }
}

/// The numbers that this machine's headers give: only x86 installs these.
#[cfg(target_arch = "x86_64")]
#[test]
fn numbers_agree_with_the_installed_headers() {
    for (file, abi, offset) in [
        ("unistd_64.h", "x86_64", 0),
        ("unistd_32.h", "i386", 0),
        ("unistd_x32.h", "x32", X32_SYSCALL_BIT),
    ] {
        let Some(text) = header(&[
            &format!("/usr/include/x86_64-linux-gnu/asm/{file}"),
            &format!("/usr/include/asm/{file}"),
        ]) else {
            continue;
        };
        let number = |call: &str| {
            text.lines().find_map(|line| {
                let value = line.strip_prefix(&format!("#define __NR_{call} "))?;
                let value = value.trim().trim_end_matches(')');
                let value = value.trim_start_matches("(__X32_SYSCALL_BIT + ");
                Some(value.parse::<u64>().unwrap() + offset)
            })
        };
        assert!(number("read").is_some(), "{file} has no numbers");
        let abi = named(abi).unwrap();
        assert_eq!(number("clone"), abi.clone, "{file}");
        assert_eq!(number("clone3"), abi.clone3, "{file}");
        assert_eq!(number("fork"), abi.fork, "{file}");
        assert_eq!(number("vfork"), abi.vfork, "{file}");
        assert_eq!(number("prctl"), abi.prctl, "{file}");
        assert_eq!(number("seccomp"), abi.seccomp, "{file}");
    }
}

/// Audit architectures are an ELF machine with two bits, so the headers prove them too.
#[test]
fn audit_architectures_agree_with_the_installed_headers() {
    let Some(text) = header(&["/usr/include/linux/elf-em.h"]) else {
        return;
    };
    let machines: Vec<u32> = text
        .lines()
        .filter_map(|line| line.strip_prefix("#define EM_"))
        .filter_map(|line| line.split_whitespace().nth(1))
        .filter_map(|value| match value.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => value.parse().ok(),
        })
        .collect();
    for abi in ABIS {
        let machine = abi.audit_arch & 0xffff;
        assert!(machines.contains(&machine), "{}: {machine}", abi.name);
    }
}
