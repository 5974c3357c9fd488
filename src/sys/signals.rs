//! Signals of clonespy itself, and signals sent.

use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;
use std::{io, mem, process, ptr};

/// What the process had inherited before Rust's runtime changed it (it ignores SIGPIPE, and opens
/// /dev/null on closed standard descriptors): the traced program gets it back.
pub(super) struct Inherited {
    /// Bit `n - 1`: signal `n` was ignored.
    pub ignored: u64,
    /// Bit `n - 1`: signal `n` was blocked.
    pub blocked: u64,
    /// Bit `n`: descriptor `n` (0 to 2) was closed.
    pub closed: u8,
}

static IGNORED: AtomicU64 = AtomicU64::new(0);
static BLOCKED: AtomicU64 = AtomicU64::new(0);
static CLOSED: AtomicU8 = AtomicU8::new(0);

/// Runs before `main`, and so before Rust's runtime: the dynamic loader (or the static start code)
/// calls every function of `.init_array`.
#[used]
#[unsafe(link_section = ".init_array")]
static CAPTURE: extern "C" fn() = capture;

extern "C" fn capture() {
    let mut ignored = 0;
    for signal in 1..=64 {
        // SAFETY: sigaction with a null new action only reads the present one into `action`.
        let handler = unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            if libc::sigaction(signal, ptr::null(), &mut action) < 0 {
                continue;
            }
            action.sa_sigaction
        };
        if handler == libc::SIG_IGN {
            ignored |= 1 << (signal - 1);
        }
    }
    let mut blocked: u64 = 0;
    let mut closed = 0;
    // SAFETY: the kernel's signal set is 64 bits; with a null set the mask is only read. F_GETFD
    // only asks whether a descriptor is open.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            0,
            ptr::null::<u64>(),
            &raw mut blocked,
            8,
        );
        for fd in 0..3 {
            if libc::fcntl(fd, libc::F_GETFD) < 0 {
                closed |= 1 << fd;
            }
        }
    }
    IGNORED.store(ignored, Ordering::Relaxed);
    BLOCKED.store(blocked, Ordering::Relaxed);
    CLOSED.store(closed, Ordering::Relaxed);
}

pub(super) fn inherited() -> Inherited {
    Inherited {
        ignored: IGNORED.load(Ordering::Relaxed),
        blocked: BLOCKED.load(Ordering::Relaxed),
        closed: CLOSED.load(Ordering::Relaxed),
    }
}

/// Sets a signal's disposition (`SIG_DFL` or `SIG_IGN`).
pub(super) fn set_disposition(signal: i32, disposition: libc::sighandler_t) {
    // SAFETY: no handler of ours is installed; a number that cannot be changed is refused.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = disposition;
        libc::sigaction(signal, &action, ptr::null_mut());
    }
}

/// Sets the calling thread's signal mask, bit `n - 1` for signal `n`.
pub(super) fn set_mask(mask: u64) {
    // SAFETY: the kernel's signal set is 64 bits and is only read.
    unsafe {
        let none = ptr::null_mut::<u64>();
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const mask,
            none,
            8,
        );
    }
}

const SIGCHLD_BIT: u64 = 1 << (libc::SIGCHLD - 1);

/// Blocks SIGCHLD in the calling thread and makes sure that it is sent at all, so that
/// [`take_sigchld`] can wait for it. Only for a program that owns its signals.
pub fn block_sigchld() {
    // Ignored, it would never be queued (kernel/signal.c, do_notify_parent_cldstop).
    set_disposition(libc::SIGCHLD, libc::SIG_DFL);
    // SAFETY: the kernel's signal set is 64 bits and is only read.
    unsafe {
        let (set, none) = (SIGCHLD_BIT, ptr::null_mut::<u64>());
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_BLOCK,
            &raw const set,
            none,
            8,
        );
    }
}

/// Waits for a SIGCHLD and says whose it is; `None` when the time is over or a handler ran.
pub fn take_sigchld(timeout: Duration) -> Option<i32> {
    let limit = libc::timespec {
        tv_sec: timeout.as_secs().min(3600).cast_signed(),
        tv_nsec: i64::from(timeout.subsec_nanos()),
    };
    // SAFETY: all pointers are to live locals; siginfo_t is plain data, and for SIGCHLD its pid is
    // filled in.
    unsafe {
        let mut info: libc::siginfo_t = mem::zeroed();
        let (set, info_at) = (SIGCHLD_BIT, &raw mut info);
        let got = libc::syscall(
            libc::SYS_rt_sigtimedwait,
            &raw const set,
            info_at,
            &raw const limit,
            size_of::<u64>(),
        );
        (got == i64::from(libc::SIGCHLD)).then(|| info.si_pid())
    }
}

/// Whom the handler forwards to; 0: nobody.
static PROGRAM: AtomicI32 = AtomicI32::new(0);

extern "C" fn forward(signal: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let program = PROGRAM.load(Ordering::Relaxed);
    // SAFETY: the kernel passes a valid siginfo; kill is async-signal-safe. A signal that the
    // terminal sent (SI_KERNEL, positive) went to the program as well; one that somebody sent to
    // clonespy alone is meant for what it runs.
    unsafe {
        if program > 0 && (*info).si_code <= 0 {
            libc::kill(program, signal);
        }
    }
}

/// From now on signals that would end clonespy go to the program instead, so that it decides, as
/// it would alone. 0 ends the forwarding: to be called before that pid is reaped.
pub fn forward_signals_to(program: i32) {
    if PROGRAM.swap(program, Ordering::Relaxed) != 0 || program == 0 {
        return;
    }
    let ending = [
        libc::SIGINT,
        libc::SIGQUIT,
        libc::SIGTERM,
        libc::SIGHUP,
        libc::SIGUSR1,
        libc::SIGUSR2,
        libc::SIGALRM,
    ];
    let ignored = inherited().ignored;
    for signal in ending {
        if ignored & (1 << (signal - 1)) != 0 {
            continue;
        }
        // SAFETY: `forward` is async-signal-safe. No SA_RESTART: a wait is to notice.
        unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = forward as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO;
            libc::sigaction(signal, &action, ptr::null_mut());
        }
    }
    // A report written while the program has the terminal must not stop us (tty_check_change).
    set_disposition(libc::SIGTTOU, libc::SIG_IGN);
}

/// Whether `tid` belongs to the thread group `tgid`; a zombie still does. One system call of some
/// 0.2 µs, where /proc takes twenty times as long (tgkill(2): ESRCH when it does not).
pub fn same_group(tgid: i32, tid: i32) -> bool {
    // SAFETY: signal 0 sends nothing.
    let result = unsafe { libc::syscall(libc::SYS_tgkill, tgid, tid, 0) };
    result == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

/// Kills the process of a task.
pub fn kill(tid: i32) {
    // SAFETY: an integer pid; a task that is gone is refused.
    unsafe { libc::kill(tid, libc::SIGKILL) };
}

/// Ends this process by a signal, without a core file of its own.
pub fn die_by(signal: i32) -> ! {
    // SAFETY: plain system calls on this process; the limit's address is live.
    unsafe {
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        set_disposition(signal, libc::SIG_DFL);
        set_mask(0);
        libc::kill(libc::getpid(), signal);
    }
    // A signal whose default is not to kill (it cannot have killed the program either).
    process::exit(125)
}
