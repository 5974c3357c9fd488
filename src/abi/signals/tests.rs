use super::*;
use crate::abi::testing::{defines, header};

const ALL: [&Numbering; 5] = [&GENERIC, &MIPS, &PARISC, &ALPHA, &SPARC];

#[test]
fn names_as_strace_prints_them() {
    assert_eq!(name(1), Some("SIGHUP"));
    assert_eq!(name(17), Some("SIGCHLD"));
    assert_eq!(name(31), Some("SIGSYS"));
    assert_eq!(name(32), Some("SIGRTMIN"));
    assert_eq!(name(35), Some("SIGRT_3"));
    assert_eq!(name(64), Some("SIGRT_32"));
    for missing in [i32::MIN, -1, 0, 65, 128, 145, 255, i32::MAX] {
        assert_eq!(name(missing), None, "{missing}");
    }
    assert_eq!(number("SIGRT_0"), Some(32));
    assert_eq!(number("SIGRT_33"), None);
    assert_eq!(number("CHLD"), None);
}

#[test]
fn every_numbering_names_each_signal_once() {
    for numbering in ALL {
        for value in 1..=numbering.last {
            let name = numbering.name(value).unwrap();
            assert_eq!(numbering.number(name), Some(value), "{numbering:?}");
        }
        assert_eq!(numbering.name(numbering.last + 1), None);
    }
}

#[test]
fn real_time_signals_carry_their_distance() {
    for (distance, name) in REAL_TIME.iter().enumerate().skip(1) {
        assert_eq!(*name, format!("SIGRT_{distance}"));
    }
}

#[test]
fn some_machines_number_differently() {
    // The headers of each architecture in the Linux tree.
    for (numbering, chld, usr1, stop, sys) in [
        (&GENERIC, 17, 10, 19, 31),
        (&MIPS, 18, 16, 23, 12),
        (&PARISC, 18, 16, 24, 31),
        (&ALPHA, 20, 30, 17, 12),
        (&SPARC, 20, 30, 17, 12),
    ] {
        assert_eq!(numbering.number("SIGCHLD"), Some(chld));
        assert_eq!(numbering.number("SIGUSR1"), Some(usr1));
        assert_eq!(numbering.number("SIGSTOP"), Some(stop));
        assert_eq!(numbering.number("SIGSYS"), Some(sys));
        assert_eq!(numbering.number("SIGKILL"), Some(9));
        assert_eq!(numbering.number("SIGSEGV"), Some(11));
    }
    assert_eq!(MIPS.name(128), Some("SIGRT_96"));
}

#[test]
fn names_agree_with_the_installed_headers() {
    // asm/signal.h is that of the machine; the generic one is read where the machine uses it.
    let paths: &[&str] = if cfg!(target_arch = "x86_64") {
        &[
            "/usr/include/x86_64-linux-gnu/asm/signal.h",
            "/usr/include/asm/signal.h",
        ]
    } else {
        &["/usr/include/asm-generic/signal.h"]
    };
    let Some(text) = header(paths) else {
        return;
    };
    let aliases = ["SIGIOT", "SIGLOST", "SIGUNUSED", "SIGPOLL", "SIGSTKSZ"];
    let defined = defines(&text, "SIG");
    assert!(defined.len() >= 31, "{}", defined.len());
    for (text, value) in defined {
        if !aliases.contains(&text.as_str()) {
            let value = i32::try_from(value).unwrap();
            assert_eq!(name(value), Some(text.as_str()));
        }
    }
}
