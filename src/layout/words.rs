//! Where a line may be broken.

use super::width::wide;

/// The pieces between which a line may be broken, and whether a space stands before each: words,
/// and the characters of scripts that have no spaces, with the punctuation that belongs to them.
pub(super) struct Words<'a> {
    rest: &'a str,
    bars: bool,
}

/// What may not begin a line, and what may not end one (GB/T 15834).
static STAYS: &str = "，。、；：？！）》”」’…/,.;:)";
static LEADS: &str = "（《“「‘(";

/// Whether a character stays behind the one before it. A slash does, but a path begins with one.
fn stays(before: char, c: char) -> bool {
    STAYS.contains(c) && !(c == '/' && STAYS.contains(before))
}

impl<'a> Words<'a> {
    /// With `bars` a line may be broken after a bar, too, as in `CLONE_VM|CLONE_FS`.
    pub(super) fn of(text: &'a str, bars: bool) -> Self {
        Words { rest: text, bars }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = (bool, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (space, text) = match self.rest.strip_prefix(' ') {
            Some(rest) => (true, rest),
            None if self.rest.is_empty() => return None,
            None => (false, self.rest),
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
            let stays = LEADS.contains(c) || stays(c, next) || next == ' ';
            let bar = self.bars && c == '|' && next != ' ';
            if bar || ((wide(c) || wide(next)) && !stays) {
                end = after;
                break;
            }
        }
        let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        self.rest = rest;
        Some((space, word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_broken_between_characters_but_not_before_its_punctuation() {
        let pieces = |text| Words::of(text, false).collect::<Vec<_>>();
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
        assert_eq!(pieces("在、/proc"), [(false, "在、"), (false, "/proc")]);
    }

    #[test]
    fn flags_are_broken_after_their_bars_where_that_is_asked_for() {
        let pieces = |bars| Words::of("A|B c", bars).collect::<Vec<_>>();
        assert_eq!(pieces(false), [(false, "A|B"), (true, "c")]);
        assert_eq!(pieces(true), [(false, "A|"), (false, "B"), (true, "c")]);
    }
}
