//! Lines of text by display columns: padding, wrapping and colour in one place.

use owo_colors::{OwoColorize, Style};
use unicode_width::UnicodeWidthStr;

use super::Look;

/// What a piece of text is, for the eye. Colour only underlines what the words say already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    /// What was created.
    Made,
    /// What failed, or was killed.
    Bad,
    /// What the reader must know to trust the rest.
    Odd,
    /// What is there for those who look.
    Faint,
}

impl Ink {
    fn style(self) -> Style {
        match self {
            Ink::Plain => Style::new(),
            Ink::Made => Style::new().bold(),
            Ink::Bad => Style::new().red(),
            Ink::Odd => Style::new().yellow(),
            Ink::Faint => Style::new().dimmed(),
        }
    }
}

/// The columns that a text takes on a screen.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// The beginning of a text that fits in so many columns, with the ellipsis where it was shortened;
/// all of it where nothing is to be shortened.
pub(super) fn shorten(text: &str, room: usize, look: &Look) -> String {
    if !look.cut || columns(text) <= room {
        return text.to_owned();
    }
    let ellipsis = look.glyphs().ellipsis;
    let room = room.saturating_sub(columns(ellipsis));
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = columns(c.encode_utf8(&mut [0; 4]));
        if used + wide > room {
            break;
        }
        used += wide;
        out.push(c);
    }
    out + ellipsis
}

/// The pieces between which a line may be broken, and whether a space stands before each: words,
/// and the characters of scripts that have no spaces, with the punctuation that belongs to them.
struct Words<'a>(&'a str);

/// What may not begin a line, and what may not end one (GB/T 15834).
static STAYS: &str = "，。、；：？！）》”’…/";
static LEADS: &str = "（《“‘";

impl<'a> Iterator for Words<'a> {
    type Item = (bool, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (space, text) = match self.0.strip_prefix(' ') {
            Some(rest) => (true, rest),
            None if self.0.is_empty() => return None,
            None => (false, self.0),
        };
        let mut end = text.len();
        let mut letters = text.char_indices().peekable();
        while let Some((at, c)) = letters.next() {
            if c == ' ' {
                end = at;
                break;
            }
            let Some(&(after, next)) = letters.peek() else {
                break;
            };
            let breaks = wide(c) || (wide(next) && !LEADS.contains(c));
            if breaks && !LEADS.contains(c) && !STAYS.contains(next) && next != ' ' {
                end = after;
                break;
            }
        }
        let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        self.0 = rest;
        Some((space, word))
    }
}

/// Whether a character takes two columns: those of scripts without spaces.
fn wide(c: char) -> bool {
    columns(c.encode_utf8(&mut [0; 4])) == 2
}

/// Writes lines into a string and knows in which column it is.
pub(super) struct Pen<'a> {
    look: &'a Look,
    out: String,
    column: usize,
}

impl<'a> Pen<'a> {
    pub(super) fn new(look: &'a Look) -> Self {
        Pen {
            look,
            out: String::new(),
            column: 0,
        }
    }

    pub(super) fn column(&self) -> usize {
        self.column
    }

    /// Text that holds no line break.
    pub(super) fn put(&mut self, text: &str) -> &mut Self {
        self.column += columns(text);
        self.out.push_str(text);
        self
    }

    /// The same in a colour.
    pub(super) fn ink(&mut self, text: &str, ink: Ink) -> &mut Self {
        if !self.look.color || ink == Ink::Plain || text.is_empty() {
            return self.put(text);
        }
        self.column += columns(text);
        self.out.push_str(&text.style(ink.style()).to_string());
        self
    }

    /// Spaces up to a column, one at least unless the line is empty.
    pub(super) fn to(&mut self, column: usize) -> &mut Self {
        let spaces = column
            .saturating_sub(self.column)
            .max(usize::from(self.column > 0));
        self.put(&" ".repeat(spaces))
    }

    /// Ends the line.
    pub(super) fn end(&mut self) -> &mut Self {
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push('\n');
        self.column = 0;
        self
    }

    /// Text that goes on in the column `hang` of the next line where a word does not fit any more.
    /// A word that is longer than a line is not cut.
    pub(super) fn words(&mut self, text: &str, ink: Ink, hang: usize) -> &mut Self {
        // Words are inked together, line by line.
        let mut run = String::new();
        for (space, word) in Words(text) {
            let used = self.column + columns(&run);
            let gap = usize::from(space);
            // Between two blanks there is nothing to begin a line with.
            let fits = word.is_empty() || used + gap + columns(word) <= self.look.width;
            if !fits && used > hang {
                self.ink(run.trim_end(), ink).end();
                self.put(&" ".repeat(hang));
                run.clear();
            } else if space {
                run.push(' ');
            }
            run.push_str(word);
        }
        self.ink(&run, ink)
    }

    /// Parts with the separator of a list between them, broken only between parts; a part that is
    /// longer than a line is broken between its words.
    pub(super) fn parts(&mut self, parts: &[String], ink: Ink, hang: usize) -> &mut Self {
        let dot = self.look.glyphs().dot;
        for (at, part) in parts.iter().enumerate() {
            let between = if at > 0 { dot } else { "" };
            if self.column + columns(between) + columns(part) > self.look.width
                && self.column > hang
            {
                self.end();
                self.put(&" ".repeat(hang));
            } else {
                self.ink(between, ink);
            }
            self.words(part, ink, hang);
        }
        self
    }

    /// Words with bars between them, broken after a bar.
    pub(super) fn bars(&mut self, text: &str, hang: usize) -> &mut Self {
        for word in text.split_inclusive('|') {
            if self.column + columns(word) > self.look.width && self.column > hang {
                self.end().put(&" ".repeat(hang));
            }
            self.put(word);
        }
        self
    }

    /// What was written.
    pub(super) fn done(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(width: usize) -> Look {
        Look {
            width,
            ..Look::default()
        }
    }

    #[test]
    fn wraps_by_columns_and_never_cuts_a_word() {
        let look = look(12);
        let mut pen = Pen::new(&look);
        pen.put("ab ")
            .words("工作 线程 and-a-longer-word x", Ink::Plain, 3)
            .end();
        assert_eq!(pen.done(), "ab 工作 线程\n   and-a-longer-word\n   x\n");
    }

    #[test]
    fn chinese_is_broken_between_characters_but_not_before_its_punctuation() {
        let pieces = |text| Words(text).collect::<Vec<_>>();
        assert_eq!(
            pieces("a 共用，（b） c"),
            [
                (false, "a"),
                (true, "共"),
                (false, "用，"),
                (false, "（b）"),
                (true, "c")
            ]
        );
        assert_eq!(
            pieces("目录/当前"),
            [(false, "目"), (false, "录/"), (false, "当"), (false, "前")]
        );
        let look = look(10);
        let mut pen = Pen::new(&look);
        pen.words("共用地址空间，即 mm", Ink::Plain, 2).end();
        assert_eq!(pen.done(), "共用地址空\n  间，即\n  mm\n");
    }

    #[test]
    fn shortens_to_columns() {
        let look = look(80);
        assert_eq!(shorten("工作线程", 8, &look), "工作线程");
        assert_eq!(shorten("工作线程", 7, &look), "工作线…");
        assert_eq!(
            shorten(
                "abc",
                2,
                &Look {
                    unicode: false,
                    ..look
                }
            ),
            ".."
        );
    }

    #[test]
    fn colour_takes_no_columns() {
        let look = Look {
            color: true,
            ..look(80)
        };
        let mut pen = Pen::new(&look);
        pen.ink("abc", Ink::Bad).to(5).put("x");
        assert_eq!(pen.column(), 6);
        assert!(pen.done().starts_with("\u{1b}[31mabc"));
    }
}
