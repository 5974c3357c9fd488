//! How many columns a text takes on a screen.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::Style;

/// The columns that a text takes on a screen.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// Whether a character takes two columns: those of scripts without spaces.
pub(super) fn wide(c: char) -> bool {
    c.width() == Some(2)
}

/// The beginning of a text that fits in so many columns, with the ellipsis where it was shortened;
/// all of it where nothing is to be shortened.
pub(crate) fn shorten(text: &str, room: usize, style: &Style) -> String {
    if !style.cut || columns(text) <= room {
        return text.to_owned();
    }
    let ellipsis = style.glyphs().ellipsis;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortens_to_columns() {
        let style = Style::default();
        assert_eq!(shorten("工作线程", 8, &style), "工作线程");
        assert_eq!(shorten("工作线程", 7, &style), "工作线…");
        let ascii = Style {
            unicode: false,
            ..style
        };
        assert_eq!(shorten("abc", 2, &ascii), "..");
    }
}
