//! Calls decoded from registers and memory made by hand.

use super::*;
use crate::abi::ABIS;
use crate::event::Stack;
use crate::peek::testing::{Recorded, i386, x86_64};

mod properties;

const CLONE3: u64 = 435;
const BLOCK: u64 = 0x7fff_0000;

fn decoded(task: &Recorded, call: &Syscall) -> Decoded {
    decode(task, call).expect("a call that is known")
}

/// x86-64's legacy clone: flags, stack, parent_tid, child_tid, tls.
fn legacy_call(flags: u64) -> Decoded {
    decoded(
        &Recorded::new(),
        &x86_64(56, [flags, 0x1000, 0x2000, 0x3000, 0x4000, 0x5000]),
    )
}

/// clone3 with a block of these words, of which it passes `size` bytes.
fn clone3_call(words: &[u64], size: u64) -> Decoded {
    let task = Recorded::new().with_words(BLOCK, words);
    decoded(&task, &x86_64(CLONE3, [BLOCK, size, 0, 0, 0, 0]))
}

fn flags_of(decoded: &Decoded) -> String {
    decoded.request.flags.join("|")
}

#[test]
fn glibc_thread_through_clone3() {
    let words = [0x003d_0f00, 0, 0x10, 0x20, 0, 0x7000, 0x800, 0x30, 0, 0, 0];
    let got = clone3_call(&words, 88);
    let request = &got.request;
    assert_eq!(
        (request.abi.as_str(), request.call),
        ("x86_64", Call::Clone3)
    );
    assert_eq!(
        flags_of(&got),
        "CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|CLONE_SETTLS\
         |CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID"
    );
    assert_eq!(request.flags_raw, Some(Hex(0x003d_0f00)));
    assert_eq!(request.flags_unknown, None);
    assert!(request.flags_ignored.is_empty());
    assert_eq!(request.exit_signal, Some(None));
    assert_eq!(request.exit_signal_raw, Some(Hex(0)));
    let expected = CallArgs {
        stack: Some(Hex(0x7000)),
        stack_size: Some(Hex(0x800)),
        tls: Some(Hex(0x30)),
        parent_tid: Some(Hex(0x20)),
        child_tid: Some(Hex(0x10)),
        size: Some(88),
        ..CallArgs::default()
    };
    assert_eq!(request.args, expected);
    assert_eq!(request.args_error, None);
    assert_eq!(got.flags, CloneFlags(0x003d_0f00));
    assert_eq!((got.parent_tid_at, got.pidfd_at), (Some(0x20), None));
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    assert_eq!(got.block, Some(bytes));
    assert_eq!(
        request.raw,
        Some(RawCall {
            nr: CLONE3,
            args: [BLOCK, 88, 0, 0, 0, 0].map(Hex)
        })
    );
}

#[test]
fn musl_thread_through_clone() {
    let got = legacy_call(0x007d_0f00);
    assert_eq!(got.request.flags_raw, Some(Hex(0x007d_0f00)));
    assert_eq!(got.request.flags_ignored, ["CLONE_DETACHED"]);
    assert_eq!(got.request.exit_signal, Some(None));
    assert_eq!(got.flags, CloneFlags(0x003d_0f00));
    let expected = CallArgs {
        stack: Some(Hex(0x1000)),
        tls: Some(Hex(0x4000)),
        parent_tid: Some(Hex(0x2000)),
        child_tid: Some(Hex(0x3000)),
        ..CallArgs::default()
    };
    assert_eq!(got.request.args, expected);
    assert_eq!(got.block, None);
}

#[test]
fn glibc_fork_through_clone() {
    let call = x86_64(56, [0x0120_0011, 0, 0, 0x7f00_0000_0010, 0, 9]);
    let got = decoded(&Recorded::new(), &call);
    assert_eq!(flags_of(&got), "CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID");
    assert_eq!(got.request.flags_raw, Some(Hex(0x0120_0000)));
    assert_eq!(got.request.exit_signal, Some(Some("SIGCHLD".to_owned())));
    assert_eq!(got.request.exit_signal_raw, Some(Hex(17)));
    // No stack: the child goes on with a copy of the caller's stack pointer. No tls: no flag for it.
    let expected = CallArgs {
        child_tid: Some(Hex(0x7f00_0000_0010)),
        ..CallArgs::default()
    };
    assert_eq!(got.request.args, expected);
}

#[test]
fn fork_and_vfork_are_what_the_kernel_passes_on() {
    let got = decoded(&Recorded::new(), &x86_64(57, [1, 2, 3, 4, 5, 6]));
    assert_eq!(got.request.call, Call::Fork);
    assert!(got.request.flags.is_empty());
    assert_eq!(got.request.flags_raw, Some(Hex(0)));
    assert_eq!(got.request.exit_signal, Some(Some("SIGCHLD".to_owned())));
    assert_eq!(got.request.exit_signal_raw, Some(Hex(17)));
    assert_eq!(got.request.args, CallArgs::default());
    assert_eq!(got.flags, CloneFlags(0));

    let got = decoded(&Recorded::new(), &x86_64(58, [1, 2, 3, 4, 5, 6]));
    assert_eq!(got.request.call, Call::Vfork);
    assert_eq!(flags_of(&got), "CLONE_VM|CLONE_VFORK");
    assert_eq!(got.request.flags_raw, Some(Hex(0x4100)));
    assert_eq!(got.request.exit_signal, Some(Some("SIGCHLD".to_owned())));
    assert_eq!(got.flags, CloneFlags(0x4100));
    assert_eq!(got.request.args, CallArgs::default());
}

#[test]
fn sigchld_has_the_number_of_the_abi() {
    for abi in ABIS {
        let Some(nr) = abi.fork else { continue };
        let call = Syscall {
            arch: abi.audit_arch,
            ..x86_64(nr, [0; 6])
        };
        let got = decoded(&Recorded::new(), &call).request;
        let expected = match abi.name {
            "alpha" | "sparc" | "sparc64" => 20,
            "parisc" => 18,
            mips if mips.starts_with("mips") => 18,
            _ => 17,
        };
        assert_eq!(got.exit_signal_raw, Some(Hex(expected)), "{}", abi.name);
        assert_eq!(got.exit_signal, Some(Some("SIGCHLD".to_owned())));
    }
}

#[test]
fn legacy_clone_takes_any_exit_signal() {
    for (number, name) in [
        (64, Some("SIGRT_32")),
        (65, None),
        (0x80 | 17, None),
        (255, None),
    ] {
        let got = legacy_call(number);
        assert_eq!(got.request.exit_signal_raw, Some(Hex(number)));
        // Absent, not null: a number that no signal has is not "none".
        assert_eq!(
            got.request.exit_signal,
            name.map(|name| Some(name.to_owned())),
            "{number}"
        );
        assert!(got.request.flags.is_empty());
    }
}

#[test]
fn legacy_clone_ignores_bits_that_clone3_takes() {
    let got = legacy_call(0x8000_0001_0000_0100);
    assert_eq!(flags_of(&got), "CLONE_VM");
    assert_eq!(got.request.flags_raw, Some(Hex(0x8000_0001_0000_0100)));
    assert_eq!(got.request.flags_ignored, ["CLONE_CLEAR_SIGHAND"]);
    assert_eq!(got.request.flags_unknown, Some(Hex(1 << 63)));
    assert_eq!(got.flags, CLONE_VM);

    let got = clone3_call(&[0x8000_0001_0000_0180, 0, 0, 0, 17, 0, 0, 0], 64);
    assert_eq!(flags_of(&got), "CLONE_NEWTIME|CLONE_VM|CLONE_CLEAR_SIGHAND");
    assert!(got.request.flags_ignored.is_empty());
    assert_eq!(got.request.flags_unknown, Some(Hex(1 << 63)));
    assert_eq!(got.request.exit_signal, Some(Some("SIGCHLD".to_owned())));
    assert_eq!(got.flags, CloneFlags(0x8000_0001_0000_0180));
}

/// aarch64's vfork of glibc passes the stack pointer that it has: `mov x1, sp`.
#[test]
fn the_callers_own_stack_is_told_from_another() {
    let at = |stack| {
        let call = Syscall {
            arch: 0xc000_00b7,
            sp: 0x7ff0,
            ..x86_64(220, [0x4111, stack, 0, 0, 0, 0])
        };
        decoded(&Recorded::new(), &call).request.args
    };
    assert_eq!(at(0x7ff0).begins_on(), Stack::Callers);
    assert_eq!(at(0x7ff0).stack, Some(Hex(0x7ff0)));
    assert_eq!(at(0x8000).begins_on(), Stack::Given);
    assert_eq!(at(0).begins_on(), Stack::Zero);
}

#[test]
fn a_signal_in_clone3s_flags_is_no_signal() {
    let got = clone3_call(&[17, 0, 0, 0, 0, 0, 0, 0], 64);
    assert!(got.request.flags.is_empty());
    assert_eq!(got.request.flags_raw, Some(Hex(17)));
    assert_eq!(got.request.flags_unknown, Some(Hex(17)));
    assert_eq!(got.request.exit_signal, Some(None));
}

#[test]
fn clone3_exit_signals_beyond_any() {
    for number in [65, 256, 0x1_0000_0011, u64::MAX] {
        let got = clone3_call(&[0, 0, 0, 0, number, 0, 0, 0], 64);
        assert_eq!(got.request.exit_signal_raw, Some(Hex(number)));
        assert_eq!(got.request.exit_signal, None);
    }
}

#[test]
fn legacy_pidfd_comes_back_through_parent_tid() {
    let got = legacy_call(CLONE_PIDFD.0 | 17);
    assert_eq!(got.request.args.pidfd, Some(Hex(0x2000)));
    assert_eq!(got.request.args.parent_tid, None);
    assert_eq!((got.parent_tid_at, got.pidfd_at), (None, Some(0x2000)));

    let flags = CLONE_PIDFD.union(CLONE_PARENT_SETTID).0;
    let got = clone3_call(&[flags, 0x10, 0x20, 0x30, 17, 0, 0, 0], 64);
    assert_eq!(got.request.args.pidfd, Some(Hex(0x10)));
    assert_eq!(got.request.args.parent_tid, Some(Hex(0x30)));
    assert_eq!(got.request.args.child_tid, None);
}

#[test]
fn what_the_kernel_wrote_is_read_back() {
    let flags = CLONE_PIDFD.union(CLONE_PARENT_SETTID).0;
    let got = clone3_call(&[flags, 0x10, 0, 0x30, 17, 0, 0, 0], 64);
    let task = Recorded::new()
        .with(0x10, 7_i32.to_ne_bytes())
        .with(0x30, 101_i32.to_ne_bytes());
    let expected = Wrote {
        parent_tid: Some(101),
        pidfd: Some(7),
    };
    assert_eq!(wrote(&task, &got), Some(expected));
    // The kernel ignores a bad address for the tid, and so do we.
    let task = Recorded::new().with(0x10, 7_i32.to_ne_bytes());
    let expected = Wrote {
        parent_tid: None,
        pidfd: Some(7),
    };
    assert_eq!(wrote(&task, &got), Some(expected));
    assert_eq!(wrote(&Recorded::new(), &got), None);
    assert_eq!(wrote(&task, &legacy_call(17)), None);
}

#[test]
fn i386_registers_are_32_bits_wide_and_in_its_order() {
    let upper = 0xdead_beef_0000_0000;
    let call = i386(
        120,
        [
            upper | 0x003d_0f00,
            upper | 0x1000,
            upper | 0x2000,
            upper | 0x4000,
            upper | 0x3000,
            0,
        ],
    );
    let got = decoded(&Recorded::new(), &call);
    assert_eq!(got.request.abi, "i386");
    assert_eq!(got.request.flags_raw, Some(Hex(0x003d_0f00)));
    assert_eq!(got.request.flags_unknown, None);
    assert_eq!(got.request.args.stack, Some(Hex(0x1000)));
    assert_eq!(got.request.args.parent_tid, Some(Hex(0x2000)));
    assert_eq!(got.request.args.child_tid, Some(Hex(0x3000)));
    assert_eq!(got.request.args.tls, Some(Hex(0x4000)));
    // The registers themselves are shown as they were.
    assert_eq!(got.request.raw.unwrap().args[0], Hex(upper | 0x003d_0f00));
}

#[test]
fn i386_has_the_same_block() {
    let task = Recorded::new().with_words(0x1000, &[0x4100, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0]);
    let upper = 0xffff_ffff_0000_0000;
    let got = decoded(&task, &i386(435, [upper | 0x1000, upper | 88, 0, 0, 0, 0]));
    assert_eq!(flags_of(&got), "CLONE_VM|CLONE_VFORK");
    assert_eq!(got.request.args.size, Some(88));
}

#[test]
fn ia64_clone2_has_base_and_size() {
    let call = Syscall {
        arch: 0xc000_0032,
        ..x86_64(1213, [CLONE_SETTLS.0 | 17, 0x1000, 0x800, 2, 3, 4])
    };
    let got = decoded(&Recorded::new(), &call);
    assert_eq!(got.request.call, Call::Clone);
    assert_eq!(got.request.args.stack, Some(Hex(0x1000)));
    assert_eq!(got.request.args.stack_size, Some(Hex(0x800)));
    assert_eq!(got.request.args.tls, Some(Hex(4)));
}

#[test]
fn set_tid_is_read_from_its_array() {
    let words = |count| [0, 0, 0, 0, 17, 0, 0, 0, 0x9000, count, 0];
    let tids: Vec<u8> = [1_i32, 31111, -1]
        .iter()
        .flat_map(|tid| tid.to_ne_bytes())
        .collect();
    let task = |count| {
        Recorded::new()
            .with_words(BLOCK, &words(count))
            .with(0x9000, tids.clone())
    };
    let call = |size| x86_64(CLONE3, [BLOCK, size, 0, 0, 0, 0]);
    let got = decoded(&task(3), &call(80));
    assert_eq!(got.request.args.set_tid, Some(vec![1, 31111, -1]));
    assert_eq!(got.request.args_error, None);
    // A first-version block has no such field.
    assert_eq!(decoded(&task(3), &call(64)).request.args.set_tid, None);
    assert_eq!(decoded(&task(0), &call(80)).request.args.set_tid, None);
    // More than the kernel takes: it refuses the count before it reads.
    for count in [33, u64::MAX] {
        let got = decoded(&task(count), &call(80)).request;
        assert_eq!((got.args.set_tid, got.args_error), (None, None));
    }
    // One entry too many for the memory: the error names where, and the flags stay.
    let got = decoded(&task(4), &call(80)).request;
    assert_eq!(got.args.set_tid, None);
    assert_eq!(got.flags_raw, Some(Hex(0)));
    let error = got.args_error.unwrap();
    assert_eq!(
        (error.errno.as_str(), error.what.as_str()),
        ("EFAULT", "set_tid")
    );
    assert_eq!(error.address, Hex(0x9000));
}

#[test]
fn cgroup_needs_its_flag_and_a_block_that_has_it() {
    let words = |flags| [flags, 0, 0, 0, 17, 0, 0, 0, 0, 0, 5];
    let cgroup = |flags, size| clone3_call(&words(flags), size).request.args.cgroup;
    assert_eq!(cgroup(CLONE_INTO_CGROUP.0, 88), Some(Hex(5)));
    assert_eq!(cgroup(CLONE_INTO_CGROUP.0, 80), Some(Hex(0)));
    assert_eq!(cgroup(0, 88), None);
}

#[test]
fn sizes_that_the_kernel_refuses_unread() {
    for size in [0, 8, 63, 4097, 1 << 52] {
        let got = clone3_call(&[0x100; 1024], size).request;
        assert_eq!(got.args.size, Some(size));
        assert_eq!((got.flags_raw, got.args_error), (None, None), "{size}");
        assert_eq!((got.exit_signal, got.exit_signal_raw), (None, None));
    }
    // Where nothing can be read: the kernel has not tried, so that is no reason of a failure.
    let short = Recorded::new();
    let got = decoded(&short, &x86_64(CLONE3, [BLOCK, 8, 0, 0, 0, 0])).request;
    assert_eq!(got.args_error, None);
    for size in [1 << 53, u64::MAX] {
        let got = clone3_call(&[0x100; 11], size).request;
        assert_eq!(got.args, CallArgs::default());
        assert_eq!(got.raw.unwrap().args[1], Hex(size));
    }
    let got = clone3_call(&[0x100; 1024], 4096).request;
    assert_eq!(got.flags_raw, Some(Hex(0x100)));
}

#[test]
fn larger_pages_allow_larger_blocks() {
    let mut words = vec![0; 1024];
    words[0] = 0x100;
    let call = x86_64(CLONE3, [BLOCK, 8192, 0, 0, 0, 0]);
    let task = Recorded::new().with_words(BLOCK, &words);
    let pages = |auxv: Vec<u8>| {
        let task = task.clone().with_file("auxv", auxv);
        decoded(&task, &call).request.flags_raw
    };
    let wide = |size: u64| -> Vec<u8> {
        [33, 0x7ffd_0000_1000, 6, size, 0, 0]
            .iter()
            .flat_map(|word: &u64| word.to_ne_bytes())
            .collect()
    };
    let narrow: Vec<u8> = [32_u32, 0xf7f0_1000, 6, 65536, 0, 0]
        .iter()
        .flat_map(|word| word.to_ne_bytes())
        .collect();
    assert_eq!(pages(wide(65536)), Some(Hex(0x100)));
    assert_eq!(pages(narrow), Some(Hex(0x100)));
    assert_eq!(pages(wide(4096)), None);
    // Nonsense: no page has such a size.
    assert_eq!(pages(wide(65537)), None);
    assert_eq!(pages(vec![6; 7]), None);
    assert_eq!(decoded(&task, &call).request.flags_raw, None);
}

#[test]
fn an_unreadable_block_is_an_error_and_not_empty_flags() {
    let got = decoded(&Recorded::new(), &x86_64(CLONE3, [0x10, 88, 0, 0, 0, 0]));
    let request = &got.request;
    let expected = ArgsError {
        errno: "EFAULT".to_owned(),
        address: Hex(0x10),
        what: "struct clone_args".to_owned(),
    };
    assert_eq!(request.args_error, Some(expected));
    assert!(request.flags.is_empty());
    assert_eq!(request.flags_raw, None);
    assert_eq!(
        (&request.exit_signal, request.exit_signal_raw),
        (&None, None)
    );
    assert_eq!(request.args.size, Some(88));
    assert_eq!((got.flags, got.block), (CloneFlags(0), None));
}

#[test]
fn a_block_that_runs_into_nothing_is_unreadable_as_a_whole() {
    // 40 bytes before the end of a page, and no page behind it.
    let task = Recorded::new().with(0x1fd8, vec![1; 40]);
    let got = decoded(&task, &x86_64(CLONE3, [0x1fd8, 88, 0, 0, 0, 0]));
    assert_eq!(got.request.flags_raw, None);
    assert_eq!(got.request.args_error.unwrap().address, Hex(0x2000));
}

#[test]
fn errors_other_than_a_fault_keep_their_name() {
    for (number, name) in [(3, "ESRCH"), (1, "EPERM"), (4000, "4000")] {
        let task = Recorded::new().failing(number);
        let got = decoded(&task, &x86_64(CLONE3, [BLOCK, 88, 0, 0, 0, 0]));
        let error = got.request.args_error.unwrap();
        assert_eq!((error.errno.as_str(), error.address), (name, Hex(BLOCK)));
    }
}

#[test]
fn tails_are_shown_if_they_say_something() {
    let mut words = [0; 13];
    words[0] = 0x100;
    let quiet = clone3_call(&words, 104);
    assert_eq!(quiet.request.args.unknown_tail, None);
    assert_eq!(quiet.request.args.size, Some(104));
    assert_eq!(quiet.block.unwrap().len(), 104);
    words[12] = u64::from_ne_bytes([0, 0, 0, 0, 0, 0, 0, 0xab]);
    let loud = clone3_call(&words, 104);
    assert_eq!(
        loud.request.args.unknown_tail.as_deref(),
        Some("000000000000000000000000000000ab")
    );
    assert_eq!(loud.request.flags_raw, Some(Hex(0x100)));
}

#[test]
fn an_unreadable_tail_leaves_the_flags() {
    let at = 0x2000 - 88;
    let task = Recorded::new().with_words(at, &[0x100, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0]);
    let got = decoded(&task, &x86_64(CLONE3, [at, 96, 0, 0, 0, 0]));
    assert_eq!(flags_of(&got), "CLONE_VM");
    let error = got.request.args_error.unwrap();
    assert_eq!(
        (error.errno.as_str(), error.address),
        ("EFAULT", Hex(0x2000))
    );
    assert_eq!(got.block, None);
}

#[test]
fn a_block_at_the_end_of_the_address_space() {
    let call = x86_64(CLONE3, [u64::MAX - 10, 4096, 0, 0, 0, 0]);
    let error = decoded(&Recorded::new(), &call).request.args_error;
    assert_eq!(error.unwrap().address, Hex(u64::MAX - 10));
}

#[test]
fn other_calls_and_architectures_are_none_of_ours() {
    let task = Recorded::new();
    assert_eq!(decode(&task, &x86_64(59, [0; 6])), None);
    assert_eq!(decode(&task, &x86_64(u64::MAX, [0; 6])), None);
    let unknown = Syscall {
        arch: 0xdead_beef,
        ..x86_64(56, [0; 6])
    };
    assert_eq!(decode(&task, &unknown), None);
}
