//! Which library function passes what: one row per function and way of calling.
//!
//! A request that fits no row comes from nobody known; one that fits rows of several functions is
//! not told apart by its arguments, and nothing is claimed. Tasks that the kernel makes for itself
//! (io_uring's workers, vhost's) come without a call and are not here.

use crate::abi::flags::CloneFlags;
use crate::abi::{Lang, Text, same, text};
use crate::event::{Call, Stack};

/// A library function that asks for tasks, as it asks.
#[derive(Debug, PartialEq, Eq)]
pub struct Origin {
    /// The function's short name, by which checks name it: `pthread_create`, `fork`.
    pub name: &'static str,
    /// The library or runtime, and which versions of it.
    pub library: Text,
    /// The call that it makes.
    pub call: Call,
    /// Every flag that it passes, without exit signal.
    pub flags: CloneFlags,
    /// Flags that its caller may have added.
    pub may: CloneFlags,
    /// The exit signal.
    pub exit_signal: u64,
    /// The child's stack.
    pub stack: Stack,
    /// Whether the request alone points to the function. What many programs write by hand does not.
    pub telling: bool,
    /// Functions and programs that come by this way, for people.
    pub serves: Text,
    /// Where the row was read.
    pub source: &'static str,
}

/// SIGCHLD in the generic numbering; x86, arm, riscv, s390, powerpc and more.
const SIGCHLD: u64 = 17;

/// The flags that `syscall.SysProcAttr.Cloneflags` of Go is used for: namespaces. With a user
/// namespace it shares no memory, and that has rows of its own.
const NAMESPACES: u64 = 0x6e02_0000;
const NEWUSER: u64 = 0x1000_0000;

const ROW: Origin = Origin {
    name: "",
    library: Text::EMPTY,
    call: Call::Clone,
    flags: CloneFlags(0),
    may: CloneFlags(0),
    exit_signal: SIGCHLD,
    stack: Stack::Zero,
    telling: true,
    serves: Text::EMPTY,
    source: "",
};

/// Every row, by function.
pub static ORIGINS: &[Origin] = &[
    Origin {
        name: "pthread_create",
        library: text(
            "glibc 2.34 and later, where it has a clone3 wrapper",
            "glibc 2.34 及以后，且有 clone3 封装",
        ),
        call: Call::Clone3,
        flags: CloneFlags(0x003d_0f00),
        exit_signal: 0,
        stack: Stack::Given,
        serves: text(
            "std::thread of C++ and Rust, threading of Python, cgo",
            "C++ 和 Rust 的 std::thread、Python 的 threading、cgo",
        ),
        source: "glibc: nptl/pthread_create.c",
        ..ROW
    },
    Origin {
        name: "pthread_create",
        library: text(
            "glibc before 2.34, or without a clone3 wrapper; its fall-back; bionic",
            "2.34 之前或没有 clone3 封装的 glibc，及其后备办法；bionic",
        ),
        flags: CloneFlags(0x003d_0f00),
        exit_signal: 0,
        stack: Stack::Given,
        serves: text(
            "std::thread of C++ and Rust, threading of Python, cgo",
            "C++ 和 Rust 的 std::thread、Python 的 threading、cgo",
        ),
        source: "glibc: nptl/pthread_create.c; bionic: libc/bionic/pthread_create.cpp",
        ..ROW
    },
    Origin {
        name: "pthread_create",
        library: same("musl"),
        flags: CloneFlags(0x007d_0f00),
        exit_signal: 0,
        stack: Stack::Given,
        serves: text("every threading library on musl", "musl 上的所有线程库"),
        source: "musl: src/thread/pthread_create.c",
        ..ROW
    },
    Origin {
        name: "fork",
        library: text("glibc and bionic", "glibc 和 bionic"),
        flags: CloneFlags(0x0120_0000),
        serves: text(
            "_Fork, daemon, forkpty; shells, os.fork, multiprocessing, child_process of Node",
            "_Fork、daemon、forkpty；各种 shell、os.fork、multiprocessing、Node 的 child_process",
        ),
        source: "glibc: sysdeps/unix/sysv/linux/arch-fork.h; bionic: libc/bionic/fork.cpp",
        ..ROW
    },
    Origin {
        name: "fork",
        library: text(
            "musl, and system calls made by hand",
            "musl，以及手写的系统调用",
        ),
        call: Call::Fork,
        serves: text("_Fork, daemon", "_Fork、daemon"),
        source: "musl: src/process/_Fork.c",
        ..ROW
    },
    Origin {
        name: "fork",
        library: text(
            "musl, on machines without the call fork",
            "musl，在没有 fork 调用的机器上",
        ),
        serves: text(
            "_Fork, daemon; vfork on machines without its own assembly",
            "_Fork、daemon；没有专门汇编的机器上的 vfork",
        ),
        source: "musl: src/process/_Fork.c",
        ..ROW
    },
    Origin {
        name: "vfork",
        library: text("glibc, musl and bionic", "glibc、musl 和 bionic"),
        call: Call::Vfork,
        flags: CloneFlags(0x4100),
        serves: text(
            "subprocess of Python, dash; bionic's popen",
            "Python 的 subprocess、dash；bionic 的 popen",
        ),
        source: "glibc: sysdeps/unix/sysv/linux/x86_64/vfork.S; musl: src/process/vfork.c",
        ..ROW
    },
    Origin {
        name: "vfork",
        library: text(
            "glibc, on machines without the call vfork",
            "glibc，在没有 vfork 调用的机器上",
        ),
        flags: CloneFlags(0x4100),
        stack: Stack::Callers,
        serves: text("subprocess of Python, dash", "Python 的 subprocess、dash"),
        source: "glibc: sysdeps/unix/sysv/linux/aarch64/vfork.S, riscv/vfork.S",
        ..ROW
    },
    Origin {
        name: "vfork",
        library: text(
            "musl and bionic, on machines without the call vfork",
            "musl 和 bionic，在没有 vfork 调用的机器上",
        ),
        flags: CloneFlags(0x4100),
        serves: text("subprocess of Python, dash", "Python 的 subprocess、dash"),
        source: "musl: src/process/aarch64/vfork.s",
        ..ROW
    },
    Origin {
        name: "posix_spawn",
        library: text(
            "glibc 2.24 to 2.33, or without a clone3 wrapper; musl",
            "glibc 2.24 到 2.33，或没有 clone3 封装；musl",
        ),
        flags: CloneFlags(0x4100),
        stack: Stack::Given,
        serves: text(
            "system, popen; Command of Rust",
            "system、popen；Rust 的 Command",
        ),
        source: "glibc: sysdeps/unix/sysv/linux/spawni.c; musl: src/process/posix_spawn.c",
        ..ROW
    },
    Origin {
        name: "posix_spawn",
        library: text("glibc 2.34 to 2.36", "glibc 2.34 到 2.36"),
        call: Call::Clone3,
        flags: CloneFlags(0x4100),
        stack: Stack::Given,
        serves: text(
            "system, popen; Command of Rust",
            "system、popen；Rust 的 Command",
        ),
        source: "glibc: sysdeps/unix/sysv/linux/spawni.c",
        ..ROW
    },
    Origin {
        name: "posix_spawn",
        library: text("glibc 2.37 and later", "glibc 2.37 及以后"),
        call: Call::Clone3,
        flags: CloneFlags(0x1_0000_4100),
        stack: Stack::Given,
        serves: text(
            "system, popen; Command of Rust",
            "system、popen；Rust 的 Command",
        ),
        source: "glibc: sysdeps/unix/sysv/linux/spawni.c",
        ..ROW
    },
    Origin {
        name: "posix_spawn",
        library: text(
            "glibc 2.39 and later, with posix_spawnattr_setcgroup_np",
            "glibc 2.39 及以后，用了 posix_spawnattr_setcgroup_np",
        ),
        call: Call::Clone3,
        flags: CloneFlags(0x3_0000_4100),
        stack: Stack::Given,
        serves: text(
            "programs that start others in a cgroup",
            "在某个 cgroup 中启动其他程序的程序",
        ),
        source: "glibc: sysdeps/unix/sysv/linux/spawni.c",
        ..ROW
    },
    Origin {
        name: "pidfd_spawn",
        library: text("glibc 2.39 and later", "glibc 2.39 及以后"),
        call: Call::Clone3,
        flags: CloneFlags(0x1_0000_5100),
        may: CloneFlags(0x2_0000_0000),
        stack: Stack::Given,
        serves: text(
            "Command of Rust, where a pidfd is wanted",
            "Rust 的 Command，需要 pidfd 时",
        ),
        source: "glibc: sysdeps/unix/sysv/linux/spawni.c",
        ..ROW
    },
    Origin {
        name: "newosproc",
        library: text("the Go runtime on amd64", "amd64 上的 Go 运行时"),
        flags: CloneFlags(0x000d_0f00),
        exit_signal: 0,
        stack: Stack::Given,
        serves: text("threads that goroutines run on", "运行 goroutine 的线程"),
        source: "Go: src/runtime/os_linux.go, cloneFlags",
        ..ROW
    },
    Origin {
        name: "newosproc",
        library: text("the Go runtime elsewhere", "其他机器上的 Go 运行时"),
        flags: CloneFlags(0x0005_0f00),
        exit_signal: 0,
        stack: Stack::Given,
        serves: text("threads that goroutines run on", "运行 goroutine 的线程"),
        source: "Go: src/runtime/os_linux.go, cloneFlags",
        ..ROW
    },
    Origin {
        name: "forkExec",
        library: text("Go's syscall package", "Go 的 syscall 包"),
        flags: CloneFlags(0x4100),
        may: CloneFlags(NAMESPACES),
        serves: text(
            "os/exec; namespaces by SysProcAttr.Cloneflags",
            "os/exec；由 SysProcAttr.Cloneflags 新建命名空间",
        ),
        source: "Go: src/syscall/exec_linux.go",
        ..ROW
    },
    Origin {
        name: "forkExec",
        library: text(
            "Go's syscall package, 1.23 and later, where a pidfd is wanted",
            "Go 1.23 及以后的 syscall 包，需要 pidfd 时",
        ),
        flags: CloneFlags(0x5100),
        may: CloneFlags(NAMESPACES),
        serves: text("os.StartProcess, os/exec", "os.StartProcess、os/exec"),
        source: "Go: src/syscall/exec_linux.go",
        ..ROW
    },
    Origin {
        name: "forkExec",
        library: text(
            "Go's syscall package, with a user namespace",
            "Go 的 syscall 包，新建用户命名空间时",
        ),
        flags: CloneFlags(NEWUSER),
        may: CloneFlags(NAMESPACES | 0x1000),
        // Sandboxes that call clone themselves pass the same.
        telling: false,
        serves: text(
            "os/exec with SysProcAttr.Cloneflags",
            "os/exec，用了 SysProcAttr.Cloneflags",
        ),
        source: "Go: src/syscall/exec_linux.go",
        ..ROW
    },
    Origin {
        name: "forkExec",
        library: text(
            "Go's syscall package, with UseCgroupFD",
            "Go 的 syscall 包，用了 UseCgroupFD",
        ),
        call: Call::Clone3,
        flags: CloneFlags(0x2_0000_4100),
        may: CloneFlags(NAMESPACES | 0x1080),
        serves: text(
            "os/exec with SysProcAttr.UseCgroupFD",
            "os/exec，用了 SysProcAttr.UseCgroupFD",
        ),
        source: "Go: src/syscall/exec_linux.go",
        ..ROW
    },
    Origin {
        name: "forkExec",
        library: text(
            "Go's syscall package, with a time namespace",
            "Go 的 syscall 包，新建时间命名空间时",
        ),
        call: Call::Clone3,
        flags: CloneFlags(0x4180),
        may: CloneFlags(NAMESPACES | 0x1000),
        serves: text(
            "os/exec with SysProcAttr.Cloneflags",
            "os/exec，用了 SysProcAttr.Cloneflags",
        ),
        source: "Go: src/syscall/exec_linux.go",
        ..ROW
    },
];

impl Origin {
    /// Whether a request is just what this row passes. `flags` are all bits of the flags word
    /// without the exit signal, those included that the kernel ignores.
    pub fn passes(&self, call: Call, flags: u64, exit_signal: u64, stack: Stack) -> bool {
        self.stack == stack && self.passes_flags(call, flags, exit_signal)
    }

    /// The same, with nothing known of the stack.
    pub fn passes_flags(&self, call: Call, flags: u64, exit_signal: u64) -> bool {
        self.call == call
            && CloneFlags(flags).difference(self.may) == self.flags.difference(self.may)
            && CloneFlags(flags).contains(self.flags)
            && self.exit_signal == exit_signal
    }
}

/// The library function behind a request, by its short name: where every row that fits is the same
/// function's, and points to it. fork and vfork pass no flags: give what [`Origin::flags`] has for them, or 0.
pub fn likely(call: Call, flags: u64, exit_signal: u64, stack: Stack) -> Option<&'static Origin> {
    // These two calls have no arguments, so that nothing can differ.
    let mut fitting = ORIGINS.iter().filter(|row| match call {
        Call::Fork | Call::Vfork => row.call == call,
        Call::Clone | Call::Clone3 => row.passes(call, flags, exit_signal, stack),
    });
    let first = fitting.next()?;
    fitting
        .all(|row| row.name == first.name && row.telling)
        .then_some(first)
        .filter(|row| row.telling)
}

/// The rows of the function of this name: what a check means by `is = "pthread_create"`.
pub fn pattern(name: &str) -> impl Iterator<Item = &'static Origin> {
    ORIGINS.iter().filter(move |row| row.name == name)
}

/// The functions, by their short names, by which something of this name comes: `popen` by posix_spawn.
pub fn serving(name: &str) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    // `system, popen; Command of Rust`: names, each perhaps with whose it is.
    let serves = |row: &&Origin| {
        row.serves
            .pick(Lang::English)
            .split([',', ';'])
            .any(|one| one.trim().split(" of ").next() == Some(name))
    };
    for row in ORIGINS.iter().filter(serves) {
        if !found.contains(&row.name) {
            found.push(row.name);
        }
    }
    found
}

/// The names that [`pattern`] knows, each once.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for row in ORIGINS {
        if !names.contains(&row.name) {
            names.push(row.name);
        }
    }
    names
}

#[cfg(test)]
mod tests;
