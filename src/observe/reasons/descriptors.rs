//! Questions about descriptors and addresses.

use crate::abi::flags::CLONE_PIDFD;
use crate::abi::rules::Rule;
use crate::event::{Hex, Observation};
use crate::proc::maps::mappings;

use super::answer::{Answer, Evidence};
use super::failed_call::FailedCall;

/// Is the table of descriptors, or that of open files, full?
pub(super) fn table_full(call: &FailedCall<'_>, _: &Rule) -> Answer {
    if call.errno == "ENFILE" {
        let files = call.system("/proc/sys/fs/file-nr").unwrap_or_default();
        let files = files.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        return Evidence::says(Observation::FileMax)
            .with("file-nr", files)
            .likely();
    }
    if call.errno != "EMFILE" {
        return Answer::Unseen;
    }
    let tid = call.task.tid();
    let open = call.task.system_list(&format!("/proc/{tid}/fd"));
    let (Ok(open), Some(most)) = (open, call.soft_limit("Max open files")) else {
        return Evidence::default().unknown();
    };
    // A descriptor is the lowest number that is free, and it must be below the limit.
    let below = open
        .iter()
        .filter(|fd| fd.parse::<u64>().is_ok_and(|fd| fd < most))
        .count() as u64;
    let found = Evidence::says(Observation::Nofile { open: below, most })
        .with("open", below)
        .with("limit", most);
    if below >= most {
        found.certain()
    } else {
        found.not()
    }
}

/// Is a descriptor open that is higher than fs.nr_open now allows?
pub(super) fn nr_open(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let tid = call.task.tid();
    let open = call.task.system_list(&format!("/proc/{tid}/fd"));
    let (Ok(open), Some(most)) = (open, call.system_number("/proc/sys/fs/nr_open")) else {
        return Evidence::default().unknown();
    };
    let highest = open.iter().filter_map(|fd| fd.parse::<u64>().ok()).max();
    match highest {
        Some(fd) if fd >= most => Evidence::says(Observation::NrOpen { fd, most })
            .with("nr_open", most)
            .certain(),
        _ => Answer::Silent,
    }
}

/// Whether an address is in a mapping that can be written.
fn writable(maps: &[u8], address: u64) -> bool {
    mappings(maps).any(|mapping| mapping.writable && mapping.holds(address))
}

/// Can the place for the descriptor not be written?
pub(super) fn pidfd_address(call: &FailedCall<'_>, _: &Rule) -> Answer {
    if !call.has(CLONE_PIDFD) {
        return Answer::Silent;
    }
    let at = call.arguments.pidfd_address();
    let Ok(maps) = call.task.proc_file("maps") else {
        return Evidence::default().unknown();
    };
    let last = at.saturating_add(3);
    let found = Evidence::says(Observation::PidfdAddress { at: Hex(at) })
        .with("address", format!("{at:#x}"));
    if writable(&maps, at) && writable(&maps, last) {
        Evidence::default()
            .with("address", format!("{at:#x}"))
            .unknown()
    } else {
        found.certain()
    }
}

/// The first of the entries for descriptors of thread-local storage, and the last
/// (arch/x86/include/asm/segment.h, GDT_ENTRY_TLS_MIN: 12 for a 64-bit kernel, 6 for a 32-bit one).
const TLS_ENTRIES: [u32; 6] = [6, 7, 8, 12, 13, 14];

/// Is the descriptor of thread-local storage wrong (i386)?
pub(super) fn tls(call: &FailedCall<'_>, _: &Rule) -> Answer {
    let at = call.arguments.tls;
    let mut descriptor = [0; 16];
    let read = call.task.read(at, &mut descriptor);
    let entry = call.task.read_u32(at);
    match (call.errno, read, entry) {
        ("EFAULT", Err(_), _) => Evidence::says(Observation::UserDescUnreadable { at: Hex(at) })
            .with("address", format!("{at:#x}"))
            .certain(),
        ("EINVAL", Ok(()), Ok(entry)) if !TLS_ENTRIES.contains(&entry) => {
            Evidence::says(Observation::UserDescEntry { at: Hex(at), entry })
                .with("entry", entry)
                .certain()
        }
        _ => Evidence::default()
            .with("address", format!("{at:#x}"))
            .unknown(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_looked_up_with_its_rights() {
        let maps = b"1000-2000 r--p 0 0:0 0 /x\n2000-3000 rw-p 0 0:0 0\nnonsense\n";
        assert!(writable(maps, 0x2000) && writable(maps, 0x2fff));
        assert!(!writable(maps, 0x1000) && !writable(maps, 0x3000) && !writable(b"", 0));
    }
}
