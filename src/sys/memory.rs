//! Tracees' memory.

use std::io;

/// Reads exactly `buf.len()` bytes at `addr`.
///
/// # Errors
/// EFAULT: not all of it is mapped. ESRCH: the task is gone.
pub fn read_memory(tid: i32, addr: u64, buf: &mut [u8]) -> io::Result<()> {
    let local = libc::iovec {
        iov_base: buf.as_mut_ptr().cast(),
        iov_len: buf.len(),
    };
    let remote = libc::iovec {
        iov_base: addr as *mut libc::c_void,
        iov_len: buf.len(),
    };
    // SAFETY: `local` describes `buf`, which is borrowed for the call; `remote` is an address in
    // the other process, which the kernel checks.
    let got = unsafe { libc::process_vm_readv(tid, &local, 1, &remote, 1, 0) };
    whole(got, buf.len())
}

/// Writes exactly `bytes` at `addr`.
///
/// # Errors
/// EFAULT: not all of it is mapped and writable. ESRCH: the task is gone.
pub fn write_memory(tid: i32, addr: u64, bytes: &[u8]) -> io::Result<()> {
    let local = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    let remote = libc::iovec {
        iov_base: addr as *mut libc::c_void,
        iov_len: bytes.len(),
    };
    // SAFETY: `local` describes `bytes`, from which the kernel only reads; `remote` is an address
    // in the other process, which the kernel checks.
    let put = unsafe { libc::process_vm_writev(tid, &local, 1, &remote, 1, 0) };
    whole(put, bytes.len())
}

/// A transfer that ended early ended at a page that is not there.
fn whole(done: isize, wanted: usize) -> io::Result<()> {
    match usize::try_from(done) {
        Ok(done) if done == wanted => Ok(()),
        Ok(_) => Err(io::Error::from_raw_os_error(libc::EFAULT)),
        Err(_) => Err(io::Error::last_os_error()),
    }
}
