//! Sentences of ours that a trace holds: one row each, in both languages side by side.
//!
//! The recorded line has the English; it is read by the same row that wrote it, so that a report can
//! have it in another language. Words that no row makes are kept as they are.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{Deserializer, Visitor};

use super::value::Hex;

/// What stands in the holes of a sentence.
pub(super) trait Hole: Sized {
    /// From the words of a recorded line.
    fn read(words: &str) -> Option<Self>;

    /// Its words in Chinese; names and numbers are the same in both languages.
    fn chinese(&self) -> String;

    /// An example.
    #[cfg(test)]
    fn sample() -> Self;
}

/// Holes that are names or numbers.
macro_rules! plain {
    ($($type:ty: $sample:expr),*) => {
        $(impl Hole for $type {
            fn read(words: &str) -> Option<Self> {
                words.parse().ok()
            }
            fn chinese(&self) -> String {
                self.to_string()
            }
            #[cfg(test)]
            fn sample() -> Self {
                $sample
            }
        })*
    };
}

plain!(String: "/a".to_owned(), i32: 48211, u32: 9, u64: 512, usize: 3);

impl Hole for Hex {
    fn read(words: &str) -> Option<Self> {
        let digits = words.strip_prefix("0x")?;
        u64::from_str_radix(digits, 16).ok().map(Hex)
    }

    fn chinese(&self) -> String {
        self.to_string()
    }

    #[cfg(test)]
    fn sample() -> Self {
        Hex(0x7f00)
    }
}

/// An enumeration of sentences: each row is a variant with its holes, the English and the Chinese.
///
/// The holes stand in the English in the order of the fields, each once.
macro_rules! sentences {
    ($(#[$meta:meta])* $name:ident {
        $($variant:ident $({ $($field:ident: $type:ty),* })?
            => $english:literal, $chinese:literal;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "each is its sentence")]
        pub enum $name {
            $(#[doc = $english] $variant $({ $($field: $type),* })?,)*
            /// Words that this version does not know.
            Other(String),
        }

        impl $name {
            /// The sentence in a language.
            pub fn text(&self, lang: $crate::abi::Lang) -> String {
                let mut text = String::new();
                // Writing to a String cannot fail.
                let _ = self.write(lang, &mut text);
                text
            }

            fn write(&self, lang: $crate::abi::Lang, to: &mut dyn std::fmt::Write) -> std::fmt::Result {
                match (self, lang) {
                    $(
                        ($name::$variant $({ $($field),* })?, $crate::abi::Lang::English) => {
                            write!(to, $english)
                        }
                        ($name::$variant $({ $($field),* })?, $crate::abi::Lang::Chinese) => {
                            $($(let $field = $crate::event::sentence::Hole::chinese($field);)*)?
                            write!(to, $chinese)
                        }
                    )*
                    ($name::Other(words), _) => to.write_str(words),
                }
            }

            /// The sentence that has this English.
            pub fn read(words: &str) -> Self {
                let whole = |read: &Self| {
                    let mut rest = $crate::event::sentence::Rest(words);
                    read.write($crate::abi::Lang::English, &mut rest).is_ok() && rest.0.is_empty()
                };
                $(
                    let (start, end) = const { $crate::event::sentence::ends($english) };
                    if words.as_bytes().starts_with(start) && words.as_bytes().ends_with(end) {
                        let row = $crate::event::sentence::fit($english, words, &mut |_holes| {
                            let mut _holes = _holes.iter();
                            let read = $name::$variant $({
                                $($field: $crate::event::sentence::Hole::read(_holes.next()?)?),*
                            })?;
                            Some(read).filter(whole)
                        });
                        if let Some(row) = row {
                            return row;
                        }
                    }
                )*
                $name::Other(words.to_owned())
            }

            /// One of each row.
            #[cfg(test)]
            pub(crate) fn samples() -> Vec<Self> {
                vec![$(
                    $name::$variant $({ $($field: $crate::event::sentence::Hole::sample()),* })?
                ),*]
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.write($crate::abi::Lang::English, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::event::sentence::read(deserializer, Self::read)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::event::sentence::schema(generator)
            }
        }
    };
}
pub(super) use sentences;

/// What is left of words that are written again: writing others fails.
pub(super) struct Rest<'a>(pub &'a str);

impl fmt::Write for Rest<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(text).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// Reads a sentence without a copy of its words.
pub(super) fn read<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    make: fn(&str) -> T,
) -> Result<T, D::Error> {
    struct Words<T>(fn(&str) -> T);
    impl<T> Visitor<'_> for Words<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }
        fn visit_str<E>(self, words: &str) -> Result<T, E> {
            Ok((self.0)(words))
        }
    }
    deserializer.deserialize_str(Words(make))
}

/// In a trace a sentence is a string like any other.
pub(super) fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    String::json_schema(generator)
}

/// Longer words are none of ours.
const LONGEST: usize = 1 << 14;
/// How often the words between two holes are looked for, at most: they may stand in the holes too.
const TRIES: u32 = 1000;

/// What stands before the first hole of a row, and behind the last one: most words have not both.
pub(super) const fn ends(row: &str) -> (&[u8], &[u8]) {
    let row = row.as_bytes();
    let (mut first, mut last) = (0, row.len());
    while first < row.len() && row[first] != b'{' {
        first += 1;
    }
    while last > 0 && row[last - 1] != b'}' {
        last -= 1;
    }
    (row.split_at(first).0, row.split_at(last).1)
}

/// Reads words by a row: `make` gets what stands in the holes, and says whether that can be.
pub(super) fn fit<'a, T>(
    row: &str,
    words: &'a str,
    make: &mut dyn FnMut(&[&'a str]) -> Option<T>,
) -> Option<T> {
    let mut parts = row.split('{');
    let rest = words.strip_prefix(parts.next()?)?;
    if words.len() > LONGEST {
        return None;
    }
    let between: Vec<&str> = parts
        .map(|part| part.split_once('}').map_or("", |(_, after)| after))
        .collect();
    place(&between, rest, &mut Vec::new(), &mut { TRIES }, make)
}

/// Finds places for what stands behind each hole.
fn place<'a, T>(
    between: &[&str],
    words: &'a str,
    holes: &mut Vec<&'a str>,
    tries: &mut u32,
    make: &mut dyn FnMut(&[&'a str]) -> Option<T>,
) -> Option<T> {
    let (next, rest) = match between {
        [] => return words.is_empty().then(|| make(holes)).flatten(),
        [last] => {
            holes.push(words.strip_suffix(last)?);
            let made = make(holes);
            holes.pop();
            return made;
        }
        [next, rest @ ..] => (next, rest),
    };
    for (at, _) in words.match_indices(next) {
        *tries = tries.checked_sub(1)?;
        let (hole, after) = words.split_at_checked(at)?;
        holes.push(hole);
        let made = place(rest, after.strip_prefix(next)?, holes, tries, make);
        holes.pop();
        if made.is_some() {
            return made;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::Lang;

    sentences! {
        /// Three rows.
        Row {
            Plain => "nothing to fill", "无";
            Both { name: String, by: i32 } => "it is traced by {name} ({by})", "被 {name}（{by}）跟踪";
            All { name: String } => "see {name}", "见 {name}";
        }
    }

    fn both(name: &str, by: i32) -> Row {
        Row::Both {
            name: name.to_owned(),
            by,
        }
    }

    #[test]
    fn a_row_reads_what_it_writes_and_nothing_else() {
        for row in Row::samples() {
            assert_eq!(Row::read(&row.to_string()), row);
        }
        let hard = both("a (5) (b)", 7);
        assert_eq!(hard.to_string(), "it is traced by a (5) (b) (7)");
        assert_eq!(Row::read(&hard.to_string()), hard);
        assert_eq!(hard.text(Lang::Chinese), "被 a (5) (b)（7）跟踪");
        for words in [
            "",
            "nothing to fill!",
            "it is traced by x (y)",
            "it is traced by x (07)",
            "it is traced by x (7) ",
            "sees",
        ] {
            assert_eq!(Row::read(words), Row::Other(words.to_owned()));
            assert_eq!(Row::read(words).text(Lang::Chinese), words);
        }
        let long = format!("see {}", "x".repeat(LONGEST));
        assert_eq!(Row::read(&long), Row::Other(long));
        let many = format!("it is traced by {}", " (".repeat(5000));
        assert_eq!(Row::read(&many), Row::Other(many));
    }
}
