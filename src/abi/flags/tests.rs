use super::*;
use crate::abi::Lang;
use crate::abi::testing::{defines, header, is_translated};
use proptest::prelude::*;

/// clone-only bits of a word: everything that is not the exit signal.
const PTHREAD: u64 = 0x003d_0f00;

#[test]
fn rows_are_single_bits_in_order() {
    assert!(FLAGS.is_sorted_by(|a, b| a.bits < b.bits));
    for flag in FLAGS {
        assert_eq!(flag.bits.count_ones(), 1, "{}", flag.name);
        assert!(flag.name.starts_with("CLONE_"), "{}", flag.name);
        for text in [flag.decided_by, flag.since, flag.source] {
            assert!(!text.is_empty(), "{}", flag.name);
        }
        for text in [flag.object, flag.set, flag.clear] {
            assert!(!text.is_empty() && is_translated(text), "{}", flag.name);
        }
        for text in [flag.verb, flag.what, flag.meaning] {
            assert!(!text.is_empty(), "{}", flag.name);
            assert!(!text.pick(Lang::Chinese).is_ascii(), "{}", flag.name);
        }
    }
    // All bits from CLONE_NEWTIME up to the newest of 7.2 are taken.
    let all = FLAGS.iter().fold(0, |all, flag| all | flag.bits);
    assert_eq!(all & 0x3f_ffff_ffff, 0x3f_ffff_ff80);
}

#[test]
fn only_what_is_not_shared_is_copied() {
    let copied = |flags: CloneFlags| -> Vec<_> {
        let rows = flags.pieces_copied().into_iter();
        rows.map(|(_, copied)| copied.pick(Lang::English)).collect()
    };
    assert_eq!(
        copied(CLONE_VM.union(CLONE_CLEAR_SIGHAND)),
        ["descriptor table", "root/cwd/umask"]
    );
    assert!(copied(CloneFlags(u64::MAX)).is_empty());
    assert_eq!(copied(CloneFlags(0)).len(), 4);
}

#[test]
fn a_name_is_of_one_flag() {
    assert_eq!(CLONE_VM.name(), Some("CLONE_VM"));
    assert!(CLONE_FS.is_named("CLONE_FS") && !CLONE_FS.is_named("CLONE_VM"));
    assert_eq!(CLONE_VM.union(CLONE_FS).name(), None);
}

#[test]
fn flags_agree_with_the_installed_header() {
    let Some(text) = header(&["/usr/include/linux/sched.h"]) else {
        return;
    };
    let defined: Vec<_> = defines(&text, "CLONE_")
        .into_iter()
        .filter(|(name, _)| !name.starts_with("CLONE_ARGS_SIZE"))
        .collect();
    assert!(defined.len() >= 26, "{}", defined.len());
    for (name, value) in defined {
        assert_eq!(named(&name).map(|flag| flag.bits), Some(value), "{name}");
    }
    let sizes = defines(&text, "CLONE_ARGS_SIZE_VER");
    for (name, size) in sizes {
        let known = match name.as_str() {
            "CLONE_ARGS_SIZE_VER0" => crate::abi::args::SIZE_VER0,
            "CLONE_ARGS_SIZE_VER1" => crate::abi::args::SIZE_VER1,
            "CLONE_ARGS_SIZE_VER2" => crate::abi::args::SIZE_VER2,
            _ => panic!("a new version of struct clone_args: {name}"),
        };
        assert_eq!(u64::try_from(known).unwrap(), size, "{name}");
    }
    assert_eq!(defines(&text, "CSIGNAL"), [("CSIGNAL".to_owned(), CSIGNAL)]);
}

#[test]
fn which_call_does_what() {
    for flag in FLAGS {
        let newtime = flag.flags() == CLONE_NEWTIME;
        let detached = flag.flags() == CLONE_DETACHED;
        let expected = match flag.bits {
            _ if newtime => Use::OtherMeaning,
            _ if detached => Use::Ignores,
            low if low <= u64::from(u32::MAX) => Use::Takes,
            _ => Use::Ignores,
        };
        assert_eq!(flag.clone, expected, "{}", flag.name);
        let expected = if detached { Use::Refuses } else { Use::Takes };
        assert_eq!(flag.clone3, expected, "{}", flag.name);
    }
    // Measured with unshare(2) on Linux 6.18.
    let with = |wanted| -> CloneFlags {
        FLAGS
            .iter()
            .filter(|flag| flag.unshare == wanted)
            .fold(CloneFlags(0), |all, flag| all.union(flag.flags()))
    };
    assert_eq!(
        with(Use::Checks),
        CLONE_VM.union(CLONE_SIGHAND).union(CLONE_THREAD)
    );
    assert_eq!(with(Use::Takes), CloneFlags(0x7e06_0680));
}

#[test]
fn senses() {
    let of = |name: &str| named(name).unwrap().sense;
    assert_eq!(of("CLONE_FILES"), Sense::Shares);
    assert_eq!(of("CLONE_NEWNET"), Sense::MakesNew);
    assert_eq!(of("CLONE_EMPTY_MNTNS"), Sense::MakesNew);
    assert_eq!(of("CLONE_VFORK"), Sense::Other);
}

#[test]
fn legacy_clone_of_pthread_create() {
    // musl passes CLONE_DETACHED for every thread, and the kernel ignores it.
    let split = split_clone(PTHREAD | 0x0040_0000);
    assert_eq!(
        split.effective.to_string(),
        "CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|CLONE_SETTLS\
         |CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID"
    );
    assert_eq!(split.ignored, CLONE_DETACHED);
    assert_eq!((split.unknown, split.exit_signal), (CloneFlags(0), 0));
}

#[test]
fn detached_is_not_ignored_with_pidfd() {
    let both = CLONE_DETACHED.union(CLONE_PIDFD);
    let split = split_clone(both.0 | 17);
    assert_eq!((split.effective, split.ignored), (both, CloneFlags(0)));
}

#[test]
fn legacy_clone_has_a_signal_in_the_low_byte() {
    // Not CLONE_NEWTIME: signal 145.
    let split = split_clone(0x80 | 17);
    assert_eq!(split.exit_signal, 145);
    assert_eq!(split.effective, CloneFlags(0));
    // clone3 has that flag, and no names for the rest of the byte.
    let split = split_clone3(0x80 | 17);
    assert_eq!(split.exit_signal, 0);
    assert_eq!(split.effective, CLONE_NEWTIME);
    assert_eq!(split.unknown, CloneFlags(17));
}

#[test]
fn legacy_clone_ignores_the_upper_half() {
    let split = split_clone(0x8000_0001_0000_0000 | CLONE_VM.0);
    assert_eq!(split.effective, CLONE_VM);
    assert_eq!(split.ignored, CLONE_CLEAR_SIGHAND);
    assert_eq!(split.unknown, CloneFlags(1 << 63));
    let split = split_clone3(0x8000_0001_0000_0000 | CLONE_VM.0);
    assert_eq!(split.effective, CLONE_VM.union(CLONE_CLEAR_SIGHAND));
    assert_eq!(split.ignored, CloneFlags(0));
    assert_eq!(split.unknown, CloneFlags(1 << 63));
}

#[test]
fn clone3_shows_what_it_refuses() {
    let split = split_clone3(CLONE_DETACHED.0);
    assert_eq!(split.effective, CLONE_DETACHED);
}

#[test]
fn display_and_parse() {
    assert_eq!(CloneFlags(0).to_string(), "0");
    assert_eq!(CloneFlags(0x40).to_string(), "0x40");
    assert_eq!(CloneFlags(0x340).to_string(), "CLONE_VM|CLONE_FS|0x40");
    let parse = |text: &str| text.parse::<CloneFlags>().map(|flags| flags.0);
    assert_eq!(parse("CLONE_VM|CLONE_FS|SIGCHLD|0x40"), Ok(0x351));
    assert_eq!(parse("CLONE_VM | CLONE_VFORK | 17"), Ok(0x4111));
    assert_eq!(parse("SIGRT_3"), Ok(35));
    for bad in [
        "",
        "CLONE_VM|",
        "clone_vm",
        "+1",
        "0x+1",
        "0x",
        "-1",
        "CLONE_WARP",
        "0x10000000000000000",
    ] {
        let word = bad.rsplit('|').next().unwrap().to_owned();
        assert_eq!(parse(bad), Err(UnknownFlag(word)), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn what_is_displayed_parses_back(bits: u64) {
        let flags = CloneFlags(bits);
        prop_assert_eq!(flags.to_string().parse(), Ok(flags));
    }

    #[test]
    fn any_text_parses_or_is_an_error(text in ".{0,40}") {
        if let Ok(flags) = text.parse::<CloneFlags>() {
            prop_assert_eq!(flags.to_string().parse(), Ok(flags));
        }
    }

    #[test]
    fn a_split_loses_and_doubles_no_bit(word: u64) {
        for (split, whole) in [(split_clone(word), word & !CSIGNAL), (split_clone3(word), word)] {
            let parts = [split.effective, split.ignored, split.unknown];
            prop_assert_eq!(parts.iter().fold(0, |all, part| all | part.0), whole);
            let count: u32 = parts.iter().map(|part| part.0.count_ones()).sum();
            prop_assert_eq!(count, whole.count_ones());
        }
        prop_assert_eq!(u64::from(split_clone(word).exit_signal), word & CSIGNAL);
    }
}
