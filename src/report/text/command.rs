//! Commands, as the lines of execs and the rows of the tree show them.

use crate::layout::{Style, columns};
use crate::report::escape;
use crate::tasks::Program;

/// A program and its arguments, so many words of it.
pub(super) fn program(style: &Style, program: &Program, words: usize) -> String {
    let all: Vec<_> = match (program.argv.as_slice(), &program.path) {
        ([], Some(path)) => vec![escape::argument(path, style.unicode)],
        (argv, _) => argv
            .iter()
            .map(|word| escape::argument(word, style.unicode))
            .collect(),
    };
    let mut text: Vec<_> = all.iter().take(words).map(String::as_str).collect();
    if text.len() < all.len() {
        text.push(style.glyphs().ellipsis);
    }
    text.join(" ")
}

/// A command that is about to be shortened: the directory of its program tells least.
pub(super) fn without_directory(command: String, room: usize, style: &Style) -> String {
    if !style.cut || columns(&command) <= room {
        return command;
    }
    let (first, rest) = command.split_at(command.find(' ').unwrap_or(command.len()));
    match first.rsplit_once('/') {
        // Quoted: there may be blanks in it.
        Some((_, base)) if !first.starts_with('\'') && !base.is_empty() => {
            // Two dots would be a directory of that name.
            let dots = if style.unicode { "…" } else { "..." };
            format!("{dots}/{base}{rest}")
        }
        _ => command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_loses_its_directory_first() {
        let style = Style::default();
        let long = || "/usr/lib/gcc/12/cc1 -quiet a.c".to_owned();
        assert_eq!(without_directory(long(), 30, &style), long());
        assert_eq!(without_directory(long(), 29, &style), "…/cc1 -quiet a.c");
        let ascii = Style {
            unicode: false,
            ..style.clone()
        };
        assert_eq!(without_directory(long(), 29, &ascii), ".../cc1 -quiet a.c");
        let pipe = Style {
            cut: false,
            ..style.clone()
        };
        assert_eq!(without_directory(long(), 9, &pipe), long());
        for odd in ["'/a b/c' d e f", "plain and long", "/ x", "dir/ x"] {
            assert_eq!(without_directory(odd.to_owned(), 2, &style), odd);
        }
    }
}
