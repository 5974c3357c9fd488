//! `/proc/TID/syscall`: where a task is. It works at stops that PTRACE_GET_SYSCALL_INFO says nothing about,
//! on every architecture.

use crate::peek::{Peek, Syscall};

/// Where a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// `running`: on a processor, or about to be.
    Running,
    /// `-1 SP IP`: blocked, and in no call.
    Outside,
    /// `NR ARG×6 SP IP`: in the call of this number.
    Call(u64),
}

impl Position {
    /// From the file's bytes.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        match text.split_ascii_whitespace().next()? {
            "running" => Some(Self::Running),
            "-1" => Some(Self::Outside),
            number => number.parse().ok().map(Self::Call),
        }
    }
}

/// The whole call: its number, arguments, stack and instruction pointer. `None`: it is in none, or it runs.
fn parse(bytes: &[u8], arch: u32) -> Option<Syscall> {
    let Position::Call(nr) = Position::parse(bytes)? else {
        return None;
    };
    let text = std::str::from_utf8(bytes).ok()?;
    let mut words = text.split_ascii_whitespace().skip(1);
    let mut hex = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    let args = [hex()?, hex()?, hex()?, hex()?, hex()?, hex()?];
    let (sp, ip) = (hex()?, hex()?);
    Some(Syscall {
        arch,
        nr,
        args,
        ip,
        sp,
    })
}

/// The system call that a stopped task is in, taken to be one of this audit architecture.
pub fn syscall(task: &dyn Peek, arch: u32) -> Option<Syscall> {
    parse(&task.proc_file("syscall").ok()?, arch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_whole_or_not_at_all() {
        let line = b"435 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffe 0x7fff\n";
        let call = parse(line, 9).expect("parses");
        assert_eq!((call.arch, call.nr, call.args[5]), (9, 435, 6));
        assert_eq!((call.sp, call.ip), (0x7ffe, 0x7fff));
        for line in [
            &b"running\n"[..],
            b"-1 0x7ffe 0x7fff\n",
            b"435 0x1\n",
            b"435 1 2 3 4 5 6 7 8\n",
            b"",
        ] {
            assert_eq!(parse(line, 9), None);
        }
    }

    #[test]
    fn a_position_needs_the_first_word_alone() {
        assert_eq!(Position::parse(b"running\n"), Some(Position::Running));
        assert_eq!(Position::parse(b"-1 0x1 0x2\n"), Some(Position::Outside));
        assert_eq!(Position::parse(b"56 0x1\n"), Some(Position::Call(56)));
        assert_eq!(Position::parse(b"x\n"), None);
        assert_eq!(Position::parse(b""), None);
    }
}
