//! What this machine, or the container around us, lets a tracer do.

use std::{io, ptr};

use super::launch::errno;

/// Whether a filter can be installed here: seccomp(2) reads the filter before it looks at rights, so
/// one at address 0 is refused with EFAULT (kernel/seccomp.c, seccomp_prepare_user_filter).
/// Anything else came from a filter that was there before us, or from a kernel without filters.
///
/// # Errors
/// What it says instead.
pub fn probe_filter() -> io::Result<()> {
    // SAFETY: PR_GET_SECCOMP takes no pointers.
    let free = unsafe { libc::prctl(libc::PR_GET_SECCOMP, 0, 0, 0, 0) } == 0;
    let answer = if free {
        install_nothing()
    } else {
        // A filter that is there may kill who asks.
        ask_in_a_child()?
    };
    match answer {
        libc::EFAULT => Ok(()),
        other => Err(io::Error::from_raw_os_error(other)),
    }
}

/// The errno of installing a filter at address 0.
fn install_nothing() -> i32 {
    const SECCOMP_SET_MODE_FILTER: libc::c_long = 1;
    // SAFETY: the address 0 is refused; a filter before us that says that all is well changes
    // nothing either.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            SECCOMP_SET_MODE_FILTER,
            0,
            ptr::null::<u8>(),
        )
    };
    if result < 0 { errno() } else { 0 }
}

/// The same in a child that does nothing else. It has no exit signal, so that nobody but this
/// function hears of it (wait(2), __WCLONE).
fn ask_in_a_child() -> io::Result<i32> {
    // SAFETY: clone as fork; the child makes two raw system calls.
    unsafe {
        let child = libc::syscall(libc::SYS_clone, 0, 0, 0, 0, 0);
        if child == 0 {
            libc::_exit(install_nothing());
        }
        let child = super::answer::check(child)?;
        let child = i32::try_from(child).map_err(io::Error::other)?;
        let mut status = 0;
        loop {
            let waited = libc::waitpid(child, &raw mut status, libc::__WALL);
            match super::answer::check(i64::from(waited)) {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(why),
                Ok(_) => break,
            }
        }
        if libc::WIFEXITED(status) {
            return Ok(libc::WEXITSTATUS(status));
        }
        Err(io::Error::other(format!(
            "it ends who calls it by signal {}",
            libc::WTERMSIG(status)
        )))
    }
}

/// Whether the kernel itself answers clone3 here: EINVAL for a size of 0 (kernel/fork.c,
/// copy_clone_args_from_user). Anything else came from a seccomp filter that was there before us,
/// or from a kernel before 5.3.
pub fn probe_clone3() -> bool {
    // SAFETY: a size of 0 is refused before any memory is read.
    let result = unsafe { libc::syscall(libc::SYS_clone3, ptr::null::<u8>(), 0) };
    result < 0 && errno() == libc::EINVAL
}
