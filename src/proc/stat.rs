//! `/proc/TID/stat`: one line of fields, of which the second is a name that may hold any byte.

use std::str::FromStr;

use crate::peek::Peek;

/// The fields that are looked at, by their numbers in proc_pid_stat(5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A letter: running, sleeping, zombie… ([`Line::state`])
    State = 3,
    /// The parent's process.
    Parent = 4,
    /// `task->flags`: the PF_ bits.
    Flags = 9,
    /// Time in user mode, in clock ticks.
    UserTime = 14,
    /// When it started, in clock ticks since boot.
    StartTime = 22,
    /// The scheduling policy: SCHED_OTHER and so on (include/uapi/linux/sched.h).
    Policy = 41,
}

/// The number of the first field after the name.
const FIRST: usize = Field::State as usize;

/// Set in a task that a fatal signal of its group, exit_group or a sibling's exec cut off, and clear
/// in one that ended itself (include/linux/sched.h). The wait status alone does not tell.
const PF_SIGNALED: u64 = 0x400;
/// Threads that the kernel made for io_uring and vhost (include/linux/sched.h).
const PF_USER_WORKER: u64 = 0x4000;

/// A line, taken apart at its name only: a field is looked for when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'b> {
    /// The name's bytes.
    pub name: &'b [u8],
    rest: &'b str,
}

impl<'b> Line<'b> {
    /// The name stands in parentheses and may hold them too, so it ends at the last one.
    pub fn of(bytes: &'b [u8]) -> Option<Self> {
        let open = bytes.iter().position(|&byte| byte == b'(')?;
        let close = bytes.iter().rposition(|&byte| byte == b')')?;
        Some(Self {
            name: bytes.get(open + 1..close)?,
            rest: std::str::from_utf8(bytes.get(close + 1..)?).ok()?,
        })
    }

    fn field(&self, field: Field) -> Option<&'b str> {
        self.rest
            .split_ascii_whitespace()
            .nth(field as usize - FIRST)
    }

    /// A field that is a number.
    pub fn number<N: FromStr>(&self, field: Field) -> Option<N> {
        self.field(field)?.parse().ok()
    }

    /// The letter of its state: R, S, D, Z, T, t, X, I and some that only old kernels had.
    pub fn state(&self) -> Option<u8> {
        self.field(Field::State)?.bytes().next()
    }

    /// It is a zombie, or not even that any more.
    pub fn has_ended(&self) -> bool {
        matches!(self.state(), Some(b'Z' | b'X'))
    }
}

/// What is kept of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The name's bytes.
    pub comm: Vec<u8>,
    /// PF_SIGNALED.
    pub cut_off: bool,
    /// PF_USER_WORKER.
    pub worker: bool,
    /// When it started, in clock ticks since boot.
    pub start_ticks: u64,
}

impl Stat {
    /// From the file's bytes.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let line = Line::of(bytes)?;
        let flags: u64 = line.number(Field::Flags)?;
        Some(Self {
            comm: line.name.to_vec(),
            cut_off: flags & PF_SIGNALED != 0,
            worker: flags & PF_USER_WORKER != 0,
            start_ticks: line.number(Field::StartTime)?,
        })
    }
}

/// The task's own file, under `/proc/TID/`: that of `/proc/TID` itself adds up the times of all threads, in
/// a time that grows with their number (fs/proc/array.c, do_task_stat).
pub fn own(task: &dyn Peek) -> Option<Vec<u8>> {
    let tid = task.tid();
    task.proc_file(&format!("task/{tid}/stat"))
        .or_else(|_| task.proc_file("stat"))
        .ok()
}

/// Reads and parses it.
pub fn stat(task: &dyn Peek) -> Option<Stat> {
    Stat::parse(&own(task)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peek::testing::Recorded;

    const LINE: &[u8] =
        b"7 (a) (b\xff c) Z 12 2 3 4 5 1028 0 0 0 0 33 0 0 0 20 0 1 0 4711 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 6 0\n";

    #[test]
    fn a_name_may_hold_parentheses_spaces_and_any_byte() {
        let stat = Stat::parse(LINE).expect("parses");
        assert_eq!(stat.comm, b"a) (b\xff c");
        assert!(stat.cut_off && !stat.worker);
        assert_eq!(stat.start_ticks, 4711);
        for line in [&b""[..], b")(", b"7 (x) Z", b"(", b")"] {
            assert_eq!(Stat::parse(line), None);
        }
    }

    #[test]
    fn fields_stand_at_the_manuals_numbers() {
        let line = Line::of(LINE).expect("a line");
        assert_eq!(line.state(), Some(b'Z'));
        assert!(line.has_ended());
        assert_eq!(line.number(Field::Parent), Some(12));
        assert_eq!(line.number(Field::UserTime), Some(33));
        assert_eq!(line.number(Field::Policy), Some(6));
        // What is missing is missing alone.
        let short = Line::of(b"31 (a) Z 7) S 12 31 1").expect("a line");
        assert_eq!((short.name, short.state()), (&b"a) Z 7"[..], Some(b'S')));
        assert_eq!(short.number::<u64>(Field::Policy), None);
        assert!(!short.has_ended());
        assert_eq!(Line::of(b"7 (x)").and_then(|line| line.state()), None);
    }

    #[test]
    fn the_tasks_own_comes_before_the_processs() {
        let task = Recorded::new().with_file("stat", "100 (all) S");
        assert_eq!(own(&task).as_deref(), Some(&b"100 (all) S"[..]));
        let task = task.with_file("task/100/stat", "100 (one) S");
        assert_eq!(own(&task).as_deref(), Some(&b"100 (one) S"[..]));
        assert_eq!(own(&Recorded::new().failing(3)), None);
    }

    #[test]
    fn this_task_is_readable() {
        let line = std::fs::read("/proc/self/stat").expect("/proc");
        let stat = Stat::parse(&line).expect("parses");
        assert!(stat.start_ticks > 0 && !stat.cut_off);
        let parent = Line::of(&line).and_then(|line| line.number(Field::Parent));
        assert_eq!(parent, Some(std::os::unix::process::parent_id()));
    }
}
