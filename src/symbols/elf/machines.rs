//! The machines that a program can be built for.

use goblin::container::{Container, Ctx};

/// A row: the number, and the names of 32 and of 64 bits, each little-endian first. The numbers are
/// those of linux/elf-em.h, the names those of `uname -m`.
type Machine = (u16, [&'static str; 2], [&'static str; 2]);

pub(super) static MACHINES: &[Machine] = &[
    (2, ["sparc"; 2], ["sparc64"; 2]),
    (3, ["i386"; 2], ["i386"; 2]),
    (4, ["m68k"; 2], ["m68k"; 2]),
    (8, ["mips"; 2], ["mips64"; 2]),
    (15, ["parisc"; 2], ["parisc64"; 2]),
    (18, ["sparc"; 2], ["sparc"; 2]),
    (20, ["ppcle", "ppc"], ["ppc"; 2]),
    (21, ["ppc64"; 2], ["ppc64le", "ppc64"]),
    (22, ["s390"; 2], ["s390x"; 2]),
    (40, ["arm", "armeb"], ["arm"; 2]),
    (42, ["sh", "sheb"], ["sh"; 2]),
    (43, ["sparc64"; 2], ["sparc64"; 2]),
    (50, ["ia64"; 2], ["ia64"; 2]),
    (62, ["x32"; 2], ["x86_64"; 2]),
    (92, ["openrisc"; 2], ["openrisc"; 2]),
    (93, ["arc"; 2], ["arc"; 2]),
    (94, ["xtensa"; 2], ["xtensa"; 2]),
    (113, ["nios2"; 2], ["nios2"; 2]),
    (164, ["hexagon"; 2], ["hexagon"; 2]),
    (183, ["aarch64"; 2], ["aarch64", "aarch64_be"]),
    (189, ["microblaze"; 2], ["microblaze"; 2]),
    (195, ["arc"; 2], ["arc"; 2]),
    (243, ["riscv32"; 2], ["riscv64"; 2]),
    (252, ["csky"; 2], ["csky"; 2]),
    (258, ["loongarch32"; 2], ["loongarch64"; 2]),
    (0x9026, ["alpha"; 2], ["alpha"; 2]),
];

/// The name of a machine.
pub(super) fn machine(number: u16, ctx: Ctx) -> String {
    let Some((_, narrow, wide)) = MACHINES.iter().find(|row| row.0 == number) else {
        return format!("EM {number}");
    };
    let [little, big] = if ctx.container == Container::Big {
        wide
    } else {
        narrow
    };
    if ctx.is_little_endian() {
        *little
    } else {
        *big
    }
    .to_owned()
}
