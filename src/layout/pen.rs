//! Writes lines of text: padding, wrapping and colour in one place.

use owo_colors::OwoColorize;

use super::style::Style;
use super::width::columns;
use super::words::Words;

/// What a piece of text is, for the eye. Colour only underlines what the words say already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
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
    fn color(self) -> owo_colors::Style {
        let plain = owo_colors::Style::new();
        match self {
            Ink::Plain => plain,
            Ink::Made => plain.bold(),
            Ink::Bad => plain.red(),
            Ink::Odd => plain.yellow(),
            Ink::Faint => plain.dimmed(),
        }
    }
}

/// Writes lines into a string and knows in which column it is.
pub(crate) struct Pen<'a> {
    style: &'a Style,
    out: String,
    column: usize,
}

impl<'a> Pen<'a> {
    pub(crate) fn new(style: &'a Style) -> Self {
        Pen {
            style,
            out: String::new(),
            column: 0,
        }
    }

    pub(crate) fn column(&self) -> usize {
        self.column
    }

    /// Text that holds no line break.
    pub(crate) fn put(&mut self, text: &str) -> &mut Self {
        self.column += columns(text);
        self.out.push_str(text);
        self
    }

    /// The same in a colour.
    pub(crate) fn ink(&mut self, text: &str, ink: Ink) -> &mut Self {
        if !self.style.color || ink == Ink::Plain || text.is_empty() {
            return self.put(text);
        }
        self.column += columns(text);
        self.out.push_str(&text.style(ink.color()).to_string());
        self
    }

    /// Spaces up to a column, one at least unless the line is empty.
    pub(crate) fn to(&mut self, column: usize) -> &mut Self {
        let spaces = column
            .saturating_sub(self.column)
            .max(usize::from(self.column > 0));
        self.put(&" ".repeat(spaces))
    }

    /// Ends the line.
    pub(crate) fn end(&mut self) -> &mut Self {
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push('\n');
        self.column = 0;
        self
    }

    /// Text that goes on in the column `hang` of the next line where a word does not fit any more.
    /// A word that is longer than a line is not cut.
    pub(crate) fn words(&mut self, text: &str, ink: Ink, hang: usize) -> &mut Self {
        self.pieces(Words::of(text, false), ink, hang)
    }

    /// The same, broken after bars as well.
    pub(crate) fn bars(&mut self, text: &str, ink: Ink, hang: usize) -> &mut Self {
        self.pieces(Words::of(text, true), ink, hang)
    }

    fn pieces(&mut self, words: Words<'_>, ink: Ink, hang: usize) -> &mut Self {
        // Words are inked together, line by line.
        let mut run = String::new();
        for (space, word) in words {
            let used = self.column + columns(&run);
            let gap = usize::from(space);
            // Between two blanks there is nothing to begin a line with.
            let fits = word.is_empty() || used + gap + columns(word) <= self.style.width;
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
    pub(crate) fn parts(&mut self, parts: &[String], ink: Ink, hang: usize) -> &mut Self {
        let dot = self.style.glyphs().dot;
        for (at, part) in parts.iter().enumerate() {
            let between = if at > 0 { dot } else { "" };
            if self.column + columns(between) + columns(part) > self.style.width
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

    /// What was written.
    pub(crate) fn done(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(width: usize) -> Style {
        Style {
            width,
            ..Style::default()
        }
    }

    #[test]
    fn wraps_by_columns_and_never_cuts_a_word() {
        let style = style(12);
        let mut pen = Pen::new(&style);
        pen.put("ab ")
            .words("工作 线程 and-a-longer-word x", Ink::Plain, 3)
            .end();
        assert_eq!(pen.done(), "ab 工作 线程\n   and-a-longer-word\n   x\n");
    }

    #[test]
    fn chinese_fills_its_lines() {
        let style = style(10);
        let mut pen = Pen::new(&style);
        pen.words("共用地址空间，即 mm", Ink::Plain, 2).end();
        assert_eq!(pen.done(), "共用地址空\n  间，即\n  mm\n");
    }

    #[test]
    fn flags_are_broken_after_bars() {
        let style = style(9);
        let mut pen = Pen::new(&style);
        pen.put("x ").bars("AB|CD|EFGH", Ink::Plain, 2).end();
        assert_eq!(pen.done(), "x AB|CD|\n  EFGH\n");
    }

    proptest::proptest! {
        #[test]
        fn wrapped_text_loses_nothing_but_blanks(text in "[a-z |，。（）文字]{0,200}", hang in 0..40usize) {
            let style = style(80);
            let mut pen = Pen::new(&style);
            pen.to(hang).bars(&text, Ink::Plain, hang).end();
            let strip = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            proptest::prop_assert_eq!(strip(&pen.done()), strip(&text));
        }
    }

    #[test]
    fn colour_takes_no_columns() {
        let style = Style {
            color: true,
            ..style(80)
        };
        let mut pen = Pen::new(&style);
        pen.ink("abc", Ink::Bad).to(5).put("x");
        assert_eq!(pen.column(), 6);
        assert!(pen.done().starts_with("\u{1b}[31mabc"));
    }
}
