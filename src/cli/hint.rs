//! What a misspelt word of the command line was meant to be.

use crate::suggest::nearest;

/// `; did you mean 'X'?`, or nothing.
pub(super) fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or(String::new(), |one| format!("; did you mean '{one}'?"))
}
