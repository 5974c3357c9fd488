//! How text is drawn.

use crate::abi::Lang;

/// With fewer columns than this there are none to keep: words follow each other.
pub(crate) const NARROW: usize = 60;

/// How text is drawn: fixed before the first line, never looked up later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns of a line.
    pub width: usize,
    /// Whether what does not fit is shortened. On a pipe or in a file it is not: lines there are
    /// read by programs, too.
    pub cut: bool,
    /// Whether to colour.
    pub color: bool,
    /// Whether to go beyond ASCII.
    pub unicode: bool,
    /// The language of explanations.
    pub lang: Lang,
}

impl Default for Style {
    fn default() -> Self {
        Style {
            width: 80,
            cut: true,
            color: false,
            unicode: true,
            lang: Lang::English,
        }
    }
}

/// The signs that text is drawn with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Glyphs {
    pub arrow: &'static str,
    pub times: &'static str,
    pub dash: &'static str,
    pub dot: &'static str,
    pub ellipsis: &'static str,
    /// A child with siblings after it, the last child, and what stands under each.
    pub tree: [&'static str; 4],
}

static UNICODE: Glyphs = Glyphs {
    arrow: "→",
    times: "×",
    dash: "–",
    dot: " · ",
    ellipsis: "…",
    tree: ["├─ ", "└─ ", "│  ", "   "],
};

static ASCII: Glyphs = Glyphs {
    arrow: "->",
    times: "x",
    dash: "-",
    dot: ", ",
    ellipsis: "..",
    tree: ["|- ", "`- ", "|  ", "   "],
};

impl Style {
    /// Its signs.
    pub(crate) fn glyphs(&self) -> &'static Glyphs {
        if self.unicode { &UNICODE } else { &ASCII }
    }
}
