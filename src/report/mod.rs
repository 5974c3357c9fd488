//! One small file per output format behind one trait, listed in one table.
//!
//! A report is a pure function of the events and of a [`Look`] that was fixed at the start: nothing
//! is taken from the clock, the environment or /proc while rendering, so a replayed trace gives the
//! same text as the live one, byte for byte.

mod escape;
mod filter;
mod json;
mod look;
mod names;
mod reporter;
mod schema;
mod strace;
mod text;
mod timestamps;

pub use crate::abi::Lang;
pub use crate::layout::Style;
pub use filter::{Calls, Filter, Outcomes};
pub use look::{Clock, Look, Stamps, Summary};
pub use reporter::{Destination, Reporter};
pub use schema::schema;

/// A format.
#[non_exhaustive]
pub struct Format {
    /// Its name, as `--format` takes it.
    pub name: &'static str,
    /// One line about it.
    pub help: &'static str,
    /// The usual ending of such a file's name.
    pub extension: &'static str,
    /// Makes the reporter.
    pub make: fn(Destination, &Look) -> Box<dyn Reporter>,
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Format")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Every format; the first is the default. `--format`, its help and the golden tests follow.
pub static FORMATS: &[Format] = &[
    Format {
        name: "text",
        help: "for people: each call explained, a tree of all tasks at the end",
        extension: "txt",
        make: |out, look| Box::new(text::Text::new(out, look.clone())),
    },
    Format {
        name: "strace",
        help: "lines as strace prints them, for tools that read those",
        extension: "strace",
        make: |out, look| Box::new(strace::Strace::new(out, look.clone())),
    },
    Format {
        name: "jsonl",
        help: "one JSON object a line as things happen; `clonespy replay` reads it back",
        extension: "jsonl",
        make: |out, _| Box::new(json::Lines::new(out)),
    },
    Format {
        name: "json",
        help: "the same objects as one JSON document, an array",
        extension: "json",
        make: |out, _| Box::new(json::Document::new(out)),
    },
];

/// The format of this name.
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_found_by_name_and_no_name_is_taken_twice() {
        for format in FORMATS {
            assert!(std::ptr::eq(self::format(format.name).unwrap(), format));
            assert!(format.help.len() <= 76, "{}", format.name);
        }
        assert!(format("yaml").is_none());
    }
}
