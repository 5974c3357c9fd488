//! A page: headings, facts, tables. Written as text of 80 columns or as Markdown.

use std::fmt::Write;

/// How many columns a line of text may have.
const WIDTH: usize = 80;

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

/// How many columns a character takes: two if it is a wide one, as those of Chinese are.
fn columns(c: char) -> usize {
    let wide = matches!(u32::from(c),
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0xa4cf | 0xac00..=0xd7a3
        | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6
        | 0x20000..=0x3fffd);
    if wide { 2 } else { 1 }
}

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Cuts text where a line may end: after blanks, after the bars between flags, and around wide
/// characters, except before the marks that may not begin a line.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, c) in text.char_indices() {
        let cut = before.is_some_and(|before| {
            let wide = columns(before) == 2 || columns(c) == 2;
            let stays = "，。；：、！？）」”’…,.;:)".contains(c) || "（「“‘(".contains(before);
            (before == ' ' && c != ' ') || before == '|' || (wide && !stays && c != ' ')
        });
        if cut && let Some(piece) = text.get(start..at) {
            pieces.push(piece);
            start = at;
        }
        before = Some(c);
    }
    pieces.extend(text.get(start..));
    pieces
}

/// Breaks text into lines that fit beside an indentation. A piece that is wider stands alone.
pub fn wrap(text: &str, indent: usize) -> Vec<String> {
    let room = WIDTH.saturating_sub(indent).max(20);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for piece in pieces(text) {
        let wide = width(piece.trim_end());
        if used > 0 && used + wide > room {
            lines.push(String::new());
            used = 0;
        }
        used += width(piece);
        if let Some(line) = lines.last_mut() {
            line.push_str(piece);
        }
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

/// Text behind a label, its further lines under its first.
fn hang(out: &mut String, label: &str, text: &str) {
    let indent = width(label);
    for (i, line) in wrap(text, indent).iter().enumerate() {
        let label = if i == 0 { label } else { &" ".repeat(indent) };
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(out, "{}", format!("{label}{line}").trim_end());
    }
}

fn padded(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(blanks))
}

fn facts(out: &mut String, facts: &[(String, String)], indent: usize) {
    let wide = facts.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    for (name, text) in facts {
        let label = format!("{}{}  ", " ".repeat(indent), padded(name, wide));
        hang(out, &label, text);
    }
}

fn table(out: &mut String, rows: &[Vec<String>]) {
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| width(cell)).max().unwrap_or(0)
    };
    for row in rows {
        let Some((last, cells)) = row.split_last() else {
            continue;
        };
        let mut label = String::from("  ");
        for (column, cell) in cells.iter().enumerate() {
            label.push_str(&padded(cell, widest(column)));
            label.push_str("  ");
        }
        hang(out, &label, last);
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
        let mut out = String::new();
        for (i, block) in self.0.iter().enumerate() {
            if i > 0 {
                out.push('\n');
            }
            match block {
                Block::Heading(text) => hang(&mut out, "", text),
                Block::Facts(list) => facts(&mut out, list, 2),
                Block::Table(_, rows) => table(&mut out, rows),
                Block::Item(name, text, list) => {
                    hang(&mut out, "  ", name);
                    hang(&mut out, "      ", text);
                    facts(&mut out, list, 6);
                }
            }
        }
        out
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
