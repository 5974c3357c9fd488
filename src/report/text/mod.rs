//! Text for people: a line a call as it happens, the tree at the end.

mod arguments;
mod call;
mod columns;
mod command;
mod errnos;
mod exec;
mod exit;
mod findings;
mod flags;
mod folding;
mod line;
mod lines;
mod notices;
mod remarks;
mod sets;
mod stats;
mod summary;
mod task_names;
mod tree;
mod units;
#[cfg(test)]
mod untranslated;

use std::io::{self, BufWriter, Write};

use self::folding::Timed;
use self::lines::Lines;
use self::summary::Table;
use crate::event::{Event, EventKind, Gap, Stats};
use crate::layout::{Ink, Pen};
use crate::report::timestamps::Stamper;
use crate::report::{Destination, Look, Reporter, Summary};
use crate::tasks::TaskTree;

/// The text report.
pub(super) struct Text {
    out: BufWriter<Destination>,
    look: Look,
    stamper: Stamper,
    lines: Lines,
    table: Table,
    stats: Option<Stats>,
    /// Calls that failed may not have been seen.
    blind: bool,
    /// Something stands above the tree.
    written: bool,
    /// The heads of the columns stand above the lines.
    headed: bool,
    ended: bool,
}

impl Text {
    pub(super) fn new(out: Destination, mut look: Look) -> Self {
        let stamper = Stamper::new(&look);
        if look.style.cut {
            look.style.width = look.style.width.saturating_sub(stamper.width()).max(20);
        }
        Text {
            out: BufWriter::new(out),
            lines: Lines::new(look.clone()),
            look,
            stamper,
            table: Table::default(),
            stats: None,
            blind: false,
            written: false,
            headed: false,
            ended: false,
        }
    }

    /// Writes lines with their times.
    fn write(&mut self, lines: Vec<Timed>) -> io::Result<()> {
        let mut written = false;
        for (at_ns, text) in lines {
            if !self.headed && !text.is_empty() && self.look.summary != Summary::Only {
                self.headed = true;
                let times = " ".repeat(self.stamper.width());
                let heads = self.lines.heads();
                if !heads.is_empty() {
                    write!(self.out, "{times}{heads}")?;
                }
            }
            let text = self.stamper.stamp(at_ns, text);
            written |= !text.is_empty();
            self.out.write_all(text.as_bytes())?;
        }
        self.written |= written;
        if written { self.out.flush() } else { Ok(()) }
    }

    /// The tree and the totals. The stamps have their columns above it alone.
    fn tree(&mut self, tree: &TaskTree) -> io::Result<()> {
        if self.written {
            self.out.write_all(b"\n")?;
        }
        let times = if self.look.style.cut {
            self.stamper.width()
        } else {
            0
        };
        let mut look = self.look.clone();
        look.style.width += times;
        let out = &mut self.out;
        tree::rows(&look, tree, |row| out.write_all(row.as_bytes()))?;
        let totals = tree
            .end()
            .map_or_else(|| tree.totals(), |end| end.totals.clone());
        let mut pen = Pen::new(&look.style);
        pen.parts(&call::totals(&look, &totals, self.blind), Ink::Plain, 0)
            .end();
        self.out.write_all(pen.done().as_bytes())?;
        let found = self.lines.findings(&look);
        self.out.write_all(found.as_bytes())?;
        self.written = true;
        Ok(())
    }

    /// What is said where a trace did not end in order.
    fn cut_short(&self, tree: &TaskTree) -> String {
        notices::cut_short(&self.look, tree).map_or_else(String::new, |why| self.lines.note(&why))
    }
}

/// Whether what is not seen are calls that failed.
fn to_failures(what: &[Gap]) -> bool {
    what.iter().any(Gap::hides_failures)
}

impl Reporter for Text {
    fn event(&mut self, event: &Event, tree: &TaskTree) -> io::Result<()> {
        match &event.kind {
            EventKind::Start(start) => {
                self.stamper.begin(&start.wall);
                self.blind |= to_failures(&start.blind);
            }
            EventKind::Blind(blind) => self.blind |= to_failures(&blind.what),
            EventKind::Stats(stats) => self.stats = Some(stats.clone()),
            EventKind::End(_) => self.ended = true,
            EventKind::Clone(call) if self.look.summary != Summary::No => self.table.count(call),
            _ => {}
        }
        if self.look.quiet >= 3 {
            return Ok(());
        }
        if self.look.summary == Summary::Only {
            // What its counts lack is said of a table, too.
            let lacks = matches!(
                event.kind,
                EventKind::Start(_) | EventKind::Blind(_) | EventKind::Lost(_)
            );
            let lines = if lacks {
                self.lines.gaps(event, tree)
            } else {
                Vec::new()
            };
            return self.write(lines);
        }
        let mut lines = match &event.kind {
            EventKind::Finding(finding) => self.lines.finding(&event.header, finding, tree),
            _ => self.lines.gaps(event, tree),
        };
        if self.look.quiet < 2 {
            lines.extend(self.lines.take(event, tree));
        }
        self.write(lines)
    }

    fn finish(&mut self, tree: &TaskTree) -> io::Result<()> {
        let rest = self.lines.flush();
        self.write(rest)?;
        // A program that never started is an error to tell, and no tree.
        let begun = self.ended || tree.totals().threads > 0;
        if self.look.quiet < 3 && begun && self.look.summary != Summary::Only {
            self.tree(tree)?;
            let note = self.cut_short(tree);
            self.out.write_all(note.as_bytes())?;
        }
        if self.look.summary != Summary::No && begun {
            if self.written {
                self.out.write_all(b"\n")?;
            }
            let table = self.table.draw(&self.look);
            self.out.write_all(table.as_bytes())?;
            if self.look.summary == Summary::Only {
                let note = self.cut_short(tree);
                self.out.write_all(note.as_bytes())?;
            }
        }
        if let Some(stats) = &self.stats {
            self.out
                .write_all(stats::stats(&self.look, stats).as_bytes())?;
        }
        self.out.flush()
    }
}
