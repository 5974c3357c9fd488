//! Descriptors and addresses.

use crate::abi::flags::CLONE_PIDFD;
use crate::abi::rules::Rule;
use crate::event::{Hex, Observation};
use crate::proc::maps::mappings;

use super::look::{Answer, Found, Look};

/// The table of descriptors, or that of open files, is full.
pub(super) fn full(look: &Look<'_>, _: &Rule) -> Answer {
    if look.errno == "ENFILE" {
        let files = look.system("/proc/sys/fs/file-nr").unwrap_or_default();
        let files = files.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        return Found::says(Observation::FileMax)
            .with("file-nr", files)
            .likely();
    }
    if look.errno != "EMFILE" {
        return Answer::Unseen;
    }
    let tid = look.task.tid();
    let open = look.task.system_list(&format!("/proc/{tid}/fd"));
    let (Ok(open), Some(most)) = (open, look.soft_limit("Max open files")) else {
        return Found::default().unknown();
    };
    // A descriptor is the lowest number that is free, and it must be below the limit.
    let below = open
        .iter()
        .filter(|fd| fd.parse::<u64>().is_ok_and(|fd| fd < most))
        .count() as u64;
    let found = Found::says(Observation::Nofile { open: below, most })
        .with("open", below)
        .with("limit", most);
    if below >= most {
        found.certain()
    } else {
        found.not()
    }
}

/// Descriptors that are higher than fs.nr_open now allows.
pub(super) fn nr_open(look: &Look<'_>, _: &Rule) -> Answer {
    let tid = look.task.tid();
    let open = look.task.system_list(&format!("/proc/{tid}/fd"));
    let (Ok(open), Some(most)) = (open, look.system_number("/proc/sys/fs/nr_open")) else {
        return Found::default().unknown();
    };
    let highest = open.iter().filter_map(|fd| fd.parse::<u64>().ok()).max();
    match highest {
        Some(fd) if fd >= most => Found::says(Observation::NrOpen { fd, most })
            .with("nr_open", most)
            .certain(),
        _ => Answer::Silent,
    }
}

/// Whether an address is in a mapping that can be written.
fn writable(maps: &[u8], address: u64) -> bool {
    mappings(maps).any(|mapping| mapping.writable && mapping.holds(address))
}

/// The place for the descriptor cannot be written.
pub(super) fn pidfd_address(look: &Look<'_>, _: &Rule) -> Answer {
    if !look.has(CLONE_PIDFD) {
        return Answer::Silent;
    }
    let at = look.arguments.pidfd_address();
    let Ok(maps) = look.task.proc_file("maps") else {
        return Found::default().unknown();
    };
    let last = at.saturating_add(3);
    let found =
        Found::says(Observation::PidfdAddress { at: Hex(at) }).with("address", format!("{at:#x}"));
    if writable(&maps, at) && writable(&maps, last) {
        Found::default()
            .with("address", format!("{at:#x}"))
            .unknown()
    } else {
        found.certain()
    }
}

/// The first of the entries for descriptors of thread-local storage, and the last
/// (arch/x86/include/asm/segment.h, GDT_ENTRY_TLS_MIN: 12 for a 64-bit kernel, 6 for a 32-bit one).
const TLS_ENTRIES: [u32; 6] = [6, 7, 8, 12, 13, 14];

/// The descriptor of thread-local storage (i386).
pub(super) fn tls(look: &Look<'_>, _: &Rule) -> Answer {
    let at = look.arguments.tls;
    let mut descriptor = [0; 16];
    let read = look.task.read(at, &mut descriptor);
    let entry = look.task.read_u32(at);
    match (look.errno, read, entry) {
        ("EFAULT", Err(_), _) => Found::says(Observation::UserDescUnreadable { at: Hex(at) })
            .with("address", format!("{at:#x}"))
            .certain(),
        ("EINVAL", Ok(()), Ok(entry)) if !TLS_ENTRIES.contains(&entry) => {
            Found::says(Observation::UserDescEntry { at: Hex(at), entry })
                .with("entry", entry)
                .certain()
        }
        _ => Found::default()
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
