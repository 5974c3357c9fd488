//! Reading a caller's memory as the kernel's copy_from_user() would, and telling where it would fault.

use crate::abi::args;
use crate::abi::errno;
use crate::peek::{Errno, Peek};

/// The smallest page of any machine; mappings begin and end at multiples of it.
const MIN_PAGE: u64 = 4096;

/// The largest page that any machine is built with: hexagon's 1 MiB.
const MAX_PAGE: u64 = 1 << 20;

/// The type of the auxiliary vector's entry with the page size (include/uapi/linux/auxvec.h).
const AT_PAGESZ: u64 = 6;

/// Reads `len` bytes at `address`.
///
/// # Errors
/// The errno, and the lowest address that cannot be read as far as that can be told.
pub(super) fn read(task: &dyn Peek, address: u64, len: usize) -> Result<Vec<u8>, (Errno, u64)> {
    let mut bytes = vec![0; len];
    match task.read(address, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(errno) => Err(first_unreadable(task, address, len, errno)),
    }
}

/// Reads `len` bytes that lie `offset` bytes behind `address`. An address past the end of the address
/// space is none.
///
/// # Errors
/// As [`read`].
pub(super) fn read_at(
    task: &dyn Peek,
    address: u64,
    offset: usize,
    len: usize,
) -> Result<Vec<u8>, (Errno, u64)> {
    if len == 0 {
        return Ok(Vec::new());
    }
    let fault = Errno(errno::number("EFAULT").unwrap_or_default());
    let start = u64::try_from(offset)
        .ok()
        .and_then(|offset| address.checked_add(offset))
        .ok_or((fault, address))?;
    read(task, start, len)
}

/// Finds the page at which a read of many bytes failed.
fn first_unreadable(task: &dyn Peek, address: u64, len: usize, errno: Errno) -> (Errno, u64) {
    let end = address.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
    let mut at = address;
    while at < end {
        let boundary = (at | (MIN_PAGE - 1)).saturating_add(1).min(end);
        let mut part = vec![0; usize::try_from(boundary - at).unwrap_or(0)];
        if let Err(errno) = task.read(at, &mut part) {
            return (errno, at);
        }
        at = boundary;
    }
    // Every part can be read by now: another thread mapped the page meanwhile.
    (errno, address)
}

/// The size of a `struct clone_args` that the kernel would begin to read: from the first version's size
/// to one page (`copy_clone_args_from_user` in kernel/fork.c).
pub(super) fn readable_size(task: &dyn Peek, size: u64) -> Option<usize> {
    let size = usize::try_from(size).ok()?;
    let fits = |limit: u64| u64::try_from(size).is_ok_and(|size| size <= limit);
    // Pages larger than the smallest are the rare case, and a block that large a rarer one: only then ask.
    let readable = size >= args::SIZE_VER0
        && (fits(MIN_PAGE) || fits(MAX_PAGE) && fits(page_size(task).unwrap_or(MIN_PAGE)));
    readable.then_some(size)
}

/// The page size in bytes, from the auxiliary vector that the kernel gave the program. Its words have the
/// program's size, which need not be the call's.
pub fn page_size(task: &dyn Peek) -> Option<u64> {
    let vector = task.proc_file("auxv").ok()?;
    let wide = vector.chunks_exact(16).find_map(|entry| {
        let (key, value) = entry.split_at(8);
        let key = u64::from_ne_bytes(key.try_into().ok()?);
        (key == AT_PAGESZ).then_some(u64::from_ne_bytes(value.try_into().ok()?))
    });
    let narrow = || {
        vector.chunks_exact(8).find_map(|entry| {
            let (key, value) = entry.split_at(4);
            let key = u64::from(u32::from_ne_bytes(key.try_into().ok()?));
            let value = u64::from(u32::from_ne_bytes(value.try_into().ok()?));
            (key == AT_PAGESZ).then_some(value)
        })
    };
    let sane = |size: &u64| size.is_power_of_two() && (MIN_PAGE..=MAX_PAGE).contains(size);
    wide.filter(sane).or_else(|| narrow().filter(sane))
}
