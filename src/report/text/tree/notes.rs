//! What stands above the rows and below them.

use super::columns::{ENDING, RIGHT, kind_column};
use super::row::Row;
use crate::event::{Ending, Kind};
use crate::layout::{Ink, Pen, columns};
use crate::report::Look;

/// What stands in the columns.
pub(super) fn heads(look: &Look) -> String {
    let kind = kind_column(&look.style);
    let (lang, mut pen) = (look.lang(), Pen::new(&look.style));
    let lived = lang.pick("lived", "存活时间");
    pen.ink(lang.pick("task", "任务"), Ink::Faint);
    pen.to(kind).ink(lang.pick("kind", "种类"), Ink::Faint);
    pen.to(kind + ENDING)
        .ink(lang.pick("end", "结束方式"), Ink::Faint);
    pen.to(kind + RIGHT - columns(lived))
        .ink(lived, Ink::Faint)
        .end();
    pen.done()
}

/// Words in the rows that are explained below them, where they occur.
#[derive(Default)]
pub(super) struct Notes {
    cut_off: bool,
    replaced: bool,
    /// Rows read alike and are apart.
    pub(super) alike: bool,
}

impl Notes {
    pub(super) fn learn(&mut self, row: &Row<'_>) {
        let how = row.task.end.as_ref().map(|end| &end.how);
        let hidden = row.various.ending || row.task.kind == Kind::Process;
        match how {
            Some(Ending::CutOff) if !hidden => self.cut_off = true,
            Some(Ending::Replaced) if !row.various.ending => self.replaced = true,
            _ => {}
        }
    }

    pub(super) fn write<E>(
        &self,
        look: &Look,
        mut write: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut note = |english, chinese| {
            let mut pen = Pen::new(&look.style);
            pen.words(look.lang().pick(english, chinese), Ink::Faint, 0)
                .end();
            write(&pen.done())
        };
        if self.cut_off {
            note(
                "(cut off: the process ended, or exec'd, while the thread was still there)",
                "（被迫结束：线程尚未结束，进程就已退出或 exec）",
            )?;
        }
        if self.alike {
            note(
                "(rows that read alike: made by other calls, or with other flags)",
                "（看似相同的各行：创建时所用的调用或标志不同）",
            )?;
        }
        if self.replaced {
            note(
                "(replaced: another thread of the process exec'd and took over its tid)",
                "（被取代：同一进程的另一线程 exec，接过了它的 tid）",
            )?;
        }
        Ok(())
    }
}
