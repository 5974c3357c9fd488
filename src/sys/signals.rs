//! Signals of clonespy itself, and signals sent.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, Ordering};
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

/// Takes down what was inherited. It has to run before Rust's runtime, and so before `main`: the
/// program asks the dynamic loader (or the static start code) for it by [`before_main`](crate::before_main). In a host
/// program nobody does, and nothing was inherited that `inherited` tells of: there `Command` starts
/// what is traced.
pub extern "C" fn capture() {
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

/// Makes the loader call [`capture`], which is what every function in `.init_array` is for. It stands
/// in the program's source: in a library it would run in every host.
#[doc(hidden)]
#[macro_export]
macro_rules! before_main {
    () => {
        const _: () = {
            #[used]
            #[unsafe(link_section = ".init_array")]
            static CAPTURE: extern "C" fn() = $crate::cli::capture;
        };
    };
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

/// The bit of a signal in the kernel's signal set.
const fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

fn block(set: u64) {
    // SAFETY: the kernel's signal set is 64 bits and is only read.
    unsafe {
        let none = ptr::null_mut::<u64>();
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_BLOCK,
            &raw const set,
            none,
            8,
        );
    }
}

/// A limit that was meant for the program does not end us, and the program with us: beyond
/// RLIMIT_FSIZE a write of ours fails as on a full disk, and a soft RLIMIT_CPU is the program's alone.
/// What clonespy starts gets back what it inherited.
pub fn outlive_limits() {
    for signal in [libc::SIGXFSZ, libc::SIGXCPU] {
        set_disposition(signal, libc::SIG_IGN);
    }
}

/// Blocks SIGCHLD in the calling thread and makes sure that it is sent at all, so that
/// [`take_signal`] can wait for it. Only for a program that owns its signals.
pub fn block_sigchld() {
    // Ignored, it would never be queued (kernel/signal.c, do_notify_parent_cldstop).
    set_disposition(libc::SIGCHLD, libc::SIG_DFL);
    block(bit(libc::SIGCHLD));
}

/// The signals that ask clonespy to end.
const ENDING: u64 = bit(libc::SIGINT) | bit(libc::SIGQUIT) | bit(libc::SIGTERM) | bit(libc::SIGHUP);

/// Blocks SIGCHLD and the signals that ask clonespy to end, in this thread and those that it starts
/// from now on: [`take_signal`] takes them. What was ignored stays ignored.
pub fn block_ending_signals() {
    block_sigchld();
    block(ENDING);
}

/// What [`take_signal`] took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// SIGCHLD, from this task.
    Child(i32),
    /// A signal that asks clonespy to end.
    Ending(i32),
    /// The time is over.
    Nothing,
    /// A handler ran.
    Interrupted,
}

/// Waits for a blocked SIGCHLD, or, with `ending`, for a signal that asks clonespy to end.
pub fn take_signal(ending: bool, timeout: Duration) -> Taken {
    let limit = libc::timespec {
        tv_sec: timeout.as_secs().min(3600).cast_signed(),
        tv_nsec: i64::from(timeout.subsec_nanos()),
    };
    let set = bit(libc::SIGCHLD) | if ending { ENDING } else { 0 };
    // SAFETY: all pointers are to live locals; siginfo_t is plain data, and for SIGCHLD its pid is
    // filled in.
    unsafe {
        let mut info: libc::siginfo_t = mem::zeroed();
        let info_at = &raw mut info;
        let got = libc::syscall(
            libc::SYS_rt_sigtimedwait,
            &raw const set,
            info_at,
            &raw const limit,
            size_of::<u64>(),
        );
        match i32::try_from(got) {
            Ok(libc::SIGCHLD) => Taken::Child(info.si_pid()),
            Ok(signal) if signal > 0 => Taken::Ending(signal),
            _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {
                Taken::Interrupted
            }
            _ => Taken::Nothing,
        }
    }
}

/// Whom the handler forwards to; 0: nobody.
static PROGRAM: AtomicI32 = AtomicI32::new(0);
/// When the terminal last sent SIGINT, in monotonic milliseconds; 0: never.
static LAST_INTERRUPT: AtomicU64 = AtomicU64::new(0);
/// What the handlers have to say to the loop.
static INSISTED: AtomicBool = AtomicBool::new(false);
static TIMED_OUT: AtomicBool = AtomicBool::new(false);

/// Two Ctrl-C within this time end the program and clonespy, whatever the program does.
const INSISTING_MS: u64 = 1000;

/// What a handler wants of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The second Ctrl-C within a second.
    End,
    /// The time that [`alarm_after`] set is over.
    Timeout,
}

/// Takes what a handler wants, once.
pub fn take_wish() -> Option<Wish> {
    if INSISTED.swap(false, Ordering::Relaxed) {
        Some(Wish::End)
    } else if TIMED_OUT.swap(false, Ordering::Relaxed) {
        Some(Wish::Timeout)
    } else {
        None
    }
}

fn monotonic_ms() -> u64 {
    // SAFETY: clock_gettime is async-signal-safe and writes into a live local.
    unsafe {
        let mut now: libc::timespec = mem::zeroed();
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now);
        now.tv_sec.cast_unsigned() * 1000 + now.tv_nsec.cast_unsigned() / 1_000_000
    }
}

extern "C" fn forward(signal: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let program = PROGRAM.load(Ordering::Relaxed);
    // SAFETY: the kernel passes a valid siginfo.
    let from_kernel = unsafe { (*info).si_code > 0 };
    if from_kernel {
        // The terminal sent it to the program as well, which decides what it means.
        let now = monotonic_ms();
        let last = LAST_INTERRUPT.swap(now, Ordering::Relaxed);
        if signal == libc::SIGINT && last != 0 && now.saturating_sub(last) < INSISTING_MS {
            INSISTED.store(true, Ordering::Relaxed);
            // A loop that is just about to wait would not notice: it is woken again.
            alarm_after(Duration::from_millis(50));
        }
    } else if program > 0 {
        // Somebody sent it to clonespy alone: it is meant for what it runs.
        // SAFETY: kill(2) is async-signal-safe and takes two integers.
        unsafe { libc::kill(program, signal) };
    }
}

extern "C" fn on_alarm(_: i32) {
    TIMED_OUT.store(true, Ordering::Relaxed);
}

/// Wakes the loop after this time with [`Wish::Timeout`], and every 100 ms from then on, so that a
/// loop that was just about to wait is woken too.
pub fn alarm_after(time: Duration) {
    let timer = libc::itimerval {
        it_interval: libc::timeval {
            tv_sec: 0,
            tv_usec: 100_000,
        },
        it_value: libc::timeval {
            tv_sec: time.as_secs().cast_signed(),
            tv_usec: i64::from(time.subsec_micros()).max(1),
        },
    };
    // SAFETY: the handler only stores a flag; setitimer(2) reads a live local.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = on_alarm as *const () as usize;
        libc::sigaction(libc::SIGALRM, &action, ptr::null_mut());
        libc::syscall(
            libc::SYS_setitimer,
            libc::ITIMER_REAL,
            &raw const timer,
            ptr::null::<u8>(),
        );
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
    ];
    let ignored = inherited().ignored;
    for signal in ending {
        if ignored & bit(signal) != 0 {
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

/// From now on SIGINT, SIGQUIT, SIGTERM and SIGHUP end this process again, unless they were ignored
/// from the start. For when the trace is over and only a slow reader is waited for.
pub fn obey_ending_signals() {
    let ignored = inherited().ignored;
    for signal in [libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGHUP] {
        if ignored & bit(signal) == 0 {
            set_disposition(signal, libc::SIG_DFL);
        }
    }
    let set = ENDING;
    // SAFETY: the kernel's signal set is 64 bits and is only read.
    unsafe {
        let none = ptr::null_mut::<u64>();
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_UNBLOCK,
            &raw const set,
            none,
            size_of::<u64>(),
        );
    }
}

/// Whether `tid` belongs to the thread group `tgid`; a zombie still does. One system call of some
/// 0.2 µs, where /proc takes twenty times as long (tgkill(2): ESRCH when it does not).
pub fn same_group(tgid: i32, tid: i32) -> bool {
    // SAFETY: signal 0 sends nothing.
    let result = unsafe { libc::syscall(libc::SYS_tgkill, tgid, tid, 0) };
    result == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

/// Sends a signal to the process of a task.
pub fn kill(tid: i32, signal: i32) {
    // SAFETY: two integers; a task that is gone is refused.
    unsafe { libc::kill(tid, signal) };
}

/// Ends this process by a signal, without a core file of its own. The init of a pid namespace cannot end
/// so (kernel/signal.c, SIGNAL_UNKILLABLE): it exits with 128 + the signal's number, as shells and
/// containers say the same.
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
    process::exit(128 + signal)
}
