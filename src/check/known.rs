//! Calls that known C libraries and runtimes make, by the name of what asks for them. An
//! expectation that says `is = "fork"` holds on any of those libraries.

use crate::abi::CloneFlags;
use crate::event::{Call, Request};

/// A way in which some library makes its calls.
struct Way {
    name: &'static str,
    call: Call,
    flags: u64,
    /// What the exit signal is.
    signal: Option<&'static str>,
}

const fn way(name: &'static str, call: Call, flags: u64, signal: Option<&'static str>) -> Way {
    Way {
        name,
        call,
        flags,
        signal,
    }
}

const CHLD: Option<&str> = Some("SIGCHLD");

/// Sources: glibc sysdeps/unix/sysv/linux/{arch-fork.h,spawni.c,clone-internal.c} and
/// nptl/pthread_create.c; musl src/process/{_Fork,vfork,posix_spawn}.c and
/// src/thread/pthread_create.c; bionic libc/bionic/{fork,pthread_create,spawn}.cpp; Go
/// src/runtime/os_linux.go.
static WAYS: &[Way] = &[
    way("fork", Call::Fork, 0, CHLD),
    way("fork", Call::Clone, 0, CHLD),
    // CHILD_SETTID, CHILD_CLEARTID: glibc, bionic.
    way("fork", Call::Clone, 0x0120_0000, CHLD),
    way("vfork", Call::Vfork, 0x4100, CHLD),
    way("vfork", Call::Clone, 0x4100, CHLD),
    way("posix_spawn", Call::Clone3, 0x4100, CHLD),
    way("posix_spawn", Call::Clone, 0x4100, CHLD),
    // CLEAR_SIGHAND: glibc from 2.37; with PIDFD pidfd_spawn, with INTO_CGROUP its cgroup attribute.
    way("posix_spawn", Call::Clone3, 0x1_0000_4100, CHLD),
    way("posix_spawn", Call::Clone3, 0x1_0000_5100, CHLD),
    way("posix_spawn", Call::Clone3, 0x3_0000_4100, CHLD),
    way("posix_spawn", Call::Clone3, 0x3_0000_5100, CHLD),
    way("pthread_create", Call::Clone3, 0x003d_0f00, None),
    way("pthread_create", Call::Clone, 0x003d_0f00, None),
    // DETACHED as well: musl.
    way("pthread_create", Call::Clone, 0x007d_0f00, None),
    way("go thread", Call::Clone, 0x000d_0f00, None),
    way("go thread", Call::Clone, 0x0005_0f00, None),
];

/// The names, each once.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = WAYS.iter().map(|way| way.name).collect();
    names.dedup();
    names
}

/// Whether the call is made as one of the libraries makes it for this name.
pub fn is(name: &str, request: &Request) -> bool {
    let Some(flags) = passed(request) else {
        return false;
    };
    WAYS.iter().any(|way| {
        way.name == name
            && way.call == request.call
            && way.flags == flags.0
            && request.exit_signal.as_ref().map(Option::as_deref) == Some(way.signal)
    })
}

/// The name for which a library makes calls like this one.
pub fn name_of(request: &Request) -> Option<&'static str> {
    names().into_iter().find(|name| is(name, request))
}

/// All bits that were passed, the exit signal left out; `None`: they could not be read.
pub fn passed(request: &Request) -> Option<CloneFlags> {
    request.flags_raw.map(|raw| CloneFlags(raw.0))
}
