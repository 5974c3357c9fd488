//! Names cannot lie: what the traced program called itself, its files and its arguments is shown so
//! that it can neither move the cursor, nor hide, nor pass for a line of ours.

use std::fmt::Write;

/// Characters that show nothing or change how their neighbours are shown: Unicode's format
/// characters (general category Cf), its line and paragraph separators, and its fillers without a
/// picture. Source: Unicode 16, `DerivedGeneralCategory.txt` and `PropList.txt`
/// (`Default_Ignorable_Code_Point`), with joiners and variation selectors.
static INVISIBLE: &[(char, char)] = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{110bd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a character must not reach a terminal as it is.
fn lies(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || INVISIBLE.iter().any(|&(from, to)| (from..=to).contains(&c))
}

/// A name as it may be shown: `\n`, `\x1b`, `\u{202e}` for what lies, `\\` for the backslash, so
/// that no name can look like an escaped one. With `unicode` off all but ASCII is escaped too.
pub(super) fn name(text: &str, unicode: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Writing to a String cannot fail.
        let _ = match c {
            '\n' => out.write_str("\\n"),
            '\t' => out.write_str("\\t"),
            '\r' => out.write_str("\\r"),
            '\\' => out.write_str("\\\\"),
            c if c.is_ascii() && lies(c) => write!(out, "\\x{:02x}", u32::from(c)),
            c if lies(c) || (!unicode && !c.is_ascii()) => {
                write!(out, "\\u{{{:x}}}", u32::from(c))
            }
            c => out.write_char(c),
        };
    }
    out
}

/// An argument: as a name where a shell would take it as one plain word, else in quotes.
pub(super) fn argument(text: &str, unicode: bool) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-+=:,./@%^~\u{fffd}".contains(c);
    let escaped = name(text, unicode);
    if !text.is_empty() && text.chars().all(plain) {
        escaped
    } else if escaped.contains('\'') {
        format!("\"{}\"", escaped.replace('"', "\\\""))
    } else {
        format!("'{escaped}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_moves_or_hides_is_spelt_out() {
        assert_eq!(name("a\x1b[2Kb", true), "a\\x1b[2Kb");
        assert_eq!(name("a\nb\tc\rd", true), "a\\nb\\tc\\rd");
        assert_eq!(name("\u{202e}cba\u{9b}31m", true), "\\u{202e}cba\\u{9b}31m");
        assert_eq!(name("\x7f\0", true), "\\x7f\\x00");
        assert_eq!(name("a\u{2028}b\u{a0}c", true), "a\\u{2028}b\\u{a0}c");
    }

    #[test]
    fn a_name_cannot_pretend_to_be_an_escaped_one() {
        assert_ne!(name("\\n", true), name("\n", true));
        assert_eq!(name("\\n", true), "\\\\n");
    }

    #[test]
    fn other_scripts_stay_where_the_locale_can_show_them() {
        assert_eq!(name("工作线程", true), "工作线程");
        assert_eq!(name("工", false), "\\u{5de5}");
    }

    #[test]
    fn arguments_are_quoted_where_a_shell_would_split_them() {
        assert_eq!(argument("--x=/a,b", true), "--x=/a,b");
        assert_eq!(argument("ls | wc -l", true), "'ls | wc -l'");
        assert_eq!(argument("", true), "''");
        assert_eq!(argument("it's", true), "\"it's\"");
        assert_eq!(argument("a\nb", true), "'a\\nb'");
    }

    proptest! {
        #[test]
        fn nothing_that_lies_gets_through(text in any::<String>()) {
            prop_assert!(!name(&text, true).chars().any(lies));
            prop_assert!(name(&text, false).is_ascii());
            prop_assert!(!argument(&text, true).chars().any(lies));
        }
    }
}
