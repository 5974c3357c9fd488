//! Mistakes in an expectation file, shown as a compiler shows them.

use std::ops::Range as Span;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::values::safe;

/// A mistake in the file.
pub(super) struct Mistake {
    /// Where, in bytes.
    pub span: Span<usize>,
    /// What is wrong.
    pub what: String,
    /// What was probably meant.
    pub hint: String,
}

/// The line of a place, from 1.
pub(super) fn line(text: &str, span: &Span<usize>) -> usize {
    let before = text.as_bytes().get(..span.start).unwrap_or_default();
    1 + before.iter().filter(|&&byte| byte == b'\n').count()
}

/// The mistakes in the order of their places, as a compiler shows them.
pub(super) fn render(text: &str, mut mistakes: Vec<Mistake>, path: &Path) -> String {
    mistakes.sort_by_key(|mistake| mistake.span.start);
    let path = path.display().to_string();
    // A caret under a control character would send it to the terminal.
    let clean = |c: char| {
        if c.is_control() && c != '\n' && c != '\t' {
            '\u{1a}'
        } else {
            c
        }
    };
    let odd = text.chars().any(|c| clean(c) != c);
    let shown: String = text.chars().map(clean).collect();
    let mut out = Vec::new();
    for mistake in &mistakes {
        let what = safe(&mistake.what);
        let hint = safe(&mistake.hint);
        let line = line(text, &mistake.span);
        if odd {
            // Bytes would not be where they were.
            out.push(format!("error: {what}\n --> {path}:{line}\n  {hint}"));
            continue;
        }
        let end = shown.len();
        let start = floor(&shown, mistake.span.start.min(end));
        let stop = floor(&shown, mistake.span.end.clamp(start, end));
        let annotation = AnnotationKind::Primary
            .span(start..stop)
            .label(hint.as_str());
        let snippet = Snippet::source(shown.as_str())
            .path(path.as_str())
            .annotation(annotation);
        let group = Level::ERROR.primary_title(what.as_str()).element(snippet);
        out.push(Renderer::plain().render(&[group]));
    }
    out.join("\n\n")
}

/// The start of the character at this byte, or of the one that it is in.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
