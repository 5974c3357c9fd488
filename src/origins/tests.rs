use super::*;
use crate::abi::rules::{Arguments, Kernel, Version, judge};
use crate::abi::testing::is_translated;

fn name(call: Call, flags: u64, signal: u64, given: bool) -> Option<&'static str> {
    let stack = if given { Stack::Given } else { Stack::Zero };
    likely(call, flags, signal, stack).map(|row| row.name)
}

#[test]
fn what_libraries_pass_is_recognised() {
    use Call::{Clone, Clone3, Fork, Vfork};
    let thread = Some("pthread_create");
    assert_eq!(name(Clone3, 0x003d_0f00, 0, true), thread);
    assert_eq!(name(Clone, 0x003d_0f00, 0, true), thread);
    assert_eq!(name(Clone, 0x007d_0f00, 0, true), thread);
    assert_eq!(name(Clone, 0x0120_0000, 17, false), Some("fork"));
    assert_eq!(name(Clone, 0, 17, false), Some("fork"));
    assert_eq!(name(Fork, 0, 17, false), Some("fork"));
    assert_eq!(name(Vfork, 0x4100, 17, false), Some("vfork"));
    assert_eq!(name(Vfork, 0, 0, false), Some("vfork"));
    assert_eq!(name(Clone3, 0x4100, 17, true), Some("posix_spawn"));
    assert_eq!(name(Clone3, 0x1_0000_4100, 17, true), Some("posix_spawn"));
    assert_eq!(name(Clone3, 0x3_0000_4100, 17, true), Some("posix_spawn"));
    assert_eq!(name(Clone, 0x4100, 17, true), Some("posix_spawn"));
    assert_eq!(name(Clone3, 0x1_0000_5100, 17, true), Some("pidfd_spawn"));
    assert_eq!(name(Clone, 0x000d_0f00, 0, true), Some("newosproc"));
    assert_eq!(name(Clone, 0x0400_4100, 17, false), Some("forkExec"));
}

/// aarch64 and riscv64 have no call vfork: glibc's makes a clone on the caller's own stack pointer.
#[test]
fn the_stack_tells_vfork_from_posix_spawn() {
    let name = |stack| likely(Call::Clone, 0x4100, 17, stack).map(|row| row.name);
    assert_eq!(name(Stack::Callers), Some("vfork"));
    assert_eq!(name(Stack::Given), Some("posix_spawn"));
}

#[test]
fn nothing_is_claimed_where_rows_disagree_or_none_fits() {
    // Go's os/exec and the C libraries' vfork without a call of its own.
    assert_eq!(name(Call::Clone, 0x4100, 17, false), None);
    assert_eq!(name(Call::Clone, 0x003d_0f00, 0, false), None);
    assert_eq!(name(Call::Clone, 0x003d_0f00, 17, true), None);
    assert_eq!(name(Call::Clone3, 0x007d_0f00, 0, true), None);
    assert_eq!(name(Call::Clone, 0, 0, false), None);
    // What a row's caller may add does not stand for what the row itself passes.
    assert_eq!(name(Call::Clone, 0x0400_0000, 17, false), None);
    assert_eq!(name(Call::Clone, 0x0420_4100, 17, false), None);
    // Go's os/exec, and many a sandbox.
    assert_eq!(name(Call::Clone, 0x1000_0000, 17, false), None);
    // Go shares no memory with a child that gets a user namespace.
    assert_eq!(name(Call::Clone, 0x1000_4100, 17, false), None);
}

#[test]
fn patterns_are_the_rows_of_a_function() {
    assert_eq!(pattern("pthread_create").count(), 3);
    assert_eq!(pattern("nobody").count(), 0);
    for name in names() {
        assert!(pattern(name).count() > 0);
    }
    assert_eq!(names().iter().filter(|name| **name == "fork").count(), 1);
}

#[test]
fn every_row_is_complete_and_passes_what_kernels_accept() {
    let kernel = Kernel::generic(Version(6, 18, 0));
    for row in ORIGINS {
        for text in [row.name, row.source] {
            assert!(!text.is_empty(), "{row:?}");
        }
        for text in [row.library, row.serves] {
            assert!(!text.is_empty() && is_translated(text), "{row:?}");
        }
        assert_eq!(row.flags.unknown(), CloneFlags(0), "{row:?}");
        assert_eq!(row.may.unknown(), CloneFlags(0), "{row:?}");
        let arguments = Arguments::of_flags(row.call, row.flags.0, row.exit_signal);
        let refused = judge(&arguments, &kernel).map(|rule| rule.id);
        assert_eq!(refused, None, "{row:?}");
    }
}
