use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;

use super::*;

fn of_bytes(bytes: &[u8]) -> Option<Facts> {
    facts(&mut |offset, buf| {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|from| bytes.get(from..))
            .unwrap_or(&[]);
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        count
    })
}

/// Facts of a file, and how many bytes were read for them.
fn of_file(path: &Path) -> (Option<Facts>, usize) {
    let file = std::fs::File::open(path).unwrap();
    let mut total = 0;
    let facts = facts(&mut |offset, buf| {
        let count = file.read_at(buf, offset).unwrap_or(0);
        total += count;
        count
    });
    (facts, total)
}

/// Runs a tool; `None`, said aloud, where it is missing or fails. In CI that is a failure.
fn tool(command: &mut Command) -> Option<String> {
    let _guard = crate::watchdog::guard();
    let done = command.env("LC_ALL", "C").output();
    match done {
        Ok(output) if output.status.success() => {
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        other => {
            let why = format!("{command:?}: {other:?}");
            assert!(
                std::env::var_os("CI").is_none_or(|ci| ci != "true"),
                "{why}"
            );
            eprintln!("skipped: {why}");
            None
        }
    }
}

/// Compiles a program of nothing with these options.
fn compiled(dir: &Path, compiler: &str, options: &[&str]) -> Option<PathBuf> {
    let source = dir.join("nothing.c");
    std::fs::write(&source, "int main(void) { return 0; }\n").unwrap();
    let program = dir.join("nothing");
    tool(
        Command::new(compiler)
            .args(options)
            .arg("-o")
            .arg(&program)
            .arg(&source),
    )?;
    Some(program)
}

/// The same facts as readelf prints them, without the machine and the linkage.
fn by_readelf(path: &Path) -> Option<(Option<String>, Option<String>, bool)> {
    let text = tool(Command::new("readelf").arg("-lnSW").arg(path))?;
    let interpreter = text
        .split_once("Requesting program interpreter: ")
        .and_then(|(_, rest)| rest.split_once(']'))
        .map(|(path, _)| path.to_owned());
    let build_id = text
        .split_once("Build ID: ")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .map(str::to_owned);
    Some((interpreter, build_id, !text.contains(" SYMTAB ")))
}

fn assert_as_readelf(path: &Path) -> Facts {
    let (facts, total) = of_file(path);
    let facts = facts.unwrap();
    assert!(total < 64 << 10, "{}: {total} bytes read", path.display());
    if let Some((interpreter, build_id, stripped)) = by_readelf(path) {
        assert_eq!(facts.interpreter, Some(interpreter), "{}", path.display());
        assert_eq!(facts.build_id, Some(build_id), "{}", path.display());
        assert_eq!(facts.stripped, Some(stripped), "{}", path.display());
    }
    facts
}

#[test]
fn programs_of_this_system() {
    let this = std::env::current_exe().unwrap();
    let found: Vec<Facts> = ["/bin/sh", "/usr/bin/env", "/usr/bin/python3"]
        .map(PathBuf::from)
        .into_iter()
        .chain([this])
        .filter(|path| path.exists())
        .map(|path| assert_as_readelf(&path))
        .collect();
    assert!(found.len() >= 2);
    assert!(found.iter().all(|facts| facts.linkage.is_some()));
    if ["x86_64", "aarch64", "riscv64"].contains(&std::env::consts::ARCH) {
        assert!(
            found
                .iter()
                .all(|facts| facts.machine == std::env::consts::ARCH)
        );
    }
}

#[test]
fn every_way_of_linking() {
    let dir = tempfile::tempdir().unwrap();
    let cases: [(&str, &[&str], Linkage, Option<bool>); 7] = [
        ("cc", &[], Linkage::Dynamic, None),
        ("cc", &["-no-pie"], Linkage::Dynamic, Some(false)),
        (
            "cc",
            &["-s", "-Wl,--build-id=none"],
            Linkage::Dynamic,
            Some(true),
        ),
        ("cc", &["-static", "-no-pie"], Linkage::Static, Some(false)),
        ("cc", &["-static-pie"], Linkage::StaticPie, None),
        ("cc", &["-static-pie", "-s"], Linkage::StaticPie, Some(true)),
        ("musl-gcc", &["-static", "-no-pie"], Linkage::Static, None),
    ];
    for (compiler, options, linkage, stripped) in cases {
        if let Some(program) = compiled(dir.path(), compiler, options) {
            let facts = assert_as_readelf(&program);
            assert_eq!(facts.interpreter == Some(None), linkage != Linkage::Dynamic);
            assert_eq!(facts.linkage, Some(linkage), "{compiler} {options:?}");
            assert!(stripped.is_none_or(|stripped| facts.stripped == Some(stripped)));
            if options.contains(&"-Wl,--build-id=none") {
                assert_eq!(facts.build_id, Some(None));
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn programs_of_32_bits() {
    let dir = tempfile::tempdir().unwrap();
    for (options, linkage) in [
        (vec!["-m32"], Linkage::Dynamic),
        (vec!["-m32", "-static"], Linkage::Static),
    ] {
        if let Some(program) = compiled(dir.path(), "gcc", &options) {
            let facts = assert_as_readelf(&program);
            assert_eq!((&*facts.machine, facts.linkage), ("i386", Some(linkage)));
        }
    }
}

#[test]
fn the_dynamic_linker_run_by_its_name_is_called_dynamic() {
    let interpreter = of_file(Path::new("/bin/sh"))
        .0
        .and_then(|facts| facts.interpreter.flatten());
    let Some(interpreter) = interpreter else {
        eprintln!("skipped: /bin/sh is static");
        return;
    };
    let facts = assert_as_readelf(Path::new(&interpreter));
    assert_eq!(facts.interpreter, Some(None));
    assert_eq!(facts.linkage, Some(Linkage::Dynamic));
}

#[test]
fn what_is_no_elf_file_is_not_known() {
    for bytes in [&b""[..], b"#!/bin/sh\n", b"\x7fEL", b"\x7fELF", &[0; 5000]] {
        assert_eq!(of_bytes(bytes), None);
    }
    assert_eq!(facts(&mut |_, _| 0), None);
    assert_eq!(
        facts(&mut |_, buf| buf.len().wrapping_add(7)),
        None,
        "a reader that boasts"
    );
}

/// A small file of 64 bits: header, one segment each of the interpreter and of notes, sections.
fn small() -> Vec<u8> {
    let mut file = vec![0; 512];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"\x7fELF\x02\x01\x01");
    put(16, &3u16.to_le_bytes()); // ET_DYN
    put(18, &183u16.to_le_bytes()); // aarch64
    put(32, &64u64.to_le_bytes()); // e_phoff
    put(40, &320u64.to_le_bytes()); // e_shoff
    put(52, &[64, 0, 56, 0, 2, 0, 64, 0, 2, 0]); // sizes and counts
    put(64, &3u32.to_le_bytes()); // PT_INTERP
    put(64 + 8, &200u64.to_le_bytes());
    put(64 + 32, &8u64.to_le_bytes());
    put(120, &4u32.to_le_bytes()); // PT_NOTE
    put(120 + 8, &216u64.to_le_bytes());
    put(120 + 32, &20u64.to_le_bytes());
    put(200, b"/ld.so\0\0");
    put(
        216,
        &[
            4, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, b'G', b'N', b'U', 0, 0xde, 0xad, 0xbe, 0xef,
        ],
    );
    put(320 + 64 + 4, &2u32.to_le_bytes()); // SHT_SYMTAB
    file
}

fn with(at: usize, bytes: &[u8]) -> Option<Facts> {
    let mut file = small();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    of_bytes(&file)
}

const HUGE: [u8; 8] = (u64::MAX - 7).to_le_bytes();

#[test]
fn a_small_file() {
    let want = Facts {
        machine: "aarch64".to_owned(),
        linkage: Some(Linkage::Dynamic),
        interpreter: Some(Some("/ld.so".to_owned())),
        build_id: Some(Some("deadbeef".to_owned())),
        stripped: Some(false),
    };
    assert_eq!(of_bytes(&small()), Some(want.clone()));
    // Without section headers there is no symbol table either.
    assert_eq!(
        with(40, &[0; 8]),
        Some(Facts {
            stripped: Some(true),
            ..want
        })
    );
}

#[test]
fn what_cannot_be_read_is_not_known_and_the_rest_is() {
    let all = of_bytes(&small()).unwrap();
    for lie in [HUGE, 511u64.to_le_bytes(), (1u64 << 40).to_le_bytes()] {
        // The section headers' offset.
        assert_eq!(
            with(40, &lie),
            Some(Facts {
                stripped: None,
                ..all.clone()
            })
        );
        // The interpreter's offset and size.
        let interpreter = Some(Facts {
            interpreter: None,
            ..all.clone()
        });
        assert_eq!(with(64 + 8, &lie), interpreter);
        assert_eq!(with(64 + 32, &lie), interpreter);
        // The notes' offset and size.
        let build_id = Some(Facts {
            build_id: None,
            ..all.clone()
        });
        assert_eq!(with(120 + 8, &lie), build_id);
        assert_eq!(with(120 + 32, &lie), build_id);
        // The program headers' offset: then only sections and the header are left.
        let found = with(32, &lie).unwrap();
        assert_eq!(
            (found.linkage, found.interpreter, found.stripped),
            (None, None, Some(false))
        );
    }
    // A note of 4 GiB, and an interpreter without its NUL.
    assert_eq!(
        with(220, &[255; 4]),
        Some(Facts {
            build_id: Some(None),
            ..all.clone()
        })
    );
    assert_eq!(
        with(206, b"xx"),
        Some(Facts {
            interpreter: None,
            ..all
        })
    );
}

#[test]
fn a_number_of_sections_that_the_first_one_holds() {
    let mut file = small();
    file[60..62].copy_from_slice(&[0, 0]);
    file[320 + 32..320 + 40].copy_from_slice(&2u64.to_le_bytes());
    assert_eq!(of_bytes(&file).unwrap().stripped, Some(false));
    for lie in [HUGE, (1u64 << 58).to_le_bytes(), (1u64 << 32).to_le_bytes()] {
        file[320 + 32..320 + 40].copy_from_slice(&lie);
        assert_eq!(of_bytes(&file).unwrap().stripped, None);
    }
}

#[test]
fn a_position_independent_file_without_interpreter() {
    let dynamic = |entries: &[(u64, u64)]| {
        let mut file = small();
        file[64..68].copy_from_slice(&2u32.to_le_bytes()); // PT_DYNAMIC instead of PT_INTERP
        let size = (entries.len() as u64 * 16).to_le_bytes();
        file[64 + 8..64 + 16].copy_from_slice(&240u64.to_le_bytes());
        file[64 + 32..64 + 40].copy_from_slice(&size);
        for (index, (tag, value)) in entries.iter().enumerate() {
            file[240 + index * 16..248 + index * 16].copy_from_slice(&tag.to_le_bytes());
            file[248 + index * 16..256 + index * 16].copy_from_slice(&value.to_le_bytes());
        }
        of_bytes(&file).unwrap().linkage
    };
    assert_eq!(
        dynamic(&[(DT_FLAGS_1, DF_1_PIE | 1), (0, 0)]),
        Some(Linkage::StaticPie)
    );
    assert_eq!(dynamic(&[(DT_FLAGS_1, 1), (0, 0)]), Some(Linkage::Dynamic));
    assert_eq!(dynamic(&[(DT_DEBUG, 0), (0, 0)]), Some(Linkage::StaticPie));
    assert_eq!(
        dynamic(&[(0, 0), (DT_DEBUG, 0)]),
        Some(Linkage::Dynamic),
        "after the end"
    );
    assert_eq!(dynamic(&[]), Some(Linkage::Dynamic));
    // No dynamic section at all; and an object file.
    assert_eq!(with(64, &[0]).unwrap().linkage, Some(Linkage::StaticPie));
    assert_eq!(with(16, &[1]).unwrap().linkage, None);
}

#[test]
fn machines() {
    let named = |number: u16, class: u8, order: u8| {
        let mut header = vec![0; 64];
        header[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, order]);
        let number = if order == 1 {
            number.to_le_bytes()
        } else {
            number.to_be_bytes()
        };
        header[18..20].copy_from_slice(&number);
        of_bytes(&header).unwrap().machine
    };
    for (number, class, order, name) in [
        (62, 2, 1, "x86_64"),
        (62, 1, 1, "x32"),
        (3, 1, 1, "i386"),
        (183, 2, 2, "aarch64_be"),
        (21, 2, 1, "ppc64le"),
        (22, 2, 2, "s390x"),
        (22, 1, 2, "s390"),
        (243, 2, 1, "riscv64"),
        (8, 1, 2, "mips"),
        (0x9026, 2, 1, "alpha"),
        (123, 2, 1, "EM 123"),
        (65535, 1, 2, "EM 65535"),
    ] {
        assert_eq!(named(number, class, order), name);
    }
    assert!(machines::MACHINES.is_sorted_by_key(|row| row.0));
}

proptest! {
    #[test]
    fn damaged_files_are_no_panic(
        hits in prop::collection::vec(
            (0usize..512, prop_oneof![Just(0xffu8), Just(0), any::<u8>()], 1usize..9), 1..6),
        length in prop_oneof![3 => Just(512usize), 1 => 0usize..512],
    ) {
        let mut file = small();
        for (at, byte, count) in hits {
            let end = (at + count).min(file.len());
            file[at..end].fill(byte);
        }
        file.truncate(length);
        if let Some(facts) = of_bytes(&file) {
            prop_assert!(facts.machine.len() < 20);
            prop_assert!(facts.build_id.flatten().is_none_or(|id| id.len() <= 128));
            prop_assert!(facts.interpreter.flatten().is_none_or(|path| path.len() <= 4096 * 3));
        }
    }

    #[test]
    fn garbage_behind_a_header_is_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut file = small()[..64].to_vec();
        file.extend(bytes);
        prop_assert!(of_bytes(&file).is_some());
    }
}
