//! The columns of the lines above the tree: tid, name, what the task does.

use crate::layout::{NARROW, Style, columns};

/// Digits of a tid that have room from the beginning, and at most (`PID_MAX_LIMIT` is 4194304,
/// include/linux/threads.h).
const TID: (usize, usize) = (5, 7);
/// Columns of a name likewise. The kernel keeps 15 bytes of it (`TASK_COMM_LEN`,
/// include/linux/sched.h); what is escaped may be longer, and stands out.
const NAME: (usize, usize) = (8, 15);

/// How wide the columns are. They grow with the longest tid and name that were seen, and never
/// shrink: most programs have short names, and their lines keep the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    tid: usize,
    name: usize,
}

impl Default for Columns {
    fn default() -> Self {
        Columns {
            tid: TID.0,
            name: NAME.0,
        }
    }
}

impl Columns {
    /// Makes room for a task's tid and its name (as it is shown).
    pub(super) fn fit(&mut self, style: &Style, tid: &str, name: &str) {
        if style.width < NARROW {
            return;
        }
        let grow =
            |old: usize, wanted: usize, most| if wanted <= most { old.max(wanted) } else { old };
        self.tid = grow(self.tid, tid.len(), TID.1);
        self.name = grow(self.name, columns(name), NAME.1);
    }

    /// Columns of a tid.
    pub(super) fn tid(self) -> usize {
        self.tid
    }

    /// Where the name begins.
    pub(super) fn who(self) -> usize {
        self.tid + 1
    }

    /// Where it says what the task does.
    pub(super) fn what(self) -> usize {
        self.who() + self.name + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_grow_with_what_stands_in_them() {
        let (style, mut columns) = (Style::default(), Columns::default());
        columns.fit(&style, "48211", "demo");
        assert_eq!((columns.who(), columns.what()), (6, 15));
        columns.fit(&style, "4194303", "io_threads");
        assert_eq!((columns.who(), columns.what()), (8, 19));
        columns.fit(&style, "1", "工作线程");
        assert_eq!((columns.who(), columns.what()), (8, 19));
        // Escaped: no name of the kernel's is so long.
        columns.fit(&style, "1", &"\\x1b".repeat(15));
        assert_eq!((columns.who(), columns.what()), (8, 19));
    }

    #[test]
    fn a_narrow_screen_has_no_room_to_give() {
        let narrow = Style {
            width: 40,
            ..Style::default()
        };
        let mut columns = Columns::default();
        columns.fit(&narrow, "4194303", "io_threads");
        assert_eq!(columns, Columns::default());
    }
}
