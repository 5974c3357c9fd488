//! A page: headings, facts, tables. Written as text of 80 columns or as Markdown.

use std::fmt::Write;

use crate::layout::{Ink, Pen, Style, columns};

/// Columns between a name and what there is to say about it, and before them.
const GAP: usize = 2;

/// A part of a page.
pub enum Block {
    /// A heading.
    Heading(String),
    /// Names and what there is to say about each.
    Facts(Vec<(String, String)>),
    /// Rows of as many columns each; the last may be long.
    Table(Vec<String>, Vec<Vec<String>>),
    /// Something with a name, words about it and facts.
    Item(String, String, Vec<(String, String)>),
}

/// A whole page.
#[derive(Default)]
pub struct Page(pub Vec<Block>);

/// Text of so many lines as it needs, behind what stands in its first.
fn hang(pen: &mut Pen<'_>, text: &str) {
    let hang = pen.column();
    pen.bars(text, Ink::Plain, hang).end();
}

fn facts(pen: &mut Pen<'_>, facts: &[(String, String)], indent: usize) {
    let names = facts.iter().map(|(name, _)| columns(name));
    let widest = names.max().unwrap_or(0);
    for (name, text) in facts {
        pen.to(indent).put(name).to(indent + widest + GAP);
        hang(pen, text);
    }
}

fn table(pen: &mut Pen<'_>, rows: &[Vec<String>]) {
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| columns(cell)).max().unwrap_or(0)
    };
    for row in rows {
        let Some((last, cells)) = row.split_last() else {
            continue;
        };
        let mut at = GAP;
        pen.to(at);
        for (column, cell) in cells.iter().enumerate() {
            at += widest(column) + GAP;
            pen.put(cell).to(at);
        }
        hang(pen, last);
    }
}

/// Text in which Markdown has nothing to say. A line below a word joins it and is none of its marks.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let joins = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let inside = joins(before) && joins(rest.peek().copied());
        if matches!(c, '\\' | '*' | '<' | '`' | '[' | ']') || (c == '_' && !inside) {
            out.push('\\');
        }
        out.push(c);
        before = Some(c);
    }
    out
}

/// The same for a cell of a table, which a bar would end.
fn cell(text: &str) -> String {
    escaped(text).replace('|', "\\|")
}

impl Page {
    /// As text.
    pub fn text(&self) -> String {
        let style = Style::default();
        let mut pen = Pen::new(&style);
        for (i, block) in self.0.iter().enumerate() {
            if i > 0 {
                pen.end();
            }
            match block {
                Block::Heading(text) => hang(&mut pen, text),
                Block::Facts(list) => facts(&mut pen, list, GAP),
                Block::Table(_, rows) => table(&mut pen, rows),
                Block::Item(name, text, list) => {
                    hang(pen.to(GAP), name);
                    hang(pen.to(3 * GAP), text);
                    facts(&mut pen, list, 3 * GAP);
                }
            }
        }
        pen.done()
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for (i, block) in self.0.iter().enumerate() {
            if i > 0 {
                out.push('\n');
            }
            let _ = match block {
                Block::Heading(text) if i == 0 => writeln!(out, "# {}", escaped(text)),
                Block::Heading(text) => writeln!(out, "## {}", escaped(text)),
                Block::Facts(list) => markdown_facts(&mut out, list),
                Block::Table(head, rows) => markdown_table(&mut out, head, rows),
                Block::Item(name, text, list) => {
                    let _ = writeln!(out, "### {}\n\n{}\n", escaped(name), escaped(text));
                    markdown_facts(&mut out, list)
                }
            };
        }
        out
    }
}

fn markdown_facts(out: &mut String, facts: &[(String, String)]) -> std::fmt::Result {
    let mut label = "";
    facts.iter().try_for_each(|(name, text)| {
        // A fact without a name is one more of the name before; text shows that by its place alone.
        if !name.is_empty() {
            label = name;
        }
        writeln!(out, "- **{}**: {}", escaped(label), escaped(text))
    })
}

fn markdown_table(out: &mut String, head: &[String], rows: &[Vec<String>]) -> std::fmt::Result {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
        cells.join(" | ")
    };
    writeln!(out, "| {} |", line(head))?;
    writeln!(out, "|{}", "---|".repeat(head.len()))?;
    rows.iter()
        .try_for_each(|row| writeln!(out, "| {} |", line(row)))
}
